"""The network that the files of a run name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyconv.device import default_device
from tinyconv.errors import CheckpointError, TinyconvError
from tinyconv.nn import Module
from tinyconv.nn.allowance import at_most

CreateModel = Callable[..., Module]

LONGEST = 200
NOT_FROM_FILES = ("name", "weights")

TIMES, MORE = 4, 2**20
"""A network may hold so many times the numbers that its checkpoint has, and so many more: some make layers
that they replace by others."""


def create_network(
    create_model: CreateModel, where: str, name: str, options: dict[str, Any], state: Any = None
) -> Module:
    """The network of a run, by the options in its files, which may come from a stranger.

    Weights are not among the options: they lie beside them, in the checkpoint. ``weights`` would make
    `models.create` open another file, or download one. Nor is memory filled for what the options claim: that
    of a GPU would be, and so the network is made on the CPU.

    Parameters
    ----------
    create_model : callable
        `models.create`.
    where : str
        The run's folder, for the error.
    name, options
        What the run's config.json, or its checkpoint, says.
    state : dict of str to array, optional
        The weights that the network is to be given.

    Raises
    ------
    CheckpointError
        If an option is none of the network's, or has a value that no network can be made of.
    """
    expected = f"options of {name}"
    for option in NOT_FROM_FILES:
        if option in options:
            found = f"{option!r}: {options[option]!r}"
            raise CheckpointError(where, "model_options", f"with {found}", f"{expected}, without {option}")
    numbers = None if state is None else TIMES * sum(array.size for array in state.values()) + MORE
    try:
        with at_most(numbers), default_device("cpu"):
            return create_model(name, **options)
    except (TinyconvError, MemoryError):
        raise
    except Exception as error:  # a value of another kind may fail anywhere in the network
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        found = f"{repr(options)[:LONGEST]} ({reason[:LONGEST]})"
        raise CheckpointError(where, "model_options", found, expected) from error
