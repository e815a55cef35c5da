"""Tensors on a GPU: there and back, refusals, and a whole training step."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.gpu import finds_a_gpu
from tinyconv import models


def test_a_training_step_of_the_unet_equals_the_cpu(cuda: Any) -> None:
    name: str
    options: dict[str, Any]
    name, options, size = "unet_slides", {"in_channels": 3}, (32, 48)
    if not finds_a_gpu():  # the emulator would take minutes
        name, options, size = (
            "unet_bn",
            {"in_channels": 3, "num_classes": 1, "widths": (4, 8, 16), "dropout": 0.2},
            (12, 16),
        )
    rng = np.random.default_rng(0)
    images = rng.random((2, 3, *size), dtype=np.float32)
    masks = (rng.random((2, 1, *size)) < 0.3).astype(np.float32)
    losses, gradients = {}, {}
    for device in ("cpu", "cuda"):
        tc.manual_seed(3)
        model = models.create(name, **options).to(device)
        prediction = model(tc.tensor(images).to(device))
        prediction = prediction if name == "unet_slides" else prediction.sigmoid()
        target = tc.tensor(masks).to(device)
        loss = F.binary_cross_entropy(prediction, target) + F.dice_loss(prediction, target)
        loss.backward()
        optimizer = tc.optim.Adam(model.parameters())
        optimizer.step()
        losses[device] = loss.item()
        gradients[device] = {name: p.grad.cpu().numpy() for name, p in model.named_parameters()}
    assert losses["cuda"] == pytest.approx(losses["cpu"], rel=1e-5)
    for name, expected in gradients["cpu"].items():
        error = np.abs(gradients["cuda"][name] - expected).max() / np.abs(expected).max()
        assert error < 1e-4, (name, error)


ORDERS: dict[str, Any] = {
    "channels last": (lambda x: x.contiguous(memory_format=tc.channels_last), (90, 1, 18, 3)),
    "mirrored": (lambda x: x.permute(3, 2, 1, 0), (1, 6, 30, 90)),
    "every second column": (lambda x: x[..., ::2], (45, 15, 3, 1)),
    "backwards": (lambda x: x.flip(0), (90, 30, 6, 1)),
}


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("pinned", [False, True])
def test_the_memory_order_stays_on_the_way(cuda: Any, name: str, pinned: bool) -> None:
    """As in PyTorch: of what fills its memory; anything else lies in C order then."""
    view, strides = ORDERS[name]
    x = view(tc.tensor(np.arange(360, dtype=np.float32).reshape(4, 3, 5, 6)))
    there = (x.pin_memory() if pinned else x).to("cuda", non_blocking=pinned)
    back = there.cpu()
    assert there.stride() == back.stride() == strides
    np.testing.assert_array_equal(back.numpy(), x.numpy())


def test_gradients_travel_back_from_the_gpu(cuda: Any) -> None:
    x = tc.ones(3, requires_grad=True)
    y = (2 * x).to("cuda")
    assert y.device == "cuda:0" and y.requires_grad
    (y * y).sum().backward()
    assert x.grad.device == "cpu" and x.grad.tolist() == [8, 8, 8]


def test_tensors_on_two_devices_are_refused(cuda: Any) -> None:
    with pytest.raises(tc.errors.DeviceError, match="all tensors on one device"):
        tc.ones(2) + tc.ones(2).to("cuda")


def test_without_cupy_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(tc.errors.DeviceError, match=r"pip install 'tinyconv\[gpu\]'"):
        tc.ones(2).to("cuda")
