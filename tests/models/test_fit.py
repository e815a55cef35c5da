"""Which networks name images of which size."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tinyconv import models
from tinyconv.errors import ArgumentError
from tinyconv.grad_mode import no_grad
from tinyconv.models import fit_classifier, fit_segmenter
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


def test_networks_that_make_images_are_to_be_given_labelled_ones() -> None:
    with pytest.raises(ArgumentError, match="; vae makes images: give it labelled ones"):
        fit_segmenter("vae", False, 1, 1, False, {})
