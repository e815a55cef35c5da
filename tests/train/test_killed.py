"""`kill -9` at random moments: a run that goes on ends with the very bits of one that was never killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import metrics, numbers

ROOT = Path(__file__).parents[2]
KILLS = 30


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_thirty_random_moments(tmp_path):
    seed = os.urandom(4).hex()
    command = [sys.executable, "-m", "tests.train.small_run", str(tmp_path), str(KILLS), str(int(seed, 16))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=1200)
    assert done.returncode == 0, (seed, done.stdout, done.stderr[-3000:])
    lines = done.stdout.splitlines()
    assert lines.count("killed") == KILLS
    ended = [line.removeprefix("ended ") for line in lines if line.startswith("ended ")]
    assert ended
    for name in ended:
        for checkpoint in ("last", "best"):
            assert numbers(tmp_path / name, checkpoint) == numbers(tmp_path / "whole", checkpoint), seed
        assert metrics(tmp_path / name) == metrics(tmp_path / "whole"), seed
        left = {path.name for path in (tmp_path / name).iterdir()}
        assert left == {path.name for path in (tmp_path / "whole").iterdir()}, seed
