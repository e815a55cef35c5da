"""One right call of every op, with every argument given that it has.

`CALLS` maps a name to the arguments in order, then those by name; what is left out has its default.
A function of `tinyconv.ops` or `tinyconv.nn.functional` without a line here fails the suite.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.ops.calls_tensor import TENSOR_CALLS
from tinyconv.ops import methods

X = tc.tensor(np.linspace(0.11, 0.9, 12).reshape(3, 4), dtype="float32")
Y = tc.tensor(np.linspace(0.95, 0.2, 12).reshape(3, 4), dtype="float32")
V, W = X[0].contiguous(), Y[1].contiguous()
LINE = tc.tensor(np.linspace(-1, 1, 48).reshape(2, 4, 6), dtype="float32")
IMAGE = tc.tensor(np.linspace(-1, 1, 240).reshape(2, 4, 5, 6), dtype="float32")
VOLUME = tc.tensor(np.linspace(-1, 1, 480).reshape(2, 4, 3, 4, 5), dtype="float32")
FOUR, SIX = V - 0.5, tc.tensor(np.linspace(-1, 1, 6), dtype="float32")
MASK, TRUTH = tc.tensor(np.arange(12).reshape(3, 4) % 3 == 0), tc.tensor(np.arange(12).reshape(3, 4) % 2 == 0)
COUNTS = tc.tensor(np.arange(12).reshape(3, 4) % 5 + 1)
CLASSES, FIRST = tc.tensor([0, 1, 3]), tc.tensor([[0], [1], [3]])
SIGNS = tc.tensor([1.0, -1.0, 1.0])
PROBABILITIES, TARGET = (IMAGE + 1) / 2, (1 - IMAGE) / 2
LABELS, MAP = tc.tensor(np.arange(60).reshape(2, 5, 6) % 4), TARGET[:, 0].contiguous()
DISTANCES = tc.tensor(1 - np.eye(4), dtype="float32")
GRID = tc.tensor(np.linspace(-1.1, 1.1, 36).reshape(2, 3, 3, 2), dtype="float32")
BOXES = tc.tensor([[0.0, 1, 1, 7, 9], [1, 0, 2, 10, 6]])
THETA = tc.tensor(np.linspace(-1, 1, 12).reshape(2, 2, 3), dtype="float32")


def weights(*shape: int) -> tc.Tensor:
    return tc.tensor(np.linspace(-1, 1, int(np.prod(shape))).reshape(shape), dtype="float32")


def places(dims: int) -> tc.Tensor:
    return tc.arange(2**dims).reshape(1, 1, *[2] * dims)


def conv(x: tc.Tensor, dims: int) -> tuple[Any, ...]:
    return x, weights(6, 2, *[3] * dims), SIX, 2, 1, 1, 2


def conv_transpose(x: tc.Tensor, dims: int) -> tuple[Any, ...]:
    return x, weights(4, 3, *[3] * dims), SIX, 2, 1, 1, 2, 1


PICTURES = {1: LINE, 2: IMAGE, 3: VOLUME}

UNARY = [
    "abs",
    "ceil",
    "cos",
    "exp",
    "expm1",
    "floor",
    "isfinite",
    "isinf",
    "isnan",
    "log",
    "log1p",
    "logical_not",
    "logsigmoid",
    "neg",
    "ravel",
    "reciprocal",
    "relu",
    "relu6",
    "rsqrt",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sqrt",
    "square",
    "t",
    "tanh",
    "trunc",
    "clone",
    "contiguous",
]
BINARY = [
    "add",
    "div",
    "eq",
    "equal",
    "floor_divide",
    "ge",
    "gt",
    "le",
    "logical_and",
    "logical_or",
    "logical_xor",
    "lt",
    "maximum",
    "minimum",
    "mul",
    "ne",
    "pow",
    "remainder",
    "sub",
    "expand_as",
    "view_as",
]

CALLS: dict[str, tuple[Any, ...]] = {
    **TENSOR_CALLS,
    **dict.fromkeys(UNARY, (X,)),
    **dict.fromkeys(BINARY, (X, Y)),
    **{f"adaptive_{kind}_pool{d}d": (x, 2) for d, x in PICTURES.items() for kind in ("avg", "max")},
    **{f"avg_pool{d}d": (x, 2, 2, 1) for d, x in PICTURES.items()},
    **{f"max_pool{d}d": (x, 2, 2, 1) for d, x in PICTURES.items()},
    **{f"lp_pool{d}d": (x + 2, 2, 2, 2) for d, x in PICTURES.items()},
    **{f"max_unpool{d}d": (weights(1, 1, *[2] * d), places(d), 2, 2, 0, (4,) * d) for d in PICTURES},
    **{f"conv{d}d": conv(x, d) for d, x in PICTURES.items()},
    **{f"conv_transpose{d}d": conv_transpose(x, d) for d, x in PICTURES.items()},
    **{f"dropout{d}d": (x, 0.5, False) for d, x in PICTURES.items()},
    **dict.fromkeys(("dropout", "alpha_dropout"), (IMAGE, 0.5, False)),
    **dict.fromkeys(("all", "any"), (MASK, 0)),
    **dict.fromkeys(
        (
            "amax",
            "amin",
            "argmax",
            "argmin",
            "count_nonzero",
            "logsumexp",
            "max",
            "mean",
            "min",
            "prod",
            "std",
            "std_mean",
            "sum",
            "var",
            "var_mean",
        ),
        (X, 1),
    ),
    **dict.fromkeys(("allclose", "isclose"), (X, Y)),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor"), (MASK, TRUTH)),
    **dict.fromkeys(
        ("cumsum", "log_softmax", "softmax", "softmin", "sort", "argsort", "squeeze", "unsqueeze", "unbind"),
        (X, 1),
    ),
    **dict.fromkeys(("binary_cross_entropy", "binary_cross_entropy_with_logits"), (X, Y, X)),
    **dict.fromkeys(("l1_loss", "mse_loss"), (X, Y, {"weight": X})),
    **dict.fromkeys(("dice_loss", "generalised_dice_loss", "tversky_loss"), (PROBABILITIES, TARGET)),
    **dict.fromkeys(("cross_entropy", "nll_loss", "focal_loss"), (X, CLASSES, V)),
    **dict.fromkeys(("ones", "zeros", "empty", "rand", "randn"), ((2, 3),)),
    **dict.fromkeys(("ones_like", "zeros_like", "empty_like", "rand_like", "randn_like"), (X,)),
    **dict.fromkeys(("tril", "triu"), (X, 1)),
    **dict.fromkeys(
        (
            "fliplr",
            "flipud",
            "glu",
            "gumbel_softmax",
            "hardshrink",
            "hardsigmoid",
            "hardswish",
            "is_floating_point",
            "is_tensor",
            "mish",
            "numel",
            "pdist",
            "rot90",
            "rrelu",
            "softshrink",
            "softsign",
            "tanhshrink",
            "bernoulli",
        ),
        (X,),
    ),
    **dict.fromkeys(("column_stack", "hstack", "vstack"), ((X, Y),)),
    "broadcast_tensors": (X, V),
    "broadcast_to": (V, (3, 4)),
    "feature_alpha_dropout": (IMAGE, 0.5, False),
    "multi_margin_loss": (X, CLASSES, {"margin": 0.5, "weight": V}),
    "multilabel_margin_loss": (X, COUNTS - 2),
    "multilabel_soft_margin_loss": (X, Y, V),
    "multinomial": (X, 2),
    "normal": (X, Y),
    "randint_like": (X, 0, 5),
    "soft_margin_loss": (V[:3].contiguous(), SIGNS),
    "tensor_split": (X, 2, 1),
    "threshold": (X, 0.5, 0.25),
    "triplet_margin_with_distance_loss": (X, Y, X * 0.9),
    "unflatten": (X, 1, (2, 2)),
    "affine_grid": (THETA, (2, 3, 4, 5), False),
    "arange": (1, 7, 2),
    "as_tensor": ([1.0, 2.0],),
    "astype": (X, "float64"),
    "batch_norm": (IMAGE, FOUR, V, W, V + 1, False),
    "bilinear": (X, Y, weights(2, 4, 4), weights(2)),
    "binary_focal_loss_with_logits": (X, Y),
    "bitwise_not": (MASK,),
    "bmm": (LINE, weights(2, 6, 3)),
    "cat": ((X, Y), 1),
    "celu": (X - 0.5, 1.5),
    "channel_shuffle": (IMAGE, 2),
    "chunk": (X, 2, 1),
    "clamp": (X, 0.3, 0.6),
    "cosine_embedding_loss": (X, Y, SIGNS),
    "cosine_similarity": (X, Y),
    "dot": (V, W),
    "einsum": ("ij,kj->ik", X, Y),
    "elu": (X - 0.5, 1.5),
    "embedding": (CLASSES, weights(5, 3), 1),
    "expand": (X[:1], (3, 4)),
    "eye": (2, 3),
    "flatten": (X, 0, 1),
    "flip": (X, (0, 1)),
    "fold": (weights(2, 8, 12), (4, 5), 2, 1, 0, 1),
    "from_numpy": (np.ones(3),),
    "full": ((2, 3), 1.5),
    "full_like": (X, 1.5),
    "gather": (X, 1, FIRST),
    "gaussian_nll_loss": (X, Y, X),
    "gelu": (X, "tanh"),
    "generalised_wasserstein_dice_loss": (PROBABILITIES, LABELS, DISTANCES),
    "grid_sample": (IMAGE, GRID, "bilinear", "zeros", False),
    "group_norm": (IMAGE, 2, V, W),
    "hardtanh": (X, 0.3, 0.6),
    "hinge_embedding_loss": (V[:3].contiguous(), SIGNS),
    "huber_loss": (X, Y, {"delta": 0.3, "weight": X}),
    "index": (X, 1),
    "index_select": (X, 1, CLASSES),
    "instance_norm": (IMAGE, FOUR, V, W, V, False),
    "interpolate": (IMAGE, None, 2.0, "bilinear", False),
    "kl_div": (X, Y),
    "layer_norm": (X, (4,), V, W),
    "leaky_relu": (X - 0.5, 0.2),
    "linear": (X, weights(6, 4), SIX),
    "linspace": (0, 1, 5),
    "local_response_norm": (IMAGE, 3),
    "margin_ranking_loss": (V[:3].contiguous(), W[:3].contiguous(), SIGNS),
    "masked_fill": (X, MASK, 0.5),
    "masked_select": (X, MASK),
    "matmul": (X, weights(4, 2)),
    "maxout": (IMAGE, 2),
    "meshgrid": (V, W),
    "mm": (X, weights(4, 2)),
    "movedim": (X, 0, 1),
    "mv": (X, V),
    "narrow": (X, 1, 1, 2),
    "nonzero": (MASK,),
    "norm": (X, 3, 1),
    "normalize": (X,),
    "one_hot": (CLASSES, 5),
    "outer": (V, W),
    "pad": (IMAGE, (1, 2), "constant", 0.5),
    "pairwise_distance": (X, Y),
    "permute": (X, (1, 0)),
    "pixel_shuffle": (IMAGE, 2),
    "pixel_unshuffle": (IMAGE[..., :4, :], 2),
    "poisson_nll_loss": (X, Y),
    "prelu": (IMAGE, V),
    "randint": (0, 5, (2, 3)),
    "randperm": (5,),
    "repeat": (X, (2, 1)),
    "repeat_interleave": (X, 2, 1),
    "reshape": (X, (4, 3)),
    "roi_align": (IMAGE, BOXES, (2, 3), 0.5, 2, True),
    "roll": (X, 1, 1),
    "round": (X, 1),
    "scatter": (X, 1, FIRST, 0.5),
    "scatter_add": (X, 1, FIRST, Y),
    "select": (X, 1, 2),
    "smooth_l1_loss": (X, Y),
    "softplus": (X, 1.5),
    "split": (X, 2, 1),
    "stack": ((X, Y), 1),
    "take_along_dim": (X, FIRST, 1),
    "tensor": ([1.0, 2.0],),
    "tile": (X, (2, 1)),
    "to": (X, "float64"),
    "topk": (X, 2, 1),
    "transpose": (X, 0, 1),
    "triplet_margin_loss": (X, Y, X * 0.9),
    "unfold": (IMAGE, 2, 1, 1, 1),
    "weighted_pixel_cross_entropy": (IMAGE, LABELS, MAP),
    "where": (MASK, X, Y),
}


def function(name: str) -> Callable[..., Any]:
    """tinyconv's function of this name."""
    for place in (tc.ops, F):
        if name in place.__all__:
            return getattr(place, name)
    named = {f.__name__: f for f in (*methods.METHODS.values(), *methods.OPERATORS.values())}
    return named[name]


def arguments(name: str) -> dict[str, Any]:
    """Every argument by name; those after a ``*`` of the signature as one tuple."""
    given = CALLS[name]
    keywords = given[-1] if isinstance(given[-1], dict) else {}
    bound = inspect.signature(function(name)).bind(*given[: len(given) - bool(keywords)], **keywords)
    bound.apply_defaults()
    return dict(bound.arguments)


def call(name: str, given: dict[str, Any], other: Callable[..., Any] | None = None) -> Any:
    """The function of this name, or `other` of the same arguments, called; defaults are left out.

    What has a default is given by keyword, the rest in order.
    """
    f = function(name)
    positional: list[Any] = []
    keywords = {}
    for key, parameter in inspect.signature(f).parameters.items():
        value = given[key]
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            positional += value
        elif parameter.default is inspect.Parameter.empty:
            positional.append(value)
        elif value is not parameter.default:
            keywords[key] = value
    return (other or f)(*positional, **keywords)
