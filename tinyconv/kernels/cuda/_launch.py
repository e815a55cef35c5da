"""Compiles and launches the kernels of the `.cu` files of this folder; nothing else here does.

A kernel is compiled when it is first asked for, together with the others of its group: a source's
`template <typename T>` kernels for float, or those for double. Kernels with other template
parameters stand in the source after ``// instances:``, one group in a line::

    // instances: forward<float, 8>, forward<float, 16>

CuPy keeps what it compiled on disk.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

Array = Any

FOLDER = Path(__file__).parent
OPTIONS = ("--std=c++17", f"-I{FOLDER}")
ADDED_BY_CUPY = ("-ftz=true",)
"""Its own option: in float32 what is below 2**-126 counts as zero."""

C_TYPES = {"float32": "float", "float64": "double"}
THREADS_PER_BLOCK = 256
BLOCKS_PER_MULTIPROCESSOR = 8


def kernel(source: str, expression: str) -> Callable[..., None]:
    """A kernel to be called ``function(grid, block, arguments, shared_mem=0)``.

    Parameters
    ----------
    source : str
        A file of this folder, e.g. ``"activation.cu"``.
    expression : str
        The kernel's name in it, with what its template is given: ``"relu<float>"``.

    Raises
    ------
    LookupError
        If the source has no such kernel.
    """
    import cupy

    return _kernel(cupy, source, expression)


def launch_elements(function: Callable[..., None], count: int, args: tuple[Any, ...]) -> None:
    """Start one thread for each of `count` elements, or fewer that take several each; none for 0."""
    if count:
        blocks = min(-(-count // THREADS_PER_BLOCK), multiprocessors() * BLOCKS_PER_MULTIPROCESSOR)
        function((blocks,), (THREADS_PER_BLOCK,), args)


def map_elements(
    source: str, name: str, inputs: tuple[Array, ...], parameters: tuple[float, ...] = ()
) -> Array:
    """Run a kernel ``name(inputs..., out, count, parameters...)``, one thread for each element.

    The result has the shape, the dtype and the memory order of the first input; the others are brought
    into that order.
    """
    import cupy

    first = dense(inputs[0])
    out = cupy.empty_like(first)
    arrays = (first, *(in_order_of(first, array) for array in inputs[1:]))
    number = out.dtype.type
    args = (*arrays, out, out.size, *map(number, parameters))
    launch_elements(kernel(source, f"{name}<{C_TYPES[str(out.dtype)]}>"), out.size, args)
    return out


def multiprocessors() -> int:
    """How many multiprocessors the current card has."""
    import cupy

    return _multiprocessors(cupy, cupy.cuda.runtime.getDevice())


def dense(array: Array) -> Array:
    """`array`, or a copy of it, whose elements fill their memory without gaps or repetition."""
    import cupy

    order = sorted(range(array.ndim), key=lambda axis: (-array.strides[axis], axis))
    return array if array.transpose(order).flags.c_contiguous else cupy.ascontiguousarray(array)


def in_order_of(first: Array, array: Array) -> Array:
    """`array`, or a copy of it, in the memory order and dtype of `first`."""
    import cupy

    if array.strides == first.strides and array.dtype == first.dtype:
        return array
    copy = cupy.empty_like(first)
    copy[...] = array
    return copy


def channels_last(array: Array) -> Array:
    """`array` (N, C, *spatial) as (N, *spatial, C) in C order: a view of it, or else a copy."""
    import cupy

    return cupy.ascontiguousarray(cupy.moveaxis(array, 1, -1))


def channels_first(array: Array) -> Array:
    """An array (N, *spatial, C) as (N, C, *spatial), a view."""
    import cupy

    return cupy.moveaxis(array, -1, 1)


def code_of(source: str) -> str:
    """The text to compile; it changes with the headers too, so that CuPy sees that they changed."""
    headers = "".join(header.read_text(encoding="utf-8") for header in sorted(FOLDER.glob("*.cuh")))
    digest = hashlib.sha256(headers.encode()).hexdigest()[:16]
    return f'// with headers {digest}\n#line 1 "{source}"\n{(FOLDER / source).read_text(encoding="utf-8")}'


def groups(source: str) -> list[tuple[str, ...]]:
    """The kernels of a source, those together that are compiled together."""
    text = (FOLDER / source).read_text(encoding="utf-8")
    head = r"__global__\s+void\s+(?:__launch_bounds__\([^)]*\)\s*)?(\w+)\s*\("
    simple = re.findall(r"template <typename T>\s+" + head, text)
    templates = re.findall(r"template <[^>]*>\s+" + head, text)
    plain = [name for name in re.findall(head, text) if name not in templates]
    instances = re.findall(r"^// instances: (.*)$", text, re.M)
    declared = [tuple(re.findall(r"\w+<[^<>]*>|\w+", line)) for line in instances]
    found = [tuple(f"{name}<{ctype}>" for name in simple) for ctype in C_TYPES.values()]
    return [group for group in (*found, tuple(plain), *declared) if group]


@cache
def _kernel(cupy: Any, source: str, expression: str) -> Any:
    for group in groups(source):
        if expression in group:
            return _module(cupy, source, group).get_function(expression)
    raise LookupError(f"{source} has no kernel {expression}: it has {groups(source)}")


@cache
def _module(cupy: Any, source: str, group: tuple[str, ...]) -> Any:
    return cupy.RawModule(code=code_of(source), options=OPTIONS, name_expressions=group)


@cache
def _multiprocessors(cupy: Any, device: int) -> int:
    return int(cupy.cuda.Device(device).attributes["MultiProcessorCount"])
