"""How many cards the stand-in has, which one is current, and which one has what."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

CARDS = [1]
"""How many there are."""

CURRENT = [0]
"""The current card's number; before it those that were current outside of a ``with``."""

LARGEST = [2**63]
"""The bytes of the largest array that there is room for."""

ROOM: list[int | None] = [None]
"""The bytes of all arrays and of what pools keep; None for as many as the machine has."""

home: dict[int, int] = {}
"""The card of each piece of memory, by the `id` of the NumPy array that owns it."""


@contextlib.contextmanager
def have_cards(count: int) -> Iterator[None]:
    """So many cards in this block."""
    before, CARDS[:] = CARDS[:], [count]
    try:
        yield
    finally:
        CARDS[:], CURRENT[:] = before, [0]


def room_in_all(size: int) -> contextlib.AbstractContextManager[None]:
    """In this block, arrays and what pools keep for others have no more bytes together."""
    return _set(ROOM, size)


def room_for(size: int) -> contextlib.AbstractContextManager[None]:
    """In this block, an array of more bytes does not fit."""
    return _set(LARGEST, size)


@contextlib.contextmanager
def _set(place: list[Any], value: Any) -> Iterator[None]:
    """One of the settings above has this value in this block."""
    before, place[:] = place[:], [value]
    try:
        yield
    finally:
        place[:] = before
