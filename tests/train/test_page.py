"""docs/training.md: its program runs, and what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import tinyconv as tc
from tinyconv import train

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")


def test_the_program_runs_and_learns():
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    names: dict = {}
    exec(program, names)
    assert names["trainer"].done
    assert train.accuracy(names["model"], names["images"]) > 0.9


def test_the_names_are_there():
    metrics = re.findall(r"`(\w+)(?:\([^`]*)?`", PAGE[PAGE.index("## Metrics") :])
    found = [name for name in metrics if name not in ("nan", "tc")]
    assert len(found) >= 15
    assert all(hasattr(tc.metrics, name) for name in found), found
    called = re.findall(
        r"`(EMA|EarlyStopping|MixedLoss|TensorBoard|find_learning_rate|class_weights)\(", PAGE
    )
    assert len(called) >= 4 and all(hasattr(train, name) for name in called)
