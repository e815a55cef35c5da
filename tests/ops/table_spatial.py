"""The table's rows of the spatial ops: padding, interpolation, sampling, embeddings, distances."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import floor
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.ops.cases import Case, Values, orders, seeds
from tests.ops.op import Op, functional
from tinyconv.errors import ArgumentError, DtypeError, ShapeError, TinyconvError


@st.composite
def paddings(draw: Any) -> Case:
    """Any mode; widths from cropping down to one element to the most that the mode can copy."""
    mode = draw(st.sampled_from(("constant", "reflect", "replicate", "circular")))
    padded = draw(st.integers(1, 3))
    size = draw(st.lists(st.integers(1, 4), min_size=padded, max_size=padded))
    lead = draw(st.lists(st.integers(1, 3), min_size=1, max_size=2))
    if mode == "constant" and draw(st.booleans()):
        lead = draw(st.lists(st.integers(0, 2), max_size=2))
    pad: list[int] = []
    for n in reversed(size):
        most = {"reflect": n - 1, "circular": n}.get(mode, 3)
        before = draw(st.integers(1 - n, most))
        kept = n + min(before, 0)
        after = draw(st.integers(1 - kept, most))
        if mode == "circular":
            before, after = min(before, n + min(after, 0)), min(after, kept)
        pad += [before, after]
    options: dict[str, Any] = {"pad": tuple(pad), "mode": mode}
    if mode == "constant" and draw(st.booleans()):
        options["value"] = draw(st.sampled_from((0.5, -2)))
    return Case((Values((*lead, *size), order=draw(orders)),), options, seed=draw(seeds))


MODES = {
    1: ("nearest", "nearest-exact", "area", "linear"),
    2: ("nearest", "nearest-exact", "area", "bilinear", "bicubic"),
    3: ("nearest", "nearest-exact", "area", "trilinear"),
}


@st.composite
def resizings(draw: Any, *modes: str) -> Case:
    """One to three dimensions, larger or smaller, to a size or by a factor, in one of `modes`."""
    dims = draw(st.sampled_from([d for d, possible in MODES.items() if {*possible} & {*modes}]))
    size = tuple(draw(st.lists(st.integers(1, 6), min_size=dims, max_size=dims)))
    options: dict[str, Any] = {"mode": draw(st.sampled_from([m for m in MODES[dims] if m in modes]))}
    if draw(st.booleans()):
        options["size"] = tuple(draw(st.lists(st.integers(1, 9), min_size=dims, max_size=dims)))
    else:
        factor = draw(st.sampled_from((2, 1.7, 3.0, 1.0, 0.6, 0.34, 1.15)))
        factor = max(factor, 1.01 / min(size)) if factor < 1 else factor
        same = any(floor(n * factor) == n for n in size) and factor != 1
        if same and options["mode"].startswith(("nearest", "bicubic")):
            factor = 2  # where a size stays the same, PyTorch's gradient is not that of its forward
        options["scale_factor"] = factor
        options["recompute_scale_factor"] = draw(st.sampled_from((None, False, True)))
    if "linear" in options["mode"] or options["mode"] == "bicubic":
        options["align_corners"] = draw(st.sampled_from((True, False, None)))
    lead = (draw(st.sampled_from((1, 2, 0))), draw(st.integers(1, 3)))
    return Case((Values((*lead, *size), order=draw(orders)),), options, seed=draw(seeds))


@st.composite
def shuffles(draw: Any, up: bool) -> Case:
    """(..., C, H, W) with sizes that the factor divides."""
    r, c, h, w = draw(st.integers(1, 3)), *(draw(st.integers(1, 3)) for _ in range(3))
    lead = draw(st.lists(st.integers(1, 2), max_size=2))
    shape = (*lead, c * r * r, h, w) if up else (*lead, c, h * r, w * r)
    name = "upscale_factor" if up else "downscale_factor"
    return Case((Values(shape, order=draw(orders)),), {name: r}, seed=draw(seeds))


@st.composite
def channel_groups(draw: Any) -> Case:
    groups = draw(st.integers(1, 4))
    shape = (
        draw(st.integers(0, 2)),
        groups * draw(st.integers(1, 3)),
        *draw(st.sampled_from(((2,), (2, 3)))),
    )
    return Case((Values(shape, order=draw(orders)),), {"groups": groups}, seed=draw(seeds))


@st.composite
def lookups(draw: Any) -> Case:
    """A table, numbers of its rows, some more than once; the last row, never met, may be the padding."""
    rows, length = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=3)))
    options = {"padding_idx": draw(st.sampled_from((None, rows, -1)))}
    table = Values((rows + 1, length), order=draw(orders))
    return Case((table,), options, (Values(shape, f"classes {rows}", draw(orders)),), draw(seeds))


@st.composite
def bilinears(draw: Any) -> Case:
    lead = tuple(draw(st.lists(st.integers(1, 3), max_size=2)))
    out, n_1, n_2 = (draw(st.integers(1, 4)) for _ in range(3))
    shapes = [(*lead, n_1), (*lead, n_2), (out, n_1, n_2), (out,)][: draw(st.integers(3, 4))]
    return Case(tuple(Values(s, order=draw(orders)) for s in shapes), seed=draw(seeds))


norms = st.sampled_from((2.0, 1.0, 3.0, 1.5, float("inf")))


@st.composite
def normalizations(draw: Any) -> Case:
    """Values without ties or zeros, where norms bend; vectors shorter than eps too."""
    shape = draw(array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
    dims = draw(st.permutations(range(len(shape))))[: draw(st.integers(1, len(shape)))]
    dim = draw(st.sampled_from((tuple(dims), dims[0], dims[0] - len(shape))))
    options = {"p": draw(norms), "dim": dim, "eps": draw(st.sampled_from((1e-12, 100.0)))}
    return Case((Values(shape, "nonzero", draw(orders)),), options, seed=draw(seeds))


@st.composite
def vector_pairs(draw: Any, similarity: bool) -> Case:
    """Two inputs whose shapes broadcast together."""
    shapes = draw(mutually_broadcastable_shapes(num_shapes=2, min_dims=1, max_dims=3, min_side=1, max_side=4))
    options: dict[str, Any] = {"p": draw(norms), "keepdim": draw(st.booleans())}
    if similarity:
        ndim = len(shapes.result_shape)
        options = {"dim": draw(st.integers(-ndim, ndim - 1))}
    first, second = (Values(s, "nonzero", draw(orders)) for s in shapes.input_shapes)
    return Case((first, second), options, seed=draw(seeds))


@st.composite
def affine_maps(draw: Any) -> Case:
    dims = draw(st.integers(2, 3))
    size = tuple(draw(st.lists(st.integers(1, 4), min_size=dims + 2, max_size=dims + 2)))
    options = {"size": size, "align_corners": draw(st.sampled_from((None, False, True)))}
    return Case((Values((size[0], dims, dims + 1), order=draw(orders)),), options, seed=draw(seeds))


@st.composite
def samplings(draw: Any, *modes: str) -> Case:
    """Images or volumes; coordinates inside and outside."""
    mode = draw(st.sampled_from(modes))
    dims = 2 if mode == "bicubic" else draw(st.integers(2, 3))
    batch, channels = draw(st.integers(0, 2)), draw(st.integers(1, 3))
    size = draw(st.lists(st.integers(1, 4), min_size=dims, max_size=dims))
    out = draw(st.lists(st.integers(1, 3), min_size=dims, max_size=dims))
    options = {
        "mode": mode,
        "padding_mode": draw(st.sampled_from(("zeros", "border", "reflection"))),
        "align_corners": draw(st.sampled_from((None, False, True))),
    }
    image = Values((batch, channels, *size), order=draw(orders))
    grid = Values((batch, *out, dims), order=draw(orders))
    return Case((image, grid), options, seed=draw(seeds))


@st.composite
def regions(draw: Any) -> Case:
    """Images, and for each some boxes, also from right to left or outside."""
    batch, channels = draw(st.integers(0, 2)), draw(st.integers(1, 3))
    size = draw(st.lists(st.integers(1, 5), min_size=2, max_size=2))
    options = {
        "output_size": tuple(draw(st.lists(st.integers(1, 3), min_size=2, max_size=2))),
        "spatial_scale": draw(st.sampled_from((1.0, 2.5))),
        "sampling_ratio": draw(st.sampled_from((-1, 0, 1, 2))),
        "aligned": draw(st.booleans()),
    }
    boxes = tuple(Values((draw(st.integers(0, 2)), 4), order=draw(orders)) for _ in range(batch))
    return Case((Values((batch, channels, *size), order=draw(orders)),), options, boxes, draw(seeds))


def without_advice(name: str) -> Callable[..., Any]:
    """PyTorch's function, which warns of what align_corners meant long ago."""

    def call(torch: Any, *inputs: Any, **options: Any) -> Any:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*since( version)? 1.3.0", category=UserWarning)
            warnings.filterwarnings("ignore", message="Since version 1.3.0", category=UserWarning)
            return getattr(torch.nn.functional, name)(*inputs, **options)

    return call


OPS = (
    Op("pad", F.pad, paddings(), functional("pad")),
    *(
        Op("interpolate", F.interpolate, resizings(*modes), functional("interpolate"))
        for modes in (("nearest", "nearest-exact", "area"), ("linear", "bilinear", "trilinear"), ("bicubic",))
    ),
    Op("pixel_shuffle", F.pixel_shuffle, shuffles(up=True), functional("pixel_shuffle")),
    Op("pixel_unshuffle", F.pixel_unshuffle, shuffles(up=False), functional("pixel_unshuffle")),
    Op("channel_shuffle", F.channel_shuffle, channel_groups(), functional("channel_shuffle")),
    Op(
        "embedding",
        lambda weight, rows, **options: F.embedding(rows, weight, **options),
        lookups(),
        lambda torch, weight, rows, **options: torch.nn.functional.embedding(rows, weight, **options),
    ),
    Op("bilinear", F.bilinear, bilinears(), functional("bilinear")),
    Op("normalize", F.normalize, normalizations(), functional("normalize")),
    Op(
        "cosine_similarity",
        F.cosine_similarity,
        vector_pairs(similarity=True),
        functional("cosine_similarity"),
    ),
    Op(
        "pairwise_distance",
        F.pairwise_distance,
        vector_pairs(similarity=False),
        functional("pairwise_distance"),
    ),
    Op("affine_grid", F.affine_grid, affine_maps(), without_advice("affine_grid")),
    Op(
        "grid_sample",
        F.grid_sample,
        samplings("bilinear", "nearest", "bicubic"),
        without_advice("grid_sample"),
    ),
    Op("roi_align", lambda x, *boxes, **options: F.roi_align(x, boxes, **options), regions(), None),
)

NOT_DIFFERENTIABLE = {"one_hot"}

IMAGE, ROWS, NAN = tc.ones(2, 4, 5, 6), tc.ones(3, 4), float("nan")
BOXES = tc.tensor([[0.0, 1, 1, 2, 2]])
NUMBERS, GRID, MAPS = tc.tensor([0, 1, 2]), tc.zeros(2, 3, 3, 2), tc.zeros(2, 2, 3)

WRONG: list[tuple[str, type[TinyconvError], str, Callable[[], Any]]] = [
    ("pad", DtypeError, "input list", lambda: F.pad([1.0], (1, 1))),
    ("pad", ArgumentError, "mode 'mirror' 'reflect'", lambda: F.pad(IMAGE, (1, 1), "mirror")),
    ("pad", ArgumentError, "pad (1, 1, 1) pairs", lambda: F.pad(IMAGE, (1, 1, 1))),
    ("pad", ArgumentError, "pad 1 pairs", lambda: F.pad(IMAGE, 1)),
    ("pad", ArgumentError, "pad (1, 0.5)", lambda: F.pad(IMAGE, (1, 0.5))),
    ("pad", ArgumentError, "pad (3, 4) each dimension", lambda: F.pad(ROWS, (1, 1, 1, 1, 1, 1))),
    ("pad", ShapeError, "pad (-3, -2) (3, 4)", lambda: F.pad(ROWS, (-3, -2))),
    ("pad", ShapeError, "pad (-5, 2)", lambda: F.pad(ROWS, (-5, 2))),
    ("pad", ArgumentError, "value 'zero'", lambda: F.pad(ROWS, (1, 1), value="zero")),
    ("pad", ArgumentError, "value 0.5 int64", lambda: F.pad(NUMBERS, (1, 1), value=0.5)),
    ("pad", ArgumentError, "value 300 uint8", lambda: F.pad(tc.ones(2, dtype="uint8"), (1, 1), value=300)),
    ("pad", ArgumentError, "value 2 truth", lambda: F.pad(NUMBERS > 0, (1, 1), value=2)),
    ("pad", ArgumentError, "value nan int64", lambda: F.pad(NUMBERS, (1, 1), value=NAN)),
    ("pad", ArgumentError, "value 1.0 None", lambda: F.pad(IMAGE, (1, 1, 1, 1), "reflect", 1.0)),
    ("pad", ShapeError, "pad 1 (2, 4, 5, 6)", lambda: F.pad(IMAGE, (1, 1), "reflect")),
    ("pad", ShapeError, "pad 0", lambda: F.pad(IMAGE, (), "replicate")),
    ("pad", ArgumentError, "pad (6, 0) 5", lambda: F.pad(IMAGE, (6, 0, 1, 1), "reflect")),
    ("pad", ArgumentError, "pad (0, 7) 6", lambda: F.pad(IMAGE, (0, 7, 1, 1), "circular")),
    ("pad", ArgumentError, "pad (-3, 2) 1", lambda: F.pad(ROWS, (-3, 2), "circular")),
    ("pad", ShapeError, "input (3, 0)", lambda: F.pad(tc.ones(3, 0), (1, 1), "replicate")),
    ("pad", ShapeError, "input (3, 4)", lambda: F.pad(ROWS, (-2, -2), "circular")),
    ("interpolate", DtypeError, "input ndarray", lambda: F.interpolate(np.ones((1, 1, 2)), 3)),
    ("interpolate", DtypeError, "input int64", lambda: F.interpolate(tc.ones(1, 1, 2, dtype="int64"), 3)),
    ("interpolate", ShapeError, "input (3, 4)", lambda: F.interpolate(ROWS, 3)),
    ("interpolate", ShapeError, "input (N, C, L) 'linear'", lambda: F.interpolate(IMAGE, 3, mode="linear")),
    ("interpolate", ShapeError, "input pixel", lambda: F.interpolate(tc.ones(1, 1, 0), 3)),
    ("interpolate", ArgumentError, "mode 'lanczos'", lambda: F.interpolate(IMAGE, 3, mode="lanczos")),
    ("interpolate", ArgumentError, "size scale_factor None one", lambda: F.interpolate(IMAGE)),
    ("interpolate", ArgumentError, "size scale_factor both one", lambda: F.interpolate(IMAGE, 3, 2.0)),
    ("interpolate", ArgumentError, "size (3, 4, 5) 2", lambda: F.interpolate(IMAGE, (3, 4, 5))),
    ("interpolate", ArgumentError, "size 0 positive", lambda: F.interpolate(IMAGE, 0)),
    ("interpolate", ArgumentError, "size 2.5", lambda: F.interpolate(IMAGE, 2.5)),
    ("interpolate", ArgumentError, "scale_factor -1", lambda: F.interpolate(IMAGE, scale_factor=-1)),
    ("interpolate", ArgumentError, "scale_factor nan", lambda: F.interpolate(IMAGE, scale_factor=NAN)),
    ("interpolate", ArgumentError, "scale_factor '2'", lambda: F.interpolate(IMAGE, scale_factor="2")),
    ("interpolate", ArgumentError, "scale_factor 0.1 pixel", lambda: F.interpolate(IMAGE, scale_factor=0.1)),
    ("interpolate", ArgumentError, "scale_factor (2.0,)", lambda: F.interpolate(IMAGE, scale_factor=(2.0,))),
    ("interpolate", ArgumentError, "align_corners None", lambda: F.interpolate(IMAGE, 3, align_corners=True)),
    (
        "interpolate",
        ArgumentError,
        "recompute_scale_factor True size",
        lambda: F.interpolate(IMAGE, 2, recompute_scale_factor=True),
    ),
    ("interpolate", ArgumentError, "antialias 'area'", lambda: F.interpolate(IMAGE, 3, antialias=True)),
    ("pixel_shuffle", ShapeError, "input (2, 4, 5, 6) 9", lambda: F.pixel_shuffle(IMAGE, 3)),
    ("pixel_shuffle", ShapeError, "input (3, 4)", lambda: F.pixel_shuffle(ROWS, 2)),
    ("pixel_shuffle", ArgumentError, "upscale_factor 0", lambda: F.pixel_shuffle(IMAGE, 0)),
    ("pixel_shuffle", DtypeError, "input list", lambda: F.pixel_shuffle([[[1.0]]], 1)),
    ("pixel_unshuffle", ShapeError, "input (2, 4, 5, 6) 2", lambda: F.pixel_unshuffle(IMAGE, 2)),
    ("pixel_unshuffle", ShapeError, "input (3, 4)", lambda: F.pixel_unshuffle(ROWS, 2)),
    ("pixel_unshuffle", ArgumentError, "downscale_factor 1.5", lambda: F.pixel_unshuffle(IMAGE, 1.5)),
    ("channel_shuffle", ArgumentError, "groups 3 4", lambda: F.channel_shuffle(IMAGE, 3)),
    ("channel_shuffle", ArgumentError, "groups -1", lambda: F.channel_shuffle(IMAGE, -1)),
    ("channel_shuffle", ShapeError, "input (3, 4)", lambda: F.channel_shuffle(ROWS, 2)),
    ("embedding", DtypeError, "input float32", lambda: F.embedding(ROWS, ROWS)),
    ("embedding", DtypeError, "weight int64", lambda: F.embedding(NUMBERS, NUMBERS)),
    ("embedding", DtypeError, "input list", lambda: F.embedding([0, 1], ROWS)),
    ("embedding", ShapeError, "weight (2, 4, 5, 6)", lambda: F.embedding(NUMBERS, IMAGE)),
    ("embedding", ArgumentError, "input 3 0 to 2", lambda: F.embedding(NUMBERS + 1, ROWS)),
    ("embedding", ArgumentError, "input -1 0 to 2", lambda: F.embedding(NUMBERS - 1, ROWS)),
    ("embedding", ArgumentError, "padding_idx 3", lambda: F.embedding(NUMBERS, ROWS, 3)),
    ("embedding", ArgumentError, "padding_idx 'end'", lambda: F.embedding(NUMBERS, ROWS, "end")),
    ("embedding", ArgumentError, "max_norm 1.0", lambda: F.embedding(NUMBERS, ROWS, max_norm=1.0)),
    ("embedding", ArgumentError, "sparse True", lambda: F.embedding(NUMBERS, ROWS, sparse=True)),
    ("one_hot", DtypeError, "tensor float32", lambda: F.one_hot(ROWS)),
    ("one_hot", DtypeError, "tensor list", lambda: F.one_hot([0, 1])),
    ("one_hot", ArgumentError, "num_classes 0", lambda: F.one_hot(NUMBERS, 0)),
    ("one_hot", ArgumentError, "num_classes 2.5", lambda: F.one_hot(NUMBERS, 2.5)),
    ("one_hot", ArgumentError, "tensor 2 0 to 1", lambda: F.one_hot(NUMBERS, 2)),
    ("one_hot", ArgumentError, "tensor -1", lambda: F.one_hot(NUMBERS - 1)),
    ("one_hot", ShapeError, "tensor (0,) num_classes", lambda: F.one_hot(tc.zeros(0, dtype="int64"))),
    ("bilinear", ShapeError, "weight (3, 4)", lambda: F.bilinear(ROWS, ROWS, ROWS)),
    ("bilinear", ShapeError, "input1 (3, 4) (..., 5)", lambda: F.bilinear(ROWS, ROWS, tc.ones(2, 5, 4))),
    ("bilinear", ShapeError, "input2 (3, 4) (3, 5)", lambda: F.bilinear(ROWS, ROWS, tc.ones(2, 4, 5))),
    ("bilinear", ShapeError, "bias (3,) (2,)", lambda: F.bilinear(ROWS, ROWS, tc.ones(2, 4, 4), tc.ones(3))),
    ("bilinear", DtypeError, "float64", lambda: F.bilinear(ROWS, ROWS.double(), tc.ones(2, 4, 4))),
    ("bilinear", DtypeError, "input2 list", lambda: F.bilinear(ROWS, [1.0], tc.ones(2, 4, 4))),
    ("normalize", DtypeError, "input int64", lambda: F.normalize(NUMBERS)),
    ("normalize", ArgumentError, "dim 2", lambda: F.normalize(ROWS, dim=2)),
    ("pad", ArgumentError, "pad (100000000000000000000, 0)", lambda: F.pad(ROWS, (10**20, 0))),
    ("normalize", ArgumentError, "dim (0, 0)", lambda: F.normalize(ROWS, dim=(0, 0))),
    ("normalize", ArgumentError, "p 0", lambda: F.normalize(ROWS, p=0)),
    ("normalize", ArgumentError, "p nan", lambda: F.normalize(ROWS, p=NAN)),
    ("normalize", ArgumentError, "p 'fro'", lambda: F.normalize(ROWS, p="fro")),
    ("normalize", ArgumentError, "eps -1", lambda: F.normalize(ROWS, eps=-1)),
    ("cosine_similarity", ShapeError, "(3, 4) and (3,)", lambda: F.cosine_similarity(ROWS, tc.ones(3))),
    ("cosine_similarity", DtypeError, "float32 float64", lambda: F.cosine_similarity(ROWS, ROWS.double())),
    ("cosine_similarity", DtypeError, "x2 list", lambda: F.cosine_similarity(ROWS, [1.0])),
    ("cosine_similarity", ArgumentError, "dim 2", lambda: F.cosine_similarity(ROWS, ROWS, 2)),
    ("cosine_similarity", ArgumentError, "eps None", lambda: F.cosine_similarity(ROWS, ROWS, eps=None)),
    ("pairwise_distance", ShapeError, "(3, 4) and (5,)", lambda: F.pairwise_distance(ROWS, tc.ones(5))),
    ("pairwise_distance", ShapeError, "() and ()", lambda: F.pairwise_distance(ROWS.sum(), ROWS.sum())),
    ("pairwise_distance", DtypeError, "x1 int64", lambda: F.pairwise_distance(NUMBERS, NUMBERS)),
    ("pairwise_distance", ArgumentError, "p -1", lambda: F.pairwise_distance(ROWS, ROWS, -1)),
    ("roi_align", DtypeError, "input list", lambda: F.roi_align([1.0], BOXES, 2)),
    ("roi_align", ShapeError, "input (4, 5, 6)", lambda: F.roi_align(IMAGE[0], BOXES, 2)),
    ("roi_align", ShapeError, "boxes (1, 4)", lambda: F.roi_align(IMAGE, BOXES[:, 1:], 2)),
    ("roi_align", ShapeError, "boxes a list of 1", lambda: F.roi_align(IMAGE, [BOXES[:, 1:]], 2)),
    ("roi_align", ShapeError, "boxes (1, 5) (L, 4)", lambda: F.roi_align(IMAGE, [BOXES, BOXES], 2)),
    ("roi_align", DtypeError, "boxes list", lambda: F.roi_align(IMAGE, [[1.0], [2.0]], 2)),
    ("roi_align", DtypeError, "boxes float64", lambda: F.roi_align(IMAGE, BOXES.double(), 2)),
    ("roi_align", ArgumentError, "boxes 2.0 0 to 1", lambda: F.roi_align(IMAGE, BOXES + 2, 2)),
    ("roi_align", ArgumentError, "boxes image finite", lambda: F.roi_align(IMAGE, BOXES / 0, 2)),
    ("roi_align", ArgumentError, "boxes pixels", lambda: F.roi_align(IMAGE, BOXES, 2, 1e7)),
    ("roi_align", ArgumentError, "output_size 0", lambda: F.roi_align(IMAGE, BOXES, 0)),
    ("roi_align", ArgumentError, "spatial_scale 'half'", lambda: F.roi_align(IMAGE, BOXES, 2, "half")),
    ("roi_align", ArgumentError, "spatial_scale inf", lambda: F.roi_align(IMAGE, BOXES, 2, float("inf"))),
    ("roi_align", ArgumentError, "sampling_ratio 1.5", lambda: F.roi_align(IMAGE, BOXES, 2, 1.0, 1.5)),
    ("affine_grid", DtypeError, "theta list", lambda: F.affine_grid([1.0], (1, 1, 2, 2))),
    ("affine_grid", ShapeError, "theta (3, 4) (1, 2, 3)", lambda: F.affine_grid(ROWS, (1, 1, 2, 2))),
    ("affine_grid", ShapeError, "theta (2, 2, 3) (1, 2, 3)", lambda: F.affine_grid(MAPS, (1, 1, 2, 2))),
    ("affine_grid", ArgumentError, "size (2, 1, 0, 2)", lambda: F.affine_grid(MAPS, (2, 1, 0, 2))),
    ("affine_grid", ArgumentError, "size (2, 4)", lambda: F.affine_grid(MAPS, (2, 4))),
    ("affine_grid", ArgumentError, "size 4", lambda: F.affine_grid(MAPS, 4)),
    ("grid_sample", DtypeError, "input int64", lambda: F.grid_sample(NUMBERS, GRID)),
    ("grid_sample", DtypeError, "grid list", lambda: F.grid_sample(IMAGE, [0.0, 0.0])),
    ("grid_sample", DtypeError, "float32 float64", lambda: F.grid_sample(IMAGE, GRID.double())),
    ("grid_sample", ShapeError, "input (3, 4)", lambda: F.grid_sample(ROWS, GRID)),
    ("grid_sample", ShapeError, "input (2, 1, 0, 3) pixel", lambda: F.grid_sample(tc.ones(2, 1, 0, 3), GRID)),
    ("grid_sample", ShapeError, "grid (2, 3, 3, 2) (1,", lambda: F.grid_sample(IMAGE[:1], GRID)),
    ("grid_sample", ShapeError, "grid (2, 3, 3, 1)", lambda: F.grid_sample(IMAGE, GRID[..., :1])),
    ("grid_sample", ShapeError, "grid (3, 4)", lambda: F.grid_sample(IMAGE, ROWS)),
    ("grid_sample", ShapeError, "input 'bicubic'", lambda: F.grid_sample(IMAGE[None], GRID, "bicubic")),
    ("grid_sample", ArgumentError, "mode 'linear'", lambda: F.grid_sample(IMAGE, GRID, "linear")),
    ("grid_sample", ArgumentError, "padding_mode 1.0", lambda: F.grid_sample(IMAGE, GRID, padding_mode=1.0)),
]
