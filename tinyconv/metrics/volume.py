"""Volumes of masks, and what the heart's say."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.metrics._checks import finite, mask, same_shape
from tinyconv.metrics._checks import spacing as checked_spacing

Array = Any


def volume(mask_array: Array, spacing: Any = 1.0) -> float:
    """The number of voxels of a mask times the volume of one; in mm³ if the spacing is in mm.

    Parameters
    ----------
    mask_array : array of 0 and 1, (D, H, W); or (H, W) for an area
    spacing : number, or one per dimension
        The distance of neighbouring voxels.

    Raises
    ------
    ArgumentError
        If other numbers than 0 and 1 are in the mask, or the spacing is not positive.

    Examples
    --------
    >>> volume(np.ones((2, 10, 10)), spacing=(5.0, 0.5, 0.5))
    250.0
    """
    array = mask("volume", "mask_array", mask_array)
    if array.ndim == 0:
        raise ShapeError("volume", "mask_array", "of shape ()", "at least one dimension")
    return float(np.count_nonzero(array) * prod(checked_spacing("volume", spacing, array.ndim)))


def ejection_fraction(end_diastolic: Any, end_systolic: Any) -> Any:
    """The share of the filled ventricle's volume that a beat pumps out, in percent.

    EF = 100 (EDV − ESV) / EDV, of the volumes at the end of filling and at the end of the
    contraction. Negative if the second is the larger one, which no heart does: look at the masks.

    Parameters
    ----------
    end_diastolic, end_systolic : number or array
        In the same unit; EDV > 0, ESV ≥ 0.

    Returns
    -------
    float, or array of the same shape

    Examples
    --------
    >>> ejection_fraction(120.0, 48.0)
    60.0
    """
    full = finite("ejection_fraction", "end_diastolic", end_diastolic)
    emptied = finite("ejection_fraction", "end_systolic", end_systolic)
    same_shape("ejection_fraction", full, "end_systolic", emptied)
    if (full <= 0).any():
        raise ArgumentError("ejection_fraction", "end_diastolic", end_diastolic, "volumes above 0")
    if (emptied < 0).any():
        raise ArgumentError("ejection_fraction", "end_systolic", end_systolic, "volumes from 0")
    fraction = 100 * (full - emptied) / full
    return float(fraction) if fraction.ndim == 0 else fraction
