"""Which kind of run the options mean, and what is said at its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from tinyconv.errors import ArgumentError

STOPPED = 128  # plus the number of the signal
OF_CLASSIFIERS, OF_SEGMENTERS = (
    ("balanced", "shift"),
    ("stain", "size", "loss", "classes", "widths", "width", "dims", "depth", "patches", "border"),
)


def use_device(command: str, device: str | None) -> None:
    """Compute on this device from now on; an error, before anything else is done, if it cannot be."""
    from tinyconv.device import Device, set_default_device
    from tinyconv.device_errors import find_cupy

    if device is None:
        return
    place = Device(device)
    if place.type == "cuda":
        find_cupy(command, place)
    set_default_device(place)


def make_config(model: str, data: str, data_dir: str | None, quick: bool, given: dict[str, Any]) -> Any:
    """The options of a run, of the kind that the data are for."""
    from tinyconv import models
    from tinyconv.train import class_recipe, recipes
    from tinyconv.train.class_sources import is_labelled

    labelled = is_labelled(data)
    for name in OF_SEGMENTERS if labelled else OF_CLASSIFIERS:
        value = given.pop(name)
        if value is not None:
            kind = "images with masks" if labelled else "labelled images"
            found = f"{value}, next to --data {data}"
            raise ArgumentError("train", "--" + name.replace("_", "-"), found, f"it with {kind} only")
    if labelled:
        return class_recipe.make_config(model, data, data_dir, quick, models.fit_classifier, **given)
    return recipes.make_config(model, data, data_dir, quick, models.fit_segmenter, **given)


def open_data(config: Any) -> Any:
    """What the run is trained on and what is held out."""
    from tinyconv.train import class_recipe, recipes
    from tinyconv.train.class_config import ClassConfig

    return (class_recipe if isinstance(config, ClassConfig) else recipes).open_data(config)


def find_rate(config: Any, data_sets: Any, figure: Path) -> None:
    """Let the learning rate rise, draw the losses, say what is suggested; nothing else is written."""
    from math import isnan

    from tinyconv import models
    from tinyconv.train.class_config import ClassConfig
    from tinyconv.train.class_session import ClassSession
    from tinyconv.train.folder import RunFolder
    from tinyconv.train.learning_rate import find_learning_rate
    from tinyconv.train.session import Session
    from tinyconv.viz.style import figure_path

    figure_path(figure)  # before the search
    kind = ClassSession if isinstance(config, ClassConfig) else Session
    session = kind(RunFolder(Path(), config), data_sets, models.create, resume=False, begin=False)
    trainer = session.trainer
    found = find_learning_rate(
        *(trainer.model, trainer.optimizer, trainer.loss, trainer.loader),
        accumulate=trainer.accumulate,
        clip_norm=trainer.clip_norm,
    )
    found.plot(figure)
    typer.echo(f"wrote {figure}")
    if not isnan(found.suggestion):
        typer.echo(f"the loss fell fastest at a learning rate of {found.suggestion:.1e}: try --lr")


def run_session(folder: Any, data_sets: Any, resume: bool) -> None:
    """Run the session, then say what was written, or how to go on."""
    from tinyconv import models
    from tinyconv.train.class_config import ClassConfig
    from tinyconv.train.class_session import ClassSession
    from tinyconv.train.session import Session

    kind = ClassSession if isinstance(folder.config, ClassConfig) else Session
    with folder.lock():
        outcome = kind(folder, data_sets, models.create, resume).run()
    path = folder.path
    if outcome.signal is not None:
        at = f"step {outcome.position.step} (epoch {outcome.position.epoch + 1})"
        typer.echo(f"stopped after {at}; saved in {path}")
        typer.echo(f'go on with:  tinyconv train --resume "{path}"')
        raise typer.Exit(STOPPED + outcome.signal)
    typer.echo(f"{outcome.text}, after {outcome.position.seconds:.0f} s of training")
    typer.echo("wrote")
    for file in outcome.files:
        typer.echo(f"  {file}")
    volume = getattr(folder.config, "volumes", False)
    typer.echo(f'next:  tinyconv predict "{path}" {"VOLUME.nii.gz" if volume else "IMAGE.png"}')
