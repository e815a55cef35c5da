"""Does reading and augmenting hold training back? Steps fed by a `DataLoader` against ready batches.

    python -m benchmarks.loader --out docs/benchmarks

writes `loader.json`. The course's U-Net trains on 4x256x256 with the loss and the optimiser of
`tinyconv train`. The images are files that the benchmark makes first: microscopy in PNG.

Each way of feeding the network has a process of its own. All of them live at once and take turns of a few
steps: whoever has no turn stands still with all its workers (SIGSTOP), so nothing is read ahead meanwhile,
and what the machine does slowly meets all ways alike. The order is drawn anew each time: the last ones of a
lap were slower than the first. Each turn is compared with that of the ready batches in the same lap, and each
round has fresh processes.
The loader has no step's time for itself: all cores are at work on the network.

Where a virtual machine gives memory that it does not use back to its host, a page that is touched for the
first time takes seven times as long, and a first step up to half a second more: whoever comes too late for
what others have just freed. So each way touches as much as it will need, and frees it, before its first turn.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import chain, islice
from pathlib import Path
from random import Random
from subprocess import PIPE
from typing import Annotated, Any

import numpy as np
import typer

import tinyconv as tc
from tinyconv import models
from tinyconv.benchmark.machine import facts, load, warning
from tinyconv.data import (
    Compose,
    DataLoader,
    Kept,
    MaskFolder,
    Normalized,
    NucleiFolder,
    RandomAffine,
    RandomCrop,
    RandomFlip,
    RandomIntensity,
    RandomRotate90,
    SegmentationData,
    SyntheticNuclei,
    write_png,
)
from tinyconv.data.process_workers import fork_or_thread
from tinyconv.device import available_threads
from tinyconv.train.losses import bce_dice_loss

BATCH, SIZE, IMAGE_SIZE = 4, 256, 320
STEPS = 4
"""Of a turn."""
MEMORY = 2**30
"""Bytes: more than training takes, with the images that it keeps."""
WARM = 2
"""Turns that are no later ones: in them kernels are loaded, and a worker makes and reads ahead."""
PAIRS, NUCLEI = "pairs", "nuclei"
GOAL = 0.05
PROCESS = fork_or_thread()
TURNED = Compose(
    [
        RandomAffine(rotation=45, scale=0.25),
        RandomCrop(SIZE),
        RandomFlip(),
        RandomIntensity(),
        RandomRotate90(),
    ]
)


def write_images(folder: Path, count: int) -> None:
    """Made microscopy as files, in both layouts: a mask for each image, and a mask for each nucleus."""
    made = SyntheticNuclei(count, IMAGE_SIZE)
    for index in range(count):
        image, labels = made.draw(index)
        grey = np.round(255 * image[None]).astype(np.uint8)
        _write(folder / PAIRS / "images" / f"{index}.png", grey)
        _write(folder / PAIRS / "masks" / f"{index}.png", labels > 0)
        item = folder / NUCLEI / f"{index:03}"
        _write(item / "images" / "image.png", grey)
        for nucleus in range(1, labels.max() + 1):
            _write(item / "masks" / f"{nucleus}.png", labels == nucleus)


def _write(path: Path, pixels: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, pixels)


def from_loader(dataset: Any, workers: int, context: str | None = PROCESS) -> Iterator[Any]:
    """Batches without end, as in training."""
    loader = DataLoader(
        dataset,
        BATCH,
        shuffle=True,
        seed=0,
        num_workers=workers,
        drop_last=True,
        multiprocessing_context=context,
        persistent_workers=True,
    )
    return chain.from_iterable(loader.iterate(epoch) for epoch in range(2**31))


def ready(folder: Path) -> Iterator[Any]:
    """The same few batches again and again."""
    few = list(islice(from_loader(training(MaskFolder(folder / PAIRS)), 0), 4))
    return chain.from_iterable(few for _ in range(2**31))


def training(images: Any) -> SegmentationData:
    """Augmented as `tinyconv train` does it."""
    return SegmentationData.training(images, SIZE)


def later(images: SegmentationData) -> SegmentationData:
    """As it is after the first epoch, in which the files are read and the normalised images kept."""
    for index in range(len(images)):
        images[index]
    return images


READY, FIRST = "ready batches", "first epoch"
AGAIN = "ready batches, in another process"
"""The same once more, which shows what differences mean nothing."""
WAYS: dict[str, Callable[[Path], Iterator[Any]]] = {
    "no worker": lambda folder: from_loader(later(training(MaskFolder(folder / PAIRS))), 0),
    "2 workers": lambda folder: from_loader(later(training(MaskFolder(folder / PAIRS))), 2),
    "1 worker": lambda folder: from_loader(later(training(MaskFolder(folder / PAIRS))), 1),
    READY: ready,
    AGAIN: ready,
    "1 worker, turned and scaled too": lambda folder: from_loader(
        later(SegmentationData(Kept(Normalized(MaskFolder(folder / PAIRS))), TURNED)), 1
    ),
    f"1 worker, {FIRST}": lambda folder: from_loader(training(MaskFolder(folder / PAIRS)), 1),
    f"1 worker, {FIRST}, a file for each nucleus": lambda folder: from_loader(
        training(NucleiFolder(folder / NUCLEI)), 1
    ),
    f"a thread, {FIRST}, a file for each nucleus": lambda folder: from_loader(
        training(NucleiFolder(folder / NUCLEI)), 1, None
    ),
}


def step_seconds(batches: Iterator[Any]) -> Iterator[list[float]]:
    """Nothing when all is ready, then each turn's seconds of its steps, the wait for a batch included."""
    tc.manual_seed(0)
    model = models.create("unet_slides")
    optimizer = tc.optim.Adam(model.parameters(), lr=1e-4)

    def step() -> float:
        began = time.perf_counter()
        images, masks = next(batches)
        optimizer.zero_grad()
        loss = bce_dice_loss(model(images), masks)
        loss.backward()
        optimizer.step()
        loss.item()
        return time.perf_counter() - began

    yield []
    touch_memory()
    while True:
        yield [step() for _ in range(STEPS)]


def touch_memory() -> None:
    """Have the system give memory, and give it back."""
    np.ones(MEMORY, np.uint8)


def answer(found: Iterator[Any]) -> None:
    """Print one thing as a line of JSON, and the next ones whenever a line comes in."""
    for each in found:
        print(json.dumps(each), flush=True)
        if not sys.stdin.readline():
            return


def command(way: str, folder: Path) -> list[str]:
    """What starts a process that answers with `step_seconds`."""
    batches = f"loader.WAYS[{way!r}](loader.Path({str(folder)!r}))"
    code = f"from benchmarks import loader; loader.answer(loader.step_seconds({batches}))"
    return [sys.executable, "-c", code]


def in_turns(commands: dict[str, list[str]], turns: int, order: Random) -> dict[str, list[Any]]:
    """What each command answers in its turns. One works at a time, each lap in a new order.

    Raises
    ------
    CalledProcessError
        If a command ends before its last turn.
    """
    with ExitStack() as stack:
        processes = {}
        for name, arguments in commands.items():
            process = subprocess.Popen(arguments, stdin=PIPE, stdout=PIPE, start_new_session=True)
            processes[name] = stack.enter_context(process)
            stack.callback(_signal, process, signal.SIGKILL)
        for process in processes.values():
            _answer_of(process)
        answers: dict[str, list[Any]] = {name: [] for name in commands}
        for _ in range(turns):
            for name in order.sample(list(commands), len(commands)):
                _ask(processes[name])
                answers[name].append(_answer_of(processes[name]))
        return answers


def _ask(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # it has ended, which its missing answer tells
        process.stdin.write(b"\n")
        process.stdin.flush()
    _signal(process, signal.SIGCONT)


def _answer_of(process: subprocess.Popen[bytes]) -> Any:
    """The next line; then the process stands still, with all its workers."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise subprocess.CalledProcessError(process.wait(), process.args)
    _signal(process, signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    return json.loads(line)


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    """To the process and its workers."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def summary(rounds: list[dict[str, list[list[float]]]]) -> dict[str, dict[str, Any]]:
    """Of what `in_turns` found in each round: median and quartiles of a step, and how much slower a way is.

    ``slower`` is the median of what the turns take longer than those of the ready batches in the same lap. Of
    a first epoch all its steps together are compared, those at the start as well: in these most files are
    read ahead. ``interval`` is where 95 % of such medians lie when rounds are drawn anew from those that were
    measured (a bootstrap).

    Examples
    --------
    >>> ready = [[1.0] * STEPS] * WARM + [[0.25] * STEPS, [0.2] * STEPS]
    >>> found = summary([{"ready batches": ready, "1 worker": (1.05 * np.array(ready)).tolist()}] * 3)
    >>> found["1 worker"]["slower"], found["1 worker"]["interval"]
    (0.05, [0.05, 0.05])
    """
    seconds = {way: np.array([turns[way] for turns in rounds]) for way in rounds[0]}  # (rounds, turns, STEPS)
    drawn = np.random.default_rng(0).integers(len(rounds), size=(10_000, len(rounds)))
    found = {}
    for way, steps in seconds.items():
        turns, ready = (each.sum(axis=2) for each in (steps, seconds[READY]))
        if FIRST in way:
            slower = turns.sum(axis=1, keepdims=True) / ready.sum(axis=1, keepdims=True) - 1
        else:
            slower = (turns / ready)[:, WARM:] - 1
        medians = np.median(slower[drawn].reshape(len(drawn), -1), axis=1)
        lower, middle, upper = np.quantile(1000 * steps[:, WARM:], (0.25, 0.5, 0.75)).round(2).tolist()
        found[way] = {
            "median_ms": middle,
            "quartiles_ms": [lower, upper],
            "with_start_s": round(float(np.median(turns.sum(axis=1))), 2),
            "slower": round(float(np.median(slower)), 4),
            "interval": np.quantile(medians, (0.025, 0.975)).round(4).tolist(),
        }
    return found


def main(
    rounds: Annotated[int, typer.Option(min=2, help="Times that each way begins anew.")] = 8,
    images: Annotated[int, typer.Option(min=(WARM + 1) * STEPS * BATCH, help="Images on disk.")] = 144,
    out: Annotated[Path | None, typer.Option(help="Folder for loader.json.")] = None,
) -> None:
    """Time the U-Net's training step with each way of feeding it, for the steps of one epoch."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # a stopped process stays else
    busy = load()
    if warning(busy):
        typer.echo(warning(busy))
    times = []
    with tempfile.TemporaryDirectory() as folder:
        write_images(Path(folder), images)
        commands = {way: command(way, Path(folder)) for way in WAYS}
        order = Random(0)
        in_turns({READY: commands[READY]}, 1, order)  # compiles kernels that are not on disk
        for number in range(rounds):
            typer.echo(f"round {number + 1} of {rounds}", err=True)
            times.append(in_turns(commands, images // (BATCH * STEPS), order))
    found = summary(times)
    typer.echo("| | step, ms | slower | 95 % interval |\n|---|---|---|---|")
    for way, row in found.items():
        low, high = row["interval"]
        typer.echo(f"| {way} | {row['median_ms']:.0f} | {row['slower']:.1%} | {low:.1%} to {high:.1%} |")
    most = max(row["slower"] for way, row in found.items() if way.startswith("1 worker"))
    typer.echo(f"at most {GOAL:.0%} slower with 1 worker: {'reached' if most <= GOAL else 'NOT reached'}")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        written = {"facts": facts(available_threads()), "images": images, "rounds": rounds, "ways": found}
        written["facts"]["load_before"] = busy
        (out / "loader.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
