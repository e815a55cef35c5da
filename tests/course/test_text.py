"""The text of the lessons as a terminal shows it: headings, paragraphs, formulas."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console

from tinyconv import course
from tinyconv.course import catalogue, runner
from tinyconv.course.catalogue import read_cells
from tinyconv.course.formulas import readable

INNER = '''"""
07. A title
===========

Summary.
"""

# %%
# Text before a heading.
#
# Inner
# -----
# Below it.
#
# Next
# ----
#
# .. math:: e = \\frac{a + b}{2}
#
# The end.

value = 1
raise ValueError("line 23")
'''


@pytest.fixture
def inner(tmp_path, monkeypatch):
    path = tmp_path / "07_inner.py"
    path.write_text(INNER, encoding="utf-8")
    monkeypatch.setattr(catalogue, "lessons_folder", lambda: tmp_path)
    return path


def printed(path, width=80):
    """What `tinyconv learn` shows of a lesson, without what its code prints."""
    console = Console(file=StringIO(), width=width)
    for cell in read_cells(path):
        runner._print_text(cell, "", console)
    return console.file.getvalue()


def test_a_cell_with_headings_is_several_and_its_code_belongs_to_the_last(inner):
    cells = [(cell.title, cell.text, bool(cell.code.strip())) for cell in read_cells(inner)[1:]]
    assert cells == [
        ("", "Text before a heading.", False),
        ("Inner", "Below it.", False),
        ("Next", ".. math:: e = \\frac{a + b}{2}\n\nThe end.", True),
    ]
    with pytest.raises(ValueError, match="line 23") as caught:
        course.run_lesson("07", figures="unused", console=Console(file=StringIO()))
    assert caught.traceback[-1].lineno + 1 == 23


def test_headings_are_rules_and_formulas_are_indented(inner):
    lines = printed(inner).splitlines()
    assert [line.rstrip("─") for line in lines if "──" in line] == ["07. A title ", "Inner ", "Next "]
    assert "    e = (a + b) / 2" in lines and "Below it." in lines


@pytest.mark.parametrize("lesson", course.lessons(), ids=lambda lesson: lesson.number)
def test_no_markup_is_left_in_what_a_lesson_shows(lesson):
    text = printed(lesson.path)
    source = lesson.path.read_text(encoding="utf-8")
    headings = re.findall(r"^# (\S.*)\n# -{3,}$", source, re.MULTILINE)
    shown = [line.rstrip(" ─") for line in text.splitlines() if line.endswith("──")]
    assert shown[1:] == [catalogue.plain(heading) for heading in headings]
    assert re.findall(r"-{3,}|={3,}|\.\. [a-z]+::|:[a-z]+:`|``|\\[a-z,_]+", text) == []


FORMULAS = {
    r"w_c(x) = w_0 \exp\left(-\frac{a^2}{2 \sigma^2}\right)": "w_c(x) = w₀ exp(-a² / (2 σ²))",
    r"p_k = \frac{e^{s_k}}{\sum_j e^{s_j}}": "pₖ = e^(sₖ) / (Σⱼ e^(sⱼ))",
    r"\frac1M \sum_m \bar p": "1/M Σₘ p\N{COMBINING MACRON}",
    r"\begin{cases} z & z > 0 \\ e^z - 1 & z \le 0 \end{cases}": "z if z > 0, eᶻ - 1 if z ≤ 0",
    "a &= b \\qquad\n  c \\\\\n  \\mathrm{up\\_to}(d)": "a = b    c\nup_to(d)",
}


@pytest.mark.parametrize(("formula", "expected"), FORMULAS.items())
def test_formulas(formula, expected):
    assert readable(formula) == expected
