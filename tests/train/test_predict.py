from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import tinyconv as tc
from tinyconv import nn
from tinyconv.data import SegmentationData, SyntheticNuclei, normalize
from tinyconv.errors import CheckpointError, StorageError
from tinyconv.io import save_state
from tinyconv.metrics import dice
from tinyconv.train.checkpoint import Checkpoint, save_checkpoint
from tinyconv.train.evaluate import evaluate, spread, summarize
from tinyconv.train.predict import load_model, predict_files
from tinyconv.train.segmenter import Segmenter


class Brightness(nn.Module):
    """Finds what is brighter than `weight`, by scores; as demanding about sizes as a U-Net."""

    multiple, in_channels = 16, 3

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(tc.tensor([0.5]))

    def forward(self, x):
        assert x.shape[1] == 3 and x.shape[2] % 16 == x.shape[3] % 16 == 0
        return (x.mean(1, keepdim=True) - self.weight) * 50


@pytest.fixture
def run(tmp_path):
    """The folder of a run whose model finds what is brighter than 0.5."""
    folder = tmp_path / "run"
    folder.mkdir()
    save_checkpoint(folder, "best", Checkpoint("brightness", {}, {"model.weight": np.array([0.5], "f")}))
    return folder


def create(name, **options):
    assert name == "brightness"
    return Brightness(**options)


def write_image(path, height=20, width=33, mode="L"):
    grey = np.zeros((height, width), np.uint8)
    grey[: height // 2, : width // 3] = 200
    Image.fromarray(grey).convert(mode).save(path)
    return grey > 0


@pytest.mark.parametrize(("height", "width"), [(1, 1), (20, 33), (3, 100), (64, 64)])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_images_of_any_size_and_colour(tmp_path, run, height, width, mode):
    bright = write_image(tmp_path / "a.png", height, width, mode)
    (done,) = predict_files(Segmenter(load_model(run, create)), [tmp_path / "a.png"], tmp_path / "out")
    assert done.error is None
    assert [file.name for file in done.files] == ["a_mask.png", "a_overlay.png"]
    mask, overlay = (np.asarray(Image.open(file)) for file in done.files)
    assert mask.shape == (height, width) and overlay.shape == (height, width, 3)
    np.testing.assert_array_equal(mask, bright * 255)
    assert done.shares == pytest.approx((bright.mean(),))


def test_bad_images_are_named_and_the_others_done(tmp_path, run):
    write_image(tmp_path / "good.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:60])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "b").mkdir()
    write_image(tmp_path / "b" / "good.png")
    names = ["cut.png", "none.png", "good.png", "empty.png", "b/good.png", "b"]
    results = list(
        predict_files(
            Segmenter(load_model(run, create)), [tmp_path / name for name in names], tmp_path / "out"
        )
    )
    assert [result.error is None for result in results] == [False, False, True, False, False, False]
    for result, name in zip(results, names, strict=True):
        assert result.error is None or name.split("/")[-1] in str(result.error)
    assert "named like" in str(results[4].error)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "good_mask.png",
        "good_overlay.png",
    ]


def test_a_place_that_cannot_be_written(tmp_path, run):
    write_image(tmp_path / "a.png")
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageError, match="out"):
        list(predict_files(Segmenter(load_model(run, create)), [tmp_path / "a.png"], tmp_path / "out"))


def test_weights_that_cannot_be_used(tmp_path, run):
    with pytest.raises(CheckpointError, match="RUN"):
        load_model(tmp_path / "none", create)
    wrong = {"model.weight": np.ones(2, "f")}
    save_checkpoint(run, "best", Checkpoint("brightness", {}, wrong))
    with pytest.raises(CheckpointError, match=r"weight is of shape \(2,\)"):
        load_model(run, create)
    save_checkpoint(run, "best", Checkpoint("brightness", {}, {"model.weight": np.array([np.nan], "f")}))
    with pytest.raises(CheckpointError, match="NaN or infinite in weight"):
        load_model(run, create)
    save_state(next(run.glob("best-*.safetensors")), wrong)
    with pytest.raises(CheckpointError, match="SHA-256"):
        load_model(run, create)


def test_evaluation_scores_whole_images():
    data = SegmentationData.held_out(SyntheticNuclei(3, 48))
    segmenter = Segmenter(Brightness())
    results = list(evaluate(segmenter, data))
    for index, result in enumerate(results):
        image, mask = data[index]
        found = 1 / (1 + np.exp(-50 * (image.mean(0) - 0.5)))
        assert result.counts.dice == pytest.approx(dice(found[None], mask)[0], abs=1e-3)
    mean = np.mean([result.counts.dice for result in results])
    assert summarize(results)["held_out_dice"] == pytest.approx(mean)
    assert len(list(evaluate(segmenter, data, stopping=lambda: True))) == 0


def test_a_large_image_is_cut_into_tiles():
    image = normalize(np.random.default_rng(0).random((3, 40, 1000), dtype=np.float32))
    sizes = []

    class Seen(Brightness):
        def forward(self, x):
            sizes.append(x.shape)
            return super().forward(x)

    assert Segmenter(Seen())(image).shape == (1, 40, 1000)
    assert sizes == [(1, 3, 48, 768)] * 2


def test_samples_go_from_the_best_to_the_worst():
    scored = [{"dice": value} for value in (0.2, 0.9, 0.5, 0.7, 0.6, 0.1, 0.8)]
    assert [entry["dice"] for entry in spread(scored)] == [0.9, 0.7, 0.5, 0.1]
    assert [entry["dice"] for entry in spread(scored[:2])] == [0.9, 0.2]
