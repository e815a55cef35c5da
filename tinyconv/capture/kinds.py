"""Which values hold what may change while a captured step lives, and whose code is whose.

`State` looks into lists, modules of the user's, objects and so on. Some kinds of values need no look: what
cannot change, and what Python, NumPy and tinyconv keep for themselves. Others change where nobody can see it.
"""

from __future__ import annotations

import datetime
import functools
import io
import os
import random
import re
import sysconfig
import weakref
from pathlib import Path
from types import (
    CodeType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

import numpy as np

from tinyconv.optim.lr_scheduler import LRScheduler

PACKAGE = str(Path(__file__).parents[1])
SITE = str(Path(np.__file__).parents[1])
LIBRARIES = (
    sysconfig.get_path("stdlib"),
    *(f"{SITE}{os.sep}{name}" for name in ("numpy", "numba", "llvmlite")),
)
SIMPLE = (bool, int, float, complex, str, bytes, type(None), np.dtype, np.generic)
UNWATCHED = (np.ndarray, np.random.Generator, np.random.RandomState, random.Random, io.IOBase)
"""Types whose changes cannot be seen: a step that can read one cannot be captured."""
TRANSPARENT = {
    object,
    dict,
    list,
    tuple,
    set,
    frozenset,
    range,
    slice,
    property,
    type(...),
    type(NotImplemented),
}
TRANSPARENT |= {
    re.Pattern,
    CodeType,
    MethodDescriptorType,
    MemberDescriptorType,
    GetSetDescriptorType,
    WrapperDescriptorType,
    np.ufunc,
    type(np.sum),
}
TRANSPARENT |= {staticmethod, classmethod, type(functools.lru_cache(len)), weakref.ref, MappingProxyType}
TRANSPARENT |= {datetime.date, datetime.time, datetime.datetime, datetime.timedelta}
"""Types made in C that hold nothing, or nothing that changes, or what `State` looks into."""


def is_own(file: str) -> bool:
    """Whether a file of code belongs to tinyconv."""
    return file.startswith(PACKAGE)


def is_library(file: str) -> bool:
    """Whether a file of code is Python's or NumPy's, which keep no state that a step would read."""
    return file.startswith(("<frozen", *LIBRARIES)) and ("site-packages" not in file or file.startswith(SITE))


def is_users(module: ModuleType) -> bool:
    """Whether a module may hold what changes: it is neither tinyconv's, nor Python's, nor installed."""
    file = getattr(module, "__file__", None) or "<frozen"
    return not (is_own(file) or is_library(file) or "site-packages" in file)


def is_in_c(cls: type) -> bool:
    """Whether a class is made in C: Python's own classes can be changed, and live on the heap."""
    immutable, on_heap = 1 << 8, 1 << 9
    return bool(cls.__flags__ & immutable) or not cls.__flags__ & on_heap


def is_scheduler(value: Any) -> bool:
    """Whether its step, which a replay calls again, is the one thing that a training step does with it."""
    return any(
        cls.__module__.startswith(LRScheduler.__module__.rpartition(".")[0]) for cls in type(value).__mro__
    )
