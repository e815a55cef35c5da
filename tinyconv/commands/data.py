"""`tinyconv data`: list the datasets and weights, get one, check a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyconv.errors import DataError, PackageError

BAD_INPUT = 2
SHOWN = 20
TRAIN = {
    "mnist": "lenet5 --data mnist",
    "fashion_mnist": "lenet5 --data fashion_mnist",
    "cifar10": "resnet20_cifar --data cifar10",
    "dsb2018": "unet --data nuclei",
    "digits": "lenet5 --data digits",
    "mni": "unet_bn --data mni --widths 16,32,64",
    "synthetic": "unet --data synthetic",
    "vessels": "unet --data vessels",
    "hearts": "unet_bn --data hearts --widths 16,32,64",
    "organs": "unet3d_bn --data organs --widths 16,32,64",
}

app = typer.Typer(
    no_args_is_help=True,
    help="List datasets and weights, download one, or check a folder of images or volumes.",
)

Root = Annotated[
    Path | None,
    typer.Option("--to", "--root", help="The folder of all data.  [default: $TINYCONV_DATA, else data]"),
]


@app.command(name="list")
def list_datasets(root: Root = None) -> None:
    """List the datasets: size, checksum, whether it is there, and what it is; then weights of networks."""
    from tinyconv.data.catalogue import CATALOGUE, data_root, is_there
    from tinyconv.data.download_bar import megabytes

    place = data_root(root)
    typer.echo(f"{'name':14} {'download':>9}  {'checksum':8} {'there':5}  what")
    for entry in CATALOGUE.values():
        size = megabytes(entry.size) if entry.size else "?" if entry.files else "-"
        sums = {file.checksum[0] if file.checksum else "none" for file in entry.files}
        there = "yes" if is_there(entry, place) else "no"
        typer.echo(f"{entry.name:14} {size:>9}  {'/'.join(sorted(sums)) or '-':8} {there:5}  {entry.title}")
    typer.echo(f"\nthere: in {place}; get one with  tinyconv data get NAME")
    typer.echo("checksum none: not verified; `get` shows the SHA-256 of what came, to be compared by you")
    _list_weights(root)


def _list_weights(root: Path | None) -> None:
    """One line for each file of published weights."""
    from tinyconv.models import published

    folder = published.folder(root)
    typer.echo(f"\n{'weights':14} {'trained on':13}  {'sha256':9} {'there':5}  file")
    for model, kinds in published.FILES.items():
        for kind in kinds:
            file = published.remote_file(model, kind)
            there = "yes" if (folder / file.name).is_file() else "no"
            typer.echo(f"{model:14} {kind:13}  {file.sha256_start}… {there:5}  {file.name}")
    typer.echo(f"\nthere: in {folder}; of the SHA-256 PyTorch publishes the first eight digits")


def _get_weights(model: str, root: Path | None) -> None:
    from tinyconv.models import published

    path = published.get(model, root=root)
    typer.echo(f"{model}: {published.names(model)[-1]} is in {path}")
    typer.echo(f"from {published.HOST}, see {published.HOME}; terms: {published.TERMS}")
    weights = published.DEFAULT if path == published.folder() / path.name else path
    typer.echo(f'next:  models.create("{model}", weights="{weights}")  in Python')


@app.command(
    epilog="Examples:\n\n    tinyconv data get mnist\n\n    tinyconv data get cifar10 --to ~/data"
    "\n\n    tinyconv data get vgg16"
)
def get(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name of `tinyconv data list`.")],
    root: Root = None,
) -> None:
    """Download a dataset or weights from their source; goes on where an earlier call was stopped."""
    from tinyconv.data import catalogue
    from tinyconv.models import published

    if name in published.FILES:
        _get_weights(name, root)
        return
    entry = catalogue.find(name, published.FILES)
    place = catalogue.data_root(root)
    if not catalogue.is_there(entry, place) and entry.package:
        raise PackageError("data", entry.package, "missing", entry.install)
    if not entry.files:
        typer.echo(f"{name}: nothing to download ({entry.title})")
    else:
        folder = catalogue.get(entry, place)
        typer.echo(f"{name} is in {folder}")
        typer.echo(f"from {entry.home}; terms: {entry.terms}")
    option = "" if place == catalogue.data_root() or not entry.files else f' --data-dir "{entry.path(place)}"'
    typer.echo(f"next:  tinyconv train {TRAIN[name]}{option}")


@app.command(
    epilog="Examples:\n\n    tinyconv data check data/mnist\n\n    tinyconv data check my_images"
    "\n\n    tinyconv data check mni"
    "\n\nExit status 2 if anything could not be used."
)
def check(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="A folder of images: one folder for each class, `images/` beside `masks/`, or as MNIST, "
            "CIFAR-10 or the 2018 Data Science Bowl have them; a folder of NIfTI volumes, with `images/` "
            "and `masks/` or without masks; or mni.",
        ),
    ],
) -> None:
    """Read every image or volume in a folder; say what is there and name each file that cannot be used."""
    from tinyconv.data.check import check as read_all

    report = read_all(path)
    for line in report.lines:
        typer.echo(line)
    for problem in report.problems[:SHOWN]:
        typer.echo(f"bad: {problem}", err=True)
    if len(report.problems) > SHOWN:
        typer.echo(f"bad: {len(report.problems) - SHOWN} more", err=True)
    if report.problems:
        expected = "files that can be read; tinyconv train --on-bad-image skip leaves them out"
        found = f"unusable in {len(report.problems):,} of {report.items:,} items"
        raise DataError("check", repr(str(path)), found, expected)
    typer.echo(f"all {report.items:,} items can be used")
