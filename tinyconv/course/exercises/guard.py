"""What a student's code may do in its process: import a few modules, compute, and nothing else.

The audit hook of Python sees files being opened, processes and connections being started, and modules
being imported; once it is installed it cannot be taken away. It stops mistakes and shortcuts. It is no
prison: docs/exercises.md says what it does not stop. The student's process loads this file by itself.
"""

from __future__ import annotations

import builtins
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

MODULES = frozenset(
    {
        *("numpy", "__future__", "abc", "array", "bisect", "cmath", "collections", "contextlib", "copy"),
        *("dataclasses", "decimal", "enum", "fractions", "functools", "heapq", "itertools", "math"),
        *(
            "numbers",
            "operator",
            "queue",
            "random",
            "re",
            "statistics",
            "string",
            "textwrap",
            "time",
            "types",
            "typing",
        ),
        *("typing_extensions", "warnings"),
    }
)
"""The modules that every exercise may import."""

NEVER = frozenset(
    {
        *("_ctypes", "_multiprocessing", "_posixsubprocess", "_socket", "asyncio", "cffi", "concurrent"),
        *("ctypes", "ensurepip", "faulthandler", "gc", "importlib", "marshal", "mmap", "multiprocessing"),
        *("pickle", "pip", "pty", "resource", "shelve", "signal", "site", "socket", "sqlite3", "subprocess"),
        *("tracemalloc", "venv"),
    }
)
REFUSED = (
    *(
        "ctypes.",
        "fcntl.",
        "ftplib.",
        "gc.",
        "glob.",
        "http.",
        "marshal.",
        "mmap.",
        "msvcrt.",
        "os.",
        "pathlib.",
    ),
    *("pickle.", "poplib.", "pty.", "resource.", "shutil.", "signal.", "smtplib.", "socket.", "sqlite3."),
    *(
        "subprocess.",
        "sys.set",
        "sys.addaudithook",
        "syscall",
        "tempfile.",
        "urllib.",
        "webbrowser.",
        "winreg.",
    ),
)
LOOKING = ("os.listdir", "os.scandir")


class Refused(PermissionError):
    """The student's code tried what an exercise does not allow."""


def forbid(names: Sequence[str]) -> None:
    """Put functions that only refuse in the place of these, e.g. ``"numpy.convolve"``."""
    for name in names:
        path = name.split(".")
        owner, rest = _owner(path)
        for part in rest[:-1]:
            owner = getattr(owner, part)
        setattr(owner, rest[-1], _refusing(name))


def _owner(path: list[str]) -> tuple[Any, list[str]]:
    """The innermost module that a dotted name begins with, and the rest of the name."""
    for count in range(len(path) - 1, 0, -1):
        try:
            return importlib.import_module(".".join(path[:count])), path[count:]
        except ModuleNotFoundError:
            continue
    raise ModuleNotFoundError(".".join(path))


def _refusing(name: str) -> Callable[..., Any]:
    def refuse(*values: Any, **named: Any) -> Any:
        raise Refused(f"{name} does what you are to write")

    return refuse


def student_builtins(allowed: frozenset[str]) -> dict[str, Any]:
    """The built-in names for the student's module; its `import` knows the allowed modules only."""
    real = builtins.__import__

    def guarded(name: str, outer: Any = None, inner: Any = None, names: Any = (), level: int = 0) -> Any:
        if level or name.split(".")[0] not in allowed:
            raise Refused(f"import {name}: this exercise needs no more than {_listed(allowed)}")
        return real(name, outer, inner, names, level)

    return {**vars(builtins), "__import__": guarded}


def _listed(allowed: frozenset[str]) -> str:
    extra = sorted(allowed - MODULES)
    return ", ".join(["numpy", *extra, "and Python's own modules such as math and itertools"])


def install(packages: Sequence[str], closed: Sequence[str], roots: frozenset[str]) -> None:
    """From now on, read in `packages` only, but not in `closed`; import the standard library and `roots`."""
    inside = tuple(os.path.realpath(path) + os.sep for path in packages)
    outside = tuple(os.path.realpath(path) + os.sep for path in closed)
    may_import = (frozenset(sys.stdlib_module_names) - NEVER) | roots
    real_path, from_bytes = os.path.realpath, os.fsdecode
    reading = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def may_read(path: Any) -> bool:
        if not isinstance(path, str | bytes):
            return False
        where = real_path(from_bytes(path))
        return (where + os.sep).startswith(inside) and not (where + os.sep).startswith(outside)

    def hook(event: str, values: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = values
            if (flags or 0) & reading or (mode and set(mode) & set("wax+")):
                raise Refused(f"writing a file ({path!r})")
            if not may_read(path):
                raise Refused(f"reading a file ({path!r})")
        elif event == "import":
            if str(values[0]).split(".")[0] not in may_import:
                raise Refused(f"import {values[0]}")
        elif event in LOOKING:
            if not may_read(values[0]):
                raise Refused(f"looking into a folder ({values[0]!r})")
        elif event.startswith(REFUSED):
            raise Refused(event)

    sys.addaudithook(hook)
