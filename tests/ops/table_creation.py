"""Rows of the tables: functions that make tensors, which have no gradient, and their wrong calls."""

from __future__ import annotations

import tinyconv as tc
from tests.ops.op import Op
from tinyconv.errors import ArgumentError, DtypeError

OPS: tuple[Op, ...] = ()

NOT_DIFFERENTIABLE = {"empty", "empty_like", "full_like", "linspace", "rand_like", "randn_like", "randperm"}

ROWS = tc.ones(3, 4)

WRONG = [
    ("empty", ArgumentError, "size (-1,)", lambda: tc.empty(-1)),
    ("linspace", ArgumentError, "steps -1", lambda: tc.linspace(0, 1, -1)),
    ("linspace", ArgumentError, "steps 2.5", lambda: tc.linspace(0, 1, 2.5)),
    ("linspace", ArgumentError, "end 'one'", lambda: tc.linspace(0, "one", 3)),
    ("linspace", DtypeError, "dtype 'float1'", lambda: tc.linspace(0, 1, 3, dtype="float1")),
    ("randperm", ArgumentError, "(-1,)", lambda: tc.randperm(-1)),
    ("randperm", ArgumentError, "(2.5,)", lambda: tc.randperm(2.5)),
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
