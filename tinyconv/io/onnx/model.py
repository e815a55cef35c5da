"""The Module that an ONNX file becomes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.io.onnx.graph import Declared, Graph
from tinyconv.nn.module import Module, Parameter
from tinyconv.tensor import Tensor

SETTINGS = {
    "BatchNormalization": (3, 4),
    "Clip": (1, 2),
    "Dropout": (1, 2),
    "OneHot": (1, 2),
    "Pad": (1, 2, 3),
    "Range": (0, 1, 2),
    "Resize": (1, 2, 3),
    "Upsample": (1,),
}
"""The inputs of nodes that say what to do, or are statistics: nothing that is learned."""


class OnnxModel(Module):
    """A network from an ONNX file; `load` makes it.

    Called with a Tensor per input, in the order of `input_names`, it returns the output, or a
    tuple of them. The nodes run as the file says: a BatchNormalization uses the statistics in the
    file, a Dropout does nothing, unless the file says that they train; `train` and `eval` change
    nothing here.

    Floating-point initializers with dimensions are Parameters, but for those that are a
    BatchNormalization's statistics or that set up a node, like the scales of a Resize: these,
    single numbers and integers are buffers. Names are the file's, so that the state dict of a
    model that was exported has the keys of the original.

    Attributes
    ----------
    input_names, output_names : tuple of str
    opset : int
        The version of ONNX's operators that the file was written for.
    graph : Graph
        The nodes.
    """

    def __init__(self, graph: Graph, opset: int, name: str = "") -> None:
        super().__init__()
        self.graph, self.opset, self.graph_name = graph, opset, name
        self.input_names = tuple(declared.name for declared in graph.inputs)
        self.output_names = graph.outputs
        learned = _learned(graph)
        self._places: dict[str, tuple[Module, str]] = {}
        for value_name, tensor in graph.constants.items():
            self._places[value_name] = _place(self, value_name, tensor, value_name in learned)

    def forward(self, *inputs: Any) -> Any:
        if len(inputs) != len(self.input_names):
            expected = f"{len(self.input_names)}: {', '.join(self.input_names)}"
            raise ArgumentError("OnnxModel", "the number of inputs", len(inputs), expected)
        values: dict[str, Any] = {
            name: getattr(module, attribute) for name, (module, attribute) in self._places.items()
        }
        symbols: dict[str, int] = {}
        for declared, value in zip(self.graph.inputs, inputs, strict=True):
            values[declared.name] = self._checked(declared, value, symbols)
        outputs = self.graph.run(values)
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def _checked(self, declared: Declared, value: Any, symbols: dict[str, int]) -> Any:
        """The input, if it is what the file declares; sizes of the same name must be the same."""
        what = f"input {declared.name!r}"
        if declared.kind != "tensor_type":
            return _sequence(what, value, optional=declared.kind == "optional_type")
        if not isinstance(value, Tensor):
            found = f"a {type(value).__name__}"
            raise DtypeError("OnnxModel", what, found, "a Tensor (tc.tensor(...) makes one)")
        if declared.dtype is not None and value.dtype != self._dtype(declared.dtype):
            found = f"of dtype {value.dtype}"
            raise DtypeError("OnnxModel", what, found, str(self._dtype(declared.dtype)))
        if declared.shape is not None:
            sizes = [symbols.get(n, n) if isinstance(n, str) else n for n in declared.shape]
            fits = len(sizes) == value.ndim and all(
                n == m or not isinstance(n, int) for n, m in zip(sizes, value.shape, strict=True)
            )
            if not fits:
                expected = f"({', '.join('?' if n is None else str(n) for n in sizes)})"
                raise ShapeError("OnnxModel", what, f"of shape {value.shape}", expected)
            symbols.update(
                (n, m) for n, m in zip(sizes, value.shape, strict=True) if isinstance(n, str) and n
            )
        return value

    def _dtype(self, declared: Any) -> Any:
        """The declared dtype, or what `float` or `double` have made of the weights."""
        own = {p.dtype for p in self.parameters()} if declared.kind == "f" else set()
        return own.pop() if len(own) == 1 and declared.itemsize > 2 else declared

    def __repr__(self) -> str:
        counts = Counter(node.op for node in self.graph.nodes)
        nodes = ", ".join(f"{op} {count}" if count > 1 else op for op, count in sorted(counts.items()))
        lines = [
            f"OnnxModel({self.graph_name!r}, opset {self.opset}",
            *(f"  in:  {_shown(declared)}" for declared in self.graph.inputs),
            *(f"  out: {name}" for name in self.output_names),
            f"  {len(self.graph.nodes)} nodes: {nodes}",
            f"  {sum(p.numel() for p in self.parameters()):,} parameters",
        ]
        return "\n".join(lines) + ")"


def _sequence(what: str, value: Any, optional: bool) -> Any:
    """A sequence of tensors as a tuple; where it is optional also a tensor or None."""
    if isinstance(value, list | tuple) and all(isinstance(x, Tensor) for x in value):
        return tuple(value)
    if optional and (value is None or isinstance(value, Tensor)):
        return value
    expected = "a sequence of Tensors" + (", a Tensor or None" if optional else "")
    raise DtypeError("OnnxModel", what, f"a {type(value).__name__}", expected)


def _shown(declared: Declared) -> str:
    sizes = "" if declared.shape is None else ", ".join("?" if n is None else str(n) for n in declared.shape)
    shape = "" if declared.shape is None else f" ({sizes})"
    return f"{declared.name}{shape}{'' if declared.dtype is None else f' {declared.dtype}'}"


def _learned(graph: Graph) -> set[str]:
    """The names of the constants that training changes."""
    used = {
        name
        for node in graph.nodes
        for place, name in enumerate(node.inputs)
        if place not in SETTINGS.get(node.op, ())
    }
    for node in graph.nodes:
        used = used.union(*(inner.captured() for inner in node.graphs))
    return {name for name, x in graph.constants.items() if name in used and x.dtype.kind == "f" and x.ndim}


def _place(root: Module, name: str, tensor: Tensor, learned: bool) -> tuple[Module, str]:
    """Register a tensor under its name: below modules of their own where the name has dots."""
    *path, leaf = name.split(".")
    module = root
    for part in path:
        child = module._modules.get(part)
        if child is None and part and not hasattr(module, part):
            child = Module()
            module.add_module(part, child)
        if child is None:
            module, leaf = root, name.replace(".", "_")
            break
        module = child
    while not leaf or hasattr(module, leaf):
        leaf += "_"
    if learned:
        module.register_parameter(leaf, Parameter(tensor))
    else:
        module.register_buffer(leaf, tensor)
    return module, leaf
