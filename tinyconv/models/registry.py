"""Models by name: ``models.create("vgg16", num_classes=5)``, ``models.list()``."""

from __future__ import annotations

import builtins
import difflib
import inspect
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from tinyconv.errors import ArgumentError
from tinyconv.io.files import check_path
from tinyconv.models import published
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


def create(name: str, *, weights: str | os.PathLike[str] | None = None, **options: Any) -> Module:
    """A new model, with random weights, or with those of a file or of torchvision.

    Parameters
    ----------
    name : str
        One of `list()`; torchvision's names where it has the net.
    weights : path or str, optional
        A safetensors or ``.pth`` file; or torchvision's name of weights, such as ``"IMAGENET1K_V1"``
        or ``"DEFAULT"``, which are downloaded when they are first asked for (see `models.published`).
    **options
        What the model takes; nearly all take `num_classes`, channels that come out, and
        `in_channels`, channels that go in.

    Raises
    ------
    ArgumentError
        If there is no such model, it does not take an option, or there are no such weights.
    CheckpointError
        If the file is damaged, or holds the weights of another model.
    DownloadError, DataError
        If published weights cannot be had.

    Examples
    --------
    >>> from tinyconv import models
    >>> model = models.create("unet_slides")
    >>> sum(p.numel() for p in model.parameters())
    1941105
    >>> models.create("unet_slides", in_channels=1, num_classes=4).head
    Conv2d(16, 4, kernel_size=(1, 1), stride=(1, 1))
    """
    check_name("models.create", name)
    builder = _builders[name]
    taken = inspect.signature(builder).parameters
    for option, value in options.items():
        if option == "pretrained" and option not in taken:
            raise ArgumentError("models.create", option, repr(value), "weights='DEFAULT' in its place")
        if option not in taken:
            expected = (
                f"what {name} takes: {', '.join(taken)}" if taken else f"no options, as {name} has none"
            )
            raise ArgumentError("models.create", f"option {option}", repr(value), expected)
        other = _named_after(builder, option, value)
        if other not in (None, name):
            raise ArgumentError("models.create", f"option {option}", repr(value), f"the model {other!r}")
    for option in {"in_channels", "num_classes"} & options.keys():
        check_positive("models.create", f"option {option}", options[option])
    if weights is None:
        return builder(**options)
    return _with_weights(name, weights, options, taken)


def _named_after(builder: Builder, option: str, value: Any) -> str | None:
    """The model that has the builder's options with another value of one in its name, if there is one."""
    if not isinstance(builder, partial) or option not in builder.keywords:
        return None
    wanted = _defaults(builder) | {option: value}
    for name, other in _builders.items():
        if isinstance(other, partial) and other.func is builder.func and _defaults(other) == wanted:
            return name
    return None


def _defaults(builder: Builder) -> dict[str, Any]:
    return {name: taken.default for name, taken in inspect.signature(builder).parameters.items()}


def _with_weights(
    name: str, weights: str | os.PathLike[str], options: dict[str, Any], taken: Mapping[str, Any]
) -> Module:
    is_published = published.is_published(weights)
    if is_published:
        if options.get("num_classes", 1000) != 1000:
            expected = "1000, as these weights have; then put a new last layer into the model"
            raise ArgumentError("models.create", "option num_classes", options["num_classes"], expected)
        path = published.get(name, str(weights))
        if "transform_input" in taken:
            options = {"transform_input": True, **options}
    else:
        path = check_path("models.create", weights)
        if not path.is_file():
            expected = f"a file, or one of {', '.join(['DEFAULT', *published.names(name)])}"
            raise ArgumentError("models.create", "weights", repr(str(weights)), expected)
    model = _builders[name](**options)
    published.load_into(model, path, is_published)
    return model


def input_size(name: str) -> tuple[int, ...]:
    """An input of the model `name`, without the batch, e.g. (3, 224, 224) for ``"vgg16"``."""
    check_name("models.input_size", name)
    return _input_sizes[name]


def check_name(where: str, name: str) -> None:
    """Refuse a name that no model has; `where` is told to have been given it."""
    if not isinstance(name, str) or name not in _builders:
        close = difflib.get_close_matches(str(name), _builders, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ArgumentError(where, "name", repr(name), "one of " + ", ".join(list()) + hint)


def list() -> builtins.list[str]:
    """The names that `create` knows."""
    return sorted(_builders)
