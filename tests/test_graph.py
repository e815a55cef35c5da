"""The graph as nodes and edges."""

from __future__ import annotations

import re

import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv.errors import DtypeError, GraphError


def names(graph: tc.autograd.Graph) -> list[tuple[str, str]]:
    return [(graph.nodes[maker].name, graph.nodes[user].name) for maker, user in graph.edges]


def test_a_small_graph() -> None:
    x, w = tc.ones(2, 3, requires_grad=True), tc.ones(3, requires_grad=True)
    graph = tc.autograd.graph((tc.exp(x) * w).sum(), {"x": x, "w": w})
    assert sorted(names(graph)) == [("Exp", "Mul"), ("Mul", "Sum"), ("w", "Mul"), ("x", "Exp")]
    shapes = {node.name: (node.shape, node.is_leaf) for node in graph.nodes}
    assert shapes == {
        "x": ((2, 3), True),
        "w": ((3,), True),
        "Exp": ((2, 3), False),
        "Mul": ((2, 3), False),
        "Sum": ((), False),
    }
    assert all(maker < user for maker, user in graph.edges), "in the order of computation"
    assert repr(graph) == "Graph of 5 nodes and 4 edges"


def test_what_was_used_twice_has_two_edges() -> None:
    x = tc.ones(2, requires_grad=True)
    assert names(tc.autograd.graph(x * x)) == [("leaf", "Mul")] * 2


def test_data_is_not_in_it() -> None:
    layer = tc.nn.Conv2d(1, 2, 3)
    graph = tc.autograd.graph(layer(tc.ones(1, 1, 4, 4)), layer.named_parameters())
    assert sorted(node.name for node in graph.nodes) == ["Conv", "bias", "weight"]


def test_several_outputs_share_what_they_share() -> None:
    x = tc.ones(2, requires_grad=True)
    h = tc.exp(x)
    graph = tc.autograd.graph([h * 2, h + 1])
    assert [node.name for node in graph.nodes].count("Exp") == 1
    assert {"Mul", "Add"} <= {node.name for node in graph.nodes}


def test_a_leaf_is_a_graph() -> None:
    graph = tc.autograd.graph(tc.ones(2, requires_grad=True))
    assert (len(graph.nodes), graph.edges) == (1, ())


def test_a_deep_graph() -> None:
    x = tc.ones(1, requires_grad=True)
    y = x
    for _ in range(5000):
        y = y + 1.0
    assert len(tc.autograd.graph(y).nodes) == 5001


def test_looking_changes_nothing() -> None:
    x = tc.ones(2, requires_grad=True)
    loss = F.relu(x * 3).sum()
    tc.autograd.graph(loss)
    loss.backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_the_source_for_graphviz() -> None:
    x = tc.ones(2, requires_grad=True)
    source = tc.autograd.graph(tc.exp(x), {'a "name" \\': x}).dot()
    assert source.startswith("digraph {") and source.endswith("}\n")
    assert re.findall(r"n(\d) -> n(\d);", source) == [("0", "1")]
    assert r'label="a \"name\" \\\n(2,)"' in source and r'label="Exp\n(2,)"' in source


def test_refused() -> None:
    with pytest.raises(GraphError, match=r"graph: outputs\[0\] is not connected"):
        tc.autograd.graph(tc.ones(2))
    with pytest.raises(DtypeError, match=r"graph: outputs\[1\] is a float, expected a Tensor"):
        tc.autograd.graph([tc.ones(2, requires_grad=True), 1.0])  # type: ignore[list-item]
