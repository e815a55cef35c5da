"""`tinyconv exercises, start, check, watch, hint, solution` in a student's folder, and `pytest` there."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.cli.command import ROOT, refused, tinyconv_command
from tinyconv.commands.exercises import watch_files
from tinyconv.course.exercises import exercises, find_exercise
from tinyconv.course.exercises.progress import FILE

WRONG = ROOT / "tests" / "wrong_answers" / "01_neuron" / "no_bias.py"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def progress(folder):
    return json.loads((folder / FILE).read_text(encoding="utf-8"))


def test_a_student_from_start_to_right(here):
    entry = find_exercise("01")
    assert "Next: tinyconv start 01" in tinyconv_command("exercises").stdout
    done = tinyconv_command("start", "1")
    assert done.exit_code == 0 and (here / "01_neuron.py").read_text() == entry.stub
    refused(tinyconv_command("start", "01"), "01_neuron.py", "no such file yet")

    done = tinyconv_command("check", "01")
    assert done.exit_code == 1 and "TODO" in done.stdout
    refused(tinyconv_command("solution", "01"), "a try of your own")
    (here / "01_neuron.py").write_text(WRONG.read_text())
    done = tinyconv_command("check")
    assert done.exit_code == 1 and "Likely: the bias is not added" in done.stdout and ">" in done.stdout
    assert progress(here)["01_neuron"] == {"tries": 1, "passed": False, "hints": 0, "solution_seen": False}

    assert entry.hints[0] in tinyconv_command("hint", "01").stdout
    assert entry.hints[1] in tinyconv_command("hint", "01").stdout
    assert entry.hints[2] in tinyconv_command("hint", "01", "--level", "3").stdout
    assert entry.solution.strip() in tinyconv_command("solution", "01").stdout

    (here / "01_neuron.py").write_text(entry.solution)
    done = tinyconv_command("check", "01")
    assert done.exit_code == 0 and "right" in done.stdout
    assert progress(here)["01_neuron"] == {"tries": 1, "passed": True, "hints": 3, "solution_seen": True}
    listed = tinyconv_command("exercises").stdout
    assert "right*" in listed and "* with a look at the solution" in listed
    assert "1 of " in listed and "Next: tinyconv start 02" in listed


def test_the_list_has_a_line_for_each_exercise_in_a_narrow_terminal(here, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    there = exercises()
    attempts = {"tries": 12345, "passed": False, "hints": 12345, "solution_seen": True}
    (here / FILE).write_text(json.dumps({entry.name: attempts for entry in there}), encoding="utf-8")
    lines = tinyconv_command("exercises").stdout.splitlines()
    for entry in there:
        (line,) = [line for line in lines if line.startswith(entry.title)]
        assert line.split()[-3:] == ["started*", "12345", "12345"]


def test_a_hint_starts_nothing(here):
    entry = find_exercise("01")
    assert entry.hints[0] in tinyconv_command("hint", "01").stdout
    listed = tinyconv_command("exercises").stdout
    assert "started" not in listed and "Next: tinyconv start 01" in listed
    assert not (here / FILE).exists()


def test_a_folder_can_be_named(here):
    assert tinyconv_command("start", "02", "--folder", here / "mine").exit_code == 0
    assert (here / "mine" / "02_unbroadcast.py").is_file()
    assert tinyconv_command("check", "02", "--folder", here / "mine").exit_code == 1


def test_bad_input_is_refused(here):
    refused(tinyconv_command("start", "99"), "'99'", "01_neuron")
    refused(tinyconv_command("check", "01"), "01_neuron.py", "tinyconv start 01")
    refused(tinyconv_command("check"), "tinyconv start 01")
    refused(tinyconv_command("solution", "01"), "a try of your own")
    (here / "01_neuron.py").mkdir()
    refused(tinyconv_command("check", "01"), "ordinary file")


@pytest.mark.parametrize(
    "text", ["", "[1]", '{"x": {}}', '{"01_neuron": {"tries": "3"}}', '{"01_neuron": {"new": 1}}', "\xff"]
)
def test_a_damaged_record_is_named(here, text):
    (here / FILE).write_bytes(text.encode("latin-1"))
    refused(tinyconv_command("exercises"), FILE)


def test_watching_sees_each_save(here):
    entries = [find_exercise("01"), find_exercise("02")]
    path = here / entries[0].file_name
    path.write_text("a")
    seen = []

    def changed(entry):
        seen.append(entry.number)
        if len(seen) < 3:
            path.write_text("a" * (len(seen) + 2))

    watch_files(entries, here, changed, polls=3, seconds=0)
    assert seen == []
    watch_files(entries, here, changed, at_once=True, polls=6, seconds=0)
    assert seen == ["01"] * 3


def test_every_command_has_examples():
    for name in ("exercises", "start", "check", "watch", "hint", "solution", "class"):
        done = tinyconv_command(name, "--help")
        assert done.exit_code == 0 and f"tinyconv {name}" in done.stdout.split("Examples:")[1]


def run_pytest(folder):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tinyconv.commands.pytest_plugin",
        "-p",
        "no:cacheprovider",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_pytest_checks_a_students_folder(here):
    for number in ("01", "02"):
        tinyconv_command("start", number)
    (here / "01_neuron.py").write_text(find_exercise("01").solution)
    (here / "02_unbroadcast.py").write_text("def unbroadcast(grad, shape):\n    return grad\n")
    (here / "03_not_an_exercise.py").write_text("raise RuntimeError")
    done = run_pytest(here)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "nothing is summed" in done.stdout and "Traceback" not in done.stdout


def test_the_plugin_leaves_other_folders_alone(here):
    (here / "01_neuron.py").write_text("raise RuntimeError")
    (here / "test_something.py").write_text("def test(): pass")
    done = run_pytest(here)
    assert "1 passed" in done.stdout, done.stdout
