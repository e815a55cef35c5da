"""Does tinyconv learn as PyTorch does? Losses over some hundred steps from the same weights and batches.

    python -m benchmarks.curves --steps 200 --out docs/benchmarks

writes `curves.json` and `curves.png`. Two right engines round differently, and training multiplies
a difference of one in a million until it is as large as it can be. So both train several times,
first from the given weights and then from weights changed by one part in a million, drawn by the
same seeds. The runs of PyTorch show how far apart right curves lie; the standard is a run of
PyTorch in float64. Dropout is off: the engines draw different masks.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from tinyconv.benchmark.machine import facts
from tinyconv.benchmark.networks import NETWORKS, loss_function, weights
from tinyconv.data.datasets.digits import Digits
from tinyconv.data.datasets.synthetic import SyntheticNuclei
from tinyconv.device import available_threads
from tinyconv.viz.bands import plot_bands

Array = Any

DISTURBANCE = 1e-6


@dataclass(frozen=True)
class Course:
    """A network, what it learns, and how fast Adam goes."""

    title: str
    network: str
    batch: int
    lr: float
    images: Array
    truth: Array

    def batches(self, step: int) -> tuple[Array, Array]:
        """The batch of a step: images drawn by its number."""
        chosen = np.random.default_rng([7, step]).integers(0, len(self.images), self.batch)
        return self.images[chosen], self.truth[chosen]


def unet_course(size: int = 64, count: int = 64) -> Course:
    """The course's U-Net on made fluorescence images."""
    data = SyntheticNuclei(count, size)
    images = np.stack([np.repeat(data[i][0], 3, axis=0) for i in range(count)])
    masks = np.stack([data[i][1] for i in range(count)])
    return Course(f"U-Net, {size}x{size}, batch 4", "unet", 4, 1e-3, images, masks)


def vgg_course(batch: int = 4) -> Course:
    """VGG-16 on scikit-learn's digits, each pixel drawn as 4x4."""
    data = Digits()
    images = np.kron(data.images[:, None], np.ones((1, 3, 4, 4), np.float32))
    title = f"VGG-16, digits at 32x32, batch {batch}"
    return Course(title, "vgg16", batch, 1e-4, images, data.labels.astype(np.int64))


COURSES = {"unet": unet_course, "vgg16": vgg_course}


def start(network: str, run: int) -> dict[str, Array]:
    """The weights of a run: those of the benchmark in run 0, with a small change in the others."""
    state = {name: value.copy() for name, value in weights(network).items()}
    if run:
        rng = np.random.default_rng([11, run])
        for name, value in state.items():
            state[name] = (value * (1 + DISTURBANCE * rng.standard_normal(value.shape))).astype(value.dtype)
    return state


def train(package: Any, course: Course, steps: int, state: dict[str, Array], dtype: str) -> list[float]:
    """The losses of `steps` steps of Adam; `package` is tinyconv or torch."""
    model = NETWORKS[course.network](package)
    model.load_state_dict({name: package.from_numpy(value) for name, value in state.items()})
    model.to(getattr(package, dtype))
    for module in model.modules():
        if isinstance(module, package.nn.Dropout):
            module.p = 0.0
    optimizer = package.optim.Adam(model.parameters(), lr=course.lr)
    loss_of = loss_function(package, course.network)
    losses = []
    for step in range(steps):
        images, truth = course.batches(step)
        truth = truth.astype(dtype) if truth.dtype.kind == "f" else truth
        optimizer.zero_grad()
        loss = loss_of(model(package.from_numpy(images.astype(dtype))), package.from_numpy(truth))
        loss.backward()
        optimizer.step()
        losses.append(float(loss.item()))
    return losses


def distance(losses: Array, standard: Array) -> float:
    """Root mean square of the differences of two curves' logarithms."""
    return float(np.sqrt(np.mean((np.log(losses) - np.log(standard)) ** 2)))


def compare(course: Course, steps: int, runs: int, progress: Callable[[str], object]) -> dict[str, Any]:
    """All curves of a network and how far each lies from the standard."""
    torch, tc = import_module("torch"), import_module("tinyconv")
    progress(f"{course.title}: PyTorch, float64")
    standard = train(torch, course, steps, start(course.network, 0), "float64")
    curves: dict[str, list[list[float]]] = {"PyTorch": [], "tinyconv": []}
    for run in range(runs):
        for name, package in (("PyTorch", torch), ("tinyconv", tc)):
            progress(f"{course.title}: {name}, run {run + 1} of {runs}")
            curves[name].append(train(package, course, steps, start(course.network, run), "float32"))
    distances = {name: [distance(c, standard) for c in found] for name, found in curves.items()}
    first = {name: abs(found[0][0] / standard[0] - 1) for name, found in curves.items()}
    return {
        "title": course.title,
        "steps": steps,
        "curves": {"PyTorch, float64": [standard], **curves},
        "distances": distances,
        "first_loss_off": first,
        "last_losses": {name: [float(np.mean(c[-20:])) for c in found] for name, found in curves.items()},
        "within_noise": max(distances["tinyconv"]) <= 1.5 * max(distances["PyTorch"]),
    }


def lines(result: dict[str, Any]) -> list[str]:
    """What came out, to read."""
    spans = {name: f"{min(found):.1e} to {max(found):.1e}" for name, found in result["distances"].items()}
    return [
        f"{result['title']}, {result['steps']} steps; distance from float64 (rms of log loss):",
        *(f"  {name} {span}" for name, span in spans.items()),
        f"  first loss off by {result['first_loss_off']['tinyconv']:.0e} (tinyconv),"
        f" {result['first_loss_off']['PyTorch']:.0e} (PyTorch)",
        f"  {'within' if result['within_noise'] else 'OUTSIDE'} the noise",
    ]


def main(
    steps: Annotated[int, typer.Option(min=2, help="Steps of each run.")] = 200,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each engine.")] = 3,
    only: Annotated[str | None, typer.Option(help="unet or vgg16.  [default: both]")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for curves.json and curves.png.")] = None,
) -> None:
    """Train both networks with both engines and compare the losses."""
    chosen = [only] if only else list(COURSES)
    results = [compare(COURSES[name](), steps, runs, typer.echo) for name in chosen]
    for line in (line for result in results for line in lines(result)):
        typer.echo(line)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        versions = {name: str(import_module(name).__version__) for name in ("torch", "tinyconv")}
        written = {"facts": facts(available_threads()), "versions": versions, "networks": results}
        (out / "curves.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
        plot_bands({result["title"]: result["curves"] for result in results}, path=out / "curves.png")
    if not all(result["within_noise"] for result in results):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
