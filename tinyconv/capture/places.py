"""Places that a step can read from, each with a method ``get`` as a dictionary has it."""

from __future__ import annotations

from types import CellType
from typing import Any

Watched = tuple[Any, Any, Any, str]
"""Something with a method ``get``, the key to give it, what it should return, and a name for messages."""


class Cell:
    """A variable of the function around, with a method ``get``."""

    def __init__(self, cell: CellType) -> None:
        self.cell = cell

    def get(self, key: Any = None) -> Any:
        try:
            return self.cell.cell_contents
        except ValueError:  # no value yet
            return None


class Slots:
    """An object, with a method ``get`` for its attributes."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner

    def get(self, name: str) -> Any:
        return getattr(self.owner, name, None)


class Items:
    """A list or tuple, with a method ``get``."""

    def __init__(self, items: Any) -> None:
        self.items = items

    def get(self, index: int) -> Any:
        return self.items[index] if index < len(self.items) else None


class Names:
    """The names of a module, with a method ``get`` that says whether one is there."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    def get(self, name: str) -> bool:
        return name in self.names
