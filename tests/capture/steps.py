"""Small networks, and a training step of each, eager and compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.gpu import to_host
from tinyconv import nn


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 12), nn.Tanh(), nn.Linear(12, 5))


def lenet() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(32, 20), nn.ReLU(), nn.Linear(20, 5)),
    )


class Residual(nn.Module):
    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.down = nn.Conv2d(inputs, width, 1, stride=stride) if inputs != width else nn.Identity()

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(y + self.down(x))


def resnet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), Residual(8, 8, 1), Residual(8, 16, 2), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(16, 5),
    )  # fmt: skip


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ELU(), nn.Dropout(0.3))
        self.bottom = nn.Sequential(nn.Conv2d(8, 16, 3, padding=1), nn.ELU(), nn.Dropout2d(0.2))
        self.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.head = nn.Conv2d(16, 5, 1)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        skips = [self.down(x)]
        y = self.up(self.bottom(F.max_pool2d(skips[-1], 2)))
        return self.head(tc.cat([y, skips.pop()], dim=1)).mean((2, 3))


NETWORKS: dict[str, Callable[[], nn.Module]] = {"mlp": mlp, "lenet": lenet, "resnet": resnet, "unet": UNet}
OPTIMISERS: dict[str, Callable[[Any], tc.optim.Optimizer]] = {
    "sgd": lambda params: tc.optim.SGD(params, lr=0.05, momentum=0.9, weight_decay=1e-3),
    "adam": lambda params: tc.optim.Adam(params, lr=1e-2),
    "adamw": lambda params: tc.optim.AdamW(params, lr=1e-2),
}


def batches(network: str, count: int, size: int = 6, seed: int = 5) -> list[tuple[tc.Tensor, tc.Tensor]]:
    rng = np.random.default_rng(seed)
    shape = (size, 20) if network == "mlp" else (size, 1, 16, 16)
    return [
        (tc.tensor(rng.random(shape, dtype=np.float32)), tc.tensor(rng.integers(0, 5, size)))
        for _ in range(count)
    ]


class Training:
    """A network, its optimiser and schedule, and one step of training, from one seed."""

    def __init__(
        self, network: str = "mlp", optimiser: str = "sgd", compiled: bool = True, smoothing: float = 0.0
    ) -> None:
        tc.manual_seed(11)
        self.model = NETWORKS[network]()
        self.optimizer = OPTIMISERS[optimiser](self.model.parameters())
        self.scheduler = tc.optim.lr_scheduler.StepLR(self.optimizer, 3, gamma=0.7)
        model, optimizer, scheduler = self.model, self.optimizer, self.scheduler

        def step(x: tc.Tensor, y: tc.Tensor) -> tc.Tensor:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y, label_smoothing=smoothing)
            loss.backward()
            optimizer.step()
            scheduler.step()
            return loss

        self.step: Any = tc.compile(step) if compiled else step

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """All that a step changes: weights, statistics, gradients, averages, rates."""
        found = {name: value.numpy().copy() for name, value in self.model.state_dict().items()}
        for name, parameter in self.model.named_parameters():
            if parameter.grad is not None:
                found[f"gradient of {name}"] = parameter.grad.numpy().copy()
            for key, value in self.optimizer.state.get(parameter, {}).items():
                found[f"{key} of {name}"] = to_host(value)
        found["rates"] = np.array([group["lr"] for group in self.optimizer.param_groups])
        found["masks drawn"] = np.array(tc.get_rng_state()["masks_drawn"])
        return found


def assert_same(one: dict[str, Any], two: dict[str, Any]) -> None:
    """Every array has the same bits in both."""
    assert one.keys() == two.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, two[name], err_msg=name, strict=True)
