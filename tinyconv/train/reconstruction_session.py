"""One training session of a network that gives images back."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.generator import Generator
from tinyconv.tensor import Tensor
from tinyconv.train.callback import Scores
from tinyconv.train.class_recipe import Parts
from tinyconv.train.folder import SAMPLES, RunFolder
from tinyconv.train.generation_recipe import Pairs, describe
from tinyconv.train.network import CreateModel
from tinyconv.train.reconstruct import COLUMNS, Errors, draw, score
from tinyconv.train.session import Session

LISTED = 200
"""Of the held-out images, at most so many are named in held_out.json, those with the largest errors."""


class ReconstructionLoss:
    """The sum of a method's parts, which are kept as `values` where there are several."""

    def __init__(self, method: Any) -> None:
        self.method = method
        self.values: dict[str, float] = {}

    def __call__(self, output: Any, target: Tensor) -> Tensor:
        first, *others = (parts := self.method.parts(output, target)).values()
        self.values = {name: part.item() for name, part in parts.items()} if others else {}
        return sum(others, first)


class GenerationSession(Session):
    """A session of a network that makes images.

    Parameters
    ----------
    method : Reconstruction or Adversaries
        The network's, of `models.generation`; the others are those of `Session`.
    """

    num_workers = 0

    def __init__(
        self,
        folder: RunFolder,
        data: Parts,
        create_model: CreateModel,
        resume: bool,
        begin: bool = True,
        *,
        method: Any,
    ) -> None:
        self.method = method
        super().__init__(folder, data, create_model, resume, begin)

    def _measure(self) -> float:
        return float("nan")  # nothing beside the loss


class ReconstructionSession(GenerationSession):
    """Begin a run that trains a network to give images back, or go on with it from its last checkpoint."""

    quantity = "loss"

    def _take(self, data: Parts) -> Any:
        config = self.folder.config
        print(describe(config, len(data.training), len(data.held_out), self.method), flush=True)
        self.held_out = Pairs(data.held_out, config.noise, config.seed)
        return Pairs(data.training, config.noise, config.seed)

    def _make_loss(self) -> Any:
        return ReconstructionLoss(self.method)

    def _score(self) -> Errors:
        seed = self.folder.config.seed
        return score(self.model, self.method, self.held_out, seed, lambda: self.trainer.stopping)

    def _validate(self) -> Scores:
        errors = self._score()
        self.results = [errors]
        if self.trainer.stopping:
            return {}
        parts = errors.parts if len(errors.parts) > 1 else {}
        scores = {f"held_out_{name}_loss": value for name, value in parts.items()}
        return {"held_out_loss": errors.loss, "held_out_psnr": float(errors.psnr.mean()), **scores}

    def _entries(self) -> list[dict[str, Any]]:
        """The images with the largest errors, the worst first."""
        errors: Errors = self.results[0]
        return [
            {
                "index": index,
                "name": self.held_out.name(index),
                "squared_error": float(errors.squared[index]),
                "psnr": float(errors.psnr[index]),
            }
            for index in errors.worst(LISTED)
        ]

    def _draw_samples(self) -> None:
        """Some held-out images and what is made of them; new images too where the network draws such."""
        self.model.eval()
        count = min(COLUMNS, len(self.held_out))
        places = np.linspace(0, len(self.held_out) - 1, count).astype(int).tolist()
        more = None
        if self.method.sample is not None:
            source = Generator().manual_seed(self.folder.config.seed)
            more = self.method.sample(self.model, count, source).cpu().array
        draw(self.model, self.method, self.held_out, places, self.folder.path / SAMPLES, more)

    def conclude(self, scores: dict[str, Any]) -> str:
        """One line that says how good it became."""
        return (
            f"held-out loss {scores['held_out_loss']:.4f} at the end, "
            f"best {scores['best_held_out_loss']:.4f} (step {scores['best_step']})"
        )
