"""Options of `tinyconv train` in a TOML file: one ``name = value`` per line, named as on the command line."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from typing import Any

from tinyconv.errors import ArgumentError

MAX_BYTES = 2**20


def read_options(path: str | os.PathLike[str], names: Iterable[str]) -> dict[str, Any]:
    """The options that a TOML file sets.

    Parameters
    ----------
    path : path
    names : iterable of str
        What may be set; ``batch-size`` in the file is ``batch_size`` too.

    Returns
    -------
    dict
        By name; texts, numbers, true and false. Whether they make sense is checked where they are used.

    Raises
    ------
    ArgumentError
        If the file is missing, unreadable, larger than 1 MiB, no TOML, or sets something else.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "long.toml")
    >>> _ = file.write_text('epochs = 50\\nlr = 1e-3  # Adam\\n')
    >>> read_options(file, ["epochs", "lr", "seed"])
    {'epochs': 50, 'lr': 0.001}
    """
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise _refuse(path, "too large", f"at most {MAX_BYTES} bytes")
        fields = tomllib.loads(content.decode())
    except ArgumentError:
        raise
    except OSError as error:
        raise _refuse(path, f"unreadable ({error.strerror})", "a TOML file") from error
    except (RecursionError, ValueError) as error:  # an invalid text or number is a ValueError too
        raise _refuse(path, f"no TOML ({error})", "name = value on each line") from error
    named = {name.replace("-", "_"): value for name, value in fields.items()}
    allowed = sorted(names)
    for name, value in named.items():
        if name not in allowed:
            raise _refuse(path, f"a file that sets {name!r}", f"some of {', '.join(allowed)}")
        if not isinstance(value, str | int | float):
            raise _refuse(path, f"a file that sets {name} to a {type(value).__name__}", "a text or a number")
    if len(named) < len(fields):
        raise _refuse(path, "a file that sets a name twice, with - and with _", "each once")
    return named


def _refuse(path: str | os.PathLike[str], found: str, expected: str) -> ArgumentError:
    return ArgumentError("train", "--config", f"{os.fspath(path)!r}, {found}", expected)
