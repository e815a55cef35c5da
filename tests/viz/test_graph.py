"""The picture of a graph: nothing lies on anything else, every edge is drawn, with and without Graphviz."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import nn
from tinyconv.errors import ArgumentError, GraphError
from tinyconv.graph import Graph, Node
from tinyconv.viz import draw_graph, graph_figure
from tinyconv.viz.graph import BOX
from tinyconv.viz.graph_layout import layered


class Level(nn.Module):
    """The first level of a U-Net."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.middle = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
        self.up, self.out = nn.ConvTranspose2d(8, 4, 2, 2), nn.Conv2d(8, 1, 1)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        skip = F.relu(self.down(x))
        deep = F.relu(self.middle(F.max_pool2d(skip, 2)))
        return tc.sigmoid(self.out(tc.cat([self.up(deep), skip], 1)))


def level() -> Graph:
    model = Level()
    mask, x = tc.ones(1, 1, 8, 8), tc.ones(1, 1, 8, 8)
    y = model(x)
    return tc.autograd.graph(F.binary_cross_entropy(y, mask) + F.dice_loss(y, mask), model.named_parameters())


def mlp() -> Graph:
    sizes = (20, 16, 12, 8, 6, 4, 2)
    layers = [layer for m, n in itertools.pairwise(sizes) for layer in (nn.Linear(m, n), nn.ReLU())]
    model = nn.Sequential(*layers)
    return tc.autograd.graph(model(tc.ones(3, 20)), model.named_parameters())


def shared() -> Graph:
    x = tc.ones(3, requires_grad=True)
    return tc.autograd.graph(((x * x + x) * tc.exp(x)).sum(), {"x": x})


def boxes(figure: Any) -> dict[tuple[float, float], str]:
    """The names by the centres of their boxes."""
    texts = figure.axes[0].texts
    return {(text.get_position()[0], text.get_position()[1] + 0.02): text.get_text() for text in texts[::2]}


def arrows(figure: Any) -> list[Any]:
    from matplotlib.patches import FancyArrowPatch

    return [patch for patch in figure.axes[0].patches if isinstance(patch, FancyArrowPatch)]


@pytest.mark.parametrize("make", (level, mlp, shared))
def test_every_node_has_a_box_and_every_edge_an_arrow(make: Any) -> None:
    graph = make()
    figure = graph_figure(graph)
    assert sorted(boxes(figure).values()) == sorted(node.name for node in graph.nodes)
    assert len(arrows(figure)) == len(set(graph.edges))


@pytest.mark.parametrize("make", (level, mlp, shared))
def test_no_box_lies_on_another_and_all_are_inside(make: Any) -> None:
    figure = graph_figure(make())
    places = list(boxes(figure))
    for (x, y), (other_x, other_y) in itertools.combinations(places, 2):
        assert abs(x - other_x) >= BOX[0] or abs(y - other_y) >= BOX[1]
    (left, right), (bottom, top) = figure.axes[0].get_xlim(), figure.axes[0].get_ylim()
    for x, y in places:
        assert left + BOX[0] / 2 < x < right - BOX[0] / 2 and top + BOX[1] / 2 < y < bottom - BOX[1] / 2
    figure.canvas.draw()
    for arrow in arrows(figure):
        inside = arrow.get_window_extent()
        assert inside.x0 >= 0 and inside.y0 >= 0
        assert inside.x1 <= figure.bbox.width and inside.y1 <= figure.bbox.height


@pytest.mark.parametrize("make", (level, mlp, shared))
def test_no_arrow_runs_through_a_box(make: Any) -> None:
    figure = graph_figure(make())
    for arrow in arrows(figure):
        corners = arrow._path_original.vertices
        for start, end in itertools.pairwise(corners):
            for share in np.linspace(0, 1, 50):
                x, y = start + share * (end - start)
                for box_x, box_y in boxes(figure):
                    inside = abs(x - box_x) < BOX[0] / 2 - 0.01 and abs(y - box_y) < BOX[1] / 2 - 0.01
                    assert not inside, (boxes(figure)[box_x, box_y], corners)


def test_ops_stand_below_what_they_use_and_a_chain_is_straight() -> None:
    graph = mlp()
    layout = layered(graph)
    ops = [index for index, node in enumerate(graph.nodes) if not node.is_leaf]
    assert len({layout.column[op] for op in ops}) == 1
    assert [layout.row[op] for op in ops] == list(range(12))
    assert sum(map(len, layout.beside.values())) == 12
    graph = level()
    layout = layered(graph)
    for maker, user in graph.edges:
        assert user in layout.row
        if maker in layout.row:
            assert layout.row[maker] < layout.row[user]


def test_skips_that_share_rows_have_lanes_of_their_own() -> None:
    chain = Graph(
        tuple(Node(f"op{i}", (), False) for i in range(6)),
        (*((i, i + 1) for i in range(5)), (0, 5), (1, 4), (1, 3)),
    )
    assert layered(chain).lanes == {(1, 3): 0, (1, 4): 1, (0, 5): 2}


def test_a_file_of_each_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    for suffix, start in ((".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")):
        path = draw_graph(mlp(), tmp_path / f"graph{suffix}")
        assert path.read_bytes().startswith(start)
    x = tc.ones(2, requires_grad=True)
    assert draw_graph(x * 2, tmp_path / "tensor.png", {"x": x}).exists()
    with pytest.raises(ArgumentError, match="save_figure: path"):
        draw_graph(mlp(), tmp_path / "graph.gif")


def program(folder: Path, script: str) -> None:
    path = folder / "dot"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Graphviz is a shell script")
def test_graphviz_draws_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    program(tmp_path, 'echo "<svg><!-- $1"; cat; echo "--></svg>"')
    drawn = draw_graph(shared(), tmp_path / "graph.svg").read_text(encoding="utf-8")
    assert drawn == f"<svg><!-- -Tsvg\n{shared().dot()}--></svg>\n"
    for broken in ("exit 1", "echo nothing", "echo '<svg>'; exit 3"):
        program(tmp_path, broken)
        path = draw_graph(shared(), tmp_path / "own.svg")
        assert ET.parse(path).getroot().tag.endswith("svg")
        assert b"matplotlib" in path.read_bytes().lower()


def test_a_graph_shows_itself_in_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    for make in (level, shared):
        graph = make()
        shown = graph._repr_svg_()
        assert shown is not None and ET.fromstring(shown.encode()).tag.endswith("svg")
        path = graph.save(tmp_path / "graph.svg")
        pictures = path.read_text(encoding="utf-8"), shown
        assert len({re.sub(r"<dc:date>.*|[a-z]+[0-9a-f]{8,}", "", text) for text in pictures}) == 1
    assert shared().save(tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ArgumentError, match="save_figure: path"):
        shared().save(tmp_path / "graph.gif")


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_the_real_graphviz_draws_every_node_and_edge(tmp_path: Path) -> None:
    graph = level()
    tree = ET.parse(graph.save(tmp_path / "graph.svg"))
    groups = [element.get("class") for element in tree.iter() if element.tag.endswith("}g")]
    assert groups.count("node") == len(graph.nodes) and groups.count("edge") == len(graph.edges)
    shown = " ".join(element.text or "" for element in tree.iter() if element.tag.endswith("}text"))
    for node in graph.nodes:
        assert node.name in shown and str(node.shape) in shown


def test_only_a_picture_loads_matplotlib() -> None:
    code = (
        "import sys, tinyconv as tc; g = tc.autograd.graph(tc.ones(1, requires_grad=True) * 2); repr(g); "
        "assert 'matplotlib' not in sys.modules; assert '<svg' in g._repr_svg_()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PATH": ""})


def test_a_graph_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    x = y = tc.ones(1, requires_grad=True)
    for _ in range(700):
        y = y + 1.0
    with pytest.raises(ArgumentError, match="the graph's depth is 701"):
        graph_figure(y)
    assert tc.autograd.graph(y)._repr_svg_() is None
    with pytest.raises(GraphError, match=r"graph: .*not connected"):
        graph_figure(tc.ones(1))
    assert x.grad is None
