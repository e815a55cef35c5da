"""JSON files that anyone may have edited: what they hold is checked before it is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tinyconv.errors import CheckpointError


def read_json(path: Path, limit: int, expected: str) -> Any:
    """What a JSON file of at most `limit` bytes holds.

    Raises
    ------
    CheckpointError
        If the file is missing, unreadable, too large or no JSON; `expected` says what it should be.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise OSError("not a file")
        with open(path, "rb") as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            raise CheckpointError("load", repr(str(path)), "too large", f"at most {limit} bytes")
        return json.loads(content)
    except CheckpointError:
        raise
    except OSError as error:
        found = f"unreadable ({error.strerror or error})"
        raise CheckpointError("load", repr(str(path)), found, expected) from error
    except (RecursionError, ValueError) as error:
        found = f"damaged ({type(error).__name__}: {error})"
        raise CheckpointError("load", repr(str(path)), found, expected) from error


def is_number(value: Any, low: float, high: float, whole: bool = False) -> bool:
    """Whether `value` is a number from `low` to `high`; true and false, and NaN, are none.

    Examples
    --------
    >>> is_number(3, 0, 5, whole=True), is_number(float("nan"), 0, 5), is_number("3", 0, 5)
    (True, False, False)
    """
    kinds = int if whole else int | float
    return not isinstance(value, bool) and isinstance(value, kinds) and low <= value <= high
