"""The emulator: what threads do together, and each mistake that it must notice.

A kernel with a planted mistake must be refused, and the same kernel without it must run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyconv.kernels.cuda import _launch
from tinyconv.kernels.cuda.emulator import build
from tinyconv.kernels.cuda.emulator.card import CUDADriverError
from tinyconv.kernels.cuda.emulator.cupy_stand_in import emulated_cuda
from tinyconv.kernels.cuda.emulator.launching import CompileException, KernelError

SOURCE = Path(__file__).with_name("mistakes.cu").read_text()
NAMES = (
    "reverse", "reverse_twice", "reverse_in_warp", "reverse_in_dynamic", "unset", "shift", "shift_writes",
    "fours", "diverge", "leave_early", "half_a_shuffle", "left_out", "from_outside", "warps", "sums",
    "product", "from_table", "where", "last_one", "bounded<Small>",
)  # fmt: skip


@pytest.fixture(scope="module")
def cupy() -> Iterator[Any]:
    """Always the stand-in, also where there is a GPU."""
    reason = build.why_not()
    if reason is not None:
        pytest.skip(reason)
    with emulated_cuda() as module:
        yield module


@pytest.fixture(scope="module")
def kernel(cupy: Any) -> Any:
    module = cupy.RawModule(code=SOURCE, options=_launch.OPTIONS, name_expressions=NAMES)
    return module.get_function


@pytest.fixture
def x(cupy: Any) -> Any:
    return cupy.arange(64, dtype=np.float32)


def i32(value: int) -> np.int32:
    return np.int32(value)


def test_a_block_shares_memory(cupy: Any, kernel: Any, x: Any) -> None:
    out = cupy.empty_like(x)
    kernel("reverse")((1,), (64,), (x, out, i32(0), i32(1)))
    assert out.get().tolist() == list(range(63, -1, -1))
    kernel("reverse_twice")((1,), (64,), (x, out, i32(1)))
    assert out.get().tolist() == list(range(64, 0, -1))
    kernel("reverse_in_warp")((1,), (64,), (x, out, i32(1)))
    assert out.get().tolist() == [*range(31, -1, -1), *range(63, 31, -1)]


@pytest.mark.parametrize("name, args", [
    ("reverse", (i32(0), i32(0))), ("reverse", (i32(0), i32(2))), ("reverse_twice", (i32(0),)),
    ("reverse_in_warp", (i32(0),)),
])  # fmt: skip
def test_a_missing_barrier_is_a_race(cupy: Any, kernel: Any, x: Any, name: str, args: Any) -> None:
    with pytest.raises(KernelError, match="a race"):
        kernel(name)((1,), (64,), (x, cupy.empty_like(x), *args))


@pytest.mark.parametrize("name", ["shift", "shift_writes"])
@pytest.mark.parametrize("by", [1, -1, 10_000_000, -10_000_000])
def test_what_is_outside_of_an_array_is_not_touched(
    cupy: Any, kernel: Any, x: Any, name: str, by: int
) -> None:
    verb = "writes" if name == "shift_writes" else "reads"
    with pytest.raises(KernelError, match=rf"thread .* {verb} 4 bytes outside of every array.*kernel.cu:\d+"):
        kernel(name)((1,), (64,), (x, cupy.empty_like(x), by))
    kernel(name)((1,), (64,), (x, cupy.empty_like(x), 0))
    kernel(name)((1,), (63,), (x, cupy.empty_like(x), max(0, min(1, by))))


def test_vectors_are_read_from_multiples_of_their_size(cupy: Any, kernel: Any, x: Any) -> None:
    out = cupy.empty_like(x)
    kernel("fours")((1,), (15,), (x, out, 4))
    assert out.get()[:60].tolist() == list(range(4, 64))
    with pytest.raises(KernelError, match="reads 16 bytes at an address that is no multiple of 16"):
        kernel("fours")((1,), (15,), (x, out, 1))


def test_memory_that_was_given_back_is_not_touched(cupy: Any, kernel: Any, x: Any) -> None:
    gone, out = cupy.empty_like(x), cupy.empty_like(x)
    place = gone.data
    kernel("shift")((1,), (64,), (place, out, 0))
    del gone
    with pytest.raises(KernelError, match="outside of every array"):
        kernel("shift")((1,), (64,), (place, out, 0))


@pytest.mark.parametrize("reach", [1, -1])
def test_what_is_outside_of_a_shared_array_is_not_touched(cupy: Any, kernel: Any, x: Any, reach: int) -> None:
    with pytest.raises(KernelError, match="outside of a shared array"):
        kernel("reverse")((1,), (64,), (x, cupy.empty_like(x), i32(reach), i32(1)))


def test_dynamic_shared_memory_is_as_large_as_the_launch_says(cupy: Any, kernel: Any, x: Any) -> None:
    out = cupy.empty_like(x)
    kernel("reverse_in_dynamic")((1,), (64,), (x, out), shared_mem=256)
    assert out.get().tolist() == list(range(63, -1, -1))
    with pytest.raises(KernelError, match="outside of dynamic shared memory"):
        kernel("reverse_in_dynamic")((1,), (64,), (x, out), shared_mem=252)


def test_shared_memory_is_not_zero_at_first(cupy: Any, kernel: Any) -> None:
    out = cupy.empty(2, dtype=np.float32)
    kernel("unset")((3,), (64,), (out,))
    np.testing.assert_array_equal(out.get(), [1, np.nan])


def test_a_barrier_that_some_threads_never_reach_is_an_error(cupy: Any, kernel: Any, x: Any) -> None:
    with pytest.raises(
        KernelError, match=r"divergent barrier.*threads 0 to 15 wait at __syncthreads in line"
    ):
        kernel("diverge")((1,), (64,), (x, i32(16)))
    kernel("diverge")((1,), (64,), (x, i32(64)))
    assert x.get().tolist() == [1] * 64
    with pytest.raises(KernelError, match=r"divergent barrier.*threads 0 to 7 wait at a shuffle"):
        kernel("half_a_shuffle")((1,), (64,), (x, cupy.empty_like(x), i32(8)))
    with pytest.raises(KernelError, match="with a mask that leaves it out"):
        kernel("left_out")((1,), (32,), (x,))


def test_the_order_of_the_threads_changes_from_launch_to_launch(cupy: Any, kernel: Any) -> None:
    """The thread that comes last is the one whose number stays."""
    last = set()
    for _ in range(2):
        out = cupy.zeros(1, dtype=np.int32)
        kernel("last_one")((1,), (64,), (out,))
        last.add(int(out[0]))
    assert last == {0, 63}


def test_threads_that_ended_are_not_waited_for(cupy: Any, kernel: Any) -> None:
    out = cupy.zeros(64, dtype=np.float32)
    kernel("leave_early")((1,), (64,), (out, i32(40)))
    assert out.get().tolist() == [1] * 40 + [0] * 24


def test_a_value_from_a_lane_outside_of_the_mask_is_nan(cupy: Any, kernel: Any, x: Any) -> None:
    out = cupy.empty_like(x)
    kernel("from_outside")((1,), (32,), (x, out))
    np.testing.assert_array_equal(out.get()[:32], [*range(1, 16), np.nan, *range(16, 32)])


def test_shuffles_and_votes(cupy: Any, kernel: Any, x: Any) -> None:
    out = cupy.empty((8, 64), dtype=np.float32)
    kernel("warps")((1,), (64,), (x, out))
    t = np.arange(64)
    expected = [
        t // 32 * 32 + 3,
        np.where(t % 8 >= 2, t - 2, t),
        np.where(t % 8 < 6, t + 2, t),
        t ^ 5,
        np.where(t < 32, 32, 8),
        t >= 32,
        t < 32,
        np.full(64, 40),
    ]
    np.testing.assert_array_equal(out.get(), expected)


@pytest.mark.parametrize("threads", [32, 64])
def test_sums_and_atomics(cupy: Any, kernel: Any, x: Any, threads: int) -> None:
    out, atomic = cupy.empty_like(x), cupy.zeros(2, dtype=np.float32)
    kernel("sums")((1,), (threads,), (x, out, atomic))
    total = threads * (threads - 1) / 2
    assert out.get()[:threads].tolist() == [total + 1000] * threads
    assert atomic.get()[0] == total
    assert atomic.get().view(np.int32)[1] == threads - 1


@pytest.mark.parametrize("kind, k", [(0, 8), (1, 16)])
def test_matrix_products_of_a_warp(cupy: Any, kernel: Any, kind: int, k: int) -> None:
    """Small whole numbers are exact in TF32 and in BF16."""
    rng = np.random.default_rng(kind)
    a, b = (rng.integers(-50, 50, shape).astype(np.float32) for shape in ((16, k), (k, 8)))
    out = cupy.empty((16, 8), dtype=np.float32)
    kernel("product")((1,), (32,), (cupy.asarray(a), cupy.asarray(b), out, i32(kind)))
    np.testing.assert_array_equal(out.get(), a @ b + 1)


@pytest.mark.parametrize("kind, k, bits", [(0, 8, 11), (1, 16, 8)])
def test_operands_of_matrix_products_are_rounded(
    cupy: Any, kernel: Any, kind: int, k: int, bits: int
) -> None:
    """1 + 2**-n survives with n bits behind the point, and is rounded with one fewer."""
    a, b = np.zeros((16, k), dtype=np.float32), np.zeros((k, 8), dtype=np.float32)
    a[:, 0] = 1 + np.float32(2.0) ** (np.arange(16) // 8 - bits)
    b[0] = 1
    out = cupy.empty((16, 8), dtype=np.float32)
    kernel("product")((1,), (32,), (cupy.asarray(a), cupy.asarray(b), out, i32(kind)))
    expected = np.where(np.arange(16) < 8, 2 + (kind == 0) * 2.0 ** (1 - bits), 2 + 2.0 ** (1 - bits))
    np.testing.assert_array_equal(out.get()[:, 0], expected)


def test_tables_of_constants_are_read(cupy: Any, kernel: Any, x: Any) -> None:
    kernel("from_table")((1,), (64,), (x,))
    assert x.get().tolist() == [1, 2, 3, 4] * 16


def test_blocks_and_threads_in_three_dimensions(cupy: Any, kernel: Any) -> None:
    out = cupy.zeros((24, 30), dtype=np.int32)
    kernel("where")((2, 3, 4), (5, 2, 3), (out,))
    np.testing.assert_array_equal(out.get(), np.arange(24)[:, None] * 1000 + np.arange(30))


def test_a_launch_has_limits(cupy: Any, kernel: Any, x: Any) -> None:
    out = cupy.empty(2048, dtype=np.int32)
    kernel("where")((1,), (1024,), (out,))
    for grid, block in (((1,), (1025,)), ((1,), (32, 33)), ((1,), (1, 1, 65)), ((1, 65536), (1,))):
        with pytest.raises(CUDADriverError, match="invalid argument"):
            kernel("where")(grid, block, (out,))
    function = kernel("reverse_in_dynamic")
    with pytest.raises(CUDADriverError, match="shared memory"):
        function((1,), (64,), (x, cupy.empty_like(x)), shared_mem=48 * 1024 + 1)
    function.max_dynamic_shared_size_bytes = 64 * 1024
    function((1,), (64,), (x, cupy.empty_like(x)), shared_mem=48 * 1024 + 1)


def test_a_block_has_as_many_threads_as_was_promised(cupy: Any, kernel: Any) -> None:
    """A GPU refuses the launch: the compiler gave each thread more registers than so many could have."""
    out = cupy.empty(64, np.float32)
    kernel("bounded<Small>")((1,), (8, 4), (out,))
    assert out.get()[:8].tolist() == [1] * 8
    with pytest.raises(KernelError, match="one of 33, and __launch_bounds__ promised at most 32"):
        kernel("bounded<Small>")((1,), (33,), (out,))


def test_arguments_fit_the_parameters(cupy: Any, kernel: Any, x: Any) -> None:
    function, out = kernel("shift"), cupy.empty_like(x)
    function((1,), (64,), (x, out, 0))
    with pytest.raises(KernelError, match="3 parameters and was given 2"):
        function((1,), (64,), (x, out))
    for wrong in (i32(0), 0.0, np.float64(0), np.uint64(0)):
        with pytest.raises(KernelError, match="parameter 2 is i8"):
            function((1,), (64,), (x, out, wrong))
    with pytest.raises(KernelError, match=r"parameter 1 is \*f4, its argument is \*f8"):
        function((1,), (64,), (x, out.astype(np.float64), 0))
    with pytest.raises(TypeError, match="the pointer to no array is 0"):
        function((1,), (64,), (None, out, 0))
    with pytest.raises(KernelError, match="outside of every array"):
        function((1,), (64,), (0, out, 0))
    with pytest.raises(TypeError, match=r"numpy\.ndarray of shape \(64,\)"):
        function((1,), (64,), (x.get(), out, 0))


def test_structures_are_handed_over_by_value(cupy: Any) -> None:
    """As CuPy does: an array without axes, not a `numpy.void`."""
    code = """
    struct Sizes { int width; double scale; };
    extern "C" __global__ void fill(float* out, Sizes sizes) {
      if (threadIdx.x < sizes.width) out[threadIdx.x] = sizes.scale;
    }"""
    fill = cupy.RawModule(code=code).get_function("fill")
    sizes = np.dtype([("width", np.int32), ("scale", np.float64)], align=True)
    out = cupy.zeros(4, dtype=np.float32)
    fill((1,), (4,), (out, np.array((3, 0.5), dtype=sizes)))
    assert out.get().tolist() == [0.5, 0.5, 0.5, 0]
    with pytest.raises(TypeError, match="Unsupported type"):
        fill((1,), (4,), (out, np.array((3, 0.5), dtype=sizes)[()]))
    with pytest.raises(KernelError, match="parameter 1 is s16, its argument is s12"):
        fill((1,), (4,), (out, np.array((3, 0.5), dtype=np.dtype([*sizes.descr[:1], ("scale", "f8")]))))


def test_what_the_compiler_says_names_the_line(cupy: Any) -> None:
    module = cupy.RawModule(code="__global__ void wrong() {\n  int x = y;\n}", name_expressions=("wrong",))
    with pytest.raises(CompileException, match=r"kernel\.cu:2.*y.* was not declared"):
        module.get_function("wrong")


def test_a_source_has_no_other_kernels_than_its_own() -> None:
    with pytest.raises(LookupError, match="no kernel relu<int>"), emulated_cuda():
        _launch.kernel("activation.cu", "relu<int>")
