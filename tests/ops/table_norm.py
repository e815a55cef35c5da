"""Rows of the tables: normalisation."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.ops.cases import Case, Shape, Values, orders, seeds
from tests.ops.op import Op, functional
from tinyconv.errors import ArgumentError, DtypeError, ShapeError


@st.composite
def _shapes(draw: Any, spatial: int = 0) -> Shape:
    """(N, C, *spatial), small enough that values 0.1 apart stay near 1."""
    sizes = draw(st.lists(st.integers(1, 3), min_size=spatial, max_size=2))
    return (draw(st.integers(1, 3)), draw(st.integers(1, 4)), *sizes)


def _affine(draw: Any, shape: Shape) -> list[Values]:
    """Nothing, a weight, or a weight and a bias."""
    return [Values(shape, order=draw(orders)) for _ in range(draw(st.integers(0, 2)))]


def _drawn(draw: Any, shape: Shape, affine: Shape, options: dict[str, Any], *constants: Values) -> Case:
    x = Values(shape, "distinct", draw(orders))
    eps = draw(st.sampled_from((1e-5, 0.1)))
    return Case((x, *_affine(draw, affine)), {"eps": eps, **options}, constants, draw(seeds))


@st.composite
def batches_in_training(draw: Any) -> Case:
    shape = draw(_shapes().filter(lambda s: s[0] * (s[2:] or (1,))[0] * (s[3:] or (1,))[0] > 1))
    return _drawn(draw, shape, shape[1:2], {})


@st.composite
def with_running_statistics(draw: Any, spatial: int = 0) -> Case:
    shape = draw(_shapes(spatial))
    if not spatial:  # PyTorch's instance_norm cannot do without an image
        shape = (draw(st.integers(0, 1)) * shape[0], *shape[1:])
    running = Values(shape[1:2], "normal"), Values(shape[1:2], "positive")
    return _drawn(draw, shape, shape[1:2], {}, *running)


@st.composite
def instances(draw: Any) -> Case:
    shape = draw(_shapes(1).filter(lambda s: s[2] * (s[3:] or (1,))[0] > 1))
    return _drawn(draw, shape, shape[1:2], {})


@st.composite
def groups(draw: Any) -> Case:
    shape = draw(_shapes())
    # PyTorch refuses a group of a single value when the batch has one image too.
    count = draw(st.sampled_from([g for g in range(1, shape[1] + 1) if shape[1] % g == 0]))
    shape = (*shape, 2) if count == shape[1] else shape
    return _drawn(draw, shape, shape[1:2], {"num_groups": count})


@st.composite
def layers(draw: Any) -> Case:
    shape = draw(_shapes())
    last = shape[-draw(st.integers(1, len(shape))) :]
    return _drawn(draw, shape, last, {"normalized_shape": last})


@st.composite
def responses(draw: Any) -> Case:
    shape = draw(_shapes(1))
    options = {
        "size": draw(st.integers(1, 6)),
        "alpha": draw(st.sampled_from((1e-4, 1.0))),
        "beta": draw(st.sampled_from((0.75, 0.5))),
        "k": draw(st.sampled_from((1.0, 2.0))),
    }
    return Case((Values(shape, "normal", draw(orders)),), options, seed=draw(seeds))


def _in_training(lib: Any, x: Any, *affine: Any, **options: Any) -> Any:
    return lib.batch_norm(x, None, None, *affine, training=True, **options)


def _in_evaluation(name: str, lib: Any, x: Any, *others: Any, **options: Any) -> Any:
    *affine, mean, var = others
    training = {"training": False} if name == "batch_norm" else {"use_input_stats": False}
    return getattr(lib, name)(x, mean, var, *affine, **training, **options)


def _with_option(name: str, option: str) -> Any:
    def call(lib: Any, x: Any, *affine: Any, **options: Any) -> Any:
        value = options.pop(option)
        return getattr(lib, name)(x, value, *affine, **options)

    return call


def _op(name: str, call: Any, cases: st.SearchStrategy[Case]) -> Op:
    """`call` is given tinyconv's or PyTorch's functions first."""
    return Op(
        name,
        lambda *xs, **options: call(F, *xs, **options),
        cases,
        lambda torch, *xs, **options: call(torch.nn.functional, *xs, **options),
    )


OPS = (
    _op("batch_norm", _in_training, batches_in_training()),
    _op("batch_norm", lambda *a, **o: _in_evaluation("batch_norm", *a, **o), with_running_statistics()),
    _op(
        "instance_norm",
        lambda lib, x, *affine, **options: lib.instance_norm(x, None, None, *affine, **options),
        instances(),
    ),
    _op(
        "instance_norm", lambda *a, **o: _in_evaluation("instance_norm", *a, **o), with_running_statistics(1)
    ),
    _op("group_norm", _with_option("group_norm", "num_groups"), groups()),
    _op("layer_norm", _with_option("layer_norm", "normalized_shape"), layers()),
    Op("local_response_norm", F.local_response_norm, responses(), functional("local_response_norm")),
)

IMAGE, VECTOR, ROWS = tc.ones(2, 4, 5, 6), tc.ones(4), tc.ones(3, 4)
INTS, DOUBLES = tc.ones(2, 4, 5, 6, dtype="int64"), tc.ones(4, dtype="float64")
PIXEL = tc.ones(2, 4, 1, 1)

WRONG = [
    ("batch_norm", ShapeError, "input (4,) (N, C)", lambda: F.batch_norm(VECTOR, None, None, training=True)),
    ("batch_norm", DtypeError, "input int64", lambda: F.batch_norm(INTS, None, None, training=True)),
    ("batch_norm", DtypeError, "input list", lambda: F.batch_norm([1.0], None, None, training=True)),
    ("batch_norm", DtypeError, "running_mean None", lambda: F.batch_norm(IMAGE, None, VECTOR)),
    ("batch_norm", DtypeError, "running_var None", lambda: F.batch_norm(IMAGE, VECTOR, None)),
    ("batch_norm", ShapeError, "running_mean (3,) (4,)", lambda: F.batch_norm(IMAGE, VECTOR[:3], VECTOR)),
    ("batch_norm", ShapeError, "running_var (3, 4)", lambda: F.batch_norm(IMAGE, VECTOR, ROWS)),
    ("batch_norm", ShapeError, "weight (3,) (4,)", lambda: F.batch_norm(IMAGE, VECTOR, VECTOR, VECTOR[:3])),
    ("batch_norm", DtypeError, "bias list", lambda: F.batch_norm(IMAGE, VECTOR, VECTOR, VECTOR, [0.0] * 4)),
    ("batch_norm", DtypeError, "float32 float64", lambda: F.batch_norm(IMAGE, VECTOR, VECTOR, DOUBLES)),
    (
        "batch_norm",
        DtypeError,
        "running_mean float64",
        lambda: F.batch_norm(IMAGE, DOUBLES, DOUBLES, training=True),
    ),
    ("batch_norm", ArgumentError, "eps 0", lambda: F.batch_norm(IMAGE, VECTOR, VECTOR, eps=0)),
    ("batch_norm", ArgumentError, "eps '1'", lambda: F.batch_norm(IMAGE, VECTOR, VECTOR, eps="1")),
    (
        "batch_norm",
        ArgumentError,
        "momentum None",
        lambda: F.batch_norm(IMAGE, None, None, momentum=None),
    ),
    (
        "batch_norm",
        ShapeError,
        "input (1, 4) more than one value",
        lambda: F.batch_norm(ROWS[:1], None, None, training=True),
    ),
    ("instance_norm", ShapeError, "input (3, 4) (N, C, *spatial)", lambda: F.instance_norm(ROWS)),
    ("instance_norm", ShapeError, "(2, 4, 1, 1) more than one value", lambda: F.instance_norm(PIXEL)),
    ("instance_norm", DtypeError, "input int64", lambda: F.instance_norm(INTS)),
    ("instance_norm", ShapeError, "weight (3,) (4,)", lambda: F.instance_norm(IMAGE, weight=VECTOR[:3])),
    ("instance_norm", ArgumentError, "eps -1", lambda: F.instance_norm(IMAGE, eps=-1)),
    (
        "instance_norm",
        DtypeError,
        "running_mean None",
        lambda: F.instance_norm(IMAGE, use_input_stats=False),
    ),
    ("group_norm", ArgumentError, "num_groups 3 divisor 4", lambda: F.group_norm(IMAGE, 3)),
    ("group_norm", ArgumentError, "num_groups 0", lambda: F.group_norm(IMAGE, 0)),
    ("group_norm", ArgumentError, "num_groups 2.0", lambda: F.group_norm(IMAGE, 2.0)),
    ("group_norm", ShapeError, "input (4,)", lambda: F.group_norm(VECTOR, 2)),
    ("group_norm", ShapeError, "bias (3, 4) (4,)", lambda: F.group_norm(IMAGE, 2, VECTOR, ROWS)),
    ("group_norm", DtypeError, "input bool", lambda: F.group_norm(IMAGE > 0, 2)),
    ("layer_norm", ShapeError, "input (3, 4) (5,)", lambda: F.layer_norm(ROWS, 5)),
    ("layer_norm", ShapeError, "input (4,) (3, 4)", lambda: F.layer_norm(VECTOR, (3, 4))),
    ("layer_norm", ArgumentError, "normalized_shape ()", lambda: F.layer_norm(ROWS, ())),
    ("layer_norm", ArgumentError, "normalized_shape -1", lambda: F.layer_norm(ROWS, -1)),
    ("layer_norm", ArgumentError, "normalized_shape '4'", lambda: F.layer_norm(ROWS, "4")),
    ("layer_norm", ShapeError, "weight (3, 4) (4,)", lambda: F.layer_norm(ROWS, 4, ROWS)),
    ("layer_norm", DtypeError, "weight float64", lambda: F.layer_norm(ROWS, 4, DOUBLES)),
    ("layer_norm", DtypeError, "input int64", lambda: F.layer_norm(INTS, 6)),
    ("local_response_norm", ShapeError, "input (3, 4)", lambda: F.local_response_norm(ROWS, 3)),
    ("local_response_norm", ArgumentError, "size 0", lambda: F.local_response_norm(IMAGE, 0)),
    ("local_response_norm", ArgumentError, "beta '1'", lambda: F.local_response_norm(IMAGE, 3, beta="1")),
    ("local_response_norm", DtypeError, "input int64", lambda: F.local_response_norm(INTS, 3)),
]
