"""What each net that answers for every pixel has to pass; the tests of the families call these."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinyconv as tc
from tinyconv import nn, optim


def check_one_step(model: Any, *shape: int) -> None:
    """One step of training changes every parameter that is trained."""
    before = {name: p.data.numpy().copy() for name, p in model.named_parameters()}
    optimizer = optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1.0)
    y = model(tc.tensor(np.random.default_rng(0).random(shape, np.float32)))
    (y * tc.tensor(np.random.default_rng(1).random(y.shape, np.float32))).sum().backward()
    optimizer.step()
    for name, p in model.named_parameters():
        assert (p.data.numpy() != before[name]).any() == p.requires_grad, name


def discs(size: tuple[int, ...], channels: int = 1, seed: int = 0) -> tuple[Any, Any]:
    """Eight noisy images (or volumes) of a bright ball each, and where it is: 0 or 1 per pixel."""
    rng = np.random.default_rng(seed)
    images = rng.normal(0, 0.2, (8, channels, *size)).astype(np.float32)
    where = np.zeros((8, *size), np.int64)
    grid = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"))
    for image, mask in zip(images, where, strict=True):
        centre = np.array([rng.uniform(0.3 * n, 0.7 * n) for n in size])
        distance = np.sqrt(((grid - centre.reshape(-1, *[1] * len(size))) ** 2).sum(axis=0))
        mask[distance < 0.25 * min(size)] = 1
        image += mask
    return images, where


def fit(model: Any, images: Any, targets: Any, steps: int, lr: float = 1e-2) -> float:
    """The share of pixels that the net gets right after some steps on all images at once."""
    tc.manual_seed(0)
    x, y = tc.tensor(images), tc.tensor(targets)
    optimizer = optim.Adam(model.parameters(), lr=lr)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        nn.CrossEntropyLoss()(model(x), y).backward()
        optimizer.step()
    with tc.no_grad():
        return float((model(x).numpy().argmax(axis=1) == targets).mean())
