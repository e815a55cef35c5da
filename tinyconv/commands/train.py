"""`tinyconv train`: which kind of run the options mean, and what is said at its end."""

from __future__ import annotations

from typing import Any

import typer

from tinyconv.errors import ArgumentError

STOPPED = 128  # plus the number of the signal


def make_config(model: str, data: str, data_dir: str | None, quick: bool, given: dict[str, Any]) -> Any:
    """The options of a run, of the kind that the data are for."""
    from tinyconv import models
    from tinyconv.train import class_recipe, recipes
    from tinyconv.train.class_sources import is_labelled

    if is_labelled(data):
        return class_recipe.make_config(model, data, data_dir, quick, models.fit_classifier, **given)
    for name in ("balanced", "shift"):
        if given.pop(name) is not None:
            found = f"given, next to --data {data}"
            raise ArgumentError("train", f"--{name}", found, "it with labelled images only")
    return recipes.make_config(model, data, data_dir, quick, **given)


def open_data(config: Any) -> Any:
    """What the run is trained on and what is held out."""
    from tinyconv.train import class_recipe, recipes
    from tinyconv.train.class_config import ClassConfig

    return (class_recipe if isinstance(config, ClassConfig) else recipes).open_data(config)


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
    typer.echo(f'next:  tinyconv predict "{path}" IMAGE.png')
