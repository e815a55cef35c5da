"""ONNX files, which PyTorch and others read and write: `load` makes a Module of one, `export` writes it.

The package ``onnx`` is needed, and imported only when one of them is called::

    pip install "tinyconv[onnx]"
"""

from tinyconv.io.onnx.model import OnnxModel
from tinyconv.io.onnx.reading import load
from tinyconv.io.onnx.writing import export

__all__ = ["OnnxModel", "export", "load"]
