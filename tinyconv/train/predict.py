"""Masks for images, by the model of a finished run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyconv import viz
from tinyconv.data import normalize, read_image, read_nifti, write_nifti, write_png
from tinyconv.data.datasets.volume_folder import SUFFIXES, stem
from tinyconv.device import get_default_device
from tinyconv.errors import CheckpointError, DataError, TinyconvError
from tinyconv.io import not_finite, storage_error
from tinyconv.nn import Module
from tinyconv.train.checkpoint import load_checkpoint
from tinyconv.train.folder import BEST, LAST, RunFolder
from tinyconv.train.mask_config import Config
from tinyconv.train.network import CreateModel, create_network
from tinyconv.train.segmenter import Segmenter


@dataclass(frozen=True)
class Prediction:
    """What became of one image: the files written and the share of it that each label has, or an error."""

    image: Path
    files: tuple[Path, ...] = ()
    shares: tuple[float, ...] = ()
    error: TinyconvError | None = None


def load_model(run: Path, create_model: CreateModel) -> Module:
    """The model of a run, with its best weights, or its last if no validation was made yet.

    Raises
    ------
    CheckpointError
        If `run` is no run's folder, its checkpoint is damaged or belongs to another model, or its
        weights are not finite.
    """
    if not os.path.isdir(run):
        raise CheckpointError("predict", "RUN", repr(str(run)), "the folder of a run")
    name = BEST if (run / f"{BEST}.json").exists() else LAST
    checkpoint = load_checkpoint(run, name)
    state = checkpoint.model_state
    model = create_network(create_model, str(run), checkpoint.model_name, checkpoint.model_options, state)
    model.load_state_dict(state)
    bad = not_finite(state)
    if bad:
        found = f"NaN or infinite in {', '.join(bad[:3])}"
        raise CheckpointError("predict", f"the weights of {str(run)!r}", found, "finite numbers")
    return model.to(get_default_device()).eval()


def load_segmenter(runs: Sequence[Path], create_model: CreateModel, views: bool = False) -> Segmenter:
    """The networks of one run, or of several as an ensemble; they must give the same masks.

    Raises
    ------
    CheckpointError
        As `load_model`; or if the runs do not fit together, or one trained a classifier.
    """
    configs = [RunFolder.open(run).config for run in runs]
    first = configs[0]
    for run, config in zip(runs, configs, strict=True):
        if not isinstance(config, Config):
            found = f"{str(run)!r}, which names images"
            raise CheckpointError("predict", "RUN", found, "a run that segments, as the others")
        for name in ("names", "exclusive", "dims", "volumes", "channels"):
            if getattr(config, name) != getattr(first, name):
                found = f"{getattr(config, name)} in {str(run)!r}"
                expected = f"{getattr(first, name)}, as in {str(runs[0])!r}"
                raise CheckpointError("predict", name, found, expected)
    models = [load_model(run, create_model) for run in runs]
    return Segmenter(models, first.exclusive, first.dims, first.channels, views)


def predict_files(segmenter: Segmenter, images: Iterable[Path], out: Path) -> Iterator[Prediction]:
    """Write ``<name>_mask.png`` (of a volume ``.nii.gz``) and ``<name>_overlay.png`` into `out` for each.

    One mask is written black and white, several, or classes, as the numbers that `Segmenter.labels`
    gives. An image that cannot be read, or whose name another one had, gives a Prediction with an
    error; the others are done.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(out, error) from error
    taken: dict[str, Path] = {}
    for path in images:
        try:
            name = stem(path)
            if name in taken:
                found = f"named like {str(taken[name])!r}"
                raise DataError("predict", repr(str(path)), found, "another name, or another --out")
            taken[name] = path
            yield _predict_file(segmenter, path, out)
        except DataError as error:
            yield Prediction(path, error=error)


def _predict_file(segmenter: Segmenter, path: Path, out: Path) -> Prediction:
    volume = path.name.lower().endswith(SUFFIXES)
    image = read_nifti(path).values[None] if volume else read_image(path)
    if segmenter.dims == 3 and not volume:
        raise DataError("predict", repr(str(path)), "an image", "a NIfTI file, as the network takes volumes")
    probability = segmenter(normalize(image))
    labels = segmenter.labels(probability)
    shares = [float(np.mean(labels == number)) for number in range(1, labels_in(probability, segmenter) + 1)]
    mask, overlay = out / f"{stem(path)}_mask", out / f"{stem(path)}_overlay.png"
    if volume:
        mask = mask.with_name(f"{mask.name}.nii.gz")
        write_nifti(mask, labels, like=path)
        place = int(np.argmax((labels != 0).sum(axis=(1, 2))))
        image, labels = image[:, place], labels[place]
    else:
        mask = mask.with_name(f"{mask.name}.png")
        write_png(mask, labels != 0 if len(shares) == 1 else labels.astype(np.uint8))
    write_png(overlay, viz.overlay(image, labels).transpose(2, 0, 1))
    return Prediction(path, (mask, overlay), tuple(shares))


def labels_in(probability: np.ndarray, segmenter: Segmenter) -> int:
    """How many labels there can be but 0."""
    return len(probability) - segmenter.exclusive
