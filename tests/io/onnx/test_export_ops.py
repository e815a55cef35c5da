"""What users write in their own modules, exported and run with onnxruntime."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.io.onnx.exported import Applied, check, random
from tests.io.onnx.table_export_ops import OPS


@pytest.mark.parametrize("name", OPS)
def test_ops_in_a_module_for_another_batch_too(name: str, tmp_path: Path) -> None:
    others = [[random(5, 3, 4, 6, seed=1)], [random(1, 3, 4, 6, seed=2)]]
    check(Applied(OPS[name]), [random(2, 3, 4, 6)], tmp_path, others)
