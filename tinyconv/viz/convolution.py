"""Convolution step by step: the window slides, the products are summed, the map fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.viz.matrix import Cell, MatrixArtist, cell_canvas, format_number, label_width, matrix_figure
from tinyconv.viz.player import save_animation
from tinyconv.viz.style import numbers, style

__all__ = ["convolution_animation", "matrix_figure", "save_animation"]

Array = Any
Pair = tuple[int, int]

_STAGES = ("relu", "max_pool")
_GAP = 0.8  # between columns, in cells
_ROW_GAP = 1.2  # between rows: room for a title
_PAGE = (12.8, 8.0)  # inches


def convolution_animation(
    image: Any,
    kernel: Any,
    bias: float = 0,
    stride: int = 1,
    padding: int = 0,
    then: Sequence[str] = ("relu", "max_pool"),
    interval: int = 900,
) -> Any:
    """Animate one channel's convolution, and what follows it, with the numbers in the cells.

    There is one frame to begin with, one per cell of the feature map, one for each ReLU, and
    one per cell of a pooled map.

    Parameters
    ----------
    image : array (H, W) or (W,)
    kernel : array (h, w) or (w,)
    bias : float
    stride, padding : int
        As in `tc.nn.Conv2d`; padding is drawn hatched.
    then : sequence of "relu" and "max_pool"
        What is done with the map, in this order. Pooling is 2x2 with stride 2 (2 along a line).
    interval : int
        Milliseconds between frames.

    Returns
    -------
    animation : matplotlib.animation.FuncAnimation
        ``animation.to_jshtml()`` is matplotlib's own player; `save_animation` writes it, with
        ``animation.descriptions``, what each frame shows in words, for those who cannot see it.

    Raises
    ------
    ShapeError
        When image or kernel is not a matrix, the kernel is larger than the padded image, or a
        map is too small to be pooled.
    ArgumentError
        When `stride` or `padding` make no sense, or `then` names something else.
    """
    scene = _Scene(_maps(image, kernel, bias, stride, padding, then))
    from matplotlib.animation import FuncAnimation

    with style():
        scene.build()
        count = len(scene.steps)
        animation = FuncAnimation(scene.figure, scene.draw, frames=count, interval=interval, repeat=False)
    animation.descriptions = [scene.describe(number) for number in range(count)]
    return animation


@dataclass(frozen=True)
class _Map:
    """One matrix of the right-hand side, and how it comes from the one before."""

    name: str  # "conv", "relu" or "max_pool"
    values: Array
    window: Pair
    stride: Pair

    @property
    def title(self) -> str:
        pool = f"max pool {self.window[0]}×{self.window[1]}"
        return {"conv": "feature map", "relu": "ReLU", "max_pool": pool}[self.name]


@dataclass(frozen=True)
class _Maps:
    """All the numbers that the animation shows."""

    padded: Array
    margin: Pair
    kernel: Array
    bias: float
    stages: tuple[_Map, ...]


@dataclass(frozen=True)
class _Step:
    """One frame: how many cells of stage number `stage` are filled."""

    stage: int
    filled: int


def _maps(image: Any, kernel: Any, bias: float, stride: int, padding: int, then: Sequence[str]) -> _Maps:
    where = "convolution_animation"
    x, weight = _plane(where, "image", image), _plane(where, "kernel", kernel)
    _check_int(where, "stride", stride, 1)
    _check_int(where, "padding", padding, 0)
    margin = (0 if np.ndim(image) == 1 else padding, padding)
    padded = np.pad(x, [(m, m) for m in margin])
    if any(k > n for k, n in zip(weight.shape, padded.shape, strict=True)):
        raise ShapeError(where, "kernel", weight.shape, f"at most the padded image's size {padded.shape}")
    both = (stride, stride)
    rows, columns = ((n - k) // stride + 1 for n, k in zip(padded.shape, weight.shape, strict=True))
    values = np.empty((rows, columns))
    for cell in np.ndindex(rows, columns):
        values[cell] = (_window(padded, cell, weight.shape, both) * weight).sum() + bias
    values = np.round(values, 10)  # 0.1 + 0.2 - 0.3 is to be shown as 0
    stages = [_Map("conv", values, weight.shape, both)]
    for name in then:
        stages.append(_next_map(where, name, stages[-1].values))
    return _Maps(padded, margin, weight, float(bias), tuple(stages))


def _next_map(where: str, name: str, before: Array) -> _Map:
    if name == "relu":
        return _Map(name, np.maximum(before, 0), (1, 1), (1, 1))
    if name != "max_pool":
        raise ArgumentError(where, "then", repr(name), f"names out of {', '.join(_STAGES)}")
    window = (1 if before.shape[0] == 1 else 2, 2)
    size = tuple(n // w for n, w in zip(before.shape, window, strict=True))
    if 0 in size:
        raise ShapeError(where, "then", f"max_pool of a map {before.shape}", "a map of at least 2x2")
    values = np.empty(size)
    for cell in np.ndindex(*size):
        values[cell] = _window(before, cell, window, window).max()
    return _Map(name, values, window, window)


def _window(values: Array, cell: Cell, size: Pair, stride: Pair) -> Array:
    """The part of `values` that `cell` of the next map is made from."""
    return values[tuple(slice(c * s, c * s + n) for c, s, n in zip(cell, stride, size, strict=True))]


def _plane(where: str, argument: str, values: Any) -> Array:
    plane = np.atleast_2d(numbers(where, argument, values))
    if plane.ndim != 2 or plane.size == 0:
        raise ShapeError(where, argument, np.shape(values), "a matrix (H, W) or a line (W,)")
    return plane


def _check_int(where: str, argument: str, value: Any, least: int) -> None:
    if not isinstance(value, int | np.integer) or value < least:
        raise ArgumentError(where, argument, repr(value), f"an int, at least {least}")


class _Scene:
    """The artists, placed, and `draw`, which puts them into the state of one frame.

    Left: the padded image. Middle: the filter above the products. Right: the maps, in pairs
    one above the other, each next to the one it comes from.
    """

    def __init__(self, maps: _Maps) -> None:
        self.maps = maps
        self.steps = [_Step(0, 0)]
        for number, stage in enumerate(maps.stages):
            counts = [stage.values.size] if stage.name == "relu" else range(1, stage.values.size + 1)
            self.steps += [_Step(number, count) for count in counts]

    def build(self) -> None:
        padded, kernel, stages = self.maps.padded, self.maps.kernel, self.maps.stages
        middle_left = padded.shape[1] + _GAP
        middle_width = max(kernel.shape[1], 3)
        middle_height = 2 * kernel.shape[0] + _ROW_GAP
        right_left = middle_left + middle_width + _GAP
        corners, width, right_height = _place([stage.values.shape for stage in stages], right_left)
        height = max(padded.shape[0], middle_height, right_height)
        width = max(width, 14.0)
        cell = min(_PAGE[0] / (width + 1), _PAGE[1] / (height + 2.4), 0.9)
        self.figure, axis = cell_canvas(width, height + 1, cell)
        points = cell * 72
        title = "padded input" if any(self.maps.margin) else "input"
        self.image = MatrixArtist(axis, padded, 0, 0, title, points, grey=True)
        self.image.show_first(padded.size)
        self._mark_padding()
        kernel_left = middle_left + (middle_width - kernel.shape[1]) / 2
        self.kernel = MatrixArtist(axis, kernel, kernel_left, 0, "filter", points, grey=False)
        self.kernel.show_first(kernel.size)
        products_top = kernel.shape[0] + _ROW_GAP
        products = self._widest_products()
        title = "input × filter"
        self.products = MatrixArtist(axis, products, kernel_left, products_top, title, points, grey=False)
        self.stages = [
            MatrixArtist(axis, stage.values, *corner, stage.title, points, grey=False)
            for stage, corner in zip(stages, corners, strict=True)
        ]
        self.caption = axis.text(0, height + 0.85, "", ha="left", va="center", fontsize=0.36 * points)

    def _mark_padding(self) -> None:
        (top, left), (rows, columns) = self.maps.margin, self.maps.padded.shape
        for row, column in np.ndindex(rows, columns):
            if not (top <= row < rows - top and left <= column < columns - left):
                self.image.fade((row, column))

    def draw(self, number: int) -> list[Any]:
        """Put every artist into the state of frame `number`, whatever was drawn before."""
        step = self.steps[number]
        for index, artist in enumerate(self.stages):
            whole = artist.values.size
            artist.show_first(whole if index < step.stage else step.filled if index == step.stage else 0)
            artist.frame(None)
        self.image.frame(None)
        self.products.show_first(0)
        self.caption.set_text("The filter slides over the input: z = b + Σ xᵢ wᵢ")
        if step.filled:
            self._draw_cell(step)
        return [self.caption]

    def describe(self, number: int) -> str:
        """What frame `number` says, and the maps as far as they are filled, rows parted by semicolons."""
        self.draw(number)
        step, parts = self.steps[number], [self.caption.get_text()]
        for index, stage in enumerate(self.maps.stages[: step.stage + 1]):
            filled = step.filled if index == step.stage else stage.values.size
            shown = [format_number(value) for value in stage.values.flat[:filled]]
            width = stage.values.shape[1]
            rows = [", ".join(shown[i : i + width]) for i in range(0, filled, width)]
            parts += [f"{stage.title}: {'; '.join(rows)}"] if rows else []
        return ". ".join(parts)

    def _draw_cell(self, step: _Step) -> None:
        stage, artist = self.maps.stages[step.stage], self.stages[step.stage]
        if stage.name == "relu":
            self.caption.set_text("ReLU: max(0, z), what is negative becomes 0")
            return
        cell = divmod(step.filled - 1, artist.columns)
        source = self.image if step.stage == 0 else self.stages[step.stage - 1]
        artist.frame(cell)
        source.frame((cell[0] * stage.stride[0], cell[1] * stage.stride[1]), *stage.window)
        result = format_number(stage.values[cell])
        if stage.name == "max_pool":
            inside = _window(source.values, cell, stage.window, stage.stride)
            listed = ", ".join(format_number(value) for value in inside.flat)
            self.caption.set_text(f"max({listed}) = {result}")
            return
        products = self._products(cell)
        self.products.change(products)
        total = format_number(products.sum())
        ending = f", plus b = {format_number(self.maps.bias)}: z = {result}" if self.maps.bias else ""
        self.caption.set_text(f"sum of the {products.size} products = {total}{ending}")

    def _products(self, cell: Cell) -> Array:
        stage = self.maps.stages[0]
        return _window(self.maps.padded, cell, stage.window, stage.stride) * self.maps.kernel

    def _widest_products(self) -> Array:
        """The products that are widest in print: they set the size of the numbers."""
        cells = np.ndindex(*self.maps.stages[0].values.shape)
        return max((self._products(cell) for cell in cells), key=label_width)


def _place(shapes: Sequence[Pair], left: float) -> tuple[list[tuple[float, float]], float, float]:
    """Place the maps as the ox ploughs: down, to the right, up. Gives corners, width and height."""
    height = max(
        sum(rows for rows, _ in shapes[i : i + 2]) + _ROW_GAP * (len(shapes[i : i + 2]) - 1)
        for i in range(0, len(shapes), 2)
    )
    corners, widest = [], 0.0
    for number, (rows, columns) in enumerate(shapes):
        if number % 2 == 0 and number:
            left, widest = left + widest + _GAP, 0.0
        at_top = number % 4 in (0, 3)
        corners.append((left, 0.0 if at_top else height - rows))
        widest = max(widest, columns)
    return corners, left + widest, height
