"""Models by name: ``models.create("unet_slides")``, ``models.list()``."""

from __future__ import annotations

import builtins
import difflib
from collections.abc import Callable
from typing import Any

from tinyconv.errors import ArgumentError
from tinyconv.nn import Module

_builders: dict[str, Callable[..., Module]] = {}


def register(name: str) -> Callable[[Callable[..., Module]], Callable[..., Module]]:
    """Decorator: make a class or function known as the model `name`."""

    def add(builder: Callable[..., Module]) -> Callable[..., Module]:
        _builders[name] = builder
        return builder

    return add


def create(name: str, **options: Any) -> Module:
    """A new model, with random weights.

    Parameters
    ----------
    name : str
        One of `list()`.
    **options
        What the model takes, e.g. ``in_channels``.

    Examples
    --------
    >>> from tinyconv import models
    >>> model = models.create("unet_slides")
    >>> sum(p.numel() for p in model.parameters())
    1941105
    """
    if name not in _builders:
        close = difflib.get_close_matches(str(name), _builders, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ArgumentError("models.create", "name", repr(name), "one of " + ", ".join(list()) + hint)
    try:
        return _builders[name](**options)
    except TypeError as error:
        raise ArgumentError("models.create", "options", options, f"what {name} takes ({error})") from error


def list() -> builtins.list[str]:
    """The names that `create` knows."""
    return sorted(_builders)
