"""The table's rows of convolution and transposed convolution in 1 and 3 dimensions, and their wrong calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.ops import geometry
from tests.ops.op import Op, functional
from tinyconv.errors import ArgumentError, DtypeError, ShapeError, TinyconvError

OPS = (
    Op("conv1d", F.conv1d, geometry.convolutions(1), functional("conv1d")),
    Op("conv3d", F.conv3d, geometry.convolutions(3), functional("conv3d")),
    Op(
        "conv_transpose1d",
        F.conv_transpose1d,
        geometry.transposed_convolutions(1),
        functional("conv_transpose1d"),
    ),
    Op(
        "conv_transpose3d",
        F.conv_transpose3d,
        geometry.transposed_convolutions(3),
        functional("conv_transpose3d"),
    ),
    Op("unfold", F.unfold, geometry.unfolds(), functional("unfold")),
    Op("fold", F.fold, geometry.folds(), functional("fold")),
)

LINE, IMAGE, VOLUME = tc.ones(2, 4, 9), tc.ones(2, 4, 5, 6), tc.ones(2, 4, 3, 5, 6)
ROW, BOX = tc.ones(6, 4, 3), tc.ones(6, 4, 3, 3, 3)

WRONG: list[tuple[str, type[TinyconvError], str, Callable[[], Any]]] = [
    ("conv1d", ShapeError, "input (2, 4, 5, 6) (N, C, L) (C, L)", lambda: F.conv1d(IMAGE, ROW)),
    ("conv1d", ShapeError, "input (9,) (N, C, L)", lambda: F.conv1d(LINE[0, 0], ROW)),
    ("conv1d", ShapeError, "weight (6, 4, 3, 3, 3) 3 dimensions", lambda: F.conv1d(LINE, BOX)),
    ("conv1d", ShapeError, "input (3, 9) 4 channels", lambda: F.conv1d(LINE[0, :3], ROW)),
    ("conv1d", ShapeError, "kernel_size (3,) (dilation (5,)) (9,)", lambda: F.conv1d(LINE, ROW, dilation=5)),
    ("conv1d", ArgumentError, "stride (1, 1)", lambda: F.conv1d(LINE, ROW, stride=(1, 1))),
    ("conv1d", ArgumentError, "padding 'full' 'valid' 'same'", lambda: F.conv1d(LINE, ROW, padding="full")),
    ("conv1d", ArgumentError, "stride (2,) same", lambda: F.conv1d(LINE, ROW, stride=2, padding="same")),
    ("conv1d", DtypeError, "input list", lambda: F.conv1d([1.0], ROW)),
    ("conv1d", DtypeError, "float32 float64", lambda: F.conv1d(LINE, ROW.double())),
    ("conv2d", ArgumentError, "padding None", lambda: F.conv2d(IMAGE, tc.ones(6, 4, 3, 3), padding=None)),
    ("conv3d", ShapeError, "input (2, 4, 9) (N, C, D, H, W)", lambda: F.conv3d(LINE, BOX)),
    (
        "conv3d",
        ShapeError,
        "kernel_size (4, 1, 1) (3, 5, 6)",
        lambda: F.conv3d(VOLUME, tc.ones(1, 4, 4, 1, 1)),
    ),
    ("conv3d", ShapeError, "bias (4,) (6,)", lambda: F.conv3d(VOLUME, BOX, tc.ones(4))),
    ("conv3d", ArgumentError, "padding (1, 1)", lambda: F.conv3d(VOLUME, BOX, padding=(1, 1))),
    ("conv3d", ArgumentError, "groups 0", lambda: F.conv3d(VOLUME, BOX, groups=0)),
    ("conv3d", DtypeError, "input int64", lambda: F.conv3d(VOLUME.to("int64"), BOX)),
    ("conv_transpose1d", ShapeError, "input (2, 4, 9) 6 channels", lambda: F.conv_transpose1d(LINE, ROW)),
    ("conv_transpose1d", ShapeError, "input () (N, C, L)", lambda: F.conv_transpose1d(tc.tensor(1.0), ROW)),
    (
        "conv_transpose1d",
        ArgumentError,
        "output_padding (2,) stride (2,)",
        lambda: F.conv_transpose1d(LINE, tc.ones(4, 1, 2), stride=2, output_padding=2),
    ),
    (
        "conv_transpose1d",
        ArgumentError,
        "padding 'same'",
        lambda: F.conv_transpose1d(LINE, tc.ones(4, 1, 2), padding="same"),
    ),
    ("conv_transpose3d", ShapeError, "input (2, 4, 5, 6) 6 channels", lambda: F.conv_transpose3d(IMAGE, BOX)),
    (
        "conv_transpose3d",
        ShapeError,
        "size (-1, 1, 2)",
        lambda: F.conv_transpose3d(VOLUME, tc.ones(4, 1, 1, 1, 1), padding=2),
    ),
    (
        "conv_transpose3d",
        ArgumentError,
        "dilation 0",
        lambda: F.conv_transpose3d(VOLUME, tc.ones(4, 1, 1, 1, 1), dilation=0),
    ),
    ("unfold", ShapeError, "input (5, 6) (N, C, H, W)", lambda: F.unfold(IMAGE[0, 0], 3)),
    ("unfold", ShapeError, "kernel_size (6, 6) (5, 6)", lambda: F.unfold(IMAGE, 6)),
    ("unfold", ArgumentError, "kernel_size (3,)", lambda: F.unfold(IMAGE, (3,))),
    ("unfold", ArgumentError, "stride 0", lambda: F.unfold(IMAGE, 3, stride=0)),
    ("unfold", ArgumentError, "padding -1", lambda: F.unfold(IMAGE, 3, padding=-1)),
    ("unfold", DtypeError, "input int64", lambda: F.unfold(IMAGE.to("int64"), 3)),
    ("fold", ShapeError, "input (8, 12) 4, 6) (3, 4)", lambda: F.fold(tc.ones(8, 12), (3, 4), 2)),
    ("fold", ShapeError, "input (7, 6) 4, 6) (3, 4)", lambda: F.fold(tc.ones(7, 6), (3, 4), 2)),
    ("fold", ShapeError, "input (6,)", lambda: F.fold(tc.ones(6), (3, 4), 2)),
    ("fold", ShapeError, "output_size (1, 4) (2, 2)", lambda: F.fold(tc.ones(8, 6), (1, 4), 2)),
    ("fold", ArgumentError, "output_size (3, 4, 5)", lambda: F.fold(tc.ones(8, 6), (3, 4, 5), 2)),
    ("fold", ArgumentError, "dilation 0", lambda: F.fold(tc.ones(8, 6), (3, 4), 2, 0)),
    ("fold", DtypeError, "input ndarray", lambda: F.fold(tc.ones(8, 6).numpy(), (3, 4), 2)),
]
