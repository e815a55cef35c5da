"""The degradation of plain nets (He et al. 2016): deeper is worse, unless there are shortcuts.

    python -m benchmarks.degradation --figure degradation.svg

Plain and residual nets of two depths learn scikit-learn's 1,797 digits of 8x8 pixels; the loss on
the training set tells that the deep plain net is not overfitted: it is hard to train.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import tinyconv as tc
from tinyconv import models, viz
from tinyconv.data import DataLoader
from tinyconv.data.datasets.digits import Digits
from tinyconv.nn import functional as F


def losses(name: str, depth: int, width: int, epochs: int, lr: float) -> list[float]:
    """The mean loss on the training set in each epoch."""
    tc.manual_seed(0)
    model = models.create(name, in_channels=1, depth=depth, width=width)
    optimizer = tc.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=1e-4)
    loader, means = DataLoader(Digits(), 128, shuffle=True), []
    for epoch in range(epochs):
        total, count = 0.0, 0
        for x, label in loader.iterate(epoch):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), label)
            loss.backward()
            optimizer.step()
            total, count = total + loss.item() * len(x), count + len(x)
        means.append(total / count)
    return means


def main(
    epochs: Annotated[int, typer.Option(help="Times to see each digit.")] = 12,
    width: Annotated[int, typer.Option(help="Channels of the first stage.")] = 8,
    lr: Annotated[float, typer.Option(help="Learning rate of SGD with momentum.")] = 0.05,
    figure: Annotated[Path | None, typer.Option(help="Draw the curves: .png, .pdf or .svg.")] = None,
) -> None:
    """Train the four nets, print their training losses, and draw them."""
    lines: list[dict[str, Any]] = [{"epoch": epoch + 1} for epoch in range(epochs)]
    for depth in (20, 56):
        for kind in ("plain", "resnet"):
            curve = losses(f"{kind}{depth}_cifar", depth, width, epochs, lr)
            print(f"{kind}-{depth}: training loss {' '.join(f'{loss:.3f}' for loss in curve)}", flush=True)
            for line, loss in zip(lines, curve, strict=True):
                line[f"{kind}-{depth}_loss"] = loss
    if figure is not None:
        viz.plot_curves(lines, figure)


if __name__ == "__main__":
    typer.run(main)
