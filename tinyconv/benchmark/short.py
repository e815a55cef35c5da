"""The short race that `tinyconv bench` runs: under a minute, once the kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tinyconv.benchmark import gpu
from tinyconv.benchmark.case import TRAINING, Case, Layer, Network, tasks_of
from tinyconv.benchmark.engines import CONTENDERS, pytorch_is_installed
from tinyconv.benchmark.race import Row, Settings, race
from tinyconv.errors import ArgumentError

PYTORCH, REFERENCE = "pytorch", "reference"
PROCESSOR = "processor"
MEMBERS = {PYTORCH: ("pytorch nchw", "pytorch channels_last"), REFERENCE: (REFERENCE,)}

MEMBERS_ON_GPU = {
    PYTORCH: ("pytorch nchw float32 eager", "pytorch channels_last float32 eager"),
    PROCESSOR: (f"{gpu.PROCESSOR}tinyconv",),
}
OURS_ON_GPU = ("tinyconv float32 eager", "tinyconv float32 graphs")

LAYERS = (
    Layer(4, 16, 16, (128, 128)),
    Layer(4, 64, 64, (32, 32)),
    Layer(4, 64, 128, (32, 32), kernel=1, padding=0),
)
NETWORKS = (
    Network("mlp", 64, (784,)),
    Network("lenet5", 64, (1, 28, 28)),
    Network("unet_small", 1, (3, 128, 128)),
)


def jobs() -> list[tuple[Case, str]]:
    """Each layer forward and backward, each network's training step."""
    return [*tasks_of(LAYERS), *((network, TRAINING) for network in NETWORKS)]


def opponent(against: str | None, device: str = "cpu") -> str:
    """`against` if it is one of `MEMBERS`; without it PyTorch where installed, else the reference kernels.

    On a GPU one of `MEMBERS_ON_GPU`; without it PyTorch if it finds a GPU, else the processor.

    Raises
    ------
    ArgumentError
        If it is another, or PyTorch is asked for and not installed.
    """
    if device != "cpu":
        if against is None:
            return PYTORCH if gpu.pytorch_finds_a_gpu() else PROCESSOR
        if against not in MEMBERS_ON_GPU:
            expected = " or ".join(map(repr, MEMBERS_ON_GPU))
            raise ArgumentError("bench", "--against", repr(against), f"{expected}, with --device {device}")
        return against
    if against is None:
        return PYTORCH if pytorch_is_installed() else REFERENCE
    if against not in MEMBERS:
        raise ArgumentError("bench", "--against", repr(against), " or ".join(map(repr, MEMBERS)))
    if against == PYTORCH and not pytorch_is_installed():
        raise ArgumentError("bench", "--against", repr(against), "PyTorch to be installed: pip install torch")
    return against


def contenders_of(against: str, device: str = "cpu") -> dict[str, str]:
    """tinyconv and whom it is raced with, with the address of each."""
    if device == "cpu":
        return {name: CONTENDERS[name] for name in (*MEMBERS[against], "tinyconv")}
    return {name: gpu.CONTENDERS[name] for name in (*MEMBERS_ON_GPU[against], *OURS_ON_GPU)}


def short_race(
    against: str,
    settings: Settings,
    progress: Callable[[str], object],
    versions: dict[str, str],
    device: str = "cpu",
) -> list[Row]:
    """Race tinyconv against `against`, one of `MEMBERS`."""
    contenders = contenders_of(against, device)
    return list(race(jobs(), contenders, settings, progress, versions))


def print_short_race(
    against: str | None, settings: Settings, figure: Path | None, device: str = "cpu"
) -> bool:
    """Run the short race, print its table and draw `figure`; whether all results were right."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from tinyconv.benchmark.machine import describe, load, warning
    from tinyconv.benchmark.table import all_right, notes, table
    from tinyconv.viz.ratios import plot_ratios
    from tinyconv.viz.style import figure_path

    name = opponent(against, device)
    if figure is not None:
        figure_path(figure)  # before a minute is spent
    console = Console()
    busy = warning(load())
    bar = Progress(BarColumn(20), MofNCompleteColumn(), TextColumn("{task.description}"), console=console)
    with bar:
        task = bar.add_task("starting", total=len(jobs()))
        started, versions = iter(range(len(jobs()))), dict[str, str]()

        def show(label: str) -> None:
            bar.update(task, description=label, completed=next(started))

        rows = short_race(name, settings, show, versions, device)
        bar.update(task, description="done", completed=len(rows))
    theirs = {
        PYTORCH: "PyTorch, the faster of NCHW and channels_last",
        REFERENCE: "reference kernels",
        PROCESSOR: "tinyconv on the processor",
    }[name]
    console.print(table(rows, {"tinyconv": "tinyconv", theirs: name}, "tinyconv", name))
    others = {f"PyTorch {version}" for member, version in versions.items() if member.startswith(PYTORCH)}
    console.print("; ".join([describe(settings.threads), *others]), highlight=False)
    for note in [*notes(rows), *([busy] if busy else [])]:
        console.print(note, highlight=False, markup=False)
    if figure is not None:
        ratios = [row.ratio("tinyconv", name) for row in rows]
        plot_ratios([row.label for row in rows], {name: ratios}, path=figure)
        console.print(f"wrote {figure}", highlight=False, markup=False)
    return all_right(rows, ours="tinyconv" if device == "cpu" else OURS_ON_GPU[0])
