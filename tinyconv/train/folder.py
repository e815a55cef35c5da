"""A run's folder: its options, metrics, checkpoints and figures, used by one process at a time."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from tinyconv.errors import ArgumentError, CheckpointError, StorageError
from tinyconv.io import storage_error, write_whole
from tinyconv.train.checkpoint import signed, unsigned
from tinyconv.train.class_config import ClassConfig
from tinyconv.train.fields import read_json
from tinyconv.train.generation_config import GENERATION, GenerationConfig
from tinyconv.train.mask_config import Config

CONFIG, METRICS, CURVES, SAMPLES, HELD_OUT, CONFUSION = (
    "config.json",
    "metrics.jsonl",
    "curves.png",
    "samples.png",
    "held_out.json",
    "confusion.png",
)
LAST, BEST = "last", "best"
BAD_BATCH = "bad_batch.safetensors"
LOCK = ".lock"
ASIDE = ".replaced"
OWN = re.compile(
    r"(config|held_out|last|best)\.json|metrics\.jsonl|(curves|samples|confusion)\.png|bad_batch\.safetensors"
    r"|(last|best)-[0-9a-f]{12}\.safetensors"
)
"""The names of a run's files; all else in its folder belongs to the user."""
UNFINISHED = re.compile(
    rf"\.((last|best)\.new\.safetensors|({OWN.pattern}|\.(last|best)\.new\.safetensors)\.\d+\.tmp)"
)
"""What a process that was killed while it wrote leaves behind."""

MAX_CONFIG_BYTES = 2**20


class RunFolder:
    """The files of one run; `create` makes a new folder, `open` takes an existing one.

    Parameters
    ----------
    path : Path
    config : Config or ClassConfig
    """

    def __init__(self, path: Path, config: Any) -> None:
        self.path, self.config = path, config

    @classmethod
    def create(cls, path: Path | None, config: Any, overwrite: bool = False) -> RunFolder:
        """Make the folder of a new run; by default ``runs/<model>-<data>-<date-time>``.

        Raises
        ------
        ArgumentError
            If something is in the folder already, unless it is a run and `overwrite` is given.
        StorageError
            If the folder cannot be made.
        """
        if path is None:
            path = Path("runs") / f"{config.model}-{config.label}-{time.strftime('%Y%m%d-%H%M%S')}"
        try:
            path.mkdir(parents=True, exist_ok=True)
            taken = any(entry.name != LOCK for entry in path.iterdir())
        except OSError as error:
            raise storage_error(path, error) from error
        if taken and not (overwrite and ((path / CONFIG).is_file() or (path / ASIDE).is_dir())):
            expected = "a new folder, or --resume to go on with its run, or --overwrite to replace it"
            raise ArgumentError("train", "--run", f"{str(path)!r}, which is not empty", expected)
        return cls(path, config)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Take the folder of an earlier run.

        Raises
        ------
        CheckpointError
            If it is no run's folder, or its config.json is damaged; earlier versions wrote no checksum.
        """
        if os.path.isdir(path / ASIDE):
            unfinished = cls(path, None)
            with unfinished.lock():
                if not (path / f"{LAST}.json").exists():
                    print(f"{path}: the run that was to replace this one was never saved; this one is back")
                unfinished.settle()
        file = path / CONFIG
        if not os.path.isfile(file):
            found = f"without {CONFIG}"
            raise CheckpointError("open", f"the folder {str(path)!r}", found, "the folder of a run")
        fields = read_json(file, MAX_CONFIG_BYTES, "a run's options")
        try:
            fields = unsigned(fields) if isinstance(fields, dict) else fields
        except (RecursionError, ValueError) as error:
            found = f"damaged or edited ({error})"
            expected = "the options that the run began with; without its 'sha256' it is taken as it is"
            raise CheckpointError("load", repr(str(file)), found, expected) from error
        task = fields.get("task") if isinstance(fields, dict) else None
        kind: Any = Config if task is None else ClassConfig
        return cls(path, (GenerationConfig if task == GENERATION else kind).from_json(str(file), fields))

    def start(self) -> None:
        """Write config.json; the files of an earlier run are put aside until `settle`."""
        self.settle()
        _move(self.path, self.path / ASIDE, last=CONFIG)
        try:
            self.write_json(CONFIG, signed(vars(self.config)))
        except StorageError:
            self.settle()
            raise

    def settle(self) -> None:
        """End a replacement: remove the run that was put aside if the new one is saved, else bring it back.

        Nothing happens where none was put aside. Which of the two it is can be told at any
        moment, after a crash too: config.json goes aside last and comes back first.
        """
        aside = self.path / ASIDE
        if not aside.is_dir():
            return
        if not (aside / CONFIG).exists():
            _move(aside, self.path)
        elif (self.path / f"{LAST}.json").exists():
            _remove(aside)
        else:
            _remove(self.path)
            _move(aside, self.path, first=CONFIG)
        with contextlib.suppress(OSError):
            aside.rmdir()

    def write_json(self, name: str, content: Any) -> Path:
        """Write one of the folder's JSON files."""
        return write_whole(self.path / name, (json.dumps(content, indent=2) + "\n").encode())

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from training in this folder, and remove what a killed one left unfinished.

        On systems without flock, do nothing.
        """
        try:
            import fcntl
        except ImportError:
            yield
            return
        try:
            file = open(self.path / LOCK, "w")  # noqa: SIM115 - closed below
        except OSError as error:
            raise storage_error(self.path / LOCK, error) from error
        with file, _only_here(file):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                found = f"{str(self.path)!r}, where another process is training"
                raise ArgumentError("train", "the run's folder", found, "a folder of its own") from error
            _remove_unfinished(self.path)
            yield


_held: set[IO[str]] = set()
"""The files of the locks that this process holds."""


@contextlib.contextmanager
def _only_here(file: IO[str]) -> Iterator[None]:
    """Have a forked process close `file`, so that a lock ends with this process, however that ends."""
    _held.add(file)
    try:
        yield
    finally:
        _held.discard(file)


def _let_go() -> None:
    for file in _held:
        file.close()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


def _remove_unfinished(folder: Path) -> None:
    """Remove the files that were never given their name; only while no other process writes here."""
    for file in folder.iterdir():
        if UNFINISHED.fullmatch(file.name):
            with contextlib.suppress(OSError):
                file.unlink()


def _own_files(folder: Path) -> list[Path]:
    """The files of a run in `folder`; folders, and files of other names, are not its own."""
    return sorted(file for file in folder.iterdir() if OWN.fullmatch(file.name) and not file.is_dir())


def _move(before: Path, after: Path, first: str = "", last: str = "") -> None:
    """Move the files of a run; `first` and `last` are files to begin and to end with."""
    try:
        files = sorted(_own_files(before), key=lambda file: (file.name == last) - (file.name == first))
        if files:
            after.mkdir(exist_ok=True)
        for file in files:
            os.replace(file, after / file.name)
    except OSError as error:
        raise storage_error(after, error) from error


def _remove(folder: Path) -> None:
    """Remove the files of a run."""
    try:
        for file in _own_files(folder):
            file.unlink()
    except OSError as error:
        raise storage_error(folder, error) from error


class Metrics:
    """metrics.jsonl: one JSON object per line, added to while training goes on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[str] = []

    def add(self, line: dict[str, Any]) -> None:
        """Add a line; `write` puts it into the file."""
        self._waiting.append(json.dumps(line) + "\n")

    def write(self) -> None:
        """Append the lines that wait to the file."""
        if not self._waiting:
            return
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write("".join(self._waiting))
        except OSError as error:
            raise storage_error(self.path, error) from error
        self._waiting.clear()

    def read(self) -> list[dict[str, Any]]:
        """All whole lines of the file; a last line that a crash cut is passed over."""
        lines = []
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return []
        except OSError as error:
            found = f"unreadable ({error.strerror})"
            raise StorageError("read", repr(str(self.path)), found, "a file that can be read") from error
        for text_line in text.splitlines():
            with contextlib.suppress(RecursionError, ValueError):
                line = json.loads(text_line)
                if isinstance(line, dict):
                    lines.append(line)
        return lines

    def cut_after(self, step: int, validated_step: int) -> None:
        """Remove what was written after the checkpoint that training goes on from.

        `step` is the checkpoint's; a validation that it does not know of will be done again.
        """
        kept = []
        for line in self.read():
            last = validated_step if any(key.startswith("held_out_") for key in line) else step
            if isinstance(line.get("step"), int) and line["step"] <= last:
                kept.append(json.dumps(line) + "\n")
        write_whole(self.path, "".join(kept).encode())
