"""`tinyconv train`, `eval`, `predict` and `export` of segmentations: classes, volumes, folders, ensembles."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from tests.cli.command import metrics, refused, tinyconv_command
from tinyconv.data import MNI

SMALL = ["--images", "4", "--size", "32", "--batch-size", "2", "--held-out", "0.25", "--steps", "4"]
NARROW = ["--widths", "2,4"]


def trained(folder, *arguments):
    done = tinyconv_command("train", *arguments, "--run", folder)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


@pytest.fixture
def save_volumes(tmp_path):
    """A function that makes a folder of NIfTI volumes in which bright boxes are class 1, brighter ones 2."""
    nibabel = pytest.importorskip("nibabel")
    affine = np.array([[0, -1.5, 0, 7], [1.5, 0, 0, -3], [0, 0, 2.5, 11], [0, 0, 0, 1]])

    def save(classes=3, count=3):
        rng = np.random.default_rng(0)
        root = tmp_path / "volumes"
        for part in ("images", "masks"):
            (root / part).mkdir(parents=True)
        for number in range(count):
            labels = np.zeros((20, 24, 12 + number), np.uint8)
            labels[4:12, 5 + number : 15, 3:9] = 1
            labels[7:10, 8:12, 4:7] = classes - 1
            values = 100.0 * labels + rng.normal(0, 5, labels.shape)
            for part, array in (("images", values.astype(np.float32)), ("masks", labels)):
                nibabel.save(nibabel.Nifti1Image(array, affine), root / part / f"case {number}.nii.gz")
        return root

    return save


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["unet_bn", "--data", "hearts", *NARROW], "unet_bn on 48 slices of hearts, 1 volumes held out"),
        (["unet3d_bn", "--data", "hearts", *NARROW], "crops of 16 x 32 x 32"),
        (["unet_bn", "--data", "organs", *NARROW, "--dims", "3", "--patches", "1"], "on 3 crops an epoch"),
        (["vnet", "--data", "organs", *NARROW], "crops of 32 x 32 x 32"),
        (["unet2015", "--data", "vessels", *NARROW, "--loss", "focal"], "unet on 3 made vessels"),
        (["enet", "--data", "vessels", "--width", "4"], "enet on 3 made vessels"),
        (["fcn32s", "--data", "vessels", "--width", "1", "--loss", "dice"], "fcn32s on 3 made vessels"),
        (["segnet", "--data", "synthetic", "--widths", "2,2"], "segnet on 3 made images"),
    ],
)
def test_networks_and_the_data_that_they_fit(tmp_path, arguments, said):
    assert said in trained(tmp_path / "run", *arguments, *SMALL)
    for name in ("curves.png", "samples.png"):
        assert Image.open(tmp_path / "run" / name).size[0] >= 300
    assert len([line for line in metrics(tmp_path / "run") if "loss" in line]) == 4


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (
            ["unet3d", "--data", "vessels"],
            ["'unet3d', which takes volumes", "volumes as data"],
        ),
        (["lenet5", "--data", "organs"], ["'lenet5', next to volumes with masks", "vnet"]),
        (["mlp", "--data", "vessels"], ["'mlp', next to images with masks"]),
        (["unet", "--data", "hearts", "--loss", "bce"], ["loss is 'bce'", "ce+dice, ce, dice"]),
        (["unet", "--data", "organs", "--loss", "ce"], ["loss is 'ce'", "bce+dice, bce"]),
        (["unet_bn", "--data", "organs", "--depth", "8"], ["--depth is 8", "volumes only"]),
        (["unet3d_bn", "--data", "organs", "--depth", "12"], ["depth is 12", "a multiple of 8"]),
        (["unet_bn", "--data", "organs", "--widths", "8,x"], ["--widths is '8,x'"]),
        (["enet", "--data", "vessels", "--widths", "8,16"], ["option widths", "what enet takes"]),
        (["unet", "--data", "vessels", "--classes", "3"], ["--classes", "FOLDER"]),
        (["unet", "--data", "mni", "--held-out", "0.5"], ["--held-out"]),
        (["unet", "--data", "digits", "--loss", "dice"], ["--loss", "images with masks"]),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, monkeypatch, arguments, parts):
    monkeypatch.chdir(tmp_path)
    refused(tinyconv_command("train", *arguments), *parts)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("network", ["mlp", "unet"])
def test_a_folder_without_images_is_named_whatever_the_network(tmp_path, network):
    (tmp_path / "empty").mkdir()
    arguments = ("train", network, "--data", tmp_path / "empty", "--run", tmp_path / "run")
    refused(tinyconv_command(*arguments), "empty' is a folder without subfolders", "images/*.png")
    (tmp_path / "empty" / "case" / "images").mkdir(parents=True)
    refused(tinyconv_command(*arguments), "a folder of 0 images")
    assert not (tmp_path / "run").exists()


def test_a_folder_of_classes(tmp_path):
    root = tmp_path / "scenes"
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True)
    for number in range(4):
        labels = np.zeros((40, 36), np.uint8)
        labels[5 : 20 + number, 5:20], labels[10:15, 8:12] = 1, 2
        Image.fromarray(labels * 100).convert("RGB").save(root / "images" / f"{number}.png")
        Image.fromarray(labels).save(root / "masks" / f"{number}.png")
    said = trained(tmp_path / "run", "unet_bn", "--data", root, *NARROW, *SMALL[2:])
    assert "unet_bn on 3 images of" in said
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["names"], config["channels"]) == (["background", "class 1", "class 2"], 3)
    done = tinyconv_command("predict", tmp_path / "run", root / "images" / "0.png", "--out", tmp_path / "o")
    assert done.exit_code == 0 and "% class 2" in done.stdout and "1 class 1, 2 class 2" in done.stdout
    assert np.asarray(Image.open(tmp_path / "o" / "0_mask.png")).max() <= 2
    Image.fromarray(labels + 180).save(root / "masks" / "0.png")
    refused(tinyconv_command("train", "unet", "--data", root), "0.png", "182", "--classes")


def test_volumes_of_a_folder_from_training_to_masks(save_volumes, tmp_path):
    nibabel = pytest.importorskip("nibabel")
    root, run = save_volumes(), tmp_path / "run"
    options = ["--data", root, *NARROW, "--size", 16, "--depth", 8, "--steps", 120, "--lr", "0.02"]
    trained(run, "unet3d_bn", *options)
    done = tinyconv_command("eval", run, "--tta")
    assert done.exit_code == 0, (done.output, done.exception)
    scores = json.loads((run / "eval" / "scores.json").read_text())
    (image,) = scores["images"]
    assert image["dice"]["class 1"] == pytest.approx(scores["classes"]["class 1"]["dice"])
    assert image["dice"]["class 1"] > 0.5
    assert "hausdorff_95_mm" in image and "HD95" in done.stdout and scores["objects"] == {}
    assert Image.open(run / "eval" / "worst.png").size[0] > 600
    file = root / "images" / "case 1.nii.gz"
    done = tinyconv_command("predict", run, file, "--out", tmp_path / "o")
    assert done.exit_code == 0 and "case 1.nii.gz: " in done.stdout
    made, source = nibabel.load(tmp_path / "o" / "case 1_mask.nii.gz"), nibabel.load(file)
    np.testing.assert_array_equal(made.affine, source.affine)
    assert made.shape == source.shape and made.header.get_zooms() == source.header.get_zooms()
    truth = nibabel.load(root / "masks" / "case 1.nii.gz").get_fdata()
    assert ((made.get_fdata() == 1) & (truth == 1)).sum() > 0.5 * (truth == 1).sum()
    Image.new("L", (30, 20)).save(tmp_path / "flat.png")
    assert "takes volumes" in tinyconv_command("predict", run, tmp_path / "flat.png").stderr


def test_a_mask_that_lies_elsewhere(save_volumes, tmp_path):
    nibabel = pytest.importorskip("nibabel")
    root = save_volumes(classes=2)
    path = root / "masks" / "case 0.nii.gz"
    image = nibabel.load(path)
    nibabel.save(nibabel.Nifti1Image(image.get_fdata(), image.affine + np.eye(4)[:, [3, 0, 1, 2]]), path)
    refused(tinyconv_command("train", "unet_bn", "--data", root), "case 0.nii.gz", "mm away")
    (root / "masks" / "case 2.nii.gz").unlink()
    refused(tinyconv_command("train", "unet_bn", "--data", root), "case 2", "alone")


def test_several_runs_answer_together(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    trained(first, "unet_bn", "--data", "synthetic", *NARROW, *SMALL)
    trained(second, "enet", "--data", "synthetic", "--width", 4, *SMALL, "--seed", 1)
    done = tinyconv_command("eval", first, second, "--tta")
    assert done.exit_code == 0, (done.output, done.exception)
    assert "2 networks on the 1 held-out images" in done.stdout and "DSB2018 score" in done.stdout
    assert "f1" in json.loads((first / "eval" / "scores.json").read_text())["objects"]
    Image.new("L", (30, 20), 9).save(tmp_path / "x.png")
    assert tinyconv_command("predict", first, second, tmp_path / "x.png").exit_code == 0
    refused(tinyconv_command("predict", first, second), "FILE")
    trained(tmp_path / "third", "unet_bn", "--data", "vessels", *NARROW, *SMALL)
    refused(tinyconv_command("eval", first, tmp_path / "third"), "names", "vessel", "nuclei")


def test_volumes_are_exported_too(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    trained(tmp_path / "run", "unet3d_bn", "--data", "hearts", *NARROW, *SMALL)
    file = tmp_path / "net.onnx"
    done = tinyconv_command("export", tmp_path / "run", "--onnx", file)
    assert done.exit_code == 0, (done.output, done.exception)
    assert done.stdout == f"wrote {file}: input images (batch, 1, depth, height, width)\n"
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"images": np.zeros((2, 1, 4, 6, 8), np.float32)})
    assert found.shape == (2, 3, 4, 6, 8)


def test_the_slabs_of_the_brain_have_a_gap():
    pytest.importorskip("nilearn")
    (whole, _), (held, labels) = MNI("whole")[0], MNI("held-out")[0]
    (low, _), (high, _) = MNI()
    first, last = (int(np.flatnonzero((whole[0] == held[:, place]).all(axis=(1, 2)))[0]) for place in (0, -1))
    np.testing.assert_array_equal(whole[:, first : last + 1], held)
    assert first - low.shape[1] == whole.shape[1] - high.shape[1] - (last + 1) == 10
    assert set(np.unique(labels)) == {0, 1, 2} and 0.1 < (labels == 1).mean() < 0.5
