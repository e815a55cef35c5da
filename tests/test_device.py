"""The process-wide settings: checked when set, put back after a block; seeds and their state."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import device
from tinyconv.errors import ArgumentError, DeviceError, DtypeError, TinyconvError


def test_a_setting_changes_for_a_block_and_is_put_back_after_an_error() -> None:
    with pytest.raises(KeyError), tc.default_dtype(tc.float64):
        assert tc.zeros(1).dtype == tc.float64
        raise KeyError
    assert tc.get_default_dtype() == tc.float32
    tc.set_default_dtype("float64")
    assert tc.get_default_dtype() == tc.float64


def test_blocks_nest() -> None:
    with tc.kernel_backend("reference"):
        with tc.kernel_backend("auto"):
            assert device.kernel_backend.get() == "auto"
        assert device.kernel_backend.get() == "reference"


def test_threads() -> None:
    tc.set_num_threads(1)
    assert tc.get_num_threads() == 1
    tc.set_num_threads(device.available_threads())


WRONG: list[tuple[type[TinyconvError], str, Any]] = [
    (DtypeError, "default_dtype.*int64", lambda: tc.set_default_dtype("int64")),
    (DtypeError, "default_dtype.*'float1'", lambda: tc.set_default_dtype("float1")),
    (DtypeError, "default_dtype.*None", lambda: tc.set_default_dtype(None)),
    (ArgumentError, "set_num_threads.*0", lambda: tc.set_num_threads(0)),
    (ArgumentError, "set_num_threads.*1.5", lambda: tc.set_num_threads(1.5)),
    (ArgumentError, "set_num_threads.*True", lambda: tc.set_num_threads(True)),
    (ArgumentError, "set_conv_algorithm.*'fft'.*'winograd'", lambda: tc.set_conv_algorithm("fft")),
    (ArgumentError, "kernel_backend.*'fast'.*'auto'", lambda: device.kernel_backend.set("fast")),
    (DeviceError, "'tpu'.*'cuda:0'", lambda: device.default_device.set("tpu")),
    (DeviceError, "'cuda:x'", lambda: device.default_device.set("cuda:x")),
    (ArgumentError, "manual_seed.*-1", lambda: tc.manual_seed(-1)),
    (ArgumentError, "manual_seed.*1.5", lambda: tc.manual_seed(1.5)),
    (ArgumentError, r"manual_seed.*2\*\*64 - 1", lambda: tc.manual_seed(2**64)),
    (ArgumentError, "set_rng_state", lambda: tc.set_rng_state({"seed": 1})),
    (ArgumentError, "set_rng_state", lambda: tc.set_rng_state("state")),
]


@pytest.mark.parametrize(("error", "says", "call"), WRONG)
def test_a_wrong_value_is_refused_and_changes_nothing(
    error: type[TinyconvError], says: str, call: Any
) -> None:
    settings = [
        device.default_dtype,
        device.default_device,
        device.kernel_backend,
        device.num_threads,
        device.conv_algorithm,
    ]
    before = [setting.get() for setting in (*settings, device.seed)]
    with pytest.raises(error, match=says):
        call()
    assert [setting.get() for setting in (*settings, device.seed)] == before


def draw() -> list[Any]:
    return [tc.rand(3).tolist(), tc.randn(3).tolist(), F.dropout(tc.ones(50)).tolist()]


def test_a_seed_gives_the_same_numbers_again() -> None:
    tc.manual_seed(7)
    first = draw()
    second = draw()
    assert first != second
    tc.manual_seed(7)
    assert [draw(), draw()] == [first, second]
    tc.manual_seed(8)
    assert draw() != first


def test_the_state_goes_through_json_and_goes_on_where_it_was() -> None:
    tc.manual_seed(2**64 - 1)
    draw()
    state = json.loads(json.dumps(tc.get_rng_state()))
    expected = draw()
    tc.manual_seed(0)
    tc.set_rng_state(state)
    assert draw() == expected


def test_numpy_integers_are_seeds_too() -> None:
    tc.manual_seed(np.int64(3))
    first = tc.rand(2).tolist()
    tc.manual_seed(3)
    assert tc.rand(2).tolist() == first
