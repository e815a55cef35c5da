"""Export a model, run the file with onnxruntime, and compare with the model itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import nn
from tinyconv.tensor import Tensor

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


class Applied(nn.Module):
    """A function of tensors as a module."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Any) -> Any:
        return self.function(*inputs)


def arrays_of(result: Any) -> list[np.ndarray]:
    """What a model returned, as arrays in one list."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, list | tuple):
        return [array for part in result for array in arrays_of(part)]
    return [result.detach().numpy()]


def run(path: Path, inputs: Sequence[Tensor]) -> list[np.ndarray]:
    """The outputs of the file at `path`, computed by onnxruntime."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = {info.name: x.detach().numpy() for info, x in zip(session.get_inputs(), inputs, strict=False)}
    return session.run(None, given)


def assert_same(model: Any, path: Path, inputs: Sequence[Tensor], tolerance: float = 1e-5) -> None:
    """The file computes what the model does, to `tolerance`, with the same shapes and dtypes."""
    training = model.training
    expected = arrays_of(model.eval()(*inputs))
    model.train(training)
    found = run(path, inputs)
    assert len(found) == len(expected)
    for ours, theirs in zip(expected, found, strict=True):
        assert theirs.dtype == ours.dtype
        np.testing.assert_allclose(theirs, ours, rtol=tolerance, atol=tolerance)


def export(model: Any, inputs: Sequence[Tensor], folder: Path, **options: Any) -> Path:
    """The file of an exported model."""
    path = folder / "model.onnx"
    tc.io.onnx.export(model, inputs, path, **options)
    return path


def check(
    model: Any,
    inputs: Sequence[Tensor],
    folder: Path,
    others: Sequence[Sequence[Tensor]] = (),
    **options: Any,
) -> Any:
    """Export a model, compare it for its example and for `others`; return the graph."""
    path = export(model, inputs, folder, **options)
    for given in (inputs, *others):
        assert_same(model, path, given)
    return onnx.load(path).graph


def kinds(graph: Any) -> list[str]:
    """The node types of a graph, in order."""
    return [node.op_type for node in graph.node]


def random(*shape: int, seed: int = 0, dtype: Any = np.float32) -> Tensor:
    """Normal random numbers."""
    return tc.tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype))
