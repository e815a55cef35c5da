"""`tinyconv learn` and `tinyconv models`, the help texts, and what the command loads."""

from __future__ import annotations

import subprocess
import sys

import tinyconv
from tests.cli.command import ROOT, tinyconv_command


def test_version_help_models_and_lessons():
    assert tinyconv_command("--version").stdout == f"tinyconv {tinyconv.__version__}\n"
    for command, example in (([], "learn 04"), (["train"], "--minutes 15"), (["predict"], "--out masks")):
        done = tinyconv_command(*command, "--help")
        assert done.exit_code == 0 and example in done.stdout
    assert "unet_slides      3 x 256 x 256\n" in tinyconv_command("models").stdout
    assert tinyconv_command("learn").exit_code == 0
    assert tinyconv_command("nonsense").exit_code == 2


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom tinyconv.cli import app\n"
        "try: app(['train', '--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'matplotlib', 'numba', 'scipy', 'sklearn', 'PIL'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
