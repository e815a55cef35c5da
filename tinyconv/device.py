"""The process-wide settings: default dtype, device, seed, threads and kernel backend.

This is the only place with global state besides the grad mode in `autograd.py`. Each
setting is a `Setting`: call `get()`, `set(value)`, or use ``with setting(value):`` to
change it for a block.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import wraps
from types import ModuleType
from typing import Any, Generic, TypeVar

import numpy as np

from tinyconv.device_errors import clear_errors, find_cupy, with_clear_errors
from tinyconv.errors import ArgumentError, DeviceError, DtypeError

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

float32 = np.dtype("float32")
float64 = np.dtype("float64")
int8 = np.dtype("int8")
int16 = np.dtype("int16")
int32 = np.dtype("int32")
int64 = np.dtype("int64")
uint8 = np.dtype("uint8")
bool_ = np.dtype("bool")

FLOAT_DTYPES = (float32, float64)


class Setting(Generic[T]):
    """One process-wide value, checked when set, and changeable for a block.

    Examples
    --------
    >>> import tinyconv as tc
    >>> with tc.default_dtype(tc.float64):
    ...     tc.zeros(1).dtype
    dtype('float64')
    """

    def __init__(self, initial: T, check: Callable[[Any], T]) -> None:
        self._value = initial
        self._check = check

    def get(self) -> T:
        return self._value

    def set(self, value: Any) -> None:
        self._value = self._check(value)

    @contextlib.contextmanager
    def __call__(self, value: Any) -> Iterator[None]:
        before = self._value
        self.set(value)
        try:
            yield
        finally:
            self._value = before


def is_number(dtype: np.dtype[Any]) -> bool:
    """Whether tensors can have this dtype: float32, float64, any integers, truth values."""
    return dtype in FLOAT_DTYPES or dtype.kind in "iub"


def check_dtype(where: str, value: Any) -> np.dtype[Any]:
    """`value`, a name or a type, as a NumPy dtype of numbers or truth values."""
    try:
        dtype = np.dtype(value) if isinstance(value, str | type | np.dtype) else None
    except TypeError:
        dtype = None
    if dtype is None or not is_number(dtype):
        raise DtypeError(where, "dtype", repr(value), "float32, float64, an integer type or bool")
    return dtype


def _check_dtype(value: Any) -> np.dtype[Any]:
    dtype = check_dtype("default_dtype", value)
    if dtype not in FLOAT_DTYPES:
        raise DtypeError("default_dtype", "dtype", dtype, "float32 or float64")
    return dtype


class Device(str):
    """The name of a device, ``"cpu"`` or ``"cuda:0"``; a str. ``tc.device("cuda", 0)`` makes one.

    Attributes
    ----------
    type : str
        ``"cpu"`` or ``"cuda"``.
    index : int or None
        The number after the colon.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.device("cuda:1").type, tc.device("cuda:1").index
    ('cuda', 1)
    >>> tc.zeros(2).device == tc.device("cpu")
    True
    """

    __slots__ = ()

    def __new__(cls, type: str, index: int | None = None) -> Device:
        name = type if index is None else f"{type}:{index}"
        kind, _, number = str(name).partition(":")
        if kind not in ("cpu", "cuda") or not (number == "" or number.isdigit()):
            raise DeviceError("device", "name", repr(name), "'cpu', 'cuda' or 'cuda:0'")
        return super().__new__(cls, name)

    @property
    def type(self) -> str:
        return self.partition(":")[0]

    @property
    def index(self) -> int | None:  # type: ignore[override]  # a str counts letters with it
        number = self.partition(":")[2]
        return int(number) if number else None


def _check_device(value: Any) -> Device:
    return Device(value)


CPU = Device("cpu")


def _check_backend(value: Any) -> str:
    if value not in ("auto", "reference"):
        raise ArgumentError("kernel_backend", "name", repr(value), "'auto' or 'reference'")
    return str(value)


def _check_algorithm(value: Any) -> str:
    names = ("auto", "direct", "winograd", "im2col")
    if value not in names:
        raise ArgumentError("set_conv_algorithm", "algorithm", repr(value), " or ".join(map(repr, names)))
    return str(value)


def _check_precision(value: Any) -> str:
    names = ("float32", "tf32", "bfloat16")
    if value not in names:
        raise ArgumentError("matmul_precision", "precision", repr(value), " or ".join(map(repr, names)))
    return str(value)


def _check_threads(value: Any) -> int:
    available = available_threads()
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= available:
        raise ArgumentError("set_num_threads", "num_threads", value, f"an int from 1 to {available}")
    return value


def available_threads() -> int:
    """Number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


default_dtype: Setting[np.dtype[Any]] = Setting(float32, _check_dtype)
default_device: Setting[str] = Setting("cpu", _check_device)
kernel_backend: Setting[str] = Setting("auto", _check_backend)
num_threads: Setting[int] = Setting(available_threads(), _check_threads)
conv_algorithm: Setting[str] = Setting("auto", _check_algorithm)
matmul_precision: Setting[str] = Setting("float32", _check_precision)
"""What convolutions and matrix products of float32 round their factors to; see `tinyconv.autocast`."""


def set_default_dtype(dtype: Any) -> None:
    """Set the dtype of new floating-point tensors: float32 (the default) or float64."""
    default_dtype.set(dtype)


def get_default_dtype() -> np.dtype[Any]:
    """The dtype of new floating-point tensors."""
    return default_dtype.get()


def set_default_device(device: str) -> None:
    """Set where new tensors are made: ``"cpu"`` or ``"cuda"``."""
    default_device.set(device)


def get_default_device() -> str:
    """Where new tensors are made."""
    return Device(default_device.get())


def set_num_threads(count: int) -> None:
    """Set how many threads the CPU kernels use.

    Matrix products of float64, and small ones, are NumPy's: its library takes one thread for a small product,
    and for a large one as many as the environment gave it (``OPENBLAS_NUM_THREADS``) when NumPy was imported.
    """
    num_threads.set(count)


def get_num_threads() -> int:
    """How many threads the CPU kernels use."""
    return num_threads.get()


def set_conv_algorithm(algorithm: str) -> None:
    """Set how the CPU kernels convolve.

    Parameters
    ----------
    algorithm : str
        ``"auto"`` (the default) takes the one that is expected to be the fastest for the sizes;
        ``"direct"`` adds up all products, with the least rounding; ``"winograd"`` needs
        fewer multiplications and is taken for all 3x3 convolutions with stride 1 that it suits,
        the others being direct; ``"im2col"`` unfolds the windows into a matrix, as in the course.

    Raises
    ------
    ArgumentError
        If there is no such algorithm.

    Examples
    --------
    >>> import tinyconv as tc
    >>> with tc.conv_algorithm("direct"):
    ...     y = tc.nn.functional.conv2d(tc.ones(1, 16, 8, 8), tc.ones(16, 16, 3, 3))
    """
    conv_algorithm.set(algorithm)


def get_conv_algorithm() -> str:
    """How the CPU kernels convolve; see `set_conv_algorithm`."""
    return conv_algorithm.get()


def array_module(array: Any) -> ModuleType:
    """The module whose functions work on `array`: NumPy, or CuPy for an array on a GPU."""
    if type(array) is np.ndarray or isinstance(array, np.ndarray | np.generic):
        return np
    if type(array).__module__.startswith("cupy"):
        import cupy

        return cupy
    raise DtypeError("array_module", "array", type(array).__name__, "a NumPy or CuPy array")


def as_array(value: Any) -> Any:
    """A CuPy array as it is; NumPy's array of anything else."""
    return value if type(value).__module__.startswith("cupy") else np.asarray(value)


def device_of(array: Any) -> Device:
    """``"cpu"`` for a NumPy array, ``"cuda:<index>"`` for a CuPy array."""
    if array_module(array) is np:
        return CPU
    return Device(f"cuda:{array.device.id}")


def other_gpu(array: Any) -> Any:
    """The GPU that `array` lies on, to be used with ``with``; None for the current one, and the CPU."""
    if isinstance(array, np.ndarray | np.generic):
        return None
    import cupy

    return None if array.device.id == cupy.cuda.runtime.getDevice() else array.device


def gpu_of(array: Any) -> Any:
    """In this block, the GPU that `array` lies on is the current one; on the CPU nothing changes."""
    return other_gpu(array) or nullcontext()


def on_its_gpu(function: F) -> F:
    """The function, called with the GPU as the current one that its first tensor or array lies on.

    What computes with arrays outside of any op and kernel needs it where there are several. Errors of CuPy
    are explained.
    """
    explaining = with_clear_errors(function)

    @wraps(function)
    def on_gpu(*args: Any, **options: Any) -> Any:
        if "cupy" not in sys.modules:
            return function(*args, **options)
        for value in args:
            array = getattr(value, "array", value)
            if hasattr(array, "dtype") and hasattr(array, "strides"):
                with gpu_of(array):
                    return explaining(*args, **options)
        return explaining(*args, **options)

    return on_gpu  # type: ignore[return-value]


def refuse_several_devices(op: str, arrays: list[Any]) -> None:
    """An error if these arrays, which an op takes, are not all on one device."""
    devices = [device_of(array) for array in arrays]
    if len(set(devices)) > 1:
        shown = f"({', '.join(devices)})"
        gpu = next(device for device in devices if device != CPU)
        advice = f"x.to('{gpu}') copies a tensor, model.to('{gpu}') moves a model there"
        raise DeviceError(op, "the inputs' devices", shown, f"all tensors on one device: {advice}")


def to_device(array: Any, device: str, non_blocking: bool = False) -> Any:
    """Copy `array` to `device`; the same array if it is already there.

    ``"cuda"`` without a number is the current GPU. With `non_blocking` the copy to a GPU goes on in the
    background, see `Tensor.to`. The memory order stays, as channels last.
    """
    name = _check_device(device)
    if array_module(array) is np:
        if name == "cpu":
            return array
        cupy = find_cupy("to", name)
        with clear_errors("to", name), cupy.cuda.Device(name.index):
            return _in_its_order(array, lambda host: cupy.asarray(host, blocking=not non_blocking))
    with clear_errors("to", name):
        if name == "cpu":
            return _in_its_order(array, lambda there: there.get())
        cupy = find_cupy("to", name)
        with cupy.cuda.Device(name.index):
            return cupy.asarray(array)


def _in_its_order(array: Any, copied: Callable[[Any], Any]) -> Any:
    """A copy to or from a GPU in the memory order of `array`; CuPy knows C order, and its mirror image."""
    order = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
    ordered = array.transpose(order)
    if array.flags.c_contiguous or not ordered.flags.c_contiguous:
        return copied(array)
    return copied(ordered).transpose(sorted(order, key=order.__getitem__))


class RandomState:
    """The seed, the generator made from it, and how many dropout masks were drawn.

    Initialisers and shuffles draw from `generator`. Dropout does not: its masks are a pure
    function of (seed, number of the call, position), see `kernels/reference/dropout.py`, so
    that they are the same whatever the number of threads or the device.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.generator = np.random.Generator(np.random.PCG64(seed))
        self.masks_drawn = 0

    def next_mask_key(self) -> tuple[int, int]:
        """The key of the next dropout mask: (seed, number of the call)."""
        key = (self.seed, self.masks_drawn)
        self.masks_drawn += 1
        return key

    def state(self) -> dict[str, Any]:
        """All that is needed to go on from here, as a JSON-able dictionary."""
        return {
            "seed": self.seed,
            "masks_drawn": self.masks_drawn,
            "generator": self.generator.bit_generator.state,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> RandomState:
        """The inverse of `state`."""
        restored = cls(int(state["seed"]))
        restored.masks_drawn = int(state["masks_drawn"])
        restored.generator.bit_generator.state = state["generator"]
        return restored


def _check_random_state(value: Any) -> RandomState:
    if isinstance(value, RandomState):
        return value
    if not isinstance(value, int | np.integer) or not 0 <= value < 2**64:
        raise ArgumentError("manual_seed", "seed", repr(value), "an int from 0 to 2**64 - 1")
    return RandomState(int(value))


seed: Setting[RandomState] = Setting(RandomState(0), _check_random_state)


def manual_seed(value: int) -> None:
    """Seed weight initialisation, shuffling and dropout.

    Examples
    --------
    >>> import tinyconv as tc
    >>> tc.manual_seed(7)
    >>> first = tc.rand(3).tolist()
    >>> tc.manual_seed(7)
    >>> tc.rand(3).tolist() == first
    True
    """
    seed.set(value)


def get_rng_state() -> dict[str, Any]:
    """The state of the random generators, JSON-able."""
    return seed.get().state()


def set_rng_state(state: dict[str, Any]) -> None:
    """Go on from a state that `get_rng_state` returned."""
    try:
        restored = RandomState.from_state(state)
    except (KeyError, TypeError, ValueError) as error:
        expected = f"what get_rng_state returned ({type(error).__name__}: {error})"
        raise ArgumentError("set_rng_state", "state", type(state).__name__, expected) from error
    seed.set(restored)


class _DeviceModule(ModuleType):
    """The module, which can be called as PyTorch's class is: ``tc.device("cpu")``."""

    def __call__(self, type: str, index: int | None = None) -> Device:
        return Device(type, index)

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Device)


sys.modules[__name__].__class__ = _DeviceModule
