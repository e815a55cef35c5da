"""Batches made by processes: the same as without, and no death goes unseen."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.data import BalancedSampler, DataLoader, Dataset, Kept, collate_arrays, get_worker_info
from tinyconv.data.process_workers import fork_or_thread
from tinyconv.errors import ArgumentError, DataError, ShapeError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")


ROOT = Path(__file__).parents[2]
SHARES = sys.platform == "linux"


class Numbers(Dataset):
    """Item i is i, three draws of the generators that a dataset may use, and the epoch."""

    def __init__(self, count: int = 12, epoch: int = -1) -> None:
        self.count, self.epoch = count, epoch

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        old = np.random.random()  # noqa: NPY002 - the generator that a dataset of others may use
        drawn = np.array([old, random.random(), tc.rand(1).item()])
        return {"index": index, "drawn": drawn, "epoch": self.epoch, "worker": _worker()}

    def at_epoch(self, epoch: int) -> Numbers:
        return Numbers(self.count, epoch)


class Deadly(Numbers):
    """Item 7 ends the process in one of several ways."""

    how = "kill"

    def __getitem__(self, index: int) -> Any:
        if index == 7:
            {"kill": kill, "exit": leave, "hang": hang, "error": fail, "shape": misfit}[self.how]()
        return index

    def at_epoch(self, epoch: int) -> Deadly:
        return self


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    os._exit(3)


def hang() -> None:
    time.sleep(60)


def fail() -> None:
    raise KeyError("no such thing")


def misfit() -> None:
    raise ShapeError("dataset", "image", (1, 2), "(3, 4)")


def _worker() -> int:
    info = get_worker_info()
    return -1 if info is None else 10 * info.num_workers + info.id


def loader(dataset: Any, workers: int, **options: Any) -> DataLoader:
    options = {"batch_size": 2, "seed": 3, "multiprocessing_context": "spawn", **options}
    return DataLoader(dataset, num_workers=workers, **options)


def test_batches_are_a_pure_function_of_seed_and_epoch() -> None:
    def taken(workers: int, epoch: int = 1, start: int = 0) -> list[tuple[list[int], bytes]]:
        batches = loader(Numbers(), workers, shuffle=True).iterate(epoch, start)
        return [(batch["index"].tolist(), batch["drawn"].numpy().tobytes()) for batch in batches]

    one = taken(1)
    assert taken(2) == one and taken(2, start=4) == one[4:]
    assert sorted(index for indices, _ in one for index in indices) == list(range(12))
    in_this_process = DataLoader(Numbers(), 2, shuffle=True, seed=3).iterate(1)
    assert [batch["index"].tolist() for batch in in_this_process] == [indices for indices, _ in one]
    assert taken(1, epoch=2)[0][1] != one[0][1]
    assert len({drawn for _, drawn in one}) == 6


def test_workers_know_who_they_are_and_live_on() -> None:
    assert get_worker_info() is None
    persistent = loader(Numbers(), 2, persistent_workers=True, worker_init_fn=abs)
    first = [(b["worker"].tolist(), b["epoch"].tolist()) for b in persistent]
    assert first == [([20 + i % 2] * 2, [0, 0]) for i in range(6)]
    processes = [process.pid for process in persistent._pool.processes]
    for batch in persistent:
        assert batch["epoch"].tolist() == [1, 1]
        break
    assert [batch["epoch"].tolist() for batch in persistent] == [[2, 2]] * 6
    assert [process.pid for process in persistent._pool.processes] == processes
    pairs = zip(persistent, persistent, strict=True)
    assert [(a["epoch"][0].item(), b["epoch"][0].item()) for a, b in pairs] == [(3, 4)] * 6
    pool = persistent._pool.processes
    persistent.close()
    assert not any(process.is_alive() for process in pool)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("kill", r"worker \d is dead \(killed by SIGKILL\) before batch 3 was made"),
        ("exit", r"worker \d is dead \(exit code 3\) before batch 3"),
        ("hang", r"batch 3 is not made after 2 s"),
        ("error", "item 7 of Deadly is KeyError: 'no such thing'"),
        ("shape", r"item 7 of Deadly: dataset: image is \(1, 2\), expected \(3, 4\)"),
    ],
)
def test_what_goes_wrong_is_told_at_once(how: str, message: str) -> None:
    dataset = Deadly()
    dataset.how = how
    timeout = 2 if how == "hang" else 0
    options = {"persistent_workers": True, "multiprocessing_context": "fork"}
    batches = iter(loader(dataset, 2, timeout=timeout, **options))
    seen = [next(batches).tolist()]
    began = time.monotonic()
    with pytest.raises((DataError, ShapeError), match=message) as caught:
        for batch in batches:
            seen.append(batch.tolist())
    assert seen == [[0, 1], [2, 3], [4, 5]] and time.monotonic() - began < 20
    assert type(caught.value) is (ShapeError if how == "shape" else DataError)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_end_with_the_process_that_they_work_for(method: str) -> None:
    """Its output is closed only when the last of them, which all have it open, has ended."""
    command = [sys.executable, "-m", "tests.data.orphans", method]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    printed, _ = process.communicate(timeout=60)
    assert (printed, process.returncode) == ("3 idle ones more\n", -signal.SIGKILL)


def test_what_cannot_be_sent() -> None:
    with pytest.raises(ArgumentError, match="can be sent to a process"):
        list(loader(Numbers(), 1, collate_fn=lambda samples: samples))
    with pytest.raises(ArgumentError, match="spawn or forkserver or fork"):
        list(loader(Numbers(), 1, multiprocessing_context="threads"))
    batches = loader(Numbers(), 1, worker_init_fn=fails_to_start)
    with pytest.raises(DataError, match="RuntimeError: not today"):
        list(batches)


def fails_to_start(number: int) -> None:
    raise RuntimeError("not today")


def test_arrays_and_a_fork() -> None:
    made = list(loader(list(range(5)), 2, collate_fn=collate_arrays, multiprocessing_context="fork"))
    assert [batch.tolist() for batch in made] == [[0, 1], [2, 3], [4]]
    assert all(isinstance(batch, np.ndarray) for batch in made)


class Marked(Dataset):
    """Item i is large, and puts a mark when it is read, by whichever process."""

    def __init__(self, folder: Path, count: int = 40) -> None:
        self.folder, self.count = folder, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[np.ndarray]:
        (self.folder / str(index)).touch()
        if index == 30:
            raise KeyError("mask")
        return (np.full(2**15, index, np.float32),)

    def read(self) -> list[int]:
        return sorted(int(file.name) for file in self.folder.iterdir())


def eventually(condition: Any) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(condition())


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_worker_with_nothing_else_to_do_reads_what_it_will_need(method: str, tmp_path: Path) -> None:
    data = Marked(tmp_path)
    options = {"multiprocessing_context": method, "persistent_workers": True}
    batches = loader(Kept(data), 2, **options)
    epoch = iter(batches)
    assert (next(epoch)[0].numpy() == [[0], [1]]).all()
    assert eventually(lambda: len(data.read()) == 40)
    for first in range(2, 30, 2):
        assert (next(epoch)[0].numpy() == [[first], [first + 1]]).all()
    with pytest.raises(DataError, match=r"item 30 of Kept is KeyError: 'mask'"):
        next(epoch)


def test_a_loop_that_is_left_early_has_no_more_read(tmp_path: Path) -> None:
    class Slow(Kept):
        def prepare(self, index: int) -> None:
            time.sleep(0.1)
            super().prepare(index)

    data = Marked(tmp_path)
    slow = loader(Slow(data), 1, multiprocessing_context="fork", persistent_workers=True)
    next(iter(slow))
    seen = len(data.read())
    time.sleep(0.5)
    assert len(data.read()) <= seen + 2 < 40
    assert next(iter(slow))[0][0, 0] == 0
    slow.close()


@pytest.mark.parametrize("shuffle", [False, True])
def test_large_batches_that_are_kept_are_not_written_over(shuffle: bool) -> None:
    data = [np.full(2**15, index, np.float32) for index in range(60)]
    made = list(loader(data, 2, multiprocessing_context="fork", shuffle=shuffle))
    alone = list(DataLoader(data, 2, shuffle=shuffle, seed=3))
    assert all((a.numpy() == b.numpy()).all() for a, b in zip(made, alone, strict=True))


class SlowlyGiven(Numbers):
    """The first item of the second batch takes longer than anybody waits, once."""

    def __init__(self, mark: Path) -> None:
        super().__init__()
        self.mark = mark

    def __getitem__(self, index: int) -> Any:
        if index == 2 and not self.mark.exists():
            self.mark.touch()
            time.sleep(12)
        return index

    def at_epoch(self, epoch: int) -> SlowlyGiven:
        return self


def test_what_comes_too_late_is_not_taken_for_the_next_loops(tmp_path: Path) -> None:
    data = SlowlyGiven(tmp_path / "mark")
    late = loader(data, 1, multiprocessing_context="fork", persistent_workers=True, timeout=4)
    first = iter(late)
    assert next(first).tolist() == [0, 1]
    first.close()
    late.timeout = 0
    assert [batch.tolist() for batch in late] == [[i, i + 1] for i in range(0, 12, 2)]
    late.close()


class OfEpoch(Dataset):
    """Item i of epoch e: a large array of 100 e + i, and that number."""

    def __init__(self, epoch: int = 0) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        time.sleep(0.02)
        number = 100 * self.epoch + index
        return np.full(2**15, number, np.float32), number

    def at_epoch(self, epoch: int) -> OfEpoch:
        return OfEpoch(epoch)


class Interrupt(BaseException):
    """As Ctrl-C in a notebook."""


def interrupt(*_: Any) -> None:
    raise Interrupt


def test_after_an_interrupted_loop_the_next_has_its_own_batches() -> None:
    living = loader(OfEpoch(), 1, multiprocessing_context="fork", persistent_workers=True, batch_size=1)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        first = iter(living)
        next(first)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Interrupt):
            list(first)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    seen = [(int(images[0, 0]), int(numbers[0])) for images, numbers in living]
    assert seen == [(100 + i, 100 + i) for i in range(12)]
    living.close()


@pytest.mark.parametrize("size", [5000, 20_000])
def test_many_batches_may_be_asked_for_at_once(size: int) -> None:
    """Both sides send before they read: neither waits for the other for ever."""
    data = [np.full(size, index, np.float32) for index in range(1500)]
    many = loader(data, 1, multiprocessing_context="fork", prefetch_factor=1000, batch_size=1, timeout=60)
    assert [int(batch[0, 0]) for batch in many] == list(range(1500))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_files_that_may_not_be_opened_cost_time_only(method: str) -> None:
    data = [np.full(2**15, index, np.float32) for index in range(8)]
    poor = loader(data, 1, multiprocessing_context=method, worker_init_fn=open_no_more)
    assert [int(batch[0, 0]) for batch in poor] == [0, 2, 4, 6]


def open_no_more(number: int) -> None:
    import resource

    limit = max(int(name) for name in os.listdir("/proc/self/fd" if SHARES else "/dev/fd")) + 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


class Unsendable:
    def __reduce__(self) -> Any:
        raise ValueError("stay here")


def unsendable(samples: list[Any]) -> Any:
    return Unsendable()


def test_an_answer_that_refuses_to_be_sent() -> None:
    with pytest.raises(DataError, match=r"batch 0 is not one that can be sent \(stay here\)"):
        list(loader(Numbers(), 1, multiprocessing_context="fork", collate_fn=unsendable))


def test_a_loop_goes_on_after_the_loader_is_closed() -> None:
    living = loader(Numbers(), 1, multiprocessing_context="fork", persistent_workers=True)
    batches = iter(living)
    next(batches)
    living.close()
    with pytest.raises(DataError, match="batch 1 is left without workers"):
        next(batches)


def try_in_a_daemon(pipe: Any) -> None:
    try:
        list(loader(Numbers(), 1, multiprocessing_context="fork"))
    except DataError as error:
        pipe.send((fork_or_thread(), str(error)))


def test_a_daemon_has_threads_for_workers() -> None:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    daemon = context.Process(target=try_in_a_daemon, args=(theirs,), daemon=True)
    daemon.start()
    assert ours.poll(60)
    method, message = ours.recv()
    assert method is None and "a worker process is not started (daemonic processes" in message
    daemon.join(10)
    assert fork_or_thread() == ("fork" if SHARES else None)


def test_a_worker_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(*_: Any) -> int:
        raise OSError("too many processes")

    monkeypatch.setattr(os, "fork", no_more)
    with pytest.raises(DataError, match=r"a worker process is not started \(too many processes\)"):
        list(loader(Numbers(), 1, multiprocessing_context="fork"))


def test_a_forked_worker_ends_at_sigterm_whatever_the_other_process_does_then() -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        living = loader(Numbers(), 1, multiprocessing_context="fork", persistent_workers=True)
        next(iter(living))
        process = living._pool.processes[0]
        process.terminate()
        process.join(10)
        assert process.exitcode == -signal.SIGTERM
        living.close()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_worker_that_is_stopped_does_not_outlive_its_loader() -> None:
    """One that a debugger holds, or that waits for a disk, does not hear that it is to end."""
    living = loader(Numbers(), 1, multiprocessing_context="fork", persistent_workers=True)
    next(iter(living))
    process = living._pool.processes[0]
    os.kill(process.pid, signal.SIGSTOP)
    try:
        living.close()
        assert process.exitcode == -signal.SIGKILL
    finally:
        process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="where `tinyconv train` forks")
def test_forks_read_images_while_a_thread_imports() -> None:
    """A fork has the locks of all threads, and not the threads: what is being imported stays so for good."""
    command = [sys.executable, "-m", "tests.data.importing"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "3 batches\n"


def test_a_balanced_sampler() -> None:
    labels = [0] * 960 + [1] * 30 + [2] * 10
    sampler = BalancedSampler(labels, 3000)
    drawn = np.bincount(np.array(labels)[sampler.order(0)], minlength=3)
    assert len(sampler) == 3000 and (abs(drawn - 1000) < 120).all()
    assert sampler.order(0).tolist() == sampler.order(0).tolist() != sampler.order(1).tolist()
    assert len(BalancedSampler(np.array(labels))) == 1000
    for wrong in ([], [0.5, 1.0], [-1, 0], [[0, 1]]):
        with pytest.raises(ArgumentError, match="labels"):
            BalancedSampler(wrong)


class Read(Dataset):
    """Item i is how often this process has read it, and 100 more in a worker."""

    def __init__(self) -> None:
        self.reads = [0] * 4

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> tuple[np.ndarray]:
        self.reads[index] += 1
        return (np.array(self.reads[index] + 100 * (get_worker_info() is not None)),)


def test_what_a_worker_keeps_is_kept_as_long_as_it_lives() -> None:
    """Each of the two workers makes every other batch, the same ones in each epoch."""
    kept = Kept(Read())
    kept[2]
    for dataset, expected in ((Read(), [101] * 4 + [102] * 4), (kept, [101, 101, 1, 101] * 2)):
        batches = loader(dataset, 2, persistent_workers=True, batch_size=1)
        assert [int(batch[0]) for _ in range(2) for batch in batches] == expected
        batches.close()
