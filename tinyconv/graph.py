"""The graph as a list of nodes and edges: in the order of the walk, and for drawing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyconv.errors import ArgumentError, DtypeError, GraphError
from tinyconv.function import AccumulateGrad, Function, edge_to

if TYPE_CHECKING:
    from tinyconv.tensor import Tensor


def topological_order(roots: Sequence[Function]) -> list[Function]:
    """All nodes that `roots` depend on, each before the nodes that made its inputs.

    Depth-first with an explicit stack: a graph of any depth works, Python's recursion limit
    plays no part.
    """
    finished: list[Function] = []
    seen: set[Function] = set()
    stack: list[tuple[Function, bool]] = [(node, False) for node in roots]
    while stack:
        node, inputs_done = stack.pop()
        if inputs_done:
            finished.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((edge[0], False) for edge in node.edges if edge is not None and edge[0] not in seen)
    finished.reverse()
    return finished


@dataclass(frozen=True)
class Node:
    """An op, or a leaf, of a graph.

    Attributes
    ----------
    name : str
        The op's name; of a leaf the name it was given, else ``"leaf"``.
    shape : tuple of int
        The shape of its (first) output.
    is_leaf : bool
        Whether it is a tensor that no op made.
    """

    name: str
    shape: tuple[int, ...]
    is_leaf: bool


@dataclass(frozen=True)
class Graph:
    """What a tensor was computed from: only the ops and leaves that gradients flow through.

    In a notebook it shows itself as a picture; `save` writes one. Drawing lies far above the engine,
    which knows nothing of it: `use_drawer` is told where it is when tinyconv is imported, and
    it is imported when the first picture is asked for.

    Attributes
    ----------
    nodes : tuple of Node
        In the order of computation, leaves before their first use.
    edges : tuple of (int, int)
        Positions of two nodes: the maker of a tensor and its user; twice where used twice.
    """

    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]

    def __repr__(self) -> str:
        return f"Graph of {len(self.nodes)} nodes and {len(self.edges)} edges"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Draw the graph into a file: .svg, .png or .pdf.

        An .svg is drawn by Graphviz's program ``dot`` where it is installed, everything else by
        matplotlib.

        Raises
        ------
        ArgumentError
            When the suffix is another, or the graph too large for matplotlib.
        StorageError
            When the file cannot be written.
        """
        return _drawer().draw_graph(self, path)

    def _repr_svg_(self) -> str | None:
        """The picture that a notebook shows; None, for which it shows the text, for a graph too large."""
        try:
            return _drawer().graph_svg(self)
        except ArgumentError:
            return None

    def dot(self) -> str:
        """The graph in Graphviz's language, for ``dot -Tsvg``."""
        lines = ["digraph {", '  node [shape=box, style="rounded,filled", fontname="sans-serif"];']
        for index, node in enumerate(self.nodes):
            label = f"{_quoted(node.name)}\\n{node.shape}"
            colour = "#F0E442" if node.is_leaf else "#DCEBF5"
            lines.append(f'  n{index} [label="{label}", fillcolor="{colour}"];')
        lines += [f"  n{maker} -> n{user};" for maker, user in self.edges]
        return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


_drawer: Callable[[], Any]


def use_drawer(find: Callable[[], Any]) -> None:
    """Tell graphs what returns the module that draws them; `tinyconv/__init__.py` does."""
    global _drawer
    _drawer = find


def graph(
    outputs: Tensor | Sequence[Tensor],
    names: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] = (),
) -> Graph:
    """The graph that leads to `outputs`: in a notebook a picture, in a program something to `save`.

    Parameters
    ----------
    outputs : Tensor or sequence of Tensor
        Usually the loss.
    names : mapping or pairs of (name, Tensor), optional
        What to call leaves, e.g. ``model.named_parameters()``.

    Raises
    ------
    GraphError
        If an output was not made from tensors that require grad.

    Examples
    --------
    >>> import tinyconv as tc
    >>> w = tc.ones(3, requires_grad=True)
    >>> graph = tc.autograd.graph((w * w).sum(), {"w": w})
    >>> [node.name for node in graph.nodes]
    ['w', 'Mul', 'Sum']
    >>> graph.edges
    ((0, 1), (0, 1), (1, 2))
    """
    roots = [
        _root(f"outputs[{i}]", output)
        for i, output in enumerate(outputs if isinstance(outputs, list | tuple) else [outputs])
    ]
    pairs = names.items() if isinstance(names, Mapping) else names
    called = {id(tensor): name for name, tensor in pairs}
    order = topological_order(roots)[::-1]
    place = {node: position for position, node in enumerate(order)}
    edges = [
        (place[edge[0]], position)
        for position, node in enumerate(order)
        for edge in node.edges
        if edge is not None
    ]
    return Graph(tuple(_described(node, called) for node in order), tuple(edges))


def _root(argument: str, output: Any) -> Function:
    if not hasattr(output, "grad_fn"):
        raise DtypeError("graph", argument, f"a {type(output).__name__}", "a Tensor")
    if not output.requires_grad:
        expected = "a result of tensors that require grad"
        raise GraphError("graph", argument, "not connected to a graph", expected)
    return edge_to(output)[0]


def _described(node: Function, called: dict[int, str]) -> Node:
    is_leaf = isinstance(node, AccumulateGrad)
    name = called.get(id(node.leaf), "leaf") if isinstance(node, AccumulateGrad) else node.name
    return Node(name, node._outputs_like[0][1], is_leaf)
