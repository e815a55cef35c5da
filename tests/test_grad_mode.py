"""Switching the recording of the graph off and on, and in-place changes while it is off."""

from __future__ import annotations

import threading

import pytest

import tinyconv as tc
from tinyconv.errors import GraphError, ShapeError


def leaf(*values: float) -> tc.Tensor:
    return tc.tensor(list(values), dtype="float64", requires_grad=True)


def test_no_grad_as_a_block_nested_and_as_a_decorator() -> None:
    x = leaf(1.0)

    @tc.no_grad()
    def double(t: tc.Tensor) -> tc.Tensor:
        return t * 2

    assert not double(x).requires_grad
    with tc.no_grad():
        with tc.no_grad():
            assert not (x * 2).requires_grad
        assert not (x * 2).requires_grad
        with tc.enable_grad():
            assert (x * 2).requires_grad
        assert not tc.is_grad_enabled()
        assert not double(x).requires_grad
    assert double.__name__ == "double"
    assert tc.is_grad_enabled() and (x * 2).requires_grad


def test_an_error_inside_no_grad_switches_recording_on_again() -> None:
    with pytest.raises(ShapeError), tc.no_grad():
        tc.ones(2) + tc.ones(3)
    assert tc.is_grad_enabled()


def test_set_grad_enabled_works_at_once_and_as_a_block() -> None:
    with tc.set_grad_enabled(False):
        assert not tc.is_grad_enabled()
    assert tc.is_grad_enabled()
    tc.set_grad_enabled(False)
    try:
        assert not tc.is_grad_enabled()
    finally:
        tc.set_grad_enabled(True)
    assert tc.is_grad_enabled()


def test_each_thread_has_its_own_grad_mode() -> None:
    seen: list[bool] = []
    inside, done = threading.Event(), threading.Event()

    def other() -> None:
        inside.wait()
        seen.append(tc.is_grad_enabled())
        with tc.no_grad():
            done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with tc.no_grad():
        inside.set()
        done.wait()
        assert not tc.is_grad_enabled()
    thread.join()
    assert seen == [True]
    assert tc.is_grad_enabled()


def test_in_place_changes_only_outside_the_graph() -> None:
    w = leaf(1.0, 2.0)
    for change in (lambda: w.zero_(), lambda: w.copy_([1.0, 2.0]), lambda: w.__setitem__(0, 3.0)):
        with pytest.raises(GraphError, match="no_grad"):
            change()
    with tc.no_grad():
        w[0] = 5.0
        w.data.fill_(7.0)
    assert w.tolist() == [7.0, 7.0] and w.requires_grad


def test_augmented_assignment_makes_a_new_tensor() -> None:
    w = leaf(1.0)
    before = w
    with tc.no_grad():
        w = w - 0.5
    assert before.tolist() == [1.0] and w.tolist() == [0.5]
