"""One training session of two networks, one of which makes images and the other one judges them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv import viz
from tinyconv.data import DataLoader
from tinyconv.device import get_default_device
from tinyconv.generator import Generator
from tinyconv.grad_mode import no_grad
from tinyconv.nn import Module
from tinyconv.train.adversarial_trainer import AdversarialTrainer
from tinyconv.train.callback import Scores
from tinyconv.train.class_recipe import Parts
from tinyconv.train.folder import SAMPLES
from tinyconv.train.generation_recipe import describe
from tinyconv.train.placing import batches_for
from tinyconv.train.reconstruction_session import GenerationSession
from tinyconv.train.trainer import Trainer

BATCH = 100
COLUMNS = 10
MOST_ROWS = 20


class AdversarialSession(GenerationSession):
    """Begin a run that trains a generator and a discriminator, or go on with it from its last checkpoint.

    No score says which checkpoint is the best, as each of the two losses depends on the other network: there
    is the last one only.
    """

    quantity = ""
    curve_keys = ("step", "_loss", "accuracy")

    def _take(self, data: Parts) -> Any:
        config = self.folder.config
        print(describe(config, len(data.training), len(data.held_out), self.method), flush=True)
        self.held_out = data.held_out
        return data.training

    def _loader(self, training: Any) -> DataLoader:
        config = self.folder.config
        pin = get_default_device() != "cpu"
        size = config.batch_size * self.method.batches
        return DataLoader(training, size, shuffle=True, seed=config.seed, drop_last=True, pin_memory=pin)

    def _make_trainer(self, loader: DataLoader, epochs: int, **options: Any) -> Trainer:
        optimizers = self.method.optimizers(self.model, self.folder.config.lr)._asdict()
        return AdversarialTrainer(self.model, optimizers, self.method.turns, loader, epochs, **options)

    def _validate(self) -> Scores:
        stopping: Callable[[], bool] = lambda: self.trainer.stopping  # noqa: E731
        scores = judge(self.model, self.method, self.held_out, self.folder.config.seed, stopping)
        return {} if self.trainer.stopping else {f"held_out_{name}": scores[name] for name in scores}

    def _draw_samples(self) -> None:
        config = self.folder.config
        draw(self.model, self.method, config.classes, config.seed, self.folder.path / SAMPLES)

    def conclude(self, scores: dict[str, Any]) -> str:
        """The held-out losses of both networks."""
        named = {name: value for name, value in scores.items() if name.startswith("held_out_")}
        shown = (f"{name.removeprefix('held_out_').replace('_', ' ')} {named[name]:.4f}" for name in named)
        return f"held-out {', '.join(shown)}"


def judge(
    model: Module, method: Any, data: Any, seed: int, stopping: Callable[[], bool] = lambda: False
) -> dict[str, float]:
    """The losses of both networks, in evaluation mode, on images that they have not seen.

    Parameters
    ----------
    model : Adversarial
    method : Adversaries
        The networks', of `models.generation`.
    data : ClassificationData
    seed : int
        Of the noise, which is the same each time.
    stopping : callable
        Whether to end early.

    Returns
    -------
    dict of str to float
        Means over the images; where the discriminator names classes, its ``accuracy`` on the real images too.
    """
    model.eval()
    source = Generator().manual_seed(seed)
    sums: dict[str, float] = {}
    weights: dict[str, int] = {}

    def add(name: str, value: float, weight: int) -> None:
        sums[name] = sums.get(name, 0.0) + weight * value
        weights[name] = weights.get(name, 0) + weight

    for images, labels in batches_for(model, data, BATCH):
        if stopping():
            break
        if method.names_classes:
            with no_grad():
                answers = model.discriminator(images)[1].array.argmax(axis=1)
            add("accuracy", float((answers == labels.array).mean()), len(images))
        count = len(images) - len(images) % method.batches
        if count:
            for turn in method.turns(model, images[:count], labels[:count], source):
                for number, (name, value) in enumerate(turn.values.items()):
                    add(name if number else f"{name}_loss", value.item(), count)
    return {name: value / weights[name] for name, value in sums.items()}


def draw(model: Module, method: Any, classes: list[str], seed: int, path: Path) -> None:
    """New images: a row for each class where one can be asked for."""
    source = Generator().manual_seed(seed)
    if not method.names_classes:
        images = method.sample(model, COLUMNS**2 // 2, source).cpu().array
        viz.sample_grid(images, COLUMNS, path=path)
        return
    names = classes[:MOST_ROWS]
    rows = [method.sample(model, COLUMNS, source, label).cpu().array for label in range(len(names))]
    viz.sample_grid(np.concatenate(rows), COLUMNS, rows=names, path=path)


def table(scores: dict[str, float], images: int) -> list[str]:
    """Lines of text, and what they do not say."""
    names = {"accuracy": "accuracy of the classes that the discriminator names"}
    lines = [f"images  {images:,}"] + [
        f"{names.get(name, name.replace('_', ' '))}  {value:.4f}" for name, value in scores.items()
    ]
    width = max(line.index("  ") for line in lines)
    aligned = [f"{line[: line.index('  ')]:{width}}  {line.split('  ', 1)[1]}" for line in lines]
    return [*aligned, "", "Neither loss says how good the images are: look at them."]
