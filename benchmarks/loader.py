"""Does reading and augmenting hold training back? Steps fed by a `DataLoader` against ready batches.

    python -m benchmarks.loader --out docs/benchmarks

writes `loader.json`. The course's U-Net trains on 4x256x256 with the loss and the optimiser of
`tinyconv train`. The images are files that the benchmark makes first: microscopy in PNG. Each way of
feeding the network has a process of its own, one after the other, in several rounds, every second one
backwards; what counts is the median of all steps but the first few, and of a first epoch all its steps, the
first ones too, in which a worker reads files ahead. The loader has no step's time for itself: all cores are
at work on the network.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path
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
from tinyconv.device import available_threads
from tinyconv.train.losses import bce_dice_loss

BATCH, SIZE, IMAGE_SIZE = 4, 256, 320
WARM = 6
"""Steps that are no later ones: the first compile or load kernels, and a worker makes and reads ahead."""
PAIRS, NUCLEI = "pairs", "nuclei"
GOAL = 0.05
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


def from_loader(dataset: Any, workers: int) -> Iterator[Any]:
    """Batches without end; each epoch the worker begins anew, as in training."""
    loader = DataLoader(dataset, BATCH, shuffle=True, seed=0, num_workers=workers, drop_last=True)
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


WAYS: dict[str, Callable[[Path], Iterator[Any]]] = {
    "ready batches": ready,
    "1 worker": lambda folder: from_loader(later(training(MaskFolder(folder / PAIRS))), 1),
    "2 workers": lambda folder: from_loader(later(training(MaskFolder(folder / PAIRS))), 2),
    "no worker": lambda folder: from_loader(later(training(MaskFolder(folder / PAIRS))), 0),
    "1 worker, turned and scaled too": lambda folder: from_loader(
        later(SegmentationData(Kept(Normalized(MaskFolder(folder / PAIRS))), TURNED)), 1
    ),
    "1 worker, first epoch": lambda folder: from_loader(training(MaskFolder(folder / PAIRS)), 1),
    "1 worker, first epoch, a file for each nucleus": lambda folder: from_loader(
        training(NucleiFolder(folder / NUCLEI)), 1
    ),
}
READY, FIRST = "ready batches", "first epoch"


def step_seconds(batches: Iterator[Any], steps: int) -> list[float]:
    """Seconds of each training step, `WARM` first ones too, with the time in which it waits for its batch."""
    tc.manual_seed(0)
    model = models.create("unet_slides")
    optimizer = tc.optim.Adam(model.parameters(), lr=1e-4)
    found = []
    for _ in range(WARM + steps):
        began = time.perf_counter()
        images, masks = next(batches)
        optimizer.zero_grad()
        loss = bce_dice_loss(model(images), masks)
        loss.backward()
        optimizer.step()
        loss.item()
        found.append(time.perf_counter() - began)
    return found


def show(way: str, folder: str, steps: int) -> None:
    """Print `step_seconds` as JSON."""
    print(json.dumps(step_seconds(WAYS[way](Path(folder)), steps)))


def in_a_process_of_its_own(way: str, folder: Path, steps: int) -> list[float]:
    """What `show` prints in a fresh process."""
    code = f"from benchmarks import loader; loader.show({way!r}, {str(folder)!r}, {steps})"
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def summary(times: dict[str, list[list[float]]]) -> dict[str, dict[str, float]]:
    """Of the seconds of each round of each way: median and quartiles of the steps, and how much slower it is.

    ``slower`` is the share by which the median step takes longer than with ready batches. Of a first epoch
    it is that of all its steps together, those at the start as well: in these most files are read ahead.

    Examples
    --------
    >>> start = [1.0] * WARM
    >>> found = summary({"ready batches": [start + [0.1, 0.2, 0.3]], "1 worker": [start + [0.21, 0.21, 0.3]]})
    >>> found["1 worker"]["slower"]
    0.05
    """
    steps = {way: list(chain.from_iterable(turn[WARM:] for turn in turns)) for way, turns in times.items()}
    medians = {way: float(np.median(seconds)) for way, seconds in steps.items()}
    whole = {way: float(np.median([sum(turn) for turn in turns])) for way, turns in times.items()}
    return {
        way: {
            "median_ms": round(1000 * medians[way], 2),
            "lower_quartile_ms": round(1000 * float(np.quantile(seconds, 0.25)), 2),
            "upper_quartile_ms": round(1000 * float(np.quantile(seconds, 0.75)), 2),
            "mean_ms": round(1000 * float(np.mean(seconds)), 2),
            "with_start_s": round(whole[way], 2),
            "slower": round(ratio[way] / ratio[READY] - 1, 4),
        }
        for way, seconds in steps.items()
        for ratio in [whole if FIRST in way else medians]
    }


def main(
    steps: Annotated[int, typer.Option(min=1, help="Steps that count, in each round of each way.")] = 30,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each way.")] = 3,
    images: Annotated[int, typer.Option(min=16, help="Images on disk.")] = 144,
    out: Annotated[Path | None, typer.Option(help="Folder for loader.json.")] = None,
) -> None:
    """Time the U-Net's training step with each way of feeding it."""
    busy = load()
    if warning(busy):
        typer.echo(warning(busy))
    times: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        write_images(Path(folder), images)
        for number in range(rounds):
            for way in reversed(WAYS) if number % 2 else WAYS:
                typer.echo(f"round {number + 1} of {rounds}: {way}", err=True)
                times[way].append(in_a_process_of_its_own(way, Path(folder), steps))
    found = summary(times)
    for way, row in found.items():
        typer.echo(
            f"{way:46} {row['median_ms']:7.1f} ms ({row['lower_quartile_ms']:.1f} to "
            f"{row['upper_quartile_ms']:.1f}; mean {row['mean_ms']:.1f})  {row['slower']:+7.1%}  "
            f"({WARM + steps} steps {row['with_start_s']:.2f} s)"
        )
    most = max(row["slower"] for way, row in found.items() if way.startswith("1 worker"))
    typer.echo(f"at most {GOAL:.0%} slower with 1 worker: {'reached' if most <= GOAL else 'NOT reached'}")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        written = {"facts": facts(available_threads()), "steps": steps, "rounds": rounds, "ways": found}
        written["facts"]["load_before"] = busy
        (out / "loader.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
