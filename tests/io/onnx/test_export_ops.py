"""What users write in their own modules, exported and run with onnxruntime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.io.onnx.exported import check, random
from tests.io.onnx.table_export_ops import OPS
from tinyconv import nn


class Applied(nn.Module):
    """A function of a tensor as a module."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Any) -> Any:
        return self.function(*inputs)


@pytest.mark.parametrize("name", OPS)
def test_ops_in_a_module_for_another_batch_too(name: str, tmp_path: Path) -> None:
    others = [[random(5, 3, 4, 6, seed=1)], [random(1, 3, 4, 6, seed=2)]]
    check(Applied(OPS[name]), [random(2, 3, 4, 6)], tmp_path, others)
