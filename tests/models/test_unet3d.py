"""3D U-Net: its paper's count and sizes, and a twin in PyTorch written from the paper's figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.models.dense_checks import check_one_step, discs, fit
from tests.models.twin import assert_same_as, count, images
from tinyconv import models, nn
from tinyconv.errors import ArgumentError, ShapeError


def test_eight_volumes_are_learned_by_heart() -> None:
    tc.manual_seed(1)
    x, where = discs((8, 8, 8))
    model = models.create("unet3d_bn", in_channels=1, num_classes=2, widths=(4, 8), padding=1)
    assert fit(model, x, where, 35, 0.03) > 0.97


def test_the_3d_unet_has_the_parameters_of_its_paper() -> None:
    assert count(models.create("unet3d")) == 19_069_955
    normalised = models.create("unet3d_bn")
    scales = sum(count(m) for m in normalised.modules() if isinstance(m, nn.BatchNorm3d))
    # the paper's count has the biases, which normalisation makes superfluous, and not what replaces them
    assert scales == 4_672 and count(normalised) == 19_069_955 - scales // 2 + scales


def twin_of_unet3d(torch: Any) -> Any:
    """Çiçek et al. 2016, figure 2, with 4, 8 and 16 filters instead of 64, 128, 256 and 512; padded."""
    t = torch.nn

    def block(a: int, b: int, c: int) -> Any:
        return t.Sequential(t.Conv3d(a, b, 3, padding=1), t.ReLU(), t.Conv3d(b, c, 3, padding=1), t.ReLU())

    class Twin(t.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = t.ModuleList([block(3, 2, 4), block(4, 4, 8), block(8, 8, 16)])
            self.up = t.ModuleList([t.ConvTranspose3d(n, n, 2, 2, bias=False) for n in (16, 8)])
            self.decoder = t.ModuleList([block(16 + 8, 8, 8), block(8 + 4, 4, 4)])
            self.head = t.Conv3d(4, 3, 1)

        def forward(self, x: Any) -> Any:
            first = self.encoder[0](x)
            second = self.encoder[1](torch.nn.functional.max_pool3d(first, 2))
            third = self.encoder[2](torch.nn.functional.max_pool3d(second, 2))
            second = self.decoder[0](torch.cat([self.up[0](third), second], 1))
            return self.head(self.decoder[1](torch.cat([self.up[1](second), first], 1)))

    return Twin()


def test_the_3d_unet_against_its_twin() -> None:
    torch = pytest.importorskip("torch")
    model = models.create("unet3d", widths=(4, 8, 16), padding=1)
    assert_same_as(twin_of_unet3d(torch), model, images(1, 3, 8, 12, 16))


def test_sizes_of_the_3d_unet() -> None:
    table = nn.summary(models.create("unet3d", widths=(2, 2, 2, 2)), models.input_size("unet3d"))
    assert table.rows[-1].output_shape == (3, 44, 44, 28)  # the paper's tile
    assert [table[f"encoder.{n}.3"].output_shape[3] for n in range(4)] == [112, 52, 22, 7]
    assert table["encoder.3.3"].receptive_field == (68, 68, 68)
    # up: 5 pixels lie over 3, of which 7 are made; 4 and 8; 5 of the bottom, 8 from one to the next
    assert table.rows[-1].receptive_field == (68 + 4 * 8,) * 3
    with pytest.raises(ShapeError, match=r"UNet3d: .*4 more than multiples of 8, at least 92"):
        models.create("unet3d", widths=(2, 2, 2, 2))(tc.zeros(1, 3, 96, 92, 92))
    assert np.prod(models.create("unet3d", widths=(2, 2), padding=1)(tc.zeros(1, 3, 6, 8, 10)).shape) == 1440


def test_one_step_changes_every_parameter() -> None:
    tc.manual_seed(0)
    check_one_step(models.create("unet3d", widths=(4, 4, 4), padding=1), 1, 3, 16, 16, 16)


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    (("padding", True, "0 or 1"), ("widths", 64, "2 or more"), ("batch_norm", "yes", "True or False")),
)
def test_wrong_options(option: str, value: Any, expected: str) -> None:
    with pytest.raises(ArgumentError, match=rf"UNet3d: {option} is .*{expected}"):
        models.create("unet3d", **{option: value})
