"""Networks by the options of a run's files, which a stranger may have written."""

from __future__ import annotations

import dataclasses
import inspect
import os
import sys

import numpy as np
import pytest

from tests.train.configs import make_config
from tinyconv import models
from tinyconv.errors import ArgumentError, CheckpointError
from tinyconv.io import save
from tinyconv.models import published, registry
from tinyconv.nn import allowance
from tinyconv.train.checkpoint import Checkpoint, save_checkpoint
from tinyconv.train.class_session import ClassSession
from tinyconv.train.folder import RunFolder
from tinyconv.train.network import TIMES, create_network
from tinyconv.train.predict import load_model
from tinyconv.train.reconstruction_session import ReconstructionSession
from tinyconv.train.session import Session


@pytest.mark.parametrize(
    ("session", "workers"), [(Session, 1), (ClassSession, 0), (ReconstructionSession, 0)]
)
def test_a_process_reads_images_where_that_pays(session, workers, tmp_path):
    new = session.__new__(session)
    new.folder = RunFolder(tmp_path, make_config("unet", "synthetic", None, quick=True))
    new.folder.config.balanced = False
    loader = new._loader([0, 1, 2, 3])
    assert loader.num_workers == workers
    if workers:
        assert loader.multiprocessing_context == ("fork" if sys.platform == "linux" else None)


@pytest.fixture
def asked(monkeypatch):
    """What published weights were asked for."""
    seen = []
    monkeypatch.setattr(published, "get", lambda *names: seen.append(names))
    return seen


def test_the_network_that_the_options_say():
    model = create_network(models.create, "here", "unet_bn", {"widths": [2, 4], "num_classes": 3})
    assert model.head.weight.shape == (3, 2, 1, 1)


@pytest.mark.parametrize("weights", ["DEFAULT", "IMAGENET1K_V1", None])
def test_weights_are_neither_downloaded_nor_read_from_elsewhere(tmp_path, asked, weights):
    if weights is None:
        weights = str(tmp_path / "w.safetensors")
        save(models.create("squeezenet1_1").state_dict(), weights)
    with pytest.raises(CheckpointError, match=r"here: model_options is with 'weights': .*without weights"):
        create_network(models.create, "here", "squeezenet1_1", {"weights": weights})
    config = dataclasses.replace(make_config("unet", "synthetic", None, quick=True))
    config.model_options = {"weights": weights}
    with pytest.raises(CheckpointError, match="without weights"):
        Session(RunFolder(tmp_path, config), ([0], [0]), models.create, resume=False, begin=False)
    save_checkpoint(tmp_path, "last", Checkpoint("squeezenet1_1", {"weights": weights}, {}))
    with pytest.raises(CheckpointError, match="without weights"):
        load_model(tmp_path, models.create)
    assert asked == []


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("unet_bn", {"widths": "ab"}),
        ("unet_bn", {"widths": [None, 2]}),
        ("unet_bn", {"widths": {"a": 1}}),
        ("unet_bn", {"widths": 5}),
        ("unet_bn", {"dims": "3"}),
        ("unet_bn", {"dropout": "a\nb"}),
        ("unet_bn", {"name": "lenet5"}),
        ("enet", {"width": [4]}),
        ("mlp", {"hidden": [1.5]}),
        ("lenet5", {"activation": "re\nlu"}),
        ("lenet5", {"in_channels": -1}),
        ("no_such_network", {}),
    ],
)
def test_what_no_network_can_be_made_of_is_refused_in_one_line(name, options):
    with pytest.raises((CheckpointError, ArgumentError)) as caught:
        create_network(models.create, "here", name, options)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the memory in use")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mlp", {"hidden": [30_000, 30_000, 30_000]}),
        ("resnet20_cifar", {"width": 3_000}),
        ("densenet121", {"layers": [10**9]}),
    ],
)
def test_no_memory_is_filled_for_more_than_the_checkpoint_has(name, options):
    state = {"weight": np.zeros(1000, np.float32)}
    before = resident()
    with pytest.raises((ArgumentError, CheckpointError)) as caught:
        create_network(models.create, "here", name, options, state)
    assert "at most" in str(caught.value) and "numbers" in str(caught.value)
    assert resident() - before < 2**27


def resident():
    """Bytes of memory that this process has in use."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("name", models.list())
def test_no_network_needs_more_than_its_own_checkpoint_allows(name):
    """What is made on the way to it counts too; of each network a narrow one."""
    small = {"width": 4, "hidden": 8, "widths": [2, 4, 4, 4, 4], "growth": 4, "latent_dim": 2}
    small |= {"mlp": {"hidden": [8]}, "autoencoder": {"widths": [4, 2]}}.get(name, {})
    taken = inspect.signature(registry._builders[name]).parameters
    with allowance.at_most(10**12):
        model = models.create(name, **{key: value for key, value in small.items() if key in taken})
        made = 10**12 - allowance._left.get()
    assert 0 < made <= TIMES * sum(tensor.array.size for tensor in model.state_dict().values())
