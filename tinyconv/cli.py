"""The `tinyconv` command. It reads arguments and prints; the work is done in the rooms below."""

from __future__ import annotations

import signal
import sys
import warnings
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tinyconv.commands import exercises as exercise_commands
from tinyconv.commands.data import app as data_commands
from tinyconv.commands.evaluate import evaluate
from tinyconv.commands.export import export
from tinyconv.commands.predict import predict
from tinyconv.commands.train import train
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


app.command(
    epilog="Examples:\n\n    tinyconv train unet --data synthetic --run runs/first"
    "\n\n    tinyconv train unet --data nuclei --data-dir ~/dsb2018 --minutes 15"
    "\n\n    tinyconv train unet_bn --data my_folder --epochs 20 --batch-size 2"
    "\n\n    tinyconv train unet3d_bn --data mni --widths 16,32,64"
    "\n\n    tinyconv train lenet5 --data mnist"
    "\n\n    tinyconv train vae --data mnist --latent-dim 2"
    "\n\n    tinyconv train acgan --data cifar10 --minutes 30"
    "\n\n    tinyconv train --resume runs/first"
    "\n\nCtrl-C (or SIGTERM) finishes the step, saves, says how to resume, and ends with status 130 (143)."
)(train)
app.command(
    epilog="Examples:\n\n    tinyconv predict runs/first cells.png"
    "\n\n    tinyconv predict runs/first scans/*.tif --out masks"
    "\n\n    tinyconv predict runs/first runs/second brain.nii.gz --tta"
    "\n\n    tinyconv predict runs/mnist digit.png"
    "\n\n    tinyconv predict runs/classes --class cat --count 8"
    "\n\nExit status 2 if any image could not be used; the others are done."
)(predict)
app.command(
    name="eval",
    epilog="Examples:\n\n    tinyconv eval runs/first\n\n    tinyconv eval runs/mnist --part held-out"
    "\n\n    tinyconv eval runs/first runs/second --tta",
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
    from tinyconv.models.registry import check_name

    if width is not None and input_size is None:
        raise ArgumentError("summary", "W", width, "--input C D H W before it")
    check_name("summary", model)
    last = () if width is None else (width,)
    size = models.input_size(model) if input_size is None else (*input_size, *last)
    typer.echo(str(nn.summary(models.create(model), size)))


app.command(
    epilog="Examples:\n\n    tinyconv export runs/first --onnx cells.onnx"
    "\n\n    tinyconv export unet_slides --onnx untrained.onnx --input 3 128 128"
    "\n\nA volume has four sizes: --input C D H W."
)(export)


@app.command(epilog="Examples:\n\n    tinyconv learn\n\n    tinyconv learn 04")
def learn(
    number: Annotated[str | None, typer.Argument(metavar="[NN]", help="The lesson to run.")] = None,
    notebook: Annotated[
        bool, typer.Option("--notebook", help="Write it as a Jupyter notebook instead.")
    ] = False,
) -> None:
    """List the lessons, or run one, or write it as a notebook into this folder."""
    from tinyconv import course

    if number is None and notebook:
        raise ArgumentError("learn", "NN", None, "the number of the lesson that becomes a notebook")
    if number is None:
        course.print_lessons()
    elif notebook:
        typer.echo(f"notebook: {course.write_notebook(number)}")
    else:
        course.run_lesson(number)


exercise_commands.register(app)


@app.command(epilog="Examples:\n\n    tinyconv bench\n\n    tinyconv bench --threads 1 --figure ratios.png")
def bench(
    against: Annotated[
        str | None,
        typer.Option(
            help="pytorch, or reference: tinyconv's own plain NumPy; with --device cuda pytorch, or "
            "processor: tinyconv's fast kernels there.  [default: PyTorch if there]"
        ),
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, or cuda: race on a GPU.  [default: cpu]")] = None,
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
    from tinyconv.commands.runs import use_device
    from tinyconv.device import get_default_device, get_num_threads, set_num_threads

    use_device("bench", device)
    if threads is not None:
        set_num_threads(threads)
    settings = Settings(threads=get_num_threads(), rounds=rounds, turn_seconds=0.15)
    if not print_short_race(against, settings, figure, get_default_device()):
        raise typer.Exit(1)


def _one_line(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    return f"warning: {' '.join(str(message).split())}\n"


def main() -> None:
    """Run the `tinyconv` command.

    A character that the terminal or the file behind ``>`` cannot hold becomes a question mark. A warning
    is one line, without the place in the code that gave it.
    """
    warnings.formatwarning = _one_line
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(STOPPED + signal.SIGINT)
