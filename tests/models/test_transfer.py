"""Transfer: published layouts, features of a layer, and what trains with how much data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.models.twin import images, relative_error
from tinyconv import models, nn, optim
from tinyconv.errors import ArgumentError, DtypeError
from tinyconv.nn import functional as F

SMALL = {"width": 4, "hidden": 16, "num_classes": 5}


def trained(model: nn.Module) -> set[str]:
    return {name for name, p in model.named_parameters() if p.requires_grad}


def vgg16_of_pytorch(torch: Any) -> Any:
    """The layout of published VGG-16 weights, with fewer channels."""
    layers = torch.nn
    channels, features = 3, []
    for width, number in ((4, 2), (8, 2), (16, 3), (32, 3), (32, 3)):
        for _ in range(number):
            features += [layers.Conv2d(channels, width, 3, padding=1), layers.ReLU()]
            channels = width
        features.append(layers.MaxPool2d(2))
    net = layers.Module()
    net.features = layers.Sequential(*features)
    net.classifier = layers.Sequential(
        *(layers.Linear(32 * 49, 16), layers.ReLU(), layers.Dropout()),
        *(layers.Linear(16, 16), layers.ReLU(), layers.Dropout(), layers.Linear(16, 5)),
    )
    return net.eval()


def test_a_file_of_pytorch_and_back(tmp_path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file, save_file

    twin = vgg16_of_pytorch(torch)
    save_file(twin.state_dict(), tmp_path / "theirs.safetensors")
    model = models.create("vgg16", **SMALL).eval()
    model.load_state_dict(tc.load(tmp_path / "theirs.safetensors"))
    x = images(2, 3, 224, 224)
    z = twin.features(torch.from_numpy(x))
    assert z.shape[2:] == (7, 7)
    z = twin.classifier(z.flatten(1)).detach().numpy()
    assert relative_error(model(tc.tensor(x)).detach().numpy(), z) < 1e-4

    tc.save(model.state_dict(), tmp_path / "ours.safetensors")
    back = load_file(tmp_path / "ours.safetensors")
    assert set(back) == set(twin.state_dict())
    for name, values in twin.state_dict().items():
        assert back[name].dtype == values.dtype and torch.equal(back[name], values), name


def test_fc1_before_its_activation() -> None:
    """Slide deck S4: 4,096 values, of which some are below zero."""
    model = models.create("vgg16", width=1).eval()
    fc1 = models.feature_extractor(model, "classifier.0")
    x = tc.tensor(images(2, 3, 64, 64))
    features = fc1(x)
    assert features.shape == (2, 4096) and 0 < int((features < 0).sum()) < features.numel()
    by_hand = model.avgpool(model.features(x)).flatten(1).detach()
    expected = (
        by_hand.numpy() @ model.classifier[0].weight.data.numpy().T + model.classifier[0].bias.data.numpy()
    )
    np.testing.assert_allclose(features.detach().numpy(), expected, rtol=1e-4, atol=1e-6)


def test_nothing_after_the_layer_is_computed() -> None:
    model = models.create("resnet18", width=4).eval()
    called = []
    for name in ("layer2", "layer3", "fc"):
        model.get_submodule(name).register_forward_hook(lambda *_, name=name: called.append(name))
    features = models.feature_extractor(model, "layer2")
    assert features(tc.zeros(1, 3, 64, 64)).shape == (1, 8, 8, 8) and called == ["layer2"]
    assert model(tc.zeros(1, 3, 64, 64)).shape == (1, 1000)  # the hook is gone again
    assert features(tc.zeros(1, 3, 64, 64)).shape == (1, 8, 8, 8)
    features(tc.tensor(images(1, 3, 64, 64))).sum().backward()
    assert model.conv1.weight.grad is not None and model.fc.weight.grad is None


def test_layers_that_cannot_be_extracted() -> None:
    model = models.create("googlenet").eval()
    with pytest.raises(
        ArgumentError, match="feature_extractor: layer is 'aux1', expected a layer that the model"
    ):
        models.feature_extractor(model, "aux1")(tc.zeros(1, 3, 32, 32))
    with pytest.raises(ArgumentError, match="did you mean 'inception5b'"):
        models.feature_extractor(model, "inception5c")
    for layer in ("", None, 3):
        with pytest.raises(ArgumentError, match="feature_extractor: layer is"):
            models.feature_extractor(model, layer)
    with pytest.raises(DtypeError, match="feature_extractor: model is a function"):
        models.feature_extractor(images, "fc")


def test_frozen_parts_keep_their_values() -> None:
    model = models.create("vgg11", dropout=0.0, **SMALL)
    assert models.freeze(model.features) is model.features
    assert trained(model) == {f"classifier.{i}.{kind}" for i in (0, 3, 6) for kind in ("weight", "bias")}
    before = {name: np.array(p.data.numpy()) for name, p in model.named_parameters()}
    optimizer = optim.SGD(model.parameters(), lr=1.0, momentum=0.9, weight_decay=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        F.cross_entropy(model(tc.tensor(images(4, 3, 32, 32))), tc.tensor([0, 1, 2, 3])).backward()
        optimizer.step()
    changed = {name for name, p in model.named_parameters() if (p.data.numpy() != before[name]).any()}
    assert changed == trained(model)
    models.unfreeze(model)
    assert trained(model) == set(before)
    with pytest.raises(DtypeError, match="unfreeze: module is a str"):
        models.unfreeze("features")


CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
"""Their numbers in VGG-16's features: two, two, three, three, three, with a pooling after each block."""


@pytest.mark.parametrize(
    ("regime", "first", "convolutions", "linear"),
    (
        ("very small", None, 0, (6,)),
        ("small", None, 0, (0, 3, 6)),
        ("more", None, 3, (0, 3, 6)),
        ("medium", None, 9, (0, 3, 6)),
        ("medium", 0, 13, (0, 3, 6)),
        ("more", 12, 1, (0, 3, 6)),
    ),
)
def test_four_regimes(regime: str, first: int | None, convolutions: int, linear: tuple[int, ...]) -> None:
    model = models.create("vgg16", **SMALL)
    weights = {name: np.array(p.data.numpy()) for name, p in model.named_parameters()}
    names = models.set_regime(model, regime, first)
    layers = [f"features.{i}" for i in CONVOLUTIONS[13 - convolutions :]] + [
        f"classifier.{i}" for i in linear
    ]
    assert names == [f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]
    assert trained(model) == set(names)
    assert all((p.data.numpy() == weights[name]).all() for name, p in model.named_parameters())


def test_regimes_of_other_nets() -> None:
    model = models.create("resnet18", width=4)
    assert models.set_regime(model, "small") == ["fc.weight", "fc.bias"]
    assert "conv1.weight" not in models.set_regime(model, "medium")
    assert "layer4.1.bn2.weight" in models.set_regime(model, "more")
    assert len(models.set_regime(model, "medium", first=0)) == len(list(model.parameters()))


def test_a_normalisation_goes_with_its_convolution() -> None:
    """The regimes of VGG-16 begin with the same blocks where each convolution is normalised."""
    model = models.create("vgg16_bn", **SMALL)
    assert models.set_regime(model, "more")[:4] == [
        f"features.{i}.{kind}" for i in (34, 35) for kind in ("weight", "bias")
    ]
    assert models.set_regime(model, "medium")[0] == "features.14.weight"


def test_auxiliary_classifiers_are_classifiers() -> None:
    model = models.create("googlenet", num_classes=3)
    auxiliary = {name for name, _ in model.named_parameters() if name.startswith("aux")}
    head = {"fc.weight", "fc.bias"}
    assert len(auxiliary) == 14
    assert set(models.set_regime(model, "very small")) == head
    assert set(models.set_regime(model, "small")) == auxiliary | head
    deepest = set(models.set_regime(model, "more")) - auxiliary - head
    assert {name.split(".")[0] for name in deepest} == {"inception4e", "inception5a", "inception5b"}


def test_wrong_regimes() -> None:
    model = models.create("vgg11", **SMALL)
    for regime in ("large", "", None):
        with pytest.raises(
            ArgumentError, match=r"set_regime: regime is .*'very small', 'small', 'more', 'medium'"
        ):
            models.set_regime(model, regime)
    with pytest.raises(ArgumentError, match="set_regime: first is 2, expected None with 'small'"):
        models.set_regime(model, "small", first=2)
    for first in (-1, 9, 1.0, True):
        with pytest.raises(ArgumentError, match=r"set_regime: first is .*an int from 0 to 8"):
            models.set_regime(model, "medium", first=first)
    with pytest.raises(ArgumentError, match="a model with a part classifier or fc"):
        models.set_regime(models.create("mlp"), "small")
    with pytest.raises(DtypeError, match="set_regime: model is a list"):
        models.set_regime([], "small")
    assert trained(model) == {name for name, _ in model.named_parameters()}  # a refusal changes nothing
