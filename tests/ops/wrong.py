"""Values that hardly any argument can take, and where tinyconv may take more than PyTorch does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinyconv as tc
from tests.gpu import tensor

VALUES: dict[str, Any] = {
    "None": None,
    "-1": -1,
    "0": 0,
    "1.5": 1.5,
    "a word": "x",
    "a list": [1, 2],
    "a list of words": ["a"],
    "nan": float("nan"),
    "inf": float("inf"),
    "-100": -100,
    "a huge int": 2**62,
    "an int beyond int64": 10**30,
    "an object": object(),
    "()": (),
    "a long tuple": (1, 2, 3, 4, 5, 6, 7),
    "a pair": (-1, 0),
    "True": True,
    "a dict": {},
    "an array": np.ones(2),
    "a complex number": 1j,
}

TENSORS: dict[str, Callable[[Any], Any]] = {
    "0 dimensions": lambda x: x.reshape(-1)[0] if x.size else x.sum(),
    "another rank": lambda x: np.ones((2,) * (4 if x.ndim == 5 else 5), x.dtype),
    "integers": lambda x: x.astype("int64"),
    "uint8": lambda x: x.astype("uint8"),
    "float64": lambda x: x.astype("float64"),
    "truth values": lambda x: x.astype(bool),
    "nothing in the last dimension": lambda x: x[..., :0],
    "nan everywhere": lambda x: np.full(x.shape, np.nan, "float32"),
    "far below zero": lambda x: -7 * x.astype("float32"),
    "other sizes": lambda x: np.ones([n + 3 for n in x.shape], x.dtype),
}


def replacements(value: Any) -> dict[str, Any]:
    """What is tried in the place of `value`."""
    array = value.detach().numpy() if isinstance(value, tc.Tensor) else np.ones((3, 4), "float32")
    made = {f"a tensor: {name}": tensor(np.asarray(make(array))) for name, make in TENSORS.items()}
    return {**VALUES, **made}


COMPARISONS = ["eq", "ge", "gt", "le", "lt", "ne", "logical_and", "logical_or", "logical_xor"]
INDICES = {**dict.fromkeys(("index_add", "index_copy", "index_fill"), "index"),
           "gather": "index", "scatter": "index", "scatter_add": "index", "index_select": "index",
           "take_along_dim": "indices", "embedding": "input", "one_hot": "tensor",
           **{f"max_unpool{d}d": "indices" for d in (1, 2, 3)}}  # fmt: skip

WIDER: dict[tuple[str, str], str] = {
    **{(f"adaptive_{kind}_pool{d}d", "output_size"): "None alone keeps every size"
       for kind in ("avg", "max") for d in (1, 2, 3)},
    **{(op, side): "the number may stand on either side"
       for op in COMPARISONS for side in ("input", "other")},
    **dict.fromkeys(INDICES.items(), "integers of any width are places"),
    **{(op, side): "numbers of two dtypes are compared as numbers"
       for op in ("allclose", "isclose") for side in ("input", "other")},
    **{(op, "input"): "truth values are ordered" for op in ("argmax", "argmin", "topk")},
    **{(op, "dim"): "a truth value or a tensor in the place of dim is what it is by position"
       for op in ("std", "var", "max", "min")},
    **{("sub", side): "the difference to a truth value is that to 0 or 1" for side in ("input", "other")},
    **dict.fromkeys((("broadcast_to", "size"), ("unflatten", "sizes"), ("flip", "each"), ("full", "size"),
                     ("randint", "size"), ("reshape", "shape"), ("tile", "dims")),
                    "a single size needs no tuple around it"),
    **{("isin", side): "truth values can be looked up" for side in ("elements", "test_elements")},
    **{(op, "input"): "truth values are ordered" for op in ("kthvalue", "median")},
    ("trace", "input"): "truth values are counted",
    ("arange", "end"): "arange(start) counts from 0",
    ("clamp", "min"): "one limit may be a tensor, the other a number",
    ("clamp", "max"): "one limit may be a tensor, the other a number",
    ("gaussian_nll_loss", "var"): "the variance may be a whole number",
    ("logsumexp", "dim"): "None means all dimensions",
    ("multi_margin_loss", "target"): "integers of any width are classes",
    ("margin_ranking_loss", "target"): "true stands for 1",
    ("round", "input"): "whole numbers are round",
    ("gumbel_softmax", "eps"): "unused",
    ("randint_like", "input"): "truth values are drawn as numbers",
    ("where", "input"): "the number may have its name",
}  # fmt: skip
"""Arguments of which tinyconv takes a value that PyTorch refuses."""

DIFFERENT: dict[tuple[str, str], str] = {
    ("all", "input"): "PyTorch answers about uint8 in uint8",
    ("any", "input"): "PyTorch answers about uint8 in uint8",
    ("celu", "alpha"): "infinity times zero is nan, which PyTorch's vector code gives for some elements only",
    ("grid_sample", "grid"): "nan is nowhere in the image; PyTorch calls it undefined",
    ("multilabel_margin_loss", "input"): "nan stays nan; PyTorch's comparison drops it",
    ("pixel_unshuffle", "input"): "PyTorch leaves an empty input as it is",
    ("bucketize", "boundaries"): "where numbers belong among nan is not said",
    ("searchsorted", "sorted_sequence"): "where numbers belong among nan is not said",
    ("kthvalue", "input"): "which of equal values comes first is not said",
    ("median", "input"): "which of equal values comes first is not said",
    ("topk", "input"): "which of equal values comes first is not said",
}
"""Arguments for which a value gives another result than PyTorch's."""
