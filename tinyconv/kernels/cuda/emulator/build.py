"""Compiles a `.cu` file with g++ into a library whose kernels run on the processor."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
COMMON = ("-std=c++17", "-fPIC", "-fvisibility=hidden", "-fno-strict-aliasing", "-ffp-contract=off", "-w")
RUNTIME = (*COMMON, "-O2")
KERNELS = (
    *COMMON,
    "-O1",
    "-g1",
    "-gdwarf-4",
    # A call before each load and store, of functions that runtime.cpp has.
    "-fsanitize=kernel-address",
    "--param=asan-instrumentation-with-call-threshold=0",
    "--param=asan-stack=0",
    "--param=asan-globals=1",
)

SECONDS, MEMORY, LARGEST = 300, 4 << 30, 1 << 28
"""What the compiler may use for one source: time, memory, and the size of a file."""

HARMLESS = re.compile(
    r"(a?(sin|cos|tan)h?|atan2|sincos|exp|exp2|expm1|log|log2|log10|log1p|pow|sqrt|cbrt|hypot|f?abs|fmod"
    r"|remainder|remquo|fma|fmax|fmin|fdim|floor|ceil|trunc|l?l?round|l?l?rint|nearbyint|erfc?|[lt]gamma"
    r"|frexp|ldexp|scalbl?n|logb|ilogb|modf|copysign|nextafter|nan)f?"
    r"|mem(cpy|move|set)|s?printf|puts|putchar|__cxa_guard_(acquire|release|abort)|__stack_chk_fail"
    r"|_GLOBAL_OFFSET_TABLE_|__dso_handle|__gxx_personality_v0|DW\.ref\.__gxx_personality_v0|_Unwind_Resume"
)
"""Functions of the system's libraries that a kernel may call; what it prints goes nowhere."""

LAUNCH_BOUNDS = r"__launch_bounds__\(((?:[^(),]|\([^()]*\))+)(?:,[^()]*)?\)([^{;]*)\{"
"""Before a kernel's name; a GPU refuses a block of more threads, since they were given too many registers."""

DYNAMIC_SHARED = r"extern\s+__shared__\s+(?:__align__\(\d+\)\s+)?([\w ]+?)\s+(\w+)\[\];"


class CompileError(Exception):
    """What the compiler said of a source."""


def why_not() -> str | None:
    """Why no kernel can run on this processor, in words; None where they can."""
    if sys.platform != "linux":
        return "the emulator of CUDA needs Linux"
    if _compiler() is None:
        return "the emulator of CUDA needs g++"
    return None


def library(
    code: str,
    expressions: Sequence[str],
    folders: Sequence[str] = (),
    seconds: int = SECONDS,
    closed: bool = False,
) -> Path:
    """A shared library with the kernels that `expressions` name, e.g. ``relu<float>``; kept on disk.

    Parameters
    ----------
    code : str
    expressions, folders : sequence of str
        Kernels, and where their headers are.
    seconds : int
        For the compiler.
    closed : bool
        Refuse code that calls anything but the emulator and the functions of mathematics.

    Raises
    ------
    CompileError
        With the compiler's messages.
    """
    source = "\n".join(
        (
            '#include "emulator.h"',
            "namespace {",
            '#line 1 "kernel.cu"',
            _in_plain_words(code),
            "}",
            *(f"EMULATED_KERNEL({i}, {expression})" for i, expression in enumerate(expressions)),
        )
    )
    key = _digest(source, str(closed), *KERNELS, *(file.read_text() for file in _headers(folders)))
    target = cache_folder() / f"{key}.so"
    if not target.exists():
        includes = [f"-I{folder}" for folder in (HERE, *folders)]
        with tempfile.TemporaryDirectory() as folder:
            text, compiled = Path(folder) / "kernel.cpp", Path(folder) / "kernel.o"
            text.write_text(source, encoding="utf-8")
            _make(compiled, *KERNELS, *includes, "-c", str(text), seconds=seconds)
            if closed:
                _refuse_calls(compiled)
            _make(target, "-shared", str(compiled), str(_runtime()))
    return target


def _in_plain_words(code: str) -> str:
    """What no macro can rewrite."""
    code = re.sub(LAUNCH_BOUNDS, r"\2{ emulator::stay_within(\1);", code)
    # Shared memory of a size that the launch chooses: here it has one place, in emulator.h.
    return re.sub(DYNAMIC_SHARED, r"\1* \2 = (\1*)dynamic_shared_memory;", code)


def cache_folder() -> Path:
    """Where compiled kernels are kept."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(home) / "tinyconv" / "emulator"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@cache
def _compiler() -> str | None:
    return shutil.which("g++")


@cache
def _compiler_version() -> str:
    return subprocess.run([str(_compiler()), "-v"], capture_output=True, text=True, check=True).stderr


def _digest(*texts: str) -> str:
    joined = "\0".join((_compiler_version(), *texts))
    return hashlib.sha256(joined.encode()).hexdigest()[:32]


def _headers(folders: Sequence[str]) -> list[Path]:
    return [*_own_files(), *sorted(file for folder in folders for file in Path(folder).glob("*.cuh"))]


def _own_files() -> list[Path]:
    return [file for file in sorted(HERE.iterdir()) if file.suffix in (".h", ".cpp")]


@cache
def _runtime() -> Path:
    target = cache_folder() / f"{_digest(*RUNTIME, *(file.read_text() for file in _own_files()))}.o"
    if not target.exists():
        _make(target, *RUNTIME, f"-I{HERE}", "-c", str(HERE / "runtime.cpp"))
    return target


def _refuse_calls(compiled: Path) -> None:
    """Refuse an object file that needs functions which are neither the emulator's nor mathematics."""
    own = _symbols("--defined-only", "--extern-only", str(_runtime()))
    needed = [name for name in _symbols("--undefined-only", str(compiled)) if name not in own]
    for name in needed:
        if not HARMLESS.fullmatch(name) and not name.endswith("_dynamic_init"):
            raise CompileError(f"error: refused: a kernel cannot call {name}")
    if any(name.endswith("_dynamic_init") for name in needed):
        raise CompileError("error: a variable outside of functions has to begin with a constant")


def _symbols(*arguments: str) -> list[str]:
    lines = _limited(["nm", "--format=posix", *arguments], SECONDS).splitlines()
    return sorted(line.partition(" ")[0] for line in lines)


def _make(target: Path, *arguments: str, seconds: int | None = None) -> None:
    """Run the compiler; what it makes appears under its name all at once, for other processes."""
    made = target.with_suffix(f".{os.getpid()}")
    try:
        _limited([str(_compiler()), *arguments, "-o", str(made)], seconds or SECONDS)
        os.replace(made, target)
    finally:
        made.unlink(missing_ok=True)


def _limited(command: Sequence[str], seconds: int) -> str:
    """What a command prints; it has an empty input and limits, as a source can ask for anything."""
    limits = f"ulimit -v {MEMORY >> 10}; ulimit -t {seconds}; ulimit -f {LARGEST >> 9}; ulimit -c 0"
    with subprocess.Popen(
        ["/bin/sh", "-c", f'{limits}; exec "$@"', "sh", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
        errors="replace",
    ) as process:
        try:
            printed, said = process.communicate(timeout=seconds)
        except BaseException as error:  # g++ starts other programs, which are in its group
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise CompileError(f"error: the compiler takes more than {seconds} seconds") from None
            raise
    if process.returncode:
        raise CompileError(said or f"error: the compiler ended with status {process.returncode}")
    return printed


def place_in_source(path: Path, offset: int) -> str:
    """The line of the source that the code at `offset` in a library was made from, or ``""``."""
    tool = shutil.which("addr2line")
    if tool is None:
        return ""
    command = [tool, "-i", "-e", str(path), hex(offset - 1)]  # the call stands before where it returns to
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n")
    known = [Path(line).name.partition(" ")[0] for line in lines if ".cu" in line and "?" not in line]
    return ", called from ".join(known)
