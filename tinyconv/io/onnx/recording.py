"""Running a model once and noting which ops it calls.

Two things are listened to. `tinyconv.recorder` tells of each `Function`. But many ops are made of
several of them (`batch_norm`), or look at an array by themselves (``x > 0``); what ONNX has a node
for is noted as a whole, and not what happens inside. Which functions are being called is told by
Python's hook for profilers, so that ops need not know of it and cost nothing otherwise.

Values are recognised by their arrays: ``x.detach()`` is the same value as x.
"""

from __future__ import annotations

import sys
from types import CodeType, FrameType
from typing import Any

import numpy as np

from tinyconv.errors import GraphError
from tinyconv.io.onnx.sizes import size
from tinyconv.io.onnx.table import code_of, is_whole, watched
from tinyconv.memory import owner
from tinyconv.nn import Module
from tinyconv.ops import in_place, shape
from tinyconv.recorder import listening
from tinyconv.tensor import Tensor


class Value:
    """An array that a recording met: an input, a constant, or what an op made.

    Attributes
    ----------
    arrays : list of array
        What it was in each recording; `array` is the first of them.
    maker : Call or None
        The op that made it.
    name : str
        What the file calls it, where that is decided by the model: inputs, parameters.
    varies : bool
        Whether it depends on the inputs, by their values or their sizes.
    needed : bool
        Whether an output depends on it.
    looked_up : bool
        Whether an op made it by looking at an array, so that no node can stand for it.
    """

    def __init__(self, array: Any, maker: Call | None = None, name: str = "") -> None:
        self.arrays, self.maker, self.name = [array], maker, name
        self.varies = self.needed = self.looked_up = self.stale = False

    @property
    def array(self) -> Any:
        """What it was in the recording of the example."""
        return self.arrays[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the dimensions; a `Size` where they depend on the inputs."""
        return tuple(size(sizes) for sizes in zip(*(array.shape for array in self.arrays), strict=True))

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return int(self.array.ndim)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.array.dtype


class Call:
    """A call of an op.

    Attributes
    ----------
    op : function or subclass of Function
    arguments : dict or tuple
        Of a function by name, of a Function in order; Values in the place of tensors.
    layer : str
        The module that called it, e.g. ``"encoder.0 (Conv2d)"``.
    outputs : list of Value
    """

    def __init__(self, op: Any, arguments: Any, layer: str) -> None:
        self.op, self.arguments, self.layer = op, arguments, layer
        self.outputs: list[Value] = []

    @property
    def name(self) -> str:
        """The op's name."""
        return self.op.__name__

    @property
    def where(self) -> str:
        """How messages name this call."""
        return f"{self.name}, called by {self.layer}" if self.layer else self.name


CHANGES: dict[CodeType, str] = {
    code_of(Tensor.copy_): "self",
    code_of(Tensor.fill_): "self",
    code_of(shape.assign): "input",
    code_of(in_place.normal_): "input",
    code_of(in_place.uniform_): "input",
}
"""What changes a tensor in place, and which argument that is."""

MODULE_CALL = Module.__call__.__code__


class Recording:
    """The calls of one run of a model.

    Parameters
    ----------
    model : Module
    inputs : sequence of Tensor
    """

    def __init__(self, model: Module, inputs: list[Tensor]) -> None:
        self.calls: list[Call] = []
        self._watched = watched()
        self._known: dict[int, Value] = {}
        self._paths = {id(module): path for path, module in model.named_modules()}
        self._layers: list[Module] = []
        self._open: list[tuple[FrameType, Call, bool]] = []
        self._kept: list[Any] = []
        for name, tensor in model.state_dict(keep_vars=True).items():
            self._know(tensor, Value(tensor.array, name=name))
        self.inputs = [self._know(x, Value(x.array)) for x in inputs]
        for value in self.inputs:
            value.varies = True
        self.result = self._values(self._run(model, inputs))

    def _run(self, model: Module, inputs: list[Tensor]) -> Any:
        before = sys.getprofile()
        with listening(self._on_function):
            sys.setprofile(self._on_event)
            try:
                return model(*inputs)
            finally:
                sys.setprofile(before)

    def _on_event(self, frame: FrameType, event: str, result: Any) -> None:
        code = frame.f_code
        if event == "call":
            if code is MODULE_CALL:
                self._layers.append(frame.f_locals["self"])
            elif self._inside_whole():
                return
            elif code in CHANGES:
                self._before_change(frame.f_locals[CHANGES[code]])
                self._enter(frame, self._watched.get(code, code))
            elif code in self._watched:
                self._enter(frame, self._watched[code])
        elif event == "return":
            if code is MODULE_CALL:
                self._layers.pop()
            elif self._open and frame is self._open[-1][0]:
                self._leave(frame, result)

    def _inside_whole(self) -> bool:
        return bool(self._open) and self._open[-1][2]

    def _enter(self, frame: FrameType, op: Any) -> None:
        changes = frame.f_code in CHANGES
        given = dict(frame.f_locals)
        arguments = self._values(given)
        whole = changes or is_whole(op, arguments)
        self._open.append((frame, Call(op, arguments, self._layer()), whole))

    def _leave(self, frame: FrameType, result: Any) -> None:
        _, call, whole = self._open.pop()
        if frame.f_code in CHANGES:
            self._after_change(frame.f_locals[CHANGES[frame.f_code]], call)
            return
        if result is not None:
            self._note(call, _tensors(result), whole)

    def _on_function(self, op: Any, inputs: tuple[Any, ...], outputs: tuple[Tensor, ...]) -> None:
        if not self._inside_whole():
            arguments = self._values(inputs)
            self._note(Call(op, arguments, self._layer()), list(outputs), is_whole(op, arguments))

    def _note(self, call: Call, outputs: list[Tensor], whole: bool) -> None:
        """Add a call; one that only passed on what is known already is none."""
        if not outputs or all(id(x.array) in self._known for x in outputs):
            return
        if not whole and any(id(x.array) in self._known for x in outputs):
            return
        call.outputs = [self._know(x, Value(x.array, call)) for x in outputs]
        self.calls.append(call)

    def _know(self, tensor: Tensor, value: Value) -> Value:
        self._kept.append(tensor.array)  # so that no other array gets its id
        self._known[id(tensor.array)] = value
        return value

    def _value(self, tensor: Tensor) -> Value:
        value = self._known.get(id(tensor.array))
        if value is None:
            value = self._know(tensor, Value(tensor.array))
            value.looked_up = bool(self._open) and self._is_of_values(tensor)
        if value.stale:
            expected = "a view made after the change, or a new tensor instead of the change"
            raise GraphError("export", f"a tensor in {self._layer()}", "changed through another", expected)
        return value

    def _is_of_values(self, tensor: Tensor) -> bool:
        """Whether a tensor that turns up inside an op may be made of values; given arrays are not."""
        arguments = self._open[-1][1].arguments.values()
        given = any(isinstance(item, tuple | np.ndarray) for item in arguments)
        return tensor.dtype.kind == "b" or (tensor.ndim > 0 and not given)

    def _values(self, item: Any) -> Any:
        """Values in the place of tensors, in nested containers too."""
        if isinstance(item, Tensor):
            return self._value(item)
        if isinstance(item, dict):
            return {key: self._values(part) for key, part in item.items()}
        if isinstance(item, list | tuple):
            return tuple(self._values(part) for part in item)
        return int(item) if isinstance(item, np.integer) else item

    def _before_change(self, tensor: Tensor) -> None:
        """Keep what the tensor held until now, if that is a constant."""
        value = self._known.get(id(tensor.array))
        if value is not None and value.array is tensor.array:
            value.arrays[0] = value.array.copy()

    def _after_change(self, tensor: Tensor, call: Call) -> None:
        """From now on the tensor is another value; views of its memory, or what it views, are stale."""
        for array in self._kept:
            if array is not tensor.array and owner(array) is owner(tensor.array):
                self._known[id(array)].stale = True
        source = call.arguments.get("source")
        if isinstance(source, Value) and source.array.shape == tensor.shape and source.dtype == tensor.dtype:
            self._know(tensor, source)
            return
        call.op = _InPlace(call.op)
        call.outputs = [self._know(tensor, Value(tensor.array.copy(), call))]
        self.calls.append(call)

    def _layer(self) -> str:
        if not self._layers:
            return ""
        module = self._layers[-1]
        path = self._paths.get(id(module), "")
        return f"{path} ({type(module).__name__})" if path else type(module).__name__


class _InPlace:
    """A change in place, which ONNX does not have."""

    def __init__(self, op: Any) -> None:
        self.__name__ = {"assign": "assignment to a part of a tensor"}.get(
            getattr(op, "__name__", ""), getattr(op, "co_name", getattr(op, "__name__", ""))
        )


def _tensors(result: Any) -> list[Tensor]:
    """The tensors that a function returned, alone or in containers."""
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, list | tuple):
        return [tensor for part in result for tensor in _tensors(part)]
    return []
