"""What is handed in: which programs are the same, and which files are read."""

from __future__ import annotations

import os

import pytest

from tinyconv.course.exercises.submission import LARGEST, is_same_program, read_submission
from tinyconv.errors import DataError

SOLUTION = 'def f(x):\n    """Twice x."""\n    y = 2 * x\n    return y\n'


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (SOLUTION, True),
        ("def f(x):\n    y = 2*x  # doubled\n\n    return y\n", True),
        ('"""Mine."""\ndef f(x):\n    "Another one."\n    y = 2 * x\n    return (y)\n', True),
        ("def f(x):\n    z = 2 * x\n    return z\n", False),
        ("def f(x):\n    y = x * 2\n    return y\n", False),
        ("def f(x):\n    y = 2.0 * x\n    return y\n", False),
        ("def f(x:\n", False),
        ("\x00", False),
    ],
)
def test_the_same_program(text, same):
    assert is_same_program(text, SOLUTION) is same


def test_files_that_are_read_and_that_are_not(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "a.py").write_text("x = 'é'", encoding="utf-8")
    assert read_submission(own / "a.py", own) == "x = 'é'"
    (own / "windows.py").write_text("x = 'é'", encoding="utf-8-sig")
    assert read_submission(own / "windows.py", own) == "x = 'é'"
    (own / "latin.py").write_bytes("x = 'é'".encode("latin-1"))
    (own / "large.py").write_text("#" * (LARGEST + 1))
    refused = {"latin.py": "UTF-8", "large.py": "at most", "gone.py": "can be read", ".": "an ordinary file"}
    for name, message in refused.items():
        with pytest.raises(DataError, match=message):
            read_submission(own / name, own)


@pytest.mark.skipif(os.name == "nt", reason="links of Unix")
def test_a_link_is_followed_within_the_folder_only(tmp_path):
    (tmp_path / "own").mkdir()
    for place in ("own/a.py", "other.py"):
        (tmp_path / place).write_text(place)
    os.symlink(tmp_path / "own" / "a.py", tmp_path / "own" / "inside.py")
    os.symlink(tmp_path / "other.py", tmp_path / "own" / "outside.py")
    assert read_submission(tmp_path / "own" / "inside.py", tmp_path / "own") == "own/a.py"
    assert read_submission(tmp_path / "own" / "outside.py") == "other.py"
    with pytest.raises(DataError, match="not a link to another place"):
        read_submission(tmp_path / "own" / "outside.py", tmp_path / "own")
