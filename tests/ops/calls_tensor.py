"""One right call, as in `calls.py`, of the functions of angles, diagonals, places, ranks and counts."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinyconv as tc

X = tc.tensor(np.linspace(0.11, 0.9, 12).reshape(3, 4), dtype="float32")
Y = tc.tensor(np.linspace(0.95, 0.2, 12).reshape(3, 4), dtype="float32")
STACK = tc.tensor(np.linspace(-1, 1, 24).reshape(2, 3, 4), dtype="float32")
LINE, PLACES = tc.tensor([0.1, 0.5, 0.9]), tc.tensor([0, 2])
COUNTS = tc.tensor([0, 2, 2, 1])

ONE = (
    *("acos", "asin", "atan", "cosh", "exp2", "frac", "log10", "log2", "sinh", "tan"),
    *("diag", "diag_embed", "diagonal", "trace", "median", "nansum"),
)

TENSOR_CALLS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(ONE, (X,)),
    **dict.fromkeys(("atan2", "fmod"), (X, Y)),
    **dict.fromkeys(("addcmul", "addcdiv"), (X, Y, X, {"value": 2})),
    "addmm": (X[:, :3], X, Y.t().contiguous(), {"beta": 2, "alpha": 0.5}),
    "baddbmm": (STACK[..., :3], STACK, STACK.transpose(1, 2).contiguous(), {"beta": 2, "alpha": 0.5}),
    "bincount": (COUNTS, tc.tensor([0.5, 1.5, 2.5, 3.5]), 5),
    "bucketize": (X, LINE),
    "cdist": (X, Y),
    "cumprod": (X, 1),
    "diff": (X, 2, 1),
    "histc": (X, 4, 0, 1),
    "index_add": (X, 0, PLACES, Y[:2], {"alpha": 2}),
    "index_copy": (X, 0, PLACES, Y[:2]),
    "index_fill": (X, 0, PLACES, 7),
    "isin": (COUNTS, PLACES),
    "kthvalue": (X, 2, 1),
    "lerp": (X, Y, 0.25),
    "nan_to_num": (X, 1.0, 2.0, -2.0),
    "quantile": (X, 0.3, 1),
    "searchsorted": (LINE, X),
    "unique": (COUNTS,),
}
