"""A run's files name the code that made it."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess

import numba
import numpy as np
import PIL
import pytest
import scipy

from tests.cli.command import TINY, tinyconv_command
from tinyconv._version import __version__
from tinyconv.train.versions import find_commit


def test_the_versions_stand_in_the_checkpoints(tmp_path):
    done = tinyconv_command("train", "unet", *TINY, "--steps", 1, "--run", tmp_path / "run")
    assert done.exit_code == 0, (done.output, done.exception)
    for name in ("last.json", "best.json"):
        found = json.loads((tmp_path / "run" / name).read_text())["versions"]
        found.pop("commit", None)
        assert found == {
            "python": platform.python_version(),
            "tinyconv": __version__,
            "numpy": np.__version__,
            "numba": numba.__version__,
            "scipy": scipy.__version__,
            "pillow": PIL.__version__,
        }


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_commit_of_a_checkout(tmp_path):
    def git(*arguments):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "file").write_text("one")
    assert find_commit(tmp_path) == ""
    git("init", "-b", "trunk")
    assert find_commit(tmp_path) == "", "without a commit"
    git("add", "file")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-m", "first")
    git("-c", "user.name=a", "-c", "user.email=a@b", "tag", "-m", "a tag", "v1")
    commit = (tmp_path / ".git" / "refs" / "heads" / "trunk").read_text().strip()
    assert find_commit(tmp_path) == commit
    (tmp_path / "file").write_text("two")
    assert find_commit(tmp_path) == f"{commit}-dirty"
    (tmp_path / "below").mkdir()
    assert find_commit(tmp_path / "below") == ""
