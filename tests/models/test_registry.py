"""Models by name: what is there, what they take, and what is said of mistakes."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

import pytest

from tinyconv import models, nn
from tinyconv.errors import ArgumentError, TinyconvError
from tinyconv.models.registry import _builders, register

SMALL: dict[str, dict[str, Any]] = {
    **{name: {"hidden": 4} for name in ("alexnet", "alexnet2012")},
    **{name: {"width": 4, "image_size": 8} for name in ("acgan", "dcgan", "wgan_gp")},
    **{name: {"widths": (2, 4)} for name in ("segnet", "unet", "unet_bn", "unet3d", "unet3d_bn", "vnet")},
    **{name: {} for name in ("perceptron", "mlp", "lenet5", "lenet1989", "squeezenet1_1", "unet_slides")},
    **{name: {"width": 4} for name in ("calcium_wide", "calcium_narrow", "resnet18", "plain20_cifar")},
    "autoencoder": {"widths": (4,)},
    "densenet121": {"layers": (1, 1), "growth": 4, "width": 8},
    "denseunet": {"layers": (1, 1), "growth": 4, "width": 8, "last": 4},
    "enet": {"width": 8},
    "fcn8s": {"width": 2, "hidden": 4},
    "googlenet": {},
    "rednet": {"width": 4},
    "vae": {"width": 4},
    "vgg11": {"width": 2, "hidden": 4},
}
"""One network of each class, in a size that is quickly made."""


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


def test_an_option_that_is_another_model_s_name() -> None:
    with pytest.raises(ArgumentError, match=r"option depth is 11, expected the model 'vgg11'"):
        models.create("vgg16", depth=11)
    with pytest.raises(ArgumentError, match="expected the model 'vgg16'"):
        models.create("vgg16_bn", batch_norm=False)
    same = models.create("vgg16", depth=16, width=1, hidden=1)
    assert len([m for m in same.features if isinstance(m, nn.Conv2d)]) == 13


def test_input_sizes() -> None:
    assert models.input_size("unet_slides") == (3, 256, 256)
    for name in models.list():
        size = models.input_size(name)
        assert size and all(isinstance(n, int) and n > 0 for n in size)


def test_the_table_above_has_every_class() -> None:
    def made_by(name: str) -> Any:
        builder = _builders[name]
        return builder.func if isinstance(builder, partial) else builder

    assert {made_by(name) for name in SMALL} == {made_by(name) for name in models.list()}


@pytest.mark.parametrize("name", SMALL)
def test_no_value_of_any_option_ends_in_an_error_of_python(name: str) -> None:
    """And a text or a negative number is good for none of them."""
    for option in inspect.signature(_builders[name]).parameters:
        for value in ("x", -1, None, [], {}, 1.5, [[1]], (0,)):
            try:
                models.create(name, **{**SMALL[name], option: value})
            except TinyconvError as error:
                assert type(error) is not TinyconvError and "expected" in str(error)
            else:
                assert value not in ("x", -1), f"{option}={value!r} is taken"
