"""`tinyconv train`: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyconv.errors import ArgumentError


def train(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL]",
            help="unet (the slides'; unet2015 is the paper's), or one of `tinyconv models`.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="With masks: synthetic, vessels (made images, nothing to download), nuclei (2018 Data "
            "Science Bowl), hearts, organs (made volumes), mni (a brain, comes with nilearn), a folder of "
            "`images/NAME.*` and `masks/NAME.*` (images, or NIfTI volumes), or of `ID/images/*.png` and "
            "`ID/masks/*.png`. With labels: digits, mnist, fashion_mnist, cifar10, or a folder with a "
            "folder for each class.  [default: synthetic; digits to make images]"
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
        int | None,
        typer.Option(help="Times to see each image.  [default: 40; 24 for synthetic; no end with --minutes]"),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Stop after so many batches.")] = None,
    minutes: Annotated[
        float | None,
        typer.Option(help="Stop so long after the first step; the learning rate follows the clock."),
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images per step.  [default: 4]")] = None,
    lr: Annotated[
        float | None,
        typer.Option(
            help="Adam's highest learning rate.  [default: 0.002; those that make images: their own]"
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            help="Size of the training crops, e.g. a multiple of 16, or of the images that are made.  "
            "[default: 64 to 256, or that of the data]"
        ),
    ] = None,
    depth: Annotated[
        int | None, typer.Option(help="Slices of the crops of volumes.  [default: 16 or 32]")
    ] = None,
    patches: Annotated[
        int | None, typer.Option(help="Crops of each volume in an epoch.  [default: 4 to 32]")
    ] = None,
    classes: Annotated[
        int | None, typer.Option(help="Classes of the masks in a folder.  [default: as many as are there]")
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            help="bce+dice, bce, dice or focal; of classes ce+dice, ce, dice, generalised-dice or focal.  "
            "[default: the first]"
        ),
    ] = None,
    class_weights: Annotated[
        str | None,
        typer.Option(help="What each class counts in the loss: auto (rare ones more), or e.g. 1,2,5."),
    ] = None,
    border: Annotated[
        float | None,
        typer.Option(help="Weight of the background between cells that nearly touch, e.g. 10."),
    ] = None,
    widths: Annotated[
        str | None, typer.Option(help="Filters of each level of the network, e.g. 16,32,64.")
    ] = None,
    width: Annotated[
        int | None,
        typer.Option(help="Filters of the first level of fcn, enet or denseunet; see `tinyconv summary`."),
    ] = None,
    dims: Annotated[
        int | None, typer.Option(help="3: unet_bn or unet2015 for volumes, not for their slices.")
    ] = None,
    latent_dim: Annotated[
        int | None, typer.Option(help="Numbers of the code of a network that makes images.")
    ] = None,
    noise: Annotated[
        float | None,
        typer.Option(
            help="Noise in what an autoencoder gets, to give back clean images.  [default: 0; rednet: 0.1]"
        ),
    ] = None,
    images: Annotated[
        int | None, typer.Option(help="Number of images or volumes to make.  [default: 16 to 60]")
    ] = None,
    held_out: Annotated[
        float | None, typer.Option(help="Share of the images that is never trained on.  [default: 0.2]")
    ] = None,
    validate_every: Annotated[
        int | None, typer.Option(help="Epochs between validations.  [default: 2; 10 with --minutes alone]")
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
    tensorboard: Annotated[
        bool,
        typer.Option("--tensorboard", help="Write event files for TensorBoard too, in the run."),
    ] = False,
    find_lr: Annotated[
        Path | None,
        typer.Option(help="Do not train: let the learning rate rise, and draw the losses into this file."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="A TOML file of options, e.g. `batch-size = 8`; what is given here counts more."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of weights, split, order, crops, dropout.  [default: 0]")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda (a GPU) or cuda:1.  [default: cpu]")] = None,
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
    from tinyconv.commands.runs import find_rate, make_config, open_data, run_session, use_device
    from tinyconv.train.folder import RunFolder
    from tinyconv.train.options_file import read_options
    from tinyconv.train.recipes import ALIASES

    given = {
        "stain": stain,
        "epochs": epochs,
        "steps": steps,
        "minutes": minutes,
        "batch_size": batch_size,
        "lr": lr,
        "size": size,
        "images": images,
        "depth": depth,
        "patches": patches,
        "classes": classes,
        "loss": loss,
        "class_weights": class_weights,
        "border": border,
        "tensorboard": tensorboard or None,
        "widths": widths,
        "width": width,
        "dims": dims,
        "latent_dim": latent_dim,
        "noise": noise,
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
    use_device("train", device)
    if threads is not None:
        from tinyconv.device import set_num_threads

        set_num_threads(threads)
    if resume is None:
        if config is not None:
            given |= {name: v for name, v in read_options(config, given).items() if given[name] is None}
        options = make_config(model or "unet", data, data_dir, quick, given)
        data_sets = open_data(options)  # before the folder is made
        if find_lr is not None:
            find_rate(options, data_sets, find_lr)
            return
        run_session(RunFolder.create(run, options, overwrite), data_sets, resume=False)
        return
    others = {**given, "find_lr": find_lr, "config": config, "data": data, "data_dir": data_dir, "run": run}
    for name, value in {**others, "overwrite": overwrite or None, "quick": quick or None}.items():
        if value is not None:
            option = "--" + name.replace("_", "-")
            expected = "at most --threads and --device there: a run keeps its options"
            raise ArgumentError("train", option, f"{value}, next to --resume", expected)
    folder = RunFolder.open(resume)
    if model is not None and ALIASES.get(model, model) != folder.config.model:
        raise ArgumentError("train", "MODEL", repr(model), f"{folder.config.model}, which {str(resume)!r} is")
    run_session(folder, open_data(folder.config), resume=True)
