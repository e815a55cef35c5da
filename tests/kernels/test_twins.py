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


@pytest.mark.parametrize("file", FILES)
def test_fast_functions_are_twins_of_the_reference(file):
    if not (ROOM / "cpu" / f"{file}.py").exists():
        pytest.skip("falls back to the reference altogether")
    pytest.importorskip("numba")
    right = functions("reference", file)
    fast = functions("cpu", file)
    assert fast and set(fast) <= set(right)
    for name, function in fast.items():
        assert parameters(function) == parameters(right[name]), name


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize("file", FILES)
def test_every_public_function_says_what_it_does(backend, file):
    if not (ROOM / backend / f"{file}.py").exists():
        pytest.skip("no such file")
    if backend == "cpu":
        pytest.importorskip("numba")
    for name, function in functions(backend, file).items():
        assert function.__doc__, name
