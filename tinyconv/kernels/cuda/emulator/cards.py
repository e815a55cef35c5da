"""How many cards the stand-in has, which one is current, and which one has what."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

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


@contextlib.contextmanager
def room_in_all(size: int) -> Iterator[None]:
    """In this block, arrays and what pools keep for others have no more bytes together."""
    before, ROOM[:] = ROOM[:], [size]
    try:
        yield
    finally:
        ROOM[:] = before


@contextlib.contextmanager
def room_for(size: int) -> Iterator[None]:
    """In this block, an array of more bytes does not fit."""
    before, LARGEST[:] = LARGEST[:], [size]
    try:
        yield
    finally:
        LARGEST[:] = before
