"""`tinyconv eval`: how good the network of a run is, in numbers and figures."""

from __future__ import annotations

import json
from math import isnan
from pathlib import Path
from typing import Annotated, Any

import typer

from tinyconv.errors import ArgumentError
from tinyconv.io import write_whole

WORST = 4
PARTS = ("held-out", "test")


def evaluate(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="The folder of a run; of several, answers are averaged."),
    ],
    part: Annotated[
        str | None,
        typer.Option(help="held-out or test.  [default: test where there is one, else held-out]"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where the figures go.  [default: RUN/eval]")] = None,
    tta: Annotated[
        bool, typer.Option("--tta", help="Average over mirrored and turned copies (of volumes: mirrored).")
    ] = False,
    device: Annotated[str | None, typer.Option(help="cpu, cuda (a GPU) or cuda:1.  [default: cpu]")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads to use.  [default: all cores]")] = None,
) -> None:
    """Score the best network of a run, or several together: a table, and figures of the worst cases.

    Of a segmentation scores.json has the scores of each image. Several runs are scored on what the first
    one held out.
    """
    from tinyconv.commands.runs import say_when_compiling, use_device
    from tinyconv.device import set_num_threads
    from tinyconv.train.class_config import ClassConfig
    from tinyconv.train.folder import RunFolder
    from tinyconv.train.generation_config import GenerationConfig

    use_device("eval", device)
    if threads is not None:
        set_num_threads(threads)
    if part is not None and part not in PARTS:
        raise ArgumentError("eval", "--part", repr(part), " or ".join(PARTS))
    config = RunFolder.open(runs[0]).config
    show: Any = _classes if isinstance(config, ClassConfig) else _masks
    if isinstance(config, GenerationConfig):
        show = _generation
    with say_when_compiling():
        files = show(runs, config, part, out or runs[0] / "eval", tta)
    for file in files:
        typer.echo(f"wrote {file}")


def _classes(runs: list[Path], config: Any, part: str | None, out: Path, tta: bool) -> list[Path]:
    """Print the table of a classifier; returns the figures."""
    from tinyconv import models, viz
    from tinyconv.commands.runs import check_alone
    from tinyconv.metrics import confusion_matrix
    from tinyconv.train.class_evaluate import score, table
    from tinyconv.train.class_session import draw_worst
    from tinyconv.train.predict import load_model

    check_alone("eval", runs, "names", tta)
    model = load_model(runs[0], models.create)
    data = _part_of(config, part)
    scored = score(model, data)
    for line in table(scored, config.classes):
        typer.echo(line)
    typer.echo("")
    files = [out / "confusion.png", out / "worst.png"]
    matrix = confusion_matrix(scored.answers, scored.labels, len(config.classes))
    viz.plot_confusion(matrix, config.classes, files[0])
    draw_worst(data, scored, config.classes, files[1])
    return files


def _generation(runs: list[Path], config: Any, part: str | None, out: Path, tta: bool) -> list[Path]:
    """Print the table of a network that makes images; returns the figure."""
    from tinyconv import models
    from tinyconv.commands.runs import check_alone
    from tinyconv.train import adversarial_session as adversarial
    from tinyconv.train.predict import load_model

    check_alone("eval", runs, "makes", tta)
    model, method = load_model(runs[0], models.create), models.method_of(config.model)
    data = _part_of(config, part)
    if not method.adversarial:
        return _reconstructions(model, method, config, data, out)
    scores = adversarial.judge(model, method, data, config.seed)
    for line in adversarial.table(scores, len(data)):
        typer.echo(line)
    typer.echo("")
    adversarial.draw(model, method, config.classes, config.seed, out / "samples.png")
    return [out / "samples.png"]


def _reconstructions(model: Any, method: Any, config: Any, data: Any, out: Path) -> list[Path]:
    """Print the table of a network that gives images back; returns the figure of the worst."""
    from tinyconv.train.generation_recipe import Pairs
    from tinyconv.train.reconstruct import COLUMNS, draw, score, table

    data = Pairs(data, config.noise, config.seed)
    errors = score(model, method, data, config.seed)
    for line in table(errors):
        typer.echo(line)
    typer.echo("\nworst")
    worst = errors.worst(COLUMNS)
    for place in worst[:WORST]:
        typer.echo(f"  {data.name(place)}: PSNR {errors.psnr[place]:.2f} dB")
    typer.echo("")
    draw(model, method, data, worst, out / "worst.png")
    return [out / "worst.png"]


def _part_of(config: Any, part: str | None) -> Any:
    """The test images, or those held out where there are no others or they were asked for."""
    from tinyconv.train.class_recipe import open_data

    parts = open_data(config)
    if part == "test" and parts.test is None:
        raise ArgumentError("eval", "--part", repr(part), f"held-out: {config.label} has no test part")
    data = parts.held_out if part == "held-out" or parts.test is None else parts.test
    which = "held-out" if data is parts.held_out else "test"
    typer.echo(f"{config.model} on the {which} images of {config.label}\n")
    return data


def _masks(runs: list[Path], config: Any, part: str | None, out: Path, tta: bool) -> list[Path]:
    """Print the table of a segmentation; returns the files."""
    from tinyconv import models
    from tinyconv.train.mask_scores import as_json, score_images, table
    from tinyconv.train.predict import load_segmenter
    from tinyconv.train.recipes import open_data
    from tinyconv.train.sheet import draw_rows, label_names, row_of

    if part == "test":
        raise ArgumentError("eval", "--part", repr(part), f"held-out: {config.label} has no test part")
    segmenter = load_segmenter(runs, models.create, tta)
    _, held_out = open_data(config)
    scores = list(score_images(segmenter, held_out))
    who = config.model if len(runs) == 1 else f"{len(runs)} networks"
    typer.echo(
        f"{who} on the {len(scores)} held-out {'volumes' if config.volumes else 'images'} of {config.label}\n"
    )
    names = config.names[1:] if config.exclusive else config.names
    for line in table(scores, names):
        typer.echo(line)
    worst = sorted(scores, key=lambda entry: 1.0 if isnan(entry.dice) else entry.dice)[:WORST]
    typer.echo("\nworst")
    for entry in worst:
        typer.echo(f"  {entry.name}: Dice {entry.dice:.4f}")
    typer.echo("")
    rows = [row_of(segmenter, *held_out[entry.index]) for entry in worst]
    draw_rows(rows, out / "worst.png", [entry.dice for entry in worst], label_names(config))
    content = {"runs": [str(run) for run in runs], "tta": tta, **as_json(scores, names)}
    write_whole(out / "scores.json", (json.dumps(content, indent=2) + "\n").encode())
    return [out / "worst.png", out / "scores.json"]
