"""Files: weights in safetensors, whole or not at all; models in ONNX."""

from __future__ import annotations

from tinyconv.io import onnx as onnx
from tinyconv.io.files import storage_error, write_whole
from tinyconv.io.safetensors import load, load_state, not_finite, save, save_state

__all__ = ["load", "load_state", "not_finite", "onnx", "save", "save_state", "storage_error", "write_whole"]
