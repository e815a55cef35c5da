"""RED-Net: summed skips, its count by hand, and a twin in PyTorch written from the paper."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.models.dense_checks import check_one_step
from tests.models.twin import assert_same_as, count, images
from tinyconv import models, nn, optim
from tinyconv.errors import ArgumentError, ShapeError


def twin_of(torch: Any, width: int, adds: bool) -> Any:
    """Mao et al. 2016, ten layers: the outputs of the 2nd and 4th convolution are added on the way back."""
    t = torch.nn
    outputs = 1 if adds else 2

    class Twin(t.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = t.ModuleList([t.Conv2d(width if i else 1, width, 3, padding=1) for i in range(5)])
            self.deconv = t.ModuleList(
                [t.ConvTranspose2d(width, width if i < 4 else outputs, 3, padding=1) for i in range(5)]
            )

        def forward(self, x: Any) -> Any:
            c1 = self.conv[0](x).relu()
            c2 = self.conv[1](c1).relu()
            c3 = self.conv[2](c2).relu()
            c4 = self.conv[3](c3).relu()
            c5 = self.conv[4](c4).relu()
            d5 = (self.deconv[0](c5) + c4).relu()
            d4 = self.deconv[1](d5).relu()
            d3 = (self.deconv[2](d4) + c2).relu()
            d2 = self.deconv[3](d3).relu()
            y = self.deconv[4](d2)
            return y + x if adds else y

    return Twin()


@pytest.mark.parametrize("adds", (True, False))
def test_the_output_is_that_of_the_twin(adds: bool) -> None:
    torch = pytest.importorskip("torch")
    options = {} if adds else {"num_classes": 2}
    model = models.create("rednet", depth=10, width=4, **options)
    assert_same_as(twin_of(torch, 4, adds), model, images(2, 1, 9, 14))


def test_parameters_by_hand() -> None:
    """The paper gives no count: 64 filters of 3x3 in 30 layers, of which the outer ones have 1 channel."""
    inner = 28 * (9 * 64 * 64 + 64)
    assert count(models.create("rednet")) == (9 * 64 + 64) + inner + (9 * 64 + 1) == 1_035_201
    assert count(models.create("rednet", depth=20)) == 9 * 64 + 64 + 18 * (9 * 64 * 64 + 64) + 577


@pytest.mark.parametrize("depth", (10, 20, 30))
def test_each_layer_sees_two_pixels_more(depth: int) -> None:
    table = nn.summary(models.create("rednet", depth=depth, width=1), (1, 20, 20))
    assert table[f"deconv.{depth // 2 - 1}"].receptive_field == (1 + 2 * depth,) * 2


@pytest.mark.parametrize("size", ((1, 1), (7, 12), (33, 50)))
def test_any_size(size: tuple[int, int]) -> None:
    assert models.create("rednet", depth=6, width=2)(tc.zeros(2, 1, *size)).shape == (2, 1, *size)


def test_wrong_arguments() -> None:
    for depth in (2, 7):
        with pytest.raises(ArgumentError, match=rf"depth is {depth}, expected an even number from 4 on"):
            models.create("rednet", depth=depth)
    with pytest.raises(ShapeError, match=r"RedNet: input .*\(N, 1, H, W\)"):
        models.create("rednet", depth=4, width=1)(tc.zeros(1, 3, 8, 8))


def test_one_step_changes_every_parameter() -> None:
    tc.manual_seed(0)
    check_one_step(models.create("rednet", depth=10, width=8), 2, 1, 8, 8)


def test_eight_images_are_cleaned_by_heart() -> None:
    """The error falls below a fifth of that of the noisy images themselves."""
    tc.manual_seed(0)
    rng = np.random.default_rng(0)
    clean = np.kron(rng.random((8, 1, 3, 3)), np.ones((3, 3))).astype(np.float32)
    noisy = (clean + rng.normal(0, 0.3, clean.shape)).astype(np.float32)
    model, loss = models.create("rednet", depth=4, width=16), nn.MSELoss()
    optimizer, x, y = optim.Adam(model.parameters(), lr=1e-2), tc.tensor(noisy), tc.tensor(clean)
    for _ in range(150):
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()
    assert loss(model(x).detach(), y).item() < 0.2 * loss(x, y).item()
