"""Random calls of ops: which shapes, in which memory order, holding which values, with which options.

A `Case` is a recipe rather than the arrays, so that what a failing test prints is short and
is all that is needed to run it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

Array = Any
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Values:
    """An array to be made."""

    shape: Shape
    kind: str = "normal"
    order: str = "C"

    def array(self, rng: np.random.Generator, dtype: Any) -> Array:
        """The array; values that are not floats keep their own dtype."""
        values = KINDS[self.kind.partition(" ")[0]](rng, self.shape, self.kind.partition(" ")[2])
        if values.dtype.kind == "f":
            values = values.astype(dtype)
        return ORDERS[self.order](values)


@dataclass(frozen=True)
class Case:
    """One call: ``op(*inputs, *constants, **options)``; only the inputs are differentiated."""

    inputs: tuple[Values, ...]
    options: dict[str, Any] = field(default_factory=dict)
    constants: tuple[Values, ...] = ()
    seed: int = 0

    def arrays(self, dtype: Any) -> tuple[list[Array], list[Array]]:
        """The inputs and the constants."""
        rng = np.random.default_rng(self.seed)
        inputs = [values.array(rng, dtype) for values in self.inputs]
        return inputs, [values.array(rng, dtype) for values in self.constants]


def _away_from_zero(rng: np.random.Generator, shape: Shape, _: str) -> Array:
    return np.asarray(rng.uniform(0.1, 3, shape) * rng.choice([-1, 1], shape))


def _distinct(rng: np.random.Generator, shape: Shape, _: str) -> Array:
    """No two values closer than 0.1: a maximum stays the same one under a small change."""
    return np.asarray((rng.permutation(prod(shape)) - prod(shape) / 2).reshape(shape) * 0.1)


def _positions(rng: np.random.Generator, shape: Shape, plane: str) -> Array:
    """Different positions in a plane, given as pixels and dimensions, for each (N, C)."""
    pixels, dims = map(int, plane.split())
    chosen = [rng.permutation(pixels)[: prod(shape[-dims:])] for _ in range(prod(shape[:-dims]))]
    return np.array(chosen, dtype=np.int64).reshape(shape)


KINDS: dict[str, Callable[[np.random.Generator, Shape, str], Array]] = {
    "normal": lambda rng, shape, _: np.asarray(rng.standard_normal(shape)),
    "positive": lambda rng, shape, _: np.asarray(rng.uniform(0.3, 2, shape)),
    "nonzero": _away_from_zero,
    "distinct": _distinct,
    "probability": lambda rng, shape, _: np.asarray(rng.uniform(0.05, 0.95, shape)),
    "bool": lambda rng, shape, _: np.asarray(rng.random(shape) < 0.5),
    "classes": lambda rng, shape, count: np.asarray(rng.integers(0, int(count), shape)),
    "positions": _positions,
}


def _channels_last(x: Array) -> Array:
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1) if x.ndim > 2 else x


def _with_gaps(x: Array) -> Array:
    """A view of every second element of a larger array, backwards."""
    wide = np.full([2 * n for n in x.shape], 77, x.dtype)
    view = wide[(..., *[slice(None, None, -2)] * x.ndim)]
    view[...] = x
    return view


def _read_only(x: Array) -> Array:
    x = x.copy()
    x.flags.writeable = False
    return x


ORDERS: dict[str, Callable[[Array], Array]] = {
    "C": lambda x: x,
    "F": lambda x: x.copy(order="F"),
    "channels_last": _channels_last,
    "gaps": _with_gaps,
    "read_only": _read_only,
}

orders = st.sampled_from(tuple(ORDERS))
seeds = st.integers(0, 9)


@st.composite
def elementwise(draw: Any, kind: str = "normal", **options: st.SearchStrategy[Any]) -> Case:
    """One input of any shape."""
    shape = draw(array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    return _one(draw, shape, kind, options)


@st.composite
def images(draw: Any, kind: str = "normal", **options: st.SearchStrategy[Any]) -> Case:
    """One input of shape (N, C, H, W), large enough for the fast kernels' inner loops."""
    shape = draw(st.tuples(st.integers(1, 2), st.integers(1, 20), st.integers(1, 6), st.integers(1, 6)))
    return _one(draw, shape, kind, options)


def _one(draw: Any, shape: Shape, kind: str, options: dict[str, st.SearchStrategy[Any]]) -> Case:
    drawn = {name: draw(strategy) for name, strategy in options.items()}
    return Case((Values(shape, kind, draw(orders)),), drawn, seed=draw(seeds))


@st.composite
def broadcast(draw: Any, *kinds: str, constants: tuple[str, ...] = ()) -> Case:
    """Inputs, then constants, whose shapes broadcast together."""
    count = len(kinds) + len(constants)
    shapes = draw(
        mutually_broadcastable_shapes(num_shapes=count, min_dims=0, max_dims=4, min_side=0, max_side=4)
    ).input_shapes
    values = [Values(s, k, draw(orders)) for s, k in zip(shapes, (*kinds, *constants), strict=True)]
    return Case(tuple(values[: len(kinds)]), {}, tuple(values[len(kinds) :]), draw(seeds))


@st.composite
def along_dim(draw: Any, kind: str = "normal", min_side: int = 0, many: bool = True) -> Case:
    """One input with ``dim`` (None, an int or, with `many`, several) and ``keepdim``."""
    shape = draw(array_shapes(min_dims=0, max_dims=4, min_side=min_side, max_side=4))
    one = st.integers(-max(len(shape), 1), max(len(shape), 1) - 1)
    choices = [st.none(), one]
    if many and shape:
        choices.append(
            st.sets(st.integers(0, len(shape) - 1), min_size=1).map(lambda dims: tuple(sorted(dims)))
        )
    options = {"dim": draw(st.one_of(choices)), "keepdim": draw(st.booleans())}
    return Case((Values(shape, kind, draw(orders)),), options, seed=draw(seeds))


@st.composite
def one_dim(draw: Any, kind: str = "normal", min_dims: int = 0) -> Case:
    """One input with a ``dim`` that must be given."""
    shape = draw(array_shapes(min_dims=min_dims, max_dims=4, min_side=1, max_side=5))
    options = {"dim": draw(st.integers(-max(len(shape), 1), max(len(shape), 1) - 1))}
    return Case((Values(shape, kind, draw(orders)),), options, seed=draw(seeds))


@st.composite
def with_reduction(draw: Any, kind: str, target: str, weights: int = 0) -> Case:
    """A prediction and its target of one shape, up to `weights` weight tensors, and ``reduction``."""
    shape = draw(array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=4))
    pair = tuple(Values(shape, k, draw(orders)) for k in (kind, target))
    count = draw(st.integers(0, weights))
    extra = tuple(Values(shape[draw(st.integers(0, len(shape))) :], "positive") for _ in range(count))
    return Case(pair, {"reduction": draw(reductions)}, extra, draw(seeds))


reductions = st.sampled_from(("mean", "sum", "none"))
