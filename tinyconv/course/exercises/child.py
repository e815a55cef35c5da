"""The process in which a student's code runs. It evaluates what the judge asks for, and judges nothing.

The judge starts it as a script without `site`, so that the package is not imported here, nor found by an
editable install's hook: neither the reference nor the expected values are ever in this process. Its arguments
are the folders to import from. It reads requests from standard input and answers on standard
output; the student's code has neither, and what it prints is sent along with the answer.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import sys
import traceback
from types import ModuleType
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
NAME = "exercise"
PRINTED = 2000
PRELOADED = (
    *("numpy.random", "numpy.linalg", "numpy.fft", "numpy.lib.stride_tricks", "numpy.polynomial"),
    *("numpy.char", "numpy.dtypes", "numpy.exceptions", "numpy.ma", "numpy.rec"),
    *("numpy.strings", "numpy.typing", "numpy.lib.recfunctions", "collections.abc", "unicodedata"),
)
"""Nothing can be imported later; the last one is what Python needs for names of characters in a text."""


class Printed(io.TextIOBase):
    """Keeps the beginning of what is printed."""

    def __init__(self) -> None:
        self.text = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text[: PRINTED - len(self.text)]
        return len(text)


def load_neighbour(name: str) -> ModuleType:
    """A file of this folder as a module of its own."""
    spec = importlib.util.spec_from_file_location(name, os.path.join(HERE, f"{name}.py"))
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def limit(memory: int, seconds: int) -> None:
    """Limits of the kernel's, where there are such: memory beyond what is used now, and computing time."""
    try:
        import resource
    except ImportError:  # Windows
        return
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            memory += int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        memory += 1 << 30
    wanted = [(resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)]
    wanted.append((resource.RLIMIT_FSIZE, 0))
    for kind, value in wanted:
        try:
            resource.setrlimit(kind, (value, value))
        except (OSError, ValueError):  # macOS has no limit of the address space
            continue


def private_streams() -> tuple[Any, Any]:
    """Standard input and output for the judge alone; the student's code gets an empty pair."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    return requests, answers


def describe_error(error: BaseException, file: str) -> dict[str, Any]:
    """Type, message, and the last line of the student's file that the error went through."""
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    kind = "MemoryError" if isinstance(error, MemoryError) else type(error).__name__
    line = lines[-1].lineno if lines else getattr(error, "lineno", None)
    try:
        message = str(error)[:500]
    except Exception:
        message = ""
    bases = [base.__name__ for base in type(error).__mro__]
    return {"type": kind, "message": message, "line": line, "bases": bases}


class Room:
    """The student's module, and what the steps of a request have kept."""

    def __init__(self, module: ModuleType, wire: ModuleType) -> None:
        self.module = module
        self.wire = wire

    def run(self, steps: list[dict[str, Any]]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        arguments: list[list[Any]] = []
        result: Any = None
        for step in steps:
            values = [self.arrive(value, kept) for value in step["values"]]
            arguments.append(values)
            target = self.find(step["target"], kept)
            result = target(*values) if step["call"] else target
            if step["keep"]:
                kept[step["keep"]] = result
        return {
            "result": result,
            "arguments": [[v if _is_array(v) else None for v in values] for values in arguments],
        }

    def arrive(self, value: Any, kept: dict[str, Any]) -> Any:
        if isinstance(value, self.wire.Kept):
            return kept[value.name]
        if isinstance(value, self.wire.Rng):
            import numpy as np

            return np.random.default_rng(value.seed)
        if isinstance(value, self.wire.TensorInput):
            tensor = importlib.import_module("tinyconv").tensor
            return tensor(value.array, requires_grad=value.requires_grad)
        if isinstance(value, list | tuple):
            return type(value)(self.arrive(item, kept) for item in value)
        if isinstance(value, dict):
            return {key: self.arrive(item, kept) for key, item in value.items()}
        return value

    def find(self, target: str, kept: dict[str, Any]) -> Any:
        if not target:
            return lambda *values: values
        first, *rest = target.split(".")
        found = kept[first] if first in kept else getattr(self.module, first)
        for name in rest:
            found = getattr(found, name)
        return found


def _is_array(value: Any) -> bool:
    return type(value).__name__ == "ndarray"


def prepare(begin: dict[str, Any], guard: ModuleType) -> frozenset[str]:
    """Import what the exercise may use, and close the door behind it."""
    allowed = frozenset(guard.MODULES | set(begin["imports"]))
    for name in (*sorted(allowed), *PRELOADED):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    if "tinyconv" in begin["imports"]:
        importlib.import_module("tinyconv").kernel_backend.set("reference")
    guard.forbid(begin["forbidden"])
    return allowed


def main() -> None:
    """Answer requests until there are no more."""
    requests, answers = private_streams()
    sys.path += [path for path in sys.argv[1:] if path not in sys.path]
    del sys.argv[1:]
    wire, guard = load_neighbour("wire"), load_neighbour("guard")
    begin = wire.read(requests)
    allowed = prepare(begin, guard)
    module = ModuleType(NAME)
    module.__dict__["__builtins__"] = guard.student_builtins(allowed)
    sys.modules[NAME] = module
    limit(begin["memory"], begin["seconds"])
    if begin["kernel"]:
        kernel = load_neighbour("kernel_room").Kernel(begin["kernel"]["library"], begin["kernel"]["types"])
        setattr(module, begin["kernel"]["function"], kernel)
    if not begin["kernel"]:  # machine code is nothing that the guard could see
        folders = [os.path.dirname(os.__file__), *begin["packages"]]
        guard.install(folders, begin["closed"], allowed)
    room = Room(module, wire)
    request: dict[str, Any] = {"id": begin["id"]}
    while True:
        printed = sys.stdout = sys.stderr = Printed()
        answer: dict[str, Any] = {"id": request["id"]}
        try:
            if "steps" in request:
                answer |= room.run(request["steps"])
            else:
                exec(compile(begin["source"], begin["file"], "exec"), module.__dict__)
                answer["names"] = [name for name in vars(module) if not name.startswith("__")]
            message = wire.pack({**answer, "printed": printed.text})
        except BaseException as error:
            described = describe_error(error, begin["file"])
            message = wire.pack({"id": request["id"], "error": described, "printed": printed.text})
        answers.write(message)
        answers.flush()
        try:
            request = wire.read(requests)
        except EOFError:
            return


if __name__ == "__main__":
    main()
