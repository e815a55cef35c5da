"""Where Numba is missing or broken, or has no place for what it compiled, everything still works."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import warnings
warnings.simplefilter("always")
{before}
import tinyconv as tc
import tinyconv.nn.functional as F
x, w = tc.ones(1, 2, 40, 40, requires_grad=True), tc.ones(3, 2, 3, 3, requires_grad=True)
F.elu(F.conv2d(x, w, padding=1)).sum().backward()
print(w.grad[0, 0, 1, 1].item(), w.grad[0, 0, 0, 0].item())
"""

BROKEN = """
import sys
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "numba":
            import importlib.machinery
            return importlib.machinery.ModuleSpec(name, self)
    def create_module(self, spec):
        raise ImportError("Numba needs another NumPy")
    def exec_module(self, module):
        pass
sys.meta_path.insert(0, Broken())
"""


def run(before: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_a_broken_numba_is_done_without_and_named_once():
    result = run(BROKEN)
    assert result.stdout.split() == ["1600.0", "1521.0"]
    assert result.stderr.count("Numba does not work here (Numba needs another NumPy)") == 1


def test_numba_without_a_place_for_compiled_kernels_still_compiles():
    pytest.importorskip("numba")
    result = run("import numba.core.caching as caching; caching.CacheImpl._locator_classes = []")
    assert result.stdout.split() == ["1600.0", "1521.0"]
    assert result.stderr.count("no writable folder for compiled kernels") == 1


def test_commands_are_done_without_a_broken_numba(tmp_path):
    """They look at Numba to say when it compiles."""
    (tmp_path / "numba.py").write_text("raise ImportError('Numba needs another NumPy')")
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    given = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": path}, "capture_output": True, "text": True}
    train = ["train", "unet_bn", "--widths", "4,8", "--data", "synthetic", "--quick", "--steps", "1"]
    for command in ([*train, "--run", "run"], ["eval", "run"], ["predict", "run", "run/samples.png"]):
        done = subprocess.run([sys.executable, "-m", "tinyconv", *command], timeout=300, **given)
        assert done.returncode == 0, done.stderr
        assert "Numba does not work here (Numba needs another NumPy)" in done.stderr
