"""The backends have the same files, functions and signatures."""

import importlib
import inspect
from pathlib import Path

import pytest

import tinyconv.kernels
from tinyconv.kernels import FILES

ROOM = Path(tinyconv.kernels.__file__).parent


def functions(backend, file):
    module = importlib.import_module(f"tinyconv.kernels.{backend}.{file}")
    return {
        name: function
        for name, function in vars(module).items()
        if inspect.isfunction(function) and function.__module__ == module.__name__ and name[0] != "_"
    }


def parameters(function):
    signature = inspect.signature(function)
    return [(p.name, p.kind, p.default) for p in signature.parameters.values()]


@pytest.mark.parametrize("file", FILES)
def test_every_file_has_a_reference(file):
    assert functions("reference", file)


FAST = [
    (backend, file)
    for backend in ("cpu", "cuda")
    for file in FILES
    if (ROOM / backend / f"{file}.py").exists()
]


@pytest.mark.parametrize(("backend", "file"), FAST)
def test_fast_functions_are_twins_of_the_reference(backend, file):
    if backend == "cpu":
        pytest.importorskip("numba")
    right = functions("reference", file)
    fast = functions(backend, file)
    assert fast and set(fast) <= set(right)
    for name, function in fast.items():
        assert parameters(function) == parameters(right[name]), name


@pytest.mark.parametrize(("backend", "file"), [*(("reference", file) for file in FILES), *FAST])
def test_every_public_function_says_what_it_does(backend, file):
    if backend == "cpu":
        pytest.importorskip("numba")
    for name, function in functions(backend, file).items():
        assert function.__doc__, name
