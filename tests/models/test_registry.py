"""Models by name: what is there, what they take, and what is said of mistakes."""

from __future__ import annotations

import pytest

from tinyconv import models
from tinyconv.errors import ArgumentError
from tinyconv.models.registry import register


def test_names() -> None:
    assert "unet_slides" in models.list() and models.list() == sorted(set(models.list()))
    with pytest.raises(ArgumentError, match=r"name is 'unet_slide'.*did you mean 'unet_slides'"):
        models.create("unet_slide")
    with pytest.raises(ArgumentError, match=r"models\.create: name is \['vgg16'\]"):
        models.create(["vgg16"])
    with pytest.raises(ArgumentError, match=r"models\.input_size: name is 'unet_slide'"):
        models.input_size("unet_slide")
    with pytest.raises(ArgumentError, match="'unet_slides', expected a name that no model has yet"):
        register("unet_slides")(models.registry.create)


def test_options() -> None:
    expected = r"option colour is True, expected what unet_slides takes: in_channels, num_classes"
    with pytest.raises(ArgumentError, match=expected):
        models.create("unet_slides", colour=True)
    for value in (0, -1, 1.5, "3", None):
        for option in ("in_channels", "num_classes"):
            with pytest.raises(ArgumentError, match=rf"models\.create: option {option} is .*an int >= 1"):
                models.create("unet_slides", **{option: value})


def test_input_sizes() -> None:
    assert models.input_size("unet_slides") == (3, 256, 256)
    for name in models.list():
        size = models.input_size(name)
        assert size and all(isinstance(n, int) and n > 0 for n in size)
