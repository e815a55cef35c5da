"""FCN: counts, crops and kernels of its paper, and twins in PyTorch written from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.models.dense_checks import check_one_step, discs, fit
from tests.models.twin import assert_same_as, count, images
from tinyconv import models, nn
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.models.fcn import bilinear_kernel

NAMES = ("fcn32s", "fcn16s", "fcn8s")


def twin_of(torch: Any, name: str, w: int, hidden: int, classes: int) -> Any:
    """Long et al. 2015: VGG-16 padded by 100, pooling that rounds up, sums of cropped scores."""
    t = torch.nn
    stride = int(name[3:-1])

    def enlarge(size: int, step: int) -> Any:
        return t.ConvTranspose2d(classes, classes, size, stride=step, bias=False)

    class Twin(t.Module):
        def __init__(self) -> None:
            super().__init__()
            layers: list[Any] = []
            channels = 3
            for number, width in ((2, w), (2, 2 * w), (3, 4 * w), (3, 8 * w), (3, 8 * w)):
                for _ in range(number):
                    layers += [t.Conv2d(channels, width, 3, padding=1 if layers else 100), t.ReLU()]
                    channels = width
                layers += [t.MaxPool2d(2, 2, ceil_mode=True)]
            self.features = t.Sequential(*layers)
            self.fc6, self.fc7 = t.Conv2d(8 * w, hidden, 7), t.Conv2d(hidden, hidden, 1)
            self.score = t.Conv2d(hidden, classes, 1)
            if stride < 32:
                self.score_pool4, self.up2 = t.Conv2d(8 * w, classes, 1), enlarge(4, 2)
            if stride < 16:
                self.score_pool3, self.up4 = t.Conv2d(4 * w, classes, 1), enlarge(4, 2)
            self.up = enlarge(2 * stride, stride)

        def forward(self, x: Any) -> Any:
            h, w = x.shape[2:]
            pool3 = self.features[:17](x)
            pool4 = self.features[17:24](pool3)
            y = self.score(self.fc7(self.fc6(self.features[24:](pool4)).relu()).relu())
            if stride < 32:
                y = self.up2(y)
                y = y + self.score_pool4(pool4)[:, :, 5 : 5 + y.shape[2], 5 : 5 + y.shape[3]]
            if stride < 16:
                y = self.up4(y)
                y = y + self.score_pool3(pool3)[:, :, 9 : 9 + y.shape[2], 9 : 9 + y.shape[3]]
            start = {32: 19, 16: 27, 8: 31}[stride]
            return self.up(y)[:, :, start : start + h, start : start + w]

    return Twin()


def small(name: str, **options: Any) -> Any:
    """Scores that are not zeros, and no dropout."""
    tc.manual_seed(0)
    model = models.create(name, **{"width": 2, "hidden": 6, "num_classes": 3, "dropout": 0.0, **options})
    for layer in model.children():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return model


@pytest.mark.parametrize("name", NAMES)
def test_the_output_is_that_of_the_twin(name: str) -> None:
    torch = pytest.importorskip("torch")
    model = small(name)
    model.up.weight.requires_grad_(True)
    assert_same_as(twin_of(torch, name, 2, 6, 3), model, images(1, 3, 45, 70))


def test_as_many_parameters_as_the_paper_says() -> None:
    """134 million (table 1): VGG-16 with dense layers as convolutions, and scores of 21 classes.

    What enlarges comes on top: kernels of 64x64, 4x4 and so on, from each class to each.
    """
    vgg, scores = 14_714_688 + 7 * 7 * 512 * 4096 + 4096 + 4096 * 4096 + 4096, 21 * 4096 + 21
    assert vgg + scores == 134_346_581
    pool4, pool3 = 21 * 512 + 21, 21 * 256 + 21
    with_larger = {
        "fcn32s": 21 * 21 * 64 * 64,
        "fcn16s": 21 * 21 * (32 * 32 + 4 * 4) + pool4,
        "fcn8s": 21 * 21 * (16 * 16 + 2 * 4 * 4) + pool4 + pool3,
    }
    hand = {name: vgg + scores + more for name, more in with_larger.items()}
    assert hand == {"fcn32s": 136_152_917, "fcn16s": 134_815_994, "fcn8s": 134_489_759}
    assert count(models.create("fcn8s")) == hand["fcn8s"]


@pytest.mark.parametrize("name", NAMES)
def test_counts_of_small_ones_scale_as_those_of_the_large_ones(name: str) -> None:
    torch = pytest.importorskip("torch")
    model = models.create(name, width=1, hidden=2)
    assert count(model) == count_of_twin(twin_of(torch, name, 1, 2, 21))


def count_of_twin(twin: Any) -> int:
    return sum(p.numel() for p in twin.parameters())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", ((1, 1), (31, 64), (97, 50)))
def test_any_size(name: str, size: tuple[int, int]) -> None:
    model = small(name)
    assert model(tc.zeros(2, 3, *size)).shape == (2, 3, *size)
    with pytest.raises(ShapeError, match=r"FCN: input .*\(N, 3, H, W\)"):
        model(tc.zeros(1, 1, *size))


def test_enlarging_is_bilinear_interpolation_at_first() -> None:
    """Inside, a transposed convolution with this kernel is the interpolation of the same factor."""
    x = tc.tensor(images(1, 3, 6, 5))
    layer = small("fcn32s").up
    ours = layer(x)[:, :, 16:-16, 16:-16]
    expected = nn.functional.interpolate(x, scale_factor=32, mode="bilinear")
    np.testing.assert_allclose(
        ours.data.numpy()[:, :, 16:-16, 16:-16], expected.data.numpy()[:, :, 16:-16, 16:-16], 1e-4, 1e-5
    )
    assert bilinear_kernel(3).tolist() == [[0.25, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.25]]


def test_scores_begin_as_zeros_and_only_the_last_interpolation_stays() -> None:
    model = models.create("fcn8s", width=1, hidden=2)
    assert not model.eval()(tc.ones(1, 3, 8, 8)).data.numpy().any()
    assert [name for name, p in model.named_parameters() if not p.requires_grad] == ["up.weight"]


@pytest.mark.parametrize("name", NAMES)
def test_one_step_changes_every_parameter_that_is_trained(name: str) -> None:
    check_one_step(small(name, width=4, hidden=16), 2, 3, 40, 40)


def test_what_the_scores_see() -> None:
    """VGG-16: 212 after the last pooling, 32 from one to the next; 7 of these: 212 + 6 * 32 = 404."""
    table = nn.summary(small("fcn8s"), (3, 32, 32))
    assert table["score"].receptive_field == (404, 404)
    assert table["score_pool4"].receptive_field == (100, 100)
    assert table["score_pool3"].receptive_field == (44, 44)
    assert table["features.30"].output_shape == (16, 8, 8)  # 32 + 198 pixels, halved five times, rounded up


def test_the_convolutions_are_those_of_vgg16() -> None:
    fcn = models.create("fcn32s", width=2, hidden=4)
    vgg = models.create("vgg16", width=2, hidden=4)
    ours = {name: x.shape for name, x in fcn.state_dict().items() if name.startswith("features")}
    theirs = {name: x.shape for name, x in vgg.state_dict().items() if name.startswith("features")}
    assert ours == theirs
    dense = vgg.classifier[0].weight
    assert fcn.fc6.weight.shape == (dense.shape[0], 16, 7, 7) and fcn.fc6.weight.numel() == dense.numel()


def test_wrong_stride() -> None:
    with pytest.raises(ArgumentError, match="stride is 4, expected 8 or 16 or 32"):
        models.create("fcn8s", stride=4)


def test_eight_images_are_learned_by_heart() -> None:
    x, where = discs((40, 40), channels=3)
    model = small("fcn8s", num_classes=2, width=6, hidden=32)
    assert fit(model, x, where, 30, 3e-3) > 0.95  # 80 % are background
