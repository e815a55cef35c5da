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
    from tinyconv import models
    from tinyconv.errors import ShapeError

    if onnx is None:
        raise typer.BadParameter("say which file to write", param_hint="--onnx")
    if width is not None and input_size is None:
        raise ArgumentError("export", "W", width, "--input C D H W before it")
    folder = Path(model)
    network = _of_run(folder) if folder.is_dir() else models.create(model)
    given = None if input_size is None else (*input_size, *(() if width is None else (width,)))
    wanted = given or _size_of(folder)
    size = wanted or _size_for(model)
    try:
        axes = _export(network, size, onnx, AXES.get(len(size) - 1, ()))
    except ShapeError:  # it takes images of one size
        size = wanted or models.input_size(model)
        axes = _export(network, size, onnx, size[1:])
    typer.echo(f"wrote {onnx}: input images (batch, {', '.join(map(str, (size[0], *axes)))})")


def _of_run(run: Path) -> Any:
    """The network of a run; of one that makes images, that which gives them and nothing beside."""
    from tinyconv import models
    from tinyconv.train.folder import RunFolder
    from tinyconv.train.generation_config import GenerationConfig
    from tinyconv.train.predict import load_model

    network = load_model(run, models.create)
    config = RunFolder.open(run).config if (run / "config.json").is_file() else None
    return models.image_maker(network, config.model) if isinstance(config, GenerationConfig) else network


def _export(network: Any, size: tuple[int, ...], onnx: Path, axes: tuple[Any, ...]) -> tuple[Any, ...]:
    """Write the file, for images of any size along the axes that have a name; returns the axes."""
    from tinyconv import io, ops

    named = {place: name for place, name in enumerate(axes, start=2) if isinstance(name, str)}
    options: dict[str, Any] = {"input_names": ["images"], "dynamic_axes": {"images": {0: "batch", **named}}}
    io.onnx.export(network, ops.zeros(1, *size), onnx, **options)
    return axes


def _size_for(model: str) -> tuple[int, ...]:
    """An example for a network that was named: a small image, if it takes such images."""
    from tinyconv import models

    own = models.input_size(model)
    return IMAGE if len(own) == len(IMAGE) and own[0] == IMAGE[0] else own


def _size_of(run: Path) -> tuple[int, ...] | None:
    """What the network of a run was trained on; None if this is no run."""
    from tinyconv.train.class_config import ClassConfig
    from tinyconv.train.folder import RunFolder

    if not (run.is_dir() and (run / "config.json").is_file()):
        return None
    config = RunFolder.open(run).config
    return tuple(config.shape) if isinstance(config, ClassConfig) else (config.channels, *config.shape)
