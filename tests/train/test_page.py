"""docs/training.md: its program runs, and what it names is there."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import tinyconv as tc
from tinyconv import models, train
from tinyconv.train.recipes import ALIASES

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.S)


def test_the_program_runs_and_learns():
    (program,) = PROGRAMS
    names: dict = {}
    exec(program, names)
    assert names["trainer"].done
    assert train.accuracy(names["model"], names["images"]) > 0.9


def test_the_networks_take_the_sizes_that_the_page_says():
    (said,) = re.findall(
        r"`--widths 16,32,64` makes (.*?) smaller, `--width 16` (.*?); (.*?) has one", PAGE, re.S
    )
    for networks, option in zip(said, ("widths", "width", ""), strict=True):
        for name in re.findall(r"`(\w+)`", networks):
            taken = inspect.signature(models.registry._builders[ALIASES.get(name, name)]).parameters
            assert {"widths", "width"} & set(taken) == ({option} - {""}), name
    table = re.findall(
        r"`(\w+)`", PAGE[PAGE.index("| network | data |") : PAGE.index("A network gets as many")]
    )
    named = set(re.findall(r"`(\w+)`", " ".join(said)))
    assert named == set(table) - {"unet_slides"}


def test_the_networks_that_make_images_take_the_options_that_the_page_says():
    part = PAGE[PAGE.index("## Networks that make images") : PAGE.index("## A brain")]
    rows = re.findall(r"\n\| `(\w+)`[^|]*\|[^|]*\| (.*?) \|", part)
    assert {name for name, _ in rows} == set(models.generation.METHODS)
    for name, options in rows:
        said = set(re.findall(r"--([\w-]+)", options))
        taken = inspect.signature(models.registry._builders[name]).parameters
        noisy = {"noise"} if name in ("autoencoder", "rednet") else set()
        found = {option.replace("_", "-") for option in models.generation.OPTIONS if option in taken}
        assert said == found | noisy, name


def test_the_names_are_there():
    metrics = re.findall(r"`(\w+)(?:\([^`]*)?`", PAGE[PAGE.index("## Metrics") :])
    found = [name for name in metrics if name not in ("nan", "tc")]
    assert len(found) >= 15
    assert all(hasattr(tc.metrics, name) for name in found), found
    called = re.findall(
        r"`(EMA|EarlyStopping|MixedLoss|TensorBoard|find_learning_rate|class_weights)\(", PAGE
    )
    assert len(called) >= 4 and all(hasattr(train, name) for name in called)
