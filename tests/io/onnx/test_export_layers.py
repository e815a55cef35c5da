"""Every layer, exported and run with onnxruntime, gives the numbers that tinyconv does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tinyconv as tc
from tests.gpu import placed
from tests.io.onnx.exported import arrays_of, check, export, kinds
from tests.io.onnx.table_export import NOT_CALLED, REFUSED, ROWS
from tinyconv import nn
from tinyconv.errors import UnsupportedError


@pytest.mark.parametrize("name", ROWS)
def test_a_layer_exported_is_the_layer(name: str, tmp_path: Path) -> None:
    row, random = ROWS[name], np.random.default_rng(0)
    model = row.build()
    others = [row.inputs(5, random)] if row.batch else []
    given = row.inputs(2, random)
    graph = check(model, given, tmp_path, [row.inputs(2, random), *others])
    again = placed(tc.io.onnx.load(tmp_path / "model.onnx"))
    for ours, theirs in zip(arrays_of(model.eval()(*given)), arrays_of(again(*given)), strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-5, atol=1e-5)
    if row.nodes:
        assert kinds(graph) == row.nodes.split()
        assert {x.name for x in graph.initializer} >= {name for name, _ in model.named_parameters()}


@pytest.mark.parametrize("name", REFUSED)
def test_a_loss_that_looks_at_values_is_refused_by_name(name: str, tmp_path: Path) -> None:
    row = REFUSED[name]
    with pytest.raises(UnsupportedError, match=f"called by {name}"):
        export(row.build(), row.inputs(2, np.random.default_rng(0)), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_every_layer_is_in_a_table() -> None:
    tried = [{name.split()[0] for name in rows} for rows in (ROWS, REFUSED, NOT_CALLED)]
    layers = {name for name in nn.__all__ if isinstance(getattr(nn, name), type)}
    assert layers - set().union(*tried) == set()
    assert sum(map(len, tried)) == len(set().union(*tried))
