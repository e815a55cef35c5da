"""ONNX on a GPU: a model that is brought there runs, and one that is there can be exported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.gpu import gpu
from tests.io.onnx.exported import run
from tests.io.onnx.node_cases import Case
from tests.on_cuda import on_cuda
from tinyconv import nn


@pytest.fixture(autouse=True)
def _cuda() -> Iterator[Any]:
    with gpu() as cupy:
        yield cupy


@pytest.mark.parametrize(
    "name",
    [
        "test_attention_3d_causal",
        "test_attention_4d_attn_mask_bool",
        "test_celu_expanded",
        "test_center_crop_pad_crop_and_pad_expanded",
        "test_layer_normalization_2d_axis0_expanded",
        "test_lstm_with_peepholes",
        "test_onehot_with_axis",
        "test_resize_tf_crop_and_resize",
    ],
)
def test_constants_and_sizes_of_a_file_meet_a_gpus_tensors(name: str) -> None:
    with on_cuda():
        Case(name).check()


class Shifted(nn.Module):
    """Has a parameter, a buffer, and a tensor that it makes in each call."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        return self.norm(self.conv(x)) + tc.arange(3, dtype=x.dtype).reshape(3, 1, 1)


def test_a_model_on_a_gpu_is_exported_and_stays_there(tmp_path: Path) -> None:
    with tc.default_device("cuda"):
        model, x = Shifted().eval(), tc.rand(2, 2, 5, 5)
        expected = model(x).cpu().detach().numpy()
        before = [id(p.array) for p in (*model.parameters(), *model.buffers())]
        tc.io.onnx.export(model, x, tmp_path / "model.onnx")
        assert tc.get_default_device() == "cuda"
    assert before == [id(p.array) for p in (*model.parameters(), *model.buffers())]
    assert {p.device for p in (*model.parameters(), *model.buffers())} == {"cuda:0"}
    (found,) = run(tmp_path / "model.onnx", [x.cpu()])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
