"""summary: numbers by hand, and receptive fields against what gradients reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import models, nn
from tinyconv.errors import ArgumentError, DtypeError, ShapeError, TinyconvError
from tinyconv.nn import functional as F


class Functional(nn.Module):
    """Windows in functions between the layers, as scripts have them."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 5, padding=2), nn.Conv2d(4, 2, 3, padding=1)
        self.last = nn.Linear(2 * 8 * 8, 3)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        x = F.max_pool2d(F.relu(self.first(x)), 2)
        x = F.avg_pool2d(F.relu(self.second(x)), 2)
        return self.last(x.flatten(1))


class Between(nn.Module):
    """A convolution that is no layer, and a layer that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 2, 3, padding=1, bias=False)
        self.weight = nn.Parameter(tc.ones(2, 2, 1, 3))

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        return F.conv2d(self.layer(self.layer(x)), self.weight)


class SmallUNet(nn.Module):
    """Two levels: strides, transposed convolution, concatenation."""

    def __init__(self, kernel_size: int = 2) -> None:
        super().__init__()
        self.left, self.bottom = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1)
        self.up = nn.ConvTranspose2d(1, 1, kernel_size, stride=2, padding=(kernel_size - 1) // 2)
        self.right = nn.Conv2d(2, 1, 3, padding=1)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        left = self.left(x)
        up = self.up(self.bottom(F.avg_pool2d(left, 2)))
        return self.right(tc.cat([up[:, :, : left.shape[2], : left.shape[3]], left], dim=1))


class Branches(nn.Module):
    """Two paths of different sight, added after padding and cropping."""

    def __init__(self) -> None:
        super().__init__()
        self.near, self.far = nn.Conv2d(1, 1, (1, 3)), nn.Conv2d(1, 1, (5, 3), dilation=(2, 1))

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        far = F.pad(self.far(x), (0, 0, 8, 0))
        return self.near(x) + far


def reached(model: Any, size: tuple[int, ...]) -> tuple[int, ...]:
    """The largest extent of the gradients of single output elements, by running backward for each."""
    for parameter in model.parameters():
        nn.init.ones_(parameter)
    x = tc.ones(1, *size, dtype="float64", requires_grad=True)
    output = model.double().eval()(x)
    largest = np.zeros(len(size) - 1, int)
    planes = output.shape[2:] or (1,)
    for index in np.ndindex(*planes):
        x.grad = None
        output[(0, 0, *index) if output.ndim > 2 else (0, 0)].backward(retain_graph=True)
        where = np.nonzero(x.grad.data.numpy()[0].any(axis=0))
        extents = [axis.max() - axis.min() + 1 if axis.size else 0 for axis in where]
        largest = np.maximum(largest, extents)
    return tuple(int(n) for n in largest)


def conv(kernel_size: Any, **options: Any) -> nn.Conv2d:
    return nn.Conv2d(1, 1, kernel_size, **options)


NETS: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "3x3": (lambda: conv(3), (1, 9, 9)),
    "3x3, strides and dilations": (
        lambda: nn.Sequential(conv(3, dilation=2), conv((2, 3), stride=(2, 1)), conv(3, dilation=(1, 3))),
        (1, 20, 24),
    ),
    "pooling": (
        lambda: nn.Sequential(conv(3, stride=2, padding=1), nn.AvgPool2d(3, 2), conv(2), nn.AvgPool2d(2, 1)),
        (1, 32, 33),
    ),
    "transposed": (lambda: nn.Sequential(conv(2), nn.ConvTranspose2d(1, 1, 5, 2), conv(3)), (1, 9, 8)),
    "transposed with holes": (
        lambda: nn.Sequential(
            conv(3), nn.ConvTranspose2d(1, 1, 3, 3, dilation=2), conv(2), conv(2, stride=2)
        ),
        (1, 9, 9),
    ),
    "transposed, smaller than its stride": (
        lambda: nn.Sequential(conv(3), nn.ConvTranspose2d(1, 1, 2, 3), conv(3)),
        (1, 9, 9),
    ),
    "small U-Net": (SmallUNet, (1, 24, 24)),
    "small U-Net with 4x4": (lambda: SmallUNet(4), (1, 24, 24)),
    "branches": (Branches, (1, 22, 9)),
    "nearest": (lambda: nn.Sequential(conv(3), nn.Upsample(scale_factor=2), conv(3)), (1, 14, 14)),
    "bilinear": (
        lambda: nn.Sequential(conv(3), nn.Upsample(scale_factor=(2, 3), mode="bilinear"), conv(2)),
        (1, 16, 16),
    ),
    "1-D": (lambda: nn.Sequential(nn.Conv1d(1, 1, 3, dilation=3), nn.Conv1d(1, 1, 4, stride=2)), (1, 40)),
    "3-D": (lambda: nn.Sequential(nn.Conv3d(1, 1, (1, 2, 3)), nn.AvgPool3d(2)), (1, 4, 6, 8)),
    "all by averaging": (lambda: nn.Sequential(conv(3), nn.AdaptiveAvgPool2d(1)), (1, 7, 9)),
    "all by a linear layer": (lambda: nn.Sequential(conv(3), nn.Flatten(), nn.Linear(35, 2)), (1, 7, 9)),
    "adaptive pooling": (lambda: nn.Sequential(conv(3), nn.AdaptiveAvgPool2d((3, 6))), (1, 14, 14)),
}


@pytest.mark.parametrize("name", NETS)
def test_the_receptive_field_is_what_gradients_reach(name: str) -> None:
    build, size = NETS[name]
    whole = nn.Sequential(build(), nn.Identity())
    assert nn.summary(whole, size)["1"].receptive_field == reached(build(), size)


def test_two_3x3_see_what_one_5x5_sees_with_fewer_weights() -> None:
    channels = 16
    two = nn.Sequential(*(nn.Conv2d(channels, channels, 3, bias=False) for _ in range(2)))
    one = nn.Conv2d(channels, channels, 5, bias=False)
    first, second = nn.summary(two, (channels, 20, 20)), nn.summary(one, (channels, 20, 20))
    assert first.rows[-1].receptive_field == second.rows[-1].receptive_field == (5, 5)
    assert (first.parameters, second.parameters) == (18 * channels**2, 25 * channels**2)


def test_a_dilated_net_by_hand() -> None:
    """Each 3x3 with dilation d adds 2 d: 3, 7, 15; a stride of 2 doubles what comes after it."""
    layers = [nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 3, dilation=2), nn.Conv2d(2, 2, 3, stride=2, dilation=4)]
    rows = nn.summary(nn.Sequential(*layers, nn.Conv2d(2, 1, 3, dilation=3)), (1, 64, 48)).rows
    assert [row.receptive_field for row in rows] == [(3, 3), (7, 7), (15, 15), (27, 27)]
    assert [row.output_shape for row in rows] == [(2, 62, 46), (2, 58, 42), (2, 25, 17), (1, 19, 11)]
    assert [row.parameters for row in rows] == [20, 38, 38, 19]
    assert rows[1].multiply_adds == 2 * 58 * 42 * 2 * 9
    assert rows[1].activation_bytes == 2 * 58 * 42 * 4


def test_the_bottom_of_the_unet() -> None:
    """Two 3x3 add 4 jumps per level, a pooling one: 5, 6, 14, 16, 32, 36, 68, 76, 140."""
    table = nn.summary(models.create("unet_slides"), (3, 64, 64))
    seen = [table[f"encoder.{level}.4"].receptive_field for level in range(5)]
    assert seen == [(5, 5), (14, 14), (32, 32), (68, 68), (140, 140)]
    assert [r.receptive_field for r in table.rows if r.name == "pool"] == [(n, n) for n in (6, 16, 36, 76)]
    assert table.parameters == table.trainable_parameters == 1_941_105
    assert table["encoder.4.3"].output_shape == (256, 4, 4)
    assert table["up.0"].multiply_adds == 256 * 4 * 4 * 128 * 4
    assert table["encoder.0.0"].multiply_adds == 64 * 64 * 16 * 27


def test_functions_between_the_layers_count() -> None:
    rows = nn.summary(Functional(), (1, 32, 32)).rows
    assert [row.name for row in rows] == ["first", "second", "last"]
    assert [row.receptive_field for row in rows] == [(5, 5), (10, 10), (32, 32)]
    assert rows[2].multiply_adds == 3 * 128


def test_what_is_computed_outside_of_layers_and_layers_used_twice() -> None:
    table = nn.summary(Between(), (2, 6, 6))
    assert [row.name for row in table.rows] == ["layer", "layer", "Between"]
    assert [row.parameters for row in table.rows] == [36, 0, 12]
    assert [row.multiply_adds for row in table.rows] == [36 * 36, 36 * 36, 2 * 6 * 4 * 6]
    assert table.rows[-1].receptive_field == (5, 7)
    assert table.parameters == 48 and table.multiply_adds == 2 * 36 * 36 + 288


def test_the_model_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5), nn.Sigmoid())
    model[1].eval()
    model[0].weight.requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    state = tc.get_rng_state()
    with tc.no_grad():
        table = nn.summary(model, (1, 8, 8))
    assert table.rows[-1].receptive_field == (3, 3)
    assert (table.parameters, table.trainable_parameters) == (24, 6)
    assert [module.training for module in model.modules()] == modes
    assert all(
        (value.data.numpy() == before[name].data.numpy()).all() for name, value in model.state_dict().items()
    )
    assert all(p.grad is None for p in model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert tc.get_rng_state() == state


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    class Transposed(nn.Module):
        def forward(self, x: tc.Tensor) -> tc.Tensor:
            return x.transpose(1, 2)

    table = nn.summary(nn.Sequential(nn.Conv2d(3, 3, 3), Transposed()), (3, 9, 8))
    assert [row.receptive_field for row in table.rows] == [(3, 3), None]
    assert nn.summary(nn.Linear(4, 2).double(), (4,)).rows[0].receptive_field is None


def test_the_table_shows_what_the_rows_hold() -> None:
    table = nn.summary(nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU()), (3, 34, 34))
    lines = str(table).splitlines()
    assert lines[0].strip() == "Sequential, input 3 x 34 x 34"
    (line,) = [line for line in lines if "Conv2d" in line]
    assert line.split() == [
        *("0", "Conv2d", "16", "x", "32", "x", "32", "448", "442,368", "64.0", "KiB", "3", "x", "3")
    ]
    assert "in all" in lines[-2] and "442,368" in lines[-2] and "128.0 KiB" in lines[-2]
    assert repr(table) == str(table)
    with pytest.raises(ArgumentError, match="name is '7', expected one of 0, 1"):
        _ = table["7"]


WRONG: list[tuple[Callable[[], Any], type[TinyconvError], str]] = [
    (lambda: nn.summary(3, (1, 2, 3)), DtypeError, "summary: model is a int"),
    (lambda: nn.summary(nn.ReLU(), ()), ArgumentError, r"input_size is \(\)"),
    (lambda: nn.summary(nn.ReLU(), (3, 0)), ArgumentError, r"input_size is \(3, 0\)"),
    (lambda: nn.summary(nn.ReLU(), "3"), ArgumentError, "input_size is '3', expected positive ints"),
    (lambda: nn.summary(nn.Conv2d(3, 1, 3), (1, 8, 8)), ShapeError, "conv2d: input is of shape"),
]


@pytest.mark.parametrize(("call", "error", "says"), WRONG)
def test_wrong_arguments(call: Callable[[], Any], error: type[TinyconvError], says: str) -> None:
    with pytest.raises(error, match=says):
        call()
