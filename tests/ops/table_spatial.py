"""The table's rows of the spatial ops: padding, interpolation, sampling, embeddings, distances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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


OPS = (Op("pad", F.pad, paddings(), functional("pad")),)

IMAGE, ROWS = tc.ones(2, 4, 5, 6), tc.ones(3, 4)

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
]
