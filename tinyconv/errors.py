"""The error types of tinyconv.

Every error that a wrong call or a damaged file can cause is a `TinyconvError`. Its message
names where it happened, the argument, the value that came, and what was expected; the same
four are attributes, so that tests and tools need not parse text. Each type also inherits
from the built-in exception that Python users would try to catch.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any


class TinyconvError(Exception):
    """Base of all tinyconv errors.

    Parameters
    ----------
    where : str
        The function, layer or file that refuses, e.g. ``"conv2d"``.
    argument : str
        The name of the argument (or part of a file) at fault.
    value
        What came. Shapes, numbers and names are shown as they are.
    expected : str
        What would have been accepted.

    Examples
    --------
    >>> from tinyconv.errors import ShapeError
    >>> print(ShapeError("linear", "input", (2, 3), "a last dimension of 4"))
    linear: input is (2, 3), expected a last dimension of 4
    """

    def __init__(self, where: str, argument: str, value: Any, expected: str) -> None:
        self.where = where
        self.argument = argument
        self.value = value
        self.expected = expected
        super().__init__(where, argument, value, expected)

    def __str__(self) -> str:
        return f"{self.where}: {self.argument} is {_in_one_line(self.value)}, expected {self.expected}"


def _in_one_line(value: Any, longest: int = 240) -> str:
    """`value` as text; an array or a long list is cut short."""
    text = " ".join(str(value).split())
    return text if len(text) <= longest else text[:longest] + " …"


class ArgumentError(TinyconvError, ValueError):
    """An argument has the right type but a value that makes no sense."""


class ShapeError(ArgumentError):
    """A tensor has the wrong number of dimensions or the wrong sizes."""


class DtypeError(TinyconvError, TypeError):
    """A tensor or argument has the wrong type."""


class DeviceError(TinyconvError, RuntimeError):
    """A device is missing, or tensors live on different devices."""


class OutOfMemoryError(DeviceError):
    """No memory is left for an array on the GPU, or for a pinned one; see `tinyconv.cuda.memory_summary`."""


class DataError(TinyconvError, ValueError):
    """A data folder, image or mask cannot be used; the message names the file."""


class CheckpointError(TinyconvError, ValueError):
    """A checkpoint or weights file is damaged, incomplete, or belongs to another model."""


class StorageError(TinyconvError, OSError):
    """A file could not be written; an earlier file of that name is untouched."""


class DownloadError(TinyconvError, OSError):
    """A file could not be brought from the net; what has arrived of it is kept for the next attempt."""


class UnsupportedError(TinyconvError, NotImplementedError):
    """A file asks for something that tinyconv does not have; the message names all of it."""


class PackageError(TinyconvError, ImportError):
    """A package that this one function needs is not installed; the message says how to get it."""


class TrainingError(TinyconvError, ArithmeticError):
    """Training cannot go on: the loss is no finite number any more."""


class GraphError(TinyconvError, RuntimeError):
    """The computation graph cannot be walked, e.g. a second backward without retain_graph."""


class GradcheckError(TinyconvError, AssertionError):
    """An analytic gradient disagrees with the numeric one; the message is the full report."""

    def __str__(self) -> str:
        return f"{self.where}: {self.value}"


def missing_name(
    owner: str, name: str, names: Iterable[str], instead: Mapping[str, str] | None = None
) -> AttributeError:
    """The error for ``owner.name`` that does not exist; it names what comes nearest.

    Parameters
    ----------
    owner, name : str
    names : iterable of str
        What there is.
    instead : dict, optional
        For names of PyTorch's that are known to be missing: what to take instead.

    Examples
    --------
    >>> from tinyconv.errors import missing_name
    >>> missing_name("tinyconv.nn", "Conv2D", ["Conv1d", "Conv2d", "Linear"])
    AttributeError("tinyconv.nn has no 'Conv2D'; nearest: 'Conv2d', 'Conv1d'")
    """
    if instead and name in instead:
        return AttributeError(f"{owner} has no {name!r}; instead: {instead[name]}")
    by_lower_case = {other.lower(): other for other in names if not other.startswith("_")}
    near = difflib.get_close_matches(name.lower(), by_lower_case, n=3, cutoff=0.6)
    hint = "; nearest: " + ", ".join(repr(by_lower_case[other]) for other in near) if near else ""
    return AttributeError(f"{owner} has no {name!r}{hint}")
