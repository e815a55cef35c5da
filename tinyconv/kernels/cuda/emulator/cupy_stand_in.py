"""A module in the place of CuPy, whose arrays are NumPy's and whose kernels run in the emulator."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from functools import cache
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np

from tinyconv.kernels.cuda.emulator import card, graphs, keywords, orders
from tinyconv.kernels.cuda.emulator.arrays import allocate, ndarray, unwrap, wrap
from tinyconv.kernels.cuda.emulator.cards import have_cards
from tinyconv.kernels.cuda.emulator.launching import RawKernel, RawModule

VERSION = "14.2.0"
"""Of CuPy, whose names and refusals these are; the least that setup.cfg takes."""

NOT_IN_CUPY = frozenset((
    "asmatrix", "block", "bmat", "einsum_path", "emath", "errstate", "frompyfunc", "geomspace",
    "histogram_bin_edges", "insert", "isnat", "longdouble", "ma", "matrix", "matvec", "memmap",
    "nanpercentile", "nanquantile", "ndenumerate", "nditer", "object_", "polyder", "polydiv", "polyint",
    "rec", "seterr", "spacing", "str_", "strings", "unstack", "vecdot", "vecmat", "void",
))  # fmt: skip
"""What NumPy has and CuPy 14 has not."""


SIZED_BY_VALUES = frozenset(("argwhere", "compress", "extract", "flatnonzero", "nonzero", "unique"))
"""Functions whose results have as many elements as the numbers say: Python waits for it."""


@contextlib.contextmanager
def emulated_cuda(cards: int = 1) -> Iterator[ModuleType]:
    """While this lasts, ``import cupy`` gives the stand-in, and ``"cuda"`` is a device that works.

    Parameters
    ----------
    cards : int
        How many there are. Of several, each computes only with what lies on it, which is stricter than CuPy.

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv.kernels.cuda.emulator.cupy_stand_in import emulated_cuda
    >>> with emulated_cuda() as cupy:
    ...     x = cupy.asarray(tc.ones(3).numpy())
    ...     (x + 1).get().tolist()
    [2.0, 2.0, 2.0]
    """
    modules = stand_ins()
    before = _put_in_place(modules)
    try:
        with have_cards(cards):
            yield modules["cupy"]
    finally:
        _put_in_place(before)


def _put_in_place(modules: dict[str, ModuleType]) -> dict[str, ModuleType]:
    """Let these be all of CuPy's modules, and return those that were: an installed CuPy needs a GPU."""
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] in ("cupy", "cupyx")}
    for name in before:
        del sys.modules[name]
    sys.modules.update(modules)
    return before


@cache
def stand_ins() -> dict[str, ModuleType]:
    """The modules that CuPy consists of, by name."""
    cuda = card.modules()
    cupy = _LikeNumPy("cupy", np)
    vars(cupy).update({function.__name__: function for function in FUNCTIONS})
    vars(cupy).update(
        ndarray=ndarray, RawModule=RawModule, RawKernel=RawKernel, cuda=cuda["cupy.cuda"],
        asanyarray=asarray, __version__=VERSION, copy=lambda a, order="K": a.copy(order),
        get_array_module=lambda *arrays: cupy if any(isinstance(a, ndarray) for a in arrays) else np,
        get_default_memory_pool=lambda: card.POOL, get_default_pinned_memory_pool=lambda: card.POOL,
        is_available=lambda: True,
    )  # fmt: skip
    cupy.__path__ = []
    cupyx, scipy, special = (ModuleType(f"cupyx{rest}") for rest in ("", ".scipy", ".scipy.special"))
    vars(special).update(ndtr=_special("ndtr"), erf=_special("erf"), erfc=_special("erfc"))
    vars(scipy).update(special=special)
    vars(cupyx).update(scipy=scipy, errstate=lambda **options: contextlib.nullcontext())
    core = ModuleType("cupy._core")
    vars(core).update(_routines_linalg=_setting_of_cublas())
    core.__path__ = []
    made = (cupy, core, core._routines_linalg, cupyx, scipy, special)
    all_modules = {module.__name__: module for module in made} | cuda
    for name, module in all_modules.items():
        module.__spec__ = ModuleSpec(name, None)  # so that importlib.util.find_spec sees that they are there
    return all_modules


def _setting_of_cublas() -> ModuleType:
    """Stands for `cupy._core._routines_linalg`, of which one setting is used; products do not look at it."""
    kinds: dict[np.dtype[Any], int] = {}
    module = ModuleType("cupy._core._routines_linalg")
    vars(module).update(
        COMPUTE_TYPE_TF32=7,
        get_compute_type=lambda dtype: kinds.get(np.dtype(dtype), 1),
        set_compute_type=lambda dtype, compute_type: kinds.update({np.dtype(dtype): compute_type}),
    )
    return module


class _LikeNumPy(ModuleType):
    """NumPy's names, for the stand-in's arrays."""

    def __init__(self, name: str, numpy: Any) -> None:
        super().__init__(name)
        self.__dict__["_numpy"] = numpy

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in NOT_IN_CUPY:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        found = getattr(self._numpy, name)
        if isinstance(found, ModuleType):
            found = _LikeNumPy(f"{self.__name__}.{name}", found)
        elif name in ("mgrid", "ogrid"):
            found = _Grid(found)
        elif callable(found) and not isinstance(found, type):
            found = _Function(found)
        elif hasattr(type(found), "__getitem__") and not isinstance(found, str | dict):
            found = _Indexed(found)
        setattr(self, name, found)
        return found


class _Grid:
    """`ogrid` or `mgrid`, which are indexed and not called."""

    def __init__(self, grid: Any) -> None:
        self._grid = grid

    def __getitem__(self, slices: Any) -> Any:
        return wrap(self._grid[slices])


class _Function:
    """A function of NumPy's that takes and gives the stand-in's arrays; `ufunc` has it as a method."""

    def __init__(self, function: Any, ufunc: Any = None) -> None:
        self._function = function
        self._ufunc = function if isinstance(function, np.ufunc) else ufunc
        self.__name__ = getattr(function, "__name__", "")

    def __call__(self, *args: Any, **options: Any) -> Any:
        if self._ufunc is None:
            keywords.refuse(self.__name__, options)
        else:
            method = "__call__" if self._function is self._ufunc else self.__name__
            keywords.refuse_of_ufunc(method, options)

        def again() -> Any:
            with np.errstate(all="ignore"):
                return self._function(*unwrap(args), **unwrap(options))

        graphs.call_of(self.__name__, *args)
        if self.__name__ in SIZED_BY_VALUES:
            graphs.read_by_the_host()
        out = options.get("out")
        if isinstance(out, ndarray) or self.__name__ in ("copyto", "at", "put"):
            graphs.do(again)
            return out
        return graphs.computed(wrap(again()), again)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._function, name)
        return _Function(found, self._ufunc) if callable(found) else found


class _Indexed:
    """`ogrid` and its like, which are called with brackets."""

    def __init__(self, maker: Any) -> None:
        self._maker = maker

    def __getitem__(self, index: Any) -> Any:
        return wrap(self._maker[index])


def _special(name: str) -> _Function:
    import scipy.special

    return _Function(getattr(scipy.special, name))


def array(value: Any, dtype: Any = None, copy: bool = True, order: str = "K", ndmin: int = 0) -> ndarray:
    """An array of anything that NumPy makes one of, in new memory."""
    if not isinstance(value, ndarray):
        graphs.copied_from_the_host()
    host = value._host if isinstance(value, ndarray) else _hosts(value)
    host = np.array(host, dtype=dtype, ndmin=ndmin, copy=None)
    if order in ("K", "A") and not isinstance(value, ndarray):  # CuPy keeps C and F alone
        order = "F" if host.flags.f_contiguous and not host.flags.c_contiguous else "C"
    memory = allocate(host.shape, host.dtype, order, host)
    memory[...] = host
    if isinstance(value, ndarray):
        return graphs.computed(wrap(memory), lambda: host)
    orders.note(orders.COPY, memory.ctypes.data)
    return wrap(memory)


def _hosts(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_hosts(item) for item in value]
    return value._host if isinstance(value, ndarray) else value


def asarray(value: Any, dtype: Any = None, order: str | None = None, *, blocking: bool = False) -> ndarray:
    """The same array if it is one, else a new one."""
    is_it = isinstance(value, ndarray) and (dtype is None or value.dtype == dtype)
    if is_it and order in (None, "K", "A") and value.device == card.Device():
        return value
    return array(value, dtype, order=order or "K")


def ascontiguousarray(value: Any, dtype: Any = None) -> ndarray:
    """The same array if it is in C order, else a copy that is; of one number, which has no axis, with one."""
    if isinstance(value, ndarray) and value.flags.c_contiguous and (dtype is None or value.dtype == dtype):
        return value if value.ndim else value[None]
    return array(value, dtype, order="C", ndmin=1)


def asnumpy(value: Any, *args: Any, **options: Any) -> np.ndarray:
    """A NumPy array with the same numbers."""
    return value.get() if isinstance(value, ndarray) else np.asarray(value)


def empty(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    """New memory with NaN in it."""
    return wrap(allocate(shape, dtype, order))


def empty_like(
    prototype: ndarray, dtype: Any = None, order: str = "K", subok: Any = None, shape: Any = None
) -> ndarray:
    """New memory in the memory order of an array."""
    if shape is not None:
        return empty(shape, dtype or prototype.dtype)
    if not isinstance(prototype, ndarray):
        raise TypeError(f"Unsupported type {type(prototype)}")
    return wrap(allocate(prototype.shape, dtype or prototype.dtype, order, prototype._host))


def full(shape: Any, fill_value: Any, dtype: Any = None, order: str = "C") -> ndarray:
    """An array of one number."""
    if dtype is None:
        dtype = fill_value.dtype if isinstance(fill_value, ndarray) else np.array(fill_value).dtype
    made = empty(shape, dtype, order)
    made[...] = fill_value
    return made


def full_like(
    prototype: ndarray, fill_value: Any, dtype: Any = None, order: str = "K", **rest: Any
) -> ndarray:
    """An array of one number, of the shape and memory order of another."""
    made = empty_like(prototype, dtype, order, **rest)
    made[...] = fill_value
    return made


def zeros(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    """An array of zeros."""
    return full(shape, 0, dtype, order)


def ones(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    """An array of ones."""
    return full(shape, 1, dtype, order)


def zeros_like(prototype: ndarray, dtype: Any = None, order: str = "K", **rest: Any) -> ndarray:
    """Zeros, of the shape and memory order of another array."""
    return full_like(prototype, 0, dtype, order, **rest)


def ones_like(prototype: ndarray, dtype: Any = None, order: str = "K", **rest: Any) -> ndarray:
    """Ones, of the shape and memory order of another array."""
    return full_like(prototype, 1, dtype, order, **rest)


FUNCTIONS = (
    array, asarray, ascontiguousarray, asnumpy, empty, empty_like, full, full_like, ones, ones_like, zeros,
    zeros_like,
)  # fmt: skip
