"""One training session of a run: put the pieces together, train, draw the figures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyconv import optim, viz
from tinyconv.data import DataLoader, SegmentationData
from tinyconv.device import manual_seed
from tinyconv.errors import CheckpointError, DataError
from tinyconv.nn import Module
from tinyconv.train.callback import Callback, Position, Scores
from tinyconv.train.checkpoint import MAX_JSON_BYTES, load_checkpoint
from tinyconv.train.evaluate import Result, evaluate, predict_image, spread, summarize
from tinyconv.train.fields import is_number, read_json
from tinyconv.train.folder import BEST, CURVES, HELD_OUT, LAST, METRICS, SAMPLES, Metrics, RunFolder
from tinyconv.train.losses import bce_dice_loss
from tinyconv.train.progress import Progress
from tinyconv.train.recipes import describe
from tinyconv.train.records import Recorder
from tinyconv.train.resume import go_back, load_last
from tinyconv.train.schedules import warmup_cosine
from tinyconv.train.trainer import Trainer

CreateModel = Callable[..., Module]
FIGURES_SECONDS = 8.0  # of a time budget, kept for the figures
MIN_SECONDS = 1.0
CURVE_KEYS = ("step", "loss", "dice")


@dataclass
class Outcome:
    """How a session ended.

    Attributes
    ----------
    signal : int or None
        The signal that interrupted it; None if training is done.
    position : Position
    scores : dict
        The last held-out scores, see `evaluate.summarize`, and as ``best_...`` the best.
    files : list of Path
        The figures and other files that the run has now.
    """

    signal: int | None
    position: Position
    scores: dict[str, Any]
    files: list[Path]


class Session(Callback):
    """Begin a run, or go on with it from its last checkpoint.

    Parameters
    ----------
    folder : RunFolder
    data : pair of SegmentationData
        What `recipes.open_data` returns: images to train on, and held-out ones.
    create_model : callable
        `models.create`.
    resume : bool
    """

    def __init__(
        self,
        folder: RunFolder,
        data: tuple[SegmentationData, SegmentationData],
        create_model: CreateModel,
        resume: bool,
    ) -> None:
        began = time.monotonic()
        self.folder, config = folder, folder.config
        checkpoint = load_last(folder) if resume else None
        training, self.held_out = data
        print(describe(config, len(training), len(self.held_out)), flush=True)
        manual_seed(config.seed)
        self.results: list[Result] = []
        self.model = create_model(config.model)
        self.trainer = Trainer(
            self.model,
            optim.Adam(self.model.parameters(), lr=config.lr),
            bce_dice_loss,
            DataLoader(training, config.batch_size, shuffle=True, seed=config.seed),
            config.epochs,
            steps=config.steps,
            seconds=_budget(config.minutes),
            schedule=warmup_cosine,
            validate=self._validate,
            validate_every=config.validate_every,
        )
        self.recorder = Recorder(folder, config.model, {}, checkpoint.scores if checkpoint else {})
        if checkpoint is None:
            folder.start()
        else:
            go_back(checkpoint, self.trainer)
            position = self.trainer.position
            self.recorder.metrics.cut_after(position.step, position.validated_step)
        self.trainer.position.seconds += time.monotonic() - began

    def run(self) -> Outcome:
        """Train; if that was not interrupted, draw the figures."""
        try:
            with Progress(self.folder.config.batch_size) as progress:
                self.trainer.callbacks = [progress, self.recorder, self]
                self.trainer.fit()
        except DataError:
            self._save_what_there_is()
            raise
        finally:
            self.folder.settle()
        if not self.trainer.stopping:
            self._draw()
        names = (CURVES, SAMPLES, HELD_OUT, METRICS, f"{BEST}.json", f"{LAST}.json")
        files = [self.folder.path / name for name in names if (self.folder.path / name).exists()]
        return Outcome(self.trainer.stop_signal, self.trainer.position, self.recorder.scores, files)

    def _save_what_there_is(self) -> None:
        """Training cannot go on before a file is mended: it can be resumed then."""
        step = self.trainer.position.step
        if step > 0:
            self.recorder.on_stop(self.trainer)
            print(f"saved after step {step} in {self.folder.path}", flush=True)

    def on_validation(self, trainer: Trainer, scores: Scores) -> None:
        if self.recorder.scores["best_step"] == trainer.position.step:
            images = [{"index": r.index, "name": r.name, "dice": r.dice, "iou": r.iou} for r in self.results]
            self.folder.write_json(HELD_OUT, {"step": trainer.position.step, "images": images})

    def _validate(self) -> Scores:
        self.results = list(evaluate(self.model, self.held_out, lambda: self.trainer.stopping))
        return summarize(self.results) if self.results else {}

    def _draw(self) -> None:
        """The curves, and held-out images from the best to the worst, by the best checkpoint."""
        lines = Metrics(self.folder.path / METRICS).read()
        viz.plot_curves([_numbers(line) for line in lines], self.folder.path / CURVES)
        self.model.load_state_dict(load_checkpoint(self.folder.path, BEST).model_state)
        try:
            scored = _usable(self.folder.path / HELD_OUT, len(self.held_out))
        except CheckpointError as error:
            print(f"no {SAMPLES}: {error}")
            return
        shown = spread(scored)
        pairs = [self.held_out[entry["index"]] for entry in shown]
        viz.segmentation_sheet(
            [image for image, _ in pairs],
            [mask >= 0.5 for _, mask in pairs],
            [predict_image(self.model, image) for image, _ in pairs],
            self.folder.path / SAMPLES,
            [entry["dice"] for entry in shown],
        )


def _numbers(line: dict[str, Any]) -> dict[str, Any]:
    """What the curves show of a line of metrics.jsonl."""
    return {key: line[key] for key in line if key.endswith(CURVE_KEYS) and isinstance(line[key], int | float)}


def _usable(path: Path, images: int) -> list[dict[str, Any]]:
    """The entries of held_out.json; each must name one of the `images` held-out images and its Dice."""
    expected = "the scores of the held-out images"
    content = read_json(path, MAX_JSON_BYTES, expected)
    entries = content.get("images") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(_is_score(entry, images) for entry in entries):
        raise CheckpointError("load", repr(str(path)), "damaged", expected)
    return entries


def _is_score(entry: Any, images: int) -> bool:
    return (
        isinstance(entry, dict)
        and is_number(entry.get("index"), 0, images - 1, whole=True)
        and is_number(entry.get("dice"), 0, 1)
    )


def _budget(minutes: float | None) -> float | None:
    return None if minutes is None else max(60 * minutes - FIGURES_SECONDS, MIN_SECONDS)
