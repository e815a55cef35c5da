"""The losses of `tinyconv train --loss`, in float64 NumPy, from the formulas of their papers."""

from __future__ import annotations

import numpy as np


def of_masks(kind, scores, masks, inside=1.0, pixels=1.0):
    """Of scores and masks (N, K, H, W); `inside` weighs each mask's pixels, `pixels` every pixel."""
    p = 1 / (1 + np.exp(-scores))
    inside = np.broadcast_to(inside, masks.shape[1])
    weights = pixels * (1 + (inside.reshape(-1, 1, 1) - 1) * masks)
    if kind == "focal":
        focal = -(0.25 * masks * (1 - p) ** 2 * np.log(p) + 0.75 * (1 - masks) * p**2 * np.log(1 - p))
        return (weights * focal).mean()
    entropy = -(weights * (masks * np.log(p) + (1 - masks) * np.log(1 - p))).mean()
    return {"bce": entropy, "dice": _dice(p, masks, inside)}.get(kind, entropy + _dice(p, masks, inside))


def of_classes(kind, scores, labels, weights=None):
    """Of scores (N, C, H, W) and class numbers (N, H, W)."""
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    masks = np.moveaxis(np.eye(scores.shape[1])[labels], -1, 1)
    weights = np.ones(scores.shape[1]) if weights is None else np.asarray(weights)
    own, counts = (p * masks).sum(axis=1), weights[labels]
    if kind == "focal":
        return -(counts * (1 - own) ** 2 * np.log(own)).mean()
    if kind == "generalised-dice":
        return _generalised_dice(p, masks)
    entropy, overlap = -(counts * np.log(own)).sum() / counts.sum(), _dice(p, masks, weights)
    return {"ce": entropy, "dice": overlap}.get(kind, entropy + overlap)


def _dice(p, masks, weights):
    """1 - (2 sum p t + 1) / (sum p + sum t + 1) of each image and mask."""
    over = tuple(range(2, p.ndim))
    losses = 1 - (2 * (p * masks).sum(over) + 1) / (p.sum(over) + masks.sum(over) + 1)
    return np.average(losses, axis=1, weights=weights).mean()


def _generalised_dice(p, masks):
    """Sudre et al. 2017; a class that an image does not have weighs as much as its rarest one."""
    losses = []
    for image, truth in zip(p, masks, strict=True):
        volumes = truth.reshape(len(truth), -1).sum(axis=1)
        weights = 1 / np.where(volumes == 0, volumes[volumes > 0].min(), volumes) ** 2
        over = tuple(range(1, image.ndim))
        both = (weights * (image.sum(over) + volumes)).sum()
        losses.append(1 - 2 * (weights * (image * truth).sum(over)).sum() / both)
    return np.mean(losses)
