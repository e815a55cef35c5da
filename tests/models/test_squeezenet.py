"""SqueezeNet 1.1: its count, a twin in PyTorch, sizes, training."""

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

FIRES = {
    **{3: (64, 16, 64), 4: (128, 16, 64), 6: (128, 32, 128), 7: (256, 32, 128)},
    **{9: (256, 48, 192), 10: (384, 48, 192), 11: (384, 64, 256), 12: (512, 64, 256)},
}


def test_count() -> None:
    assert count(models.create("squeezenet1_1")) == 1_235_496
    assert 49 < 61_100_840 / 1_235_496 < 50  # a fiftieth of AlexNet


def test_the_twin() -> None:
    torch = pytest.importorskip("torch")
    layers, functions = torch.nn, torch.nn.functional

    class Fire(layers.Module):
        def __init__(self, inputs: int, few: int, many: int) -> None:
            super().__init__()
            self.squeeze = layers.Conv2d(inputs, few, 1)
            self.expand1x1, self.expand3x3 = layers.Conv2d(few, many, 1), layers.Conv2d(few, many, 3, 1, 1)

        def forward(self, x: Any) -> Any:
            x = self.squeeze(x).relu()
            return torch.cat([self.expand1x1(x), self.expand3x3(x)], 1).relu()

    class Twin(layers.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features, self.classifier = layers.Module(), layers.Module()
            self.features.add_module("0", layers.Conv2d(3, 64, 3, 2))
            for number, widths in FIRES.items():
                self.features.add_module(str(number), Fire(*widths))
            self.classifier.add_module("1", layers.Conv2d(512, 6, 1))

        def forward(self, x: Any) -> Any:
            for name, layer in self.features.named_children():
                if int(name) in (3, 6, 9):
                    x = functions.max_pool2d(x, 3, 2, ceil_mode=True)
                x = layer(x) if name != "0" else layer(x).relu()
            (last,) = self.classifier.children()
            return last(x).relu().mean(dim=(2, 3))

    model = models.create("squeezenet1_1", num_classes=6)
    assert_same_as(Twin(), model, images(2, 3, 66, 99))


def test_sizes_and_receptive_fields() -> None:
    """3, pooled 7, two 3x3 at jump 4: 23, pooled 31, two at jump 8: 63, pooled 79, four at 16: 207."""
    table = nn.summary(models.create("squeezenet1_1", num_classes=2), (3, 224, 224))
    pools = [r.receptive_field for r in table.rows if r.kind == "MaxPool2d"]
    assert pools == [(7, 7), (31, 31), (79, 79)]
    assert table["classifier.1"].receptive_field == (207, 207)
    model = models.create("squeezenet1_1", in_channels=1, num_classes=3).eval()
    for size in ((17, 17), (50, 61)):
        assert model(tc.zeros(2, 1, *size)).shape == (2, 3)


def test_training() -> None:
    """The last ReLU is to let something of each class through: a class that it shuts off learns no more."""
    model, fresh = (models.create("squeezenet1_1", num_classes=8, dropout=0.0) for _ in range(2))
    for net in (model, fresh):
        nn.init.constant_(net.classifier[1].bias, 1.0)
    assert_one_step_changes_all(model, 8, 3, 48, 48)
    assert steps_to_overfit(fresh, images(8, 3, 48, 48), lr=3e-4, most=150) < 150
