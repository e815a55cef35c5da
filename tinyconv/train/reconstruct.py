"""How well images are given back: errors of each, the worst, figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyconv import viz
from tinyconv.data import read_image, write_png
from tinyconv.data.classification import ClassificationData
from tinyconv.errors import DataError, TinyconvError
from tinyconv.generator import Generator
from tinyconv.grad_mode import no_grad
from tinyconv.io import storage_error
from tinyconv.metrics import psnr, ssim
from tinyconv.nn import Module
from tinyconv.ops.creation import tensor
from tinyconv.tensor import Tensor
from tinyconv.train.placing import batches_for, device_of_model

Array = Any

BATCH = 100
COLUMNS = 10
"""Of a figure."""
SSIM_LEAST = 11
"""Pixels of the window of the structural similarity."""


@dataclass(frozen=True)
class Errors:
    """How far what a network gave back is from the images.

    Attributes
    ----------
    squared, psnr, ssim : float64 array (N,)
        Mean squared error, peak signal-to-noise ratio in decibels and structural similarity of each image;
        the last is NaN for images that are smaller than its window.
    parts : dict of str to float
        The parts of the loss, as in training: their sum is the loss.
    """

    squared: Array
    psnr: Array
    ssim: Array
    parts: dict[str, float]

    @property
    def loss(self) -> float:
        """The loss of all images."""
        return sum(self.parts.values())

    def worst(self, most: int) -> list[int]:
        """The places of the images with the largest errors, the worst first."""
        return np.argsort(-self.squared, kind="stable")[:most].tolist()


def reconstruct(model: Module, method: Any, given: Array) -> Array:
    """The images (N, C, H, W) that a network in evaluation mode makes of the given ones."""
    return _given_back(model, method, tensor(given).to(device_of_model(model)))


def _given_back(model: Module, method: Any, given: Tensor) -> Array:
    with no_grad():
        return method.images(model(given)).cpu().array


def score(
    model: Module, method: Any, data: Any, seed: int, stopping: Callable[[], bool] = lambda: False
) -> Errors:
    """Give every image of `data` back; ends early if `stopping` says so.

    Parameters
    ----------
    model : Module
        In evaluation mode.
    method : Reconstruction
        The network's, of `models.generation`.
    data : Pairs
    seed : int
        Of the noise in the loss, which is the same each time.
    """
    source = Generator().manual_seed(seed)
    squared, peak, similar = [], [], []
    parts: dict[str, float] = {}
    for given, clean in batches_for(model, data, BATCH):
        if stopping():
            break
        found, wanted = _given_back(model, method, given), clean.cpu().array
        with no_grad():
            drawn = method.drawn(model, given, source)
            for name, part in method.parts(drawn, clean).items():
                parts[name] = parts.get(name, 0.0) + part.item() * len(clean)
        squared.append(((found.astype(np.float64) - wanted) ** 2).mean(axis=(1, 2, 3)))
        peak += [psnr(one, other, data_range=1) for one, other in zip(found, wanted, strict=True)]
        similar.append(_similarity(found, wanted))
    count = max(1, sum(map(len, squared)))
    return Errors(
        np.concatenate([np.zeros(0), *squared]),
        np.array(peak),
        np.concatenate([np.zeros(0), *similar]),
        {name: value / count for name, value in parts.items()},
    )


def _similarity(found: Array, wanted: Array) -> Array:
    """The structural similarity of each image; NaN where its window is larger than they are."""
    if min(found.shape[2:]) < SSIM_LEAST:
        return np.full(len(found), np.nan)
    return ssim(found, wanted, data_range=1).mean(axis=1)


def table(errors: Errors) -> list[str]:
    """Lines of text: means over the images, and the worst of them."""
    lines = [f"images               {len(errors.squared):,}", f"loss                 {errors.loss:.4f}"]
    if len(errors.parts) > 1:
        lines += [f"  {name:18} {value:.4f}" for name, value in errors.parts.items()]
    lines += ["", "                         mean     worst"]
    rows = (
        ("mean squared error", errors.squared, np.max),
        ("PSNR (dB)", errors.psnr, np.min),
        ("SSIM", errors.ssim, np.min),
    )
    for title, values, extreme in rows:
        if np.isnan(values).any():
            lines.append(
                f"{title:20} {'-':>8}  {'-':>8}  (images of {SSIM_LEAST} pixels a side or more have one)"
            )
        else:
            lines.append(f"{title:20} {values.mean():8.4f}  {extreme(values):8.4f}")
    return lines


def draw(model: Module, method: Any, data: Any, places: list[int], path: Path, more: Array = None) -> None:
    """A column for each of some images: what the network was given, what it gives back, and the truth.

    The truth is a row of its own where the network was given noisy images; `more` are new images,
    another row.
    """
    pairs = [data[place] for place in places]
    given, clean = (np.stack(images) for images in zip(*pairs, strict=True))
    rows = {"image": clean}
    if data.noise:
        rows["with noise"] = given
    rows["given back"] = reconstruct(model, method, given)
    if more is not None:
        rows["new"] = more
    viz.sample_grid(np.concatenate(list(rows.values())), len(places), rows=list(rows), path=path)


@dataclass(frozen=True)
class Written:
    """What became of one image: the file with what was given back, and its PSNR, or an error."""

    image: Path
    file: Path | None = None
    psnr: float = float("nan")
    error: TinyconvError | None = None


def reconstruct_files(
    model: Module, method: Any, shape: list[int], images: Iterable[Path], out: Path
) -> Iterator[Written]:
    """Write ``<name>_given_back.png`` for each image, resized to `shape` as in training.

    An image that cannot be read, or whose name another one had, gives a Written with an error.
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
            ready, _ = ClassificationData([(read_image(path), 0)], shape)[0]
            found = reconstruct(model, method, ready[None])[0]
            file = out / f"{path.stem}_given_back.png"
            write_png(file, found)
            yield Written(path, file, psnr(found, ready, data_range=1))
        except DataError as error:
            yield Written(path, error=error)
