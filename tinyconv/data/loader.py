"""Batches of a dataset, in an order that a resumed run can take up again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any

from tinyconv.data.collate import after_method, collate_arrays, collate_to_send, default_collate, to_tensors
from tinyconv.data.dataset import at_epoch, item_name, prepare
from tinyconv.data.process_workers import WorkerPool
from tinyconv.data.sampler import BatchSampler, RandomSampler, SequentialSampler, order_of, seed_of
from tinyconv.errors import ArgumentError, DataError, TinyconvError

BATCHES_AHEAD = 2


class DataLoader:
    """Iterate over a dataset in batches.

    The batches of an epoch are a pure function of the seed and the epoch's number: not of
    the number of workers, nor of what was iterated before. Each ``for`` over the loader is
    one epoch further on; `set_epoch` chooses the next one, `iterate` any one.

    Parameters
    ----------
    dataset : Dataset
        Anything with a length and indices.
    batch_size : int
        Samples per batch; the last batch may have fewer.
    shuffle : bool
        Visit the items in a new random order every epoch.
    sampler : Sampler or iterable of int, optional
        Chooses the order itself; excludes `shuffle`.
    batch_sampler : iterable of lists of int, optional
        Chooses the batches themselves; excludes `batch_size`, `shuffle`, `sampler` and `drop_last`.
    num_workers : int
        Threads, or processes (see `multiprocessing_context`), that make batches ahead of time; 0 makes
        each when it is asked for.
    collate_fn : callable, optional
        Joins a list of samples into a batch; `default_collate` if not given.
    drop_last : bool
        Leave out a last batch that is not full.
    seed : int, optional
        Of the shuffle; the seed of `tc.manual_seed` if not given.
    generator : Generator, optional
        Gives the seed of the shuffle in place of `seed`.
    multiprocessing_context : {"spawn", "forkserver", "fork"}, optional
        Makes the workers processes, started in this way: worth it for datasets that keep Python busy, and
        while others do, as the first step of a training does that loads its kernels. ``fork`` starts at
        once, but the dataset must not compute with tinyconv then, nor may another thread import modules
        when the first batch is asked for. Without a context workers are threads, which cost nothing to
        start and suffice for reading files, decoding images, NumPy and SciPy.
    worker_init_fn : callable, optional
        Called in each process with the worker's number, once.
    prefetch_factor : int
        Batches that each worker makes ahead; 2 if not given.
    persistent_workers : bool
        Whether processes live on after an epoch; `close` ends them.
    timeout : float
        Seconds after which a batch that does not come from its process is an error; 0 waits.
    pin_memory : bool
        Put each batch, which stays on the CPU whatever the default device is, into memory that a GPU
        reads by itself, for `prefetch` or
        ``batch.to("cuda", non_blocking=True)``; parts with a method ``pin_memory()``, as tensors have it.
        Without a GPU it changes nothing.

    Raises
    ------
    ArgumentError
        For a batch size below 1, a negative number of workers, an empty dataset, or
        `shuffle` next to a `sampler`.

    Notes
    -----
    An error in a dataset names the item; a process that dies is reported at once, as a `DataError`.

    A worker that has no batch to make calls the dataset's ``prepare(index)`` for the items of later batches:
    `Kept`, and so `SegmentationData.training`, reads them then. In a first epoch much is read while the
    first step loads or compiles its kernels.

    Examples
    --------
    >>> from tinyconv.data import collate_arrays
    >>> loader = DataLoader([0, 1, 2, 3, 4], batch_size=2, collate_fn=collate_arrays)
    >>> [batch.tolist() for batch in loader]
    [[0, 1], [2, 3], [4]]
    >>> [batch.tolist() for batch in loader.iterate(epoch=0, start_batch=2)]
    [[4]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool | None = False,
        *,
        sampler: Any = None,
        batch_sampler: Any = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        drop_last: bool = False,
        seed: int | None = None,
        generator: Any = None,
        pin_memory: bool = False,
        persistent_workers: bool = False,
        prefetch_factor: int | None = None,
        multiprocessing_context: str | None = None,
        worker_init_fn: Callable[[int], None] | None = None,
        timeout: float = 0.0,
    ) -> None:
        self.dataset = dataset
        self.batch_size = _check_count("batch_size", batch_size, least=1)
        self.num_workers = _check_count("num_workers", num_workers, least=0)
        self.drop_last = drop_last
        self.collate_fn = default_collate if collate_fn is None else collate_fn
        self.seed = seed_of(generator) if seed is None else seed
        ahead = BATCHES_AHEAD if prefetch_factor is None else prefetch_factor
        self.prefetch_factor = _check_count("prefetch_factor", ahead, least=1)
        self.multiprocessing_context, self.worker_init_fn = multiprocessing_context, worker_init_fn
        self.persistent_workers, self.timeout = persistent_workers, timeout
        self.pin_memory = pin_memory
        self._pool: WorkerPool | None = None
        self.epoch = 0
        if len(dataset) == 0:
            raise ArgumentError("DataLoader", "dataset", "empty", "at least one item")
        if batch_sampler is not None and (batch_size, bool(shuffle), sampler, drop_last) != (
            1,
            False,
            None,
            False,
        ):
            expected = "the only one of batch_size, shuffle, sampler and drop_last"
            raise ArgumentError("DataLoader", "batch_sampler", "one of several", expected)
        self.sampler = self._choose_sampler(bool(shuffle), sampler)
        self.batch_sampler = batch_sampler or BatchSampler(self.sampler, self.batch_size, drop_last)

    def _choose_sampler(self, shuffle: bool, sampler: Any) -> Any:
        if sampler is None:
            return RandomSampler(self.dataset, self.seed) if shuffle else SequentialSampler(self.dataset)
        if shuffle:
            raise ArgumentError(
                "DataLoader", "shuffle", True, "False next to a sampler, which sets the order"
            )
        return sampler

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[Any]:
        epoch = self.epoch
        self.epoch += 1
        return self.iterate(epoch)

    def set_epoch(self, epoch: int) -> None:
        """Make `epoch` the one that the next ``for`` over the loader iterates."""
        self.epoch = _check_count("epoch", epoch, least=0)

    def iterate(self, epoch: int, start_batch: int = 0) -> Iterator[Any]:
        """The batches of `epoch` from number `start_batch` on.

        Parameters
        ----------
        epoch : int
            From 0.
        start_batch : int
            How many batches to leave out, from 0 to ``len(loader)``; none of their samples is read.
        """
        _check_count("epoch", epoch, least=0)
        if not 0 <= start_batch <= len(self):
            raise ArgumentError("DataLoader.iterate", "start_batch", start_batch, f"0 to {len(self)}")
        batches = [[int(index) for index in batch] for batch in order_of(self.batch_sampler, epoch)]
        batches = batches[start_batch:]
        if self.num_workers > 0 and self.multiprocessing_context is not None:
            return self._from_processes(epoch, batches, start_batch)
        dataset = at_epoch(self.dataset, epoch)
        if self.num_workers == 0:
            return (self._make_batch(dataset, indices) for indices in batches)
        return self._prefetch(dataset, batches)

    def _make_batch(self, dataset: Any, indices: Sequence[int]) -> Any:
        if self.pin_memory and self.collate_fn is default_collate:
            return self._pinned(to_tensors(_make(collate_arrays, dataset, indices), on_host=True))
        return self._pinned(_make(self.collate_fn, dataset, indices))

    def _pinned(self, batch: Any) -> Any:
        return after_method(batch, "pin_memory") if self.pin_memory else batch

    def _from_processes(self, epoch: int, batches: list[list[int]], start: int) -> Iterator[Any]:
        """Yield the batches in order while processes make the next ones."""
        default = self.collate_fn is default_collate
        pool = self._take_pool(partial(_make, collate_to_send if default else self.collate_fn))
        try:
            for batch in pool.batches(epoch, batches, start, self.timeout):
                yield self._pinned(to_tensors(batch, self.pin_memory) if default else batch)
        finally:
            if pool is not self._pool:
                pool.close()

    def _take_pool(self, make: Callable[[Any, list[int]], Any]) -> WorkerPool:
        """The processes of the epoch before, if they live and are free, or new ones."""
        if self._pool is not None and self._pool.alive and not self._pool.busy:
            return self._pool
        method = str(self.multiprocessing_context)
        pool = WorkerPool(
            self.dataset,
            make,
            self.num_workers,
            method,
            self.seed,
            self.prefetch_factor,
            self.worker_init_fn,
        )
        if self.persistent_workers and (self._pool is None or not self._pool.alive):
            self.close()
            self._pool = pool
        return pool

    def close(self) -> None:
        """End the processes of a loader with `persistent_workers`."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def __del__(self) -> None:
        if getattr(self, "_pool", None) is not None:
            self.close()

    def _prefetch(self, dataset: Any, batches: list[list[int]]) -> Iterator[Any]:
        """Yield the batches in order while threads make the next ones, and read items for later ones."""
        workers = ThreadPoolExecutor(self.num_workers, thread_name_prefix="DataLoader")
        waiting: deque[Future[Any]] = deque()
        wanted: SimpleQueue[None] = SimpleQueue()  # as many entries as batches that nobody makes yet
        ahead = self.prefetch_factor * self.num_workers
        later = iter([index for indices in batches[ahead:] for index in indices])

        def make(indices: list[int]) -> Any:
            wanted.get()
            return self._make_batch(dataset, indices)

        def read_on() -> None:
            while wanted.empty() and (index := next(later, None)) is not None:
                with suppress(Exception):  # the batch that has this item will say what is wrong with it
                    prepare(dataset, index)

        try:
            for indices in batches:
                wanted.put(None)
                waiting.append(workers.submit(make, indices))
                workers.submit(read_on)
                if len(waiting) >= ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            wanted.put(None)  # whoever reads on stops
            workers.shutdown(wait=True, cancel_futures=True)


def _make(collate: Callable[[list[Any]], Any], dataset: Any, indices: Sequence[int]) -> Any:
    return collate([_read_item(dataset, index) for index in indices])


def _read_item(dataset: Any, index: int) -> Any:
    """``dataset[index]``; an error on the way names the item."""
    try:
        return dataset[index]
    except TinyconvError as error:
        where = f"{_describe(dataset, index)}: {error.where}"
        raise type(error)(where, error.argument, error.value, error.expected) from error
    except Exception as error:
        cause = f"{type(error).__name__}: {error}"
        raise DataError(
            "DataLoader", _describe(dataset, index), cause, "a sample that can be read"
        ) from error


def _describe(dataset: Any, index: int) -> str:
    name = item_name(dataset, index)
    described = f"item {index} of {type(dataset).__name__}"
    return described if name == f"item {index}" else f"{described} ({name})"


def _check_count(argument: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ArgumentError("DataLoader", argument, repr(value), f"an int of at least {least}")
    return value
