"""What the command does with the terminal, with Ctrl-C, and where the memory is too small."""

from __future__ import annotations

import subprocess
import sys
from unittest import mock

import pytest

from tests.cli.command import ROOT, TINY, refused, start, tinyconv_command
from tinyconv.train import Trainer


def run_script(script, **options):
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300, **options)


def test_too_little_memory_is_one_line(tmp_path):
    with mock.patch.object(Trainer, "train_step", side_effect=MemoryError):
        done = tinyconv_command("train", *TINY, "--run", tmp_path / "run")
    refused(done, "train: the memory is too small", "--size or --batch-size")


def test_characters_that_the_output_cannot_hold(monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    done = run_script(
        "import typer\nfrom tinyconv import cli\n"
        "@cli.app.command()\ndef box(): print('\u250c\u2500 \u03b1 \u00e9')\n"
        "import sys; sys.argv = ['tinyconv', 'box']; cli.main()",
        encoding="cp1252",
    )
    assert (done.returncode, done.stdout) == (0, "?? ? \u00e9\n"), done.stderr


def test_a_lesson_into_a_file_of_a_small_alphabet(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    monkeypatch.setenv("TINYCONV_QUICK", "1")
    monkeypatch.setenv("TINYCONV_FIGURES", str(tmp_path))
    process = start("learn", "16")
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0 and "Code:" in output, errors


@pytest.mark.parametrize("module", ["typer", "tinyconv.course"])
def test_ctrl_c_while_importing(module):
    done = run_script(
        f"""
import runpy, sys
class Interrupt:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt)
sys.argv = ["tinyconv", "learn"]
runpy.run_module("tinyconv", run_name="__main__")
"""
    )
    assert done.returncode == 130 and "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize("module", ["numpy", "tinyconv.tensor", "typer", "tinyconv.course"])
def test_ctrl_c_while_the_installed_command_imports(module):
    done = run_script(
        f"""
import sys
class Interrupt:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt)
sys.argv = ["tinyconv", "learn"]
from tinyconv_command import main
main()
"""
    )
    assert done.returncode == 130 and "Traceback" not in done.stderr, done.stderr


def test_a_warning_is_one_line():
    done = run_script(
        "import typer, warnings\nfrom tinyconv import cli\n"
        "@cli.app.command()\ndef warn(): warnings.warn('a\\nb', stacklevel=1)\n"
        "import sys; sys.argv = ['tinyconv', 'warn']; cli.main()",
    )
    assert (done.returncode, done.stderr) == (0, "warning: a b\n")


def test_ctrl_c_before_a_command_begins():
    done = run_script(
        "from tinyconv import cli\ndef app(): raise KeyboardInterrupt\ncli.app = app; cli.main()"
    )
    assert done.returncode == 130 and done.stderr == ""
