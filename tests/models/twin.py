"""What the tests of all families ask of a network, and the comparison with its twin in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import tinyconv as tc
from tinyconv import nn, optim
from tinyconv.nn import functional as F


def count(module: Any) -> int:
    """The number of parameters."""
    return sum(parameter.numel() for parameter in module.parameters())


def images(*shape: int, seed: int = 0) -> Any:
    """Normal numbers in float32."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def relative_error(got: Any, expected: Any) -> float:
    """The norm of the difference, in norms of what is expected."""
    return float(np.linalg.norm(got - expected) / np.linalg.norm(expected))


def shuffle_state(model: nn.Module) -> None:
    """Other numbers for biases and for what batch normalisation keeps, which begin as zeros and ones."""
    random = np.random.default_rng(1)
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if (
            name.endswith("num_batches_tracked")
            or (tensor.data.numpy() != tensor.data.numpy().ravel()[:1]).any()
        ):
            continue
        tensor.data.copy_(random.uniform(0.5, 1.5, tensor.shape))


def assert_same_as(twin: Any, model: nn.Module, *inputs: Any, within: float = 1e-4) -> None:
    """From one state dict, with the same names and shapes, the outputs and gradients are PyTorch's.

    Compared are the output in evaluation, and, with dropout off, output and gradients in training.
    """
    import torch

    shuffle_state(model)
    state = {name: torch.from_numpy(np.array(x.data.numpy())) for name, x in model.state_dict().items()}
    theirs = {name: tuple(x.shape) for name, x in twin.state_dict().items()}
    assert {name: tuple(x.shape) for name, x in state.items()} == theirs
    assert list(state) == list(theirs)
    twin.load_state_dict(state)
    ours, other = [tc.tensor(x) for x in inputs], [torch.from_numpy(x) for x in inputs]
    with tc.no_grad(), torch.no_grad():
        assert relative_error(model.eval()(*ours).numpy(), twin.eval()(*other).numpy()) < within
    model.train(), twin.train()
    for net, base in ((model, nn.Dropout), (twin, torch.nn.Dropout)):
        for module in net.modules():
            if isinstance(module, base):
                module.p = 0.0
    mine, its = _outputs(model(*ours)), _outputs(twin(*other))
    assert len(mine) == len(its)
    for a, b in zip(mine, its, strict=True):
        assert relative_error(a.detach().numpy(), b.detach().numpy()) < within
    sum((a * a).mean() for a in mine).backward()
    sum((b * b).mean() for b in its).backward()
    gradients = {name: p.grad.numpy() for name, p in twin.named_parameters()}
    whole = float(np.sqrt(sum(float((g**2).sum()) for g in gradients.values())))
    for name, p in model.named_parameters():
        error = float(np.linalg.norm(p.grad.numpy() - gradients[name]))
        assert error < 20 * within * np.linalg.norm(gradients[name]) + within * whole, name


def _outputs(y: Any) -> Sequence[Any]:
    return list(y) if isinstance(y, tuple) else [y]


def assert_one_step_changes_all(model: nn.Module, *shape: int) -> None:
    """After one training step no parameter is what it was, and all are finite."""
    before = {name: np.array(p.data.numpy()) for name, p in model.named_parameters()}
    x, y = tc.tensor(images(*shape)), tc.tensor(np.arange(shape[0]) % 2)
    model.train()
    sum(F.cross_entropy(scores, y) for scores in _outputs(model(x))).backward()
    optim.SGD(model.parameters(), lr=0.1).step()
    for name, p in model.named_parameters():
        assert np.isfinite(p.data.numpy()).all(), name
        assert (p.data.numpy() != before[name]).any(), name


def steps_to_overfit(
    model: nn.Module,
    x: Any,
    most: int = 60,
    lr: float = 1e-3,
    loss: Callable[..., Any] = F.cross_entropy,
    **options: Any,
) -> int:
    """Steps of Adam until the network tells eight images of eight classes apart, without a doubt."""
    assert len(x) == 8
    x, y = tc.tensor(x), tc.tensor(np.arange(8))
    optimizer = optim.Adam(model.parameters(), lr=lr, **options)
    for step in range(1, most + 1):
        optimizer.zero_grad()
        outputs = _outputs(model.train()(x))
        sum(loss(scores, y) for scores in outputs).backward()
        optimizer.step()
        scores = outputs[0].detach().numpy()
        right = (scores.argmax(axis=1) == np.arange(8)).all()
        if right and loss(outputs[0].detach(), y).item() < 0.1:
            return step
    raise AssertionError(f"after {most} steps the loss is {loss(outputs[0].detach(), y).item():.3f}")
