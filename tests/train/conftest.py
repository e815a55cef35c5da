"""A small problem with all that a resumed run must bring back: dropout, Adam, augmentation, order."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import nn, optim
from tinyconv.data import DataLoader, Dataset
from tinyconv.train import Trainer, warmup_cosine


class Noisy(Dataset):
    """Five samples that look different in every epoch."""

    def __init__(self, epoch=0):
        self.epoch = epoch

    def __len__(self):
        return 5

    def __getitem__(self, index):
        rng = np.random.default_rng([self.epoch, index])
        x = rng.standard_normal(4).astype(np.float32)
        return x, np.array([x.sum()], np.float32)

    def at_epoch(self, epoch):
        return Noisy(epoch)


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.ELU(), nn.Dropout(0.3), nn.Linear(8, 1))

    def forward(self, x):
        return self.layers(x)


@pytest.fixture
def make_trainer():
    """A function that makes a new trainer: 4 epochs of 3 batches, seed 3."""

    def make(**options):
        tc.manual_seed(3)
        model = Small()
        optimizer = optim.Adam(model.parameters(), lr=0.05)
        loader = DataLoader(Noisy(), batch_size=2, shuffle=True, seed=3)
        given = {"epochs": 4, "schedule": warmup_cosine, **options}
        return Trainer(model, optimizer, nn.functional.mse_loss, loader, **given)

    return make


@pytest.fixture
def weights_of():
    """A function that gives a trainer's weights and Adam's averages as bytes."""

    def weights(trainer):
        state = {name: t.array.tobytes() for name, t in trainer.model.state_dict().items()}
        for index, entry in trainer.optimizer.state_dict()["state"].items():
            for key, value in entry.items():
                state[f"{index}.{key}"] = value if isinstance(value, int) else value.tobytes()
        return state

    return weights
