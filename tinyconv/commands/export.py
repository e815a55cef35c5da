"""`tinyconv export`: a network as an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tinyconv.errors import ArgumentError

IMAGE = (3, 64, 64)
AXES = {2: ("height", "width"), 3: ("depth", "height", "width")}


def export(
    model: Annotated[
        str, typer.Argument(metavar="MODEL_OR_RUN", help="The folder of a run, or one of `tinyconv models`.")
    ],
    width: Annotated[int | None, typer.Argument(metavar="[W]", hidden=True)] = None,
    onnx: Annotated[Path | None, typer.Option(help="The file to write.")] = None,
    input_size: Annotated[
        tuple[int, int, int] | None,
        typer.Option(
            "--input",
            metavar="C H W",
            help="Channels, height and width of an example.  [default: as the run was trained, or as the "
            "network takes it]",
        ),
    ] = None,
) -> None:
    """Write a network as an ONNX file for other programs, for images of any size where it takes such."""
    from rich.console import Console
    from rich.markup import escape

    from tinyconv import models
    from tinyconv.errors import ShapeError

    if onnx is None:
        raise typer.BadParameter("say which file to write", param_hint="--onnx")
    if width is not None and input_size is None:
        raise ArgumentError("export", "W", width, "--input C D H W before it")
    folder = Path(model)
    network, trained_on = _of_run(folder) if folder.is_dir() else (models.create(model), None)
    given = None if input_size is None else (*input_size, *(() if width is None else (width,)))
    wanted = given or trained_on
    size = wanted or _size_for(model)
    with Console(stderr=True).status(f"writing {escape(str(onnx))}"):
        try:
            axes = _export(network, size, onnx, AXES.get(len(size) - 1, ()))
        except ShapeError:  # it takes images of one size
            size = wanted or models.input_size(model)
            axes = _export(network, size, onnx, size[1:])
    typer.echo(f"wrote {onnx}: input {_input_name(size)} (batch, {', '.join(map(str, (size[0], *axes)))})")


def _of_run(run: Path) -> tuple[Any, tuple[int, ...] | None]:
    """The network of a run, and what it takes; of one that makes images, the part that gives images alone."""
    from tinyconv import models
    from tinyconv.train.class_config import ClassConfig
    from tinyconv.train.folder import RunFolder
    from tinyconv.train.generation_config import GenerationConfig
    from tinyconv.train.predict import load_model

    network = load_model(run, models.create)
    if not (run / "config.json").is_file():
        return network, None
    config = RunFolder.open(run).config
    if isinstance(config, GenerationConfig):
        return models.image_maker(network, config.model, tuple(config.shape))
    return network, tuple(config.shape) if isinstance(config, ClassConfig) else (
        config.channels,
        *config.shape,
    )


def _input_name(size: tuple[int, ...]) -> str:
    """What a network takes: images, or the codes that it makes images of."""
    return "codes" if len(size) == 1 else "images"


def _export(network: Any, size: tuple[int, ...], onnx: Path, axes: tuple[Any, ...]) -> tuple[Any, ...]:
    """Write the file, for images of any size along the axes that have a name; returns the axes."""
    from tinyconv import io, ops

    named = {place: name for place, name in enumerate(axes, start=2) if isinstance(name, str)}
    name = _input_name(size)
    options: dict[str, Any] = {"input_names": [name], "dynamic_axes": {name: {0: "batch", **named}}}
    io.onnx.export(network, ops.zeros(1, *size), onnx, **options)
    return axes


def _size_for(model: str) -> tuple[int, ...]:
    """An example for a network that was named: a small image, if it takes such images."""
    from tinyconv import models

    own = models.input_size(model)
    return IMAGE if len(own) == len(IMAGE) and own[0] == IMAGE[0] else own
