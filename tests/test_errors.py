"""The error types: one sentence, four attributes, and the built-in type that people catch."""

from __future__ import annotations

import inspect

import pytest

from tinyconv import errors
from tinyconv.errors import GradcheckError, TinyconvError

TYPES = [t for _, t in inspect.getmembers(errors, inspect.isclass) if issubclass(t, TinyconvError)]

BUILT_IN = {
    "ArgumentError": ValueError,
    "ShapeError": ValueError,
    "DtypeError": TypeError,
    "DeviceError": RuntimeError,
    "OutOfMemoryError": RuntimeError,
    "DataError": ValueError,
    "CheckpointError": ValueError,
    "StorageError": OSError,
    "DownloadError": OSError,
    "UnsupportedError": NotImplementedError,
    "PackageError": ImportError,
    "GraphError": RuntimeError,
    "TrainingError": ArithmeticError,
    "GradcheckError": AssertionError,
}


@pytest.mark.parametrize("kind", TYPES, ids=lambda t: t.__name__)
def test_what_an_error_says(kind: type[TinyconvError]) -> None:
    error = kind("conv2d", "stride", -1, "a positive int")
    assert (error.where, error.argument, error.value, error.expected) == (
        "conv2d",
        "stride",
        -1,
        "a positive int",
    )
    if kind is GradcheckError:
        assert str(error) == "conv2d: -1"
    else:
        assert str(error) == "conv2d: stride is -1, expected a positive int"
    assert kind.__doc__


def test_every_error_is_also_a_built_in_one() -> None:
    assert {t.__name__ for t in TYPES} == set(BUILT_IN) | {"TinyconvError"}
    for kind in TYPES:
        if kind is not TinyconvError:
            assert issubclass(kind, BUILT_IN[kind.__name__])
