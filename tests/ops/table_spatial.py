"""The table's rows of the spatial ops: padding, interpolation, sampling, embeddings, distances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

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
        pad += [before, draw(st.integers(min(0, 1 - n - min(before, 0)), most))]
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
def resizings(draw: Any) -> Case:
    """One to three dimensions, larger or smaller, to a size or by a factor, in every mode."""
    dims = draw(st.integers(1, 3))
    size = tuple(draw(st.lists(st.integers(1, 6), min_size=dims, max_size=dims)))
    options: dict[str, Any] = {"mode": draw(st.sampled_from(MODES[dims]))}
    if draw(st.booleans()):
        options["size"] = tuple(draw(st.lists(st.integers(1, 9), min_size=dims, max_size=dims)))
    else:
        factor = draw(st.sampled_from((2, 1.7, 3.0, 1.0, 0.6, 0.34)))
        options["scale_factor"] = max(factor, 1.01 / min(size))
    if "linear" in options["mode"] or options["mode"] == "bicubic":
        options["align_corners"] = draw(st.sampled_from((None, False, True)))
    lead = (draw(st.integers(0, 2)), draw(st.integers(1, 3)))
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


OPS = (
    Op("pad", F.pad, paddings(), functional("pad")),
    Op("interpolate", F.interpolate, resizings(), functional("interpolate")),
    Op("pixel_shuffle", F.pixel_shuffle, shuffles(up=True), functional("pixel_shuffle")),
    Op("pixel_unshuffle", F.pixel_unshuffle, shuffles(up=False), functional("pixel_unshuffle")),
    Op("channel_shuffle", F.channel_shuffle, channel_groups(), functional("channel_shuffle")),
)

IMAGE, ROWS, NAN = tc.ones(2, 4, 5, 6), tc.ones(3, 4), float("nan")

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
    ("pad", ArgumentError, "value 1.0 None", lambda: F.pad(IMAGE, (1, 1, 1, 1), "reflect", 1.0)),
    ("pad", ShapeError, "pad 1 (2, 4, 5, 6)", lambda: F.pad(IMAGE, (1, 1), "reflect")),
    ("pad", ShapeError, "pad 0", lambda: F.pad(IMAGE, (), "replicate")),
    ("pad", ArgumentError, "pad (6, 0) 5", lambda: F.pad(IMAGE, (6, 0, 1, 1), "reflect")),
    ("pad", ArgumentError, "pad (0, 7) 6", lambda: F.pad(IMAGE, (0, 7, 1, 1), "circular")),
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
        lambda: F.interpolate(IMAGE, scale_factor=2, recompute_scale_factor=True),
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
]
