"""Which networks name images of which size."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tinyconv import models, nn
from tinyconv.errors import ArgumentError
from tinyconv.grad_mode import no_grad
from tinyconv.models import fit, fit_classifier, fit_segmenter, registry
from tinyconv.ops import zeros


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("lenet5", (1, 28, 28), (1, 28, 28)),
        ("lenet5", (3, 32, 32), (3, 28, 28)),
        ("lenet5", (3, 0, 0), (3, 28, 28)),
        ("lenet1989", (1, 8, 8), (1, 16, 16)),
        ("mlp", (3, 9, 7), (3, 9, 7)),
        ("mlp", (3, 0, 0), (3, 28, 28)),
        ("perceptron", (1, 8, 8), (1, 8, 8)),
        ("perceptron", (3, 0, 0), (3, 28, 28)),
        ("resnet20_cifar", (1, 28, 28), (1, 28, 28)),
        ("resnet20_cifar", (3, 0, 0), (3, 32, 32)),
        ("squeezenet1_1", (3, 64, 48), (3, 64, 48)),
    ],
)
def test_the_size_is_kept_or_the_networks_own(name, shape, expected) -> None:
    options, found = fit_classifier(name, shape, 7)
    assert found == expected
    model = models.create(name, **options).eval()
    with no_grad():
        assert model(zeros(2, *found)).shape == (2, 7)


@pytest.mark.parametrize(
    "name",
    ["unet_slides", "enet", "vae", "autoencoder", "dcgan", "unet3d_bn", "rednet", "calcium_wide"],
)
def test_others_are_refused(name: str) -> None:
    with pytest.raises(ArgumentError, match=f"MODEL is '{name}', expected a network that gives scores"):
        fit_classifier(name, (1, 28, 28), 10)
    with pytest.raises(ArgumentError, match="did you mean 'lenet5'"):
        fit_classifier("lenet", (1, 28, 28), 10)


def test_nothing_is_compiled_to_find_out() -> None:
    """It would take half a minute on a new machine, before anything is said."""
    lines = (
        "import sys",
        "from tinyconv.models import fit_classifier, fit_segmenter",
        "fit_classifier('lenet5', (1, 28, 28), 10)",
        "fit_segmenter('unet_bn', False, 1, 1, False, {'widths': (4, 8)})",
        "print('numba' in sys.modules)",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


@pytest.mark.parametrize("name", ["unet", "unet_bn", "segnet", "fcn8s"])
def test_networks_of_maps_are_refused_without_a_look_at_a_large_image(name: str, monkeypatch) -> None:
    """Their own size, 572 for a U-Net, is a minute's work."""
    sizes = []
    real = fit.zeros
    monkeypatch.setattr(fit, "zeros", lambda *shape: sizes.append(shape) or real(*shape))
    for shape in ((1, 8, 8), (3, 0, 0)):
        with pytest.raises(ArgumentError, match="expected a network that gives scores"):
            fit_classifier(name, shape, 10)
    assert sizes and max(map(max, sizes)) <= 64


@pytest.mark.parametrize("multiple", [1, 4, 4.0, "no"])
def test_a_network_of_the_users_own_may_have_an_attribute_of_that_name(multiple, monkeypatch) -> None:
    class Mine(nn.Sequential):
        def __init__(self, num_classes: int = 10, in_channels: int = 1) -> None:
            super().__init__(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * in_channels, num_classes))
            self.multiple = multiple

    monkeypatch.setattr(registry, "_builders", {**registry._builders, "mine": Mine})
    monkeypatch.setattr(registry, "_input_sizes", {**registry._input_sizes, "mine": (1, 100, 100)})
    assert fit_classifier("mine", (3, 70, 80), 7)[1] == (3, 70, 80)
    assert fit_classifier("mine", (1, 8, 8), 7)[1] == (1, 8, 8)
    expected = "multiple` of Mine is" if not isinstance(multiple, int) else "a network that gives maps"
    with pytest.raises(ArgumentError, match=expected):
        fit_segmenter("mine", False, 1, 7, False, {})


def test_networks_that_make_images_are_to_be_given_labelled_ones() -> None:
    with pytest.raises(ArgumentError, match="; vae makes images: give it labelled ones"):
        fit_segmenter("vae", False, 1, 1, False, {})
