from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing import damaged, many_cases
from tests.train.configs import make_config
from tinyconv.errors import ArgumentError, DataError
from tinyconv.train.options_file import MAX_BYTES, read_options

NAMES = ("epochs", "batch_size", "lr", "stain", "images", "clip_norm", "on_not_finite")


def test_what_it_sets(tmp_path):
    path = tmp_path / "é o.toml"
    path.write_text('# a run\nepochs = 5\nbatch-size = 8\nlr = 1e-3\nstain = "all"\n')
    assert read_options(path, NAMES) == {"epochs": 5, "batch_size": 8, "lr": 0.001, "stain": "all"}
    path.write_text("")
    assert read_options(path, NAMES) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"epochs", "no TOML"),
        (b"epochs = 1\nepochs = 2\n", "no TOML"),
        (b"\xff\xfe", "no TOML"),
        (b"epochs = " + b"9" * 5000, "no TOML"),
        (b"a = " + b"[" * 100_000, "no TOML"),
        (b"epoch = 1", "sets 'epoch', expected some of batch_size, clip_norm, epochs"),
        (b"[epochs]\na = 1", "sets epochs to a dict"),
        (b"epochs = [1]", "sets epochs to a list"),
        (b"epochs = 2026-11-20", "sets epochs to a date"),
        (b"batch-size = 1\nbatch_size = 2", "twice"),
        (b"#" * (MAX_BYTES + 1), "too large"),
    ],
)
def test_files_that_are_no_options(tmp_path, content, message):
    (tmp_path / "o.toml").write_bytes(content)
    with pytest.raises(ArgumentError, match=message) as caught:
        read_options(tmp_path / "o.toml", NAMES)
    assert caught.value.argument == "--config" and "o.toml" in str(caught.value)


def test_files_that_are_not_there(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ArgumentError, match="unreadable"):
            read_options(path, NAMES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("toml")


WHOLE = [
    b"epochs = 5\nbatch-size = 8 # eight\nlr = 1e-3\nstain = \"all\"\non_not_finite = 'skip'\n",
    b"images = 3\n",
]
VALUES = st.sampled_from(
    ["1", "0", "-1", "nan", "-inf", "1e400", '"a"', "true", "[1]", "{}", "1979-05-27", "9" * 30]
)


def attempt(path):
    """A config of the options, or None where they are refused."""
    try:
        return make_config("unet", "synthetic", None, quick=True, **read_options(path, NAMES))
    except (ArgumentError, DataError):
        return None


@given(damaged(WHOLE))
@many_cases()
def test_fuzz_damaged_files(folder, content):
    (folder / "o.toml").write_bytes(content)
    attempt(folder / "o.toml")


@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
@many_cases()
def test_fuzz_values(folder, values):
    (folder / "o.toml").write_text("".join(f"{name} = {value}\n" for name, value in values.items()))
    config = attempt(folder / "o.toml")
    if config is not None:
        assert config.epochs >= 1 and config.lr > 0 and config.images >= 2
