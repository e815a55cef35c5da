"""Wrong calls: one tinyconv error that names the op, the argument, the value and what is expected."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.backends import BACKENDS, kernels
from tests.ops.table import FAMILIES
from tinyconv.errors import ArgumentError, DtypeError, ShapeError, TinyconvError

IMAGE, MASK, ROWS = tc.ones(2, 4, 5, 6), tc.ones(2, 4, 5, 6) * 0.5, tc.ones(3, 4)
WEIGHT, INTS, DOUBLES = tc.ones(6, 4, 3, 3), tc.ones(2, 4, 5, 6, dtype="int64"), IMAGE.double()
VECTOR, CLASSES, INDICES = tc.ones(6), tc.tensor([0, 1, 3]), tc.zeros(2, 4, 5, 6, dtype="int64")

WRONG: list[tuple[str, type[TinyconvError], str, Callable[[], Any]]] = [
    # op, error, words of the message, call
    ("add", ShapeError, "(3, 4) and (2,)", lambda: ROWS + tc.ones(2)),
    ("sub", ArgumentError, "other 'two'", lambda: ROWS - "two"),
    ("mul", ShapeError, "(3, 4) and (4, 3)", lambda: tc.mul(ROWS, tc.ones(4, 3))),
    ("div", ArgumentError, "other None", lambda: ROWS / None),
    ("pow", ShapeError, "(3, 4) and (2,)", lambda: ROWS ** tc.ones(2)),
    ("add", DtypeError, "input list", lambda: tc.add([1.0], [2.0])),
    ("neg", DtypeError, "input list", lambda: tc.neg([1.0])),
    ("neg", DtypeError, "input bool", lambda: -tc.tensor([True])),
    ("sub", DtypeError, "input bool", lambda: tc.tensor([True]) - tc.tensor([True])),
    ("pow", ArgumentError, "exponent negative", lambda: tc.arange(3) ** -1),
    ("add", ArgumentError, "other 300", lambda: tc.zeros(2, dtype="uint8") + 300),
    ("exp", DtypeError, "input float", lambda: tc.exp(1.0)),
    ("log", DtypeError, "input ndarray", lambda: tc.log(np.ones(2))),
    ("where", DtypeError, "condition float32", lambda: tc.where(ROWS, ROWS, ROWS)),
    ("where", ShapeError, "(2,) and (3, 4)", lambda: tc.where(tc.tensor([True, False]), ROWS, ROWS)),
    ("lt", ShapeError, "(3, 4) and (2,)", lambda: ROWS < tc.ones(2)),
    ("lt", ArgumentError, "'two'", lambda: ROWS < "two"),
    ("astype", DtypeError, "dtype 'float128x'", lambda: ROWS.to("float128x")),
    ("astype", DtypeError, "dtype None", lambda: ROWS.to(None)),
    ("astype", DtypeError, "dtype complex64", lambda: ROWS.to("complex64")),
    ("matmul", ShapeError, "(3, 4) and (3, 4)", lambda: ROWS @ ROWS),
    ("matmul", ShapeError, "(2, 3, 4) and (3, 4, 2)", lambda: tc.ones(2, 3, 4) @ tc.ones(3, 4, 2)),
    ("matmul", ShapeError, "()", lambda: tc.matmul(ROWS, tc.tensor(1.0))),
    ("matmul", DtypeError, "float32 float64", lambda: ROWS @ tc.ones(4, 3, dtype="float64")),
    ("matmul", DtypeError, "input int64", lambda: tc.arange(3) @ tc.arange(3)),
    ("matmul", DtypeError, "other int", lambda: tc.matmul(ROWS, 2)),
    ("linear", ShapeError, "input (3, 4) (..., 5)", lambda: F.linear(ROWS, tc.ones(2, 5))),
    ("linear", ShapeError, "weight (4,)", lambda: F.linear(ROWS, tc.ones(4))),
    ("linear", ShapeError, "bias (4,) (2,)", lambda: F.linear(ROWS, tc.ones(2, 4), tc.ones(4))),
    ("linear", DtypeError, "float32 float64", lambda: F.linear(ROWS, tc.ones(2, 4, dtype="float64"))),
    ("linear", DtypeError, "bias float", lambda: F.linear(ROWS, tc.ones(2, 4), 1.0)),
    ("linear", DtypeError, "input int64", lambda: F.linear(tc.arange(4), tc.ones(2, 4))),
    ("sum", ArgumentError, "dim 2", lambda: ROWS.sum(2)),
    ("sum", ArgumentError, "dim (0, -2) once", lambda: ROWS.sum((0, -2))),
    ("sum", ArgumentError, "dim 1.5", lambda: ROWS.sum(1.5)),
    ("mean", DtypeError, "input int64", lambda: tc.arange(4).mean()),
    ("mean", ArgumentError, "dim -3", lambda: ROWS.mean(-3)),
    ("amax", ShapeError, "input (0, 4)", lambda: tc.zeros(0, 4).amax(0)),
    ("amax", ShapeError, "input (0,)", lambda: tc.zeros(0).max()),
    ("max", ArgumentError, "dim 3", lambda: ROWS.max(3)),
    ("argmax", ShapeError, "input (0,)", lambda: tc.zeros(0).argmax()),
    ("reshape", ShapeError, "shape (5, -1) (3, 4)", lambda: ROWS.reshape(5, -1)),
    ("reshape", ShapeError, "shape (-1, -1)", lambda: ROWS.reshape(-1, -1)),
    ("reshape", ShapeError, "shape (5,)", lambda: ROWS.view(5)),
    ("reshape", ArgumentError, "shape 1.5", lambda: ROWS.reshape(1.5, 8)),
    ("permute", ArgumentError, "(0, 0) once", lambda: ROWS.permute(0, 0)),
    ("permute", ArgumentError, "dims (0,)", lambda: ROWS.permute(0)),
    ("permute", ArgumentError, "2", lambda: ROWS.permute(0, 2)),
    ("transpose", ArgumentError, "dim 2", lambda: ROWS.transpose(0, 2)),
    ("expand", ShapeError, "size (3, 5) (3, 4)", lambda: ROWS.expand(3, 5)),
    ("expand", ShapeError, "size (4,)", lambda: ROWS.expand(4)),
    ("flatten", ArgumentError, "start_dim 1", lambda: ROWS.flatten(1, 0)),
    ("squeeze", ArgumentError, "dim 5", lambda: ROWS.squeeze(5)),
    ("unsqueeze", ArgumentError, "dim 4", lambda: ROWS.unsqueeze(4)),
    ("cat", ArgumentError, "tensors []", lambda: tc.cat([])),
    ("cat", ShapeError, "tensors[1] (2, 4) (3, 4)", lambda: tc.cat([ROWS, tc.ones(2, 4)], 1)),
    ("cat", ShapeError, "tensors[1] (4,)", lambda: tc.cat([ROWS, tc.ones(4)])),
    ("cat", DtypeError, "tensors[1] ndarray", lambda: tc.cat([ROWS, np.ones((3, 4))])),
    ("cat", ArgumentError, "dim 2", lambda: tc.cat([ROWS, ROWS], 2)),
    ("cat", ShapeError, "()", lambda: tc.cat([tc.tensor(1.0), tc.tensor(2.0)])),
    ("index", ArgumentError, "7 (3, 4)", lambda: ROWS[7]),
    ("index", ArgumentError, "(0, 0, 0) (3, 4)", lambda: ROWS[0, 0, 0]),
    ("index", ArgumentError, "'a'", lambda: ROWS["a"]),
    ("index", ArgumentError, "(3, 4)", lambda: ROWS[tc.tensor([True, False])]),
    ("relu", DtypeError, "input int64", lambda: F.relu(INTS)),
    ("leaky_relu", DtypeError, "input int64", lambda: F.leaky_relu(INTS)),
    ("leaky_relu", ArgumentError, "negative_slope 'steep'", lambda: F.leaky_relu(IMAGE, "steep")),
    ("elu", DtypeError, "input int64", lambda: F.elu(INTS)),
    ("elu", ArgumentError, "alpha None", lambda: F.elu(IMAGE, None)),
    ("sigmoid", DtypeError, "input bool", lambda: F.sigmoid(tc.tensor([True]))),
    ("tanh", DtypeError, "input ndarray", lambda: F.tanh(np.ones(3))),
    ("softmax", DtypeError, "input int64", lambda: F.softmax(tc.arange(3), 0)),
    ("softmax", ArgumentError, "dim 2", lambda: F.softmax(ROWS, 2)),
    ("log_softmax", ArgumentError, "dim '1'", lambda: F.log_softmax(ROWS, "1")),
    ("dropout", ArgumentError, "p 1.5", lambda: F.dropout(IMAGE, 1.5)),
    ("dropout", ArgumentError, "p -0.1", lambda: F.dropout(IMAGE, -0.1, training=False)),
    ("dropout", ArgumentError, "p nan", lambda: F.dropout(IMAGE, float("nan"))),
    ("dropout", DtypeError, "input int64", lambda: F.dropout(INTS)),
]

WRONG += [
    ("conv2d", ShapeError, "input (3, 4) (N, C, H, W)", lambda: F.conv2d(ROWS, WEIGHT)),
    ("conv2d", ShapeError, "input (5, 6) 4 dimensions", lambda: F.conv2d(IMAGE[0, 0], WEIGHT)),
    ("conv2d", ShapeError, "weight (6, 4, 3) 4 dimensions", lambda: F.conv2d(IMAGE, WEIGHT[..., 0])),
    ("conv2d", ShapeError, "weight (0, 4, 3, 3)", lambda: F.conv2d(IMAGE, WEIGHT[:0])),
    ("conv2d", ShapeError, "input (2, 4, 5, 6) 8 channels", lambda: F.conv2d(IMAGE, WEIGHT, groups=2)),
    ("conv2d", ArgumentError, "groups 4 6", lambda: F.conv2d(IMAGE, WEIGHT[:, :1], groups=4)),
    ("conv2d", ArgumentError, "groups 0", lambda: F.conv2d(IMAGE, WEIGHT, groups=0)),
    ("conv2d", ArgumentError, "groups 1.5", lambda: F.conv2d(IMAGE, WEIGHT, groups=1.5)),
    ("conv2d", ShapeError, "bias (4,) (6,)", lambda: F.conv2d(IMAGE, WEIGHT, tc.ones(4))),
    ("conv2d", DtypeError, "bias float", lambda: F.conv2d(IMAGE, WEIGHT, 1.0)),
    ("conv2d", ArgumentError, "stride -1", lambda: F.conv2d(IMAGE, WEIGHT, stride=-1)),
    ("conv2d", ArgumentError, "stride 0", lambda: F.conv2d(IMAGE, WEIGHT, stride=0)),
    ("conv2d", ArgumentError, "stride (1, 2, 3)", lambda: F.conv2d(IMAGE, WEIGHT, stride=(1, 2, 3))),
    ("conv2d", ArgumentError, "stride 1.5", lambda: F.conv2d(IMAGE, WEIGHT, stride=1.5)),
    ("conv2d", ArgumentError, "stride True", lambda: F.conv2d(IMAGE, WEIGHT, stride=True)),
    ("conv2d", ArgumentError, "padding -1", lambda: F.conv2d(IMAGE, WEIGHT, padding=-1)),
    ("conv2d", ArgumentError, "padding 'full'", lambda: F.conv2d(IMAGE, WEIGHT, padding="full")),
    ("conv2d", ArgumentError, "dilation 0", lambda: F.conv2d(IMAGE, WEIGHT, dilation=(1, 0))),
    ("conv2d", ShapeError, "kernel_size (7, 7) (5, 6)", lambda: F.conv2d(IMAGE, tc.ones(1, 4, 7, 7))),
    ("conv2d", ShapeError, "dilation (3, 3) (5, 6)", lambda: F.conv2d(IMAGE, WEIGHT, dilation=3)),
    ("conv2d", ShapeError, "kernel_size (3, 3) (0, 6)", lambda: F.conv2d(IMAGE[:, :, :0], WEIGHT)),
    ("conv2d", DtypeError, "input int64", lambda: F.conv2d(INTS, WEIGHT)),
    ("conv2d", DtypeError, "weight int64", lambda: F.conv2d(IMAGE, WEIGHT.to("int64"))),
    ("conv2d", DtypeError, "float64 float32", lambda: F.conv2d(DOUBLES, WEIGHT)),
    ("conv2d", DtypeError, "bias float64", lambda: F.conv2d(IMAGE, WEIGHT, tc.ones(6, dtype="float64"))),
    ("conv2d", DtypeError, "input ndarray", lambda: F.conv2d(IMAGE.numpy(), WEIGHT)),
    ("conv_transpose2d", ShapeError, "6 channels", lambda: F.conv_transpose2d(IMAGE, WEIGHT)),
    (
        "conv_transpose2d",
        ArgumentError,
        "groups 3 4",
        lambda: F.conv_transpose2d(IMAGE, tc.ones(4, 1, 2, 2), groups=3),
    ),
    (
        "conv_transpose2d",
        ArgumentError,
        "output_padding (1, 1) (1, 1)",
        lambda: F.conv_transpose2d(IMAGE, tc.ones(4, 1, 2, 2), output_padding=1),
    ),
    (
        "conv_transpose2d",
        ShapeError,
        "size (-3, -2)",
        lambda: F.conv_transpose2d(IMAGE, tc.ones(4, 1, 1, 1), padding=4),
    ),
    (
        "conv_transpose2d",
        ArgumentError,
        "stride -2",
        lambda: F.conv_transpose2d(IMAGE, tc.ones(4, 1, 2, 2), stride=-2),
    ),
    ("conv_transpose2d", DtypeError, "input int64", lambda: F.conv_transpose2d(INTS, tc.ones(4, 1, 2, 2))),
    ("max_pool2d", ShapeError, "input (3, 4)", lambda: F.max_pool2d(ROWS, 2)),
    ("max_pool2d", DtypeError, "input int64", lambda: F.max_pool2d(INTS, 2)),
    ("max_pool2d", ShapeError, "kernel_size (6, 6) (5, 6)", lambda: F.max_pool2d(IMAGE, 6)),
    ("max_pool2d", ArgumentError, "kernel_size 0", lambda: F.max_pool2d(IMAGE, 0)),
    ("max_pool2d", ArgumentError, "stride -2", lambda: F.max_pool2d(IMAGE, 2, -2)),
    ("max_pool2d", ArgumentError, "padding (2, 2) (2, 2)", lambda: F.max_pool2d(IMAGE, 2, padding=2)),
    ("max_pool2d", ArgumentError, "dilation 0", lambda: F.max_pool2d(IMAGE, 2, dilation=0)),
    (
        "max_pool2d",
        ShapeError,
        "padding (1, 1)",
        lambda: F.max_pool2d(tc.ones(1, 1, 1, 1), 2, padding=1, dilation=2),
    ),
    ("avg_pool2d", ShapeError, "kernel_size (6, 6) (5, 6)", lambda: F.avg_pool2d(IMAGE, 6)),
    ("avg_pool2d", ArgumentError, "padding (2, 2)", lambda: F.avg_pool2d(IMAGE, 2, padding=2)),
    ("avg_pool2d", DtypeError, "input int64", lambda: F.avg_pool2d(INTS, 2)),
    ("avg_pool2d", ArgumentError, "kernel_size '2'", lambda: F.avg_pool2d(IMAGE, "2")),
    ("max_unpool2d", ShapeError, "indices (2, 4)", lambda: F.max_unpool2d(IMAGE, INDICES[..., 0, 0], 2)),
    ("max_unpool2d", DtypeError, "indices float32", lambda: F.max_unpool2d(IMAGE, IMAGE, 2)),
    ("max_unpool2d", ArgumentError, "indices 120 (10, 12)", lambda: F.max_unpool2d(IMAGE, INDICES + 120, 2)),
    ("max_unpool2d", ArgumentError, "indices -1", lambda: F.max_unpool2d(IMAGE, INDICES - 1, 2)),
    (
        "max_unpool2d",
        ArgumentError,
        "output_size (0, 3)",
        lambda: F.max_unpool2d(IMAGE, INDICES, 2, output_size=(0, 3)),
    ),
    (
        "max_unpool2d",
        ArgumentError,
        "output_size '9'",
        lambda: F.max_unpool2d(IMAGE, INDICES, 2, output_size="9"),
    ),
]

WRONG += [
    ("cross_entropy", ArgumentError, "target 4 0 to 3", lambda: F.cross_entropy(ROWS, CLASSES + 1)),
    ("cross_entropy", ArgumentError, "target -1", lambda: F.cross_entropy(ROWS, CLASSES - 1)),
    ("cross_entropy", ShapeError, "target (2,) (3,)", lambda: F.cross_entropy(ROWS, CLASSES[:2])),
    ("cross_entropy", ShapeError, "target (3,) (3, 4)", lambda: F.cross_entropy(ROWS, tc.ones(3))),
    ("cross_entropy", DtypeError, "target bool", lambda: F.cross_entropy(ROWS, CLASSES > 0)),
    ("cross_entropy", DtypeError, "input int64", lambda: F.cross_entropy(INTS, CLASSES)),
    ("cross_entropy", DtypeError, "target list", lambda: F.cross_entropy(ROWS, [0, 1, 3])),
    ("cross_entropy", DtypeError, "float32 float64", lambda: F.cross_entropy(ROWS, ROWS.double())),
    ("cross_entropy", ShapeError, "weight (3,) (4,)", lambda: F.cross_entropy(ROWS, CLASSES, tc.ones(3))),
    (
        "cross_entropy",
        DtypeError,
        "weight float64",
        lambda: F.cross_entropy(ROWS, CLASSES, tc.ones(4, dtype="float64")),
    ),
    (
        "cross_entropy",
        ArgumentError,
        "label_smoothing 2",
        lambda: F.cross_entropy(ROWS, CLASSES, label_smoothing=2),
    ),
    (
        "cross_entropy",
        ArgumentError,
        "reduction 'average' 'mean'",
        lambda: F.cross_entropy(ROWS, CLASSES, reduction="average"),
    ),
    ("cross_entropy", ShapeError, "input () (C,)", lambda: F.cross_entropy(tc.tensor(1.0), tc.tensor(0))),
    ("cross_entropy", ShapeError, "input (3, 0)", lambda: F.cross_entropy(tc.zeros(3, 0), CLASSES)),
    ("binary_cross_entropy", ShapeError, "target (3, 4)", lambda: F.binary_cross_entropy(MASK, ROWS)),
    ("binary_cross_entropy", ArgumentError, "input 2", lambda: F.binary_cross_entropy(IMAGE * 2, MASK)),
    ("binary_cross_entropy", ArgumentError, "input nan", lambda: F.binary_cross_entropy(IMAGE / 0 * 0, MASK)),
    ("binary_cross_entropy", DtypeError, "target int64", lambda: F.binary_cross_entropy(MASK, INTS)),
    ("binary_cross_entropy", DtypeError, "float32 float64", lambda: F.binary_cross_entropy(MASK, DOUBLES)),
    (
        "binary_cross_entropy",
        ShapeError,
        "weight (5,)",
        lambda: F.binary_cross_entropy(MASK, MASK, weight=tc.ones(5)),
    ),
    (
        "binary_cross_entropy",
        DtypeError,
        "weight list",
        lambda: F.binary_cross_entropy(MASK, MASK, weight=[1.0] * 6),
    ),
    (
        "binary_cross_entropy",
        DtypeError,
        "weight float64",
        lambda: F.binary_cross_entropy(MASK, MASK, weight=DOUBLES),
    ),
    (
        "binary_cross_entropy",
        ArgumentError,
        "reduction None",
        lambda: F.binary_cross_entropy(MASK, MASK, reduction=None),
    ),
    (
        "binary_cross_entropy_with_logits",
        ShapeError,
        "target (3, 4)",
        lambda: F.binary_cross_entropy_with_logits(IMAGE, ROWS),
    ),
    (
        "binary_cross_entropy_with_logits",
        ShapeError,
        "pos_weight (5,)",
        lambda: F.binary_cross_entropy_with_logits(IMAGE, MASK, pos_weight=tc.ones(5)),
    ),
    (
        "binary_cross_entropy_with_logits",
        ShapeError,
        "weight (3, 2, 4, 5, 6)",
        lambda: F.binary_cross_entropy_with_logits(IMAGE, MASK, weight=tc.ones(3, 2, 4, 5, 6)),
    ),
    ("mse_loss", ShapeError, "target (3, 4)", lambda: F.mse_loss(IMAGE, ROWS)),
    ("mse_loss", DtypeError, "float32 float64", lambda: F.mse_loss(IMAGE, DOUBLES)),
    ("dice_loss", ArgumentError, "target 255.0 divide", lambda: F.dice_loss(MASK, 255 * IMAGE)),
    ("dice_loss", ArgumentError, "input 2.0 sigmoid", lambda: F.dice_loss(2 * IMAGE, MASK)),
    (
        "binary_cross_entropy",
        ArgumentError,
        "target 255.0",
        lambda: F.binary_cross_entropy(MASK, 255 * IMAGE),
    ),
    (
        "binary_cross_entropy_with_logits",
        ArgumentError,
        "target 255.0",
        lambda: F.binary_cross_entropy_with_logits(MASK, 255 * IMAGE),
    ),
    ("full", ArgumentError, f"fill_value {10**20} int64", lambda: tc.full((2,), 10**20)),
    ("full", ArgumentError, "fill_value 300 uint8", lambda: tc.full((2,), 300, dtype="uint8")),
    ("elu", ArgumentError, "alpha -1.0", lambda: F.elu(IMAGE, -1.0)),
    ("mse_loss", DtypeError, "input int64", lambda: F.mse_loss(INTS, INTS)),
    ("mse_loss", ArgumentError, "reduction 'max'", lambda: F.mse_loss(IMAGE, MASK, reduction="max")),
    ("dice_loss", ShapeError, "input (3, 4) (N, C, *spatial)", lambda: F.dice_loss(ROWS, ROWS)),
    ("dice_loss", ShapeError, "target (3, 4)", lambda: F.dice_loss(MASK, ROWS)),
    ("dice_loss", DtypeError, "target int64", lambda: F.dice_loss(MASK, INTS)),
    ("dice_loss", ArgumentError, "reduction 'max'", lambda: F.dice_loss(MASK, MASK, reduction="max")),
]

WRONG += [row for family in FAMILIES for row in getattr(family, "WRONG", [])]

OTHER_NAMES = {"astype": ("to", "astype"), "amax": ("amax", "max"), "max_pool2d": ("max_pool2d", "max_pool")}


def looking_at_values(error: type[TinyconvError]) -> Any:
    """On a GPU only `detect_anomaly` waits for labels and the like, to tell of a wrong one."""
    unseen = tc.get_default_device() != "cpu" and error is ArgumentError
    return tc.autograd.detect_anomaly() if unseen else contextlib.nullcontext()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("op", "error", "words", "call"), WRONG, ids=[f"{i}-{row[0]}" for i, row in enumerate(WRONG)]
)
def test_a_wrong_call_says_what_is_wrong(
    op: str, error: type[TinyconvError], words: str, call: Callable[[], Any], backend: str
) -> None:
    with kernels(backend), looking_at_values(error), pytest.raises(error) as caught:
        call()
    assert caught.value.where in OTHER_NAMES.get(op, (op,))
    message = str(caught.value)
    for word in words.split(" "):
        assert word in message, message
    assert caught.value.expected
    assert "\n" not in message
