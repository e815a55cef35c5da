"""What one element sees, against the pixels that its gradient reaches, and against bright pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.nn.test_summary import NETS
from tinyconv import models, nn
from tinyconv.errors import ArgumentError

MAPS = [name for name in NETS if name != "all by a linear layer"]


def ends(seen: Any) -> tuple[tuple[int, int], ...]:
    """The first and the last index along each axis at which a bool array is True."""
    return tuple((int(where.min()), int(where.max())) for where in np.nonzero(seen))


def inside(box: Any, size: tuple[int, ...]) -> bool:
    return all(first >= 0 and last < n for (first, last), n in zip(box, size, strict=True))


@pytest.mark.parametrize("name", MAPS)
def test_an_element_sees_what_its_gradient_reaches(name: str) -> None:
    build, size = NETS[name]
    model = build()
    table = nn.summary(nn.Sequential(model, nn.Identity()), size)
    for parameter in model.parameters():
        nn.init.ones_(parameter)
    x = tc.ones(1, *size, dtype="float64", requires_grad=True)
    output = model.double().eval()(x)
    compared = 0
    for position in np.ndindex(*output.shape[2:]):
        x.grad = None
        output[(0, 0, *position)].backward(retain_graph=True)
        reached = x.grad.numpy()[0].any(axis=0)
        if not reached.any():
            continue
        box = table["1"].sees(position)
        for (first, last), (low, high) in zip(box, ends(reached), strict=True):
            assert first <= low and high <= last, position
        if inside(box, size[1:]):
            assert box == ends(reached), position
            compared += 1
    assert compared or name == "small U-Net"


@pytest.mark.parametrize("position", [(0, 0), (3, 4), (7, 5)])
def test_through_max_pooling_every_bright_pixel_of_the_field_is_seen(position: tuple[int, int]) -> None:
    """With weights above 0 one bright pixel on black changes an element exactly if it is seen."""
    model = nn.Sequential(
        nn.Conv2d(1, 1, 3, padding=1, bias=False), nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.Conv2d(1, 1, 3, 1, 1)
    )
    for parameter in model.parameters():
        nn.init.ones_(parameter)
    pixels = np.eye(16 * 16, dtype=np.float32).reshape(-1, 1, 16, 16)  # one image for each pixel
    with tc.no_grad():
        answers = model(tc.tensor(pixels)).numpy()[:, 0, position[0], position[1]]
    box = nn.summary(model, (1, 16, 16)).rows[-1].sees(position)
    clipped = tuple((max(first, 0), min(last, 15)) for first, last in box)
    assert ends((answers > 1).reshape(16, 16)) == clipped  # 1 is the bias


def test_positions_by_hand() -> None:
    table = nn.summary(models.create("lenet5"), (1, 28, 28))
    pool = next(row for row in table.rows if "Pool" in row.kind)
    assert pool.sees((0, 0)) == ((-2, 3), (-2, 3))  # 2x2 of 5x5, 2 pixels of padding
    assert pool.sees((13, 1)) == ((24, 29), (0, 5))


def test_what_has_no_position_is_refused() -> None:
    model = nn.Sequential(nn.ConvTranspose2d(1, 1, 1, stride=2), nn.Flatten(), nn.Linear(25, 2))
    table = nn.summary(model, (1, 3, 3))
    assert table["0"].sees((2, 4)) == ((1, 1), (2, 2))
    for position in ((0, 5), (-1, 0), (1,)):
        with pytest.raises(ArgumentError, match="a map of size"):
            table["0"].sees(position)
    with pytest.raises(ArgumentError, match="depends on the input"):
        table["0"].sees((0, 1))
    with pytest.raises(ArgumentError, match="is known"):
        table["2"].sees(())
