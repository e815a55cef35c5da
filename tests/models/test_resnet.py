"""ResNets, and the plain nets beside them: counts, twins in PyTorch, shortcuts, training."""

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

COUNTS = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet20_cifar": 269_722,  # the paper: 0.27 M
    "resnet56_cifar": 853_018,  # 0.85 M
    "plain20_cifar": 269_722,
    "plain56_cifar": 853_018,
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name: str) -> None:
    model = models.create(name)
    assert count(model) == COUNTS[name]
    layers = [
        m for n, m in model.named_modules() if isinstance(m, nn.Conv2d | nn.Linear) and "downs" not in n
    ]
    assert len(layers) == int(name.removeprefix("resnet").removeprefix("plain").partition("_")[0])


def twin_of(torch: Any, counts: tuple[int, ...], bottleneck: bool, width: int) -> Any:
    layers = torch.nn
    grow = 4 if bottleneck else 1

    class Block(layers.Module):
        def __init__(self, inputs: int, width: int, stride: int) -> None:
            super().__init__()
            shapes = [(inputs, width, 3, stride), (width, width, 3, 1)]
            if bottleneck:
                shapes = [(inputs, width, 1, 1), (width, width, 3, stride), (width, 4 * width, 1, 1)]
            for i, (a, b, kernel, step) in enumerate(shapes, start=1):
                setattr(self, f"conv{i}", layers.Conv2d(a, b, kernel, step, kernel // 2, bias=False))
                setattr(self, f"bn{i}", layers.BatchNorm2d(b))
            self.last = len(shapes)
            if stride > 1 or inputs != grow * width:
                self.downsample = layers.Sequential(
                    layers.Conv2d(inputs, grow * width, 1, stride, bias=False),
                    layers.BatchNorm2d(grow * width),
                )

        def forward(self, x: Any) -> Any:
            y = x
            for i in range(1, self.last + 1):
                y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
                y = y if i == self.last else y.relu()
            return (y + (self.downsample(x) if hasattr(self, "downsample") else x)).relu()

    class Twin(layers.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = layers.Conv2d(3, width, 7, 2, 3, bias=False)
            self.bn1 = layers.BatchNorm2d(width)
            inputs = width
            for stage, number in enumerate(counts):
                blocks = []
                for i in range(number):
                    blocks.append(Block(inputs, width * 2**stage, 2 if stage and not i else 1))
                    inputs = grow * width * 2**stage
                setattr(self, f"layer{stage + 1}", layers.Sequential(*blocks))
            self.fc = layers.Linear(inputs, 6)

        def forward(self, x: Any) -> Any:
            x = torch.nn.functional.max_pool2d(self.bn1(self.conv1(x)).relu(), 3, 2, 1)
            return self.fc(self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean(dim=(2, 3)))

    return Twin()


@pytest.mark.parametrize(
    ("name", "counts", "bottleneck"),
    (("resnet18", (2, 2, 2, 2), False), ("resnet34", (3, 4, 6, 3), False), ("resnet50", (3, 4, 6, 3), True)),
)
def test_the_twin(name: str, counts: tuple[int, ...], bottleneck: bool) -> None:
    torch = pytest.importorskip("torch")
    twin = twin_of(torch, counts, bottleneck, 8)
    assert_same_as(twin, models.create(name, width=8, num_classes=6), images(3, 3, 65, 70))


@pytest.mark.parametrize("shortcut", (True, False))
def test_the_twin_for_small_images(shortcut: bool) -> None:
    torch = pytest.importorskip("torch")
    layers = torch.nn

    class Block(layers.Module):
        def __init__(self, inputs: int, outputs: int) -> None:
            super().__init__()
            stride = outputs // inputs
            self.conv1 = layers.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = layers.BatchNorm2d(outputs)
            self.conv2 = layers.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = layers.BatchNorm2d(outputs)

        def forward(self, x: Any) -> Any:
            y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
            if not shortcut:
                return y.relu()
            if y.shape != x.shape:
                x = torch.cat([x[..., ::2, ::2], torch.zeros_like(y)[:, x.shape[1] :]], 1)
            return (x + y).relu()

    class Twin(layers.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.bn1 = layers.Conv2d(3, 4, 3, 1, 1, bias=False), layers.BatchNorm2d(4)
            self.layer1 = layers.Sequential(Block(4, 4), Block(4, 4))
            self.layer2 = layers.Sequential(Block(4, 8), Block(8, 8))
            self.layer3 = layers.Sequential(Block(8, 16), Block(16, 16))
            self.fc = layers.Linear(16, 10)

        def forward(self, x: Any) -> Any:
            x = self.layer3(self.layer2(self.layer1(self.bn1(self.conv1(x)).relu())))
            return self.fc(x.mean(dim=(2, 3)))

    model = models.create("resnet20_cifar", depth=14, width=4, shortcut=shortcut)
    assert_same_as(Twin(), model, images(4, 3, 13, 16))


def test_names_are_those_of_published_weights() -> None:
    names = set(models.create("resnet50", width=4).state_dict())
    assert {"conv1.weight", "bn1.running_var", "layer1.0.downsample.1.num_batches_tracked"} <= names
    assert {"layer4.2.conv3.weight", "layer3.5.bn3.bias", "fc.bias"} <= names and len(names) == 320


def test_a_block_that_does_nothing() -> None:
    """With F(x) = 0 a residual block passes its input on, a plain one nothing: why depth does no harm."""
    x = tc.tensor(np.abs(images(1, 4, 5, 5)))
    for name in ("resnet20_cifar", "plain20_cifar"):
        block = models.create(name, width=4).layer1[0].eval()
        nn.init.zeros_(block.conv2.weight)
        assert (block(x).data.numpy() == (x.data.numpy() if name.startswith("resnet") else 0)).all()


def test_sizes_and_receptive_fields() -> None:
    """7, pooled 11, then per 3x3 two jumps: 4 at 4, 1 at 4 and 3 at 8, …: ResNet-18 sees 435 pixels."""
    table = nn.summary(models.create("resnet18", width=2), (3, 224, 224))
    seen = [table[f"layer{i}.1.conv2"].receptive_field[0] for i in (1, 2, 3, 4)]
    assert seen == [43, 99, 211, 435]
    assert table["layer4.1.conv2"].output_shape == (16, 7, 7)
    for name, size in (("resnet50", (33, 50)), ("plain20_cifar", (9, 5)), ("resnet20_cifar", (9, 5))):
        assert models.create(name, width=2, in_channels=1).eval()(tc.zeros(2, 1, *size)).shape[0] == 2


@pytest.mark.parametrize("name", ("resnet18", "resnet50", "resnet20_cifar", "plain20_cifar"))
def test_training(name: str) -> None:
    model = models.create(name, width=8, num_classes=8)
    assert_one_step_changes_all(model, 4, 3, 64, 64)
    assert steps_to_overfit(models.create(name, width=8, num_classes=8), images(8, 3, 32, 32), lr=3e-3) < 60


def test_depths() -> None:
    for depth in (21, 2, 20.0, "20"):
        with pytest.raises(ArgumentError, match=r"ResNetCifar: depth is .*, expected 6n \+ 2"):
            models.create("resnet20_cifar", depth=depth)
