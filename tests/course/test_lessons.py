"""The list of lessons, the cells of one, and where figures go."""

from __future__ import annotations

import ast
import importlib.resources
import os
import re
import sys
import traceback
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tinyconv import course, viz
from tinyconv.course import catalogue, runner
from tinyconv.course.catalogue import plain, read_cells
from tinyconv.errors import ArgumentError, DataError, StorageError

LESSONS = Path(__file__).parents[2] / "lessons"

SMALL = '''"""
07. A title: with a colon
=========================

The *summary*, with ``code``
in two lines.

More.
"""

# %%
# First cell
# ----------
# Its text goes over
# two lines.

import os

value = 6 * 7
print("value", value, os.environ["TINYCONV_FIGURES"], __name__)

# %%
# No title here::
#
#     indented

# a comment that is code
assert value == 42, "line 26"
'''


@pytest.fixture
def small(tmp_path, monkeypatch):
    path = tmp_path / "07_small.py"
    path.write_text(SMALL, encoding="utf-8")
    (tmp_path / "notes.py").write_text("no lesson", encoding="utf-8")
    monkeypatch.setattr(catalogue, "lessons_folder", lambda: tmp_path)
    return path


def quiet():
    return Console(file=StringIO(), width=90)


def test_lists_the_files_in_order():
    found = course.lessons()
    names = sorted(path.name for path in LESSONS.glob("[0-9]*.py"))
    assert [lesson.path.name for lesson in found] == names
    assert [lesson.number for lesson in found] == [name[:2] for name in names]
    assert {"04", "16"} <= {lesson.number for lesson in found}


def test_titles_and_summaries_come_from_the_docstrings():
    for lesson in course.lessons():
        assert lesson.title[0].isupper() and not re.search(r"\d\d", lesson.title)
        assert 40 < len(lesson.summary) < 400 and "\n" not in lesson.summary and "`" not in lesson.summary


def test_title_and_summary_of_a_small_lesson(small):
    (lesson,) = course.lessons()
    assert (lesson.number, lesson.title) == ("07", "A title: with a colon")
    assert lesson.summary == "The summary, with code in two lines."
    assert lesson.path == small


@pytest.mark.parametrize("number", [4, "4", "04", " 04 "])
def test_finds_a_lesson_by_number(number):
    assert course.find_lesson(number).path.name == "04_convolution.py"


@pytest.mark.parametrize("number", ["99", "", "convolution", -1, "004"])
def test_a_wrong_number_lists_what_there_is(number):
    with pytest.raises(ArgumentError) as caught:
        course.run_lesson(number)
    assert repr(str(number)) in str(caught.value)
    listed = re.findall(r"\b(\d\d) \(", str(caught.value))
    assert listed == [lesson.number for lesson in course.lessons()]


def test_without_lessons_the_error_says_so(tmp_path):
    with pytest.raises(ArgumentError, match="none is installed"):
        course.find_lesson("04", tmp_path)


def test_a_lesson_that_is_no_python_is_named(tmp_path):
    (tmp_path / "01_broken.py").write_text("def", encoding="utf-8")
    with pytest.raises(DataError, match=r"01_broken\.py"):
        course.lessons(tmp_path)


def test_the_installed_package_comes_first(small, tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(importlib.resources, "files", {"tinyconv.lessons": tmp_path}.__getitem__)
    assert [lesson.number for lesson in course.lessons()] == ["07"]


def test_the_table_shows_every_lesson():
    console = quiet()
    course.print_lessons(console)
    printed = console.file.getvalue()
    for lesson in course.lessons():
        assert lesson.number in printed and lesson.title in printed
    assert f"tinyconv learn {course.lessons()[0].number}" in printed


@pytest.mark.parametrize("path", sorted(LESSONS.glob("[0-9]*.py")), ids=lambda path: path.stem)
def test_the_cells_are_the_whole_lesson(path):
    whole = ast.parse(path.read_text(encoding="utf-8")).body[1:]
    parts = [statement for cell in read_cells(path) for statement in ast.parse(cell.code).body]
    if isinstance(parts[0], ast.Expr):  # the docstring
        parts = parts[1:]
    assert [ast.dump(a, include_attributes=True) for a in parts] == [
        ast.dump(a, include_attributes=True) for a in whole
    ]


def test_cells_have_titles_and_text(small):
    first, second, third = read_cells(small)
    assert (first.title, first.text) == (
        "07. A title: with a colon",
        "The *summary*, with ``code``\nin two lines.\n\nMore.",
    )
    assert (second.title, second.text) == ("First cell", "Its text goes over\ntwo lines.")
    assert (third.title, third.text) == ("", "No title here::\n\n    indented")
    assert "# a comment that is code" in third.code


def test_marks_of_markup_are_left_out():
    assert plain("``a * b``, *very*, **bold**, 2 * 3 * 4, :math:`x`") == "a * b, very, bold, 2 * 3 * 4, x"


def test_running_prints_text_and_output(small, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("TINYCONV_FIGURES", raising=False)
    main, console = sys.modules["__main__"], quiet()
    assert course.run_lesson(7, figures=tmp_path / "drawn", console=console).path == small
    assert capsys.readouterr().out.strip() == f"value 42 {tmp_path / 'drawn'} __main__"
    printed = console.file.getvalue()
    assert "1/2  First cell" in printed and "Its text goes over two lines." in printed
    assert "    indented" in printed and str(small) in printed
    assert "TINYCONV_FIGURES" not in os.environ
    assert sys.modules["__main__"] is main


def test_an_error_in_a_lesson_names_its_line(small, monkeypatch):
    small.write_text(SMALL.replace("6 * 7", "6 * 8"), encoding="utf-8")
    main = sys.modules["__main__"]
    with pytest.raises(AssertionError, match="line 26") as caught:
        course.run_lesson("07", figures="unused", console=quiet())
    last = traceback.extract_tb(caught.tb)[-1]
    assert Path(last.filename) == small
    assert SMALL.splitlines()[last.lineno - 1].startswith("assert value")
    assert sys.modules["__main__"] is main


@pytest.mark.parametrize(("value", "expected"), [(None, False), ("", False), ("0", False), ("1", True)])
def test_quick(value, expected, monkeypatch):
    monkeypatch.delenv("TINYCONV_QUICK", raising=False)
    if value is not None:
        monkeypatch.setenv("TINYCONV_QUICK", value)
    assert runner.is_quick() is expected


def test_figures_go_where_the_variable_says(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TINYCONV_FIGURES", str(tmp_path / "a" / "b"))
    path = course.figure_path("map.png")
    assert path == tmp_path / "a" / "b" / "map.png" and path.parent.is_dir()
    assert capsys.readouterr().out == f"figure: {path}\n"


def test_figures_go_into_figures_by_default(tmp_path, monkeypatch):
    monkeypatch.delenv("TINYCONV_FIGURES", raising=False)
    monkeypatch.chdir(tmp_path)
    assert course.figure_path("map.png").resolve() == (tmp_path / "figures" / "map.png").resolve()


@pytest.mark.parametrize("name", ["", "a/b.png", "../map.png"])
def test_a_figure_has_a_plain_name(name):
    with pytest.raises(ArgumentError, match="name is"):
        course.figure_path(name)


def test_a_folder_that_cannot_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TINYCONV_FIGURES", str(tmp_path / "file"))
    with pytest.raises(StorageError, match="folder is"):
        course.figure_path("map.png")


def test_a_picture_shows_itself_in_a_notebook(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYCONV_FIGURES", str(tmp_path))
    picture = course.show(viz.matrix_figure([[1, 2]], "title"), "map.png")
    assert picture.path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert picture._repr_html_().startswith('<img alt="map"')
    moving = course.show(viz.convolution_animation([[1, 2]], [[3]], then=()), "moving.html")
    assert moving._repr_html_() == (tmp_path / "moving.html").read_text(encoding="utf-8")


def test_no_lesson_names_one_that_comes_after_it():
    for lesson in course.lessons(LESSONS):
        named = re.findall(r"\blessons? (\d+)", lesson.path.read_text(encoding="utf-8"))
        assert [number for number in named if int(number) > int(lesson.number)] == [], lesson.path.name


FIRST_NAMED = {
    "dilat": 4, "LeNet": 9, "AlexNet": 10, "VGG": 10, "Inception": 11, "GoogLeNet": 11, "ResNet": 12,
    "DenseNet": 12, "FCN": 14, "SegNet": 15, "U-Net": 16, "ENet": 18, "V-Net": 19,
}  # fmt: skip
"""What a lesson speaks of only when this lesson has explained it, or a later one."""


def named_too_early(lesson):
    """The words of `FIRST_NAMED` a lesson uses before they are explained; its last line may look ahead."""
    text = "\n".join(f"{cell.title}\n{cell.text}" for cell in read_cells(lesson.path))
    text = text.partition("Next: ``tinyconv learn")[0]
    later = [word for word, number in FIRST_NAMED.items() if number > int(lesson.number)]
    return [word for word in later if re.search(rf"\b{word}", text, re.IGNORECASE)]


def test_no_lesson_names_a_network_that_comes_after_it(small):
    small.write_text(SMALL.replace("goes over", "is that of SegNet, AlexNet and"), encoding="utf-8")
    assert named_too_early(catalogue.find_lesson("07")) == ["AlexNet", "SegNet"]
    for lesson in course.lessons(LESSONS):
        assert named_too_early(lesson) == [], lesson.path.name


def test_each_network_is_explained_in_the_lesson_that_is_said_to():
    for word, number in FIRST_NAMED.items():
        text = course.find_lesson(number).path.read_text(encoding="utf-8")
        assert re.search(rf"\b{word}", text), word


def test_each_lesson_leads_to_the_next_that_there_is():
    there = course.lessons()
    for lesson, following in zip(there, [*there[1:], None], strict=True):
        named = re.findall(r"Next: ``tinyconv learn (\d\d)``", lesson.path.read_text(encoding="utf-8"))
        assert named == ([following.number] if following else []), lesson.path.name
