"""Sums of products in Einstein's notation.

`einsum` first does what concerns one tensor alone: diagonals of repeated letters, sums over
letters that nothing else has, dimensions of size 1 that are broadcast. What is left is closed
under differentiation: the gradient of each factor is the einsum of the result's gradient and
the other factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import array_module
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.kernels import matmul as kernels
from tinyconv.ops._checks import check_same_dtype, check_tensor
from tinyconv.ops.precision import factors as rounded
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import permute, reshape
from tinyconv.tensor import Tensor

Labels = tuple[int, ...]
"""The names of a tensor's dimensions: a number for each letter, and for each place of "..."."""


class EinSum(Function):
    """y = the sum of products over all labels that `out` does not have; each label is in two places."""

    @staticmethod
    def forward(ctx: Any, labels: tuple[Labels, ...], out: Labels, *factors: Tensor) -> Any:
        ctx.labels, ctx.out = labels, out
        ctx.save_for_backward(*factors)
        return kernels.einsum([*rounded("einsum", *(x.array for x in factors))], labels, out)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        factors = ctx.saved_tensors
        grads: list[Tensor | None] = [None] * len(factors)
        for i, own in enumerate(ctx.labels):
            if ctx.needs_input_grad[2 + i]:
                labels = (ctx.out, *ctx.labels[:i], *ctx.labels[i + 1 :])
                grads[i] = EinSum.apply(labels, own, grad, *factors[:i], *factors[i + 1 :])
        return None, None, *grads


def einsum(equation: str, *operands: Any) -> Tensor:
    """The sum of products that `equation` describes, such as ``"bij,bjk->bik"``.

    Parameters
    ----------
    equation : str
        One letter for each dimension of each operand, then, after ``->``, the letters of the
        result; all others are summed over. Without ``->`` the result has the letters that occur
        once, in alphabetical order. A letter twice in one operand means its diagonal; ``...``
        stands for dimensions that broadcast.
    *operands : Tensor
        The tensors, or one list of them.

    Raises
    ------
    ArgumentError
        If the equation cannot be read or has another number of operands.
    ShapeError
        If an operand has another number of dimensions than letters, or a letter two sizes.

    Examples
    --------
    >>> import tinyconv as tc
    >>> a, b = tc.arange(4.0).reshape(2, 2), tc.eye(2) * 2
    >>> tc.einsum("ij,jk->ik", a, b).tolist()
    [[0.0, 2.0], [4.0, 6.0]]
    """
    given = operands[0] if len(operands) == 1 and isinstance(operands[0], list | tuple) else operands
    tensors = [check_tensor("einsum", f"operands[{i}]", x) for i, x in enumerate(given)]
    inputs, out = _read(equation, tensors)
    check_same_dtype("einsum", **{f"operands[{i}]": x for i, x in enumerate(tensors)})
    pairs = [_diagonals(equation, x, labels) for x, labels in zip(tensors, inputs, strict=True)]
    sizes = _sizes(equation, pairs)
    pairs = [_without_ones(x, labels, sizes) for x, labels in pairs]
    pairs = [
        _summed(x, labels, {*out}.union(*(other for j, (_, other) in enumerate(pairs) if j != i)))
        for i, (x, labels) in enumerate(pairs)
    ]
    return EinSum.apply(tuple(labels for _, labels in pairs), out, *(x for x, _ in pairs))


def _read(equation: Any, tensors: Sequence[Tensor]) -> tuple[list[Labels], Labels]:
    """The labels of each operand and of the result."""
    if not isinstance(equation, str):
        raise ArgumentError("einsum", "equation", repr(equation), "a str such as 'ij,jk->ik'")
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(tensors) or not tensors:
        count = len(tensors)
        raise ArgumentError(
            "einsum", "equation", repr(equation), f"one term for each of the {count} operands"
        )
    inputs = [_labels(equation, term, x) for term, x in zip(terms, tensors, strict=True)]
    wide = max((-label for labels in inputs for label in labels if label < 0), default=0)
    if arrow:
        return inputs, _result(equation, right, inputs, wide)
    seen = [label for labels in inputs for label in labels]
    once = sorted(label for label in set(seen) if label >= 0 and seen.count(label) == 1)
    return inputs, (*range(-wide, 0), *once)


def _labels(equation: str, term: str, x: Tensor) -> Labels:
    """A letter is its number in the character set, the dimensions of "..." are -1, -2, … from the right."""
    before, dots, after = term.partition("...")
    letters = before + after
    if not (letters.isascii() and (letters.isalpha() or not letters)):
        raise ArgumentError("einsum", "equation", repr(equation), "letters, ',', '...' and '->'")
    if x.ndim < len(letters) or (x.ndim > len(letters) and not dots):
        raise ShapeError(
            "einsum", f"the operand of '{term}'", f"of shape {x.shape}", "a dimension per letter"
        )
    middle = range(len(letters) - x.ndim, 0)
    return (*map(ord, before), *middle, *map(ord, after))


def _result(equation: str, term: str, inputs: list[Labels], wide: int) -> Labels:
    before, dots, after = term.partition("...")
    labels = (*map(ord, before), *(range(-wide, 0) if dots else ()), *map(ord, after))
    known = set().union(*inputs)
    if len(set(labels)) != len(labels) or not set(labels) <= known:
        raise ArgumentError(
            "einsum", "equation", repr(equation), "after '->' letters of the operands, each once"
        )
    return labels


def _diagonals(equation: str, x: Tensor, labels: Labels) -> tuple[Tensor, Labels]:
    """For letters that `x` has twice, its diagonal."""
    for label in sorted(set(labels)):
        while labels.count(label) > 1:
            i = labels.index(label)
            j = labels.index(label, i + 1)
            if x.shape[i] != x.shape[j]:
                sizes = f"{x.shape[i]} and {x.shape[j]}"
                raise ShapeError("einsum", f"'{chr(label)}' in {equation!r}", f"of sizes {sizes}", "one size")
            rest = [d for d in range(x.ndim) if d not in (i, j)]
            along = array_module(x.array).arange(x.shape[i])
            x = permute(x, (i, j, *rest))[along, along]
            labels = (label, *(labels[d] for d in rest))
    return x, labels


def _sizes(equation: str, pairs: list[tuple[Tensor, Labels]]) -> dict[int, int]:
    """The size of each label; dimensions of size 1 broadcast."""
    sizes: dict[int, int] = {}
    for x, labels in pairs:
        for n, label in zip(x.shape, labels, strict=True):
            known = sizes.setdefault(label, n)
            if 1 not in (n, known) and n != known:
                name = "'...'" if label < 0 else f"'{chr(label)}'"
                raise ShapeError("einsum", f"{name} in {equation!r}", f"of sizes {known} and {n}", "one size")
            sizes[label] = n if known == 1 else known
    return sizes


def _without_ones(x: Tensor, labels: Labels, sizes: dict[int, int]) -> tuple[Tensor, Labels]:
    """`x` without the dimensions along which it would be repeated: other factors have them."""
    kept = [d for d, label in enumerate(labels) if x.shape[d] == sizes[label]]
    if len(kept) == x.ndim:
        return x, labels
    return reshape(x, tuple(x.shape[d] for d in kept)), tuple(labels[d] for d in kept)


def _summed(x: Tensor, labels: Labels, needed: set[int]) -> tuple[Tensor, Labels]:
    """`x` summed over the labels that neither the result nor another factor has."""
    alone = tuple(d for d, label in enumerate(labels) if label not in needed)
    return (sum_(x, alone) if alone else x), tuple(label for label in labels if label in needed)
