"""SegNet: the numbers of its paper, and a twin in PyTorch written from it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

import tinyconv as tc
from tests.models.dense_checks import check_one_step, discs, fit
from tests.models.twin import assert_same_as, count, images
from tinyconv import models, nn
from tinyconv.errors import ShapeError

TINY = (2, 3, 4, 5, 6)


def twin_of(torch: Any, w: tuple[int, ...], classes: int) -> Any:
    """Badrinarayanan et al. 2017: 13 convolutions of VGG-16, and 13 that mirror them."""
    t = torch.nn

    def layers(*channels: int) -> list[Any]:
        made: list[Any] = []
        for a, b in pairwise(channels):
            made += [t.Conv2d(a, b, 3, padding=1), t.BatchNorm2d(b), t.ReLU()]
        return made

    class Twin(t.Module):
        def __init__(self) -> None:
            super().__init__()
            pool = t.MaxPool2d(2, return_indices=True)
            a, b, c, d, e = w
            blocks = ((3, a, a), (a, b, b), (b, c, c, c), (c, d, d, d), (d, e, e, e))
            self.features = t.Sequential(*[x for block in blocks for x in (*layers(*block), pool)])
            turned = ((e, e, e, d), (d, d, d, c), (c, c, c, b), (b, b, a), (a, a, classes))
            stages = [layers(*block) for block in turned]
            stages[-1] = stages[-1][:-2]
            self.decoder = t.ModuleList([t.Sequential(*stage) for stage in stages])

        def forward(self, x: Any) -> Any:
            kept = []
            for layer in self.features:
                if isinstance(layer, t.MaxPool2d):
                    shape = x.shape
                    x, where = layer(x)
                    kept.append((where, shape))
                else:
                    x = layer(x)
            for stage in self.decoder:
                where, shape = kept.pop()
                x = stage(torch.nn.functional.max_unpool2d(x, where, 2, output_size=shape[2:]))
            return x

    return Twin()


@pytest.mark.parametrize("size", ((32, 64), (37, 45)))
def test_the_output_is_that_of_the_twin(size: tuple[int, int]) -> None:
    torch = pytest.importorskip("torch")
    model = models.create("segnet", num_classes=4, widths=TINY)
    assert_same_as(twin_of(torch, TINY, 4), model, images(2, 3, *size))


def test_as_many_parameters_as_the_paper_says() -> None:
    """14.7 million in the encoder; 29.45 million in all with 11 classes (the 117 MB of its table 6)."""
    model = models.create("segnet")
    convolutions = [m for m in model.features if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 13 and sum(map(count, convolutions)) == 14_714_688
    assert count(model) == 29_449_355
    assert 117 <= 4 * count(model) / 1e6 < 118


def test_the_encoder_takes_the_weights_of_vgg16_bn() -> None:
    segnet, vgg = models.create("segnet", widths=TINY), models.create("vgg16_bn", width=64, hidden=2)
    names = [name for name in segnet.state_dict() if name.startswith("features")]
    assert names == [name for name in vgg.state_dict() if name.startswith("features")]


def test_what_the_encoder_sees() -> None:
    """VGG-16: 5, 6; + 8, 2; + 24, 4; + 48, 8; + 96, 16: 212 after the last pooling."""
    table = nn.summary(models.create("segnet", widths=TINY), (3, 64, 64))
    pooled = [row.receptive_field for row in table.rows if row.kind == "MaxPool2d"]
    assert pooled == [(n, n) for n in (6, 16, 44, 100, 212)]

    assert table.rows[-1].receptive_field == reach_by_hand()


def test_it_sees_as_much_where_a_pooling_left_out_a_border() -> None:
    table = nn.summary(models.create("segnet", widths=TINY), (3, 93, 77))
    assert table.rows[-1].receptive_field == reach_by_hand()


def reach_by_hand() -> tuple[int, int]:
    """The windows of each pixel of the output, followed level by level to the lowest one."""
    longest = 0
    for pixel in range(1024, 1024 + 32):
        low = high = pixel
        for convolutions in (2, 2, 3, 3, 3):
            low, high = (low - convolutions) // 2, (high + convolutions) // 2
        longest = max(longest, high - low)
    return (212 + 32 * longest,) * 2


def test_the_maxima_stand_where_they_were() -> None:
    """With a decoder that does nothing, what is not a maximum is zero."""
    model = models.create("segnet", in_channels=1, num_classes=1, widths=(1,)).eval()
    x = tc.tensor(images(1, 1, 4, 6))
    pooled, where = nn.functional.max_pool2d(x, 2, return_indices=True)
    unpooled = model.unpool(pooled, where).numpy()[0, 0]
    kept = unpooled != 0
    assert kept.sum() == 6 and (unpooled[kept] == x.numpy()[0, 0][kept]).all()


@pytest.mark.parametrize("size", ((32, 32), (33, 63), (45, 50)))
def test_any_size_from_32_on(size: tuple[int, int]) -> None:
    model = models.create("segnet", widths=TINY)
    assert model(tc.zeros(1, 3, *size)).shape == (1, 11, *size)
    for shape in ((1, 3, 31, 40), (1, 1, 32, 32), (3, 32, 32)):
        with pytest.raises(ShapeError, match=r"SegNet: input .*\(N, 3, H, W\) .*at least 32"):
            model(tc.zeros(*shape))


def test_one_step_changes_every_parameter() -> None:
    tc.manual_seed(0)
    model = models.create("segnet", widths=(6, 6, 6, 6, 6)).eval()
    # in evaluation mode: in training, normalisation takes away what a bias before it adds
    check_one_step(model, 2, 3, 64, 64)


def test_eight_images_are_learned_by_heart() -> None:
    tc.manual_seed(0)
    x, where = discs((16, 16))
    model = models.create("segnet", in_channels=1, num_classes=2, widths=(8, 16))
    assert fit(model, x, where, 40, 0.02) > 0.97
