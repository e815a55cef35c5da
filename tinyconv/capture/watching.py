"""Seeing what a step does outside of the recorded operations.

While a recording runs, four things are in the way of the step. Reading the array of a tensor is noticed
(`_watched_array`): only code that looks at its shape, or that the recording follows, may do so. Calls of
kernels are noticed, as they are what a replay will call. A call of a function written in C, such as ``print``
or ``time.time``, is noticed (`_on_call`), because a replay would not repeat it. And Python's and NumPy's
own random numbers must be where they were.
"""

from __future__ import annotations

import contextlib
import dis
import gc
import random
import sys
import threading
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

import numpy as np

from tinyconv import kernels
from tinyconv.capture.errors import NotCapturable
from tinyconv.capture.kinds import PACKAGE, is_library, is_own
from tinyconv.capture.recording import Recording
from tinyconv.capture.running import at_precision
from tinyconv.device import matmul_precision, seed
from tinyconv.grad_mode import _grad_mode
from tinyconv.tensor import Tensor

EVERYTHING = ("*",)
READERS = {
    "tensor.py": (
        *("shape", "ndim", "dtype", "device", "size", "dim", "numel", "__init__", "__len__", "detach"),
        *("requires_grad_", "mT", "__deepcopy__", "is_leaf"),
    ),
    "device.py": ("on_gpu",),
    "function.py": EVERYTHING,
    "autograd.py": EVERYTHING,
    "memory.py": EVERYTHING,
    "graph.py": EVERYTHING,
    "capture": EVERYTHING,
    "ops/_checks.py": EVERYTHING,
    "ops/norm.py": ("backward", "<genexpr>"),
    "ops/operands.py": ("_like",),
    "ops/shape.py": ("is_contiguous", "_as_numpy_index"),
    "optim/optimizer.py": ("add_param_group",),
}
"""Functions that may read ``tensor.array``: they look at its form, or hand it to a kernel."""

ALLOWED = frozenset(
    (
        *(
            "abs",
            "all",
            "any",
            "bool",
            "callable",
            "dict",
            "divmod",
            "enumerate",
            "filter",
            "float",
            "format",
        ),
        *(
            "getattr",
            "hasattr",
            "hash",
            "id",
            "int",
            "isinstance",
            "issubclass",
            "iter",
            "len",
            "list",
            "max",
        ),
        *("min", "pow", "range", "repr", "reversed", "round", "set", "setattr", "sorted", "str", "sum"),
        *("tuple", "type", "vars", "zip", "__build_class__", "super", "delattr"),
    )
)
"""Python's own functions that change nothing that `State` does not see."""

PLAIN = (list, dict, tuple, set, frozenset, str, bytes, int, float, bool, complex, slice, range, type(None))
MODULES = ("math", "operator", "_operator", "itertools", "functools", "_functools", "_abc", "collections")

_lock = threading.RLock()
_stored_array = vars(Tensor)["array"]


@contextlib.contextmanager
def watching(recording: Recording) -> Iterator[None]:
    """In this block, what this thread does is written down in `recording`."""
    with _lock:
        randomness = _random_states()
        masks = seed.get()
        original = kernels.find_kernel
        thread = threading.get_ident()
        kernels.find_kernel = _listening_kernels(recording, original, thread)
        Tensor.array = property(_watched_array, _watched_assignment)
        vars(masks)["next_mask_key"] = _listening_keys(masks)
        _grad_mode.capture = recording
        collects = gc.isenabled()
        gc.disable()  # finalizers of others would run in the middle
        sys.setprofile(_Profile(recording))
        try:
            yield
        finally:
            sys.setprofile(None)
            if collects:
                gc.enable()
            _grad_mode.capture = None
            del vars(masks)["next_mask_key"]
            Tensor.array = _stored_array
            kernels.find_kernel = original
        if seed.get() is not masks:
            recording.refuse("calls manual_seed")
        changed = [name for name, state in _random_states().items() if state != randomness[name]]
        if changed:
            recording.refuse(f"draws random numbers from {changed[0]}; those of tinyconv can be captured")


def _random_states() -> dict[str, Any]:
    return {"random": random.getstate(), "numpy.random": repr(np.random.get_state())}  # noqa: NPY002


def _watched_array(tensor: Tensor) -> Any:
    recording = _grad_mode.capture
    if recording is not None and recording.reason is None:
        code = sys._getframe(1).f_code
        if not _may_read(code):
            recording.refuse(_reading(code, sys._getframe(1)))
    return _stored_array.__get__(tensor)


def _watched_assignment(tensor: Tensor, array: Any) -> None:
    recording = _grad_mode.capture
    if recording is not None and recording.reason is None and not is_own(sys._getframe(1).f_code.co_filename):
        recording.refuse("assigns the array of a tensor")
    _stored_array.__set__(tensor, array)


_known_readers: dict[CodeType, bool] = {}


def _may_read(code: CodeType) -> bool:
    answer = _known_readers.get(code)
    if answer is None:
        file = code.co_filename[len(PACKAGE) + 1 :].replace("\\", "/") if is_own(code.co_filename) else ""
        names = READERS.get(file, READERS.get(file.partition("/")[0], ()))
        answer = _known_readers[code] = names == EVERYTHING or code.co_name in names
    return answer


def _reading(code: CodeType, frame: FrameType | None) -> str:
    """How to say that values were read: by which function, from which line of the step."""
    name = code.co_name.strip("_") if is_own(code.co_filename) else ".array"
    while frame is not None and is_own(frame.f_code.co_filename):
        frame = frame.f_back
    line = "" if frame is None else f" ({frame.f_code.co_filename}:{frame.f_lineno})"
    return f"reads the values of a tensor, in {name}{line}"


def _listening_kernels(recording: Recording, original: Any, thread: int) -> Any:
    """`find_kernel` that gives kernels which tell of their calls."""

    def find_kernel(backend: str, file: str, function: str) -> Any:
        kernel = original(backend, file, function)
        precision = matmul_precision.get()
        if precision != "float32" and backend == "cuda" and file in PRODUCTS:
            kernel = at_precision(kernel, precision)
        if threading.get_ident() != thread:
            return kernel

        def call(*args: Any, **options: Any) -> Any:
            if _grad_mode.capture is recording:
                return recording.kernel(kernel, args, options)
            result = kernel(*args, **options)
            recording.kernel_calls.append((kernel, args, options, result))
            return result

        return call

    return find_kernel


def _listening_keys(masks: Any) -> Any:
    """`RandomState.next_mask_key` that tells of its calls."""

    def next_mask_key() -> tuple[int, int]:
        key = type(masks).next_mask_key(masks)
        recording = _grad_mode.capture
        return key if recording is None else recording.mask_key(key)

    return next_mask_key


PRODUCTS = ("conv", "fused", "matmul")
"""Kernels that read `matmul_precision` on a GPU."""

HIDDEN = {"param_groups", "get_last_lr", "_last_lr", "last_epoch", "_step_count", "state_dict"}
"""What optimisers and schedulers change in each step: a step that reads it cannot be replayed."""

CATCHES = dis.opmap.get("CHECK_EXC_MATCH", dis.opmap.get("JUMP_IF_NOT_EXC_MATCH", -1)) & 0xFF
"""The instruction that ``except ValueError`` is made of."""

HOOKS = {("hooks.py", "__call__"), ("nn/hooks.py", "call_with_hooks")}


class _Profile:
    """What Python tells of each call (`sys.setprofile`)."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        recording = self.recording
        if _grad_mode.capture is not recording or recording.reason is not None:
            return
        code = frame.f_code
        if event == "call":
            self._python(code, frame)
        elif event == "c_call" and self._is_users(frame) and not _changes_nothing(argument):
            name = getattr(argument, "__qualname__", repr(argument))
            recording.refuse(f"calls {name} ({code.co_filename}:{frame.f_lineno})")

    def _python(self, code: CodeType, frame: FrameType) -> None:
        file = code.co_filename
        if is_own(file):
            if (file[len(PACKAGE) + 1 :].replace("\\", "/"), code.co_name) in HOOKS:
                self.recording.refuse("runs hooks")
        elif not is_library(file):
            if CATCHES in code.co_code[::2]:
                self.recording.refuse("catches errors, which a replay could not do")
            hidden = HIDDEN.intersection(code.co_names)
            if hidden:
                self.recording.refuse(f"reads {sorted(hidden)[0]}, which each step changes")
            try:
                self.recording.state.add_code(code, frame.f_globals)
            except NotCapturable as error:
                self.recording.refuse(str(error))

    def _is_users(self, frame: FrameType | None) -> bool:
        """Whether a call comes from code that is neither tinyconv's nor a library's that tinyconv called."""
        while frame is not None:
            file = frame.f_code.co_filename
            if is_own(file):
                return False
            if not is_library(file):
                return True
            frame = frame.f_back
        return False


def _changes_nothing(function: Any) -> bool:
    owner = getattr(function, "__self__", None)
    if isinstance(owner, PLAIN):
        return True
    module = getattr(function, "__module__", None)
    if module == "builtins" or getattr(owner, "__name__", None) == "builtins":
        return function.__name__ in ALLOWED
    return (
        module in MODULES
        or owner is object
        or isinstance(owner, type)
        or function.__name__ in ("__new__", "__init__")
    )
