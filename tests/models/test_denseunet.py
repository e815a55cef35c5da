"""DenseUNet: 167 layers, summed skips, and a twin in PyTorch written from the paper's table."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

import tinyconv as tc
from tests.models.dense_checks import check_one_step, discs, fit
from tests.models.twin import assert_same_as, count, images
from tinyconv import models, nn
from tinyconv.errors import ArgumentError, ShapeError

TINY: dict[str, Any] = {"layers": (2, 1, 2), "growth": 3, "width": 4, "last": 5}


def twin_of(torch: Any) -> Any:
    """Li et al. 2018, table 1, with three dense blocks: 4 -> 10 -> 5 -> 8 -> 4 -> 10 channels."""
    t = torch.nn

    class Layer(t.Module):
        def __init__(self, n: int) -> None:
            super().__init__()
            self.norm1, self.conv1 = t.BatchNorm2d(n), t.Conv2d(n, 12, 1, bias=False)
            self.norm2, self.conv2 = t.BatchNorm2d(12), t.Conv2d(12, 3, 3, padding=1, bias=False)

        def forward(self, x: Any) -> Any:
            y = self.conv2(self.norm2(self.conv1(self.norm1(x).relu())).relu())
            return torch.cat([x, y], 1)

    def block(*channels: int) -> Any:
        return t.Sequential(OrderedDict((f"denselayer{i}", Layer(n)) for i, n in enumerate(channels, 1)))

    def transition(n: int) -> Any:
        conv = t.Conv2d(n, n // 2, 1, bias=False)
        names = ("norm", "relu", "conv", "pool")
        layers = zip(names, (t.BatchNorm2d(n), t.ReLU(), conv, t.AvgPool2d(2)), strict=True)
        return t.Sequential(OrderedDict(layers))

    class Twin(t.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = t.Sequential(
                OrderedDict(
                    conv0=t.Conv2d(3, 4, 7, stride=2, padding=3, bias=False),
                    norm0=t.BatchNorm2d(4),
                    relu0=t.ReLU(),
                    pool0=t.MaxPool2d(3, 2, padding=1),
                    denseblock1=block(4, 7),
                    transition1=transition(10),
                    denseblock2=block(5),
                    transition2=transition(8),
                    denseblock3=block(4, 7),
                    norm5=t.BatchNorm2d(10),
                )
            )
            self.line = t.Conv2d(8, 10, 1)
            ups = ((10, 10), (10, 4), (4, 4), (4, 5))
            self.decoder = t.ModuleList(
                [t.Sequential(t.Conv2d(a, b, 3, padding=1), t.BatchNorm2d(b), t.ReLU()) for a, b in ups]
            )
            self.head = t.Conv2d(5, 3, 1)

        def forward(self, x: Any) -> Any:
            f = self.features
            half = f.relu0(f.norm0(f.conv0(x)))
            one = f.denseblock1(f.pool0(half))
            two = f.denseblock2(f.transition1(one))
            y = f.norm5(f.denseblock3(f.transition2(two))).relu()

            def twice(z: Any) -> Any:
                return torch.nn.functional.interpolate(z, scale_factor=2, mode="bilinear")

            y = self.decoder[0](twice(y) + self.line(two))
            y = self.decoder[1](twice(y) + one)
            y = self.decoder[2](twice(y) + half)
            return self.head(self.decoder[3](twice(y)))

    return Twin()


def test_the_output_is_that_of_the_twin() -> None:
    torch = pytest.importorskip("torch")
    assert_same_as(twin_of(torch), models.create("denseunet", **TINY), images(2, 3, 32, 48))


def test_167_layers() -> None:
    """The paper calls it DenseUNet-167, and gives no count of parameters. DenseNet-161 of torchvision has
    28,681,000 with its dense layer of 1,000 x 2,208 + 1,000; by hand the way up has the rest."""
    model = models.create("denseunet")
    assert sum(isinstance(m, nn.Conv2d) for m in model.modules()) == 167
    encoder = 28_681_000 - (2208 * 1000 + 1000)
    assert count(model.features) == encoder
    ups = ((2208, 768), (768, 384), (384, 96), (96, 96), (96, 64))
    way_up = sum(9 * a * b + b + 2 * b for a, b in ups)
    assert count(model) == encoder + 2112 * 2208 + 2208 + way_up + 64 * 3 + 3 == 49_527_843


def test_sizes_of_the_papers_table() -> None:
    table = nn.summary(models.create("denseunet", growth=1, width=2, last=2), (3, 224, 224))
    rows = {row.name: row.output_shape[1] for row in table.rows}
    assert [rows[f"decoder.{i}.2"] for i in range(5)] == [14, 28, 56, 112, 224]
    assert rows["features.norm5"] == 7
    assert table["features.conv0"].receptive_field == (7, 7)
    assert table["features.pool0"].receptive_field == (11, 11)  # 7 + 2 * 2
    assert table.rows[-1].receptive_field is not None


def test_wrong_sizes_and_arguments() -> None:
    model = models.create("denseunet", layers=(1, 1, 1, 1), growth=1, width=2, last=2)
    assert model(tc.zeros(1, 3, 64, 32)).shape == (1, 3, 64, 32)
    for shape in ((1, 3, 48, 32), (1, 1, 32, 32), (3, 32, 32)):
        with pytest.raises(ShapeError, match=r"DenseUNet: input .*\(N, 3, H, W\).*multiples of 32"):
            model(tc.zeros(*shape))
    with pytest.raises(ArgumentError, match="growth is 0"):
        models.create("denseunet", growth=0)
    with pytest.raises(ArgumentError, match="layers is 3"):
        models.create("denseunet", layers=3)


def test_one_step_changes_every_parameter() -> None:
    tc.manual_seed(0)
    model = models.create("denseunet", **TINY, dropout=0.0).eval()
    # in evaluation mode: in training, normalisation takes away what a bias before it adds
    check_one_step(model, 2, 3, 32, 32)


def test_eight_images_are_learned_by_heart() -> None:
    tc.manual_seed(0)
    x, where = discs((16, 16), channels=3)
    model = models.create("denseunet", num_classes=2, layers=(1, 1), growth=4, width=8, last=8, dropout=0.0)
    assert fit(model, x, where, 30) > 0.97
