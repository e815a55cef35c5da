"""Runs of kernels in a program, which a GPU does as one: a CUDA graph.

Python needs some microseconds to start a kernel, and a small kernel needs less to run. CUDA can write
down which kernels a stream was given, with all their arguments, and start them together later. The
arguments are addresses: so a graph reads and writes the same places each time. Three things follow.

- What changes its place, the images of a batch for one, is copied to a place that stays.
- What does not stand in an array (the number of Adam's step) cannot be in a graph. Such kernels are started
  by Python, between two graphs. The keys of dropout masks are put into an array for it.
- The results lie where the next call will write. What the step returns, and the gradients that it leaves
  behind, are therefore copied, those that follow each other together.

cuBLAS cannot be recorded, see `tinyconv.cuda.graphs`: a graph has matrix products of its own, which add up in
another order.

Where results are needed for a later way back there is no graph: another call may come before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import groupby
from typing import Any

import numpy as np

from tinyconv.capture.running import twin
from tinyconv.capture.statement import Statement
from tinyconv.cuda.graphs import for_a_graph
from tinyconv.cuda.memory import GraphMemory
from tinyconv.device import conv_algorithm, gpu_of, to_device
from tinyconv.device_errors import explained, find_cupy
from tinyconv.errors import OutOfMemoryError

LEAST_KERNELS = 3
"""So many kernels are worth a graph."""

WITH_KEYS = ("dropout", "fused")
"""Files of a GPU's kernels that read the key of a mask from an array."""

WARM_UP, CHECKED = 1, 2
"""Calls before the graph is made; after each recording, calls that are compared with the kernels."""

MOVES = 3
"""What has moved so often will move again, as the results of a segment without a graph do: it is copied."""

FROM_REFERENCE = ("activation", "elementwise", "matmul", "reduction", "shape")
"""Files of reference kernels that ask nothing of the host, and bring nothing from there."""


def with_segments(
    lines: list[Statement], names: dict[str, Any], functions: dict[str, tuple[str, tuple[bool, ...]]]
) -> list[Statement]:
    """The statements, with one in the place of each run of kernels that a graph can do.

    Parameters
    ----------
    lines : list of Statement
    names : dict
        The functions that the statements name.
    functions : dict
        Gets, for each name of a segment, the text of the function that calls its kernels one by one, and
        which of its arguments stay where they are.
    """
    if not any(_place(line, names)[0] == "cuda" for line in lines):
        return lines
    keys = [line for line in lines if line.makes and line.makes[0][0] == "k"]
    lines = keys + [line for line in lines if line not in keys]
    done: list[Statement] = []
    staying: set[str] = set()
    run: list[Statement] = []
    for place, line in enumerate(lines):
        if _can_be_in_a_graph(line, names):
            run.append(line)
            if place + 1 < len(lines):
                continue
            rest: list[Statement] = []
        else:
            rest = lines[place:]
        done += _joined(run, _taken(rest), staying, functions)
        done += rest[:1]
        run = []
    return _with_copies(done) if functions else done


def _joined(
    run: list[Statement],
    later: set[str],
    staying: set[str],
    functions: dict[str, tuple[str, tuple[bool, ...]]],
) -> list[Statement]:
    """One statement for a run of kernels; the run itself if it is short."""
    if sum(bool(line.call) for line in run) < LEAST_KERNELS:
        return run
    name = f"segment_{len(functions)}"
    made = {name for line in run for name in line.makes}
    takes = tuple(sorted(_taken(run) - made))
    makes = tuple(sorted(made & later))
    functions[name] = _text(name, run, takes, makes), tuple([n[0] in "sc" or n in staying for n in takes])
    staying.update(makes)
    left = "".join(f"{name}, " for name in makes)
    return [Statement(f"{left}= {name}({', '.join(takes)})" if makes else "pass", makes, takes)]


def _text(name: str, run: list[Statement], takes: tuple[str, ...], makes: tuple[str, ...]) -> str:
    """A function that calls the kernels; an array is let go of after its last use."""
    text = [f"def {name}({', '.join(takes)}):"]
    last = {n: i for i, line in enumerate(run) for n in (*line.makes, *line.takes)}
    for i, line in enumerate(run):
        text.append(f"    {line.text}")
        gone = sorted(n for n, end in last.items() if end == i and n not in makes and n not in takes)
        text += [f"    del {', '.join(gone)}"] if gone else []
    return "\n".join([*text, f"    return ({''.join(f'{n}, ' for n in makes)})"])


def _can_be_in_a_graph(line: Statement, names: dict[str, Any]) -> bool:
    if not line.pure or line.shapes is not None or any(name[0] == "n" for name in line.takes):
        return False
    backend, file = _place(line, names)
    if any(name[0] == "k" for name in line.takes):
        return backend == "cuda" and file in WITH_KEYS
    return line.view or backend == "cuda" or (backend == "reference" and file in FROM_REFERENCE)


def _place(line: Statement, names: dict[str, Any]) -> tuple[str, str]:
    """Backend and file of the kernel that a statement calls; empty if it calls none of tinyconv's."""
    if not line.call:
        return "", ""
    *room, backend, file = names[line.call[0]].__module__.split(".")
    return (backend, file) if room == ["tinyconv", "kernels"] else ("", "")


def _taken(lines: Iterable[Statement]) -> set[str]:
    return {name for line in lines for name in line.takes}


def _with_copies(lines: list[Statement]) -> list[Statement]:
    """The lines, with copies where results and gradients, which the user may keep, are made of arrays."""
    done: list[Statement] = []
    for is_kept, group in groupby(lines, _is_kept):
        run = list(group)
        if not is_kept:
            done += run
            continue
        targets = "".join(f"{line.text.partition(' = ')[0]}, " for line in run)
        arrays = "".join(f"{line.takes[-1]}, " for line in run)
        makes, takes = (
            tuple(n for line in run for n in getattr(line, which)) for which in ("makes", "takes")
        )
        pure = all(line.pure for line in run)
        done.append(Statement(f"{targets}= map(Tensor, copies(({arrays})))", makes, takes, pure))
    return done


def _is_kept(line: Statement) -> bool:
    """Whether a line makes a result, or a gradient, of an array."""
    target, _, value = line.text.partition(" = ")
    lasts = (target in line.makes and target[0] == "r") or target.endswith(".grad")
    return lasts and bool(line.takes) and value == f"Tensor({line.takes[-1]})"


class Segment:
    """A run of kernels: a function of arrays, and of keys of dropout masks.

    Parameters
    ----------
    kernels : callable
        Calls the kernels one by one.
    stays : tuple of bool
        Which arguments stay where they are; the others are copied.

    Attributes
    ----------
    reason : str or None
        Why there is no graph, if there cannot be one.
    """

    def __init__(self, kernels: Callable[..., tuple[Any, ...]], stays: tuple[bool, ...]) -> None:
        self.kernels, self.stays = kernels, stays
        self.reason: str | None = None
        self.calls = self.checked = 0
        self._graph: Any = None
        self._algorithm = ""
        self._memory: GraphMemory | None = None
        self._launched: Any = None
        self._keys: Any = None
        self._places: list[Any] = []
        self._moved = [0] * len(stays)
        self._results: tuple[Any, ...] = ()

    def __call__(self, *arrays: Any) -> tuple[Any, ...]:
        """Run them on the card of the first array, which is that of all others, too."""
        with gpu_of(next(array for array in arrays if not isinstance(array, tuple))):
            return self._run(arrays)

    def _run(self, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.reason is not None:
            return self.kernels(*arrays)
        self.calls += 1
        fits = self._graph is not None and self._fits(arrays)
        if fits and self.checked == CHECKED:
            return self._launch(arrays)
        with for_a_graph():
            return self._compared(arrays, fits)

    def _compared(self, arrays: tuple[Any, ...], fits: bool) -> tuple[Any, ...]:
        """The results of the graph, which is made if none `fits`, if they are those of the kernels."""
        if self.calls > WARM_UP and not fits:
            self._record(arrays)
        if self._graph is None:
            return self.kernels(*arrays)
        self.checked += 1
        expected = self._one_by_one(arrays)
        if expected is None:
            return self.kernels(*arrays)
        results = self._launch(arrays)
        if not all(map(_same_numbers, expected, results)):
            self.reason = "gave other numbers than its kernels one by one"
            del results
            self._let_go()
            return expected
        del expected
        if self.checked == CHECKED:  # from now on the results of the kernels have their places in the graph
            find_cupy("compile").get_default_memory_pool().free_all_blocks()
        return results

    def _one_by_one(self, arrays: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """What the kernels give; None, and no graph any more, if there is no room for that beside it."""
        try:
            return self.kernels(*arrays)
        except Exception as error:
            if not isinstance(explained("compile", error) or error, OutOfMemoryError):
                raise
            self.reason = f"left no room to compare it with its kernels ({error})"
        self._let_go()
        return None

    def _fits(self, arrays: tuple[Any, ...]) -> bool:
        """Whether what stays is where it was, and convolutions are computed as they were."""
        places = zip(arrays, self._places, self.stays, strict=True)
        moved = [stays and a is not place and a.data.ptr != place.data.ptr for a, place, stays in places]
        if any(moved):
            self._moved = [count + new for count, new in zip(self._moved, moved, strict=True)]
            return False
        return self._algorithm == conv_algorithm.get()

    def _record(self, arrays: tuple[Any, ...]) -> None:
        """Let a stream write down the kernels; memory for their results stays with the graph."""
        self._let_go()
        self.checked = 0
        self.stays = tuple(n < MOVES and stays for n, stays in zip(self._moved, self.stays, strict=True))
        self._algorithm = conv_algorithm.get()
        cupy = find_cupy("compile")
        self._memory = memory = GraphMemory()
        self._launched = cupy.cuda.Event(disable_timing=True)
        cupy.cuda.Device().synchronize()
        cupy.get_default_memory_pool().free_all_blocks()  # a pool takes nothing that another one has left
        with cupy.cuda.using_allocator(memory.pool.malloc), cupy.cuda.Stream(non_blocking=True) as stream:
            try:
                self._find_places(arrays)
                stream.synchronize()
                self._graph, self._results = self._recorded(stream, memory)
            except Exception as error:  # CUDA refuses, for example because a kernel asks for a number
                self.reason = f"was refused ({type(error).__name__}: {error})"
        if self.reason is not None:
            self._let_go()

    def _find_places(self, arrays: tuple[Any, ...]) -> None:
        """Where the graph will read its arguments: those that stay are there."""
        keys = sum(isinstance(a, tuple) for a in arrays)
        self._keys = find_cupy("compile").zeros((keys, 2), np.uint64)
        rows = iter(self._keys)
        self._places = [
            next(rows) if isinstance(a, tuple) else a if stays else twin(a)
            for a, stays in zip(arrays, self.stays, strict=True)
        ]

    def _recorded(self, stream: Any, memory: GraphMemory) -> tuple[Any, tuple[Any, ...]]:
        """The graph, and the arrays that its launches write to."""
        stream.begin_capture()
        try:
            with memory.keeping():
                results = self.kernels(*self._places)
        except BaseException:
            with suppress(Exception):  # CUDA's complaint that the recording is broken says less
                stream.end_capture()
            raise
        return stream.end_capture(), results

    def _launch(self, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        keys = [array for array in arrays if isinstance(array, tuple)]
        if keys:
            self._keys[...] = to_device(np.array(keys, np.uint64), "cuda", non_blocking=True)
        for array, place, stays in zip(arrays, self._places, self.stays, strict=True):
            if not stays and not isinstance(array, tuple):
                place[...] = array
        self._graph.launch()
        self._launched.record()
        return self._results

    def _let_go(self) -> None:
        """Drop the graph and its memory, after its last launch is done."""
        if self._graph is not None:
            self._launched.synchronize()
        memory, self._memory = self._memory, None
        self._graph = self._keys = None
        self._places, self._results = [], ()
        if memory is not None:
            memory.give_back()

    def __del__(self) -> None:
        with suppress(Exception):  # at the end of the program CUDA may be gone before
            self._let_go()


def _same_numbers(a: Any, b: Any) -> bool:
    ours, theirs = a.get(), b.get()
    return bool(np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f"))
