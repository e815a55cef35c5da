"""Cases are the same in every process, and the networks are the same in both engines."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv.benchmark.agreement import disagreement, euclidean_distance, largest_difference
from tinyconv.benchmark.case import Layer, Network, from_json, to_json
from tinyconv.benchmark.networks import NETWORKS, loss_function, target, weights
from tinyconv.benchmark.short import jobs

LAYERS = [
    Layer(2, 4, 6, (7, 9)),
    Layer(1, 4, 6, (9, 9), kernel=5, padding=2, stride=2, dilation=2),
    Layer(1, 4, 4, (8, 8), groups=4),
    Layer(1, 4, 6, (5,), groups=2),
    Layer(1, 6, 4, (5, 6), kernel=2, padding=0, stride=2, transposed=True, groups=2),
    Layer(1, 2, 3, (4, 5, 6)),
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_sizes_are_those_of_the_convolution(layer):
    x, weight, bias, gradient = map(tc.from_numpy, layer.arrays())
    with tc.kernel_backend("reference"):
        output = getattr(F, layer.function)(x, weight, bias, **layer.options)
    assert output.shape == gradient.shape == (layer.batch, layer.out_channels, *layer.output_size)


def test_multiply_adds_by_hand():
    assert LAYERS[0].multiply_adds == 2 * 6 * 7 * 9 * 4 * 3 * 3
    assert LAYERS[2].multiply_adds == 4 * 8 * 8 * 3 * 3
    assert LAYERS[4].multiply_adds == 5 * 6 * 6 * 4 // 2 * 2 * 2, "each input pixel meets each weight"


def test_cases_travel_as_json_and_give_the_same_numbers():
    for case in [*LAYERS, *(case for case, _ in jobs())]:
        assert from_json(to_json(case)) == case
    first, second = LAYERS[0].arrays(), from_json(to_json(LAYERS[0])).arrays()
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "vgg16_imagenet"])
def test_networks_have_the_same_weights_in_pytorch(name):
    torch = pytest.importorskip("torch")
    theirs = {key: tuple(value.shape) for key, value in NETWORKS[name](torch).state_dict().items()}
    assert {key: value.shape for key, value in weights(name).items()} == theirs


def test_the_unet_is_that_of_the_course():
    from tinyconv import models

    ours = models.create("unet_slides").state_dict()
    assert {key: value.shape for key, value in weights("unet").items()} == {
        key: tuple(value.shape) for key, value in ours.items()
    }


def test_the_large_vgg16_is_that_of_the_paper():
    from tinyconv import models

    ours = [parameter.shape for parameter in models.create("vgg16").parameters()]
    assert [parameter.shape for parameter in NETWORKS["vgg16_imagenet"](tc).parameters()] == ours


def test_losses_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    case = Network("unet", 2, (3, 8, 8))
    chance = np.random.default_rng(0).uniform(0.1, 0.9, (2, 1, 8, 8)).astype(np.float32)
    for name, value in {"unet": chance, "unet3d": chance}.items():
        ours, theirs = (
            float(loss_function(tc_or_torch, name)(*map(tc_or_torch.from_numpy, (value, target(case)))))
            for tc_or_torch in (tc, torch)
        )
        assert ours == pytest.approx(theirs, rel=1e-6)


def test_labels_and_masks():
    assert target(Network("mlp", 64, (784,))).shape == (64,)
    masks = target(Network("unet3d", 1, (1, 8, 8, 8)))
    assert masks.shape == (1, 1, 8, 8, 8) and set(np.unique(masks)) == {0, 1}


def test_what_counts_as_agreement():
    right = {"a": np.array([1.0, -4.0]), "b": np.zeros(2)}
    assert disagreement({"a": np.array([1.0, -4.0003]), "b": np.zeros(2)}, right, "forward") == ""
    wrong = {"a": np.array([1.0, -4.004]), "b": np.zeros(2)}
    assert disagreement(wrong, right, "forward") == "a is off by 1.0e-03 (allowed: 1e-04)"
    assert disagreement({"a": right["a"]}, right, "forward") == "b is missing"
    assert "shape (1,), not (2,)" in disagreement({"a": np.zeros(1), "b": np.zeros(2)}, right, "forward")
    assert "b is off by inf" in disagreement({"a": right["a"], "b": np.array([0, 1e-9])}, right, "forward")
    assert np.isnan(largest_difference(np.array([np.nan]), np.array([1.0])))


def test_gradients_of_a_network_are_compared_as_vectors_and_its_loss_strictly():
    right = {"loss": np.asarray(2.0), "gradient": np.array([3.0, 4.0, 0.0])}
    assert euclidean_distance(np.array([3.0, 4.0, 0.1]), right["gradient"]) == pytest.approx(0.02)
    near = {"loss": np.asarray(2.0001), "gradient": np.array([3.0, 4.0, 0.1])}
    assert disagreement(near, right, "training step") == ""
    assert "gradient is off by 4.0e-02" in disagreement(
        {**near, "gradient": np.array([3.0, 4.0, 0.2])}, right, "training step"
    )
    assert "loss is off by 1.0e-03" in disagreement(
        {**near, "loss": np.asarray(2.002)}, right, "training step"
    )
