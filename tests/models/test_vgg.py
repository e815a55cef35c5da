"""VGG: the counts of the paper, a twin in PyTorch, memory, and what its layers see."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

import tinyconv as tc
from tests.models.twin import (
    assert_one_step_changes_all,
    assert_same_as,
    count,
    images,
    steps_to_overfit,
)
from tinyconv import models, nn
from tinyconv.errors import ArgumentError

COUNTS = {
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "vgg11_bn": 132_868_840,
    "vgg13_bn": 133_053_736,
    "vgg16_bn": 138_365_992,
    "vgg19_bn": 143_678_248,
}


def by_hand(depth: int, batch_norm: bool) -> int:
    """Table 1 of the paper: 3x3 convolutions, then 4096, 4096 and 1000 neurons, all with biases."""
    blocks = {11: "1 1 2 2 2", 13: "2 2 2 2 2", 16: "2 2 3 3 3", 19: "2 2 4 4 4"}[depth]
    total, channels = 0, 3
    for width, number in zip((64, 128, 256, 512, 512), map(int, blocks.split()), strict=True):
        for _ in range(number):
            total += 9 * channels * width + width + (2 * width if batch_norm else 0)
            channels = width
    return total + (512 * 49 + 1) * 4096 + 4097 * 4096 + 4097 * 1000


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name: str) -> None:
    depth, batch_norm = int(name[3:5]), name.endswith("_bn")
    assert by_hand(depth, batch_norm) == COUNTS[name]
    small = models.create(name, width=8, hidden=16, num_classes=5)
    layers = [m for m in small.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(layers) == depth
    if name in ("vgg16", "vgg11_bn"):
        assert count(models.create(name)) == COUNTS[name]


def test_making_vgg16_takes_the_memory_of_its_weights() -> None:
    tracemalloc.start()
    model = models.create("vgg16")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1.1 * 4 * count(model), f"{most} bytes"
    deviation = float(model.classifier[0].weight.data.numpy()[:50].std())
    assert 0.0099 < deviation < 0.0101
    assert abs(float(model.features[28].weight.data.numpy().std()) - (2 / (512 * 9)) ** 0.5) < 1e-4


def twin_of(torch: Any, blocks: str, batch_norm: bool, width: int, hidden: int, classes: int) -> Any:
    layers = torch.nn
    features: list[Any] = []
    channels = 3
    for number, multiple in zip(map(int, blocks.split()), (1, 2, 4, 8, 8), strict=True):
        for _ in range(number):
            features += [layers.Conv2d(channels, multiple * width, 3, padding=1)]
            channels = multiple * width
            features += [layers.BatchNorm2d(channels)] * batch_norm + [layers.ReLU()]
        features += [layers.MaxPool2d(2, 2)]

    class Twin(layers.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = layers.Sequential(*features)
            self.classifier = layers.Sequential(
                *(layers.Linear(49 * channels, hidden), layers.ReLU(), layers.Dropout()),
                *(layers.Linear(hidden, hidden), layers.ReLU(), layers.Dropout()),
                layers.Linear(hidden, classes),
            )

        def forward(self, x: Any) -> Any:
            x = torch.nn.functional.adaptive_avg_pool2d(self.features(x), 7)
            return self.classifier(torch.flatten(x, 1))

    return Twin()


@pytest.mark.parametrize(
    ("name", "blocks"), (("vgg11", "1 1 2 2 2"), ("vgg16", "2 2 3 3 3"), ("vgg19_bn", "2 2 4 4 4"))
)
def test_the_twin(name: str, blocks: str) -> None:
    torch = pytest.importorskip("torch")
    twin = twin_of(torch, blocks, name.endswith("bn"), 8, 32, 6)
    model = models.create(name, width=8, hidden=32, num_classes=6)
    assert_same_as(twin, model, images(2, 3, 64, 96))


def test_names_are_those_of_published_weights() -> None:
    shapes = {name: x.shape for name, x in models.create("vgg16", width=2, hidden=3).state_dict().items()}
    numbers = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    layers = [*[f"features.{i}" for i in numbers], *[f"classifier.{i}" for i in (0, 3, 6)]]
    assert list(shapes) == [f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]
    assert shapes["classifier.0.weight"] == (3, 16 * 49) and shapes["classifier.6.bias"] == (1000,)


@pytest.mark.parametrize("size", ((32, 32), (33, 47), (100, 224)))
def test_other_sizes(size: tuple[int, int]) -> None:
    model = models.create("vgg11_bn", width=2, hidden=4, num_classes=3, in_channels=1).eval()
    assert model(tc.ones(2, 1, *size)).shape == (2, 3)


def test_receptive_fields_by_hand() -> None:
    """A 3x3 adds two jumps, a pooling one, and doubles the jump: VGG-16 sees 212 pixels at its end."""
    table = nn.summary(models.create("vgg16", width=1, hidden=2, num_classes=2), (3, 224, 224))
    pools = [r.receptive_field for r in table.rows if r.kind == "MaxPool2d"]
    assert pools == [(n, n) for n in (6, 16, 44, 100, 212)]
    assert table["features.2"].receptive_field == (5, 5)  # two 3x3 see what one 5x5 sees
    assert table["features.30"].output_shape == (8, 7, 7)


def test_training() -> None:
    assert_one_step_changes_all(models.create("vgg13", width=4, hidden=32, dropout=0.0), 2, 3, 32, 32)
    model = models.create("vgg11_bn", width=8, hidden=64, num_classes=8, dropout=0.0)
    assert steps_to_overfit(model, images(8, 3, 32, 32), lr=4e-3) < 60


def test_depth_is_one_of_the_papers() -> None:
    with pytest.raises(ArgumentError, match="VGG: depth is 12, expected 11 or 13 or 16 or 19"):
        models.create("vgg16", depth=12)
