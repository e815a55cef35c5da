"""Without the packages of the extra ``onnx`` these files are left out: ``pip install "tinyconv[onnx]"``."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob: list[str] = []
if find_spec("onnx") is None:
    collect_ignore_glob = ["*.py"]
elif find_spec("onnxruntime") is None:
    collect_ignore_glob = ["*export*.py"]
