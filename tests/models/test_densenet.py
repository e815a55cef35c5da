"""DenseNet and SqueezeNet: counts, twins in PyTorch, sizes, training."""

from __future__ import annotations

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


def test_counts() -> None:
    assert count(models.create("densenet121")) == 7_978_856
    assert count(models.create("densenet169")) == 14_149_480
    for name in ("densenet121", "densenet169"):
        small = models.create(name, growth=2, width=4)
        assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in small.modules()) == int(name[-3:])


def test_the_twin() -> None:
    torch = pytest.importorskip("torch")
    layers, functions = torch.nn, torch.nn.functional

    class Layer(layers.Module):
        def __init__(self, inputs: int) -> None:
            super().__init__()
            self.norm1, self.conv1 = layers.BatchNorm2d(inputs), layers.Conv2d(inputs, 16, 1, bias=False)
            self.norm2, self.conv2 = layers.BatchNorm2d(16), layers.Conv2d(16, 4, 3, 1, 1, bias=False)

        def forward(self, x: Any) -> Any:
            return self.conv2(self.norm2(self.conv1(self.norm1(x).relu())).relu())

    class Twin(layers.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = layers.Module()
            add = self.features.add_module
            add("conv0", layers.Conv2d(3, 8, 7, 2, 3, bias=False))
            add("norm0", layers.BatchNorm2d(8))
            channels = 8
            for block, number in enumerate((3, 2, 2, 1), start=1):
                dense = layers.Module()
                for i in range(1, number + 1):
                    dense.add_module(f"denselayer{i}", Layer(channels))
                    channels += 4
                add(f"denseblock{block}", dense)
                if block < 4:
                    transition = layers.Module()
                    transition.norm = layers.BatchNorm2d(channels)
                    transition.conv = layers.Conv2d(channels, channels // 2, 1, bias=False)
                    add(f"transition{block}", transition)
                    channels //= 2
            add("norm5", layers.BatchNorm2d(channels))
            self.classifier = layers.Linear(channels, 6)

        def forward(self, x: Any) -> Any:
            f = self.features
            x = functions.max_pool2d(f.norm0(f.conv0(x)).relu(), 3, 2, 1)
            for block in range(1, 5):
                seen = [x]
                for layer in getattr(f, f"denseblock{block}").children():
                    seen.append(layer(torch.cat(seen, 1)))
                x = torch.cat(seen, 1)
                if block < 4:
                    transition = getattr(f, f"transition{block}")
                    x = functions.avg_pool2d(transition.conv(transition.norm(x).relu()), 2)
            return self.classifier(f.norm5(x).relu().mean(dim=(2, 3)))

    model = models.create("densenet121", layers=(3, 2, 2, 1), growth=4, width=8, num_classes=6)
    assert_same_as(Twin(), model, images(3, 3, 65, 90))


def test_names_are_those_of_published_weights() -> None:
    names = set(models.create("densenet121", growth=1, width=2).state_dict())
    assert {"features.conv0.weight", "features.denseblock4.denselayer16.norm2.running_mean"} <= names
    assert {"features.transition3.conv.weight", "features.norm5.bias", "classifier.weight"} <= names
    assert len(names) == 727


def test_names_of_the_weights_published_first() -> None:
    first, second = (models.create("densenet121", layers=(2, 1, 1, 1), growth=2, width=4) for _ in range(2))
    old = {}
    for name, x in first.state_dict().items():
        block, layer, part = name.partition("denselayer")[0], *name.partition("denselayer")[1:]
        for kind in ("norm", "conv") if layer else ():
            for number in "12":
                part = part.replace(f".{kind}{number}.", f".{kind}.{number}.")
        old[block + layer + part] = x
    assert "features.denseblock1.denselayer2.conv.1.weight" in old and "features.norm5.bias" in old
    second.load_state_dict(old)
    assert all(
        (x.data.numpy() == first.state_dict()[name].data.numpy()).all()
        for name, x in second.state_dict().items()
    )


def test_sizes_and_receptive_fields() -> None:
    """7, pooled 11, six 3x3 at jump 4: 59, pooled 63, twelve at jump 8: 255."""
    table = nn.summary(models.create("densenet121", growth=2, width=4), (3, 224, 224))
    assert table["features.pool0"].receptive_field == (11, 11)
    assert table["features.denseblock1.denselayer6.conv2"].receptive_field == (59, 59)
    assert table["features.transition1.pool"].receptive_field == (63, 63)
    assert table["features.denseblock2.denselayer12.conv2"].receptive_field == (255, 255)
    assert table["features.norm5"].output_shape[1:] == (7, 7)
    model = models.create("densenet121", growth=2, width=4, in_channels=1, num_classes=3).eval()
    for size in ((29, 29), (57, 40)):
        assert model(tc.zeros(2, 1, *size)).shape == (2, 3)


def test_training() -> None:
    options = {"layers": (2, 2, 2, 2), "growth": 8, "width": 16, "num_classes": 8}
    assert_one_step_changes_all(models.create("densenet121", **options), 4, 3, 64, 64)
    assert steps_to_overfit(models.create("densenet121", **options), images(8, 3, 64, 64), lr=3e-3) < 60
