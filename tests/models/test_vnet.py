"""V-Net: the table of its paper, its count by hand, and a twin in PyTorch written from the paper."""

from __future__ import annotations

from typing import Any

import pytest

import tinyconv as tc
from tests.models.dense_checks import check_one_step, discs, fit
from tests.models.twin import assert_same_as, count, images
from tinyconv import models, nn
from tinyconv.errors import ArgumentError, ShapeError


def twin_of(torch: Any, a: int, b: int, c: int) -> Any:
    """Milletari et al. 2016, figure 2, with three stages in the place of five."""
    t = torch.nn

    class Stage(t.Module):
        def __init__(self, inputs: int, channels: int, number: int) -> None:
            super().__init__()
            ins = [inputs] + [channels] * (number - 1)
            self.conv = t.ModuleList([t.Conv3d(n, channels, 5, padding=2) for n in ins])
            self.prelu = t.ModuleList([t.PReLU(channels) for _ in ins])

        def forward(self, x: Any) -> Any:
            y = x
            for conv, prelu in list(zip(self.conv, self.prelu, strict=True))[:-1]:
                y = prelu(conv(y))
            return self.prelu[-1](self.conv[-1](y) + x)

    class Twin(t.Module):
        def __init__(self) -> None:
            super().__init__()
            self.left = t.ModuleList([Stage(1, a, 1), Stage(b, b, 2), Stage(c, c, 3)])
            self.down = t.ModuleList(
                [t.Sequential(t.Conv3d(m, n, 2, 2), t.PReLU(n)) for m, n in ((a, b), (b, c))]
            )
            self.up = t.ModuleList(
                [t.Sequential(t.ConvTranspose3d(m, n, 2, 2), t.PReLU(n)) for m, n in ((c, b), (2 * b, a))]
            )
            self.right = t.ModuleList([Stage(2 * b, 2 * b, 2), Stage(2 * a, 2 * a, 1)])
            self.head = t.Conv3d(2 * a, 2, 1)

        def forward(self, x: Any) -> Any:
            first = self.left[0](x)
            second = self.left[1](self.down[0](first))
            third = self.left[2](self.down[1](second))
            second = self.right[0](torch.cat([self.up[0](third), second], 1))
            return self.head(self.right[1](torch.cat([self.up[1](second), first], 1)))

    return Twin()


def test_the_output_is_that_of_the_twin() -> None:
    torch = pytest.importorskip("torch")
    model = models.create("vnet", widths=(2, 3, 4))
    assert_same_as(twin_of(torch, 2, 3, 4), model, images(1, 1, 8, 4, 12))


def test_parameters_by_hand() -> None:
    """The paper gives no count. 125 weights per pair of channels, 8 where the size changes, PReLUs."""
    w, number = (16, 32, 64, 128, 256), (1, 2, 3, 3, 3)
    total = 125 * 1 * 16 + 2 * 16
    for i in range(1, 5):
        total += 8 * w[i - 1] * w[i] + 2 * w[i] + number[i] * (125 * w[i] ** 2 + 2 * w[i])
    inputs = 256
    for i in (3, 2, 1, 0):
        both = 2 * w[i]
        total += 8 * inputs * w[i] + 2 * w[i] + number[i] * (125 * both**2 + 2 * both)
        inputs = both
    assert count(models.create("vnet")) == total + 2 * 32 + 2 == 65_175_314


def test_what_the_stages_see() -> None:
    """On the way down as in the paper's table 1: 5, 22, 72, 172, 372.

    On the way up that table counts the transposed convolution as if each of its outputs saw two of its
    inputs (476, 528, 546, 551); with a kernel as long as its stride it sees one. By hand: three 5x5x5 see
    13 voxels, which lie over 7 of the level below, 16 apart: 372 + 6 * 16 = 468. Next, 13 over 7, of which
    the convolutions below make 19, over 10 of the lowest: 372 + 9 * 16 = 516; then 9 over 5, 17 over 9,
    21 over 11: 532; and 5 over 3, 11 over 6, 18 over 10, 22 over 12 at the most: 548.
    """
    table = nn.summary(models.create("vnet", widths=(1, 1, 1, 1, 1)), (1, 32, 32, 32))
    down = [table[f"left.{i}.conv.{n - 1}"].receptive_field for i, n in enumerate((1, 2, 3, 3, 3))]
    assert down == [(n, n, n) for n in (5, 22, 72, 172, 372)]
    up = [table[f"right.{i}.conv.{n - 1}"].receptive_field for i, n in enumerate((3, 3, 2, 1))]
    assert up == [(n, n, n) for n in (468, 516, 532, 548)]


def test_sizes() -> None:
    model = models.create("vnet", widths=(1, 1, 1, 1, 1), num_classes=3)
    assert model(tc.zeros(1, 1, 16, 32, 16)).shape == (1, 3, 16, 32, 16)
    for shape in ((1, 1, 16, 24, 16), (1, 3, 16, 16, 16), (1, 1, 16, 16)):
        with pytest.raises(ShapeError, match=r"VNet: input .*\(N, 1, D, H, W\).*multiples of 16"):
            model(tc.zeros(*shape))
    with pytest.raises(ArgumentError, match="in_channels is 3, expected 1 or 16"):
        models.create("vnet", in_channels=3)


def test_one_step_changes_every_parameter() -> None:
    tc.manual_seed(0)
    check_one_step(models.create("vnet", widths=(4, 4, 4)), 1, 1, 8, 8, 8)


def test_eight_volumes_are_learned_by_heart() -> None:
    tc.manual_seed(0)
    x, where = discs((8, 8, 8))
    assert fit(models.create("vnet", widths=(4, 8)), x, where, 20) > 0.97
