"""Writing a model as an ONNX file."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from typing import Any

from tinyconv.errors import ArgumentError, DtypeError, StorageError, UnsupportedError
from tinyconv.grad_mode import no_grad
from tinyconv.io.files import check_path, write_whole
from tinyconv.io.onnx.builder import Builder
from tinyconv.io.onnx.other_inputs import Axes, named_axes, other_inputs
from tinyconv.io.onnx.package import onnx_package
from tinyconv.io.onnx.pairing import Changed, leaves, pair
from tinyconv.io.onnx.recording import Recording, Value
from tinyconv.io.onnx.sizes import Size, same
from tinyconv.io.onnx.state import as_it_was, on_the_cpu
from tinyconv.nn import Module
from tinyconv.tensor import Tensor

FIRST_OPSET, DEFAULT_OPSET = 21, 21
"""GroupNormalization, Resize and Pad are what they should be from version 21 on."""

MOST_BYTES = 2**31 - 2**20
"""What a file may hold, less some room for the nodes."""


def export(
    model: Module,
    example_inputs: Tensor | Sequence[Tensor],
    path: str | os.PathLike[str],
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    dynamic_axes: Mapping[str, Any] | None = None,
    opset_version: int = DEFAULT_OPSET,
) -> None:
    """Write a model as an ONNX file, which other programs can run.

    The model is run in evaluation mode, and the ops that it calls become nodes. It is run a second
    time, with other values and other sizes: what differs then is no constant. The model is left as it
    was; one on a GPU is run on the CPU.

    Parameters
    ----------
    model : Module
    example_inputs : Tensor or sequence of Tensor
        What the model can be called with; their values do not matter.
    path : path
    input_names, output_names : sequence of str, optional
        By default the names of the arguments of ``forward``, and "output" or "output_0", ….
    dynamic_axes : mapping, optional
        Which sizes may be others than those of the example: ``{"input": {0: "batch", 2: "height"}}``,
        or ``{"input": [0, 2]}``; axes of one name have one size. By default the first axis of all
        inputs, called "batch", if the model works for other sizes of it; ``{}`` for none.
    opset_version : int
        The version of ONNX's operators, at least 21.

    Raises
    ------
    UnsupportedError
        If the model uses an op that ONNX does not have, or depends on the input by other means than
        ops; the message names the op and the layer.
    ArgumentError, DtypeError
        If an argument is wrong, or the model returns something else than tensors.
    StorageError
        If the file cannot be written; an earlier file is left as it was.
    PackageError
        If the package onnx is missing.

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv import nn
    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
    >>> tc.io.onnx.export(model, tc.zeros(1, 3, 32, 32), "model.onnx")  # doctest: +SKIP
    """
    onnx = onnx_package("export")
    target = check_path("export", path)
    _check_model(model)
    inputs = _check_inputs(example_inputs)
    _check_opset(onnx, opset_version)
    names = _input_names(model, inputs, input_names)
    if not target.parent.is_dir():
        raise StorageError("export", "path", f"{str(path)!r}", "a file in a folder that exists")
    tries = _axes_to_try(dynamic_axes, names, inputs, output_names)
    for axes in tries:
        try:
            recording = _paired(model, inputs, axes)
            outputs = _outputs(recording.result, output_names, names)
            described = dict(zip(names, axes, strict=True))
            proto = _graph(onnx, type(model).__name__, recording, described, outputs, opset_version)
        except Exception:  # the model may raise anything for a size that it does not expect
            if axes is tries[-1]:
                raise
        else:
            write_whole(target, proto.SerializeToString())
            return


def _axes_to_try(
    dynamic_axes: Mapping[str, Any] | None,
    names: list[str],
    inputs: list[Tensor],
    output_names: Sequence[str] | None,
) -> list[list[Axes]]:
    """The axes that vary, for each input: those asked for, or the batch and, if that fails, none."""
    if dynamic_axes is not None:
        axes = named_axes(dynamic_axes, names, inputs)
        unknown = sorted(set(dynamic_axes) - {*names, *(output_names or ())})
        unknown = [name for name in unknown if output_names or not name.startswith("output")]
        if unknown:
            known = ", ".join(map(repr, [*names, *(output_names or ["output"])]))
            raise ArgumentError("export", "a name in dynamic_axes", repr(unknown[0]), f"one of {known}")
        return [axes]
    first = next((x.shape[0] for x in inputs if x.ndim), 0)
    batch: list[Axes] = [{0: "batch"} if x.ndim and x.shape[0] == first else {} for x in inputs]
    return [batch, [{} for _ in inputs]]


def _paired(model: Module, inputs: list[Tensor], axes: list[Axes]) -> Recording:
    """A recording of the example, completed by those of other inputs."""
    with on_the_cpu(model), as_it_was(model), no_grad():
        model.eval()
        model(*_copies(inputs))  # compiles kernels, which must not be listened to
        first = Recording(model, _copies(inputs))
        others = [_other_recording(model, inputs, axes, number) for number in (0, 1)]
    pair(first, others)
    return first


def _copies(inputs: list[Tensor]) -> list[Tensor]:
    return [Tensor(x.array.copy()) for x in inputs]


def _other_recording(model: Module, inputs: list[Tensor], axes: list[Axes], number: int) -> Recording:
    """A recording of other inputs: the first of them that the model takes."""
    last: Exception | None = None
    for others in other_inputs(inputs, axes, number):
        try:
            return Recording(model, others)
        except Exception as error:  # of the model's own, too
            last = error
    assert last is not None
    raise last


def _check_model(model: Any) -> None:
    if not isinstance(model, Module):
        raise DtypeError("export", "model", f"a {type(model).__name__}", "a Module")
    state = model.state_dict()
    size = sum(tensor.array.nbytes for tensor in state.values())
    if size > MOST_BYTES:
        raise UnsupportedError("export", "model", f"of {size / 2**30:.1f} GiB", "at most 2 GiB in one file")


def _check_inputs(example_inputs: Any) -> list[Tensor]:
    inputs = list(example_inputs) if isinstance(example_inputs, list | tuple) else [example_inputs]
    if not inputs:
        raise ArgumentError("export", "example_inputs", "empty", "at least one Tensor")
    for number, x in enumerate(inputs):
        if not isinstance(x, Tensor):
            argument = f"example_inputs[{number}]" if len(inputs) > 1 else "example_inputs"
            raise DtypeError("export", argument, f"a {type(x).__name__}", "a Tensor")
    return [x.cpu().detach() for x in inputs]


def _check_opset(onnx: Any, version: Any) -> None:
    newest = onnx.defs.onnx_opset_version()
    if not isinstance(version, int) or isinstance(version, bool) or not FIRST_OPSET <= version <= newest:
        raise ArgumentError(
            "export", "opset_version", repr(version), f"an int from {FIRST_OPSET} to {newest}"
        )


def _check_names(argument: str, names: Any, count: int) -> list[str]:
    valid = isinstance(names, list | tuple) and all(isinstance(name, str) and name for name in names)
    if not valid or len(names) != count or len(set(names)) != count:
        raise ArgumentError("export", argument, repr(names), f"{count} different names")
    return list(names)


def _input_names(model: Module, inputs: list[Tensor], names: Any) -> list[str]:
    if names is not None:
        return _check_names("input_names", names, len(inputs))
    parameters = list(inspect.signature(model.forward).parameters.values())
    plain = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(plain) >= len(inputs):
        return plain[: len(inputs)]
    return [f"input_{i}" for i in range(len(inputs))] if len(inputs) > 1 else ["input"]


def _outputs(result: Any, names: Any, input_names: list[str]) -> dict[str, Value]:
    """The outputs by their names."""
    values = leaves(result)
    for value in values:
        if isinstance(value, Changed) and isinstance(value.items[0], Value):
            found, expected = "returning one tensor or another", "the same ops for every input"
            raise UnsupportedError("export", "the model", found, expected)
        if not isinstance(value, Value):
            value = value.items[0] if isinstance(value, Changed) else value
            raise DtypeError("export", "what the model returns", f"a {type(value).__name__}", "Tensors")
    if not values:
        raise DtypeError("export", "what the model returns", "empty", "at least one Tensor")
    if names is None:
        keys = list(result) if isinstance(result, dict) else []
        names = keys if len(keys) == len(values) else [f"output_{i}" for i in range(len(values))]
        names = ["output"] if len(values) == 1 and not keys else names
    names = _check_names("output_names", names, len(values))
    for name in names:
        if name in input_names:
            raise ArgumentError("export", "output_names", repr(name), "a name that no input has")
    return dict(zip(names, values, strict=True))


def _build(recording: Recording, results: Sequence[Value], reserved: Sequence[str]) -> Builder:
    """The nodes of all calls that the results depend on."""
    for value in results:
        value.needed = True
    for call in reversed(recording.calls):
        if any(output.needed and output.varies for output in call.outputs):
            for item in leaves(call.arguments):
                if isinstance(item, Value):
                    item.needed = True
    builder = Builder(recording.inputs)
    builder.reserve(reserved)
    for call in recording.calls:
        if any(output.needed and output.varies for output in call.outputs):
            builder.add(call)
    return builder


def _graph(
    onnx: Any,
    kind: str,
    recording: Recording,
    axes: dict[str, Axes],
    outputs: dict[str, Value],
    opset: int,
) -> Any:
    from tinyconv import _version

    for name, value in zip(axes, recording.inputs, strict=True):
        value.name = name
    builder = _build(recording, list(outputs.values()), list(outputs))
    for name, value in outputs.items():
        builder.output(value, name)
    labels = [
        (value.shape[axis], label)
        for value, given in zip(recording.inputs, axes.values(), strict=True)
        for axis, label in given.items()
    ]
    described = [
        [_described(onnx, builder, name, value, labels) for name, value in group.items()]
        for group in (dict(zip(axes, recording.inputs, strict=True)), outputs)
    ]
    constants = [onnx.numpy_helper.from_array(array, name) for name, array in builder.constants.items()]
    graph = onnx.helper.make_graph(builder.nodes, kind, *described, constants)
    opsets = [onnx.helper.make_opsetid("", opset)]
    proto = onnx.helper.make_model(
        graph,
        opset_imports=opsets,
        ir_version=onnx.helper.find_min_ir_version_for(opsets),
        producer_name="tinyconv",
        producer_version=_version.__version__,
        doc_string=f"{kind}, exported by tinyconv {_version.__version__}",
    )
    try:
        onnx.checker.check_model(proto, full_check=True)
    except Exception as error:  # onnx raises several kinds, and messages of many lines
        reason = str(error).strip().splitlines()[0]
        raise UnsupportedError(
            "export", "the model", f"refused by onnx ({reason})", "a valid graph"
        ) from error
    return proto


def _described(onnx: Any, builder: Builder, name: str, value: Value, labels: list[tuple[int, str]]) -> Any:
    """The type and shape of an input or output; sizes that vary have names."""
    shape = []
    for axis, n in enumerate(value.shape):
        label = next((label for size, label in labels if same(size, n)), f"{name}_{axis}")
        shape.append(label if isinstance(n, Size) else int(n))
    return onnx.helper.make_tensor_value_info(name, builder.dtype(value.dtype), shape)
