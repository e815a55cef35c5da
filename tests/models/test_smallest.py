"""Networks that pool say which size they need at least; it is the smallest that their layers can take."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

import tinyconv as tc
from tinyconv import models
from tinyconv.errors import ShapeError

SMALLEST: dict[str, tuple[int, dict[str, Any]]] = {
    "alexnet": (63, {"hidden": 4}),
    "alexnet2012": (67, {"hidden": 4}),
    "densenet121": (29, {"layers": (1, 1, 1, 1), "growth": 2, "width": 4}),
    "googlenet": (15, {}),
    "squeezenet1_1": (17, {}),
    "vgg11": (32, {"width": 2, "hidden": 4}),
    "vgg11_bn": (32, {"width": 2, "hidden": 4}),
}


@pytest.mark.parametrize("name", SMALLEST)
def test_the_smallest_image(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    least, options = SMALLEST[name]
    model = models.create(name, num_classes=3, **options).eval()
    assert model(tc.zeros(1, 3, least, least)).shape == (1, 3)
    for sides in ((least - 1, least), (least, least - 1), (4, 4)):
        with pytest.raises(ShapeError, match=rf"\w+: input .*\b{sides[0]}, {sides[1]}\).* at least {least}$"):
            model(tc.zeros(1, 3, *sides))
    module = importlib.import_module(type(model).__module__)
    monkeypatch.setattr(module, "check_images", lambda *arguments, **named: None)
    with pytest.raises(ShapeError, match=r"2d: kernel_size .* it fits into an input of \(\d+, \d+\)"):
        model(tc.zeros(1, 3, least - 1, least - 1))


@pytest.mark.parametrize(
    ("name", "least"), [("unet_slides", 16), ("unet_bn", 16), ("segnet", 32), ("enet", 8), ("denseunet", 32)]
)
def test_networks_that_give_maps(name: str, least: int) -> None:
    model = models.create(name).eval()
    channels = models.input_size(name)[0]
    for side in (4, 20):
        if side < least:
            with pytest.raises(ShapeError, match=rf"{side}, {side}\), .*at least {least}$"):
                model(tc.zeros(1, channels, side, side))


@pytest.mark.parametrize(
    ("size", "options", "wanted"),
    [
        ((1, 3), {"kernel_size": 2}, "(2, 2)"),
        ((4, 9), {"kernel_size": (5, 3), "padding": 0, "dilation": (2, 1)}, "(9, 3)"),
        ((1, 1), {"kernel_size": 4, "padding": 1}, "(2, 2)"),
        ((1, 5), {"kernel_size": 4, "stride": 3, "ceil_mode": True}, "(2, 2)"),
    ],
)
def test_what_a_pooling_needs(size: tuple[int, int], options: dict[str, Any], wanted: str) -> None:
    """One pixel less than what the message says is refused, and what it says is not."""
    with pytest.raises(ShapeError) as caught:
        tc.nn.functional.max_pool2d(tc.zeros(1, 1, *size), **options)
    assert str(caught.value).endswith(f"it fits into an input of {wanted} or larger")
    enough = [int(n) for n in wanted.strip("()").split(",")]
    tc.nn.functional.max_pool2d(tc.zeros(1, 1, *enough), **options)
    for axis in range(2):
        less = list(enough)
        less[axis] -= 1
        with pytest.raises(ShapeError):
            tc.nn.functional.max_pool2d(tc.zeros(1, 1, *less), **options)


def test_what_a_convolution_needs() -> None:
    with pytest.raises(ShapeError, match=r"it fits into an input of \(1, 7\) or larger"):
        tc.nn.functional.conv2d(tc.zeros(1, 1, 3, 3), tc.zeros(1, 1, 3, 4), padding=(1, 0), dilation=(1, 2))
    tc.nn.functional.conv2d(tc.zeros(1, 1, 1, 7), tc.zeros(1, 1, 3, 4), padding=(1, 0), dilation=(1, 2))
