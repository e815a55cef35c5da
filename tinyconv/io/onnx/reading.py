"""From the bytes of an ONNX file to a `Graph`: everything is checked, nothing is run."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tinyconv.errors import CheckpointError, DtypeError, TinyconvError, UnsupportedError
from tinyconv.io.files import check_path
from tinyconv.io.onnx.graph import Declared, Graph
from tinyconv.io.onnx.model import OnnxModel
from tinyconv.io.onnx.node import Node
from tinyconv.io.onnx.package import onnx_package
from tinyconv.io.onnx.values import array_of, dtype_of
from tinyconv.tensor import Tensor

OLDEST_OPSET = 7
"""Before it, elementwise ops had rules of their own for broadcasting."""

OWN_DOMAINS = ("", "ai.onnx")


def load(path_or_bytes: str | os.PathLike[str] | bytes) -> OnnxModel:
    """Read an ONNX file; the result is a Module that computes with tinyconv's ops.

    Gradients flow through it, and its weights are Parameters, so it can be trained further; see
    `OnnxModel`. Nothing in the file is executed, and no other file is read, but for weights that
    stand in a file of the same folder.

    Parameters
    ----------
    path_or_bytes : path or bytes
        The file, or what it contains.

    Raises
    ------
    CheckpointError
        If the file is missing, cut short or damaged.
    UnsupportedError
        If it has node types, element types or an operator set that tinyconv does not have: all such
        node types are named at once.
    PackageError
        If the package onnx is not installed.

    Examples
    --------
    >>> import tinyconv as tc
    >>> model = tc.io.onnx.load("model.onnx")           # doctest: +SKIP
    >>> y = model(tc.randn(1, 3, 224, 224))             # doctest: +SKIP
    """
    onnx = onnx_package("load")
    where, content, folder = _content(path_or_bytes)
    try:
        return _model(where, onnx.load_model_from_string(content), folder)
    except TinyconvError:
        raise
    except Exception as error:  # protobuf's own, names that are no texts, sizes beyond all bounds, …
        reason = str(error) or type(error).__name__
        raise CheckpointError(where, "the file", f"damaged ({reason})", "a whole ONNX model") from error


def _model(where: str, proto: Any, folder: Path | None) -> OnnxModel:
    """The Module for a ModelProto."""
    if not proto.HasField("graph"):
        raise CheckpointError(where, "the file", "without a graph", "an ONNX model")
    opset = _opset(where, proto)
    proto = _without_functions(where, proto)
    _check_node_types(where, proto.graph)
    graph = _Reader(where, opset, folder).graph(proto.graph)
    graph.check_names(where)
    return OnnxModel(graph, opset, proto.graph.name)


def _content(source: Any) -> tuple[str, bytes, Path | None]:
    """The name for messages, the bytes, and the folder in which other files may be read."""
    if isinstance(source, bytes | bytearray | memoryview):
        return "load", bytes(source), None
    if not isinstance(source, str | os.PathLike):
        found = f"a {type(source).__name__}"
        raise DtypeError("load", "path_or_bytes", found, "a path, or the bytes of an ONNX file")
    path = check_path("load", source)
    try:
        return f"load {str(path)!r}", path.read_bytes(), path.parent
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CheckpointError("load", repr(str(path)), f"not readable ({reason})", "an ONNX file") from error


def _opset(where: str, proto: Any) -> int:
    """The version of ONNX's own operators."""
    versions = [entry.version for entry in proto.opset_import if entry.domain in OWN_DOMAINS]
    newest = onnx_package(where).defs.onnx_opset_version()
    if len(versions) != 1 and (versions or not proto.opset_import):
        raise CheckpointError(where, "the operator sets", versions, "exactly one of ONNX's own")
    opset = versions[0] if versions else newest
    if not (OLDEST_OPSET if _changed(opset, proto.graph) else 1) <= opset <= newest:
        raise UnsupportedError(where, "the operator set", opset, f"one from {OLDEST_OPSET} to {newest}")
    return opset


def _changed(opset: int, graph: Any) -> bool:
    """Whether a node type of the graph meant something else before `OLDEST_OPSET`."""
    from onnx.defs import SchemaError, get_schema

    try:
        return opset < OLDEST_OPSET and any(
            get_schema(node.op_type, opset).since_version
            != get_schema(node.op_type, OLDEST_OPSET).since_version
            for node in _all_nodes(graph)
        )
    except SchemaError:
        return True


def _without_functions(where: str, proto: Any) -> Any:
    """The model with the functions it defines for itself written out."""
    if not proto.functions:
        return proto
    try:
        import onnx.inliner

        return onnx.inliner.inline_local_functions(proto)
    except Exception as error:  # whatever onnx finds wrong with them
        raise CheckpointError(where, "its functions", f"damaged ({error})", "functions of nodes") from error


def _op(node: Any) -> str:
    return node.op_type if node.domain in OWN_DOMAINS else f"{node.domain}.{node.op_type}"


def _all_nodes(graph: Any) -> Iterable[Any]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _all_nodes(inner)


def _check_node_types(where: str, graph: Any) -> None:
    """All node types are in the tables; the error names all that are not, and what comes near."""
    from tinyconv.io.onnx.nodes import CONTROL, TABLE

    known = {name.lower(): name for name in (*TABLE, *CONTROL)}
    unknown = sorted({_op(node) for node in _all_nodes(graph)} - set(known.values()))
    if unknown:
        near = {known[n] for op in unknown for n in difflib.get_close_matches(op.lower(), known, n=1)}
        hint = f" (nearest: {', '.join(sorted(near))})" if near else ""
        expected = f"only some of the {len(known)} that tinyconv has{hint}"
        raise UnsupportedError(where, "the list of unknown node types", ", ".join(unknown), expected)


class _Reader:
    """Makes a `Graph` of onnx's message, for one file."""

    def __init__(self, where: str, opset: int, folder: Path | None) -> None:
        self.where, self.opset, self.folder = where, opset, folder
        self.types = onnx_package(where).AttributeProto

    def graph(self, proto: Any) -> Graph:
        """The nodes, inputs, outputs and constants of a GraphProto."""
        if proto.sparse_initializer:
            raise UnsupportedError(self.where, "an initializer", "sparse", "dense ones")
        constants = {tensor.name: self.tensor(tensor) for tensor in proto.initializer}
        inputs = tuple(self.declared(value) for value in proto.input if value.name not in constants)
        for name in ("", *constants) if "" in constants else ():
            raise CheckpointError(self.where, "an initializer's name", repr(name), "a name")
        outputs = tuple(value.name for value in proto.output)
        if not outputs:
            raise CheckpointError(self.where, "the graph", "without outputs", "at least one")
        return Graph(inputs, outputs, [self.node(node) for node in proto.node], constants)

    def declared(self, value: Any) -> Declared:
        """What the file says about an input."""
        kind = value.type.WhichOneof("value")
        if kind not in (None, "tensor_type"):
            return Declared(value.name, None, None, kind)
        tensor = value.type.tensor_type
        dtype = dtype_of(self.where, f"input {value.name!r}", tensor.elem_type) if tensor.elem_type else None
        if not tensor.HasField("shape"):
            return Declared(value.name, dtype, None)
        sizes = [getattr(dim, dim.WhichOneof("value") or "", None) for dim in tensor.shape.dim]
        return Declared(value.name, dtype, tuple(sizes))

    def node(self, proto: Any) -> Node:
        """A node with its attributes; the number of inputs is checked."""
        from tinyconv.io.onnx.nodes import check_inputs

        outputs = tuple(proto.output)
        while outputs and not outputs[-1]:
            outputs = outputs[:-1]
        inputs = tuple(proto.input)
        while inputs and not inputs[-1]:
            inputs = inputs[:-1]
        node = Node(_op(proto), proto.name, inputs, outputs, self.opset)
        self.check_attributes(node, {attribute.name for attribute in proto.attribute})
        node.attributes = {attribute.name: self.attribute(node, attribute) for attribute in proto.attribute}
        check_inputs(self.where, node)
        return node

    def check_attributes(self, node: Node, names: set[str]) -> None:
        """The node has no attribute that ONNX does not know: a misspelt one would mean nothing."""
        from onnx.defs import SchemaError, get_schema

        try:
            known = set(get_schema(node.op, self.opset).attributes)
        except SchemaError:
            return  # a node type that ONNX had later or earlier
        if names - known:
            what, expected = (
                f"an attribute of the {node.where}",
                f"one of {', '.join(sorted(known)) or 'none'}",
            )
            raise CheckpointError(self.where, what, ", ".join(sorted(names - known)), expected)

    def attribute(self, node: Node, proto: Any) -> Any:
        """The value of an attribute as a number, text, Tensor or Graph, or a tuple of numbers or texts."""
        types, what = self.types, f"attribute {proto.name} of the {node.where}"
        if proto.ref_attr_name:
            raise CheckpointError(self.where, what, "a reference", "a value, outside of functions")
        if proto.type == types.STRING:
            return self.text(what, proto.s)
        if proto.type == types.STRINGS:
            return tuple(self.text(what, value) for value in proto.strings)
        if proto.type == types.TENSOR:
            return self.tensor(proto.t)
        if proto.type == types.GRAPH:
            return self.graph(proto.g)
        if proto.type == types.TYPE_PROTO:
            return None  # what kind of nothing an empty Optional is makes no difference here
        plain = {types.INT: "i", types.FLOAT: "f", types.INTS: "ints", types.FLOATS: "floats"}
        if proto.type not in plain:
            raise UnsupportedError(
                self.where, what, "neither numbers, text, tensor nor graph", "one of these"
            )
        value = getattr(proto, plain[proto.type])
        return tuple(value) if plain[proto.type].endswith("s") else value

    def text(self, what: str, value: bytes) -> str:
        """Bytes as text."""
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise CheckpointError(self.where, what, repr(value), "text in UTF-8") from error

    def tensor(self, proto: Any) -> Tensor:
        """The numbers of a TensorProto."""
        return Tensor(array_of(self.where, proto, self.folder))
