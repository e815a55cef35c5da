"""The table's rows of pooling, and its wrong calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.ops import geometry
from tests.ops.op import Op, functional
from tinyconv.errors import ArgumentError, DtypeError, ShapeError, TinyconvError

OPS = (
    Op("max_pool1d", F.max_pool1d, geometry.pools("distinct", 1), functional("max_pool1d")),
    Op("max_pool3d", F.max_pool3d, geometry.pools("distinct", 3), functional("max_pool3d")),
    Op("avg_pool1d", F.avg_pool1d, geometry.pools("normal", 1), functional("avg_pool1d")),
    Op("avg_pool3d", F.avg_pool3d, geometry.pools("normal", 3), functional("avg_pool3d")),
    Op("max_unpool1d", F.max_unpool1d, geometry.unpools(1), functional("max_unpool1d")),
    Op("max_unpool3d", F.max_unpool3d, geometry.unpools(3), functional("max_unpool3d")),
)

LINE, IMAGE, VOLUME = tc.ones(2, 4, 9), tc.ones(2, 4, 5, 6), tc.ones(2, 4, 3, 5, 6)
INDICES = tc.zeros(2, 4, 9, dtype="int64")

WRONG: list[tuple[str, type[TinyconvError], str, Callable[[], Any]]] = [
    ("max_pool1d", ShapeError, "input (2, 4, 5, 6) (N, C, L) (C, L)", lambda: F.max_pool1d(IMAGE, 2)),
    ("max_pool1d", ShapeError, "kernel_size (10,) (9,)", lambda: F.max_pool1d(LINE, 10)),
    ("max_pool1d", ArgumentError, "padding (2,) (3,)", lambda: F.max_pool1d(LINE, 3, padding=2)),
    ("max_pool1d", ArgumentError, "stride 0", lambda: F.max_pool1d(LINE, 2, 0)),
    (
        "max_pool1d",
        ShapeError,
        "padding (1,) meet",
        lambda: F.max_pool1d(LINE[..., :1], 2, padding=1, dilation=2),
    ),
    ("max_pool1d", DtypeError, "input int64", lambda: F.max_pool1d(INDICES, 2)),
    (
        "max_pool2d",
        ShapeError,
        "input (2, 4, 9, 1, 1) (C, H, W)",
        lambda: F.max_pool2d(LINE[..., None, None], 2),
    ),
    ("max_pool3d", ShapeError, "input (2, 4, 9) (C, D, H, W)", lambda: F.max_pool3d(LINE, 2)),
    ("max_pool3d", ShapeError, "kernel_size (4, 4, 4) (3, 5, 6)", lambda: F.max_pool3d(VOLUME, 4)),
    ("max_pool3d", ArgumentError, "kernel_size (2, 2)", lambda: F.max_pool3d(VOLUME, (2, 2))),
    ("avg_pool1d", ShapeError, "kernel_size (10,) (9,)", lambda: F.avg_pool1d(LINE, 10)),
    ("avg_pool1d", DtypeError, "input list", lambda: F.avg_pool1d([[1.0, 2.0]], 2)),
    ("avg_pool2d", ArgumentError, "divisor_override 0", lambda: F.avg_pool2d(IMAGE, 2, divisor_override=0)),
    (
        "avg_pool2d",
        ArgumentError,
        "divisor_override 1.5",
        lambda: F.avg_pool2d(IMAGE, 2, divisor_override=1.5),
    ),
    ("avg_pool3d", ShapeError, "input (5, 6) (N, C, D, H, W)", lambda: F.avg_pool3d(IMAGE[0, 0], 2)),
    ("avg_pool3d", ArgumentError, "padding -1", lambda: F.avg_pool3d(VOLUME, 2, padding=-1)),
    ("max_unpool1d", ShapeError, "indices (4, 9) (2, 4, 9)", lambda: F.max_unpool1d(LINE, INDICES[0], 2)),
    ("max_unpool1d", DtypeError, "indices float32 max_pool1d", lambda: F.max_unpool1d(LINE, LINE, 2)),
    ("max_unpool1d", ArgumentError, "indices 18 (18,)", lambda: F.max_unpool1d(LINE, INDICES + 18, 2)),
    (
        "max_unpool1d",
        ArgumentError,
        "output_size (20,) (2,) (18,)",
        lambda: F.max_unpool1d(LINE, INDICES, 2, output_size=(20,)),
    ),
    (
        "max_unpool1d",
        ShapeError,
        "size (0,)",
        lambda: F.max_unpool1d(LINE[..., :1], INDICES[..., :1], 2, 1, 1),
    ),
    ("max_unpool3d", ShapeError, "input (2, 4, 9) (N, C, D, H, W)", lambda: F.max_unpool3d(LINE, INDICES, 2)),
]
