"""The graph of a computation as a picture: by Graphviz where it is installed, else by matplotlib."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tinyconv.autograd import graph
from tinyconv.errors import ArgumentError
from tinyconv.graph import Graph, Node
from tinyconv.tensor import Tensor
from tinyconv.viz.graph_layout import Layout, layered
from tinyconv.viz.style import BLUE, GREY, VERMILLION, new_figure, save_bytes, save_figure, style

Figure = Any

OP_COLOUR, LEAF_COLOUR = "#DCEBF5", "#FBF3C0"
BOX = (1.9, 0.52)
"""Width and height of a box in inches."""
GAP = 0.34
LANE = 0.34
TALLEST = 600
"""Rows that matplotlib can still draw in one picture."""


def draw_graph(
    outputs: Tensor | Sequence[Tensor] | Graph,
    path: str | os.PathLike[str],
    names: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] = (),
) -> Path:
    """Draw the graph that leads to `outputs` into a file.

    An .svg is drawn by the program ``dot`` of Graphviz where it is installed; everything else,
    and without it, by `graph_figure`.

    Parameters
    ----------
    outputs : Tensor, sequence of Tensor, or Graph
        Usually the loss; or what `tinyconv.autograd.graph` returned.
    path : path
        Where to: .svg, .png or .pdf.
    names : mapping or pairs of (name, Tensor), optional
        What to call leaves, e.g. ``model.named_parameters()``.

    Returns
    -------
    path : pathlib.Path

    Raises
    ------
    GraphError
        When an output was not made from tensors that require grad.
    ArgumentError
        When the suffix is another, or the graph too large for matplotlib.
    StorageError
        When the file cannot be written.
    """
    described = outputs if isinstance(outputs, Graph) else graph(outputs, names)
    if Path(path).suffix == ".svg":
        return save_bytes(graph_svg(described).encode(), Path(path))
    graph_figure(described, path=path)
    return Path(path)


def graph_svg(
    outputs: Tensor | Sequence[Tensor] | Graph,
    names: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] = (),
) -> str:
    """The text of an SVG picture of the graph that leads to `outputs`; see `draw_graph`."""
    described = outputs if isinstance(outputs, Graph) else graph(outputs, names)
    drawn = _by_graphviz(described)
    if drawn is None:
        content = io.BytesIO()
        with style():
            graph_figure(described).savefig(content, format="svg")
        drawn = content.getvalue()
    return drawn.decode("utf-8")


def _by_graphviz(described: Graph) -> bytes | None:
    """What ``dot -Tsvg`` makes of the graph; None where it is missing or fails."""
    program = shutil.which("dot")
    if program is None:
        return None
    try:
        source = described.dot().encode()
        done = subprocess.run([program, "-Tsvg"], input=source, capture_output=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if b"<svg" in done.stdout else None


def graph_figure(
    outputs: Tensor | Sequence[Tensor] | Graph,
    names: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] = (),
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Draw the graph that leads to `outputs`: ops from top to bottom, parameters beside them.

    Each box names an op and the shape of what it made. Only what gradients flow through is in
    the graph, so that data without ``requires_grad`` is not.

    Parameters
    ----------
    outputs : Tensor, sequence of Tensor, or Graph
        Usually the loss; or what `tinyconv.autograd.graph` returned.
    names : mapping or pairs of (name, Tensor), optional
        What to call leaves, e.g. ``model.named_parameters()``.
    path : optional
        Where to save the figure (.png, .pdf, .svg).

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    GraphError
        When an output was not made from tensors that require grad.
    ArgumentError
        When the graph is too large for one picture.
    """
    described = outputs if isinstance(outputs, Graph) else graph(outputs, names)
    layout = layered(described)
    rows = 1 + max(layout.row.values(), default=0)
    if rows > TALLEST:
        raise ArgumentError("graph_figure", "the graph's depth", rows, f"at most {TALLEST} ops in a row")
    with style():
        figure = _Drawing(described, layout).figure
        if path is not None:
            save_figure(figure, path)
    return figure


class _Drawing:
    """The picture, in inches from the top left."""

    def __init__(self, described: Graph, layout: Layout) -> None:
        self.graph, self.layout = described, layout
        width, height = BOX
        self.rows: dict[int, list[int]] = {}
        for node, row in layout.row.items():
            self.rows.setdefault(row, []).append(node)
        shared = [node for nodes in self.rows.values() if len(nodes) > 1 for node in nodes]
        beside = max((len(layout.beside.get(node, ())) for node in shared), default=0)
        pitch = (1 + beside) * (width + GAP)
        left = min(layout.column.values()) * pitch
        self.x = {node: column * pitch - left for node, column in layout.column.items()}
        self.y = {node: row * (height + GAP) for node, row in layout.row.items()}
        for op, leaves in layout.beside.items():
            for place, leaf in enumerate(reversed(leaves)):
                self.x[leaf] = self.x[op] - (place + 1) * (width + GAP)
                self.y[leaf] = self.y[op]
        self._open(width, height)
        for node, what in enumerate(described.nodes):
            self._box(self.x[node], self.y[node], what)
        for maker, user in dict.fromkeys(described.edges):
            self._edge(maker, user)

    def _open(self, width: float, height: float) -> None:
        margin = 0.15
        right = max([max(self.x.values()) + width / 2, *(self._lane_x(*skip) for skip in self.layout.lanes)])
        x0, x1 = min(self.x.values()) - width / 2 - margin, right + margin
        y0, y1 = -height / 2 - GAP / 2 - margin, max(self.y.values()) + height / 2 + margin
        self.figure = new_figure(x1 - x0, y1 - y0, layout=None)
        self.axis = self.figure.add_axes((0, 0, 1, 1))
        self.axis.set(xlim=(x0, x1), ylim=(y1, y0))
        self.axis.set_axis_off()

    def _box(self, x: float, y: float, what: Node) -> None:
        from matplotlib.patches import FancyBboxPatch

        width, height = BOX
        colour, edge = (LEAF_COLOUR, GREY) if what.is_leaf else (OP_COLOUR, BLUE)
        corner = (x - width / 2 + 0.06, y - height / 2 + 0.06)
        box = FancyBboxPatch(
            corner,
            width - 0.12,
            height - 0.12,
            "round,pad=0.06",
            facecolor=colour,
            edgecolor=edge,
            linewidth=1.2,
        )
        self.axis.add_patch(box)
        weight = "normal" if what.is_leaf else "bold"
        size = min(11.0, 11.0 * 21 / max(len(what.name), 1))
        self.axis.text(x, y - 0.02, what.name, ha="center", va="bottom", fontsize=size, fontweight=weight)
        shape = "scalar" if what.shape == () else " × ".join(map(str, what.shape))
        self.axis.text(x, y + 0.02, shape, ha="center", va="top", fontsize=9, color=GREY)

    def _edge(self, maker: int, user: int) -> None:
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path as Line

        colour = BLUE
        if (maker, user) in self.layout.lanes:
            colour, way = VERMILLION, self._around(maker, user)
        elif self.y[maker] == self.y[user]:
            colour, way = GREY, self._from_the_side(maker, user)
        else:
            way = [(self.x[maker], self.y[maker] + BOX[1] / 2), (self.x[user], self.y[user] - BOX[1] / 2)]
        line = Line(way)
        arrow = FancyArrowPatch(
            path=line, arrowstyle="-|>", mutation_scale=9, color=colour, linewidth=1.3, shrinkA=0, shrinkB=0
        )
        self.axis.add_patch(arrow)

    def _lane_x(self, maker: int, user: int) -> float:
        """Where a skip runs down: right of all boxes in its rows."""
        rows = range(self.layout.row[maker], self.layout.row[user] + 1)
        right = max(self.x[node] for row in rows for node in self.rows[row]) + BOX[0] / 2
        return right + (self.layout.lanes[maker, user] + 0.7) * LANE

    def _around(self, maker: int, user: int) -> list[tuple[float, float]]:
        """Out to the right, down, and back in; over or under the boxes that stand in the way."""
        lane = self._lane_x(maker, user)
        ways = []
        for node, side in ((maker, 1), (user, -1)):
            x, y = self.x[node], self.y[node]
            if any(self.x[other] > x for other in self.rows[self.layout.row[node]]):
                level = y + side * (BOX[1] / 2 + GAP / 2)
                ways.append([(x, y + side * BOX[1] / 2), (x, level), (lane, level)])
            else:
                ways.append([(x + BOX[0] / 2, y), (lane, y)])
        return _rounded([*ways[0], *reversed(ways[1])], 0.12)

    def _from_the_side(self, leaf: int, op: int) -> list[tuple[float, float]]:
        """From a parameter to its op; over the parameters between them."""
        width, height = BOX
        (x, y), end = (self.x[leaf], self.y[leaf]), (self.x[op] - width / 2, self.y[op])
        if end[0] - (x + width / 2) < 1.5 * GAP:
            return [(x + width / 2, y), end]
        top = y - height / 2 - 0.4 * GAP
        return [(x, y - height / 2), (x, top), (end[0] - 0.35 * GAP, top), (end[0] - 0.35 * GAP, y), end]


def _rounded(corners: list[tuple[float, float]], radius: float) -> list[tuple[float, float]]:
    """The way through `corners`, with each of the inner ones cut a little."""
    way = [corners[0]]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        way += [_towards(corner, before, radius), _towards(corner, after, radius)]
    return [*way, corners[-1]]


def _towards(corner: tuple[float, float], other: tuple[float, float], radius: float) -> tuple[float, float]:
    distance = abs(other[0] - corner[0]) + abs(other[1] - corner[1])
    share = min(radius / distance, 0.5) if distance else 0.0
    return (corner[0] + share * (other[0] - corner[0]), corner[1] + share * (other[1] - corner[1]))
