"""GoogLeNet: the slide's table, the counts of both layouts, a twin in PyTorch, auxiliary classifiers."""

from __future__ import annotations

from typing import Any

import numpy as np
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
from tinyconv.models.googlenet import GoogLeNetOutputs, Inception, NaiveInception

MODULES = {
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}
"""Table 1 of the paper, with the channels that come in first."""


def test_the_table_of_the_slide() -> None:
    """Slide deck S2: 256 channels come in; weights without biases, naive and with bottlenecks."""
    naive = NaiveInception(256, 128, 192, 96, bias=False)
    assert count(naive) == 32_768 + 442_368 + 614_400 == 1_089_536
    module = Inception(256, 128, 64, 192, 64, 96, 64)
    weights = {name: p.numel() for name, p in module.named_parameters() if p.ndim == 4}
    assert list(weights.values()) == [32_768, 16_384, 110_592, 16_384, 153_600, 16_384]
    assert sum(weights.values()) == 346_112
    x = tc.zeros(1, 256, 5, 7)
    assert naive(x).shape == (1, 128 + 192 + 96 + 256, 5, 7)  # the channels grow from module to module
    assert module(x).shape == (1, 128 + 192 + 96 + 64, 5, 7)


def test_counts() -> None:
    assert count(models.create("googlenet")) == 13_004_888
    without = models.create("googlenet", aux_logits=False)
    assert count(without) == 6_624_904
    assert 12 * 5e6 < 61_100_840 and 9 < 61_100_840 / count(without) < 10  # S1 counts about 5 M, the paper's
    paper = models.create("googlenet", aux_logits=False, largest=5)
    more = sum(16 * m[4] * m[5] for m in MODULES.values())  # 25 - 9 weights for each pair of channels
    assert count(paper) == 6_624_904 + more


def test_22_layers() -> None:
    model = models.create("googlenet", aux_logits=False)
    deep = [m for name, m in model.named_modules() if isinstance(m, nn.Conv2d) and "branch" not in name]
    assert len(deep) + 2 * len(MODULES) + 1 == 22


def twin_of(torch: Any, classes: int) -> Any:
    layers, functions = torch.nn, torch.nn.functional

    class Basic(layers.Module):
        def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0) -> None:
            super().__init__()
            self.conv = layers.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
            self.bn = layers.BatchNorm2d(outputs, eps=1e-3)

        def forward(self, x: Any) -> Any:
            return self.bn(self.conv(x)).relu()

    class Module(layers.Module):
        def __init__(self, inputs: int, a: int, b0: int, b: int, c0: int, c: int, d: int) -> None:
            super().__init__()
            self.branch1 = Basic(inputs, a, 1)
            self.branch2 = layers.Sequential(Basic(inputs, b0, 1), Basic(b0, b, 3, padding=1))
            self.branch3 = layers.Sequential(Basic(inputs, c0, 1), Basic(c0, c, 3, padding=1))
            self.branch4 = layers.Sequential(layers.MaxPool2d(3, 1, 1), Basic(inputs, d, 1))

        def forward(self, x: Any) -> Any:
            return torch.cat([branch(x) for branch in self.children()], 1)

    class Side(layers.Module):
        def __init__(self, inputs: int) -> None:
            super().__init__()
            self.conv = Basic(inputs, 128, 1)
            self.fc1, self.fc2 = layers.Linear(2048, 1024), layers.Linear(1024, classes)
            self.dropout = layers.Dropout(0.7)

        def forward(self, x: Any) -> Any:
            x = self.conv(functions.adaptive_avg_pool2d(x, 4)).flatten(1)
            return self.fc2(self.dropout(self.fc1(x).relu()))

    class Twin(layers.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = Basic(3, 64, 7, 2, 3), Basic(64, 64, 1)
            self.conv3 = Basic(64, 192, 3, padding=1)
            for name, widths in MODULES.items():
                setattr(self, f"inception{name}", Module(*widths))
            self.aux1, self.aux2 = Side(512), Side(528)
            self.dropout, self.fc = layers.Dropout(0.2), layers.Linear(1024, classes)

        def forward(self, x: Any) -> Any:
            x = functions.max_pool2d(self.conv1(x), 3, 2, ceil_mode=True)
            x = functions.max_pool2d(self.conv3(self.conv2(x)), 3, 2, ceil_mode=True)
            seen = {}
            for name in MODULES:
                if name == "4a":
                    x = functions.max_pool2d(x, 3, 2, ceil_mode=True)
                elif name == "5a":
                    x = functions.max_pool2d(x, 2, 2, ceil_mode=True)
                seen[name] = x = getattr(self, f"inception{name}")(x)
            scores = self.fc(self.dropout(x.mean(dim=(2, 3))))
            return (scores, self.aux2(seen["4d"]), self.aux1(seen["4a"])) if self.training else scores

    return Twin()


def test_the_twin() -> None:
    torch = pytest.importorskip("torch")
    assert_same_as(twin_of(torch, 5), models.create("googlenet", num_classes=5), images(3, 3, 45, 38))


def test_auxiliary_classifiers_are_for_training() -> None:
    model = models.create("googlenet", num_classes=3)
    x = tc.tensor(images(2, 3, 32, 32))
    outputs = model(x)
    assert isinstance(outputs, GoogLeNetOutputs) and [y.shape for y in outputs] == [(2, 3)] * 3
    assert outputs.aux_logits1 is outputs[2]
    assert model.eval()(x).shape == (2, 3)
    assert models.create("googlenet", num_classes=3, aux_logits=False)(x).shape == (2, 3)


def test_inputs_of_published_weights() -> None:
    """The pixel 1 is (1 - mean) / deviation for torchvision's other nets, and 1 for this one; 0 is -1."""
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    pixels = np.random.default_rng(0).random((1, 3, 20, 20))
    model = models.create("googlenet", num_classes=3, transform_input=True).eval()
    plain = models.create("googlenet", num_classes=3).eval()
    plain.load_state_dict(model.state_dict())
    usual = (pixels - mean[:, None, None]) / deviation[:, None, None]
    given = tc.tensor(usual.astype(np.float32)), tc.tensor((2 * pixels - 1).astype(np.float32))
    np.testing.assert_allclose(model(given[0]).tolist(), plain(given[1]).tolist(), rtol=1e-4, atol=1e-6)
    with pytest.raises(
        ArgumentError, match="GoogLeNet: transform_input is True, expected False with 1 channels"
    ):
        models.create("googlenet", transform_input=True, in_channels=1)


def test_sizes_and_receptive_fields() -> None:
    """7, pooled 11, 3x3 at jump 4: 19, pooled 27, two modules at jump 8: 59, pooled 75, …"""
    table = nn.summary(models.create("googlenet", num_classes=3), (3, 224, 224))
    first = [table[f"maxpool{i}"].receptive_field[0] for i in (1, 2, 3)]
    assert first == [11, 27, 75]
    assert [table[f"inception{n}.branch1.conv"].output_shape[1] for n in ("3a", "4a", "5a")] == [28, 14, 7]
    model = models.create("googlenet", num_classes=3).eval()
    for size in ((17, 17), (63, 50)):
        assert model(tc.zeros(1, 3, *size)).shape == (1, 3)


def test_training() -> None:
    options = {"num_classes": 8, "dropout": 0.0, "dropout_aux": 0.0}
    assert_one_step_changes_all(models.create("googlenet", **options), 2, 3, 64, 64)
    assert steps_to_overfit(models.create("googlenet", **options), images(8, 3, 32, 32)) < 60
