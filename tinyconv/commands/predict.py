"""`tinyconv predict`: masks, or the classes of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer


def segment(model: Any, config: Any, images: list[Path], out: Path) -> int:
    """Write masks and overlays; returns how many images could not be used."""
    from tinyconv.train.predict import predict_files

    failed = 0
    for prediction in predict_files(model, images, out):
        if prediction.error is not None:
            failed += 1
            typer.echo(f"error: {prediction.error}", err=True)
        else:
            typer.echo(f"{prediction.image.name}: {100 * prediction.share:.1f} % nuclei")
    if failed < len(images):
        typer.echo(f"wrote *_mask.png and *_overlay.png for {len(images) - failed} images into {out}")
    return failed


def classify(model: Any, config: Any, images: list[Path], out: Path) -> int:
    """Print and write what each image is; returns how many could not be used."""
    from tinyconv.train.class_predict import classify_files, write_answers

    answers = []
    for answer in classify_files(model, config, images):
        answers.append(answer)
        if answer.error is not None:
            typer.echo(f"error: {answer.error}", err=True)
        else:
            typer.echo(f"{answer.image.name}: {answer.text(config.classes)}")
    failed = sum(answer.error is not None for answer in answers)
    if failed < len(answers):
        typer.echo(f"wrote {write_answers(answers, config.classes, out)}")
    return failed
