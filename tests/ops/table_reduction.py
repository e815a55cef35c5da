"""Rows of the tables: reductions and running sums."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

from hypothesis import strategies as st

import tinyconv as tc
from tests.ops.cases import Case, along_dim, one_dim
from tests.ops.op import Op, method
from tinyconv.errors import ArgumentError, DtypeError, ShapeError


def with_option(cases: st.SearchStrategy[Case], **options: st.SearchStrategy[Any]) -> st.SearchStrategy[Case]:
    """Cases with one more option."""
    return st.builds(
        lambda case, more: replace(case, options={**case.options, **more}),
        cases,
        st.fixed_dictionaries(options),
    )


def all_dims(name: str) -> Any:
    """PyTorch's function, to which dim=None is given as all dimensions."""
    return lambda torch, x, dim, keepdim, **options: getattr(torch, name)(
        x, dim=tuple(range(x.ndim)) if dim is None else dim, keepdim=keepdim, **options
    )


def of_all(name: str) -> Any:
    """PyTorch's function, which takes no keepdim where there is no dim."""

    def twin(torch: Any, x: Any, dim: Any, keepdim: bool) -> Any:
        if dim is not None:
            return getattr(torch, name)(x, dim, keepdim)
        y = getattr(torch, name)(x)
        return y.reshape([1] * x.ndim) if keepdim else y

    return twin


def norm(torch: Any, x: Any, **options: Any) -> Any:
    """PyTorch's norm, with a gradient of 0 where it has none, for p = 0; "fro" over any number of dims."""
    if options["p"] == "fro" and isinstance(options["dim"], tuple):
        options["p"] = 2
    return torch.norm(x, **options) + 0 * x.sum()


corrections = st.sampled_from((0, 0.5))
orders = st.sampled_from(("fro", 1, 2, 2.5, 3, 1.5, 0.5, inf, -inf, 0))
dims = along_dim("distinct", min_side=1)
many = along_dim(min_side=2).filter(lambda case: case.inputs[0].shape != ())

OPS = (
    Op("amin", tc.amin, dims, all_dims("amin")),
    Op("min", tc.min, one_dim("distinct"), lambda torch, x, dim: tuple(torch.min(x, dim))),
    Op("var", tc.var, with_option(along_dim(min_side=1), correction=corrections), all_dims("var")),
    Op("var", tc.var, many, lambda torch, x, dim, keepdim: torch.var(x, dim=dim, keepdim=keepdim)),
    Op("std", tc.std, with_option(many, correction=corrections), all_dims("std")),
    Op("std", tc.std, many, lambda torch, x, dim, keepdim: torch.std(x, dim=dim, keepdim=keepdim)),
    Op(
        "var_mean",
        tc.var_mean,
        with_option(along_dim(min_side=1), correction=corrections),
        all_dims("var_mean"),
    ),
    Op("std_mean", tc.std_mean, with_option(many, correction=corrections), all_dims("std_mean")),
    Op("prod", tc.prod, along_dim(many=False), of_all("prod")),
    Op("logsumexp", tc.logsumexp, along_dim(min_side=1), all_dims("logsumexp")),
    Op("cumsum", tc.cumsum, one_dim(), method("cumsum")),
    Op("norm", tc.norm, with_option(along_dim("nonzero", min_side=1), p=orders), norm),
)

NOT_DIFFERENTIABLE = {"argmin", "count_nonzero"}

ROWS = tc.ones(3, 4)

WRONG = [
    ("amin", ShapeError, "input (0, 4)", lambda: tc.zeros(0, 4).amin(0)),
    ("amin", ArgumentError, "dim 2", lambda: ROWS.amin((0, 2))),
    ("amin", ShapeError, "input (0,)", lambda: tc.zeros(0).min()),
    ("min", ArgumentError, "dim 3", lambda: ROWS.min(3)),
    ("argmin", ShapeError, "input (0,)", lambda: tc.zeros(0).argmin()),
    ("argmin", ArgumentError, "dim -3", lambda: ROWS.argmin(-3)),
    ("minimum", ShapeError, "(3, 4) and (2,)", lambda: ROWS.min(tc.ones(2))),
    ("var", DtypeError, "input int64", lambda: tc.arange(3).var()),
    ("var", ArgumentError, "dim 2", lambda: ROWS.var(2)),
    ("var", ArgumentError, "unbiased 'yes'", lambda: ROWS.var(0, "yes")),
    ("std", ArgumentError, "correction 'one'", lambda: ROWS.std(correction="one")),
    ("std", DtypeError, "input list", lambda: tc.std([1.0])),
    ("var_mean", ArgumentError, "dim 2", lambda: tc.var_mean(ROWS, 2)),
    ("std_mean", DtypeError, "input int64", lambda: tc.std_mean(tc.arange(3))),
    ("count_nonzero", DtypeError, "input list", lambda: tc.count_nonzero([1.0])),
    ("prod", ArgumentError, "dim 2", lambda: ROWS.prod(2)),
    ("prod", DtypeError, "input list", lambda: tc.prod([1.0])),
    ("logsumexp", ArgumentError, "dim 2", lambda: ROWS.logsumexp(2)),
    ("cumsum", ArgumentError, "dim 2", lambda: ROWS.cumsum(2)),
    ("cumsum", ArgumentError, "dim None", lambda: ROWS.cumsum(None)),
    ("norm", ArgumentError, "p 'nuc'", lambda: ROWS.norm("nuc")),
    ("norm", ArgumentError, "p [2]", lambda: ROWS.norm([2])),
    ("norm", DtypeError, "input int64", lambda: tc.arange(3).norm()),
    ("norm", ArgumentError, "dim 2", lambda: ROWS.norm(dim=2)),
]
