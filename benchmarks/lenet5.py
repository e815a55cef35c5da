"""LeNet-5 on MNIST: how many of the 10,000 test digits it reads, and how long learning takes.

    python -m benchmarks.lenet5 FOLDER

FOLDER holds the four files of MNIST, plain or ``.gz``.
"""

from __future__ import annotations

import time
from typing import Annotated

import typer

import tinyconv as tc
from tinyconv import models
from tinyconv.data.datasets.mnist import MNIST
from tinyconv.train import Callback, Trainer, train_classifier


class Report(Callback):
    """One line for each epoch."""

    def on_validation(self, trainer: Trainer, scores: dict[str, float]) -> None:
        position = trainer.position
        print(
            f"epoch {position.epoch + 1:3}  {position.seconds:6.1f} s  "
            f"training loss {trainer.loss_value:.4f}  test accuracy {scores['held_out_accuracy']:.4f}",
            flush=True,
        )


def main(
    folder: Annotated[str, typer.Argument(help="Where MNIST is.")],
    epochs: Annotated[int, typer.Option(help="Times to see each digit.")] = 12,
    shift: Annotated[int, typer.Option(help="Pixels that digits are moved by at most.")] = 1,
    activation: Annotated[str, typer.Option(help="tanh, the paper's, or relu.")] = "tanh",
    pooling: Annotated[str, typer.Option(help="average, the paper's, or max.")] = "average",
    seed: int = 0,
) -> None:
    """Train LeNet-5 and say what it reaches, epoch by epoch."""
    tc.manual_seed(seed)
    model = models.create("lenet5", activation=activation, pooling=pooling)
    began = time.perf_counter()
    training, test = MNIST(folder), MNIST(folder, train=False)
    options = {"epochs": epochs, "batch_size": 64, "lr": 3e-3, "shift": shift, "seed": seed}
    reached = train_classifier(model, training, test, callbacks=[Report()], **options)
    seconds = time.perf_counter() - began
    print(f"test accuracy {reached:.4f} after {seconds:.1f} s on {tc.get_num_threads()} threads")


if __name__ == "__main__":
    typer.run(main)
