"""Arrays between processes: what is sent arrives, is the receiver's own, and leaves nothing open."""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections.abc import Callable
from multiprocessing import Pipe, reduction
from typing import Any

import numpy as np
import pytest

from tinyconv.data.shared_arrays import SMALL, Receiver, Sender
from tinyconv.errors import DataError

LARGE = np.arange(SMALL, dtype=np.float32).reshape(4, -1)
SHARES = sys.platform == "linux"

ANSWERS: dict[str, Any] = {
    "one": LARGE,
    "several": (LARGE, LARGE[:1] > 5, {"weights": LARGE.astype(np.float64)}, "text", 3),
    "odd sizes": [np.arange(n, dtype=np.uint8) for n in (SMALL + 1, 1, 63, 64, 65)],
    "columns first": np.asfortranarray(LARGE),
    "every other": LARGE[:, ::2],
    "empty": (LARGE, np.zeros((0, 3)), np.zeros(())),
    "objects": (LARGE, np.array([None, "a"], object)),
    "small": np.arange(5),
    "none": None,
}


def ends(places: int = 2) -> tuple[Sender, Receiver]:
    ours, theirs = Pipe()
    return Sender(theirs, places), Receiver(ours)


def through(sender: Sender, receiver: Receiver, answer: Any) -> Any:
    """Sent in another thread, as a full pipe waits for its reader."""
    sending = threading.Thread(target=sender.send, args=(answer,))
    sending.start()
    found = receiver.receive()
    sending.join(10)
    assert not sending.is_alive()
    return found


def no_memfd(*_: Any) -> int:
    raise OSError("not allowed")


def no_room(*_: Any) -> None:
    raise OSError("no space left")


@pytest.mark.parametrize("without", [None, "memfd_create", "posix_fallocate", "missing"])
@pytest.mark.parametrize("name", list(ANSWERS))
def test_what_is_sent_arrives(name: str, without: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if without == "missing":
        monkeypatch.delattr(os, "memfd_create", raising=False)
    elif without is not None:
        monkeypatch.setattr(os, without, {"memfd_create": no_memfd}.get(without, no_room), raising=False)
    sender, receiver = ends()
    for _ in range(3):
        np.testing.assert_equal(through(sender, receiver, ANSWERS[name]), ANSWERS[name])
    shared = any(file is not None for file in sender._files)
    assert shared == (SHARES and without is None and name not in ("small", "none", "every other"))


def test_an_answer_that_grows() -> None:
    sender, receiver = ends(places=1)
    for size in (SMALL, 2 * SMALL, SMALL // 2, 3 * SMALL):
        sent = np.random.default_rng(size).random(size)
        np.testing.assert_array_equal(through(sender, receiver, sent), sent)


@pytest.mark.skipif(not SHARES, reason="in a pipe the second would wait for the first to be taken")
def test_as_many_as_there_are_places_are_on_their_way_at_once() -> None:
    sender, receiver = ends(places=3)
    for first in range(0, 9, 3):
        for number in range(first, first + 3):
            sender.send(np.full(SMALL, number))
        for number in range(first, first + 3):
            assert (receiver.receive() == number).all()


def test_what_arrives_is_the_receivers_own() -> None:
    sender, receiver = ends(places=1)
    first = through(sender, receiver, LARGE)
    first += 1
    assert (through(sender, receiver, LARGE) == LARGE).all() and (first == LARGE + 1).all()


def test_to_keep_one_array_keeps_no_other() -> None:
    images, labels = through(*ends(), (LARGE, np.arange(4)))
    assert not np.may_share_memory(images, labels)
    owner = labels
    while isinstance(owner, np.ndarray) and owner.base is not None:
        owner = owner.base
    assert memoryview(owner).nbytes == labels.nbytes


@pytest.mark.skipif(not SHARES, reason="nothing else is opened")
def test_a_file_that_may_not_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system passes no file on where too many are open, and the answer is lost."""
    sender, receiver = ends()
    sender.send(LARGE)
    monkeypatch.setattr(reduction, "recv_handle", full)
    with pytest.raises(DataError, match=r"a worker's memory is closed to us \(received 0 items of ancdata\)"):
        receiver.receive()


def full(_: Any) -> int:
    raise RuntimeError("received 0 items of ancdata")


@pytest.mark.skipif(not SHARES, reason="counts files as Linux names them")
def test_no_file_stays_open() -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = count()
    sender, receiver = ends()
    for size in range(SMALL, SMALL + 2000, 100):
        through(sender, receiver, np.zeros(size))
    assert count() <= before + 2 + 2 * 2  # the ends of the pipe, and two places on each side
    sender.pipe.close()
    receiver.pipe.close()
    del sender, receiver
    assert count() == before


@pytest.mark.parametrize("unpickled", [lambda: None, threading.Lock()])
def test_what_cannot_be_sent_leaves_the_pipe_as_it_was(unpickled: Callable[[], None]) -> None:
    sender, receiver = ends()
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        sender.send((LARGE, unpickled))
    assert (through(sender, receiver, LARGE) == LARGE).all()


def test_the_other_side_has_ended() -> None:
    sender, receiver = ends()
    sender.send(1)
    sender.pipe.close()
    assert receiver.receive() == 1
    with pytest.raises(EOFError):
        receiver.receive()
