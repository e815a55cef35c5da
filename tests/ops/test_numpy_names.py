"""NumPy's names of arguments, `axis` and `keepdims`, wherever PyTorch takes them, and nowhere else."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import ops
from tinyconv.errors import ArgumentError

VALUES = np.random.default_rng(0).random((2, 3, 4)).astype(np.float32)
PLACES = np.array([0, 2])
WHOLE = np.array([2, 0, 1]).reshape(1, 3, 1).repeat(2, 0).repeat(4, 2)
PART = np.ones((2, 2, 4), np.float32)

BOTH = (
    "all", "any", "amax", "amin", "argmax", "argmin", "kthvalue", "logsumexp", "max", "mean", "median",
    "min", "nansum", "prod", "quantile", "std", "std_mean", "sum", "var", "var_mean",
)  # fmt: skip
"""Functions with `dim` and `keepdim`."""

AXIS = (
    "argsort", "chunk", "cosine_similarity", "count_nonzero", "cumprod", "cumsum", "diff", "gather",
    "index_add", "index_copy", "index_fill", "index_select", "log_softmax", "narrow", "repeat_interleave",
    "scatter", "scatter_add", "select", "softmax", "sort", "squeeze", "take_along_dim", "tensor_split",
    "topk", "unbind", "unflatten", "unsqueeze",
)  # fmt: skip
"""Functions with `dim` alone."""

OTHERS: dict[str, dict[str, Any]] = {
    "chunk": {"chunks": 2},
    "cosine_similarity": {"x2": VALUES + 1},
    "gather": {"index": WHOLE},
    "index_add": {"index": PLACES, "source": PART},
    "index_copy": {"index": PLACES, "source": PART},
    "index_fill": {"index": PLACES, "value": 9.0},
    "index_select": {"index": PLACES},
    "kthvalue": {"k": 2},
    "narrow": {"start": 1, "length": 2},
    "quantile": {"q": 0.3},
    "repeat_interleave": {"repeats": 2},
    "scatter": {"index": WHOLE, "src": VALUES * 2},
    "scatter_add": {"index": WHOLE, "src": VALUES * 2},
    "select": {"index": 2},
    "split": {"split_size_or_sections": 1},
    "take_along_dim": {"indices": WHOLE},
    "tensor_split": {"sections": 2},
    "topk": {"k": 2},
    "unflatten": {"sizes": (3, 1)},
}
"""What else they are given here."""

JOINED = ("cat", "concat", "concatenate", "stack")
NO_METHOD = {"cosine_similarity", "pairwise_distance", "std_mean", "unflatten", "var_mean"}
"""Of these PyTorch has no method, or (unflatten) one that is not compiled and has no other names."""

WITHOUT = ("norm", "split", "unique")
"""With `dim`, but of these PyTorch has functions in Python, which take that name alone."""

IN_NN = {"glu", "gumbel_softmax", "maxout", "normalize", "softmin"}
"""Of torch.nn.functional, in Python too; `maxout` is tinyconv's own."""


def converted(module: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The arrays as tensors."""
    return {name: module.tensor(v) if isinstance(v, np.ndarray) else v for name, v in given.items()}


def call(module: Any, name: str, as_method: bool, **given: Any) -> list[Any]:
    """The results as nested lists."""
    given = converted(module, given)
    if module is tc and "sections" in given:  # PyTorch's two signatures are one here
        given["indices_or_sections"] = given.pop("sections")
    x = module.tensor(VALUES)
    if as_method:
        result = getattr(x, name)(**given)
    else:
        result = getattr(module, name)([x, x + 1] if name in JOINED else x, **given)
    return [part.tolist() for part in (result if isinstance(result, tuple | list) else [result])]


def check(name: str, as_method: bool, **given: Any) -> None:
    torch = pytest.importorskip("torch")
    found, expected = (call(module, name, as_method, **given) for module in (tc, torch))
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("as_method", [False, True])
@pytest.mark.parametrize("name", [*BOTH, *AXIS, *JOINED])
def test_axis(name: str, as_method: bool) -> None:
    if not as_method or name not in {*NO_METHOD, *JOINED}:
        check(name, as_method, axis=1, **OTHERS.get(name, {}))


@pytest.mark.parametrize("as_method", [False, True])
@pytest.mark.parametrize("name", BOTH)
def test_keepdims(name: str, as_method: bool) -> None:
    if as_method and name in NO_METHOD:
        return
    for names in (("axis", "keepdims"), ("dim", "keepdims"), ("axis", "keepdim")):
        check(name, as_method, **{names[0]: -1, names[1]: True}, **OTHERS.get(name, {}))


def test_other_calls() -> None:
    check("pairwise_distance", False, x2=VALUES + 1, keepdims=True)
    check("sum", True, axis=(0, 2), keepdims=True)
    check("sum", True, axis=None)
    assert tc.ones(2, 3).stride(axis=0) == 3
    assert tc.zeros(2, 1).squeeze(axis=1).shape == (2,)


@pytest.mark.parametrize("name", WITHOUT)
@pytest.mark.parametrize("as_method", [False, True])
def test_where_pytorch_does_not_take_them(name: str, as_method: bool) -> None:
    torch = pytest.importorskip("torch")
    for module in (tc, torch):
        with pytest.raises(TypeError, match="axis"):
            call(module, name, as_method and module is tc, axis=1, **OTHERS.get(name, {}))


def test_no_function_is_left_out() -> None:
    """Each function or method of tensors that takes a dim is in one of the lists."""
    listed = {*BOTH, *AXIS, *JOINED, *WITHOUT, *IN_NN, "pairwise_distance", "stride"}
    found = set()
    for place in (ops, tc.Tensor):
        for name, function in vars(place).items():
            if inspect.isfunction(function) and function.__module__.startswith("tinyconv.ops"):
                found |= {name} if {"dim", "keepdim"} & set(inspect.signature(function).parameters) else set()
    assert found == listed


def test_one_argument_under_two_names() -> None:
    with pytest.raises(ArgumentError, match="sum: axis is 1, next to dim, expected one of the two"):
        tc.ones(2, 3).sum(dim=1, axis=1)
    with pytest.raises(ArgumentError, match="mean: keepdims is True, next to keepdim"):
        tc.mean(tc.ones(2), 0, keepdim=False, keepdims=True)
    with pytest.raises(TypeError, match="dim"):
        tc.ones(2, 3).sum(1, axis=1)
