"""The `tinyconv` command. It reads arguments and prints; the work is done in the rooms below."""

from __future__ import annotations

import signal
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tinyconv.commands.data import app as data_commands
from tinyconv.commands.evaluate import evaluate
from tinyconv.errors import ArgumentError, TinyconvError

BAD_INPUT = 2
STOPPED = 128  # plus the number of the signal
MEMORY_HINTS = {
    "train": "a run with a smaller --size or --batch-size",
    "predict": "smaller images, or other programs closed",
}


class Commands(TyperGroup):
    """The commands; an expected error is one line and exit status 2, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except TinyconvError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(BAD_INPUT) from error
        except MemoryError as error:
            where = ctx.invoked_subcommand
            expected = MEMORY_HINTS.get(where, "less at a time")
            typer.echo(f"error: {where}: the memory is too small, expected {expected}", err=True)
            raise typer.Exit(BAD_INPUT) from error
        except KeyboardInterrupt as error:
            typer.echo("stopped; what was not saved before is lost", err=True)
            raise typer.Exit(STOPPED + 2) from error


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Examples:\n\n    tinyconv train unet\n\n    tinyconv train unet --data nuclei --minutes 15"
    "\n\n    tinyconv predict runs/course image.png\n\n    tinyconv export runs/course --onnx unet.onnx"
    "\n\n    tinyconv learn 04"
    "\n\nExit status: 0 done, 2 bad input, 130 stopped with Ctrl-C (after saving).",
)
app.add_typer(data_commands, name="data")


def _show_version(wanted: bool) -> None:
    if wanted:
        from tinyconv import __version__

        typer.echo(f"tinyconv {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Convolutional networks from scratch: train one, use it, take the course."""


@app.command(
    epilog="Examples:\n\n    tinyconv train unet --data synthetic --run runs/first"
    "\n\n    tinyconv train unet --data nuclei --data-dir ~/dsb2018 --minutes 15"
    "\n\n    tinyconv train unet --data my_folder --epochs 20 --batch-size 2"
    "\n\n    tinyconv train lenet5 --data mnist"
    "\n\n    tinyconv train --resume runs/first"
    "\n\nCtrl-C (or SIGTERM) finishes the step, saves, says how to resume, and ends with status 130 (143)."
)
def train(
    model: Annotated[
        str,
        typer.Argument(metavar="[MODEL]", help="unet, or a network of `tinyconv models` that names images."),
    ] = "unet",
    data: Annotated[
        str | None,
        typer.Option(
            help="With masks: synthetic (made images, nothing to download), nuclei (2018 Data Science Bowl), "
            "or a folder of `ID/images/*.png` and `ID/masks/*.png`. With labels: digits, mnist, "
            "fashion_mnist, cifar10, or a folder with a folder for each class.  [default: synthetic]"
        ),
    ] = None,
    data_dir: Annotated[
        str | None,
        typer.Option(help="Where a named dataset is.  [default: in $TINYCONV_DATA, else in data]"),
    ] = None,
    stain: Annotated[
        str | None,
        typer.Option(help="all, or fluorescence only.  [default: fluorescence for nuclei, all for a folder]"),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Times to see each image.  [default: 40; 24 for synthetic]")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Stop after so many batches.")] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Stop within so much time; the learning rate then follows the clock.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images per step.  [default: 4]")] = None,
    lr: Annotated[float | None, typer.Option(help="Adam's highest learning rate.  [default: 0.002]")] = None,
    size: Annotated[
        int | None,
        typer.Option(help="Size of the training crops, a multiple of 16.  [default: 256; 128 for synthetic]"),
    ] = None,
    images: Annotated[
        int | None, typer.Option(help="Number of synthetic images to make.  [default: 60]")
    ] = None,
    held_out: Annotated[
        float | None, typer.Option(help="Share of the images that is never trained on.  [default: 0.2]")
    ] = None,
    validate_every: Annotated[
        int | None, typer.Option(help="Epochs between validations.  [default: 2]")
    ] = None,
    shift: Annotated[
        int | None, typer.Option(help="Pixels that labelled images are moved by.  [default: their size / 16]")
    ] = None,
    balanced: Annotated[
        bool, typer.Option("--balanced", help="Draw rare classes as often as common ones.")
    ] = False,
    on_bad_image: Annotated[
        str | None,
        typer.Option(help="stop, or skip: leave out images that cannot be used.  [default: stop]"),
    ] = None,
    accumulate: Annotated[
        int | None, typer.Option(help="Batches per step: a large batch in little memory.  [default: 1]")
    ] = None,
    clip_norm: Annotated[float | None, typer.Option(help="Limit of the gradients' norm.")] = None,
    ema: Annotated[
        float | None, typer.Option(help="Validate an average of the weights with this decay, e.g. 0.999.")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(help="End after so many validations in a row that were no better.")
    ] = None,
    on_not_finite: Annotated[
        str | None,
        typer.Option(help="stop, or skip: go on without a step that comes upon NaN.  [default: stop]"),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="A TOML file of options, e.g. `batch-size = 8`; what is given here counts more."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of weights, split, order, crops, dropout.  [default: 0]")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads to use.  [default: all cores]")] = None,
    run: Annotated[
        Path | None,
        typer.Option("--run", "--out", help="The run's folder.  [default: runs/MODEL-DATA-DATE-TIME]"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the run in --run, once the new one is saved.")
    ] = False,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the run in this folder, exactly where it stopped.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A few small steps: does everything work?")] = False,
) -> None:
    """Train a network; writes checkpoints, metrics, curves and a sheet of held-out images.

    Training stops at the first of --epochs, --steps and --minutes.
    """
    from tinyconv.commands.train import make_config, open_data, run_session
    from tinyconv.train.folder import RunFolder
    from tinyconv.train.options_file import read_options
    from tinyconv.train.recipes import ALIASES, SYNTHETIC

    given = {
        "stain": stain,
        "epochs": epochs,
        "steps": steps,
        "minutes": minutes,
        "batch_size": batch_size,
        "lr": lr,
        "size": size,
        "images": images,
        "held_out": held_out,
        "validate_every": validate_every,
        "shift": shift,
        "balanced": balanced or None,
        "on_bad_image": on_bad_image,
        "accumulate": accumulate,
        "clip_norm": clip_norm,
        "ema": ema,
        "patience": patience,
        "on_not_finite": on_not_finite,
        "seed": seed,
    }
    if threads is not None:
        from tinyconv.device import set_num_threads

        set_num_threads(threads)
    if resume is None:
        if config is not None:
            given |= {name: v for name, v in read_options(config, given).items() if given[name] is None}
        options = make_config(model, data or SYNTHETIC, data_dir, quick, given)
        data_sets = open_data(options)  # before the folder is made
        run_session(RunFolder.create(run, options, overwrite), data_sets, resume=False)
        return
    others = {**given, "config": config, "data": data, "data_dir": data_dir, "run": run}
    for name, value in {**others, "overwrite": overwrite or None, "quick": quick or None}.items():
        if value is not None:
            option = "--" + name.replace("_", "-")
            expected = "at most --threads there: a run keeps its options"
            raise ArgumentError("train", option, f"{value}, next to --resume", expected)
    folder = RunFolder.open(resume)
    if ALIASES.get(model, model) != folder.config.model:
        raise ArgumentError("train", "MODEL", repr(model), f"{folder.config.model}, which {str(resume)!r} is")
    run_session(folder, open_data(folder.config), resume=True)


@app.command(
    epilog="Examples:\n\n    tinyconv predict runs/first cells.png"
    "\n\n    tinyconv predict runs/first scans/*.tif --out masks"
    "\n\n    tinyconv predict runs/mnist digit.png"
    "\n\nExit status 2 if any image could not be used; the others are done."
)
def predict(
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
    images: Annotated[list[Path], typer.Argument(help="Images of any size, grey or colour.")],
    out: Annotated[Path | None, typer.Option(help="Where to.  [default: RUN/predictions]")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads to use.  [default: all cores]")] = None,
) -> None:
    """Use a trained network on images.

    A segmentation writes NAME_mask.png and NAME_overlay.png for each, a classifier answers.csv.
    """
    from tinyconv import models
    from tinyconv.commands.predict import classify, segment
    from tinyconv.device import set_num_threads
    from tinyconv.train.class_config import ClassConfig
    from tinyconv.train.folder import RunFolder
    from tinyconv.train.predict import load_model

    if threads is not None:
        set_num_threads(threads)
    model = load_model(run, models.create)
    config = RunFolder.open(run).config if (run / "config.json").exists() else None
    use = classify if isinstance(config, ClassConfig) else segment
    failed = use(model, config, images, out or run / "predictions")
    if failed:
        typer.echo(f"error: {failed} of {len(images)} images could not be used", err=True)
        raise typer.Exit(BAD_INPUT)


app.command(
    name="eval",
    epilog="Examples:\n\n    tinyconv eval runs/first\n\n    tinyconv eval runs/mnist --part held-out",
)(evaluate)


@app.command(name="models")
def list_models() -> None:
    """List the networks and an input of each; `tinyconv summary` tells more of one."""
    from tinyconv import models

    for name in models.list():
        typer.echo(f"{name:16} {' x '.join(map(str, models.input_size(name)))}")


@app.command(
    epilog="Examples:\n\n    tinyconv summary unet\n\n    tinyconv summary unet_slides --input 3 128 128"
    "\n\nA volume has four sizes: --input C D H W."
)
def summary(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="One of `tinyconv models`.")],
    width: Annotated[int | None, typer.Argument(metavar="[W]", hidden=True)] = None,
    input_size: Annotated[
        tuple[int, int, int] | None,
        typer.Option("--input", metavar="C H W", help="Channels, height and width of an image."),
    ] = None,
) -> None:
    """Show a network layer by layer: sizes, parameters, multiply-adds, memory, receptive field."""
    from tinyconv import models, nn

    if width is not None and input_size is None:
        raise ArgumentError("summary", "W", width, "--input C D H W before it")
    last = () if width is None else (width,)
    size = models.input_size(model) if input_size is None else (*input_size, *last)
    typer.echo(str(nn.summary(models.create(model), size)))


@app.command(
    epilog="Examples:\n\n    tinyconv export runs/first --onnx cells.onnx"
    "\n\n    tinyconv export unet_slides --onnx untrained.onnx --input 3 128 128"
)
def export(
    model: Annotated[
        str, typer.Argument(metavar="MODEL_OR_RUN", help="The folder of a run, or one of `tinyconv models`.")
    ],
    onnx: Annotated[Path, typer.Option(help="The file to write.")],
    input_size: Annotated[
        tuple[int, int, int],
        typer.Option("--input", metavar="C H W", help="Channels, height and width of an example."),
    ] = (3, 64, 64),
) -> None:
    """Write a network as an ONNX file, which other programs can run on images of other sizes too."""
    from tinyconv import io, models, ops
    from tinyconv.train.predict import load_model

    folder = Path(model)
    network = load_model(folder, models.create) if folder.is_dir() else models.create(model)
    axes = {"images": {0: "batch", 2: "height", 3: "width"}}
    example = ops.zeros(1, *input_size)
    io.onnx.export(network, example, onnx, input_names=["images"], dynamic_axes=axes)
    typer.echo(f"wrote {onnx}: input images (batch, {input_size[0]}, height, width)")


@app.command(epilog="Examples:\n\n    tinyconv learn\n\n    tinyconv learn 04")
def learn(
    number: Annotated[str | None, typer.Argument(metavar="[NN]", help="The lesson to run.")] = None,
) -> None:
    """List the lessons, or run one."""
    from tinyconv import course

    if number is None:
        course.print_lessons()
    else:
        course.run_lesson(number)


@app.command(epilog="Examples:\n\n    tinyconv bench\n\n    tinyconv bench --threads 1 --figure ratios.png")
def bench(
    against: Annotated[
        str | None,
        typer.Option(help="pytorch, or reference: tinyconv's own plain NumPy.  [default: PyTorch if there]"),
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads of each side.  [default: all cores]")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each side in each case.")] = 5,
    figure: Annotated[Path | None, typer.Option(help="Draw the ratios: .png, .pdf or .svg.")] = None,
) -> None:
    """Race the fast kernels: a few layers and training steps, in about half a minute.

    Each side runs in a process of its own; they take turns, and their results are compared.
    The first run on a machine compiles the kernels, which takes a minute longer. Exit status 1
    if results disagree.
    """
    from tinyconv.benchmark.race import Settings
    from tinyconv.benchmark.short import print_short_race
    from tinyconv.device import get_num_threads, set_num_threads

    if threads is not None:
        set_num_threads(threads)
    settings = Settings(threads=get_num_threads(), rounds=rounds, turn_seconds=0.15)
    if not print_short_race(against, settings, figure):
        raise typer.Exit(1)


def main() -> None:
    """Run the `tinyconv` command.

    A character that the terminal or the file behind ``>`` cannot hold becomes a question mark.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(STOPPED + signal.SIGINT)
