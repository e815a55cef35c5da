"""Does tinyconv learn as PyTorch does? Losses over some hundred steps from the same weights and batches.

    python -m benchmarks.curves --steps 200 --out docs/benchmarks

writes `curves.json` and `curves.png`. Two right engines round differently, and training multiplies
a difference of one in a million until it shows. So PyTorch trains from the given weights and from
weights that are changed by one part in a million, which is how direct convolutions round, and by
one in a hundred thousand, which is how Winograd's algorithm rounds. How far these runs lie from one
in float64 is the noise that tinyconv's are held against. Dropout is off: the engines draw
different masks.
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

FINE, COARSE = 1e-6, 1e-5
"""Relative changes of the weights: as large as rounding in direct convolutions, and in Winograd's."""

EXACT = "PyTorch, float64"
NOISE = {"tinyconv, direct": "PyTorch", "tinyconv": "PyTorch, weights off by 1e-5"}
"""Whose distance from float64 is held against whose."""
SLACK = 1.5


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


def start(network: str, run: int, disturbance: float = FINE) -> dict[str, Array]:
    """The weights of a run: those of the benchmark in run 0, with a small change in the others."""
    state = {name: value.copy() for name, value in weights(network).items()}
    if run:
        rng = np.random.default_rng([11, run])
        for name, value in state.items():
            state[name] = (value * (1 + disturbance * rng.standard_normal(value.shape))).astype(value.dtype)
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
    """All curves of a network and how far each lies from the one in float64."""
    torch, tc = import_module("torch"), import_module("tinyconv")
    curves: dict[str, list[list[float]]] = {}

    def add(name: str, package: Any, run: int, disturbance: float = FINE, dtype: str = "float32") -> None:
        progress(f"{course.title}: {name}, run {len(curves.get(name, ())) + 1}")
        state = start(course.network, run, disturbance)
        curves.setdefault(name, []).append(train(package, course, steps, state, dtype))

    add(EXACT, torch, 0, dtype="float64")
    for run in range(runs):
        add("PyTorch", torch, run)
        add("PyTorch, weights off by 1e-5", torch, run + 1, COARSE)
        with tc.conv_algorithm("direct"):
            add("tinyconv, direct", tc, run)
        add("tinyconv", tc, run)
    return summary(course.title, curves)


def summary(title: str, curves: dict[str, list[list[float]]]) -> dict[str, Any]:
    """The curves, and what they say."""
    (standard,) = curves[EXACT]
    distances = {n: [distance(c, standard) for c in found] for n, found in curves.items() if n != EXACT}
    return {
        "title": title,
        "steps": len(standard),
        "distances": distances,
        "first_loss_off": {n: abs(found[0][0] / standard[0] - 1) for n, found in curves.items()},
        "mean_of_last_20": {n: [float(np.mean(c[-20:])) for c in found] for n, found in curves.items()},
        "within_noise": {
            ours: max(distances[ours]) <= SLACK * max(distances[theirs])
            for ours, theirs in NOISE.items()
            if ours in distances and theirs in distances
        },
        "curves": curves,
    }


def lines(result: dict[str, Any]) -> list[str]:
    """What came out, to read."""
    found = [f"{result['title']}, {result['steps']} steps; distance from float64 (rms of log loss):"]
    for name, distances in result["distances"].items():
        within = result["within_noise"].get(name)
        verdict = "" if within is None else ", within the noise" if within else ", OUTSIDE the noise"
        last = np.mean(result["mean_of_last_20"][name])
        found.append(
            f"  {name}: {min(distances):.1e} to {max(distances):.1e}; last losses {last:.4f}{verdict}"
        )
    return found


def main(
    steps: Annotated[int, typer.Option(min=2, help="Steps of each run.")] = 200,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each engine.")] = 2,
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
    if not all(all(result["within_noise"].values()) for result in results):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
