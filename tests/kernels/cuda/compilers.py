"""Compiles CUDA C to machine code for an architecture, with NVRTC or nvcc; neither needs a GPU."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tinyconv.kernels.cuda import _launch


class Usage(NamedTuple):
    """What a kernel takes: registers of a thread, bytes that did not fit in them, shared bytes of a block."""

    registers: int
    spilled: int
    shared: int


class DoesNotCompile(Exception):
    """With the compiler's messages."""


OPTIONS = (*_launch.OPTIONS, *_launch.ADDED_BY_CUPY)

Compile = Callable[[str, Sequence[str], str], dict[str, Usage]]


def find_compiler() -> Compile | None:
    """A function ``(code, expressions, architecture)`` that gives the usage of each kernel, or None."""
    if _nvrtc() is not None:
        return with_nvrtc
    if shutil.which("nvcc") is not None:
        return with_nvcc
    return None


@cache
def _nvrtc() -> Any:
    """The library of the wheel `nvidia-cuda-nvrtc`."""
    spec = importlib.util.find_spec("nvidia")
    for place in spec.submodule_search_locations or () if spec else ():
        for file in sorted(Path(place).rglob("libnvrtc.so.*")):
            if re.fullmatch(r"libnvrtc\.so\.\d+", file.name):
                library = ctypes.CDLL(str(file))
                library.nvrtcGetErrorString.restype = ctypes.c_char_p
                return library
    return None


def with_nvrtc(code: str, expressions: Sequence[str], architecture: str) -> dict[str, Usage]:
    """As CuPy compiles."""
    library = _nvrtc()
    with _compiled(code, expressions, architecture) as (program, log):
        names = {}
        for expression in expressions:
            lowered = ctypes.c_char_p()
            library.nvrtcGetLoweredName(program, expression.encode(), ctypes.byref(lowered))
            names[(lowered.value or b"").decode()] = expression
    return _usage(log, names)


def ptx(code: str, expression: str, architecture: str) -> str:
    """The instructions of a kernel, for a virtual architecture: ``"compute_80"``."""
    library = _nvrtc()
    with _compiled(code, [expression], architecture) as (program, _):
        return _text(library.nvrtcGetPTXSize, library.nvrtcGetPTX, program)


@contextlib.contextmanager
def _compiled(code: str, expressions: Sequence[str], architecture: str) -> Iterator[tuple[Any, str]]:
    """NVRTC's program, and what the compiler says of it."""
    library = _nvrtc()
    program = ctypes.c_void_p()
    library.nvrtcCreateProgram(ctypes.byref(program), code.encode(), b"kernel.cu", 0, None, None)
    try:
        for expression in expressions:
            library.nvrtcAddNameExpression(program, expression.encode())
        texts = [*OPTIONS, f"--gpu-architecture={architecture}", "--ptxas-options=-v"]
        options = (ctypes.c_char_p * len(texts))(*(text.encode() for text in texts))
        status = library.nvrtcCompileProgram(program, len(texts), options)
        log = _text(library.nvrtcGetProgramLogSize, library.nvrtcGetProgramLog, program)
        if status:
            raise DoesNotCompile(log)
        yield program, log
    finally:
        library.nvrtcDestroyProgram(ctypes.byref(program))


def _text(size_of: Any, get: Any, program: Any) -> str:
    size = ctypes.c_size_t()
    size_of(program, ctypes.byref(size))
    text = ctypes.create_string_buffer(size.value)
    get(program, text)
    return text.value.decode()


def with_nvcc(code: str, expressions: Sequence[str], architecture: str) -> dict[str, Usage]:
    """Where the toolkit is installed and the wheel is not."""
    uses = "".join(f"void* use_{i}() {{ return (void*){name}; }}\n" for i, name in enumerate(expressions))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "kernel.cu"
        source.write_text(f"{code}\n{uses}")
        command = ["nvcc", "-cubin", f"-arch={architecture}", "-Xptxas=-v", *OPTIONS, str(source)]
        done = subprocess.run(
            [*command, "-o", f"{folder}/cubin"], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise DoesNotCompile(done.stderr)
    lowered = re.findall(r"Compiling entry function '(\w+)'", done.stderr)
    return _usage(done.stderr, {name: _expression(name, expressions) for name in lowered})


def _expression(lowered: str, expressions: Sequence[str]) -> str:
    """Of which expression a lowered name is: the one of the same name and, if there are several, type."""
    same = [e for e in expressions if re.search(rf"\d{e.partition('<')[0]}[^a-z_]", lowered)]
    return same[0] if len(same) == 1 else lowered


def _usage(log: str, names: dict[str, str]) -> dict[str, Usage]:
    found = {}
    for lowered, text in re.findall(
        r"Compiling entry function '(\w+)'(.*?)(?=Compiling entry|\Z)", log, re.S
    ):
        spills = re.findall(r"(\d+) bytes spill (?:stores|loads)", text)
        shared = re.search(r"(\d+) bytes smem", text)
        registers = re.search(r"Used (\d+) registers", text)
        assert registers is not None, text
        usage = Usage(int(registers[1]), sum(map(int, spills)), int(shared[1]) if shared else 0)
        if lowered in names:  # a kernel that is no template is compiled with every group
            found[names[lowered]] = usage
    return found
