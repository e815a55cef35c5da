"""Does memory stay where it is? The resident memory of thousands of training steps, every hundred.

    python -m benchmarks.steady --steps 10000 --out docs/benchmarks

writes `steady.json` and `steady.png`. A small U-Net with batch normalisation and dropout learns made
nuclei in three ways, each in a process of its own: a loop of eager steps, a captured step, and the
`Trainer` with a `DataLoader` whose worker augments the images. The first thousand steps fill caches and
let Python's memory find its size; what comes on top of them afterwards is the growth.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import tinyconv as tc
from tinyconv import models
from tinyconv.benchmark.machine import facts
from tinyconv.benchmark.peak import resident_bytes
from tinyconv.data import DataLoader, SegmentationData, SyntheticNuclei
from tinyconv.data.process_workers import fork_or_thread
from tinyconv.device import available_threads
from tinyconv.nn import functional as F
from tinyconv.train import Callback, Trainer
from tinyconv.viz.bands import plot_bands

EVERY = 100
"""Steps between two looks at the memory."""
SETTLING = 1000
"""Steps after which growth counts."""
MIB = 2**20
SIZE, IMAGES, BATCH = 32, 64, 4


def make_network() -> tuple[Any, Any]:
    """A U-Net of three levels, and Adam."""
    tc.manual_seed(0)
    model = models.create("unet_bn", in_channels=3, num_classes=1, widths=(4, 8, 16), dropout=0.1)
    return model, tc.optim.Adam(model.parameters(), lr=1e-3)


def make_loader(workers: int) -> DataLoader:
    """Made images, cut, mirrored, turned, and changed in brightness."""
    images = SegmentationData.training(list(SyntheticNuclei(IMAGES, 2 * SIZE)), SIZE)
    return DataLoader(
        images,
        BATCH,
        shuffle=True,
        seed=0,
        num_workers=workers,
        multiprocessing_context=fork_or_thread(),
        persistent_workers=True,
    )


def by_hand(steps: int, captured: bool) -> list[int]:
    """Bytes every `EVERY` steps of a loop that is written out."""
    model, optimizer = make_network()

    def step(images: Any, masks: Any) -> Any:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(model(images), masks)
        loss.backward()
        optimizer.step()
        return loss

    step = tc.compile(step, fullgraph=True) if captured else step
    batches, found = list(make_loader(workers=0)), []
    for number in range(steps):
        step(*batches[number % len(batches)]).item()
        if (number + 1) % EVERY == 0:
            found.append(resident_bytes())
    return found


def by_trainer(steps: int) -> list[int]:
    """Bytes every `EVERY` steps of `Trainer.fit`, and of the worker that makes the batches."""
    model, optimizer = make_network()
    loader, look = make_loader(workers=1), Look()
    epochs = -(-steps // len(loader))
    loss = F.binary_cross_entropy_with_logits
    Trainer(model, optimizer, loss, loader, epochs, steps=steps, callbacks=[look]).fit()
    return look.found


class Look(Callback):
    """Remembers the memory every `EVERY` steps."""

    def __init__(self) -> None:
        self.found: list[int] = []

    def on_step(self, trainer: Trainer) -> None:
        if trainer.position.step % EVERY == 0:
            self.found.append(resident_bytes())


WAYS: dict[str, Callable[[int], list[int]]] = {
    "eager": lambda steps: by_hand(steps, captured=False),
    "captured": lambda steps: by_hand(steps, captured=True),
    "Trainer and DataLoader": by_trainer,
}


def show(way: str, steps: int) -> None:
    """Print the bytes, and the objects that Python's collector knows at the end, as JSON."""
    found = WAYS[way](steps)
    print(json.dumps({"bytes": found, "objects": len(gc.get_objects())}))


def in_a_process_of_its_own(way: str, steps: int) -> dict[str, Any]:
    """What `show` prints in a fresh process."""
    command = [sys.executable, "-c", f"from benchmarks import steady; steady.show({way!r}, {steps})"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def growth(found: list[int], settling: int) -> dict[str, float]:
    """How many MiB came on top after `settling` steps: at the end, at most, and by a fitted line.

    The line says how much a thousand steps add (least squares); a leak shows there before it shows at
    the end, and a single late page does not.

    Examples
    --------
    >>> growth([MIB, 5 * MIB, 5 * MIB, 5 * MIB], settling=200)
    {'settled': 5.0, 'at_the_end': 0.0, 'at_most': 0.0, 'per_thousand_steps': 0.0}
    """
    after = np.array(found[max(settling // EVERY - 1, 0) :]) / MIB
    slope = np.polyfit(np.arange(len(after)), after - after[0], 1)[0] if len(after) > 1 else 0.0
    numbers = {
        "settled": after[0],
        "at_the_end": after[-1] - after[0],
        "at_most": after.max() - after[0],
        "per_thousand_steps": slope * 1000 / EVERY,
    }
    return {name: round(float(value), 3) + 0.0 for name, value in numbers.items()}


def main(
    steps: Annotated[int, typer.Option(min=2 * EVERY, help="Steps of each way.")] = 10_000,
    out: Annotated[Path | None, typer.Option(help="Folder for steady.json and steady.png.")] = None,
) -> None:
    """Train in each way and say by how much the memory grew."""
    settling, results = min(SETTLING, steps // 2), {}
    for way in WAYS:
        measured = in_a_process_of_its_own(way, steps)
        results[way] = {**growth(measured["bytes"], settling), **measured}
        grown = results[way]
        typer.echo(
            f"{way}: {grown['settled']:.1f} MiB after {settling} steps; after {steps} "
            f"{grown['at_the_end']:+.2f} MiB, at most {grown['at_most']:+.2f}, "
            f"{grown['per_thousand_steps']:+.3f} per thousand steps"
        )
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        written = {
            "facts": facts(available_threads()), "steps": steps, "every": EVERY, "settling": settling,
            "ways": results,
        }  # fmt: skip
        (out / "steady.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
        draw(results, out / "steady.png")


def draw(results: dict[str, Any], path: Path) -> None:
    """The memory of each way over its steps."""
    series = {way: np.array([found["bytes"]]) / MIB for way, found in results.items()}
    figure = plot_bands({"Resident memory": series}, ylabel="MiB")
    from tinyconv.viz.style import save_figure

    axis = figure.axes[0]
    axis.set_yscale("linear")
    axis.set(xlabel=f"steps / {EVERY}", ylim=(0, None))
    save_figure(figure, path)


if __name__ == "__main__":
    typer.run(main)
