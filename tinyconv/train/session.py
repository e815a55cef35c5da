"""One training session of a run: put the pieces together, train, draw the figures."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyconv import optim, viz
from tinyconv.data import DataLoader, SegmentationData
from tinyconv.data.process_workers import fork_or_thread
from tinyconv.device import get_default_device, manual_seed
from tinyconv.errors import CheckpointError, DataError
from tinyconv.train.callback import Callback, Position, Scores
from tinyconv.train.checkpoint import MAX_JSON_BYTES, load_checkpoint
from tinyconv.train.evaluate import evaluate, spread, summarize
from tinyconv.train.fields import is_number, read_json
from tinyconv.train.folder import (
    BEST,
    CONFUSION,
    CURVES,
    HELD_OUT,
    LAST,
    METRICS,
    SAMPLES,
    Metrics,
    RunFolder,
)
from tinyconv.train.mask_loss import MaskLoss
from tinyconv.train.network import CreateModel, create_network
from tinyconv.train.progress import Progress
from tinyconv.train.recipes import describe
from tinyconv.train.records import Recorder
from tinyconv.train.resume import go_back, load_last
from tinyconv.train.schedules import warmup_cosine
from tinyconv.train.segmenter import Segmenter
from tinyconv.train.sheet import draw_rows, label_names, row_of
from tinyconv.train.trainer import Trainer

FIGURES_SECONDS = 8.0  # of a time budget, kept for the figures
MIN_SECONDS = 1.0


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
    text : str
        How good the model became, in words; empty after an interruption.
    """

    signal: int | None
    position: Position
    scores: dict[str, Any]
    files: list[Path]
    text: str = ""


class Session(Callback):
    """Begin a run that trains a segmentation, or go on with it from its last checkpoint.

    Parameters
    ----------
    folder : RunFolder
    data
        What `open_data` of the recipe returns: images to train on, and held-out ones.
    create_model : callable
        `models.create`.
    resume : bool
    begin : bool
        Whether the run's folder is written to: not to look for a learning rate.
    """

    quantity = "dice"
    """What is measured; ``held_out_...`` of it decides which checkpoint is the best. If empty, none is."""
    num_workers = 1
    """Reads and augments images beside the training; 0 where that takes less than to wait for it."""
    curve_keys: tuple[str, ...] = ("step", "loss", "dice", "accuracy")
    """What the names of what the curves show end with."""

    def __init__(
        self, folder: RunFolder, data: Any, create_model: CreateModel, resume: bool, begin: bool = True
    ) -> None:
        began = time.monotonic()
        self.folder, config = folder, folder.config
        checkpoint = load_last(folder, self.quantity) if resume else None
        training = self._take(data)
        manual_seed(config.seed)
        self.results: list[Any] = []
        state = checkpoint.model_state if checkpoint else None
        where, name = str(folder.path), config.model
        self.model = create_network(create_model, where, name, config.model_options, state)
        self.model.to(get_default_device())
        callbacks = config.callbacks(self.model, self.quantity, folder.path) if begin else []
        self.trainer = self._make_trainer(
            self._loader(training),
            config.epochs,
            steps=config.steps,
            seconds=_budget(config.minutes),
            validate=self._validate,
            validate_every=config.validate_every,
            callbacks=callbacks,
            **config.trainer_options(),
        )
        scores = checkpoint.scores if checkpoint else {}
        self.recorder = Recorder(
            folder, config.model, config.model_options, scores, self.quantity, self._measure
        )
        if checkpoint is None and begin:
            folder.start()
        elif checkpoint is not None:
            go_back(checkpoint, self.trainer)
            position = self.trainer.position
            self.recorder.metrics.cut_after(position.step, position.validated_step)
        took = time.monotonic() - began
        self.trainer.position.seconds += took
        self.trainer.position.first_step_seconds += took

    def run(self) -> Outcome:
        """Train; if that was not interrupted, draw the figures."""
        try:
            images = self.trainer.loader.batch_size * self.trainer.accumulate
            with Progress(images, self.quantity, self._measure) as progress:
                self.trainer.callbacks = [progress, *self.trainer.callbacks, self.recorder, self]
                self.trainer.fit()
        except DataError:
            self._save_what_there_is()
            raise
        finally:
            self.trainer.loader.close()
            self.folder.settle()
        if not self.trainer.stopping:
            self._draw()
        names = (CURVES, SAMPLES, CONFUSION, HELD_OUT, METRICS, f"{BEST}.json", f"{LAST}.json")
        files = [self.folder.path / name for name in names if (self.folder.path / name).exists()]
        text = "" if self.trainer.stopping else self.conclude(self.recorder.scores)
        return Outcome(self.trainer.stop_signal, self.trainer.position, self.recorder.scores, files, text)

    def _take(self, data: Any) -> Any:
        """Keep what is held out, say what is trained on what; returns the images to train on."""
        training: SegmentationData
        self.held_out: Any
        training, self.held_out = data
        print(describe(self.folder.config, len(training), len(self.held_out)), flush=True)
        return training

    def _loader(self, training: Any) -> DataLoader:
        config = self.folder.config
        pin = get_default_device() != "cpu"
        return DataLoader(
            training,
            config.batch_size,
            shuffle=True,
            seed=config.seed,
            num_workers=self.num_workers,
            multiprocessing_context=None if pin else fork_or_thread(),
            persistent_workers=True,
            pin_memory=pin,
        )

    def _make_trainer(self, loader: DataLoader, epochs: int, **options: Any) -> Trainer:
        self.loss: Any = self._make_loss()
        optimizer = optim.Adam(self.model.parameters(), lr=self.folder.config.lr)
        return Trainer(self.model, optimizer, self.loss, loader, epochs, schedule=warmup_cosine, **options)

    def _make_loss(self) -> Any:
        config = self.folder.config
        scores = getattr(self.model, "probability", None) is None
        return MaskLoss(
            config.loss, config.exclusive, scores, config.class_weights, config.border is not None
        )

    def _measure(self) -> float:
        """How good the last training step's batch was."""
        return self.loss.dice

    def _save_what_there_is(self) -> None:
        """Training cannot go on before a file is mended: it can be resumed then."""
        step = self.trainer.position.step
        if step > 0:
            self.recorder.on_stop(self.trainer)
            print(f"saved after step {step} in {self.folder.path}", flush=True)

    def on_validation(self, trainer: Trainer, scores: Scores) -> None:
        if self.recorder.scores.get("best_step") == trainer.position.step:
            content = {"step": trainer.position.step, "images": self._entries()}
            self.folder.write_json(HELD_OUT, content)

    def _entries(self) -> list[dict[str, Any]]:
        """What held_out.json says of each image."""
        return [{"index": r.index, "name": r.name, "dice": r.dice, "iou": r.iou} for r in self.results]

    def conclude(self, scores: dict[str, Any]) -> str:
        """One line that says how good it became."""
        return (
            f"held-out Dice {scores['held_out_dice']:.4f} at the end, "
            f"best {scores['best_held_out_dice']:.4f} (step {scores['best_step']})"
        )

    def _validate(self) -> Scores:
        self.results = list(evaluate(self._segmenter(), self.held_out, lambda: self.trainer.stopping))
        return summarize(self.results) if self.results else {}

    def _draw(self) -> None:
        """The curves, and held-out images by the best checkpoint."""
        lines = Metrics(self.folder.path / METRICS).read()
        viz.plot_curves([_numbers(line, self.curve_keys) for line in lines], self.folder.path / CURVES)
        if self.quantity:
            self.model.load_state_dict(load_checkpoint(self.folder.path, BEST).model_state)
        self._draw_samples()

    def _draw_samples(self) -> None:
        """Held-out images from the best to the worst."""
        try:
            scored = _usable(self.folder.path / HELD_OUT, len(self.held_out))
        except CheckpointError as error:
            print(f"no {SAMPLES}: {error}")
            return
        shown = spread(scored)
        rows = [row_of(self._segmenter(), *self.held_out[entry["index"]]) for entry in shown]
        draw_rows(
            rows,
            self.folder.path / SAMPLES,
            [entry["dice"] for entry in shown],
            label_names(self.folder.config),
        )

    def _segmenter(self) -> Segmenter:
        config = self.folder.config
        return Segmenter(self.model, config.exclusive, config.dims, config.channels)


def _numbers(line: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """What the curves show of a line of metrics.jsonl."""
    return {key: line[key] for key in line if key.endswith(keys) and isinstance(line[key], int | float)}


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
