"""`tinyconv train --resume` with run folders that are whole, damaged, or not on a disk with room."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli.command import ROOT, UNIX, numbers, refused, tinyconv_command
from tinyconv.io import load_state
from tinyconv.train.checkpoint import Checkpoint, save_checkpoint, signed


def test_a_finished_run_has_nothing_left_to_do(run):
    before = numbers(run[0])
    done = tinyconv_command("train", "--resume", run[0])
    assert done.exit_code == 0 and "wrote" in done.stdout
    assert numbers(run[0]) == before


def test_a_checkpoint_cut_in_half(copy):
    for name in ("last", "best"):
        (file,) = copy.glob(f"{name}-*.safetensors")
        os.truncate(file, file.stat().st_size // 2)
        command = ("train", "--resume", copy) if name == "last" else ("predict", copy, "x.png")
        refused(tinyconv_command(*command), file.name, "cut short")


def test_a_checkpoint_of_another_model(copy):
    path = copy / "last.json"
    text = path.read_text()
    path.write_text(changed(text, "model_name", "lenet5"))
    refused(tinyconv_command("train", "--resume", copy), "'lenet5'", "'unet_slides'")
    described = json.loads(text)
    tensors, _ = load_state(copy / described["numbers"]["file"])
    tensors["model.head.weight"] = np.zeros((2, 16, 1, 1), np.float32)
    fields = {key: described[key] for key in ("optimizer", "position", "random_state", "scores")}
    save_checkpoint(copy, "last", Checkpoint("unet_slides", {}, tensors, **fields))
    refused(tinyconv_command("train", "--resume", copy), "head.weight", "(1, 16, 1, 1)")


def test_data_of_a_resumed_run_that_changed(copy, save_nuclei):
    config = json.loads((copy / "config.json").read_text())
    config |= {"data": str(save_nuclei(3)), "images": 5}
    (copy / "config.json").write_text(json.dumps(signed(config)))
    refused(tinyconv_command("train", "--resume", copy), "layout", "'synthetic'", "that of the data")
    (copy / "config.json").write_text(json.dumps(signed(config | {"layout": "kaggle"})))
    refused(tinyconv_command("train", "--resume", copy), "3 images", "the 5")


@UNIX
def test_a_full_disk_while_saving_leaves_the_earlier_checkpoint(copy):
    """A limit of the file size stands for the disk: the 23 MB of the last checkpoint do not fit."""
    before = numbers(copy)
    path = copy / "config.json"
    path.write_text(json.dumps(signed(json.loads(path.read_text()) | {"epochs": 5})))
    script = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000_000, 20_000_000))\n"
        "from tinyconv.cli import main; main()"
    )
    command = [sys.executable, "-c", script, "train", "--resume", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2, done.stderr
    assert "not written (File too large)" in done.stderr and "Traceback" not in done.stderr
    assert numbers(copy) == before
    assert not list(copy.glob(".*tmp*"))


def test_a_run_of_an_earlier_version_goes_on(copy):
    """Its files lack what was thought of later; the defaults stand for that, and the training is the same."""
    config = json.loads((copy / "config.json").read_text())
    for name in ("accumulate", "clip_norm", "ema", "patience", "on_not_finite", "on_bad_image"):
        del config[name]
    del config["sha256"]
    last = json.loads((copy / "last.json").read_text())
    for name in ("called_off", "skipped", "first_step_seconds"):
        del last["position"][name]
    del last["callbacks"], last["sha256"]
    (group,) = last["optimizer"]["param_groups"]
    first = ("lr", "betas", "eps", "weight_decay", "params")
    last["optimizer"]["param_groups"] = [{name: group[name] for name in first}]
    now, then = copy, Path(shutil.copytree(copy, copy.parent / "then"))
    longer = signed(json.loads((now / "config.json").read_text()) | {"epochs": 5})
    for folder, described in ((now, longer), (then, config | {"epochs": 5})):
        (folder / "config.json").write_text(json.dumps(described))
    (then / "last.json").write_text(json.dumps(last))
    for folder in (now, then):
        done = tinyconv_command("train", "--resume", folder)
        assert done.exit_code == 0, done.output
    assert numbers(then) == numbers(now)
    assert numbers(then)[2]["step"] == 15


@pytest.fixture(scope="module")
def whole(run, tmp_path_factory):
    """A copy of the finished run, whose JSON files each test puts back."""
    return Path(shutil.copytree(run[0], tmp_path_factory.mktemp("damaged") / "copy"))


def changed(text, place, value):
    """JSON with another value at the dotted place."""
    content = json.loads(text)
    *path, key = place.split(".")
    entry = content
    for part in path:
        entry = entry[int(part) if isinstance(entry, list) else part]
    entry[key] = value
    return json.dumps(signed(content) if "sha256" in content else content)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("scores", {}),
        ("scores.best_held_out_dice", "high"),
        ("scores.held_out_dice", None),
        ("scores.best_step", 1.5),
        ("position.step", "3"),
        ("position.seconds", "long"),
        ("position.seconds", float("nan")),
        ("position.validation_seconds", -1.0),
        ("position.first_step_seconds", "0"),
        ("position.validated_step", None),
        ("position.validated_step", 13),
        ("position.epoch", -1),
        ("position.epoch", "a"),
        ("position.batch", 4),
        ("position.out_of_time", 1),
        ("position.more", 1),
        ("random_state", {}),
        ("random_state.masks_drawn", -1),
        ("random_state.seed", -1),
        ("random_state.generator", -1),
        ("random_state.generator.state.state", -1),
        ("random_state.generator.bit_generator", "dice"),
        ("optimizer.state", {}),
        ("optimizer.state.zz", {"step": 3}),
        ("optimizer.state.0.step", "3"),
        ("optimizer.state.0.other", 3),
        ("optimizer.state.0", {}),
        ("optimizer.param_groups", {}),
        ("optimizer.param_groups.0.betas", "xy"),
        ("optimizer.param_groups.0.betas", [None, 1]),
        ("optimizer.param_groups.0.lr", "x"),
        ("numbers.file", "a" * 300),
        ("numbers.file", "a\0b"),
    ],
)
def test_a_last_json_that_was_edited(whole, place, value):
    path = whole / "last.json"
    text = path.read_text()
    path.write_text(changed(text, place, value))
    done = tinyconv_command("train", "--resume", whole)
    path.write_text(text)
    refused(done)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("data", 5),
        ("data", None),
        ("data", "a" * 300),
        ("label", []),
        ("stain", {}),
        ("model", 1),
        ("lr", {}),
    ],
)
def test_a_config_json_that_was_edited(whole, place, value):
    path = whole / "config.json"
    text = path.read_text()
    path.write_text(changed(text, place, value))
    done = tinyconv_command("train", "--resume", whole)
    path.write_text(text)
    refused(done, "" if isinstance(value, str) else f"config.json: {place} is {value!r}")


@pytest.mark.parametrize("options", [{"weights": "DEFAULT"}, {"name": "lenet5"}, {"widths": "a\nb"}])
def test_options_of_the_network_that_were_edited(whole, options):
    for name, command in (("config", ("train", "--resume", whole)), ("best", ("predict", whole, "x.png"))):
        path = whole / f"{name}.json"
        text = path.read_text()
        path.write_text(changed(text, "model_options", options))
        done = tinyconv_command(*command)
        path.write_text(text)
        refused(done, *options, "unet_slides")


@pytest.mark.parametrize("name", ["config.json", "last.json"])
@pytest.mark.parametrize("content", ["[" * 100_000, "[1", "5", "9" * 5000], ids=["deep", "cut", "5", "huge"])
def test_json_that_is_no_run_s(whole, name, content):
    path = whole / name
    text = path.read_text()
    path.write_text(content)
    done = tinyconv_command("train", "--resume", whole)
    path.write_text(text)
    refused(done, name)


@pytest.mark.parametrize(
    "content",
    [
        None, "{", "[]", "{}", "[" * 100_000, '{"images": 3}', '{"images": [3]}',
        '{"images": [{"index": 2, "dice": 0.5}]}', '{"images": [{"index": 0, "dice": "good"}]}',
    ],
)  # fmt: skip
def test_without_a_usable_held_out_json_there_is_no_sheet(whole, content):
    path = whole / "held_out.json"
    text = path.read_text()
    path.unlink()
    if content is not None:
        path.write_text(content)
    done = tinyconv_command("train", "--resume", whole)
    path.write_text(text)
    assert done.exit_code == 0, (done.output, done.exception)
    assert "no samples.png: load: " in done.stdout and "held_out.json" in done.stdout


def test_metrics_that_were_edited_are_passed_over(copy):
    with open(copy / "metrics.jsonl", "a") as file:
        file.write('{"step": 3, "loss": "low"}\n{"step": "three", "loss": 1}\n' + "[" * 100_000 + "\n5\n")
    assert tinyconv_command("train", "--resume", copy).exit_code == 0
