"""Every kernel becomes machine code for each generation of GPUs, and keeps its numbers in registers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.kernels.cuda import compilers
from tests.kernels.cuda.compilers import DoesNotCompile, Usage
from tinyconv.kernels.cuda import _launch

ARCHITECTURES = ("sm_75", "sm_80", "sm_90")
SOURCES = sorted(path.name for path in _launch.FOLDER.glob("*.cu"))
MOST_SHARED = 48 * 1024
"""Bytes of shared memory that a block may declare."""

Job = tuple[str, str, tuple[str, ...]]


def jobs_of(source: str, architecture: str) -> list[Job]:
    """(source, architecture, group of kernels) for each group to compile."""
    return [(source, architecture, group) for group in _launch.groups(source)]


@pytest.fixture(scope="module")
def compiling(request: pytest.FixtureRequest) -> Iterator[dict[Job, Future[dict[str, Usage]]]]:
    """The jobs of all tests that will run, two at a time."""
    compile = compilers.find_compiler()
    if compile is None:
        pytest.skip("neither NVRTC (pip install nvidia-cuda-nvrtc) nor nvcc is installed")
    wanted = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    jobs = [
        job
        for params in wanted
        if {"source", "architecture"} <= params.keys()
        for job in jobs_of(params["source"], params["architecture"])
    ]
    with ThreadPoolExecutor(2) as pool:
        yield {
            job: pool.submit(compile, _launch.code_of(job[0]), job[2], job[1]) for job in dict.fromkeys(jobs)
        }
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_kernels_compile_and_do_not_spill(
    compiling: Any, source: str, architecture: str, record_property: Any
) -> None:
    found: dict[str, Usage] = {}
    for job in jobs_of(source, architecture):
        usages = compiling[job].result()
        assert set(usages) == set(job[2])
        found |= usages
    for name, usage in sorted(found.items()):
        print(f"{name:40} {usage.registers:4} registers {usage.spilled:6} spilled {usage.shared:6} shared")
    most = Usage(*(max(column) for column in zip(*found.values(), strict=True)))
    record_property("cuda usage", (source, architecture, len(found), *most))
    # A source that knows better says so: `// spills: name<float>, and why`.
    known = re.findall(r"^// spills: ([^,]*>)", (_launch.FOLDER / source).read_text(), re.M)
    assert {name for name, usage in found.items() if usage.spilled and name not in known} == set()
    assert most.shared <= MOST_SHARED


@pytest.mark.skipif(compilers._nvrtc() is None, reason="NVRTC is not installed")
@pytest.mark.parametrize("ctype", ["float", "double"])
def test_a_gradient_is_rounded_before_it_is_added_up(ctype: str) -> None:
    """A product that does not say so may become one instruction with the sum: other bits elsewhere."""
    ptx = compilers.ptx(_launch.code_of("sum_parts.cu"), f"sum_columns<{ctype}>", "compute_80")
    products = re.findall(r"^\s*mul\.(\S*)f(?:32|64)", ptx, re.M)
    assert len(products) >= 5 and all(kind.startswith("rn.") for kind in products)
    assert not re.search(r"^\s*(fma|mad)\.\S*f(32|64)", ptx, re.M)


SPILLS = """
extern "C" __global__ void __launch_bounds__(1024) many(const float* x, float* out) {
  float sums[100] = {};
  for (int turn = 0; turn < 9; turn++) {
#pragma unroll
    for (int i = 0; i < 100; i++) sums[i] = sums[i] * sums[(i + 7) % 100] + x[i * 1024 + threadIdx.x + turn];
  }
#pragma unroll
  for (int i = 0; i < 100; i++) out[i * 1024 + threadIdx.x] = sums[i];
}
"""


@pytest.mark.parametrize("compile", [compilers.with_nvrtc, compilers.with_nvcc])
def test_the_check_sees_what_it_is_for(compile: Any) -> None:
    """Both compilers: an error, registers that do not suffice, and shared memory."""
    if compile is compilers.with_nvcc and compilers.shutil.which("nvcc") is None:
        pytest.skip("nvcc is not installed")
    if compile is compilers.with_nvrtc and compilers._nvrtc() is None:
        pytest.skip("NVRTC is not installed")
    with pytest.raises(DoesNotCompile, match="no_such_name"):
        compile("__global__ void wrong(int* x) { *x = no_such_name; }", ["wrong"], "sm_75")
    assert compile(SPILLS, ["many"], "sm_75")["many"].spilled > 0
    shares = "__global__ void share(int* x) { __shared__ int y[64]; y[threadIdx.x] = *x; x[1] = y[*x]; }"
    assert compile(shares, ["share"], "sm_75")["share"].shared == 256
