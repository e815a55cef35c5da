"""How far two outlines are from each other: Hausdorff distance, its 95th percentile, the mean.

The surface of a mask are its pixels with a neighbour outside of it along one of the dimensions; what
is beyond the image's border is outside. Distances go from centre to centre of such pixels, in the
unit of `spacing`: a spacing in mm gives mm.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.errors import ShapeError
from tinyconv.metrics._checks import mask, same_shape
from tinyconv.metrics._checks import spacing as checked_spacing

Array = Any


def surface_distances(predicted: Array, target: Array, spacing: Any = 1.0) -> tuple[Array, Array]:
    """The distance of each surface pixel of one mask to the nearest one of the other.

    Parameters
    ----------
    predicted, target : arrays of 0 and 1, of one shape (H, W) or (D, H, W)
    spacing : number, or one per dimension

    Returns
    -------
    tuple of two arrays
        From the predicted surface to the true one, and back. If one mask is empty, all distances
        from the other are infinite.

    Raises
    ------
    ShapeError
        If the shapes differ or have no dimension.
    ArgumentError
        If other numbers than 0 and 1 are in a mask, or the spacing is not positive.

    Examples
    --------
    >>> there, back = surface_distances([[1, 0, 0, 0]], [[0, 0, 1, 1]], spacing=0.5)
    >>> there.tolist(), back.tolist()
    ([1.0], [1.0, 1.5])
    """
    predicted = mask("surface_distances", "predicted", predicted)
    target = mask("surface_distances", "target", target)
    same_shape("surface_distances", predicted, "target", target)
    if predicted.ndim == 0:
        raise ShapeError("surface_distances", "predicted", "of shape ()", "at least one dimension")
    steps = checked_spacing("surface_distances", spacing, predicted.ndim)
    first, second = _surface(predicted), _surface(target)
    return _distances(first, second, steps), _distances(second, first, steps)


def hausdorff(predicted: Array, target: Array, spacing: Any = 1.0) -> float:
    """The largest distance that a surface pixel of one mask has to the surface of the other.

    max(max_p d(p, T), max_t d(t, P)) over the surfaces P and T (Huttenlocher, Klanderman and
    Rucklidge 1993); NaN if both masks are empty, infinite if one is.

    Parameters
    ----------
    predicted, target, spacing
        See `surface_distances`.

    Examples
    --------
    >>> hausdorff([[1, 0, 0, 0]], [[0, 0, 1, 1]])
    3.0
    """
    return _larger(*surface_distances(predicted, target, spacing), 100)


def hausdorff_95(predicted: Array, target: Array, spacing: Any = 1.0) -> float:
    """The 95th percentile in the place of the largest distance, so that one stray pixel does not decide.

    The larger of the 95th percentiles of the two directions (Maier-Hein et al. 2024, "Metrics
    reloaded"), in between two distances as `numpy.percentile` interpolates; some programs take
    the percentile of both directions together, which is smaller or equal. NaN if both masks are
    empty, infinite if one is.

    Parameters
    ----------
    predicted, target, spacing
        See `surface_distances`.
    """
    return _larger(*surface_distances(predicted, target, spacing), 95)


def mean_surface_distance(predicted: Array, target: Array, spacing: Any = 1.0) -> float:
    """The mean distance of the surfaces, the pixels of both together: symmetric (ASSD).

    (Σ_p d(p, T) + Σ_t d(t, P)) / (|P| + |T|) over the surfaces P and T (Heimann et al. 2009). NaN
    if both masks are empty, infinite if one is.

    Parameters
    ----------
    predicted, target, spacing
        See `surface_distances`.

    Examples
    --------
    >>> mean_surface_distance([[1, 0, 0, 0]], [[0, 0, 1, 1]])
    2.3333333333333335
    """
    distances = np.concatenate(surface_distances(predicted, target, spacing))
    return float(distances.mean()) if distances.size else float("nan")


def _surface(array: Array) -> Array:
    """The pixels of a mask that touch what is outside of it."""
    from scipy.ndimage import binary_erosion

    return array & ~binary_erosion(array)


def _distances(start: Array, goal: Array, steps: tuple[float, ...]) -> Array:
    from scipy.ndimage import distance_transform_edt

    if not goal.any():
        return np.full(np.count_nonzero(start), np.inf)
    return distance_transform_edt(~goal, sampling=steps)[start]


def _larger(there: Array, back: Array, percent: float) -> float:
    """The larger of the two directions' percentiles."""
    if there.size == 0 or back.size == 0:
        return float("inf") if there.size or back.size else float("nan")
    return float(max(np.percentile(there, percent), np.percentile(back, percent)))
