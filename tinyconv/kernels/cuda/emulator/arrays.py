"""The stand-in's arrays: NumPy's numbers, behind the manners of `cupy.ndarray`.

They lie in memory of their own, of which the emulator knows where each begins and ends. As with
CuPy, a NumPy array among the operands is a TypeError, a sum is an array without axes and no number,
and what `empty` returns is not zero: here it is NaN.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from tinyconv.kernels.cuda.emulator import graphs, keywords, orders
from tinyconv.kernels.cuda.emulator.card import Device, MemoryHook, MemoryPool, OutOfMemoryError
from tinyconv.kernels.cuda.emulator.cards import CARDS, CURRENT, LARGEST, home

ALIGNMENT = 512
"""Where CuPy's memory begins: at a multiple of this."""

_live: dict[int, tuple[int, int]] = {}
"""Where the memory of each living array begins and ends, by the `id` of the NumPy array that owns it."""

_first: weakref.WeakValueDictionary[int, ndarray] = weakref.WeakValueDictionary()


def live_memory() -> np.ndarray:
    """Begin and end of the current card's arrays, in order of their addresses: (arrays, 2)."""
    here = [span for owner, span in _live.items() if home[owner] == CURRENT[-1]]
    return np.array(sorted(here), dtype=np.uint64).reshape(-1, 2)


def allocate(shape: Any, dtype: Any, order: str = "C", strides_of: np.ndarray | None = None) -> np.ndarray:
    """New memory, filled with a pattern that is NaN in floats; its axes in the order of `strides_of`."""
    dtype = np.dtype(dtype)
    if dtype.kind not in "biufc":
        raise ValueError(f"Unsupported dtype {dtype}")
    shape = (int(shape),) if isinstance(shape, int | np.integer) else tuple(int(n) for n in shape)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if size > LARGEST[0] or not MemoryPool.current.finds_room(size):
        raise OutOfMemoryError(f"Out of memory allocating {size:,} bytes (allocated so far: all).")
    owner = np.full(size + 2 * ALIGNMENT, 0xFF, dtype=np.uint8)
    begin = -owner.ctypes.data % ALIGNMENT
    _live[id(owner)] = owner.ctypes.data + begin, owner.ctypes.data + begin + size
    MemoryPool.current.made(id(owner), _live[id(owner)])
    home[id(owner)] = CURRENT[-1]
    weakref.finalize(owner, MemoryPool.current.left, id(owner), CURRENT[-1])
    for spans in (_live, home):
        weakref.finalize(owner, spans.pop, id(owner))
    for hook in MemoryHook.hooks:
        hook.malloc_postprocess(
            device_id=CURRENT[-1], size=size, mem_size=size, mem_ptr=owner.ctypes.data + begin
        )
    memory = owner[begin : begin + size].view(dtype)
    if order == "F":
        return memory.reshape(shape[::-1]).T
    if strides_of is None or order == "C":
        return memory.reshape(shape)
    axes = sorted(range(len(shape)), key=lambda axis: -abs(strides_of.strides[axis]))
    return memory.reshape([shape[axis] for axis in axes]).transpose(np.argsort(axes))


def wrap(value: Any) -> Any:
    """What a NumPy function returned, as the stand-in returns it: views stay views."""
    if isinstance(value, tuple | list):
        items = [wrap(item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if not isinstance(value, np.ndarray | np.generic):
        return value
    host = np.asarray(value)
    if id(_owner(host)) not in _live:
        memory = allocate(host.shape, host.dtype, "K", host)
        memory[...] = host
        host = memory
    return _behind(_writable(host))


def _writable(host: np.ndarray) -> np.ndarray:
    """The same view; CuPy marks none as read-only, also not what `broadcast_to` gives."""
    if host.flags.writeable:
        return host
    owner = _owner(host)
    offset = host.ctypes.data - owner.ctypes.data
    return np.ndarray(host.shape, host.dtype, owner, offset, host.strides)


def _behind(host: np.ndarray) -> ndarray:
    """The stand-in's array of these numbers; the first one of a piece of memory is the others' `base`."""
    made = object.__new__(ndarray)
    made._host = host
    owner = id(_owner(host))
    made.base = _first.get(owner)
    if made.base is None:
        _first[owner] = made
    return made


def _owner(host: np.ndarray) -> Any:
    """The array that owns the memory of this view."""
    owner: Any = host
    while getattr(owner, "base", None) is not None:
        owner = owner.base
    return owner


def unwrap(value: Any) -> Any:
    """The NumPy arrays behind; a NumPy array that was given instead is refused, as CuPy does."""
    if isinstance(value, ndarray):
        return value._here()
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    if isinstance(value, tuple | list):
        return type(value)([unwrap(item) for item in value])
    if isinstance(value, dict):
        return {key: unwrap(item) for key, item in value.items()}
    return value


def _index(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_index(item) for item in value)
    return value._host if isinstance(value, ndarray) else value


def _part(host: np.ndarray, index: Any) -> Any:
    """A view of one element too, where NumPy gives a number."""
    part = host[index]
    if isinstance(part, np.generic):
        part = host[(*index, ...) if isinstance(index, tuple) else (index, ...)]
    return part


class ndarray(np.lib.mixins.NDArrayOperatorsMixin):  # noqa: N801  # CuPy's name
    """Stands for `cupy.ndarray`."""

    __module__ = "cupy"
    __slots__ = ("__weakref__", "_host", "base")
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]
    _host: np.ndarray
    base: ndarray | None
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]
    ndim: int
    size: int
    flags: Any

    def __new__(cls, shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
        return _behind(allocate(shape, dtype, order))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        out = options.get("out", ())
        allowed = ndarray | np.generic | np.ndarray | int | float | complex
        if not all(isinstance(value, allowed) for value in (*inputs, *out)):
            return NotImplemented
        keywords.refuse_of_ufunc(method, options)
        graphs.call_of(ufunc.__name__, *inputs)

        def again() -> Any:
            with np.errstate(all="ignore"):
                return getattr(ufunc, method)(*unwrap(inputs), **unwrap(options))

        if out or method == "at":
            graphs.do(again)
            return out[0] if out else None
        return graphs.computed(wrap(again()), again)

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        if not all(issubclass(kind, ndarray) for kind in types):
            raise TypeError(f"Unsupported types {types}")
        keywords.refuse(function.__name__, options)
        graphs.call_of(function.__name__, *inputs)
        return graphs.computed(
            wrap(function(*unwrap(inputs), **unwrap(options))),
            lambda: function(*unwrap(inputs), **unwrap(options)),
        )

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    @property
    def device(self) -> Device:
        return Device(home[id(_owner(self._host))])

    @property
    def data(self) -> SimpleNamespace:
        device = self.device
        return SimpleNamespace(ptr=self._host.ctypes.data, device=device, device_id=device.id)

    def _here(self) -> np.ndarray:
        """The numbers, to compute with; only the card that has them can."""
        if CARDS[0] > 1 and self.device.id != CURRENT[-1]:
            raise ValueError(
                "Array device must be same as the current device: "
                f"array device = {self.device.id} while current = {CURRENT[-1]}"
            )
        return self._host

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        strides = None if self._host.flags.c_contiguous else self._host.strides
        place = (self._host.ctypes.data, False)
        return {
            "shape": self.shape, "typestr": self.dtype.str, "data": place, "strides": strides, "version": 3
        }  # fmt: skip

    def get(
        self, stream: Any = None, order: str = "C", out: np.ndarray | None = None, blocking: bool = True
    ) -> np.ndarray:
        """A NumPy copy, in C order."""
        graphs.read_by_the_host()
        if out is None:
            return np.array(self._host, order=order, copy=True)  # type: ignore[call-overload]
        out[...] = self._host
        return out

    def set(self, array: np.ndarray, stream: Any = None) -> None:
        """Take the numbers of a NumPy array."""
        graphs.copied_from_the_host()
        orders.note(orders.COPY, self.data.ptr)
        if not isinstance(array, np.ndarray) or array.shape != self.shape or array.dtype != self.dtype:
            raise ValueError("Shape or dtype mismatch")
        self._host[...] = array

    def copy(self, order: str = "C") -> ndarray:
        memory = allocate(self.shape, self.dtype, order, self._host)
        memory[...] = self._host
        return graphs.computed(wrap(memory), lambda: self._host)

    def astype(
        self, dtype: Any, order: str = "K", casting: Any = None, subok: Any = None, copy: bool = True
    ) -> ndarray:
        if not copy and self.dtype == dtype:
            return self
        memory = allocate(self.shape, dtype, order, self._host)
        with np.errstate(all="ignore"):
            memory[...] = self._here().astype(dtype)
        return graphs.computed(wrap(memory), lambda: self._host.astype(dtype))

    def __getitem__(self, index: Any) -> ndarray:
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(part, ndarray) and part.dtype.kind == "b" for part in parts):
            graphs.read_by_the_host()  # how many are chosen
        return graphs.computed(wrap(_part(self._host, _index(index))), lambda: self._host[_index(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        def put() -> None:
            self._here()[_index(index)] = unwrap(value)

        graphs.do(put)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        return len(self._host)

    def __bool__(self) -> bool:
        graphs.read_by_the_host()
        return bool(self._host)

    def __int__(self) -> int:
        graphs.read_by_the_host()
        return int(self._host)

    def __index__(self) -> int:
        graphs.read_by_the_host()
        return self._host.__index__()

    def __float__(self) -> float:
        graphs.read_by_the_host()
        return float(self._host)

    def __repr__(self) -> str:
        return repr(self._host)

    def __str__(self) -> str:
        return str(self._host)

    def __format__(self, form: str) -> str:
        return format(self._host.item() if self.ndim == 0 else self._host, form)

    def __copy__(self) -> ndarray:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> ndarray:
        with self.device:
            return self.copy()

    def __dlpack__(self, **options: Any) -> Any:
        return self._host.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (2, self.device.id)


METHODS = (
    "all", "any", "argmax", "argmin", "argpartition", "argsort", "choose", "clip", "compress", "conj",
    "cumprod", "cumsum", "diagonal", "dot", "fill", "flatten", "item", "max", "mean", "min", "nonzero",
    "partition", "prod", "put", "ravel", "repeat", "reshape", "round", "searchsorted", "sort", "squeeze",
    "std", "sum", "swapaxes", "take", "tobytes", "tolist", "trace", "transpose", "var", "view",
)  # fmt: skip
VIEWS = ("diagonal", "item", "reshape", "squeeze", "swapaxes", "tobytes", "tolist", "transpose", "view")
"""Methods that compute nothing: any card will do."""
PROPERTIES = (
    "T", "flags", "imag", "itemsize", "mT", "nbytes", "ndim", "real", "shape", "size", "strides",
    "dtype",
)  # fmt: skip


def _method(name: str) -> Callable[..., Any]:
    def call(self: ndarray, *args: Any, **options: Any) -> Any:
        def again() -> Any:
            host = self._host if name in VIEWS else self._here()
            with np.errstate(all="ignore"):
                return getattr(host, name)(*unwrap(args), **unwrap(options))

        keywords.refuse(name, options)
        graphs.call_of(name, self, *args)
        if name in ("compress", "item", "nonzero", "tobytes", "tolist"):
            graphs.read_by_the_host()
        if name in ("item", "tobytes", "tolist"):
            return again()
        if name in ("fill", "partition", "put", "sort"):
            return graphs.do(again)
        return graphs.computed(wrap(again()), again)

    call.__name__ = name
    return call


def _property(name: str) -> property:
    return property(lambda self: wrap(getattr(self._host, name)))


for _name in METHODS:
    setattr(ndarray, _name, _method(_name))
for _name in PROPERTIES:
    setattr(ndarray, _name, _property(_name))
