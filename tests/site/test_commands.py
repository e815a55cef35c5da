"""The commands that the pages name exist, and take the options shown with them; the quick ones run."""

from __future__ import annotations

import functools
import importlib.util
import re
import shlex
import subprocess
import sys

import pytest
import typer

from tests.cli.command import tinyconv_command
from tests.site.pages import PAGES, ROOT, blocks, commands, name
from tinyconv.cli import app
from tinyconv.course.exercises import find_exercise

ALL = [(name(page), command) for page in PAGES for command in commands(page)]
PLACEHOLDERS = {"NN": "04", "NAME": "unet"}  # what a page leaves open


def words(command):
    return [PLACEHOLDERS.get(word, word) for word in shlex.split(command.replace("\\", "/"))]


def parse(arguments):
    """Let the command line be read, and stop where something would be done; give what would be called."""
    called = []
    command = typer.main.get_command(app)
    for called_name, part in leaves(command):
        part.callback = lambda found=called_name, **given: called.append(found)
    command.main(list(arguments), standalone_mode=False)
    return called


def leaves(command):
    """The commands below a command that have none below them."""
    for part_name, part in command.commands.items():
        if hasattr(part, "commands"):
            yield from leaves(part)
        else:
            yield part_name, part


@pytest.mark.parametrize(("page", "command"), ALL, ids=lambda value: value.replace(" ", "-")[:40])
def test_a_command_can_be_given(page, command):
    program, *arguments = words(command)
    program = program.split("/")[-1]
    if program == "tinyconv":
        assert len(parse(arguments)) == 1
    elif program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert [word for word in arguments if "=" not in word and word not in targets] == []
    elif program in ("python", "python3", "py") and arguments[:1] == ["-m"]:
        check_module(*arguments[1:])
    elif program in ("python", "python3", "py") and arguments[:1] == ["-c"]:
        compile(arguments[1], command, "exec")
    elif program in ("python", "python3", "py"):
        assert (ROOT / arguments[0]).is_file(), command
    elif program == "pip":
        check_installed(*arguments)
    else:
        assert program in ("jupytext", "pre-commit", "git"), command


def check_module(module, *arguments):
    if module == "pip":
        check_installed(*arguments)
    elif module not in ("venv", "pytest"):
        assert importlib.util.find_spec(module) is not None, module
        known = options(module)
        assert [word for word in arguments if word.startswith("--") and word not in known] == []


@functools.cache
def options(module):
    """The options that the help of a module in this repository names."""
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"--[a-z][a-z-]*", done.stdout))


def check_installed(action, *arguments):
    extras = (ROOT / "setup.cfg").read_text(encoding="utf-8").partition("[options.extras_require]")[2]
    assert action == "install"
    for argument in arguments:
        for extra in re.findall(r"[a-z0-9]+", (re.findall(r"\[(.*)\]", argument) or [""])[0]):
            assert re.search(rf"^{extra} =$", extras, re.MULTILINE), extra


WRONG = (["nonsense"], ["train", "unet", "--no-such-option"], ["train", "unet", "--minutes", "x"])


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_the_check_refuses_what_does_not_exist(arguments):
    with pytest.raises(Exception, match=r"No such|valid number") as caught:
        parse(arguments)
    assert "UsageError" in [base.__name__ for base in type(caught.value).__mro__]


def test_the_readmes_commands_are_all_seen():
    found = {command for page, command in ALL if page == "README.md"}
    assert {"make course", "make test", "tinyconv learn 04", "tinyconv train --resume runs/nuclei"} <= found
    assert not blocks(ROOT / "README.md", "sh") and not blocks(ROOT / "README.md", "bash")


RUN = {
    "tinyconv learn": (0, "04 "),
    "tinyconv learn 04 --notebook": (0, "04_convolution.ipynb"),
    "tinyconv exercises": (0, "Next: tinyconv start"),
    "tinyconv start 07": (0, "07_"),
    "tinyconv check 07": (1, "TODO"),  # a stub is not right
    "tinyconv hint 07": (0, find_exercise("07").hints[0]),
}
"""The README's quick commands: how each ends, and a part of what it says."""


def test_the_readmes_quick_commands_do_what_they_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = [command for command in commands(ROOT / "README.md") if command in RUN]
    assert set(given) == RUN.keys()
    for command in given:
        done = tinyconv_command(*words(command)[1:])
        status, says = RUN[command]
        assert done.exit_code == status and says in done.stdout, (command, done.output)
    left = {path.name for path in tmp_path.iterdir()}
    assert "04_convolution.ipynb" in left and any(re.fullmatch(r"07_\w+\.py", file) for file in left)
