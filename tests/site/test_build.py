"""The build: no warning, every lesson and guide in its menu, every public name in the reference."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys

import pytest

from tests.site.pages import DOCS, ROOT

LESSONS = sorted(path.stem for path in (ROOT / "lessons").glob("[0-9]*.py"))
ROOMS = ("nn", "nn.functional", "optim", "data", "train", "metrics", "models", "viz", "io", "course")


def test_builds_without_a_warning(build):
    status, complaints, folder = build
    assert complaints == []
    assert status == 0 and (folder / "index.html").is_file()


def test_every_lesson_is_there_as_page_script_and_notebook(site):
    menu = (site / "lessons" / "index.html").read_text(encoding="utf-8")
    for lesson in LESSONS:
        assert (site / "lessons" / f"{lesson}.html").is_file()
        assert f"{lesson}.html" in menu
    notebooks = {path.stem: path for path in (site / "_downloads").rglob("*.ipynb")}
    assert set(LESSONS) <= set(notebooks)
    cells = json.loads(notebooks["04_convolution"].read_text(encoding="utf-8"))["cells"]
    assert {cell["cell_type"] for cell in cells} == {"code", "markdown"}
    assert any("F.conv2d" in "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def test_the_lesson_that_ran_has_its_figures_and_what_it_printed(site):
    page = (site / "lessons" / "04_convolution.html").read_text(encoding="utf-8")
    assert "sum            =    32.5" in page
    lesson = (ROOT / "lessons" / "04_convolution.py").read_text(encoding="utf-8")
    pictures = lesson.count("course.show(") - lesson.count("course.show(animation")
    assert len(re.findall(r"<img[^>]*sphx-glr-single-img", page)) == pictures > 0
    assert (site / "lessons" / "04_animation.html").is_file() and 'src="04_animation.html"' in page
    assert "figure: figures" in page and str(ROOT) not in page


def test_every_guide_is_in_the_menu(site):
    menu = (site / "guides.html").read_text(encoding="utf-8")
    for path in DOCS.glob("*.md"):
        if path.stem not in ("index", "guides"):
            assert f'href="{path.stem}.html"' in menu, path.stem


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_is_in_the_reference(room, site):
    module = importlib.import_module(f"tinyconv.{room}")
    pages = "".join(path.read_text(encoding="utf-8") for path in (site / "reference").rglob("*.html"))
    missing = []
    for name in module.__all__:
        value = getattr(module, name)
        if callable(value) and getattr(value, "__module__", "").startswith("tinyconv"):
            places = [f'id="{value.__module__}.{name}"', *(f'id="tinyconv.{r}.{name}"' for r in ROOMS)]
            missing += [] if any(place in pages for place in places) else [name]
    assert missing == []


def test_options_are_explained():
    done = subprocess.run([sys.executable, str(DOCS / "build.py"), "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "--quick" in done.stdout and "--lessons" in done.stdout
