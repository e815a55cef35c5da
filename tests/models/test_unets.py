"""The U-Nets of the papers: counts, sizes, sight, and twins in PyTorch written from the papers' figures."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

import tinyconv as tc
from tests.models.dense_checks import check_one_step, discs, fit
from tests.models.twin import assert_same_as, count, images
from tinyconv import models, nn
from tinyconv.errors import ArgumentError, DtypeError, ShapeError

TINY = (2, 3, 4, 5, 6)


def twin_of_unet(torch: Any, widths: tuple[int, ...], padding: int, norm: bool, dims: int = 2) -> Any:
    """Ronneberger et al. 2015, figure 1; the middle of each copy is cut out as there."""
    t = torch.nn
    conv, up = (t.Conv2d, t.ConvTranspose2d) if dims == 2 else (t.Conv3d, t.ConvTranspose3d)
    batch_norm = t.BatchNorm2d if dims == 2 else t.BatchNorm3d

    def block(a: int, b: int) -> Any:
        layers = []
        for inputs in (a, b):
            layers += [conv(inputs, b, 3, padding=padding, bias=not norm)]
            layers += [batch_norm(b)] if norm else []
            layers += [t.ReLU()]
        return t.Sequential(*layers)

    class Twin(t.Module):
        def __init__(self) -> None:
            super().__init__()
            ins = (1, *widths)
            self.encoder = t.ModuleList([block(a, b) for a, b in zip(ins, widths, strict=False)])
            turned = widths[::-1]
            self.up = t.ModuleList([up(a, b, 2, 2) for a, b in pairwise(turned)])
            self.decoder = t.ModuleList([block(2 * b, b) for b in turned[1:]])
            self.head = conv(widths[0], 2, 1)

        def forward(self, x: Any) -> Any:
            pool = torch.nn.functional.max_pool2d if dims == 2 else torch.nn.functional.max_pool3d
            kept = []
            for level, stage in enumerate(self.encoder):
                x = stage(pool(x, 2) if level else x)
                kept.append(x)
            kept.pop()
            for rise, stage in zip(self.up, self.decoder, strict=True):
                x, copy = rise(x), kept.pop()
                for dim in range(2, x.ndim):
                    copy = copy.narrow(dim, (copy.shape[dim] - x.shape[dim]) // 2, x.shape[dim])
                x = stage(torch.cat([x, copy], 1))
            return self.head(x)

    return Twin()


@pytest.mark.parametrize(
    ("name", "options", "shape"),
    (
        ("unet", {}, (1, 1, 188, 204)),
        ("unet", {"padding": 1}, (2, 1, 32, 16)),
        ("unet_bn", {}, (2, 1, 48, 32)),
        ("unet_bn", {"padding": 0}, (1, 1, 188, 188)),
        ("unet_bn", {"dims": 3}, (1, 1, 16, 16, 32)),
    ),
)
def test_the_output_is_that_of_the_twin(name: str, options: Any, shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    model = models.create(name, widths=TINY, **options)
    padding = options.get("padding", int(name == "unet_bn"))
    twin = twin_of_unet(torch, TINY, padding, name == "unet_bn", options.get("dims", 2))
    assert_same_as(twin, model, images(*shape))


def test_the_original_has_23_convolutions_and_31_million_parameters() -> None:
    """The paper says "In total the network has 23 convolutional layers" and gives no count of parameters.

    By hand, with w = 64, 128, …, 1024: 9 w w' + w' per 3x3 convolution, 4 w w' + w' per transposed one.
    """
    model = models.create("unet")
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    assert len(layers) == 23
    w = (64, 128, 256, 512, 1024)
    down = sum(9 * a * b + b + 9 * b * b + b for a, b in zip((1, *w), w, strict=False))
    up = sum(4 * b * a + a + 9 * 2 * a * a + a + 9 * a * a + a for a, b in pairwise(w))
    assert count(model) == down + up + 2 * 64 + 2 == 31_030_658


def test_572_pixels_in_388_out() -> None:
    table = nn.summary(models.create("unet", widths=TINY), models.input_size("unet"))
    assert table.rows[-1].output_shape == (2, 388, 388)
    sizes = [table[f"encoder.{level}.3"].output_shape[1] for level in range(5)]
    assert sizes == [568, 280, 136, 64, 28]  # figure 1
    assert [table[f"decoder.{level}.3"].output_shape[1] for level in range(4)] == [52, 100, 196, 388]
    model = models.create("unet", widths=TINY)
    for size in (188, 204, 220):
        assert model(tc.zeros(1, 1, size, 188)).shape == (1, 2, size - 184, 4)


def test_what_the_original_sees() -> None:
    """Down as in `unet_slides`: 140 at the bottom. Up, in steps of 2: two convolutions see 5 pixels, these
    lie over 3 of the level below, whose convolutions make 7 of them; 4, 8; 5, 9; and 5 at the bottom,
    16 pixels from one to the next: 140 + 4 * 16 = 204."""
    table = nn.summary(models.create("unet", widths=TINY), (1, 188, 188))
    assert table["encoder.4.3"].receptive_field == (140, 140)
    assert table.rows[-1].receptive_field == (204, 204)
    padded = nn.summary(models.create("unet_bn", widths=TINY), (1, 64, 64))
    assert padded.rows[-1].receptive_field == (204, 204)


@pytest.mark.parametrize("size", (180, 187, 172, 28, 12))
def test_sizes_that_the_original_cannot_halve(size: int) -> None:
    model = models.create("unet", widths=TINY)
    with pytest.raises(ShapeError, match=r"UNet: input .*12 more than multiples of 16, at least 188"):
        model(tc.zeros(1, 1, size, 188))
    with pytest.raises(ShapeError, match=r"\(N, 1, H, W\)"):
        model(tc.zeros(1, 3, 188, 188))
    with pytest.raises(ShapeError, match="multiples of 16"):
        models.create("unet_bn", widths=TINY)(tc.zeros(1, 1, 24, 32))
    with pytest.raises(DtypeError, match="floating point"):
        model(tc.zeros(1, 1, 188, 188, dtype="int64"))


@pytest.mark.parametrize(
    ("name", "option", "value", "expected"),
    (
        ("unet", "dims", 1, "2 or 3"),
        ("unet", "padding", 2, "0 or 1"),
        ("unet", "widths", (4,), "2 or more"),
        ("unet", "widths", (4, 0), "int >= 1"),
        ("unet", "batch_norm", 1, "True or False"),
    ),
)
def test_wrong_options(name: str, option: str, value: Any, expected: str) -> None:
    with pytest.raises(ArgumentError, match=rf"{option}.* is .*{expected}"):
        models.create(name, **{option: value})


def test_one_step_changes_every_parameter() -> None:
    tc.manual_seed(0)
    check_one_step(models.create("unet", widths=(4, 4, 4, 4, 4), dropout=0.0), 1, 1, 204, 204)
    check_one_step(models.create("unet_bn", widths=(4, 4, 4)), 2, 1, 16, 16)


def test_dropout_at_the_end_of_the_contracting_path() -> None:
    model = models.create("unet", widths=TINY)
    rates = [(name, m.p) for name, m in model.named_modules() if isinstance(m, nn.Dropout)]
    assert rates == [("encoder.3.4", 0.5), ("encoder.4.4", 0.5)]


def test_eight_images_are_learned_by_heart() -> None:
    tc.manual_seed(1)
    x, where = discs((24, 24))
    assert fit(models.create("unet_bn", widths=(4, 8)), x, where, 40, 0.03) > 0.98
    model = models.create("unet", widths=(8, 8), dropout=0.0)
    assert fit(model, x, where[:, 8:-8, 8:-8], 50) > 0.97  # 24 in, 8 out: two levels
