"""`tinyconv eval`: how good the network of a run is, in numbers and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tinyconv.errors import ArgumentError

PARTS = ("held-out", "test")


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    part: Annotated[
        str | None,
        typer.Option(help="held-out or test.  [default: test where there is one, else held-out]"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where the figures go.  [default: RUN/eval]")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads to use.  [default: all cores]")] = None,
) -> None:
    """Score the best network of a run: a table, and figures of the worst cases."""
    from tinyconv import models
    from tinyconv.device import set_num_threads
    from tinyconv.train.class_config import ClassConfig
    from tinyconv.train.folder import RunFolder
    from tinyconv.train.predict import load_model

    if threads is not None:
        set_num_threads(threads)
    if part is not None and part not in PARTS:
        raise ArgumentError("eval", "--part", repr(part), " or ".join(PARTS))
    model = load_model(run, models.create)
    config = RunFolder.open(run).config
    show: Any = _classes if isinstance(config, ClassConfig) else _masks
    for file in show(model, config, part, out or run / "eval"):
        typer.echo(f"wrote {file}")


def _classes(model: Any, config: Any, part: str | None, out: Path) -> list[Path]:
    """Print the table of a classifier; returns the figures."""
    from tinyconv import viz
    from tinyconv.metrics import confusion_matrix
    from tinyconv.train.class_evaluate import score, table
    from tinyconv.train.class_recipe import open_data
    from tinyconv.train.class_session import draw_worst

    parts = open_data(config)
    if part == "test" and parts.test is None:
        raise ArgumentError("eval", "--part", repr(part), f"held-out: {config.label} has no test part")
    data = parts.held_out if part == "held-out" or parts.test is None else parts.test
    typer.echo(
        f"{config.model} on the {'held-out' if data is parts.held_out else 'test'} images of {config.label}\n"
    )
    scored = score(model, data)
    for line in table(scored, config.classes):
        typer.echo(line)
    typer.echo("")
    files = [out / "confusion.png", out / "worst.png"]
    matrix = confusion_matrix(scored.answers, scored.labels, len(config.classes))
    viz.plot_confusion(matrix, config.classes, files[0])
    draw_worst(data, scored, config.classes, files[1])
    return files


def _masks(model: Any, config: Any, part: str | None, out: Path) -> list[Path]:
    """Print the table of a segmentation; returns the figures."""
    from tinyconv import viz
    from tinyconv.train.evaluate import evaluate as score_masks
    from tinyconv.train.evaluate import predict_image, summarize
    from tinyconv.train.recipes import open_data

    if part == "test":
        raise ArgumentError("eval", "--part", repr(part), f"held-out: {config.label} has no test part")
    _, held_out = open_data(config)
    results = list(score_masks(model, held_out))
    typer.echo(f"{config.model} on the {len(results)} held-out images of {config.label}\n")
    names = {
        "held_out_dice": "Dice, mean of the images",
        "held_out_iou": "IoU, mean of the images",
        "held_out_dice_pooled": "Dice of all pixels together",
        "held_out_loss": "loss",
    }
    scores = summarize(results)
    for key, name in names.items():
        typer.echo(f"{name:28}  {scores[key]:.4f}")
    worst = sorted(results, key=lambda result: result.dice)[:4]
    typer.echo("\nworst images")
    for result in worst:
        typer.echo(f"  {result.name}: Dice {result.dice:.4f}, IoU {result.iou:.4f}")
    typer.echo("")
    pairs = [held_out[result.index] for result in worst]
    viz.segmentation_sheet(
        [image for image, _ in pairs],
        [mask >= 0.5 for _, mask in pairs],
        [predict_image(model, image) for image, _ in pairs],
        out / "worst.png",
        [result.dice for result in worst],
    )
    return [out / "worst.png"]
