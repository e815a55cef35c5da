from __future__ import annotations

import errno
import json
import multiprocessing
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.train.configs import make_config
from tinyconv.data.dataset import base_item
from tinyconv.errors import ArgumentError, CheckpointError, DataError, StorageError
from tinyconv.train import class_recipe
from tinyconv.train.class_config import ClassConfig
from tinyconv.train.folder import Metrics, RunFolder
from tinyconv.train.mask_config import Config
from tinyconv.train.recipes import open_data

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config() -> Config:
    return make_config("unet", "synthetic", None, quick=True)


def with_an_image(folder):
    """The folder, with one image and its mask in the Kaggle layout."""
    for kind in ("images", "masks"):
        (folder / "a" / kind).mkdir(parents=True)
        Image.new("L", (8, 8)).save(folder / "a" / kind / "a.png")
    return folder


def test_defaults_suit_the_data(tmp_path):
    made = make_config("unet", "synthetic", None, quick=False)
    assert (made.model, made.size, made.batch_size, made.data) == ("unet_slides", 128, 4, "synthetic")
    with_an_image(tmp_path / "cells")
    folder = make_config("unet_slides", str(tmp_path / "cells"), None, quick=False, lr=0.01)
    assert (folder.size, folder.stain, folder.lr, folder.label) == (256, "all", 0.01, "cells")
    nuclei = make_config("unet", "nuclei", str(tmp_path / "cells"), quick=True, size=32)
    assert (nuclei.stain, nuclei.size, nuclei.data) == ("fluorescence", 32, str(tmp_path / "cells"))


def test_the_nuclei_are_looked_for_where_one_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TINYCONV_DATA", raising=False)
    with pytest.raises(DataError, match=r"data/dsb2018.*BBBC038.*TINYCONV_DATA.*synthetic"):
        make_config("unet", "nuclei", None, quick=False)
    with_an_image(tmp_path / "there")
    monkeypatch.setenv("TINYCONV_DATA", "there")
    assert make_config("unet", "nuclei", None, quick=False).data == str(tmp_path / "there")
    with_an_image(tmp_path / "data" / "dsb2018")
    monkeypatch.delenv("TINYCONV_DATA")
    assert make_config("unet", "nuclei", None, quick=False).data == str(tmp_path / "data" / "dsb2018")


@pytest.mark.parametrize(
    "option",
    [
        {"size": 20}, {"size": 0}, {"batch_size": 0}, {"epochs": 0}, {"steps": -1}, {"minutes": 0.0},
        {"minutes": float("nan")}, {"lr": 0.0}, {"lr": float("inf")}, {"held_out": 0.0}, {"held_out": 1.0},
        {"seed": -1}, {"seed": 2**64}, {"images": 1}, {"validate_every": 0},
    ],
)  # fmt: skip
def test_options_that_make_no_sense_are_named(option):
    with pytest.raises(ArgumentError) as caught:
        make_config("unet", "synthetic", None, quick=False, **option)
    assert caught.value.argument == next(iter(option))


@pytest.mark.parametrize(
    ("data", "option"),
    [
        ("synthetic", {"stain": "all"}), ("synthetic", {"data_dir": "cells"}),
        ("cells", {"images": 3}), ("cells", {"data_dir": "."}), ("nuclei", {"images": 3}),
    ],
)  # fmt: skip
def test_options_that_mean_nothing_for_the_data_are_refused(tmp_path, monkeypatch, data, option):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cells").mkdir()
    monkeypatch.setenv("TINYCONV_DATA", "cells")
    (name, value), given = *option.items(), {"data_dir": None, **option}
    with pytest.raises(ArgumentError, match=f"--{name.replace('_', '-')} is {value}, next to --data {data}"):
        make_config("unet", data, quick=False, **given)


def test_an_unknown_stain(tmp_path):
    with pytest.raises(ArgumentError, match="stain is 'blue', expected all or fluorescence"):
        make_config("unet", str(with_an_image(tmp_path)), None, quick=False, stain="blue")


def test_unknown_models_and_data():
    with pytest.raises(ArgumentError, match="'vnet', which takes volumes, next to images"):
        make_config("vnet", "synthetic", None, quick=False)
    with pytest.raises(ArgumentError, match="'lenet5', next to images with masks, expected"):
        make_config("lenet5", "synthetic", None, quick=False)
    with pytest.raises(DataError, match=r"'no such folder'.*synthetic.*nuclei.*or a folder"):
        make_config("unet", "no such folder", None, quick=False)


def test_held_out_images_are_never_trained_on(config):
    training, held_out = open_data(config)
    trained_on, kept = ({base_item(data, i)[1] for i in range(len(data))} for data in (training, held_out))
    assert trained_on and kept and not trained_on & kept


def test_a_new_folder_and_its_name(tmp_path, monkeypatch, config):
    monkeypatch.chdir(tmp_path)
    folder = RunFolder.create(None, config)
    folder.start()
    assert folder.path.parent == Path("runs")
    assert folder.path.name.startswith("unet_slides-synthetic-20")
    assert RunFolder.open(folder.path).config == config


def test_a_folder_that_is_not_empty_is_refused(tmp_path, config):
    (tmp_path / "notes.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(ArgumentError, match="not empty"):
            RunFolder.create(tmp_path, config, overwrite)
    (tmp_path / "notes.txt").unlink()
    RunFolder.create(tmp_path, config).start()
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "metrics.jsonl").write_text("{}\n")
    with pytest.raises(ArgumentError, match="--resume"):
        RunFolder.create(tmp_path, config)
    assert RunFolder.create(tmp_path, config, overwrite=True).path == tmp_path


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


OLD = [
    "best-0123456789ab.safetensors",
    "best.json",
    "config.json",
    "last-0123456789ab.safetensors",
    "last.json",
]
FOREIGN = [
    "best-model.safetensors",
    "last-0123456789abc.safetensors",
    "lasting_notes.txt",
    "metrics.jsonl.bak",
]


@pytest.fixture
def replaced(tmp_path, config):
    """A run that has begun in the place of an earlier one, among files that are no run's."""
    for name in (*OLD, *FOREIGN):
        (tmp_path / name).write_text("old")
    (tmp_path / "best_masks").mkdir()
    (tmp_path / "best_masks" / "mask.png").write_text("mine")
    folder = RunFolder.create(tmp_path, config, overwrite=True)
    folder.start()
    assert json.loads((tmp_path / "config.json").read_text())["model"] == config.model
    return folder


def test_overwriting_a_run_leaves_foreign_files_alone(tmp_path, replaced):
    assert names_in(tmp_path) == sorted([".replaced", "config.json", "best_masks", *FOREIGN])
    (tmp_path / "last.json").write_text("new")
    replaced.settle()
    assert names_in(tmp_path) == sorted(["config.json", "last.json", "best_masks", *FOREIGN])
    assert names_in(tmp_path / "best_masks") == ["mask.png"]
    assert json.loads((tmp_path / "config.json").read_text())["model"] == replaced.config.model


def test_a_replaced_run_is_back_if_the_new_one_was_never_saved(tmp_path, replaced):
    (tmp_path / "metrics.jsonl").write_text("new")
    replaced.settle()
    assert names_in(tmp_path) == sorted(["best_masks", *OLD, *FOREIGN])
    assert all((tmp_path / name).read_text() == "old" for name in OLD)


@pytest.mark.parametrize("moves", range(15))
def test_a_replaced_run_outlives_a_crash_at_any_moment(tmp_path, config, monkeypatch, moves):
    for name in OLD:
        (tmp_path / name).write_text(json.dumps(vars(config)))
    before = {name: (tmp_path / name).read_text() for name in OLD}
    real, count = os.replace, iter(range(1, 100))

    class PowerCut(BaseException):
        pass

    def cut(source, target):
        if next(count) > moves:
            raise PowerCut
        real(source, target)

    monkeypatch.setattr(os, "replace", cut)
    with pytest.raises(PowerCut):
        folder = RunFolder.create(tmp_path, config, overwrite=True)
        folder.start()
        (tmp_path / "metrics.jsonl").write_text("new")
        folder.settle()
        folder.start()
    monkeypatch.undo()
    assert RunFolder.open(tmp_path).config == config
    assert {name: (tmp_path / name).read_text() for name in OLD} == before
    assert set(names_in(tmp_path)) - {".lock"} == set(OLD)


def test_that_an_earlier_run_is_back_is_said(tmp_path, config, capsys):
    RunFolder.create(tmp_path, config).start()
    (tmp_path / "last.json").write_text("old")
    RunFolder.create(tmp_path, config, overwrite=True).start()
    RunFolder.open(tmp_path)
    assert "never saved; this one is back" in capsys.readouterr().out
    RunFolder.open(tmp_path)
    assert capsys.readouterr().out == ""


def test_a_run_that_cannot_be_put_aside(tmp_path, config, monkeypatch):
    RunFolder.create(tmp_path, config).start()

    def refuse(source, target):
        raise PermissionError(errno.EACCES, "refused")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(StorageError, match="refused"):
        RunFolder.create(tmp_path, config, overwrite=True).start()


def test_a_file_in_the_place_of_the_folder(tmp_path, config):
    (tmp_path / "run").write_text("")
    with pytest.raises(StorageError, match="run"):
        RunFolder.create(tmp_path / "run", config)


def test_folders_that_are_no_run(tmp_path, config):
    with pytest.raises(CheckpointError, match=r"without config\.json"):
        RunFolder.open(tmp_path / "none")
    for content in ("{", "[]", "{}", json.dumps(vars(config) | {"more": 1})):
        (tmp_path / "config.json").write_text(content)
        with pytest.raises(CheckpointError, match=r"config\.json"):
            RunFolder.open(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(vars(config) | {"lr": "fast"}))
    with pytest.raises(CheckpointError, match=r"config\.json: lr is 'fast'"):
        RunFolder.open(tmp_path)


def test_a_bit_flipped_in_the_options(tmp_path, config):
    """Each bit at 40 places: it is refused, or (in the space between) says the same."""
    RunFolder.create(tmp_path, config).start()
    file = tmp_path / "config.json"
    content, accepted = file.read_bytes(), 0
    assert RunFolder.open(tmp_path).config == config
    for place in random.Random(0).sample(range(len(content)), 40):
        for bit in range(8):
            changed = bytearray(content)
            changed[place] ^= 1 << bit
            file.write_bytes(changed)
            try:
                found = RunFolder.open(tmp_path).config
            except CheckpointError as error:
                assert "config.json" in str(error)
                continue
            assert found == config, (place, bit)
            accepted += 1
    assert accepted < 0.1 * 8 * 40


def test_options_that_were_edited_are_told(tmp_path, config):
    RunFolder.create(tmp_path, config).start()
    file = tmp_path / "config.json"
    text = file.read_text()
    file.write_text(text.replace(f'"seed": {config.seed}', f'"seed": {config.seed + 1}'))
    with pytest.raises(CheckpointError, match=r"config\.json' is damaged or edited \(wrong SHA-256\)"):
        RunFolder.open(tmp_path)
    file.write_text(json.dumps(vars(config)))  # as earlier versions wrote it
    assert RunFolder.open(tmp_path).config == config


def test_two_runs_in_one_folder_are_refused(tmp_path, config):
    pytest.importorskip("fcntl")
    folder = RunFolder.create(tmp_path, config)
    code = (
        "import sys; from pathlib import Path; from tinyconv.train.folder import RunFolder\n"
        "with RunFolder(Path(sys.argv[1]), None).lock(): print('mine')"
    )
    other = [sys.executable, "-c", code, str(tmp_path)]
    with folder.lock():
        done = subprocess.run(other, capture_output=True, text=True, cwd=ROOT)
        assert "another process is training" in done.stderr and done.stdout == ""
    done = subprocess.run(other, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "mine\n"


def live_on(begun):
    begun.set()
    time.sleep(60)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_does_not_hold_the_lock(tmp_path, config):
    """A worker may outlive a killed run for a moment, in which the run can be resumed already."""
    pytest.importorskip("fcntl")
    folder = RunFolder.create(tmp_path, config)
    context = multiprocessing.get_context("fork")
    with folder.lock():
        begun = context.Event()
        worker = context.Process(target=live_on, args=(begun,), daemon=True)
        worker.start()
        assert begun.wait(30)
        with pytest.raises(ArgumentError, match="another process is training"), folder.lock():
            pass
    try:
        with folder.lock():
            assert worker.is_alive()
    finally:
        worker.kill()
        worker.join()


def test_metrics_are_cut_back_to_the_checkpoint(tmp_path):
    metrics = Metrics(tmp_path / "metrics.jsonl")
    for step in range(1, 7):
        metrics.add({"step": step, "loss": 1 / step})
        if step % 2 == 0:
            metrics.add({"step": step, "held_out_dice": step / 10})
    metrics.write()
    with open(metrics.path, "a") as file:
        file.write('{"step": 7, "lo')
    assert len(metrics.read()) == 9
    metrics.cut_after(step=4, validated_step=2)
    assert [(line["step"], "loss" in line) for line in metrics.read()] == [
        (1, True), (2, True), (2, False), (3, True), (4, True),
    ]  # fmt: skip
    assert Metrics(tmp_path / "none").read() == []


def test_what_a_killed_process_left_unfinished_is_removed_and_nothing_else(tmp_path, config):
    folder = RunFolder.create(tmp_path, config)
    unfinished = [".last.new.safetensors", "..best.new.safetensors.17.tmp", ".config.json.123.tmp"]
    foreign = [".notes.17.tmp", ".config.json.tmp", "last.new.safetensors", ".config.json.12a.tmp", ".tmp"]
    for name in (*unfinished, *foreign):
        (tmp_path / name).write_text("part")
    with folder.lock():
        assert names_in(tmp_path) == sorted([".lock", *foreign])


@pytest.mark.parametrize("depth", [10**400, 0, -3, 2.5, "16", None, [16]])
def test_a_depth_is_a_number_for_images_too(config, depth):
    """Found by fuzzing: it was looked at for volumes only."""
    assert config.dims == 2
    with pytest.raises(CheckpointError, match=r"config\.json: depth is"):
        Config.from_json("config.json", vars(config) | {"depth": depth})


@pytest.mark.parametrize(
    "wrong",
    [
        {"class_weights": [1.0, 2.0, 3.0]},
        {"class_weights": [1.0], "loss": "dice\n"},
        {"loss": "a\nb"},
        {"layout": "a\r\nb"},
        {"data": "mni\n", "layout": "synthetic"},
        {"stain": "\u2028"},
        {"on_bad_image": "a\nb"},
        {"on_not_finite": "a\nb"},
        {"model_options": {"a\nb": 1}, "names": []},
        {"names": ["a\nb"], "exclusive": True},
        {"more\nfields": 1},
    ],
)
def test_line_breaks_in_a_config_do_not_break_the_error(config, wrong):
    """Found by fuzzing: names that were joined to a list, in the error about their weights."""
    fields = vars(config) | {"names": ["a\nb", "c\nd"]} | wrong
    with pytest.raises(CheckpointError) as caught:
        Config.from_json("config.json", fields)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"class_weights": [1.0]}, {"classes": ["a\nb"]}, {"mean": ["\n"]}, {"task": "a\nb"}, {"a\nb": 1}],
)
def test_line_breaks_in_classes_do_not_break_the_error(wrong):
    shape = {"classes": ["a\nb", "c\nd"], "shape": [1, 8, 8], "images": 10, "there": 10}
    made = ClassConfig("mlp", "folder", "x\ny", "x\ny", **shape)
    assert ClassConfig.from_json("config.json", vars(made)) == made
    with pytest.raises(CheckpointError) as caught:
        ClassConfig.from_json("config.json", vars(made) | wrong)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("wrong", [{"lr": -1.0}, {"batch_size": 0}, {"seed": 0.5}])
def test_numbers_out_of_range_are_told_before_an_image_is_read(tmp_path, wrong):
    """The folder has none, which would be the error."""
    (name,) = wrong
    with pytest.raises(ArgumentError, match=f"train: {name} is"):
        make_config("unet", str(tmp_path), None, quick=True, **wrong)
    with pytest.raises(ArgumentError, match=f"train: {name} is"):
        class_recipe.make_config("lenet5", str(tmp_path), None, True, lambda *_: pytest.fail(), **wrong)
