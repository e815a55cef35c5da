"""`tinyconv train --config`: options of a TOML file become those of a run, or are refused."""

from __future__ import annotations

import inspect
import json
import os

import pytest
from hypothesis import given

from tests.fuzzing import by_chance, damaged, many_cases, remembered
from tinyconv import models
from tinyconv.commands.runs import make_config
from tinyconv.commands.train import train
from tinyconv.errors import ArgumentError, DataError
from tinyconv.train import class_recipe
from tinyconv.train.folder import RunFolder
from tinyconv.train.options_file import read_options

ELSEWHERE = {
    "model", "data", "data_dir", "find_lr", "config", "device", "threads", "run", "overwrite", "resume",
    "quick",
}  # fmt: skip
NAMES = sorted(inspect.signature(train).parameters.keys() - ELSEWHERE)
RUNS = (
    ("unet_bn", "synthetic"), ("enet", "vessels"), ("unet3d_bn", "organs"), ("unet_bn", "hearts"),
    ("mlp", "digits"), ("lenet5", "digits"),
)  # fmt: skip
SMALL = {"unet_bn": 'widths = "2,4"\n', "unet3d_bn": 'widths = "2,4"\n', "enet": "width = 4\n"}
NUMBERS = (
    "0",
    "1",
    "2",
    "3",
    "8",
    "16",
    "-1",
    "2.0",
    "0.5",
    "1e-3",
    "-0.0",
    "nan",
    "-inf",
    "1e400",
    "9" * 30,
)
WORDS = (
    *("true", "false", '""', '"1"', '"auto"', '"2,4"', '"2,,x"', '"1,2,3"', '"nan"', '"nan,1"', "'\\n'"),
    *('"all"', '"skip"', '"stop"', '"dice"', '"ce"', '"bce+dice"', '"focal"', '"\\u0000"', '"é"'),
)
OTHERS = (
    "[1]", "{}", "{a = 1}", "1979-05-27", "07:32:00", "[[1, 2], []]", '"""\n"""', "0x10", "1_000", "0o7",
)  # fmt: skip


def file_of_options(random):
    """A few lines of a TOML file, most of which could be those of a run."""
    lines = []
    for _ in range(random.randint(0, 4)):
        name = random.choice(NAMES) if random.random() < 0.95 else random.choice(("epoch", '""', "a b", "é"))
        values = random.choice((NUMBERS, NUMBERS, WORDS, WORDS, OTHERS if random.random() < 0.3 else NUMBERS))
        lines.append(f"{random.choice((name, name.replace('_', '-')))} = {random.choice(values)}\n")
    return "".join(lines), random.choice(RUNS), random.random() < 0.5


SLOW = {models: ("fit_segmenter", "fit_classifier"), class_recipe: ("open_source", "channel_statistics")}
WHOLE = (b'lr = 1e-3\nstain = "all"\nsize = 32\n', '# é\nbatch-size = 8\nloss = "ä\\n"\n'.encode())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the files go; networks are made once for the same options, and nothing is forced to the disk."""
    with pytest.MonkeyPatch.context() as patched:
        for module, names in SLOW.items():
            for name in names:
                patched.setattr(module, name, remembered(getattr(module, name)))
        patched.setattr(os, "fsync", lambda handle: None)
        yield tmp_path_factory.mktemp("options")


@given(by_chance(file_of_options))
@many_cases()
def test_options_of_a_file(folder, case):
    """What is taken makes a run's config.json, which is read again as it was."""
    text, (model, data), quick = case
    (folder / "o.toml").write_text(SMALL.get(model, "") * ("width" not in text) + text, encoding="utf-8")
    try:
        given = dict.fromkeys(NAMES) | read_options(folder / "o.toml", NAMES)
        config = make_config(model, data, None, quick, given)
    except (ArgumentError, DataError):
        return
    RunFolder(folder, config).write_json("config.json", vars(config))
    assert vars(RunFolder.open(folder).config) == json.loads(json.dumps(vars(config)))


@given(damaged(WHOLE))
@many_cases()
def test_damaged_files(folder, content):
    (folder / "d.toml").write_bytes(content)
    try:
        options = read_options(folder / "d.toml", NAMES)
    except ArgumentError:
        return
    assert options.keys() <= set(NAMES)
    assert all(isinstance(value, str | int | float) for value in options.values())
