"""Running the `tinyconv` command in tests, and what its runs leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tinyconv.cli import app
from tinyconv.train.checkpoint import load_checkpoint
from tinyconv.train.folder import METRICS, Metrics

ROOT = Path(__file__).parents[2]
TINY = ["--images", "8", "--size", "32", "--batch-size", "2", "--held-out", "0.25", "--validate-every", "2"]
UNIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of Unix")


def tinyconv_command(*arguments):
    """Run the command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def start(*arguments, **options):
    """Start the command in a process of its own."""
    command = [sys.executable, "-m", "tinyconv", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def refused(done, *parts):
    """Whether a command said what was wrong in one line, with exit status 2 and no traceback."""
    assert done.exit_code == 2, (done.output, done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    (line,) = [line for line in done.stderr.splitlines() if line]
    assert line.startswith("error: ") and "expected" in line
    for part in parts:
        assert part in line, (part, line)


def numbers(run, name="last"):
    """All that a checkpoint holds but the clock."""
    checkpoint = load_checkpoint(Path(run), name)
    position = {key: value for key, value in checkpoint.position.items() if "seconds" not in key}
    tensors = {key: array.tobytes() for key, array in checkpoint.tensors.items()}
    return tensors, checkpoint.optimizer, position, checkpoint.random_state, checkpoint.scores


def metrics(run):
    return [
        {key: value for key, value in line.items() if key != "seconds"}
        for line in Metrics(Path(run) / METRICS).read()
    ]
