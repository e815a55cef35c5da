"""Published weights: a server on this machine, on which all goes wrong that can, plays PyTorch's."""

from __future__ import annotations

import hashlib
import socket
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.data.web_server import WebServer
from tests.models.twin import images
from tinyconv import models
from tinyconv.data import download
from tinyconv.errors import ArgumentError, CheckpointError, DataError, DownloadError
from tinyconv.models import published

NAME = "squeezenet1_1"


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Weights of `NAME` as PyTorch writes them."""
    torch = pytest.importorskip("torch")
    tc.manual_seed(3)
    state = {key: torch.from_numpy(x.numpy()) for key, x in models.create(NAME).state_dict().items()}
    path = tmp_path_factory.mktemp("made") / "weights.pth"
    torch.save(state, path)
    return path.read_bytes()


@pytest.fixture
def server(content: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[WebServer]:
    """What stands for PyTorch's server; the cache is below `tmp_path`."""
    monkeypatch.setattr(download, "PAUSE_SECONDS", 0.0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("TINYCONV_DATA", str(tmp_path))
    server = WebServer()
    name = f"{NAME}-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    server.files[name] = content
    monkeypatch.setattr(published, "HOST", server.url)
    monkeypatch.setitem(published.FILES, NAME, {"IMAGENET1K_V1": name})
    yield server
    server.close()


def file_name() -> str:
    return published.FILES[NAME]["IMAGENET1K_V1"]


def test_weights_are_fetched_once_and_read_without_pickle(server: WebServer, tmp_path: Path) -> None:
    net = models.create(NAME, weights="IMAGENET1K_V1")
    tc.manual_seed(3)
    expected = models.create(NAME)
    for (name, mine), other in zip(net.state_dict().items(), expected.state_dict().values(), strict=True):
        np.testing.assert_array_equal(mine.numpy(), other.numpy(), err_msg=name)
    path = tmp_path / "weights" / file_name()
    assert path.is_file() and published.get(NAME, show=False) == path
    models.create(NAME, weights="DEFAULT")
    models.create(NAME, weights=path)
    assert server.requests == [(f"/{file_name()}", None)]
    tc.save(net.state_dict(), tmp_path / "weights.safetensors")
    again = models.create(NAME, weights=str(tmp_path / "weights.safetensors"))
    x = tc.tensor(images(1, 3, 40, 40))
    np.testing.assert_array_equal(again.eval()(x).detach(), expected.eval()(x).detach())


def test_a_broken_connection_is_taken_up_again(server: WebServer, content: bytes) -> None:
    server.break_after = [1_000_000, 500_000]
    assert published.get(NAME, show=False).read_bytes() == content
    assert [span for _, span in server.requests] == [None, "bytes=1000000-", "bytes=1500000-"]


def test_a_download_that_never_ends_well(server: WebServer, tmp_path: Path) -> None:
    server.break_after = [1000] * 4
    with pytest.raises(DownloadError, match="broke off after 4,000 of"):
        models.create(NAME, weights="DEFAULT")
    assert [path.name for path in (tmp_path / "weights").iterdir()] == [f"{file_name()}.part"]


def test_another_file_is_refused(server: WebServer, content: bytes, tmp_path: Path) -> None:
    server.files[file_name()] = content[:-1] + b"x"
    wanted = file_name().removesuffix(".pth")[-8:]
    with pytest.raises(DataError, match=rf"is of sha256 [0-9a-f]{{64}}, expected sha256 {wanted}…"):
        models.create(NAME, weights="DEFAULT")
    assert not list((tmp_path / "weights").iterdir())


def test_no_file_and_no_server(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.files.clear()
    with pytest.raises(DownloadError, match=r"answered with 404.*"):
        models.create(NAME, weights="DEFAULT")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setattr(published, "HOST", f"http://127.0.0.1:{free.getsockname()[1]}/")
        with pytest.raises(DownloadError, match="is there an internet connection"):
            models.create(NAME, weights="DEFAULT")


def test_other_weights_than_there_are(server: WebServer, tmp_path: Path) -> None:
    for name, options, expected in (
        (NAME, {"weights": "IMAGENET1K_V2"}, "one of DEFAULT, IMAGENET1K_V1"),
        (NAME, {"weights": "imagenet"}, "'imagenet', expected a file, or one of DEFAULT, IMAGENET1K_V1"),
        ("unet", {"weights": "DEFAULT"}, "weights of unet is 'DEFAULT', expected a file: none are published"),
        ("unet", {"weights": tmp_path / "gone.pth"}, "gone.pth', expected a file"),
        (NAME, {"weights": "DEFAULT", "num_classes": 5}, "num_classes is 5, expected 1000, as these weights"),
        (NAME, {"pretrained": True}, "pretrained is True, expected weights='DEFAULT' in its place"),
    ):
        with pytest.raises(ArgumentError, match=expected):
            models.create(name, **options)
    assert not server.requests


def test_files_that_are_not_these_weights(tmp_path: Path) -> None:
    tc.save({"state": {"a": tc.ones(1)}, "epoch": 3}, tmp_path / "checkpoint")
    with pytest.raises(CheckpointError, match="is a dict of state, epoch, expected tensors by their names"):
        models.create(NAME, weights=tmp_path / "checkpoint")
    tc.save([tc.ones(1)], tmp_path / "list")
    with pytest.raises(CheckpointError, match="is a list, expected tensors by their names"):
        models.create(NAME, weights=tmp_path / "list")
    tc.save(models.create("lenet5").state_dict(), tmp_path / "lenet")
    with pytest.raises(CheckpointError, match=r"SqueezeNet\.load_state_dict"):
        models.create(NAME, weights=tmp_path / "lenet")
    models.create("lenet5", weights=tmp_path / "lenet")


def test_googlenet_as_its_weights_were_trained(
    server: WebServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On images scaled otherwise, and with auxiliary classifiers, which not everybody wants."""
    torch = pytest.importorskip("torch")
    net = models.create("googlenet")
    torch.save({k: torch.from_numpy(x.numpy()) for k, x in net.state_dict().items()}, tmp_path / "made")
    content = (tmp_path / "made").read_bytes()
    name = f"googlenet-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    server.files[name] = content
    monkeypatch.setitem(published.FILES, "googlenet", {"IMAGENET1K_V1": name})
    without: Any = models.create("googlenet", weights="DEFAULT", aux_logits=False)
    assert without.transform_input and not hasattr(without, "aux1")
    assert not models.create("googlenet", weights="DEFAULT", transform_input=False).transform_input
    with pytest.raises(CheckpointError, match="unexpected"):
        models.create("googlenet", weights=tmp_path / "made", aux_logits=False)


def test_where_they_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TINYCONV_DATA", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert published.folder() == tmp_path / "tinyconv" / "weights"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert published.folder() == Path.home() / ".cache" / "tinyconv" / "weights"
    monkeypatch.setenv("TINYCONV_DATA", "there")
    assert published.folder() == Path("there") / "weights"
    assert published.folder("here") == Path("here") / "weights"


def test_the_table() -> None:
    assert set(published.FILES) <= set(models.list()) and published.names("unet") == []
    assert published.remote_file("vgg16").urls == ("https://download.pytorch.org/models/vgg16-397923af.pth",)
    assert published.remote_file("resnet50").name == "resnet50-11ad3fa6.pth"
    assert published.remote_file("resnet50", "IMAGENET1K_V1").name == "resnet50-0676ba61.pth"
    for model in published.FILES:
        for weights in published.names(model):
            file = published.remote_file(model, weights)
            assert file.checksum == ("sha256", file.name.removesuffix(".pth")[-8:])


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, suffix: str) -> None:
    state = models.create("perceptron").state_dict()
    name, value = next(iter(state.items()))
    value.detach()[0] = np.nan
    path = tmp_path / f"w.{suffix}"
    if suffix == "pth":
        torch = pytest.importorskip("torch")
        torch.save({key: torch.from_numpy(tensor.numpy()) for key, tensor in state.items()}, path)
    else:
        tc.save(state, path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(CheckpointError, match=f"not finite in {name}, expected weights that are numbers"):
            models.create("perceptron", weights=path)
