"""Checkpoints of one's own making, dictionaries in dictionaries, as a safetensors file.

The arrays are stored under numbers; how they belong together, and all that is no array, is JSON
in the file's header. As in any safetensors file, nothing in it is ever run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tinyconv.errors import CheckpointError, DtypeError

Array = Any

KEY = "tinyconv.structure"
"""The entry of the file's metadata that says how the arrays belong together."""
PLAIN = (str, int, float, bool, type(None))


def is_array(value: Any) -> bool:
    """Whether `value` is a Tensor or an array."""
    return hasattr(value, "dtype") and hasattr(value, "shape")


def is_flat(value: Any) -> bool:
    """Whether `value` is a mapping of names to arrays, which needs no structure."""
    return isinstance(value, Mapping) and all(not _needs_structure(entry) for entry in value.values())


def _needs_structure(entry: Any) -> bool:
    return isinstance(entry, Mapping | str) or entry is None or isinstance(entry, bool | int | float)


def flatten(value: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """The arrays by number, and the metadata that tells how to put them together again.

    Raises
    ------
    DtypeError
        If something in it is neither an array, a number, a text, nor a dict, list or tuple of such.
    """
    arrays: dict[str, Any] = {}
    return arrays, {KEY: json.dumps(_described(value, arrays, "the object"))}


def _described(value: Any, arrays: dict[str, Any], path: str) -> Any:
    if is_array(value):
        name = str(len(arrays))
        arrays[name] = value
        return {"tensor" if hasattr(value, "array") else "array": name}
    if isinstance(value, PLAIN):
        return {"value": value}
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, PLAIN):
                raise DtypeError("save", f"a key of {path}", type(key).__name__, "a text or a number")
        return {
            "dict": [[key, _described(entry, arrays, f"{path}[{key!r}]")] for key, entry in value.items()]
        }
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_described(entry, arrays, f"{path}[{i}]") for i, entry in enumerate(value)]}
    expected = "a Tensor, array, number, text, dict, list or tuple; e.g. model.state_dict(), not the model"
    raise DtypeError("save", path, f"a {type(value).__name__}", expected)


def rebuild(arrays: dict[str, Array], structure: str) -> Any:
    """The inverse of `flatten`.

    Raises
    ------
    CheckpointError
        If the structure is damaged.
    """
    try:
        return _built(json.loads(structure), arrays)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        found = f"damaged ({type(error).__name__}: {error})"
        raise CheckpointError("load", "the file's header", found, "what save wrote") from error


def _built(node: Any, arrays: dict[str, Array]) -> Any:
    from tinyconv.tensor import Tensor

    ((kind, content),) = node.items()
    if kind in ("tensor", "array"):
        return Tensor(arrays[content]) if kind == "tensor" else arrays[content]
    if kind == "dict":
        return {key: _built(entry, arrays) for key, entry in content}
    if kind in ("list", "tuple"):
        entries = [_built(entry, arrays) for entry in content]
        return entries if kind == "list" else tuple(entries)
    if kind != "value" or not isinstance(content, PLAIN):
        raise ValueError(f"an entry {kind!r}")
    return content
