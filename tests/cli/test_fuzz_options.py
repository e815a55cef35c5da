"""`tinyconv train --config`: options of a TOML file become those of a run, or are refused."""

from __future__ import annotations

import inspect
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing import damaged, many_cases
from tinyconv.commands.runs import make_config
from tinyconv.commands.train import train
from tinyconv.errors import ArgumentError, DataError
from tinyconv.train.folder import RunFolder
from tinyconv.train.options_file import read_options

ELSEWHERE = {
    "model", "data", "data_dir", "find_lr", "config", "threads", "run", "overwrite", "resume", "quick",
}  # fmt: skip
NAMES = sorted(inspect.signature(train).parameters.keys() - ELSEWHERE)
RUNS = (
    ("unet_bn", "synthetic"), ("enet", "vessels"), ("unet3d_bn", "organs"), ("unet_bn", "hearts"),
    ("mlp", "digits"), ("lenet5", "digits"),
)  # fmt: skip
SMALL = {"unet_bn": 'widths = "2,4"\n', "unet3d_bn": 'widths = "2,4"\n', "enet": "width = 4\n"}
VALUES = st.sampled_from(
    (
        *("0", "1", "2", "3", "16", "-1", "2.0", "0.5", "-0.0", "nan", "-inf", "1e400", "9" * 30, "0x10"),
        *("true", "false", '""', '"1"', '"auto"', '"2,4"', '"2,,x"', '"1,2,3"', '"nan"', '"nan,1"'),
        *('"all"', '"skip"', '"stop"', '"dice"', '"ce"', '"bce+dice"', '"focal"', '"\\u0000"', '"é"'),
        *("[1]", "{}", "{a = 1}", "1979-05-27", "07:32:00", "[[1, 2], []]", '"""\n"""'),
    )
)
LINES = st.tuples(
    st.sampled_from((*NAMES, *(name.replace("_", "-") for name in NAMES), "epoch", '""')), VALUES
)
FILES = st.lists(LINES, max_size=4).map(lambda lines: "".join(f"{name} = {v}\n" for name, v in lines))
WHOLE = (b'lr = 1e-3\nstain = "all"\nsize = 32\n', '# é\nbatch-size = 8\nloss = "ä\\n"\n'.encode())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("options")


@given(FILES, st.sampled_from(RUNS), st.booleans())
@many_cases()
def test_options_of_a_file(folder, text, run, quick):
    """What is taken makes a run's config.json, which is read again as it was."""
    model, data = run
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
