"""One line of a captured step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Statement:
    """One line of the program.

    Attributes
    ----------
    text : str
        The line.
    makes, takes : tuple of str
        The names that it gives a value, and that it needs.
    pure : bool
        Whether it does nothing but make them, and may be left out if nobody needs them.
    shapes : tuple of shapes, or None
        The results must have these shapes, else the program does not fit its inputs.
    call : tuple of str
        If it is the call of a kernel: the names of the kernel and of its arguments.
    view : bool
        Whether it makes another view of the same memory, and starts no kernel.
    """

    text: str
    makes: tuple[str, ...]
    takes: tuple[str, ...]
    pure: bool = True
    shapes: tuple[tuple[int, ...], ...] | None = None
    call: tuple[str, ...] = ()
    view: bool = False
