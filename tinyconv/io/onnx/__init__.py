"""ONNX files, which PyTorch and others write: `load` makes a Module of one.

The package ``onnx`` is needed, and imported only when a file is read: ``pip install "tinyconv[onnx]"``.
"""

from tinyconv.io.onnx.model import OnnxModel
from tinyconv.io.onnx.reading import load

__all__ = ["OnnxModel", "load"]
