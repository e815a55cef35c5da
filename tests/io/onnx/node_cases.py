"""ONNX's own node tests, which its package ships: finding them, reading them, running them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.gpu import placed, tensor

onnx = pytest.importorskip("onnx")
numpy_helper = onnx.numpy_helper

FOLDER = Path(onnx.__file__).parent / "backend" / "test" / "data" / "node"

RTOL, ATOL = 1e-5, 1e-7
"""Closer than ONNX's own runner asks for, which takes 1e-3."""

PRINTED = {
    "test_averagepool_2d_ceil_last_window_starts_on_pad": "0.1511",
    "test_gridsample_bicubic": "-0.1406",
}
"""Cases whose expected numbers were typed in with four digits, and one of these; ONNX's 1e-3 holds."""


@dataclass(frozen=True)
class Case:
    """One folder: a model, and inputs with the outputs that they must give."""

    name: str

    @cached_property
    def model(self) -> Any:
        return onnx.load(FOLDER / self.name / "model.onnx")

    @cached_property
    def nodes(self) -> list[Any]:
        """All nodes, those of inner graphs too."""
        return list(all_nodes(self.model.graph))

    @cached_property
    def types(self) -> set[str]:
        """The node types, with their domain where that is not ONNX's own."""
        return {
            f"{n.domain}.{n.op_type}" if n.domain not in ("", "ai.onnx") else n.op_type for n in self.nodes
        }

    @cached_property
    def group(self) -> str:
        """The node type that the case is about; written out in simpler nodes, that of the original."""
        base = self.name.split("_expanded")[0]
        case = self if base == self.name or not (FOLDER / base).is_dir() else Case(base)
        first = next((n for n in case.model.graph.node if n.op_type != "Constant"), case.model.graph.node[0])
        return first.op_type

    @cached_property
    def element_types(self) -> set[str]:
        """The names of all element types that the file mentions."""
        codes: set[int] = set()
        for graph in [self.model.graph, *inner_graphs(self.model.graph)]:
            for value in [*graph.input, *graph.output]:
                codes |= element_codes(value.type)
            codes |= {tensor.data_type for tensor in graph.initializer}
        for node in self.nodes:
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    codes.add(attribute.t.data_type)
                if node.op_type == "Cast" and attribute.name == "to":
                    codes.add(attribute.i)
        return {onnx.TensorProto.DataType.Name(code) for code in codes - {0}}

    def data(self) -> list[tuple[list[Any], list[Any]]]:
        """(inputs, expected outputs) of every data set."""
        graph = self.model.graph
        return [
            (
                [read(folder / f"input_{i}.pb", value) for i, value in enumerate(graph.input)],
                [read(folder / f"output_{i}.pb", value) for i, value in enumerate(graph.output)],
            )
            for folder in sorted((FOLDER / self.name).glob("test_data_set_*"))
        ]

    def check(self) -> None:
        """Load the model, run it, and compare; an AssertionError says what differs."""
        model = placed(tc.io.onnx.load(FOLDER / self.name / "model.onnx"))
        sets = self.data()
        assert sets, "no data"
        for inputs, expected in sets:
            outputs = model(*(as_tensors(x) for x in inputs))
            outputs = outputs if len(expected) > 1 else (outputs,)
            assert len(outputs) == len(expected)
            rtol = 1e-3 if self.name in PRINTED else RTOL
            for output, wanted in zip(outputs, expected, strict=True):
                compare(output, wanted, rtol)


def all_cases() -> list[Case]:
    return [Case(path.name) for path in sorted(FOLDER.iterdir()) if (path / "model.onnx").is_file()]


def inner_graphs(graph: Any) -> list[Any]:
    own = [a.g for node in graph.node for a in node.attribute if a.HasField("g")]
    return [found for inner in own for found in (inner, *inner_graphs(inner))]


def all_nodes(graph: Any) -> list[Any]:
    return [node for part in (graph, *inner_graphs(graph)) for node in part.node]


def element_codes(kind: Any) -> set[int]:
    which = kind.WhichOneof("value")
    if which in ("sequence_type", "optional_type"):
        return element_codes(getattr(kind, which).elem_type)
    return {getattr(kind, which).elem_type} if which else set()


def read(path: Path, value: Any) -> Any:
    """An array, a list of arrays for a sequence, None for an optional value that is empty."""
    kind = value.type.WhichOneof("value")
    proto, convert = {
        "tensor_type": (onnx.TensorProto(), numpy_helper.to_array),
        "sequence_type": (onnx.SequenceProto(), numpy_helper.to_list),
        "optional_type": (onnx.OptionalProto(), numpy_helper.to_optional),
    }[kind]
    proto.ParseFromString(path.read_bytes())
    return convert(proto)


def as_tensors(x: Any) -> Any:
    if x is None:
        return None
    return [as_tensors(part) for part in x] if isinstance(x, list) else tensor(np.array(x))


def compare(output: Any, wanted: Any, rtol: float) -> None:
    if wanted is None or isinstance(wanted, list):
        assert (output is None) == (wanted is None)
        assert len(output) == len(wanted)
        for part, wanted_part in zip(output, wanted, strict=True):
            compare(part, wanted_part, rtol)
        return
    assert output.dtype == wanted.dtype
    assert output.shape == wanted.shape
    np.testing.assert_allclose(output.detach().numpy(), wanted, rtol=rtol, atol=ATOL)
