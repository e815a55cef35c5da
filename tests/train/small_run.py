"""A run of seconds that is killed over and over: dropout, Adam, averaged weights, a checkpoint per step.

``python -m tests.train.small_run FOLDER KILLS SEED`` trains in FOLDER/whole, then in FOLDER/0, FOLDER/1, …,
killing the process that trains at KILLS random moments and going on after each. It prints a line per kill and
per run that came to its end. Each process is a fork of one that has imported everything but used nothing.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

import numpy as np

import tinyconv as tc
from tests.train.configs import make_config
from tinyconv import nn, optim
from tinyconv.data import DataLoader, Dataset
from tinyconv.train import EMA, EarlyStopping, Trainer, records, warmup_cosine
from tinyconv.train.folder import LAST, RunFolder
from tinyconv.train.records import Recorder
from tinyconv.train.resume import go_back, load_last


class Noisy(Dataset):
    """Samples that look different in every epoch."""

    def __init__(self, epoch=0):
        self.epoch = epoch

    def __len__(self):
        return 10

    def __getitem__(self, index):
        x = np.random.default_rng([self.epoch, index]).standard_normal(4).astype(np.float32)
        return x, np.array([x.sum()], np.float32)

    def at_epoch(self, epoch):
        return Noisy(epoch)


def train(path):
    """Begin the run, or go on with it, to its end."""
    records.SAVE_EVERY_SECONDS = 0.0
    os.fsync = lambda handle: None  # what was written outlives the process without it, if not the machine
    resume = (path / f"{LAST}.json").exists()
    config = make_config("unet", "synthetic", None, quick=True)
    folder = RunFolder.open(path) if resume else RunFolder.create(path, config, overwrite=path.exists())
    with folder.lock():
        tc.manual_seed(3)
        layers = (nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ELU(), nn.Dropout(0.3), nn.Linear(8, 1))
        model = nn.Sequential(*layers)
        loader = DataLoader(Noisy(), batch_size=2, shuffle=True, seed=3)
        optimizer = optim.Adam(model.parameters(), lr=0.05)

        def validate():
            return {"held_out_dice": abs(float(model[0].weight.data.numpy().sum())) % 1}

        trainer = Trainer(
            model, optimizer, nn.functional.mse_loss, loader, 5, schedule=warmup_cosine, accumulate=2,
            clip_norm=1.0, validate=validate, callbacks=[EMA(model, 0.9), EarlyStopping("held_out_dice", 99)],
        )  # fmt: skip
        checkpoint = load_last(folder, "dice") if resume else None
        recorder = Recorder(folder, config.model, {}, checkpoint.scores if checkpoint else {})
        if checkpoint is None:
            folder.start()
        else:
            go_back(checkpoint, trainer)
            recorder.metrics.cut_after(trainer.position.step, trainer.position.validated_step)
        trainer.callbacks.append(recorder)
        trainer.fit()
        folder.settle()


def begin(path):
    """The process that trains; its exit status is 0 only if the run came to its end."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            train(path)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    return process


def main(folder, kills, seed):
    moments, number = random.Random(seed), 0
    began = time.monotonic()
    assert os.waitpid(begin(folder / "whole"), 0)[1] == 0
    length = time.monotonic() - began
    while kills > 0:
        process = begin(folder / str(number))
        time.sleep(moments.uniform(0, length))
        os.kill(process, signal.SIGKILL)
        status = os.waitpid(process, 0)[1]
        if os.WIFSIGNALED(status):
            print("killed", flush=True)
            kills -= 1
        elif os.waitstatus_to_exitcode(status) == 0:
            print(f"ended {number}", flush=True)
            number += 1
        else:
            raise SystemExit(f"run {number} did not go on")
    assert os.waitpid(begin(folder / str(number)), 0)[1] == 0
    print(f"ended {number}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
