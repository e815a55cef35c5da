"""`tinyconv predict`: masks, or the classes of images."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from tinyconv.errors import ArgumentError, CheckpointError, DataError

BAD_INPUT = 2


def predict(
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
    images: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RUN]... FILE...",
            help="More runs, whose answers are averaged; then images of any size, grey or colour, NIfTI "
            "volumes, or folders of such. None for a network that makes images of its own.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to.  [default: RUN/predictions]")] = None,
    tta: Annotated[
        bool, typer.Option("--tta", help="Average over mirrored and turned copies (of volumes: mirrored).")
    ] = False,
    count: Annotated[
        int | None, typer.Option(min=1, max=10**6, help="Number of new images to make.  [default: 16]")
    ] = None,
    label: Annotated[
        str | None, typer.Option("--class", help="Of which class they are to be.  [default: all in turn]")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the noise that they are made of.  [default: 0]")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda (a GPU) or cuda:1.  [default: cpu]")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads to use.  [default: all cores]")] = None,
) -> None:
    """Use a trained network, or several, on images.

    A segmentation writes NAME_mask.png and NAME_overlay.png for each (NAME_mask.nii.gz where the image is
    a NIfTI volume), a classifier answers.csv, an autoencoder NAME_given_back.png. A vae without images, and
    dcgan, acgan and wgan_gp, write new images.
    """
    from tinyconv.commands.runs import say_when_compiling, use_device
    from tinyconv.device import set_num_threads
    from tinyconv.train.class_config import ClassConfig
    from tinyconv.train.folder import RunFolder
    from tinyconv.train.generation_config import GenerationConfig

    use_device("predict", device)
    if threads is not None:
        set_num_threads(threads)
    given = images or []
    runs = [run, *(path for path in given if is_run(path))]
    files = [file for path in given if not is_run(path) for file in images_in(path)]
    options = {"--count": count, "--class": label, "--seed": seed}
    if makes_images(run) and not files:
        with say_when_compiling():
            generate(runs, {name[2:]: value for name, value in options.items()}, out or run / "samples", tta)
        return
    for name, value in options.items():
        if value is not None:
            raise ArgumentError("predict", name, repr(value), "it with a network that makes new images only")
    if not files:
        raise ArgumentError("predict", "FILE", "missing", "at least one image after the runs")
    if not is_run(run):
        raise CheckpointError("predict", "RUN", repr(str(run)), "the folder of a run")
    config = RunFolder.open(run).config
    use = classify if isinstance(config, ClassConfig) else segment
    if isinstance(config, GenerationConfig):
        use = give_back
    with say_when_compiling():
        failed = use(runs, files, out or run / "predictions", tta)
    if failed:
        typer.echo(f"error: {failed} of {len(files)} images could not be used", err=True)
        raise typer.Exit(BAD_INPUT)


def is_run(path: Path) -> bool:
    """Whether this is the folder of a run."""
    return os.path.isfile(path / "config.json")


def makes_images(run: Path) -> bool:
    """Whether this is a run of a network that makes new images, without being given any."""
    from tinyconv import models
    from tinyconv.train.folder import RunFolder
    from tinyconv.train.generation_config import GenerationConfig

    config = RunFolder.open(run).config if is_run(run) else None
    return isinstance(config, GenerationConfig) and models.method_of(config.model).sample is not None


def images_in(path: Path) -> list[Path]:
    """The images and volumes in a folder, in the order of their names; another path as it is."""
    from tinyconv.data.datasets import image_folder, volume_folder

    if not os.path.isdir(path):
        return [path]
    endings = (*image_folder.SUFFIXES, *volume_folder.SUFFIXES)
    try:
        names = sorted(name for name in os.listdir(path) if name.lower().endswith(endings))
    except OSError as error:
        found = f"unreadable ({error.strerror})"
        raise DataError("predict", repr(str(path)), found, "a folder that can be read") from error
    files = [path / name for name in names if not name.startswith(".")]
    if not files:
        raise DataError(
            "predict", repr(str(path)), "a folder without images", "a run, an image or a folder of such"
        )
    return files


def segment(runs: list[Path], images: list[Path], out: Path, tta: bool) -> int:
    """Write masks and overlays; returns how many images could not be used."""
    from tinyconv import models
    from tinyconv.train.folder import RunFolder
    from tinyconv.train.predict import load_segmenter, predict_files

    segmenter = load_segmenter(runs, models.create, tta)
    config, failed = RunFolder.open(runs[0]).config, 0
    names = config.names[1:] if config.exclusive else config.names
    for prediction in predict_files(segmenter, images, out):
        if prediction.error is not None:
            failed += 1
            typer.echo(f"error: {prediction.error}", err=True)
        else:
            parts = zip(prediction.shares, names, strict=True)
            shares = ", ".join(f"{100 * share:.1f} % {name}" for share, name in parts)
            typer.echo(f"{prediction.image.name}: {shares}")
    if failed < len(images):
        written = f"wrote *_mask and *_overlay.png for {len(images) - failed} images into {out}"
        typer.echo(written)
        if len(names) > 1:
            numbers = ", ".join(f"{number} {name}" for number, name in enumerate(names, start=1))
            typer.echo(f"the numbers in a mask: 0 nothing, {numbers}")
    return failed


def classify(runs: list[Path], images: list[Path], out: Path, tta: bool) -> int:
    """Print and write what each image is; returns how many could not be used."""
    from tinyconv import models
    from tinyconv.commands.runs import check_alone
    from tinyconv.train.class_predict import classify_files, write_answers
    from tinyconv.train.folder import RunFolder
    from tinyconv.train.predict import load_model

    check_alone("predict", runs, "names", tta)
    model, config = load_model(runs[0], models.create), RunFolder.open(runs[0]).config
    answers: list[Any] = []
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


def give_back(runs: list[Path], images: list[Path], out: Path, tta: bool) -> int:
    """Write what an autoencoder makes of each image; returns how many could not be used."""
    from tinyconv import models
    from tinyconv.commands.runs import check_alone
    from tinyconv.train.folder import RunFolder
    from tinyconv.train.predict import load_model
    from tinyconv.train.reconstruct import reconstruct_files

    check_alone("predict", runs, "makes", tta)
    name = RunFolder.open(runs[0]).config.model
    if models.method_of(name).adversarial:
        found = f"{len(images)} of them, next to {name}, which makes images from noise"
        raise ArgumentError("predict", "FILE", found, "none")
    model, config = load_model(runs[0], models.create), RunFolder.open(runs[0]).config
    failed = 0
    for written in reconstruct_files(model, models.method_of(config.model), config.shape, images, out):
        if written.error is not None:
            failed += 1
            typer.echo(f"error: {written.error}", err=True)
        else:
            typer.echo(f"{written.image.name}: PSNR {written.psnr:.2f} dB")
    if failed < len(images):
        typer.echo(f"wrote *_given_back.png for {len(images) - failed} images into {out}")
    return failed


def generate(runs: list[Path], options: dict[str, Any], out: Path, tta: bool) -> None:
    """Write new images."""
    from tinyconv import models
    from tinyconv.commands.runs import check_alone
    from tinyconv.train.folder import RunFolder
    from tinyconv.train.generate import write_samples
    from tinyconv.train.predict import load_model

    check_alone("predict", runs, "makes", tta)
    config = RunFolder.open(runs[0]).config
    method = models.method_of(config.model)
    label = options["class"]
    named = getattr(method, "names_classes", False)
    if label is not None and not (named and label in config.classes):
        expected = f"one of {', '.join(config.classes)}" if named else "it with acgan only"
        raise ArgumentError("predict", "--class", repr(label), expected)
    count = 16 if options["count"] is None else options["count"]
    model = load_model(runs[0], models.create)
    files = write_samples(model, method, config.classes, label, count, options["seed"] or 0, out)
    typer.echo(f"wrote {len(files)} images, {files[0].name} to {files[-1].name}, into {out}")
