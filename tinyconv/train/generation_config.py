"""The options of a run that trains a network to make images, kept as config.json in its folder."""

from __future__ import annotations

from dataclasses import dataclass

from tinyconv.train.class_config import ClassConfig
from tinyconv.train.fields import is_number

GENERATION = "generation"


@dataclass
class GenerationConfig(ClassConfig):
    """All that a run depends on: `ClassConfig`, where `mean` and `std` say from what to what images go.

    Attributes
    ----------
    noise : float
        Standard deviation of what is added to the images that a network is given, to give back the clean
        ones.
    """

    noise: float = 0.0
    task: str = GENERATION

    def check(self) -> None:
        """Raise `ArgumentError` at the first option that makes no sense."""
        super().check()
        self._require("noise", is_number(self.noise, 0, 1e3), "a number from 0 to 1000")
        self._require("balanced", not self.balanced, "it with networks that name classes only")
        self._require("class_weights", self.class_weights is None, "it with networks that name classes only")
