"""One call of an op, compared with the reference in float64 and with PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinyconv as tc
from tests.backends import kernels
from tests.gpu import tensor
from tests.ops.cases import Case
from tests.ops.op import Op
from tinyconv.device import to_device

Array = Any


class Result:
    """What a call gave: outputs, and the gradients of a random weighted sum of the float ones."""

    def __init__(self, op: Op, case: Case, dtype: Any) -> None:
        inputs, constants = case.arrays(dtype)
        before = [x.copy() for x in (*inputs, *constants)]
        self.inputs = [tensor(x, requires_grad=True) for x in inputs]
        outputs = op.call(*self.inputs, *map(tensor, constants), **case.options)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        self.outputs = [to_device(y.array, "cpu") for y in outputs]
        rng = np.random.default_rng(case.seed + 100)
        floats = [y for y in outputs if y.dtype.kind == "f"]
        self.weights = [np.asarray(rng.uniform(0.5, 1.5, y.shape)) for y in floats]
        starts = [tensor(w.astype(y.dtype)) for y, w in zip(floats, self.weights, strict=True)]
        gradients = tc.autograd.grad(floats, self.inputs, starts)
        self.gradients = [to_device(g.array, "cpu") for g in gradients]
        for x, copy in zip((*inputs, *constants), before, strict=True):
            np.testing.assert_array_equal(x, copy, "an input was modified")


def close(got: Array, expected: Array, error: float) -> None:
    """Equal but for rounding, measured against the largest number."""
    assert isinstance(got, np.ndarray)
    assert got.shape == expected.shape
    finite = np.abs(expected[np.isfinite(expected)]) if expected.dtype.kind == "f" else np.empty(0)
    largest = finite.max() if finite.size else 1
    np.testing.assert_allclose(got, expected, rtol=0, atol=error * max(float(largest), 1))


def compare_with_reference(op: Op, case: Case, backend: str) -> None:
    """Values and gradients of both widths of float."""
    with kernels("reference"), tc.default_device("cpu"):
        expected = Result(op, case, np.float64)
    precisions = [(np.float32, 1e-5)] + [(np.float64, 1e-12)] * (backend != "reference")
    for dtype, error in precisions:
        with kernels(backend):
            result = Result(op, case, dtype)
        for got, value in zip(result.outputs, expected.outputs, strict=True):
            if value.dtype.kind == "f" and op.name != "astype":
                assert got.dtype == dtype
            close(got, value, error)
        for got, value in zip(result.gradients, expected.gradients, strict=True):
            assert got.dtype == dtype
            close(got, value, error)


def torch_outputs(torch: Any, op: Op, case: Case) -> tuple[list[Any], tuple[Any, ...]]:
    """PyTorch's inputs and outputs, in float64."""
    inputs, constants = ([torch.from_numpy(x.copy()) for x in part] for part in case.arrays(np.float64))
    for x in inputs:
        x.requires_grad_()
    assert op.twin is not None
    outputs = op.twin(torch, *inputs, *constants, **case.options)
    return inputs, outputs if isinstance(outputs, tuple) else (outputs,)


def compare_with_pytorch(torch: Any, op: Op, case: Case) -> None:
    """Values and gradients, in float64."""
    result = Result(op, case, np.float64)
    inputs, outputs = torch_outputs(torch, op, case)
    for got, value in zip(result.outputs, outputs, strict=True):
        close(got, value.detach().numpy(), 1e-11)
    floats = [y for y in outputs if y.is_floating_point()]
    sum((y * torch.from_numpy(w)).sum() for y, w in zip(floats, result.weights, strict=True)).backward()
    for got, x in zip(result.gradients, inputs, strict=True):
        close(got, x.grad.numpy(), 1e-10)


def _tensors(case: Case) -> tuple[list[tc.Tensor], list[tc.Tensor]]:
    inputs, constants = case.arrays(np.float64)
    return [tensor(x, requires_grad=True) for x in inputs], [tensor(x) for x in constants]


def check_first_derivative(op: Op, case: Case, backend: str) -> None:
    with kernels(backend, threads=1):
        inputs, constants = _tensors(case)
        tc.gradcheck(lambda *xs: op.call(*xs, *constants, **case.options), inputs, max_elements=24)


def check_second_derivative(op: Op, case: Case, backend: str) -> None:
    """Of the inputs and of the incoming gradient, so that linear ops are tested too."""
    with kernels(backend, threads=1):
        _check_second_derivative(op, case, *_tensors(case))


def _check_second_derivative(op: Op, case: Case, inputs: list[tc.Tensor], constants: list[tc.Tensor]) -> None:
    def first(*xs: tc.Tensor) -> Any:
        outputs = op.call(*xs, *constants, **case.options)
        return outputs[0] if isinstance(outputs, tuple) else outputs

    def gradient(start: tc.Tensor, *xs: tc.Tensor) -> Any:
        with tc.enable_grad():
            xs = tuple(x if x.requires_grad else x.detach().requires_grad_() for x in xs)
            return tc.autograd.grad(first(*xs), xs, start, create_graph=True)

    rng = np.random.default_rng(case.seed)
    start = tensor(np.asarray(rng.standard_normal(first(*inputs).shape)), requires_grad=True)
    tc.gradcheck(gradient, [start, *inputs], max_elements=24)
