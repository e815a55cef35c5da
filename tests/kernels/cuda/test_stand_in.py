"""The stand-in has the manners of CuPy's arrays."""

from __future__ import annotations

import configparser
import gc
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import device, kernels
from tinyconv.device_errors import OLDEST
from tinyconv.kernels.cuda.emulator import keywords, orders
from tinyconv.kernels.cuda.emulator.arrays import live_memory
from tinyconv.kernels.cuda.emulator.card import CUDARuntimeError
from tinyconv.kernels.cuda.emulator.cupy_stand_in import VERSION, emulated_cuda


@pytest.fixture
def cupy() -> Iterator[Any]:
    with emulated_cuda() as module:
        yield module


def test_it_takes_cupys_place_and_gives_it_back() -> None:
    there = importlib.util.find_spec("cupy") is not None
    with emulated_cuda() as module:
        import cupy

        assert cupy is module
        assert importlib.util.find_spec("cupy") is not None
        assert tc.cuda.is_available() and tc.cuda.device_count() == 1
    assert there or importlib.util.find_spec("cupy") is None


def test_what_is_installed_is_out_of_reach_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of a real CuPy would ask for a GPU."""
    parts = {name: ModuleType(name) for name in ("cupy", "cupy._core", "cupy.cuda.graph", "cupyx.jit")}
    for name, part in parts.items():
        monkeypatch.setitem(sys.modules, name, part)
    with emulated_cuda():
        from cupy._core import _routines_linalg as setting

        assert setting.get_compute_type("float32") != setting.COMPUTE_TYPE_TF32
        for name in ("cupy.cuda.graph", "cupyx.jit"):
            with pytest.raises(ImportError):
                importlib.import_module(name)
    assert {name: sys.modules[name] for name in parts} == parts


def test_an_element_is_a_view(cupy: Any) -> None:
    x = cupy.zeros((2, 3))
    x[1][2].fill(5)
    x[0, 1].fill(4)
    assert x.tolist() == [[0, 4, 0], [0, 0, 5]] and cupy.ones(3)[1].shape == ()


def test_its_arrays_are_taken_for_cupys(cupy: Any) -> None:
    x = cupy.ones(3)
    assert device.array_module(x) is cupy
    assert device.device_of(x) == "cuda:0"
    assert kernels.backend_of(x) == "cuda"
    assert isinstance(device.to_device(x, "cpu"), np.ndarray)
    assert isinstance(device.to_device(np.ones(2), "cuda"), cupy.ndarray)


def test_numpy_arrays_are_refused(cupy: Any) -> None:
    x, host = cupy.ones(3), np.ones(3)
    for mixed in (lambda: x + host, lambda: host + x, lambda: cupy.maximum(x, host), lambda: np.add(host, x)):
        with pytest.raises(TypeError, match="Unsupported type"):
            mixed()
    with pytest.raises(TypeError, match="Unsupported type"):
        x[:] = host
    with pytest.raises(TypeError, match="Implicit conversion"):
        np.asarray(x)
    with pytest.raises(TypeError, match="Unsupported type"):
        cupy.concatenate([x, host])
    with pytest.raises(ValueError, match="Unsupported dtype"):
        cupy.asarray(["a"])


def test_numbers_are_taken_and_results_without_axes_are_arrays(cupy: Any) -> None:
    x = cupy.arange(4, dtype=np.float32)
    total = (2 * x + np.float32(1)).sum()
    assert isinstance(total, cupy.ndarray) and total.shape == () and float(total) == 16
    assert isinstance(x[1], cupy.ndarray) and x.max().item() == 3
    assert (x + 1.5).dtype == np.float32
    assert [float(v) for v in x] == [0, 1, 2, 3]


def test_views_share_memory_and_copies_do_not(cupy: Any) -> None:
    x = cupy.zeros((2, 3, 4))
    x.transpose(2, 0, 1)[1:3].reshape(2, 2, 3)[0, 0] = 5
    assert x[0, :, 1].get().tolist() == [5, 5, 5]
    x.copy()[...] = 7
    x.astype(np.float32)[...] = 7
    assert float(x.max()) == 5
    view = x[1]
    assert x.base is None and view.base is x and view.T.base is x
    windows = cupy.lib.stride_tricks.sliding_window_view(cupy.arange(4), 2)
    assert windows.get().tolist() == [[0, 1], [1, 2], [2, 3]]


def test_an_update_in_place_stays_the_same_array(cupy: Any) -> None:
    x = before = cupy.ones(3)
    x += 1
    x *= cupy.asarray([1.0, 2.0, 3.0])
    assert x is before and x.get().tolist() == [2, 4, 6]
    out = cupy.empty(3)
    assert cupy.add(x, 1, out=out) is out and out.get().tolist() == [3, 5, 7]


def test_memory_begins_where_cupys_does_and_empty_is_not_zero(cupy: Any) -> None:
    for made in (
        cupy.empty(5, dtype=np.float32),
        cupy.ones(3) + 1,
        cupy.asarray(np.ones(2)),
        cupy.ones(3).copy(),
    ):
        assert made.data.ptr % 512 == 0
    assert np.isnan(cupy.empty(5, dtype=np.float32).get()).all()
    assert np.isnan(cupy.empty_like(cupy.ones(5)).get()).all()


def test_empty_like_keeps_the_memory_order_and_get_does_not(cupy: Any) -> None:
    x = cupy.zeros((2, 3, 4, 5)).transpose(0, 3, 1, 2)
    assert cupy.empty_like(x).strides == x.strides
    assert x.get().flags.c_contiguous
    assert cupy.asarray(np.zeros((2, 3, 4, 5)).transpose(0, 3, 1, 2)).flags.c_contiguous


def test_memory_is_known_while_it_lives(cupy: Any) -> None:
    gc.collect()
    before = len(live_memory())
    x = cupy.ones(1000, dtype=np.float32)
    part = x[3:]
    assert len(live_memory()) == before + 1
    assert cupy.get_default_memory_pool().used_bytes() >= 4000
    del x
    assert len(live_memory()) == before + 1
    del part
    assert len(live_memory()) == before


def test_there_is_one_card(cupy: Any) -> None:
    with pytest.raises(CUDARuntimeError), cupy.cuda.Device(1):
        pass
    with pytest.raises(tc.errors.DeviceError, match="the only GPU here"):
        tc.ones(2).to("cuda:1")


def test_grids_are_its_own(cupy: Any) -> None:
    rows, columns = cupy.ogrid[:2, :3]
    assert (rows * 3 + columns).get().tolist() == [[0, 1, 2], [3, 4, 5]]


def test_what_cupy_lacks_it_lacks_too(cupy: Any) -> None:
    for name in ("nditer", "geomspace", "block"):
        assert hasattr(np, name) and not hasattr(cupy, name)


KEYWORDS: dict[str, Any] = {
    "initial of a function": lambda cupy, a: cupy.max(a, initial=0),
    "where of a function": lambda cupy, a: cupy.mean(a, where=a > 0),
    "initial of a method": lambda cupy, a: a.sum(initial=1),
    "where of a method": lambda cupy, a: a.std(where=a > 0),
    "through NumPy": lambda cupy, a: np.min(a, initial=0),
    "where of a ufunc": lambda cupy, a: cupy.add(a, a, where=a > 0),
    "where of NumPy's ufunc": lambda cupy, a: np.add(a, a, where=a > 0),
    "initial of a ufunc's method": lambda cupy, a: cupy.add.reduce(a, initial=1),
    "initial of a method of NumPy's ufunc": lambda cupy, a: np.maximum.reduce(a, initial=1),
    "of astype": lambda cupy, a: a.astype("f4", device="cpu"),
    "device": lambda cupy, a: cupy.arange(3, device="cpu"),
}


@pytest.mark.parametrize("name", KEYWORDS)
def test_keywords_that_cupy_lacks_are_refused(cupy: Any, name: str) -> None:
    with pytest.raises(TypeError, match=r"unexpected keyword argument|Wrong arguments"):
        KEYWORDS[name](cupy, cupy.ones(3))


def test_keywords_that_cupy_has_are_taken(cupy: Any) -> None:
    a, out = cupy.ones((2, 3)), cupy.empty(3)
    assert cupy.add.reduce(a, axis=1, keepdims=True).tolist() == [[3], [3]]
    assert cupy.sum(a, axis=0, out=out) is out and out.tolist() == [2, 2, 2]
    assert cupy.power(a, 2, dtype="f8", casting="same_kind").sum(dtype="f4").dtype == "f4"


def test_the_keywords_are_those_that_cupy_lacks() -> None:
    real = pytest.importorskip("cupy")
    if real.__version__ != VERSION:
        pytest.skip(f"they are those of CuPy {VERSION}")
    for name, lacking in keywords.LACKING.items():
        assert lacking == lacking - set(inspect.signature(getattr(real, name)).parameters)
        assert lacking <= set(inspect.signature(getattr(np, name)).parameters)


def test_it_is_the_oldest_cupy_that_may_be_installed(cupy: Any) -> None:
    setup = configparser.ConfigParser()
    setup.read(Path(tc.__file__).parents[1] / "setup.cfg")
    if not setup.has_section("options.extras_require"):
        pytest.skip("tinyconv is installed without its setup.cfg")
    extras = setup["options.extras_require"]
    for extra, cuda in (("gpu", 13), ("gpu12", 12)):
        assert extras[extra].strip() == f"cupy-cuda{cuda}x[ctk]>={cupy.__version__.removesuffix('.0')}"
    assert cupy.__version__ == ".".join(map(str, (*OLDEST, 0)))


def test_what_python_gives_must_fit_the_dtype(cupy: Any) -> None:
    with pytest.raises(OverflowError):
        cupy.asarray(300, dtype="uint8")


def test_a_repeated_array_takes_changes_as_cupys_does(cupy: Any) -> None:
    one = cupy.zeros((1, 2))
    cupy.broadcast_to(one, (3, 2))[2, 0] = 5
    assert one.get().tolist() == [[5, 0]]


class Placed:
    """An array on another GPU than the current one, and that GPU."""

    id = 1

    def __init__(self) -> None:
        self.is_current = False

    @property
    def device(self) -> Placed:
        return self

    def __enter__(self) -> None:
        self.is_current = True

    def __exit__(self, *raised: Any) -> None:
        self.is_current = False


def test_a_kernel_is_launched_on_the_gpu_of_its_arrays(cupy: Any) -> None:
    array, current = Placed(), []
    kernel = kernels.on_the_gpu_of_its_arrays(lambda first: current.append(array.is_current))
    kernel(array)
    kernel([array])
    assert current == [True, True] and not array.is_current


def test_cuda_without_a_number_is_the_current_gpu(cupy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = cupy.cuda.Device

    def recorded(number: Any = None) -> Any:
        asked.append(number)
        return real(0)

    monkeypatch.setattr(cupy.cuda.MemoryHook, "hooks", [])  # one that counts peaks would ask, too
    monkeypatch.setattr(cupy.cuda, "Device", recorded)
    device.to_device(np.ones(2), "cuda")
    device.to_device(np.ones(2), "cuda:0")
    assert asked == [None, 0]


PRODUCTS: dict[str, Any] = {
    "@": lambda cupy, a: a @ a,
    "dot of an array": lambda cupy, a: a.dot(a),
    "einsum": lambda cupy, a: cupy.einsum("ij,jk->ik", a, a),
    **{name: lambda cupy, a, name=name: getattr(cupy, name)(a, a) for name in ("matmul", "inner", "outer")},
    "tensordot": lambda cupy, a: cupy.tensordot(a, a),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_cublas_cannot_be_recorded(cupy: Any, name: str) -> None:
    """CuPy says so before CUDA is asked: the recording goes on."""
    a = cupy.ones((2, 2))
    PRODUCTS[name](cupy, a)
    with cupy.cuda.Stream(non_blocking=True) as stream:
        stream.begin_capture()
        with pytest.raises(NotImplementedError, match="cuBLAS API during stream capture"):
            PRODUCTS[name](cupy, a)
        whole = a.astype("int64")
        products = whole @ whole, cupy.ones((2, 0)) @ cupy.ones((0, 2)), cupy.einsum("ij->ji", a)
        stream.end_capture().launch()
    assert [product.tolist() for product in products] == [[[2, 2]] * 2, [[0, 0]] * 2, [[1, 1]] * 2]


def test_numbers_do_not_travel_while_a_stream_is_recorded(cupy: Any) -> None:
    x = cupy.ones(3)
    with cupy.cuda.Stream(non_blocking=True) as stream:
        stream.begin_capture()
        for call, kind in ((x.get, "D2H"), (lambda: float(x[0]), "D2H"), (lambda: cupy.asarray([1]), "H2D")):
            with pytest.raises(RuntimeError, match=f"the current stream is capturing, so {kind} transfers"):
                call()
        stream.end_capture().launch()


def test_many_arrays_are_not_joined_while_a_stream_is_recorded(cupy: Any) -> None:
    """CuPy brings their addresses from the host, unless they are few, large, or of several dtypes."""
    few, many = [cupy.ones(2)] * 8, [cupy.ones(2)] * 9
    large, mixed = [cupy.ones(1 << 18)] * 9, [*few, cupy.ones(2, "f4")]
    with cupy.cuda.Stream(non_blocking=True) as stream:
        stream.begin_capture()
        for join in (cupy.concatenate, cupy.stack, np.vstack):
            with pytest.raises(RuntimeError, match="H2D transfers"):
                join(many)
        joined = [cupy.concatenate(arrays) for arrays in (few, large, mixed)]
        stream.end_capture().launch()
    assert [y.sum().item() for y in joined] == [16, 9 << 18, 18]


def test_who_waits_for_a_stream_breaks_its_recording(cupy: Any) -> None:
    before = cupy.cuda.Event()
    before.record()
    with cupy.cuda.Stream(non_blocking=True) as stream:
        stream.begin_capture()
        before.synchronize()
        cupy.cuda.Stream(non_blocking=True).synchronize()
        with pytest.raises(CUDARuntimeError, match="StreamCaptureUnsupported"):
            stream.synchronize()
        with pytest.raises(CUDARuntimeError, match="StreamCaptureInvalidated"):
            stream.end_capture()
        stream.synchronize()
        stream.begin_capture()
        for wait_for_all in (cupy.cuda.Device().synchronize, cupy.cuda.runtime.deviceSynchronize):
            with pytest.raises(CUDARuntimeError, match="StreamCaptureUnsupported"):
                wait_for_all()
        with pytest.raises(CUDARuntimeError, match="StreamCaptureInvalidated"):
            stream.end_capture()


WAITS: dict[str, Any] = {
    "nobody": (lambda cupy, stream, event: None, False),
    "the host, for the stream": (lambda cupy, stream, event: stream.synchronize(), True),
    "the host, for the event": (lambda cupy, stream, event: event.synchronize(), True),
    "the host, for all": (lambda cupy, stream, event: cupy.cuda.Device().synchronize(), True),
    "the host, for another stream": (lambda cupy, stream, event: cupy.cuda.Stream().synchronize(), False),
    "the stream": (lambda cupy, stream, event: cupy.cuda.get_current_stream().wait_event(event), True),
}


@pytest.mark.parametrize("who", WAITS)
def test_work_of_another_stream_is_done_if_somebody_waited_for_it(cupy: Any, who: str) -> None:
    wait, is_done = WAITS[who]
    stream, event, x = cupy.cuda.Stream(non_blocking=True), cupy.cuda.Event(), cupy.ones(3)
    with orders.written_down() as given:
        with stream:
            x + 1
            event.record()
        wait(cupy, stream, event)
        x + 2
    first, *_, last = [number for number, order in enumerate(given) if order.what == orders.WORK]
    assert (first in orders.before_each(given)[last]) == is_done


def test_a_number_becomes_a_row_of_one(cupy: Any) -> None:
    """As with CuPy, and NumPy: what is contiguous has an axis at least."""
    number = cupy.asarray(3.0)
    row = cupy.ascontiguousarray(number)
    assert row.shape == (1,) and row.data.ptr == number.data.ptr
    assert cupy.ascontiguousarray(number, "float32").shape == (1,)


def test_a_pool_keeps_what_arrays_leave(cupy: Any) -> None:
    pool = cupy.cuda.MemoryPool()
    with cupy.cuda.using_allocator(pool.malloc):
        first, second = cupy.ones(100), cupy.ones(50)
        del first
        assert (pool.used_bytes(), pool.total_bytes()) == (400, 1200)
        third = cupy.ones(80)
    assert (pool.used_bytes(), pool.free_bytes()) == (1040, 160)
    pool.free_all_blocks()
    assert pool.total_bytes() == pool.used_bytes() == second.nbytes + third.nbytes
