"""Weights that others have trained on ImageNet, for the networks that torchvision has too.

>>> from tinyconv import models
>>> net = models.create("vgg16", weights="IMAGENET1K_V1")  # doctest: +SKIP

They come from PyTorch's server, as torchvision's do, and are read by tinyconv's own reader, which
admits tensors only. The last eight digits in the name of a file are the first of its SHA-256. More of
it is not published: enough to notice a damaged file, too little to rely on against a forged one, for
which there is the encrypted connection.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from tinyconv.data.catalogue import ROOT_VARIABLE
from tinyconv.data.download import RemoteFile, download
from tinyconv.errors import ArgumentError, CheckpointError
from tinyconv.io import load, not_finite
from tinyconv.nn import Module

HOST = "https://download.pytorch.org/models/"
HOME = "https://docs.pytorch.org/vision/stable/models.html"
TERMS = "torchvision's (BSD 3-Clause); ImageNet's images have terms of their own"

FILES: dict[str, dict[str, str]] = {
    "alexnet": {"IMAGENET1K_V1": "alexnet-owt-7be5be79.pth"},
    "densenet121": {"IMAGENET1K_V1": "densenet121-a639ec97.pth"},
    "densenet169": {"IMAGENET1K_V1": "densenet169-b2777c0a.pth"},
    "googlenet": {"IMAGENET1K_V1": "googlenet-1378be20.pth"},
    "resnet18": {"IMAGENET1K_V1": "resnet18-f37072fd.pth"},
    "resnet34": {"IMAGENET1K_V1": "resnet34-b627a593.pth"},
    "resnet50": {"IMAGENET1K_V1": "resnet50-0676ba61.pth", "IMAGENET1K_V2": "resnet50-11ad3fa6.pth"},
    "resnet101": {"IMAGENET1K_V1": "resnet101-63fe2227.pth", "IMAGENET1K_V2": "resnet101-cd907fc2.pth"},
    "squeezenet1_1": {"IMAGENET1K_V1": "squeezenet1_1-b8a52dc0.pth"},
    "vgg11": {"IMAGENET1K_V1": "vgg11-8a719046.pth"},
    "vgg11_bn": {"IMAGENET1K_V1": "vgg11_bn-6002323d.pth"},
    "vgg13": {"IMAGENET1K_V1": "vgg13-19584684.pth"},
    "vgg13_bn": {"IMAGENET1K_V1": "vgg13_bn-abd245e5.pth"},
    "vgg16": {"IMAGENET1K_V1": "vgg16-397923af.pth"},
    "vgg16_bn": {"IMAGENET1K_V1": "vgg16_bn-6c64b313.pth"},
    "vgg19": {"IMAGENET1K_V1": "vgg19-dcbb9e9d.pth"},
    "vgg19_bn": {"IMAGENET1K_V1": "vgg19_bn-c79401a0.pth"},
}
"""Of each network: torchvision's names of its weights, the newest last, and their files."""

DEFAULT = "DEFAULT"
"""torchvision's name for the newest weights of a network."""


def names(model: str) -> list[str]:
    """What weights of a network there are to download; none for most networks."""
    return list(FILES.get(model, ()))


def remote_file(model: str, weights: str = DEFAULT) -> RemoteFile:
    """Where weights are, and how to know them."""
    known = names(model)
    if weights not in (*known, *([DEFAULT] if known else [])):
        expected = f"one of {', '.join([DEFAULT, *known])}" if known else "a file: none are published"
        raise ArgumentError("models.create", f"weights of {model}", repr(weights), expected)
    name = FILES[model][known[-1] if weights == DEFAULT else weights]
    start = name.removesuffix(".pth").rpartition("-")[2]
    return RemoteFile(name, (HOST + name,), sha256_start=start)


def folder(root: str | os.PathLike[str] | None = None) -> Path:
    """Where weights are kept: below `root`, else ``$TINYCONV_DATA``, else the user's cache."""
    given = root or os.environ.get(ROOT_VARIABLE)
    return (Path(given) if given else _cache() / "tinyconv") / "weights"


def _cache() -> Path:
    """Where the system wants files that can be had again."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def get(
    model: str, weights: str = DEFAULT, root: str | os.PathLike[str] | None = None, show: bool = True
) -> Path:
    """The file of published weights; it is downloaded unless it is there.

    Parameters
    ----------
    model : str
        A name of `models.list()`.
    weights : str
        One of `names`, or ``"DEFAULT"``, the newest.
    root : path, optional
        See `folder`.
    show : bool
        Whether to show progress.

    Raises
    ------
    ArgumentError
        If there are no such weights.
    DownloadError, DataError, StorageError
        As `data.download.download`.
    """
    return download(remote_file(model, weights), folder(root), show=show)


def is_published(weights: Any) -> bool:
    """Whether `weights` is a name of torchvision's, and not that of a file."""
    return isinstance(weights, str) and weights in {DEFAULT, *(name for of in FILES.values() for name in of)}


def load_into(net: Module, path: str | os.PathLike[str], published: bool) -> None:
    """Put the weights in a file into a network.

    Raises
    ------
    CheckpointError
        If the file cannot be read, holds anything but one dict of tensors, has other names or
        shapes than the network, or a number in it is NaN or infinite.
    """
    state = load(path, allow_nan=True)  # refused below
    if not isinstance(state, dict) or not all(hasattr(value, "shape") for value in state.values()):
        names = ", ".join(map(str, state)) if isinstance(state, dict) else ""
        found = f"a {type(state).__name__}" + (f" of {names}" if names else "")
        raise CheckpointError("models.create", repr(os.fspath(path)), found, "tensors by their names")
    bad = not_finite({name: getattr(value, "array", value) for name, value in state.items()})
    if bad:
        found = f"not finite in {', '.join(bad[:4])}" + (", …" if len(bad) > 4 else "")
        raise CheckpointError("models.create", repr(os.fspath(path)), found, "weights that are numbers")
    if published and not getattr(net, "aux_logits", True):  # GoogLeNet's, which the file has
        state = {name: value for name, value in state.items() if not name.startswith("aux")}
    net.load_state_dict(state)
