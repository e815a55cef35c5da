"""Which kind of run the options mean, and what is said at its end."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial
from pathlib import Path
from typing import Any

import typer

from tinyconv.errors import ArgumentError

STOPPED = 128  # plus the number of the signal
LONG_START = 3.0
"""Seconds from which on it is said how long it took to the end of the first step."""
OF_LABELLED, OF_SEGMENTERS, OF_GENERATION = (
    ("balanced", "shift"),
    ("stain", "loss", "classes", "dims", "depth", "patches", "border"),
    ("latent_dim", "noise"),
)
OF_NETWORKS = ("size", "widths", "width")
"""Not of those that name classes."""


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


def say_when_compiling() -> AbstractContextManager[None]:
    """A line on standard error, the first time, if what follows has to wait for kernels to be compiled."""
    from tinyconv.kernels import numba_works

    if not numba_works():
        return nullcontext()
    from tinyconv.kernels.cpu import compiling

    return compiling.say_when_compiling(_say_once)


@cache
def _say_once(text: str) -> None:
    typer.echo(text, err=True)


def make_config(
    model: str, data: str | None, data_dir: str | None, quick: bool, given: dict[str, Any]
) -> Any:
    """The options of a run, of the kind that the data and the network are for."""
    from tinyconv import models
    from tinyconv.train import class_recipe, generation_recipe, recipes
    from tinyconv.train.class_sources import is_labelled
    from tinyconv.train.mask_sources import SYNTHETIC

    data = data or ("digits" if models.makes_images(model) else SYNTHETIC)
    labelled = is_labelled(data)
    generating = labelled and models.makes_images(model)
    masks = OF_SEGMENTERS if generating else (*OF_SEGMENTERS, *OF_NETWORKS)
    unfit = (
        dict.fromkeys(masks, "images with masks")
        if labelled
        else dict.fromkeys(OF_LABELLED, "labelled images")
    )
    if not generating:
        unfit |= dict.fromkeys(OF_GENERATION, "networks that make images, next to labelled images,")
    for name, kind in unfit.items():
        value = given.pop(name)
        if value is not None:
            found = f"{value}, next to --data {data}"
            raise ArgumentError("train", "--" + name.replace("_", "-"), found, f"it with {kind} only")
    if generating:
        method = models.method_of(model)
        return generation_recipe.make_config(
            model, data, data_dir, quick, models.fit_generation, method, **given
        )
    if labelled:
        with say_when_compiling():
            return class_recipe.make_config(model, data, data_dir, quick, models.fit_classifier, **given)
    return recipes.make_config(model, data, data_dir, quick, models.fit_segmenter, **given)


def check_alone(command: str, runs: list[Path], verb: str, tta: bool) -> None:
    """Refuse several runs, or mirrored copies, where answers cannot be averaged."""
    if tta or len(runs) > 1:
        found = f"{str(runs[0])!r}, which {verb} images, with {'--tta' if tta else f'{len(runs)} of them'}"
        raise ArgumentError(command, "RUN", found, "one run")


def open_data(config: Any) -> Any:
    """What the run is trained on and what is held out."""
    from tinyconv import models
    from tinyconv.train import class_recipe, generation_recipe, recipes
    from tinyconv.train.class_config import ClassConfig
    from tinyconv.train.generation_config import GenerationConfig

    if isinstance(config, GenerationConfig):
        return generation_recipe.open_data(config, models.method_of(config.model))
    return (class_recipe if isinstance(config, ClassConfig) else recipes).open_data(config)


def session_of(config: Any) -> Any:
    """What makes a session of such a run."""
    from tinyconv import models
    from tinyconv.train.adversarial_session import AdversarialSession
    from tinyconv.train.class_config import ClassConfig
    from tinyconv.train.class_session import ClassSession
    from tinyconv.train.generation_config import GenerationConfig
    from tinyconv.train.reconstruction_session import ReconstructionSession
    from tinyconv.train.session import Session

    if isinstance(config, GenerationConfig):
        method = models.method_of(config.model)
        kind = AdversarialSession if method.adversarial else ReconstructionSession
        return partial(kind, method=method)
    return ClassSession if isinstance(config, ClassConfig) else Session


def duration(position: Any) -> str:
    """How long a run took; what the first step, which may compile kernels, had to wait for is told apart.

    Examples
    --------
    >>> from tinyconv.train.callback import Position
    >>> duration(Position(seconds=77.0, first_step_seconds=60.0))
    '17 s of training and 60 s up to the first step'
    >>> duration(Position(seconds=900.0, first_step_seconds=0.7))
    '899 s of training'
    """
    first = position.first_step_seconds
    before = f" and {first:.0f} s up to the first step" if first >= LONG_START else ""
    return f"{position.seconds - first:.0f} s of training{before}"


def find_rate(config: Any, data_sets: Any, figure: Path) -> None:
    """Let the learning rate rise, draw the losses, say what is suggested; nothing else is written."""
    from math import isnan

    from tinyconv import models
    from tinyconv.train.folder import RunFolder
    from tinyconv.train.generation_config import GenerationConfig
    from tinyconv.train.learning_rate import find_learning_rate
    from tinyconv.viz.style import figure_path

    figure_path(figure)  # before the search
    if isinstance(config, GenerationConfig) and models.method_of(config.model).adversarial:
        expected = "it with networks that are trained on their own only"
        raise ArgumentError("train", "--find-lr", f"{str(figure)!r}, next to {config.model}", expected)
    folder = RunFolder(Path(), config)
    session = session_of(config)(folder, data_sets, models.create, resume=False, begin=False)
    trainer = session.trainer
    with say_when_compiling():
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

    make = session_of(folder.config)
    with folder.lock(), say_when_compiling():
        outcome = make(folder, data_sets, models.create, resume).run()
    path = folder.path
    if outcome.signal is not None:
        at = f"step {outcome.position.step} (epoch {outcome.position.epoch + 1})"
        typer.echo(f"stopped after {at}; saved in {path}")
        typer.echo(f'go on with:  tinyconv train --resume "{path}"')
        raise typer.Exit(STOPPED + outcome.signal)
    typer.echo(f"{outcome.text}, after {duration(outcome.position)}")
    typer.echo("wrote")
    for file in outcome.files:
        typer.echo(f"  {file}")
    what = " VOLUME.nii.gz" if getattr(folder.config, "volumes", False) else " IMAGE.png"
    if hasattr(folder.config, "noise") and models.method_of(folder.config.model).adversarial:
        what = ""
    typer.echo(f'next:  tinyconv predict "{path}"{what}')
