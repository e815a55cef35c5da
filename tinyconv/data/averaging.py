"""Several answers made one: test-time augmentation, and ensembles of networks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, ShapeError

Array = Any
Predict = Callable[[Array], Array]


def average_views(predict: Predict, rotations: bool = True, axes: Sequence[int] | None = None) -> Predict:
    """A function that predicts mirrored and turned copies, turns the answers back, and averages them.

    Test-time augmentation with the eight (four without `rotations`) symmetries of the square, or with
    copies mirrored along `axes`: the changes that a network was trained to answer alike.

    Parameters
    ----------
    predict : callable
        Takes images (N, C, H, W); returns maps (N, K, H, W), or scores (N, K) of whole images. Or
        volumes, (N, C, D, H, W).
    rotations : bool
        Whether to turn by 90 degrees too; images must then be allowed to swap H and W.
    axes : sequence of -1, -2 and -3, optional
        Only mirror, along each of these dimensions and all combinations of them.

    Returns
    -------
    callable
        Of the same kind; `predict_tiled` takes it.

    Examples
    --------
    >>> left_to_right = lambda x: np.cumsum(x, axis=-1)
    >>> average_views(left_to_right, rotations=False)(np.ones((1, 1, 1, 3))).tolist()
    [[[[2.0, 2.0, 2.0]]]]
    """
    if axes is not None:
        return _mirrored(predict, axes)
    turns = range(4) if rotations else (0, 2)

    def averaged(images: Array) -> Array:
        total: Any = 0.0
        for turn in turns:
            for mirrored in (False, True):
                view = np.rot90(images[..., ::-1] if mirrored else images, turn, (-2, -1))
                answer = np.asarray(predict(np.ascontiguousarray(view)))
                if answer.ndim > 2:
                    answer = np.rot90(answer, -turn, (-2, -1))
                    answer = answer[..., ::-1] if mirrored else answer
                total = total + answer
        return total / (2 * len(turns))

    return averaged


def _mirrored(predict: Predict, axes: Sequence[int]) -> Predict:
    """Predict all combinations of mirrored axes."""
    if not all(axis in (-3, -2, -1) for axis in axes):
        raise ArgumentError("average_views", "axes", tuple(axes), "-1 (W), -2 (H), -3 (D of a volume)")
    combinations = [
        chosen for count in range(len(axes) + 1) for chosen in itertools.combinations(axes, count)
    ]

    def averaged(images: Array) -> Array:
        total: Any = 0.0
        if images.ndim + min(axes, default=-1) < 2:
            raise ShapeError("average_views", "images", images.shape, f"images with the axes {tuple(axes)}")
        for chosen in combinations:
            answer = np.asarray(predict(np.ascontiguousarray(np.flip(images, chosen))))
            total = total + (np.flip(answer, chosen) if answer.ndim > 2 else answer)
        return total / len(combinations)

    return averaged


def average_models(predicts: Sequence[Predict], weights: Sequence[float] | None = None) -> Predict:
    """A function that averages the answers of several networks: an ensemble.

    Parameters
    ----------
    predicts : sequence of callables
        All answer in one shape; average probabilities rather than scores before the softmax.
    weights : sequence of float, optional
        One for each, not negative; all alike if not given.

    Raises
    ------
    ArgumentError
        For no network, or weights that do not fit.

    Examples
    --------
    >>> average_models([lambda x: x, lambda x: 3 * x])(np.array([1.0, 2.0])).tolist()
    [2.0, 4.0]
    """
    shares = np.ones(len(predicts)) if weights is None else np.asarray(weights, float)
    fits = shares.shape == (len(predicts),) and len(predicts) > 0
    if not fits or (shares < 0).any() or not shares.sum() > 0:
        raise ArgumentError("average_models", "weights", weights, f"{len(predicts)} numbers >= 0, one each")

    def averaged(images: Array) -> Array:
        answers = [np.asarray(predict(images)) for predict in predicts]
        for answer in answers[1:]:
            if answer.shape != answers[0].shape:
                raise ShapeError(
                    "average_models", "an answer", answer.shape, f"{answers[0].shape}, as the first"
                )
        return np.tensordot(shares / shares.sum(), np.stack(answers), axes=1).astype(answers[0].dtype)

    return averaged
