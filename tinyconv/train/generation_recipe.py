"""What ``tinyconv train vae --data digits`` means: the data, the defaults, the checks."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tinyconv.data.dataset import Dataset, item_name
from tinyconv.data.dataset import at_epoch as dataset_at_epoch
from tinyconv.data.seeding import AUGMENTATION, generator
from tinyconv.errors import ArgumentError
from tinyconv.train import class_recipe
from tinyconv.train.class_sources import FOLDER, NAMES
from tinyconv.train.generation_config import GenerationConfig
from tinyconv.train.step_options import describe_length, read_numbers
from tinyconv.train.trainer import STOP

Array = Any

EPOCHS = {"digits": 100, "mnist": 20, "fashion_mnist": 20, "cifar10": 40, FOLDER: 100}
BATCH = 64
QUICK_BATCH = 16
NETWORK_OPTIONS = ("size", "width", "widths", "latent_dim")


class Pairs(Dataset):
    """Images as (what a network is given, what it is to give back): with noise, and without.

    Sample i of epoch e is a pure function of (seed, e, i).

    Parameters
    ----------
    dataset : Dataset
        Items are (image (C, H, W), label).
    noise : float
        Standard deviation of the noise.
    seed, epoch : int

    Examples
    --------
    >>> given, clean = Pairs([(np.ones((1, 2, 2), np.float32), 7)], noise=0.1)[0]
    >>> bool((given != clean).all()), float(clean.mean())
    (True, 1.0)
    """

    def __init__(self, dataset: Any, noise: float = 0.0, seed: int = 0, epoch: int = 0) -> None:
        self.dataset, self.noise, self.seed, self.epoch = dataset, noise, seed, epoch

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        clean = self.dataset[index][0]
        if not self.noise:
            return clean, clean
        drawn = generator(self.seed, AUGMENTATION, self.epoch, index).standard_normal(clean.shape, np.float32)
        return clean + np.float32(self.noise) * drawn, clean

    def name(self, index: int) -> str:
        """The name that the dataset gives this item."""
        return item_name(self.dataset, index)

    def at_epoch(self, epoch: int) -> Pairs:
        """The same images, with the noise of `epoch`."""
        return Pairs(dataset_at_epoch(self.dataset, epoch), self.noise, self.seed, epoch)


def make_config(
    model: str, data: str, data_dir: str | None, quick: bool, fit: Any, method: Any, **given: Any
) -> GenerationConfig:
    """Fill the options that were not given (None) with what suits the data and the network.

    Parameters
    ----------
    model, data, data_dir, quick
        As for `class_recipe.make_config`.
    fit : callable
        `models.fit_generation`.
    method : Reconstruction or Adversaries
        The network's, of `models.generation`.
    **given
        Fields of `GenerationConfig`, and `NETWORK_OPTIONS`.
    """
    given = {name: value for name, value in given.items() if value is not None}
    wanted = {name: given.pop(name) for name in NETWORK_OPTIONS if name in given}
    if "widths" in wanted:
        wanted["widths"] = read_numbers("widths", wanted["widths"])
    _refuse_unfit(model, method, given)
    mean, std = method.scale
    standard = {
        **{"lr": method.lr, "batch_size": QUICK_BATCH if quick else BATCH, "noise": method.noise},
        **{"shift": 0, "flip": False, "mean": [mean], "std": [std]},
    }
    if given.get("minutes") is None:
        standard["epochs"] = EPOCHS[data if data in NAMES else FOLDER]
    config = class_recipe.make_config(
        *(model, data, data_dir, quick, partial(fit, wanted=wanted), GenerationConfig),
        **{**standard, **given},
    )
    assert isinstance(config, GenerationConfig)
    return config


def _refuse_unfit(model: str, method: Any, given: dict[str, Any]) -> None:
    """Raise `ArgumentError` at an option that means nothing for two networks that are trained together."""
    if not method.adversarial:
        return
    neutral = {"accumulate": 1, "ema": None, "patience": None, "noise": 0, "on_not_finite": STOP}
    for name, nothing in neutral.items():
        if given.get(name) not in (None, nothing):
            option, found = "--" + name.replace("_", "-"), f"{given[name]}, next to {model}"
            raise ArgumentError("train", option, found, "it with networks that are trained on their own only")


def open_data(config: GenerationConfig, method: Any) -> class_recipe.Parts:
    """As `class_recipe.open_data`; there must be enough images for a step."""
    parts = class_recipe.open_data(config)
    least = config.batch_size * method.batches
    if method.adversarial and len(parts.training) < least:
        found = f"{config.batch_size}, of which {config.model} takes {method.batches} at once"
        expected = f"at most {len(parts.training) // method.batches} with {len(parts.training)} images"
        raise ArgumentError("train", "--batch-size", found, expected)
    if method.adversarial and len(parts.held_out) < method.batches:
        found = f"{len(parts.held_out)} images held out of {len(parts.held_out) + len(parts.training)}"
        raise ArgumentError("train", "--data", found, f"at least {method.batches} for {config.model}")
    return parts


def describe(config: GenerationConfig, training: int, held_out: int, method: Any) -> str:
    """One line that says what is trained on what."""
    size = " x ".join(map(str, config.shape))
    group = config.batch_size * config.accumulate * method.batches
    steps = training // group if method.adversarial else -(-training // group)
    planned = config.epochs * steps
    noisy = f", noise of {config.noise:g} added" if config.noise else ""
    return (
        f"{config.model} on {training} images of {config.label} ({size}{noisy}), {held_out} held out, "
        f"batches of {config.batch_size}, at most {describe_length(planned, config)}"
    )
