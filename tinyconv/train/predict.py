"""Masks for images, by the model of a finished run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyconv import viz
from tinyconv.data import normalize, read_image, with_channels, write_png
from tinyconv.errors import CheckpointError, DataError, TinyconvError
from tinyconv.io import not_finite, storage_error
from tinyconv.nn import Module
from tinyconv.train.checkpoint import load_checkpoint
from tinyconv.train.evaluate import predict_image
from tinyconv.train.folder import BEST, LAST

CreateModel = Callable[..., Module]


@dataclass(frozen=True)
class Prediction:
    """What became of one image: the files written and the share of it that is nucleus, or an error."""

    image: Path
    files: tuple[Path, ...] = ()
    share: float = 0.0
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
    model = create_model(checkpoint.model_name, **checkpoint.model_options)
    state = checkpoint.model_state
    model.load_state_dict(state)
    bad = not_finite(state)
    if bad:
        found = f"NaN or infinite in {', '.join(bad[:3])}"
        raise CheckpointError("predict", f"the weights of {str(run)!r}", found, "finite numbers")
    return model.eval()


def predict_files(model: Module, images: Iterable[Path], out: Path) -> Iterator[Prediction]:
    """Write ``<name>_mask.png`` and ``<name>_overlay.png`` into `out` for each image.

    An image that cannot be read, or whose name another one had, gives a Prediction with an
    error; the others are done.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(out, error) from error
    taken: dict[str, Path] = {}
    for path in images:
        try:
            if path.stem in taken:
                found = f"named like {str(taken[path.stem])!r}"
                raise DataError("predict", repr(str(path)), found, "another name, or another --out")
            taken[path.stem] = path
            yield _predict_file(model, path, out)
        except DataError as error:
            yield Prediction(path, error=error)


def _predict_file(model: Module, path: Path, out: Path) -> Prediction:
    image = read_image(path)
    ready = with_channels(normalize(image), getattr(model, "in_channels", image.shape[0]))
    found = predict_image(model, ready) >= 0.5
    mask, overlay = out / f"{path.stem}_mask.png", out / f"{path.stem}_overlay.png"
    write_png(mask, found)
    write_png(overlay, viz.overlay(image, found).transpose(2, 0, 1))
    return Prediction(path, (mask, overlay), float(np.mean(found)))
