"""Every lesson as a notebook: valid, complete, and runnable."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys

import pytest

from tests.cli.command import ROOT, tinyconv_command
from tinyconv import course
from tinyconv.course.catalogue import read_cells
from tinyconv.course.notebook import markdown, notebook
from tinyconv.errors import ArgumentError

LESSONS = course.lessons()


def sources(book, kind):
    return ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)
def test_it_is_valid_and_holds_all_cells(lesson):
    nbformat = pytest.importorskip("nbformat")
    book = json.loads(json.dumps(notebook(lesson)))
    nbformat.validate(book)
    code = [statement for source in sources(book, "code") for statement in ast.parse(source).body]
    whole = ast.parse(lesson.path.read_text(encoding="utf-8")).body[1:]
    assert [ast.dump(a) for a in code] == [ast.dump(b) for b in whole]
    texts = "\n".join(sources(book, "markdown"))
    titles = [cell.title for cell in read_cells(lesson.path) if cell.title]
    assert [title for title in titles if title not in texts] == []
    assert texts.startswith(f"# {lesson.number}. ")
    words = re.findall(r"\w{4,}", "\n".join(cell.text for cell in read_cells(lesson.path)))
    assert set(words) - set(re.findall(r"\w{4,}", texts)) <= {"math"}
    assert "``" not in texts and ".. math" not in texts


def test_markup():
    text = "A ``b`` and :math:`x^2`::\n\n    code\n\n.. math:: y = x\n\nend"
    assert markdown(text) == "A `b` and $x^2$:\n\n    code\n\n$$y = x$$\n\nend"
    assert markdown(".. math::\n\n   a\n   b\n\n   c\n\nend") == "$$a\nb\n\nc$$\n\nend"


def test_the_command_writes_it_and_keeps_what_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = tinyconv_command("learn", "9", "--notebook")
    assert done.exit_code == 0 and "09_lenet.ipynb" in done.stdout
    written = (tmp_path / "09_lenet.ipynb").read_bytes()
    assert json.loads(written) == notebook(course.find_lesson(9))
    (tmp_path / "09_lenet.ipynb").write_bytes(written + b" ")
    again = tinyconv_command("learn", "9", "--notebook")
    assert again.exit_code == 2 and (tmp_path / "09_lenet.ipynb").read_bytes() == written + b" "
    course.write_notebook(9, overwrite=True)
    assert (tmp_path / "09_lenet.ipynb").read_bytes() == written
    assert tinyconv_command("learn", "--notebook").exit_code == 2
    with pytest.raises(ArgumentError, match="99"):
        course.write_notebook("99", tmp_path)


def test_its_cells_run_from_top_to_bottom(tmp_path):
    script = "\n\n".join(sources(notebook(course.find_lesson("01")), "code"))
    environment = {**os.environ, "TINYCONV_QUICK": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "figures").glob("01_*.png"))
