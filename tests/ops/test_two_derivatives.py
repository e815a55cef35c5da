"""Where a kernel computes a gradient and ops compute it again for higher derivatives, both agree."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F

TARGET = np.random.default_rng(1).random((2, 4, 6))

FUNCTIONS = {
    **{
        name: getattr(F, name)
        for name in (
            *("silu", "gelu", "mish", "logsigmoid", "softplus", "hardsigmoid", "hardswish", "hardshrink"),
            *("softshrink", "softsign", "tanhshrink", "selu", "celu"),
        )
    },
    "gelu by tanh": lambda x: F.gelu(x, approximate="tanh"),
    "softplus 2": lambda x: F.softplus(x, beta=2.0, threshold=1.0),
    "celu 2": lambda x: F.celu(x, alpha=2.0),
    "softmax": lambda x: F.softmax(x, 1),
    "log_softmax": lambda x: F.log_softmax(x, 1),
    "group_norm": lambda x: F.group_norm(x, 2),
    "layer_norm": lambda x: F.layer_norm(x, (6,)),
    "cross-entropy of logits": lambda x: F.binary_cross_entropy_with_logits(x, tc.tensor(TARGET)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_kernel_and_the_ops_give_one_gradient(name: str) -> None:
    x = tc.tensor(np.random.default_rng(0).normal(scale=2, size=(2, 4, 6)), requires_grad=True)
    y = FUNCTIONS[name](x)
    start = tc.tensor(np.random.default_rng(2).normal(size=y.shape))
    (by_kernel,) = tc.autograd.grad(y, x, start, retain_graph=True)
    (by_ops,) = tc.autograd.grad(y, x, start, create_graph=True)
    assert by_kernel is not None and by_ops is not None and not by_kernel.requires_grad
    np.testing.assert_allclose(by_ops.detach().numpy(), by_kernel.numpy(), rtol=1e-10, atol=1e-12)
