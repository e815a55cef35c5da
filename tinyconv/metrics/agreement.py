"""Do two ways of measuring agree: Bland and Altman's limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyconv.errors import ShapeError
from tinyconv.metrics._checks import finite, same_shape

Array = Any

NORMAL_95 = 1.959963984540054
"""95 % of a normal distribution lie within so many standard deviations of its mean."""


@dataclass(frozen=True)
class BlandAltman:
    """The agreement of two ways of measuring the same things.

    Attributes
    ----------
    bias : float
        The mean of the differences, measured − reference.
    standard_deviation : float
        Of the differences, with N − 1 below the line.
    lower, upper : float
        The 95 % limits of agreement, bias ± 1.96 standard deviations.
    means, differences : array (N,)
        The points of the plot.
    """

    bias: float
    standard_deviation: float
    lower: float
    upper: float
    means: Array
    differences: Array


def bland_altman(measured: Array, reference: Array) -> BlandAltman:
    """Compare two ways of measuring, e.g. volumes by a network and by a physician.

    As Bland and Altman (1986): for each item the difference of the two measurements over their
    mean; the mean of the differences is the bias, and 95 % of them are expected between the limits.

    Parameters
    ----------
    measured, reference : array (N,), N at least 2

    Raises
    ------
    ShapeError
        If the lengths differ or are below 2.
    ArgumentError
        If a number is not finite.

    Examples
    --------
    >>> agreement = bland_altman([11.0, 21.0, 34.0], [10.0, 20.0, 30.0])
    >>> agreement.bias, round(agreement.standard_deviation, 3)
    (2.0, 1.732)
    """
    measured = finite("bland_altman", "measured", measured)
    reference = finite("bland_altman", "reference", reference)
    if measured.ndim != 1 or measured.size < 2:
        raise ShapeError("bland_altman", "measured", f"of shape {measured.shape}", "(N,), N at least 2")
    same_shape("bland_altman", measured, "reference", reference)
    differences = measured - reference
    bias, deviation = float(differences.mean()), float(differences.std(ddof=1))
    reach = NORMAL_95 * deviation
    return BlandAltman(bias, deviation, bias - reach, bias + reach, (measured + reference) / 2, differences)
