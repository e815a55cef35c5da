"""The lessons run from top to bottom, and draw what they say."""

from __future__ import annotations

import base64
import functools
import os
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyconv.viz import convolution_animation

ROOT = Path(__file__).parents[2]
LESSONS = {path.name[:2]: path for path in sorted((ROOT / "lessons").glob("[0-9]*.py"))}
AS_SCRIPT = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"
AS_LESSON = "import sys; from tinyconv import course; course.run_lesson(sys.argv[1])"

# Width and height in pixels where they follow from the numbers shown: see `viz.matrix_figure`
# (cells of 16 / 24 inch for 23 cells) and `viz.segmentation_sheet` (2 held-out images when quick).
SIZES = {
    "04": {
        "04_one_dimension.png": (1500, 180),
        "04_first_window.png": (900, 330),
        "04_feature_map.png": (1600, 493),
        "04_padding.png": (900, 480),
        "04_what_a_filter_sees.png": (1200, 770),
    },
    "16": {
        "16_dice_by_hand.png": (1125, 405),
        "16_curves.png": (1280, 460),
        "16_unet.png": (1200, 690),
        "16_otsu.png": (1200, 690),
    },
}


def run(code, argument, figures):
    environment = {
        **os.environ,
        "TINYCONV_QUICK": "1",
        "TINYCONV_FIGURES": str(figures),
        "PYTHONPATH": str(ROOT),
    }
    environment.pop("DISPLAY", None)
    return subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning:tinyconv", "-c", code, str(argument)],
        capture_output=True, text=True, encoding="utf-8", env=environment, cwd=figures, timeout=300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Gives, for a lesson's number, the folder of its figures and what its run printed; each runs once."""

    @functools.cache
    def of(number):
        folder = tmp_path_factory.mktemp(f"lesson{number}")
        as_lesson = number == "16"  # one by its number, as the command does; the others as scripts
        return folder, run(*((AS_LESSON, number) if as_lesson else (AS_SCRIPT, LESSONS[number])), folder)

    return of


@pytest.fixture
def convolution(ran):
    return ran("04")


@pytest.fixture
def unet(ran):
    return ran("16")


@pytest.mark.parametrize("number", LESSONS)
def test_runs_and_draws_its_figures(number, ran):
    folder, done = ran(number)
    assert done.returncode == 0, done.stderr
    wanted = set(re.findall(rf'"({number}_\w+\.(?:png|html))"', LESSONS[number].read_text(encoding="utf-8")))
    assert wanted and {path.name for path in folder.iterdir()} == wanted
    for name in wanted:
        assert f"figure: {folder / name}" in done.stdout
    for path in folder.glob("*.png"):
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("L"))
        assert 0.005 < (pixels != 255).mean() < 0.999, path.name
        assert len(np.unique(pixels)) > 10, path.name


@pytest.mark.parametrize("number", SIZES)
def test_figures_have_the_size_that_their_numbers_need(number, ran):
    for name, size in SIZES[number].items():
        with Image.open(ran(number)[0] / name) as picture:
            assert picture.size == size, name


def test_convolution_prints_the_slides_numbers(convolution):
    printed = convolution[1].stdout
    assert "[50. 60. 10.] on the filter: 40" in printed
    assert "255 x -0.7 =  -178.5" in printed
    assert "sum            =    32.5" in printed
    assert re.search(r"\[\[104\. +224\. +\]\s+\[217\.5 +52\.5\]\]", printed)


def test_animation_has_a_frame_per_step_and_ends_with_the_pooled_map(convolution):
    page = (convolution[0] / "04_animation.html").read_text(encoding="utf-8")
    frames = re.findall(r'frames\[(\d+)\] = "data:image/png;base64,([^"]+)"', page)
    assert [int(number) for number, _ in frames] == list(range(1 + 16 + 1 + 4))
    last = np.asarray(Image.open(BytesIO(base64.b64decode(frames[-1][1].replace("\\\n", "")))))

    image = [[255, 220, 150, 200, 110, 100], [240, 50, 35, 45, 200, 130], [0, 20, 245, 250, 230, 120]]
    image += [[170, 180, 235, 145, 170, 255], [190, 185, 170, 165, 130, 120], [255, 255, 245, 190, 200, 175]]
    animation = convolution_animation(image, [[-0.7, 0.2, 0.1], [0.3, 0.5, 0.4], [-0.2, -0.4, 0.2]])
    figure = animation._fig
    figure.canvas.draw()
    animation._draw_next_frame(21, blit=False)
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert shown[shown.index("max pool 2×2") + 1 :][:4] == ["104", "224", "217.5", "52.5"]
    expected = BytesIO()
    figure.savefig(expected, format="png", dpi=100)
    assert np.array_equal(last, np.asarray(Image.open(expected)))


def test_the_animation_needs_no_network(convolution):
    assert "://" not in (convolution[0] / "04_animation.html").read_text(encoding="utf-8")


def test_unet_counts_the_parameters_and_prints_its_text(unet):
    printed = unet[1].stdout
    assert re.search(r"all together +1,941,105", printed)
    assert "Dice = 2 * 3 / (4 + 5) = 0.667" in printed
    assert "16. U-Net: where and what ─" in printed
    assert "Figures: " in printed and "16_unet.py" in printed
