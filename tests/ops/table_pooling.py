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
    *(
        Op(f"adaptive_avg_pool{d}d", call, geometry.adaptive_pools("normal", d), functional(call.__name__))
        for d, call in enumerate((F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d), 1)
    ),
    *(
        Op(f"adaptive_max_pool{d}d", call, geometry.adaptive_pools("distinct", d), functional(call.__name__))
        for d, call in enumerate((F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d), 1)
    ),
    *(
        Op(f"lp_pool{d}d", call, geometry.power_pools(d), functional(call.__name__))
        for d, call in enumerate((F.lp_pool1d, F.lp_pool2d, F.lp_pool3d), 1)
    ),
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
    (
        "adaptive_avg_pool1d",
        ShapeError,
        "input (2, 4, 5, 6) (N, C, L)",
        lambda: F.adaptive_avg_pool1d(IMAGE, 2),
    ),
    ("adaptive_avg_pool1d", ArgumentError, "output_size 0", lambda: F.adaptive_avg_pool1d(LINE, 0)),
    (
        "adaptive_avg_pool2d",
        ArgumentError,
        "output_size (2, 2, 2)",
        lambda: F.adaptive_avg_pool2d(IMAGE, (2, 2, 2)),
    ),
    (
        "adaptive_avg_pool2d",
        ArgumentError,
        "output_size (5, -1)",
        lambda: F.adaptive_avg_pool2d(IMAGE, (None, -1)),
    ),
    (
        "adaptive_avg_pool2d",
        ShapeError,
        "input (2, 4, 0, 6) pixel",
        lambda: F.adaptive_avg_pool2d(IMAGE[:, :, :0], 2),
    ),
    ("adaptive_avg_pool3d", DtypeError, "input int64", lambda: F.adaptive_avg_pool3d(VOLUME.to("int64"), 1)),
    (
        "adaptive_max_pool1d",
        ShapeError,
        "input (2, 4, 0) pixel",
        lambda: F.adaptive_max_pool1d(LINE[..., :0], 2),
    ),
    ("adaptive_max_pool2d", ArgumentError, "output_size '7'", lambda: F.adaptive_max_pool2d(IMAGE, "7")),
    (
        "adaptive_max_pool3d",
        ShapeError,
        "input (2, 4, 9) (C, D, H, W)",
        lambda: F.adaptive_max_pool3d(LINE, 2),
    ),
    ("adaptive_max_pool3d", DtypeError, "input ndarray", lambda: F.adaptive_max_pool3d(VOLUME.numpy(), 2)),
    ("lp_pool1d", ArgumentError, "norm_type 0 > max_pool1d", lambda: F.lp_pool1d(LINE, 0, 2)),
    ("lp_pool1d", ShapeError, "kernel_size (10,) (9,)", lambda: F.lp_pool1d(LINE, 2, 10)),
    ("lp_pool2d", ArgumentError, "norm_type inf", lambda: F.lp_pool2d(IMAGE, float("inf"), 2)),
    ("lp_pool2d", ArgumentError, "norm_type 'two'", lambda: F.lp_pool2d(IMAGE, "two", 2)),
    ("lp_pool2d", ArgumentError, "kernel_size (2, 2, 2)", lambda: F.lp_pool2d(IMAGE, 2, (2, 2, 2))),
    ("lp_pool2d", DtypeError, "input int64", lambda: F.lp_pool2d(IMAGE.to("int64"), 2, 2)),
    ("lp_pool3d", ShapeError, "input (2, 4, 9) (C, D, H, W)", lambda: F.lp_pool3d(LINE, 2, 2)),
]
