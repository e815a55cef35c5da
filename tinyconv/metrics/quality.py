"""How much one image looks like another: peak signal-to-noise ratio and structural similarity."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.metrics._checks import finite, not_empty, same_shape, whole

Array = Any

SIGMA, REACH = 1.5, 5
"""Of SSIM's Gaussian window: 11 pixels wide, as in the paper."""
K1, K2 = 0.01, 0.03


def psnr(image: Array, reference: Array, data_range: float) -> float:
    """Peak signal-to-noise ratio in decibels, over all pixels together.

    PSNR = 10 log10(data_range² / MSE); infinite for equal images.

    Parameters
    ----------
    image, reference : arrays of one shape
    data_range : float
        The difference of the largest and the smallest value that a pixel can have: 1, 255, …

    Raises
    ------
    ArgumentError
        If a pixel is not finite, or the range is not positive.

    Examples
    --------
    >>> psnr([[0.0, 0.1]], [[0.1, 0.0]], data_range=1)
    20.0
    """
    image, reference = _pair("psnr", image, reference, data_range)
    error = float(np.mean((image - reference) ** 2))
    return 10 * float(np.log10(data_range**2 / error)) if error else float("inf")


def ssim(image: Array, reference: Array, data_range: float, dimensions: int = 2) -> Array:
    """Structural similarity: do brightness, contrast and pattern agree, window by window?

    As Wang, Bovik, Sheikh and Simoncelli (2004): means μ, variances σ² and covariance σ_xy of the
    two images within a Gaussian window (11 pixels wide, standard deviation 1.5, the weights adding
    up to 1) give, with C1 = (0.01 range)² and C2 = (0.03 range)²,
    (2 μ_x μ_y + C1)(2 σ_xy + C2) / ((μ_x² + μ_y² + C1)(σ_x² + σ_y² + C2)),
    and the result is the mean of it over all windows that lie in the image. 1 for equal images.

    Parameters
    ----------
    image, reference : arrays of one shape (..., H, W), or (..., D, H, W)
        H and W at least 11. Dimensions before these are images and channels, each for itself.
    data_range : float
        See `psnr`.
    dimensions : int
        Of an image: 2 or 3.

    Returns
    -------
    float, or array of the dimensions before the image's

    Examples
    --------
    >>> image = np.arange(256.0).reshape(16, 16)
    >>> ssim(image, image, data_range=255)
    1.0
    """
    image, reference = _pair("ssim", image, reference, data_range)
    dimensions = whole("ssim", "dimensions", dimensions, 2, 3)
    if image.ndim < dimensions or min(image.shape[-dimensions:]) < 2 * REACH + 1:
        expected = f"at least {2 * REACH + 1} pixels along each of the last {dimensions} dimensions"
        raise ShapeError("ssim", "image", f"of shape {image.shape}", expected)
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    x, y = _windows(image, dimensions), _windows(reference, dimensions)
    x_variance = _windows(image * image, dimensions) - x * x
    y_variance = _windows(reference * reference, dimensions) - y * y
    covariance = _windows(image * reference, dimensions) - x * y
    brightness = (2 * x * y + c1) / (x * x + y * y + c1)
    pattern = (2 * covariance + c2) / (x_variance + y_variance + c2)
    mean = (brightness * pattern).mean(axis=tuple(range(-dimensions, 0)))
    return float(mean) if mean.ndim == 0 else mean


def _windows(array: Array, dimensions: int) -> Array:
    """The Gaussian mean around each pixel whose window lies in the image."""
    from scipy.ndimage import correlate1d

    weights = np.exp(-0.5 * (np.arange(-REACH, REACH + 1) / SIGMA) ** 2)
    weights /= weights.sum()
    for axis in range(-dimensions, 0):
        array = correlate1d(array, weights, axis)
    inside = slice(REACH, -REACH)
    return array[(..., *[inside] * dimensions)]


def _pair(where: str, image: Array, reference: Array, data_range: Any) -> tuple[Array, Array]:
    image, reference = finite(where, "image", image), finite(where, "reference", reference)
    same_shape(where, image, "reference", reference)
    not_empty(where, "image", image)
    is_number = isinstance(data_range, int | float | np.number) and not isinstance(data_range, bool)
    if not is_number or not 0 < data_range < np.inf:
        raise ArgumentError(where, "data_range", repr(data_range), "a positive number, e.g. 1 or 255")
    return image, reference
