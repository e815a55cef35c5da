"""The cross-entropy of logits: PyTorch's, and the fast twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinyconv.kernels import find_kernel
from tinyconv.kernels.reference import binary_loss as reference

pytestmark = pytest.mark.usefixtures("any_size")


def test_is_pytorchs_far_from_zero_too() -> None:
    torch = pytest.importorskip("torch")
    x = np.array([-800.0, -30, -1, 0, 0.5, 30, 800] * 3)
    target = np.repeat([0.0, 0.3, 1.0], 7)
    grad = np.linspace(1, 2, 21)
    tensor = torch.tensor(x, requires_grad=True)
    losses = torch.nn.functional.binary_cross_entropy_with_logits(
        tensor, torch.tensor(target), reduction="none"
    )
    losses.backward(torch.tensor(grad))
    ours = reference.logits_cross_entropy(x, target)
    np.testing.assert_allclose(ours, losses.detach().numpy(), rtol=1e-12)
    computed = reference.logits_cross_entropy_backward(grad, x, target)
    np.testing.assert_allclose(computed, tensor.grad.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("order", range(0, 48, 5))
def test_fast_is_the_float64_reference(make_array: Any, order: int) -> None:
    x, grad = make_array((3, 5, 17, 9), order), make_array((3, 5, 17, 9), order + 1, seed=1)
    target = np.abs(np.sin(make_array(x.shape, order + 2, seed=2)))
    wide = x.astype(np.float64), target.astype(np.float64)
    losses = find_kernel("cpu", "binary_loss", "logits_cross_entropy")(x, target)
    assert losses.dtype == np.float32
    np.testing.assert_allclose(losses, reference.logits_cross_entropy(*wide), rtol=1e-6, atol=1e-6)
    computed = find_kernel("cpu", "binary_loss", "logits_cross_entropy_backward")(grad, x, target)
    right = reference.logits_cross_entropy_backward(grad.astype(np.float64), *wide)
    np.testing.assert_allclose(computed, right, rtol=1e-6, atol=1e-6)
