"""A model as a table: what each layer makes, learns, costs, keeps and sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from tinyconv.errors import ArgumentError, DtypeError
from tinyconv.grad_mode import enable_grad
from tinyconv.nn.axis import Axis
from tinyconv.nn.module import Module
from tinyconv.nn.receptive_field import ReceptiveFields
from tinyconv.ops import zeros
from tinyconv.tensor import Tensor


@dataclass(frozen=True)
class LayerSummary:
    """One call of one layer, for a batch of one.

    Attributes
    ----------
    name, kind : str
        Dotted name and class.
    output_shape : tuple of int
        Without N; of the first output.
    parameters : int
        The layer's own; 0 when it is called again.
    multiply_adds : int
        Multiplications with a weight (or between matrices).
    activation_bytes : int
        Memory of the outputs.
    receptive_field : tuple of int, or None
        Pixels of the input, per spatial dimension, that one output element can depend on; those
        beyond the image's border count. None where it is not known.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    activation_bytes: int
    receptive_field: tuple[int, ...] | None
    _axes: tuple[Axis, ...] | None = field(default=None, repr=False, compare=False)

    def sees(self, position: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """The first and the last pixel, along each axis, that one element of the map can depend on.

        Parameters
        ----------
        position : tuple of int
            In the map, without channel: (row, column) for images.

        Returns
        -------
        ends : tuple of (first, last)
            Below 0, or beyond the image, where padding is seen.

        Raises
        ------
        ArgumentError
            When this is no position of a map, or what is seen from there is not known.

        Examples
        --------
        >>> from tinyconv import nn
        >>> two = nn.Sequential(nn.Conv2d(1, 1, 3, stride=2, padding=1), nn.MaxPool2d(2))
        >>> nn.summary(two, (1, 32, 32)).rows[-1].sees((0, 7))
        ((-1, 3), (27, 31))
        """
        where, size, axes = f"what {self.name} sees", self.output_shape[1:], self._axes
        if len(position) != len(size) or not all(0 <= p < n for p, n in zip(position, size, strict=True)):
            raise ArgumentError(where, "position", tuple(position), f"one in a map of size {size}")
        if axes is None or len(axes) != len(size):
            raise ArgumentError(where, "the layer", self.kind, "one of which it is known what it sees")
        ends = [axis.at(p) for axis, p in zip(axes, position, strict=True)]
        if not all(isfinite(low) for low, _ in ends):
            raise ArgumentError(where, "position", tuple(position), "one that depends on the input")
        return tuple((int(low), int(high)) for low, high in ends)


@dataclass(repr=False)
class Summary:
    """What `summary` returns: ``str()`` is the table, `rows` its lines."""

    title: str
    input_size: tuple[int, ...]
    parameters: int = 0
    trainable_parameters: int = 0
    parameter_bytes: int = 0
    rows: list[LayerSummary] = field(default_factory=list)

    @property
    def multiply_adds(self) -> int:
        """Of all rows."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def activation_bytes(self) -> int:
        """Of all rows: about what training keeps for one image."""
        return sum(row.activation_bytes for row in self.rows)

    def __getitem__(self, name: str) -> LayerSummary:
        """The first call of the layer with a name."""
        for row in self.rows:
            if row.name == name:
                return row
        names = ", ".join(row.name for row in self.rows)
        raise ArgumentError("Summary", "name", repr(name), f"one of {names}")

    def __str__(self) -> str:
        return _draw(self)

    __repr__ = __str__


def summary(model: Module, input_size: Sequence[int]) -> Summary:
    """Run a model once on zeros and tell of each layer what comes out, and what it takes.

    The model runs in evaluation mode, with a batch of one, and is left as it was.

    Parameters
    ----------
    model : Module
    input_size : tuple of int
        Shape of the input without N: (C, H, W) for images, (features,) for rows.

    Returns
    -------
    Summary

    Notes
    -----
    The receptive field is exact for convolutions, pooling, resizing, padding, cropping and what
    works element by element, on all paths through the model and in functions between the layers
    as well. Statistics that a layer computes of its input are not counted.

    Examples
    --------
    >>> from tinyconv import nn
    >>> two = nn.Sequential(nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 3))
    >>> table = nn.summary(two, (8, 32, 32))
    >>> table.rows[-1].receptive_field      # two 3x3 see what one 5x5 sees
    (5, 5)
    >>> table.parameters                    # 2 (9 C^2 + C)
    1168
    """
    if not isinstance(model, Module):
        raise DtypeError("summary", "model", f"a {type(model).__name__}", "a Module")
    input = _input(model, input_size)
    parameters = list(model.parameters())
    result = Summary(
        type(model).__name__,
        tuple(input.shape[1:]),
        sum(p.numel() for p in parameters),
        sum(p.numel() for p in parameters if p.requires_grad),
        sum(p.array.nbytes for p in parameters),
    )
    modes = [(module, module.training) for module in model.modules()]
    recorder = _Recorder(model, input, result)
    try:
        model.eval()
        with enable_grad():
            recorder.finish(model(input * 1))
    finally:
        recorder.remove()
        for module, training in modes:
            object.__setattr__(module, "training", training)
    return result


def _input(model: Module, input_size: Any) -> Tensor:
    sizes = tuple(input_size) if isinstance(input_size, list | tuple) else (input_size,)
    if not sizes or any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in sizes):
        raise ArgumentError("summary", "input_size", repr(input_size), "positive ints, e.g. (3, 256, 256)")
    like = next((p for p in model.parameters() if p.dtype.kind == "f"), None)
    input = zeros(1, *sizes) if like is None else zeros(1, *sizes, dtype=like.dtype).to(like.device)
    return input.requires_grad_()


class _Recorder:
    """Hooks on the layers that write the rows while the model runs."""

    def __init__(self, model: Module, input: Tensor, result: Summary) -> None:
        self.result, self.outside = result, 0
        self.counted: set[int] = set()
        self.fields = ReceptiveFields(input, tuple(input.shape[2:]))
        self.handles = []
        for name, module in model.named_modules():
            if not module._modules or module._parameters:
                self.handles.append(module.register_forward_pre_hook(self._before, with_kwargs=True))
                self.handles.append(module.register_forward_hook(self._row_of(name)))

    def _before(self, module: Module, inputs: Any, options: Any) -> None:
        """What happens between two layers belongs to neither."""
        self.outside += self.fields.visit(_tensors((inputs, options)))

    def _row_of(self, name: str) -> Any:
        def after(module: Module, inputs: Any, output: Any) -> None:
            tensors = list(_tensors(output))
            multiply_adds = self.fields.visit(tensors)
            new = [p for p in module.parameters(recurse=False) if id(p) not in self.counted]
            self.counted.update(map(id, new))
            row = LayerSummary(
                name or type(module).__name__,
                type(module).__name__,
                tuple(tensors[0].shape[1:]) if tensors else (),
                sum(p.numel() for p in new),
                multiply_adds,
                sum(tensor.array.nbytes for tensor in tensors),
                self.fields.of(tensors[0]) if tensors else None,
                self.fields.axes(tensors[0]) if tensors else None,
            )
            self.result.rows.append(row)

        return after

    def finish(self, output: Any) -> None:
        """Add what was computed outside of all layers."""
        tensors = list(_tensors(output))
        self.outside += self.fields.visit(tensors)
        if self.outside:
            shape = tuple(tensors[0].shape[1:]) if tensors else ()
            seen = (self.fields.of(tensors[0]), self.fields.axes(tensors[0])) if tensors else (None, None)
            row = LayerSummary("(between layers)", "functions", shape, 0, self.outside, 0, *seen)
            self.result.rows.append(row)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


def _draw(summary: Summary) -> str:
    import io

    from rich import box
    from rich.console import Console
    from rich.table import Table

    title = f"{summary.title}, input {_by(summary.input_size)}"
    table = Table(title=title, box=box.SIMPLE_HEAD, show_footer=True, title_justify="left")
    totals = (f"{summary.parameters:,}", f"{summary.multiply_adds:,}", _bytes(summary.activation_bytes))
    table.add_column("layer", "in all", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("output", no_wrap=True)
    headings = ("parameters", "multiply-adds", "activations")
    for heading, total in zip(headings, totals, strict=True):
        table.add_column(heading, total, justify="right", no_wrap=True)
    table.add_column("sees", justify="right", no_wrap=True)
    for row in summary.rows:
        table.add_row(
            row.name,
            row.kind,
            _by(row.output_shape),
            f"{row.parameters:,}" if row.parameters else "",
            f"{row.multiply_adds:,}" if row.multiply_adds else "",
            _bytes(row.activation_bytes),
            "–" if row.receptive_field is None else _by(row.receptive_field),
        )
    console = Console(file=io.StringIO(), width=400, color_system=None)
    console.print(table)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    kept = summary.parameters - summary.trainable_parameters
    lines.append(f"  {kept:,} parameters are frozen" if kept else "  all parameters are trained")
    lines[-1] += f", {_bytes(summary.parameter_bytes)}; activations are for one image"
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _by(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))


def _bytes(count: int) -> str:
    value, units = float(count), ("B", "KiB", "MiB", "GiB")
    for unit in units[:-1]:
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} {units[-1]}"
