"""convolutionize: the dense net's scores at its size, a grid of them at larger ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.models.twin import images
from tinyconv import models, nn
from tinyconv.errors import ArgumentError, DtypeError, ShapeError


def chain(padding: int = 0) -> Any:
    """A small net without padding: each part of an image gives what the part alone gives."""
    tc.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=padding),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(3 * (3 + padding) ** 2, 5),
        nn.BatchNorm1d(5),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(5, 4, bias=False),
    )


def test_each_place_of_the_grid_is_what_the_dense_net_says_of_the_part_there() -> None:
    net = chain().eval()
    wide = models.convolutionize(net, (2, 8, 8))
    x = images(2, 2, 14, 11)
    grid = wide(tc.tensor(x))
    assert grid.shape == (2, 4, 4, 2)  # one step of the window is one of the pooling: two pixels
    for i in range(4):
        for j in range(2):
            part = net(tc.tensor(x[:, :, 2 * i : 2 * i + 8, 2 * j : 2 * j + 8]))
            np.testing.assert_allclose(grid.data.numpy()[:, :, i, j], part.data.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ("vgg11", "vgg11_bn"))
def test_vgg_gives_the_same_scores_at_224_and_a_grid_above(name: str) -> None:
    net = models.create(name, num_classes=6, width=2, hidden=8).eval()
    wide = models.convolutionize(net)
    x = tc.tensor(images(1, 3, 224, 224))
    np.testing.assert_allclose(wide(x).data.numpy()[:, :, 0, 0], net(x).data.numpy(), rtol=1e-4, atol=1e-6)
    assert wide(tc.zeros(1, 3, 256, 320)).shape == (1, 6, 2, 4)
    assert [child for child, _ in wide.named_children()] == ["features", "avgpool", "classifier"]
    assert wide.classifier[0].weight.shape == (8, 16, 7, 7)


@pytest.mark.parametrize("name", ("resnet18", "squeezenet1_1"))
def test_nets_that_average(name: str) -> None:
    net = models.create(name, num_classes=3).eval()
    wide = models.convolutionize(net, (3, 64, 64))
    x = tc.tensor(images(1, 3, 64, 64))
    np.testing.assert_allclose(wide(x).data.numpy()[:, :, 0, 0], net(x).data.numpy(), rtol=1e-4, atol=1e-5)
    larger = wide(tc.zeros(1, 3, 128, 96)).shape
    assert larger[:2] == (1, 3) and larger[2] > larger[3] > 1


def test_alexnet() -> None:
    net = models.create("alexnet", num_classes=3).eval()
    wide = models.convolutionize(net)
    x = tc.tensor(images(1, 3, 224, 224))
    np.testing.assert_allclose(wide(x).data.numpy()[:, :, 0, 0], net(x).data.numpy(), rtol=1e-4, atol=1e-5)
    assert wide(tc.zeros(1, 3, 300, 260)).shape == (1, 3, 3, 2)


def test_averages_of_all_become_averages_of_windows() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3))
    wide = models.convolutionize(net, (1, 7, 9))
    x = images(1, 1, 10, 11)
    grid = wide(tc.tensor(x)).detach()
    assert grid.shape == (1, 3, 4, 3)
    part = net(tc.tensor(x[:, :, 3:10, 1:10])).detach()
    np.testing.assert_allclose(grid.data.numpy()[:, :, 3, 1], part.data.numpy(), rtol=1e-4, atol=1e-6)


def test_weights_are_shared_and_modes_are_kept() -> None:
    net = chain()
    net[1].eval()
    wide = models.convolutionize(net, (2, 8, 8))
    assert net.training and not net[1].training and net[6].training
    assert wide.training and not wide[1].training and wide[6].training
    with tc.no_grad():
        net[5].weight.array[...] = 0
        net[9].weight.array[...] = 7
    assert not wide[5].weight.data.numpy().any() and (wide[9].weight.data.numpy() == 7).all()
    assert wide[0] is net[0]


def test_the_grid_can_be_trained() -> None:
    wide = models.convolutionize(chain(), (2, 8, 8))
    (wide(tc.tensor(images(2, 2, 12, 12))) ** 2).sum().backward()
    assert all(p.grad is not None and p.grad.data.numpy().any() for p in (wide[0].weight, wide[9].weight))


class Residual(nn.Module):
    """No chain: what goes in is added."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.dense = nn.Conv2d(1, 1, 3, padding=1), nn.Linear(16, 2)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        return self.dense((x + self.conv(x)).flatten(1))


class PooledByAFunction(nn.Module):
    """Something happens between the children."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.dense = nn.Conv2d(1, 1, 1), nn.Linear(4, 2)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        return self.dense(nn.functional.max_pool2d(self.conv(x), 2).flatten(1))


class TwoHeads(nn.Module):
    """One of the children is beside the chain, as GoogLeNet's auxiliary classifiers are."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.aside, self.dense = nn.Conv2d(1, 3, 1), nn.Conv2d(1, 1, 1), nn.Linear(3, 2)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        return self.dense((self.conv(x) * self.aside(x)).flatten(1))


def test_what_cannot_be_converted() -> None:
    with pytest.raises(ArgumentError, match=r"net is a Residual with outputs that are .* apart"):
        models.convolutionize(Residual(), (1, 4, 4))
    with pytest.raises(ArgumentError, match="a Sequential with outputs of other shapes"):
        models.convolutionize(nn.Sequential(nn.Conv2d(1, 1, 3)), (1, 4, 4))
    with pytest.raises(ArgumentError, match=r"input_size is \(4, 4\)"):
        models.convolutionize(Residual(), (4, 4))
    with pytest.raises(ArgumentError, match=r"pooling from \(7, 7\) to \(3, 3\)"):
        net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(9, 2))
        models.convolutionize(net, (1, 7, 7))
    with pytest.raises(ArgumentError, match="4 dense inputs after features of 1 x 4 x 4"):
        models.convolutionize(PooledByAFunction(), (1, 4, 4))
    with pytest.raises(
        ArgumentError, match=r"a TwoHeads with parts that do not follow one another \(conv2d: "
    ):
        models.convolutionize(TwoHeads(), (1, 1, 1))
    with pytest.raises(ShapeError, match="linear: input is of shape"):
        models.convolutionize(Residual(), (1, 5, 5))
    with pytest.raises(DtypeError, match="net is a str, expected a Module"):
        models.convolutionize("vgg16")
    with pytest.raises(ArgumentError, match="net is a Sequential without weights"):
        models.convolutionize(nn.Sequential(nn.Flatten()), (1, 4, 4))
