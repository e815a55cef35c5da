"""The edges of an op's cases: nothing in the batch, sizes of 1, broadcasting, every memory order.

All are made from cases that the op's strategy draws, always the same ones, so that a new line of
the table brings its edges with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import chain, islice
from math import prod

from hypothesis import HealthCheck, Phase, given, settings

from tests.ops.cases import Case, Shape, Values
from tests.ops.op import Op

DRAWN = 40

PAIR_LOSSES = (
    "binary_focal_loss_with_logits", "dice_loss", "generalised_dice_loss", "hinge_embedding_loss",
    "huber_loss", "kl_div", "l1_loss", "margin_ranking_loss", "mse_loss", "poisson_nll_loss",
    "smooth_l1_loss", "soft_margin_loss", "triplet_margin_loss",
    "triplet_margin_with_distance_loss", "tversky_loss",
)  # fmt: skip

CANNOT = {
    **{(op, "broadcast"): "a target of another shape is nearly always a mistake" for op in PAIR_LOSSES},
    **{(f"max_unpool{d}d", "broadcast"): "each value has its own place" for d in (1, 2, 3)},
    ("affine_grid", "empty"): "the size says how many maps there are",
    ("affine_grid", "ones"): "a map has at least 2 rows and 3 columns",
    ("batch_norm", "ones"): "one value has no variance",
    ("dot", "broadcast"): "the vectors are equally long",
    ("expand_as", "empty"): "a dimension cannot be expanded to nothing by another tensor",
    ("glu", "ones"): "one element has no two halves",
    ("index", "empty"): "there is no place in an empty dimension",
    ("grid_sample", "ones"): "a place has at least 2 coordinates",
    ("instance_norm", "ones"): "one value has no variance",
    ("quantile", "empty"): "there is no element to choose",
    ("roi_align", "ones"): "a box has four corners",
    ("stack", "broadcast"): "all tensors have one shape",
}
"""Edges at which tinyconv computes nothing, and why; nor does PyTorch, but for `STRICTER`."""

STRICTER = {
    **{(op, edge): "PyTorch broadcasts the target, and warns" for op in PAIR_LOSSES
       for edge in ("empty", "broadcast")},
    **{(op, edge): "PyTorch broadcasts vectors, weights and statistics that are no twins of the input"
       for op in ("batch_norm", "cosine_embedding_loss", "gaussian_nll_loss", "instance_norm", "linear",
                  "generalised_wasserstein_dice_loss", "weighted_pixel_cross_entropy", "focal_loss",
                  "multilabel_soft_margin_loss")
       for edge in ("empty", "broadcast")},
    **{(op, "empty"): "a loss of no classes" for op in ("cross_entropy", "nll_loss")},
    **{(op, "broadcast"): "numbers and vectors of one element are different things"
       for op in ("gather", "scatter", "scatter_add")},
    **{("take_along_dim", edge): "PyTorch reads beyond the end of a dimension of size 1"
       for edge in ("ones", "broadcast")},
    **{(f"max_pool{d}d", "ones"): "a window without a pixel has no maximum" for d in (1, 2, 3)},
    **{(f"conv_transpose{d}d", edge): "an output without pixels"
       for d in (1, 2, 3) for edge in ("empty", "ones", "broadcast")},
    ("hstack", "broadcast"): "PyTorch leaves out vectors without elements, whatever the rank of the others",
    ("unbind", "empty"): "nothing comes out that a gradient could go back through",
    ("interpolate", "ones"): "an output without pixels",
    ("maxout", "ones"): "PyTorch has no maxout: the test's own takes a smaller last piece",
}  # fmt: skip
"""Edges at which PyTorch accepts calls that tinyconv refuses."""

WIDER = {
    **{(op, "empty"): "PyTorch takes no images without channels, or refuses what it can only loop over"
       for op in ("instance_norm", "maxout", "pad", "unfold")},
    **{(op, "ones"): "PyTorch has no gradient for a volume smaller than the window"
       for op in ("avg_pool3d", "lp_pool3d")},
    ("focal_loss", "ones"): "a label that is ignored needs to be no class",
    ("focal_loss", "broadcast"): "a label that is ignored needs to be no class",
    ("group_norm", "ones"): "one value has the variance 0; PyTorch refuses it in a batch of one",
    ("group_norm", "broadcast"): "one value has the variance 0; PyTorch refuses it in a batch of one",
}  # fmt: skip
"""Edges at which tinyconv accepts calls that PyTorch, or the formula in its place, refuses."""

DIFFERENT = {
    **{("clamp", edge): "PyTorch has no gradient where the limits are larger than the input"
       for edge in ("empty", "broadcast")},
    ("focal_loss", "ones"): "the formula has no gradient where the loss is 0",
    ("multi_margin_loss", "empty"): "PyTorch's mean of nothing is what the memory held",
    ("multilabel_margin_loss", "empty"): "PyTorch's mean of nothing is what the memory held",
    ("pixel_shuffle", "empty"): "PyTorch's gradient has the wrong shape",
    ("pixel_unshuffle", "empty"): "PyTorch leaves an empty input as it is",
}  # fmt: skip
"""Edges at which PyTorch's results are not compared."""


@cache
def drawn(op: Op) -> list[Case]:
    """The first cases that the strategy draws, the same in every run."""
    cases: list[Case] = []

    @settings(
        max_examples=DRAWN,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(op.cases)
    def keep(case: Case) -> None:
        cases.append(case)

    keep()
    return cases


def tensors(case: Case) -> tuple[Values, ...]:
    """Inputs and constants."""
    return (*case.inputs, *case.constants)


def with_tensors(case: Case, values: list[Values]) -> Case:
    """The case with other inputs and constants."""
    count = len(case.inputs)
    return replace(case, inputs=tuple(values[:count]), constants=tuple(values[count:]))


def reshaped(case: Case, change: Callable[[int, Shape], Shape]) -> Case:
    """The case with the shape of tensor i changed to ``change(i, shape)``."""
    return with_tensors(case, [replace(v, shape=change(i, v.shape)) for i, v in enumerate(tensors(case))])


def in_order(case: Case, order: str) -> Case:
    """The case with every tensor laid out in memory like this."""
    return with_tensors(case, [replace(v, order=order) for v in tensors(case)])


def has_an_empty_batch(case: Case) -> bool:
    return any(v.shape[:1] == (0,) for v in tensors(case))


def has_only_sizes_1(case: Case) -> bool:
    return any(v.shape for v in tensors(case)) and all(set(v.shape) <= {1} for v in tensors(case))


def broadcasts(case: Case) -> bool:
    """Whether a size 1, or a dimension that is not there, meets a size that is not 1."""
    ranks = max(len(v.shape) for v in tensors(case))
    padded = [(1,) * (ranks - len(v.shape)) + v.shape for v in tensors(case)]
    return any(1 in sizes and max(sizes) > 1 for sizes in zip(*padded, strict=True))


def emptied(case: Case) -> Iterator[Case]:
    """The first dimension without elements: of the first tensor, or of all that share its size."""
    first = tensors(case)[0].shape
    if first:
        yield reshaped(case, lambda i, s: (0, *s[1:]) if i == 0 else s)
        yield reshaped(case, lambda i, s: (0, *s[1:]) if s[:1] == first[:1] else s)
        for j in range(1, len(tensors(case))):
            yield reshaped(case, lambda i, s, j=j: (0, *s[1:]) if i in (0, j) and s else s)


def ones(case: Case) -> Iterator[Case]:
    """Every size 1."""
    yield reshaped(case, lambda i, s: (1,) * len(s))


def repeated(case: Case) -> Iterator[Case]:
    """One dimension of one tensor of size 1, or its leading dimension left out."""
    if len(tensors(case)) < 2:
        return
    for j, values in enumerate(tensors(case)):
        for d, n in enumerate(values.shape):
            if n > 1:
                yield reshaped(case, lambda i, s, j=j, d=d: (*s[:d], 1, *s[d + 1 :]) if i == j else s)
        if values.shape and values.shape[0] > 1:
            yield reshaped(case, lambda i, s, j=j: s[1:] if i == j else s)


EDGES: dict[str, tuple[Callable[[Case], bool], Callable[[Case], Iterator[Case]]]] = {
    "empty": (has_an_empty_batch, emptied),
    "ones": (has_only_sizes_1, ones),
    "broadcast": (broadcasts, repeated),
}


def candidates(op: Op, edge: str, most: int = 60) -> list[Case]:
    """Cases at this edge: those drawn, then those made of the others; not all of them are right calls."""
    at_edge, made = EDGES[edge]
    found = (case for case in drawn(op) if at_edge(case))
    return list(islice(chain(found, *map(made, drawn(op))), most))


def largest(op: Op) -> Case:
    """The drawn case with the most elements and dimensions."""
    return max(drawn(op), key=lambda case: [(len(v.shape), prod(v.shape)) for v in tensors(case)])
