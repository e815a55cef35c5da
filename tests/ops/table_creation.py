"""Rows of the tables: functions that make tensors, which have no gradient, and their wrong calls."""

from __future__ import annotations

import tinyconv as tc
from tests.ops.op import Op
from tinyconv.errors import ArgumentError, DtypeError, ShapeError

OPS: tuple[Op, ...] = ()

NOT_DIFFERENTIABLE = {
    "bernoulli", "empty", "empty_like", "full_like", "linspace", "multinomial", "normal", "rand_like",
    "randint_like", "randn_like", "randperm",
}  # fmt: skip

ROWS = tc.ones(3, 4)

WRONG = [
    ("empty", ArgumentError, "size (-1,)", lambda: tc.empty(-1)),
    ("linspace", ArgumentError, "steps -1", lambda: tc.linspace(0, 1, -1)),
    ("linspace", ArgumentError, "steps 2.5", lambda: tc.linspace(0, 1, 2.5)),
    ("linspace", ArgumentError, "end 'one'", lambda: tc.linspace(0, "one", 3)),
    ("linspace", DtypeError, "dtype 'float1'", lambda: tc.linspace(0, 1, 3, dtype="float1")),
    ("arange", ArgumentError, "end 'x'", lambda: tc.arange(0, "x")),
    ("arange", ArgumentError, "start nan", lambda: tc.arange(float("nan"), 3)),
    ("arange", ArgumentError, "step -1 1 3", lambda: tc.arange(1, 3, -1)),
    ("full", ArgumentError, "fill_value 'x'", lambda: tc.full((2,), "x")),
    ("linspace", ArgumentError, "start inf", lambda: tc.linspace(float("inf"), 1, 3)),
    ("randint", ArgumentError, "high 2.5", lambda: tc.randint(0, 2.5, (2,))),
    ("zeros", ArgumentError, "requires_grad 1", lambda: tc.zeros(2, requires_grad=1)),
    ("zeros", ArgumentError, "size 4611686018427387904", lambda: tc.zeros(2**62)),
    ("tensor", DtypeError, "data float16 float32", lambda: tc.tensor(ROWS.numpy().astype("float16"))),
    ("from_numpy", DtypeError, "array float16", lambda: tc.from_numpy(ROWS.numpy().astype("float16"))),
    ("randperm", ArgumentError, "n -1", lambda: tc.randperm(-1)),
    ("randperm", ArgumentError, "n 2.5", lambda: tc.randperm(2.5)),
    ("randint", ArgumentError, "high 2 > low", lambda: tc.randint(2, 2, (3,))),
    ("randint", ArgumentError, "low 1.5", lambda: tc.randint(1.5, 3, (3,))),
    ("randint", ArgumentError, "size (None,)", lambda: tc.randint(3)),
    ("randint_like", ArgumentError, "high 0", lambda: tc.randint_like(ROWS, 0)),
    ("randint_like", DtypeError, "input list", lambda: tc.randint_like([1], 3)),
    ("randn", DtypeError, "generator int", lambda: tc.randn(3, generator=7)),
    ("rand", DtypeError, "dtype int64", lambda: tc.rand(3, dtype=tc.int64)),
    ("bernoulli", ArgumentError, "input outside", lambda: tc.bernoulli(ROWS * 2)),
    ("bernoulli", DtypeError, "input int64", lambda: tc.bernoulli(tc.arange(2))),
    ("multinomial", ArgumentError, "num_samples 5 4", lambda: tc.multinomial(ROWS, 5)),
    ("multinomial", ArgumentError, "num_samples 0", lambda: tc.multinomial(ROWS, 0)),
    ("multinomial", ArgumentError, "input no weights", lambda: tc.multinomial(-ROWS, 1)),
    ("multinomial", ShapeError, "input (1, 3, 4)", lambda: tc.multinomial(ROWS[None], 1)),
    ("normal", ArgumentError, "std negative", lambda: tc.normal(0.0, -1.0, (2,))),
    ("normal", ShapeError, "(3, 4) and (2,)", lambda: tc.normal(ROWS, tc.ones(2))),
    ("normal", DtypeError, "mean int64", lambda: tc.normal(tc.arange(2), 1.0)),
    ("eye", ArgumentError, "(-2, -2)", lambda: tc.eye(-2)),
    ("zeros_like", DtypeError, "input list", lambda: tc.zeros_like([1.0])),
    ("ones_like", DtypeError, "dtype 'float1'", lambda: tc.ones_like(ROWS, dtype="float1")),
    ("full_like", ArgumentError, "fill_value 'seven'", lambda: tc.full_like(ROWS, "seven")),
    ("full_like", ArgumentError, "fill_value 0.5", lambda: tc.full_like(tc.arange(3), 0.5)),
    ("full_like", ArgumentError, "fill_value inf", lambda: tc.full_like(tc.arange(3), float("inf"))),
    ("empty_like", DtypeError, "input int", lambda: tc.empty_like(3)),
    ("rand_like", ArgumentError, "dtype int64", lambda: tc.rand_like(tc.arange(3))),
    ("randn_like", DtypeError, "input ndarray", lambda: tc.randn_like(ROWS.numpy())),
]
