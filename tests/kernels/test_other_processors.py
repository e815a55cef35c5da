"""Kernels compiled for processors with fewer instructions than this one: narrower vectors, right results."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

pytest.importorskip("numba")

PROGRAM = """
import numpy as np
import tinyconv as tc
from tinyconv.kernels.cpu import activation, conv, threads
from tinyconv.kernels.cpu._vector_code import lanes
from tinyconv.kernels.reference import activation as reference_activation, conv as reference

threads.WORTH_SHARING = 0
rng = np.random.default_rng(0)
worst = {}

def check(name, found, right):
    assert found.dtype == np.float32 and np.isfinite(found).all(), name
    worst[name] = float(np.abs(found - right).max() / np.abs(right).max())

def arrays(*shapes):
    exact = [rng.standard_normal(shape) for shape in shapes]
    return [a.astype(np.float32) for a in exact], [a.astype(np.float32).astype(np.float64) for a in exact]

for algorithm in ("direct", "winograd"):
    stride = 2 if algorithm == "direct" else 1
    geometry = (stride, stride), (1, 1), (1, 1), 1
    size = 13 // stride + stride - 1
    (x, w, b, g), (x64, w64, b64, g64) = arrays((2, 32, 13, 13), (35, 32, 3, 3), 35, (2, 35, size, size))
    if algorithm == "winograd":
        (w, b, g), (w64, b64, g64) = arrays((32, 32, 3, 3), 32, (2, 32, size, size))
    with tc.conv_algorithm(algorithm):
        check(f"{algorithm} forward", conv.conv(x, w, b, *geometry), reference.conv(x64, w64, b64, *geometry))
        check(f"{algorithm} input", conv.conv_transpose(g, w, None, (13, 13), *geometry),
              reference.conv_transpose(g64, w64, None, (13, 13), *geometry))
        check(f"{algorithm} weight", conv.conv_weight_grad(x, g, (3, 3), *geometry),
              reference.conv_weight_grad(x64, g64, (3, 3), *geometry))
for groups, channels, columns in ((1, 40, 3), (9, 1, 1), (5, 2, 2), (3, 4, 4)):
    geometry, name = ((1, 1), (1, 1), (1, 1), groups), f"direct {groups} groups"
    (x, w, b, g), (x64, w64, b64, g64) = arrays(
        (2, groups * channels, 11, 13), (groups * columns, channels, 3, 3), groups * columns,
        (2, groups * columns, 11, 13),
    )
    check(f"{name} forward", conv.conv(x, w, b, *geometry), reference.conv(x64, w64, b64, *geometry))
    check(f"{name} input", conv.conv_transpose(g, w, None, (11, 13), *geometry),
          reference.conv_transpose(g64, w64, None, (11, 13), *geometry))
    check(f"{name} weight", conv.conv_weight_grad(x, g, (3, 3), *geometry),
          reference.conv_weight_grad(x64, g64, (3, 3), *geometry))
(x,), (x64,) = arrays((4, 16, 33, 33))
check("direct elu", activation.elu(x, 1.0), reference_activation.elu(x64, 1.0))
for name, error in worst.items():
    assert error <= (3e-5 if "winograd" in name else 2e-6), (name, error)
print(lanes(4), len(worst))
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the names are those of x86-64")
@pytest.mark.parametrize(
    ("name", "features", "vector"), [("generic", "", 4), ("haswell", "+avx,+avx2,+fma,+f16c,+bmi,+bmi2", 8)]
)
def test_results_are_right_without_this_machines_instructions(name, features, vector):
    if name == "haswell" and "avx2" not in host_features():
        pytest.skip("this machine has no AVX2")
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        env={**os.environ, "NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features},
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.split() == [str(vector), "19"]


def host_features() -> set[str]:
    import llvmlite.binding as llvm

    return {name for name, has in llvm.get_host_cpu_features().items() if has}
