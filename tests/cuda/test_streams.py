"""Streams, events and cards by PyTorch's names, on a GPU or on the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import tinyconv as tc
from tests.gpu import gpu
from tinyconv.errors import DeviceError


@pytest.fixture(autouse=True)
def cuda() -> Iterator[Any]:
    with gpu() as cupy:
        yield cupy


def test_work_goes_into_the_stream_that_is_chosen() -> None:
    before, side = tc.cuda.current_stream(), tc.cuda.Stream()
    assert before == tc.cuda.default_stream() and side != before and hash(side) != hash(before)
    with tc.cuda.stream(side):
        assert tc.cuda.current_stream() == side
        with tc.cuda.stream(None):
            assert tc.cuda.current_stream() == side
    assert tc.cuda.current_stream() == before and "device=cuda:0" in repr(side)


def test_a_stream_waits_for_another() -> None:
    side = tc.cuda.Stream(priority=-1)
    x = tc.ones(1000).to("cuda")
    side.wait_stream(tc.cuda.current_stream())
    with side:
        y = x * 2
        done = side.record_event()
    done.wait()
    assert y.sum().item() == 2000
    side.synchronize()
    tc.cuda.synchronize()
    assert side.query() and done.query() and tc.cuda.Event().query()


def test_events_measure_time() -> None:
    start, end = tc.cuda.Event(enable_timing=True), tc.cuda.Event(enable_timing=True)
    start.record()
    tc.ones(1000).to("cuda").sum()
    end.record()
    end.synchronize()
    assert 0 <= start.elapsed_time(end) < 60_000
    assert start.elapsed_time(end) == pytest.approx(-end.elapsed_time(start), abs=1e-3)


def test_events_without_a_time_are_refused() -> None:
    timed, plain = tc.cuda.Event(enable_timing=True), tc.cuda.Event()
    plain.record()
    with pytest.raises(DeviceError, match="enable_timing=True"):
        timed.elapsed_time(plain)
    with pytest.raises(DeviceError, match="interprocess"):
        tc.cuda.Event(interprocess=True)


def test_the_card_tells_what_it_is() -> None:
    assert tc.cuda.is_available() and tc.cuda.device_count() >= 1
    major, minor = tc.cuda.get_device_capability("cuda:0")
    assert major >= 7 and 0 <= minor <= 9
    assert tc.cuda.get_device_name() == tc.cuda.get_device_name(0) != ""
    tc.cuda.set_device(0)
    with tc.cuda.device(0), tc.cuda.device(None), tc.cuda.device(-1):
        assert tc.cuda.current_device() == 0
    free, total = tc.cuda.mem_get_info()
    assert 0 < free <= total


def test_arrays_are_counted() -> None:
    before = tc.cuda.memory_allocated()
    tc.cuda.reset_peak_memory_stats()
    x = tc.zeros(1000, device="cuda")
    assert tc.cuda.memory_allocated() >= before + 4000 <= tc.cuda.max_memory_allocated()
    del x
    tc.cuda.empty_cache()
    assert tc.cuda.memory_allocated() <= before <= tc.cuda.max_memory_allocated() - 4000
    assert tc.cuda.memory_reserved() >= tc.cuda.memory_allocated()
