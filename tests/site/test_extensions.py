"""What the site adds to Sphinx, piece by piece, without a build."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys

import pytest

from tests.site.pages import DOCS

pytest.importorskip("sphinx_gallery", reason="pip install -e '.[docs]' brings Sphinx")


@pytest.fixture(scope="module")
def extension():
    """Gives a module of docs/_extensions by its name."""
    folder = str(DOCS / "_extensions")
    sys.path.insert(0, folder)
    yield importlib.import_module
    sys.path.remove(folder)


@pytest.fixture
def build():
    """The module docs/build.py, looking at no folder but its own."""
    specification = importlib.util.spec_from_file_location("site_build", DOCS / "build.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


PLAIN = {
    "(N, C, *size)": r"(N, C, \*size)",
    "(*, *shape)": r"(\*, \*shape)",
    "|x| and |T|": r"\|x| and \|T|",
    "a * b, 2*3": "a * b, 2*3",
    "*this* and **that**": "*this* and **that**",
    "``*args`` and ``|x|``": "``*args`` and ``|x|``",
    r"already \*done": r"already \*done",
    ">>> f(*x)\n3": ">>> f(*x)\n3",
}


@pytest.mark.parametrize("text", PLAIN)
def test_lone_stars_and_bars_are_escaped(text, extension):
    assert extension("repairs").escaped(text) == PLAIN[text]


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_escaped_has_no_faults(text, extension):
    from docutils.core import publish_doctree

    settings = {"report_level": 2, "halt_level": 2}  # a warning is raised
    shown = publish_doctree(extension("repairs").escaped(text), settings_overrides=settings).astext()
    marks = str.maketrans("", "", "*`\\")
    assert shown.translate(marks).split() == text.translate(marks).split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import tinyconv as tc", True),
        ("print(3)", True),
        ("x = 3", True),
        ("make course", False),
        ("tinyconv learn 04", False),
        ("make", False),
        ("y = d[i] …", False),
        ("out = (n + 2 p - k) // s + 1", False),
    ],
)
def test_blocks_of_python_are_known(text, expected, extension):
    assert extension("repairs").is_python(text) is expected


def test_figures_are_taken_in_the_order_in_which_they_were_drawn(extension, tmp_path, monkeypatch):
    figures = tmp_path / "scripts" / "figures"
    figures.mkdir(parents=True)
    monkeypatch.setenv("TINYCONV_FIGURES", str(figures))
    for age, name in enumerate(["04_z.png", "04_a.png", "04_moving.html"]):
        (figures / name).write_bytes(name.encode())
        os.utime(figures / name, ns=(age, age))
    targets = [tmp_path / "lessons" / "images" / f"{number}.png" for number in (1, 2, 3)]
    targets[0].parent.mkdir(parents=True)
    variables = {"image_path_iterator": iter(map(str, targets))}
    text = extension("lesson_figures").figures_of_cell(None, variables, {"src_dir": str(tmp_path)})
    assert [target.read_bytes() for target in targets[:2]] == [b"04_z.png", b"04_a.png"]
    assert text.index("1.png") < text.index("2.png") < text.index('src="04_moving.html"')
    assert (tmp_path / "animations" / "lessons" / "04_moving.html").is_file()
    assert list(figures.iterdir()) == []
    assert extension("lesson_figures").figures_of_cell(None, variables, {"src_dir": str(tmp_path)}) == ""


def test_every_room_lists_each_name_once(extension):
    pages = extension("reference_pages")
    for room in pages.ROOMS:
        files, elsewhere = pages.members_by_file(room)
        names = [name for listed in files.values() for name in listed]
        assert names or elsewhere, room
        if room != pages.KERNELS:
            assert sorted([*names, *(name.rpartition(".")[2] for name in elsewhere)]) == sorted(
                pages.public_names(room)
            )
    assert "tinyconv.metrics.dice" in pages.members_by_file("tinyconv.train")[1]
    assert "Conv2d" in pages.members_by_file("tinyconv.nn")[0]["tinyconv.nn.conv"]


def test_formulas_become_mathml(extension):
    from docutils import nodes

    formulas = extension("formulas")
    drawn = formulas.mathml(nodes.math_block("", r"y = w_1 x_1 + \dots + b"), as_block=True)
    assert drawn.startswith("<math") and "<msub>" in drawn and "…" in drawn


def test_copied_pages_keep_their_time_until_they_change(build, tmp_path, monkeypatch):
    docs, lessons = tmp_path / "docs", tmp_path / "lessons"
    for folder in (docs / "_build", lessons):
        folder.mkdir(parents=True)
    for path in (docs / "one.md", docs / "two.md", docs / "_build" / "left.md", docs / build.HEADER):
        path.write_text(path.name, encoding="utf-8")
    (lessons / "01_first.py").write_text("1", encoding="utf-8")
    monkeypatch.setattr(build, "DOCS", docs)
    monkeypatch.setattr(build, "ROOT", tmp_path)
    source = docs / "_build" / "source"
    build.copy_pages(source)
    found = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    assert found == {"one.md", "two.md", "scripts/01_first.py", "scripts/GALLERY_HEADER.rst", "copied.txt"}
    before = (source / "one.md").stat().st_mtime_ns
    os.utime(docs / "one.md", ns=(before + 10**9, before + 10**9))
    (docs / "two.md").unlink()
    (source / "made.rst").write_text("by Sphinx", encoding="utf-8")
    build.copy_pages(source)
    assert (source / "one.md").stat().st_mtime_ns == before
    assert not (source / "two.md").exists() and (source / "made.rst").exists()
    (docs / "one.md").write_text("changed", encoding="utf-8")
    build.copy_pages(source)
    assert (source / "one.md").read_text(encoding="utf-8") == "changed"
