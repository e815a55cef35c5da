"""`tinyconv predict`."""

from __future__ import annotations

import numpy as np
from PIL import Image

from tests.cli.command import refused, tinyconv_command


def test_predict_writes_masks_and_overlays(run, tmp_path):
    for name, size in (("wide", (70, 41)), ("small", (9, 5))):
        Image.fromarray(np.random.default_rng(0).integers(0, 255, size, np.uint8)).save(
            tmp_path / f"{name}.png"
        )
    done = tinyconv_command(
        "predict", run[0], tmp_path / "wide.png", tmp_path / "small.png", "--out", tmp_path / "o"
    )
    assert done.exit_code == 0, done.output
    assert np.asarray(Image.open(tmp_path / "o" / "wide_mask.png")).shape == (70, 41)
    assert np.asarray(Image.open(tmp_path / "o" / "small_overlay.png")).shape == (9, 5, 3)
    assert "wide.png: " in done.stdout and f"for 2 images into {tmp_path / 'o'}" in done.stdout


def test_predict_reports_bad_images_and_does_the_others(run, tmp_path):
    Image.new("L", (30, 20)).save(tmp_path / "good.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:50])
    done = tinyconv_command(
        "predict", run[0], tmp_path / "cut.png", tmp_path / "good.png", "--out", tmp_path / "o"
    )
    assert done.exit_code == 2
    assert "cut.png" in done.stderr and "1 of 2 images" in done.stderr and "Traceback" not in done.output
    assert (tmp_path / "o" / "good_mask.png").exists()


def test_the_images_of_a_folder(run, tmp_path):
    folder = tmp_path / "my cells é"
    (folder / "deeper").mkdir(parents=True)
    for name in ("b c.PNG", "a.tif", "._a.tif", "deeper/d.png"):
        Image.new("L", (20, 30)).save(folder / name)
    (folder / "notes.txt").write_text("none")
    done = tinyconv_command("predict", run[0], folder, "--out", tmp_path / "o")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines[:2]] == ["a.tif", "b c.PNG"] and "for 2 images" in lines[2]
    refused(tinyconv_command("predict", run[0], tmp_path / "o" / ".."), "without images")
