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

WITHOUT_EVENT = (
    *("chroot", "copy_file_range", "device_encoding", "eventfd", "fchmod", "fchown", "ftruncate", "lchflags"),
    *("login_tty", "memfd_create", "mkfifo", "mknod", "nice", "openpty", "pidfd_open", "posix_fallocate"),
    *("posix_openpt", "pwrite", "pwritev", "sched_setaffinity", "sched_setparam", "sched_setscheduler"),
    *("sendfile", "setns", "setpgid", "setpriority", "setsid", "splice", "sync", "unshare"),
)
"""Functions of `os` that make or change something and that the audit hook does not see."""

BENEATH = {
    "numpy.convolve": ("numpy._core.multiarray.correlate",),
    "numpy.correlate": ("numpy._core.multiarray.correlate2",),
}
"""What a function consists of; it is refused with it."""

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
    """Put functions that only refuse in the place of these, e.g. ``"numpy.convolve"``, wherever they are."""
    for name in names:
        for path in (name, *BENEATH.get(name, ())):
            owner, rest = _owner(path.split("."))
            for part in rest[:-1]:
                owner = getattr(owner, part)
            found, refusing = getattr(owner, rest[-1]), _refusing(f"{name} does what you are to write")
            setattr(owner, rest[-1], refusing)
            _replace(found, refusing)


def _replace(found: object, refusing: Callable[..., Any]) -> None:
    """The same for each module that has it by any name, or keeps it in a set or a dict."""
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is found:
                setattr(module, name, refusing)
            elif type(value) is set:
                value -= {item for item in value if item is found}
            elif type(value) is dict:
                value |= {key: refusing for key, item in value.items() if item is found}


def _owner(path: list[str]) -> tuple[Any, list[str]]:
    """The innermost module that a dotted name begins with, and the rest of the name."""
    for count in range(len(path) - 1, 0, -1):
        try:
            return importlib.import_module(".".join(path[:count])), path[count:]
        except ModuleNotFoundError:
            continue
    raise ModuleNotFoundError(".".join(path))


def _refusing(reason: str) -> Callable[..., Any]:
    def refuse(*values: Any, **named: Any) -> Any:
        raise Refused(reason)

    return refuse


def student_builtins(allowed: frozenset[str]) -> dict[str, Any]:
    """The built-in names for the student's module; its `import` knows the allowed modules only."""
    real = builtins.__import__

    def guarded(name: str, outer: Any = None, inner: Any = None, names: Any = (), level: int = 0) -> Any:
        if level or name.split(".")[0] not in allowed:
            raise Refused(_no_import(name, allowed))
        return real(name, outer, inner, names, level)

    return {**vars(builtins), "__import__": guarded}


def _no_import(name: str, allowed: frozenset[str]) -> str:
    packages = ", ".join(["numpy", *sorted(allowed - MODULES)])
    return (
        f"import {name}: there are only {packages} and modules of Python that compute, as math and itertools"
    )


def install(packages: Sequence[str], closed: Sequence[str], allowed: frozenset[str]) -> None:
    """From now on, read in `packages` only, but not in `closed`; import only what is loaded already."""
    for name in WITHOUT_EVENT:
        if hasattr(os, name):
            _replace(getattr(os, name), _refusing(f"os.{name}"))
    inside = tuple(os.path.realpath(path) + os.sep for path in packages)
    outside = tuple(os.path.realpath(path) + os.sep for path in closed)
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
            raise Refused(_no_import(str(values[0]), allowed))
        elif event in LOOKING:
            if not may_read(values[0]):
                raise Refused(f"looking into a folder ({values[0]!r})")
        elif event.startswith(REFUSED):
            raise Refused(event)

    sys.addaudithook(hook)
