"""The site, built once: quickly, with the lesson of the animation as the only one that is run."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.site.pages import DOCS

NEEDED = ("sphinx", "sphinx_gallery", "numpydoc", "pydata_sphinx_theme", "sphinx_design", "myst_parser")
MINUTES = 10  # a machine with other work to do takes its time


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """How the build ended, what it complained of, and its folder.

    It is made in the folder that the variable TINYCONV_SITE names, if there is one: what an earlier test has
    made there is kept as far as it still holds.
    """
    missing = [package for package in NEEDED if importlib.util.find_spec(package) is None]
    if missing:
        pytest.skip(f"the site is built with {', '.join(missing)}: pip install -e '.[docs]'")
    made = os.environ.get("TINYCONV_SITE")
    folder = Path(made) if made else tmp_path_factory.mktemp("site")
    command = [sys.executable, str(DOCS / "build.py"), "--quick", "--lessons", "04", "--out", str(folder)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
        timeout=60 * MINUTES,
    )  # fmt: skip
    (folder / "build.log").write_text(done.stdout, encoding="utf-8")
    complaints = [
        line for line in done.stdout.splitlines() if re.search(r"WARNING|ERROR|CRITICAL|rror:", line)
    ]
    return done.returncode, complaints, folder / "html"


@pytest.fixture(scope="session")
def site(build):
    """The folder of the built pages."""
    status, complaints, folder = build
    if status != 0:
        pytest.fail("the site cannot be built:\n" + "\n".join(complaints), pytrace=False)
    return folder
