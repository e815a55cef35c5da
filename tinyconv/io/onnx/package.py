"""The package onnx, which is optional."""

from __future__ import annotations

from typing import Any

from tinyconv.errors import PackageError


def onnx_package(where: str) -> Any:
    """The package onnx; a PackageError says how to install it.

    Parameters
    ----------
    where : str
        The function that needs it, for the message.
    """
    try:
        import onnx
        import onnx.numpy_helper
    except ImportError as error:
        install = 'pip install "tinyconv[onnx]"'
        raise PackageError(where, "the package onnx", f"missing ({error})", install) from error
    return onnx
