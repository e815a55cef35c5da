"""Matrix products."""

from __future__ import annotations

from tinyconv import ops
from tinyconv.io.onnx.builder import Builder
from tinyconv.io.onnx.recording import Value
from tinyconv.io.onnx.table import translates
from tinyconv.ops.einsum import EinSum
from tinyconv.ops.matmul import MatMul

Labels = tuple[int, ...]


@translates(ops.linear)
def linear(builder: Builder, input: Value, weight: Value, bias: Value | None) -> str:
    if input.ndim == 2:
        return builder.node("Gemm", [input, weight, bias], transB=1)
    y = builder.node("MatMul", [input, builder.node("Transpose", [weight], perm=[1, 0])])
    return y if bias is None else builder.node("Add", [y, bias])


@translates(ops.matmul, ops.bmm, ops.mm, ops.mv, ops.dot)
def matmul(builder: Builder, **inputs: Value) -> str:
    return builder.node("MatMul", list(inputs.values()))


@translates(MatMul)
def product(builder: Builder, a: Value, b: Value) -> str:
    return builder.node("MatMul", [a, b])


@translates(EinSum)
def einsum(builder: Builder, labels: tuple[Labels, ...], out: Labels, *factors: Value) -> str:
    letters = {label: chr(ord("a") + i) for i, label in enumerate(dict.fromkeys(sum((*labels, out), ())))}
    terms = ["".join(letters[label] for label in term) for term in (*labels, out)]
    return builder.node("Einsum", list(factors), equation=f"{','.join(terms[:-1])}->{terms[-1]}")
