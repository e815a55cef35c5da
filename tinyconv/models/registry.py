"""Models by name: ``models.create("vgg16", num_classes=5)``, ``models.list()``."""

from __future__ import annotations

import builtins
import difflib
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from tinyconv.errors import ArgumentError
from tinyconv.nn import Module
from tinyconv.ops._checks import check_positive

Builder = TypeVar("Builder", bound=Callable[..., Module])

_builders: dict[str, Callable[..., Module]] = {}
_input_sizes: dict[str, tuple[int, ...]] = {}


def register(name: str, input_size: tuple[int, ...] = (3, 256, 256)) -> Callable[[Builder], Builder]:
    """Decorator: make a class or function known as the model `name`.

    What it takes has names and defaults. `num_classes` is the number of channels that come out
    (of scores of an image, of maps of a segmentation), `in_channels` of those that go in;
    `input_size` is an input, without the batch, that the model takes as it is.
    """

    def add(builder: Builder) -> Builder:
        if name in _builders:
            raise ArgumentError("models.register", "name", repr(name), "a name that no model has yet")
        _builders[name] = builder
        _input_sizes[name] = input_size
        return builder

    return add


def create(name: str, **options: Any) -> Module:
    """A new model, with random weights.

    Parameters
    ----------
    name : str
        One of `list()`; torchvision's names where it has the net.
    **options
        What the model takes; nearly all take `num_classes`, channels that come out, and
        `in_channels`, channels that go in.

    Raises
    ------
    ArgumentError
        If there is no such model, or it does not take an option.

    Examples
    --------
    >>> from tinyconv import models
    >>> model = models.create("unet_slides")
    >>> sum(p.numel() for p in model.parameters())
    1941105
    >>> models.create("unet_slides", in_channels=1, num_classes=4).head
    Conv2d(16, 4, kernel_size=(1, 1), stride=(1, 1))
    """
    _check_name("models.create", name)
    taken = inspect.signature(_builders[name]).parameters
    for option, value in options.items():
        if option not in taken:
            expected = (
                f"what {name} takes: {', '.join(taken)}" if taken else f"no options, as {name} has none"
            )
            raise ArgumentError("models.create", f"option {option}", repr(value), expected)
    for option in {"in_channels", "num_classes"} & options.keys():
        check_positive("models.create", f"option {option}", options[option])
    return _builders[name](**options)


def input_size(name: str) -> tuple[int, ...]:
    """An input of the model `name`, without the batch, e.g. (3, 224, 224) for ``"vgg16"``."""
    _check_name("models.input_size", name)
    return _input_sizes[name]


def _check_name(where: str, name: str) -> None:
    if not isinstance(name, str) or name not in _builders:
        close = difflib.get_close_matches(str(name), _builders, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ArgumentError(where, "name", repr(name), "one of " + ", ".join(list()) + hint)


def list() -> builtins.list[str]:
    """The names that `create` knows."""
    return sorted(_builders)
