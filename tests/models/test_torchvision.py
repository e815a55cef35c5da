"""The networks that torchvision has too: its names, its shapes, and its outputs from its own weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.models.twin import images, relative_error
from tinyconv import models
from tinyconv.models.published import FILES


@pytest.fixture(scope="module")
def vision() -> Any:
    """torchvision's models, if there is a torchvision that fits the PyTorch that is there."""
    pytest.importorskip("torch")
    try:
        import torchvision.models
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"no torchvision for this PyTorch: {error}")
    return torchvision.models


def built(vision: Any, name: str) -> Any:
    options = {"aux_logits": True, "init_weights": False} if name == "googlenet" else {}
    return getattr(vision, name)(weights=None, **options)


@pytest.mark.parametrize("name", FILES)
def test_names_order_and_shapes(vision: Any, name: str) -> None:
    import torch

    with torch.device("meta"):
        theirs = [(key, tuple(x.shape)) for key, x in built(vision, name).state_dict().items()]
    assert [(key, x.shape) for key, x in models.create(name).state_dict().items()] == theirs


@pytest.mark.parametrize("name", ["alexnet", "vgg11_bn", "googlenet", "resnet50", "squeezenet1_1"])
def test_outputs(vision: Any, name: str) -> None:
    import torch

    torch.manual_seed(0)
    theirs = built(vision, name).eval()
    ours = models.create(name).eval()
    ours.load_state_dict({key: x.numpy() for key, x in theirs.state_dict().items()})
    x = images(1, 3, 97, 128)
    with torch.no_grad(), tc.no_grad():
        assert relative_error(ours(tc.tensor(x)).numpy(), theirs(torch.from_numpy(x)).numpy()) < 1e-4


def test_weights_are_where_torchvision_has_them(vision: Any) -> None:
    for name in FILES:
        kinds = vision.get_model_weights(name)
        ours = {kind: models.published.remote_file(name, kind).urls[0] for kind in FILES[name]}
        assert ours == {kind: kinds[kind].url for kind in FILES[name]}
        assert models.published.remote_file(name).urls[0] == kinds.DEFAULT.url


def test_weights_are_loaded_as_torchvision_does(vision: Any, tmp_path: Any) -> None:
    """DenseNet's published file says ``norm.1`` where today it is ``norm1``, and counts no batches."""
    import torch

    torch.manual_seed(0)
    theirs = vision.densenet121(weights=None).eval()
    old = {
        key.replace("norm1", "norm.1").replace("conv2", "conv.2"): value
        for key, value in theirs.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    torch.save(old, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    ours = models.create("densenet121", weights=tmp_path / "old.pth").eval()
    for key, value in theirs.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            np.testing.assert_array_equal(ours.state_dict()[key].numpy(), value.numpy())
