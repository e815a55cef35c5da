"""Asking networks for masks: tiles of any image or volume, slices, views, ensembles."""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm
from typing import Any

import numpy as np

from tinyconv.data import average_models, average_views, predict_tiled, with_channels
from tinyconv.device import to_device
from tinyconv.errors import ShapeError
from tinyconv.grad_mode import no_grad
from tinyconv.nn import Module
from tinyconv.ops import sigmoid, softmax
from tinyconv.tensor import Tensor
from tinyconv.train.placing import device_of_model

Array = Any

TILE, OVERLAP = 768, 64
"""Images up to this height and width are one tile; larger ones are cut, to bound the memory."""

TILE_3D, OVERLAP_3D = (64, 128, 128), (16, 32, 32)
"""The same of volumes."""

SLICES = 4
"""So many slices of a volume are asked about at a time."""


class Segmenter:
    """Networks that are asked together, and what they are asked.

    Parameters
    ----------
    models : Module, or a sequence of them
        Several are an ensemble: their probabilities are averaged.
    exclusive : bool
        Whether a pixel belongs to one class only: a softmax over the scores, else a sigmoid.
    dims : int
        2 or 3: whether the networks take images or volumes. Volumes are given to the former slice by slice.
    channels : int, optional
        That the networks take; by default what the first one says.
    views : bool
        Whether mirrored (images: turned, too) copies are asked about as well, see `average_views`.

    Examples
    --------
    >>> import tinyconv as tc
    >>> model = tc.nn.Conv2d(3, 1, 1)
    >>> Segmenter(model)(np.zeros((3, 5, 7), np.float32)).shape
    (1, 5, 7)
    """

    def __init__(
        self,
        models: Module | Sequence[Module],
        exclusive: bool = False,
        dims: int = 2,
        channels: int | None = None,
        views: bool = False,
    ) -> None:
        self.models = [models] if isinstance(models, Module) else list(models)
        self.exclusive, self.dims, self.views = exclusive, dims, views
        takes: Any = getattr(self.models[0], "in_channels", 1)
        self.channels = int(channels or takes)
        self.multiple = lcm(*(int(getattr(model, "multiple", 1)) for model in self.models))

    def __call__(self, image: Array) -> Array:
        """Probabilities (K, \\*sides) of a normalised image (C, H, W) or volume (C, D, H, W) of any size.

        Raises
        ------
        ShapeError
            For an image where the networks take volumes, or channels that they do not.
        """
        image = with_channels(image, self.channels)
        if image.ndim == 3 and self.dims == 3:
            raise ShapeError("Segmenter", "image", image.shape, "a volume (C, D, H, W), as the network takes")
        asked = [self._probabilities(model) for model in self.models]
        predict = average_models(asked) if len(asked) > 1 else asked[0]
        if self.dims == 3:
            tile = tuple(_up(n, self.multiple) for n in TILE_3D)
            predict = average_views(predict, axes=(-1,)) if self.views else predict
            return predict_tiled(predict, image, tile, OVERLAP_3D, self.multiple, batch_size=1)
        tile_2d = _up(TILE, self.multiple)
        if image.ndim == 3:
            predict = average_views(predict) if self.views else predict
            return predict_tiled(predict, image, tile_2d, OVERLAP, self.multiple, batch_size=1)
        predict = average_views(predict, axes=(-1,)) if self.views else predict
        flat = (1, tile_2d, tile_2d), (0, OVERLAP, OVERLAP), (1, self.multiple, self.multiple)
        return predict_tiled(lambda x: predict(x[:, :, 0])[:, :, None], image, *flat, batch_size=SLICES)

    def labels(self, probabilities: Array) -> Array:
        """Whole numbers (\\*sides): the likeliest class; or k + 1 for the last mask k that is there, or 0."""
        return labels_of(probabilities, self.exclusive)

    def _probabilities(self, model: Any) -> Any:
        gives_probabilities = getattr(model, "probability", None) is not None

        def predict(images: Array) -> Array:
            with no_grad():
                output = model(Tensor(to_device(np.ascontiguousarray(images), device_of_model(model))))
                if self.exclusive:
                    output = softmax(output, 1)
                elif not gives_probabilities:
                    output = sigmoid(output)
            return to_device(output.array, "cpu")

        model.eval()
        return predict


def labels_of(maps: Array, exclusive: bool) -> Array:
    """What a pixel is, from probabilities or from a true mask (K, \\*sides).

    Examples
    --------
    >>> labels_of(np.array([[0.9, 0.6, 0.2], [0.1, 0.7, 0.0]]), exclusive=False).tolist()
    [1, 2, 0]
    >>> labels_of(np.array([[0.9, 0.3, 0.2], [0.1, 0.7, 0.8]]), exclusive=True).tolist()
    [0, 1, 1]
    """
    if exclusive:
        return maps.argmax(axis=0) if len(maps) > 1 else np.rint(maps[0]).astype(np.int64)
    numbers = np.arange(1, len(maps) + 1).reshape(-1, *[1] * (maps.ndim - 1))
    return ((maps >= 0.5) * numbers).max(axis=0)


def _up(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple
