"""Every op of the table of ops, exported with drawn arguments: the same numbers, or a refusal by name."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.gpu import tensor
from tests.io.onnx.exported import Applied, arrays_of, export, onnxruntime, run
from tests.ops.table import OPS, Op
from tinyconv.errors import UnsupportedError
from tinyconv.ops import atan2

NEVER = {
    *("masked_select", "gumbel_softmax", "pdist", "std_mean", "poisson_nll_loss", "gaussian_nll_loss"),
    *("hinge_embedding_loss", "cosine_embedding_loss", "multi_margin_loss", "multilabel_margin_loss"),
    *("generalised_dice_loss", "tversky_loss", "generalised_wasserstein_dice_loss", "focal_loss"),
    *("weighted_pixel_cross_entropy", "cdist", "median", "kthvalue", "quantile"),
    *("diagonal", "diag", "diag_embed", "trace", "index_add", "index_copy", "index_fill"),
    "roi_align",
}
"""Ops that are refused: they look at values, or take and put single elements."""

NOT_ALWAYS = {
    "index": "masks, several index tensors",
    "dropout": "training=True",
    "alpha_dropout": "training=True",
    "feature_alpha_dropout": "training=True",
    "lp_pool1d": "ceil_mode where onnx counts windows otherwise",
    "lp_pool2d": "ceil_mode where onnx counts windows otherwise",
    "lp_pool3d": "ceil_mode where onnx counts windows otherwise",
    "rrelu": "training=True",
    "cross_entropy": "label smoothing, no batch",
    "nll_loss": "no batch",
    "adaptive_max_pool1d": "return_indices",
    "adaptive_max_pool2d": "return_indices",
    "adaptive_max_pool3d": "return_indices",
    "max_pool1d": "ceil_mode where onnx counts windows otherwise",
    "max_pool2d": "ceil_mode where onnx counts windows otherwise",
    "max_pool3d": "ceil_mode where onnx counts windows otherwise",
    "avg_pool1d": "ceil_mode where onnx counts windows otherwise",
    "avg_pool2d": "ceil_mode where onnx counts windows otherwise",
    "avg_pool3d": "ceil_mode where onnx counts windows otherwise",
    "take_along_dim": "broadcasting",
    "unfold": "the method of tensors, which takes windows along one dimension",
    "norm": "powers other than 0, 1, 2 and inf",
    "einsum": "diagonals",
    "affine_grid": "align_corners with a size of 1",
}
"""Ops that are refused for some arguments: which."""


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
@settings(max_examples=8, derandomize=True, suppress_health_check=[HealthCheck.filter_too_much])
@given(data=st.data())
def test_an_op_exported_is_the_op_or_is_refused(op: Op, data: Any) -> None:
    onnxruntime.set_default_logger_severity(4)
    case = data.draw(op.cases)
    inputs, constants = case.arrays(np.float32)
    model = Applied(lambda *tensors: op.call(*tensors, *model.buffers(), **case.options)).eval()
    for number, x in enumerate(constants):
        model.register_buffer(f"constant_{number}", tensor(x))
    given = [tensor(x) for x in inputs]
    expected = arrays_of(model(*given))
    # Nobody exports a network for empty images; onnxruntime refuses some.
    assume(all(x.size for x in (*inputs, *expected)) and inputs[0].ndim > 0)
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = run(export(model, given, Path(folder)), given)
        except UnsupportedError as error:
            hint = "translate it in tinyconv/io/onnx/translations, or list it above with the reason"
            assert op.name in NEVER | set(NOT_ALWAYS), f"{error}: {hint}"
            return
    for theirs, ours in zip(found, expected, strict=True):
        assert (theirs.dtype, theirs.shape) == (ours.dtype, ours.shape)
        largest = float(np.abs(ours[np.isfinite(ours)]).max(initial=1)) if ours.dtype.kind == "f" else 1.0
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5 * largest)


def test_what_is_refused_is_in_the_table() -> None:
    assert NEVER | set(NOT_ALWAYS) <= {op.name for op in OPS}


def test_angles_on_the_axes() -> None:
    a = tensor(np.array([1, -1, 1, -1, 0, 0, 1, -1, 0], np.float32))
    b = tensor(np.array([0.0, 0.0, -0.0, -0.0, 1, -1, np.inf, -np.inf, 0], np.float32))
    with tempfile.TemporaryDirectory() as folder:
        (found,) = run(export(Applied(atan2).eval(), [a, b], Path(folder)), [a, b])
    np.testing.assert_allclose(found, np.arctan2(a.numpy(), b.numpy()), rtol=0, atol=1e-6)
