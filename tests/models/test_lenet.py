"""LeNet: counts of the two papers, the twins in PyTorch, and which map sees which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.models.twin import (
    assert_one_step_changes_all,
    assert_same_as,
    count,
    images,
    steps_to_overfit,
)
from tinyconv import models, nn
from tinyconv.errors import ArgumentError, ShapeError


def targets_of_one(scores: tc.Tensor, label: tc.Tensor) -> tc.Tensor:
    """The loss of 1989: squares, +1 being wanted for the digit and -1 for the others."""
    return ((scores - (2 * nn.functional.one_hot(label, 8).float() - 1)) ** 2).mean()


def test_counts() -> None:
    assert count(models.create("lenet5")) == 156 + 2416 + 48_120 + 10_164 + 850 == 61_706
    first = models.create("lenet1989")
    by_layer = [25 * 12 + 768, 12 * 8 * 25 + 192, 192 * 30 + 30, 30 * 10 + 10]
    assert by_layer == [1068, 2592, 5790, 310]  # each as in the paper of 1989
    assert count(first) == sum(by_layer) == 9760


@pytest.mark.parametrize("activation", ("tanh", "relu"))
@pytest.mark.parametrize("pooling", ("average", "max"))
def test_lenet5_and_its_twin(activation: str, pooling: str) -> None:
    torch = pytest.importorskip("torch")
    layers, functions = torch.nn, torch.nn.functional
    pool = {"average": functions.avg_pool2d, "max": functions.max_pool2d}[pooling]
    act = getattr(torch, activation)

    class Twin(layers.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = layers.Conv2d(1, 6, 5), layers.Conv2d(6, 16, 5)
            self.fc1, self.fc2, self.fc3 = (
                layers.Linear(400, 120),
                layers.Linear(120, 84),
                layers.Linear(84, 10),
            )

        def forward(self, x: Any) -> Any:
            x = functions.pad(x, (2, 2, 2, 2))
            x = pool(act(self.conv2(pool(act(self.conv1(x)), 2))), 2)
            return self.fc3(act(self.fc2(act(self.fc1(x.reshape(len(x), 400))))))

    model = models.create("lenet5", activation=activation, pooling=pooling)
    assert_same_as(Twin(), model, images(3, 1, 28, 28))


def test_lenet1989_and_its_twin() -> None:
    """The twin has one dense kernel (12, 12, 5, 5) with zeros where a map is not seen."""
    torch = pytest.importorskip("torch")
    model = models.create("lenet1989")
    x = images(3, 1, 16, 16)
    state = {name: torch.from_numpy(np.array(p.data.numpy())) for name, p in model.state_dict().items()}
    state["bias1"], state["bias2"] = torch.rand(12, 8, 8), torch.rand(12, 4, 4)
    model.load_state_dict({name: value.numpy() for name, value in state.items()})
    dense = torch.zeros(12, 12, 5, 5)
    for out in range(12):
        hidden_from_it = range(4 * (2, 0, 1)[out // 4], 4 * (2, 0, 1)[out // 4] + 4)
        seen = [i for i in range(12) if i not in hidden_from_it]
        dense[out, seen] = state["weight2"][out]

    def act(z: Any) -> Any:
        return 1.7159 * torch.tanh(2 * z / 3)

    def conv(z: Any, weight: Any) -> Any:
        return torch.nn.functional.conv2d(
            torch.nn.functional.pad(z, (2, 2, 2, 2), value=-1), weight, stride=2
        )

    z = act(conv(torch.from_numpy(x), state["weight1"]) + state["bias1"])
    z = act(conv(z, dense) + state["bias2"]).flatten(1)
    z = act(z @ state["hidden.weight"].T + state["hidden.bias"])
    z = act(z @ state["output.weight"].T + state["output.bias"])
    np.testing.assert_allclose(model(tc.tensor(x)).detach().numpy(), z.numpy(), rtol=1e-4, atol=1e-6)


def test_first_weights_of_1989() -> None:
    """Uniform within 2.4 / fan_in, which keeps the sums where the activation is steep."""
    model = models.create("lenet1989")
    for weight, fan_in in ((model.weight1, 25), (model.weight2, 200), (model.hidden.weight, 192)):
        assert 0.9 * 2.4 / fan_in < np.abs(weight.data.numpy()).max() <= 2.4 / fan_in


def test_receptive_field() -> None:
    """5, pooled 6, then 4 jumps of 2 more, pooled 2 more: 16 pixels behind the second pooling."""
    table = nn.summary(models.create("lenet5"), (1, 28, 28))
    seen = [row.receptive_field for row in table.rows if row.name in ("conv1", "pool", "conv2")]
    assert seen == [(5, 5), (6, 6), (14, 14), (16, 16)]
    assert table["fc1"].receptive_field == (28, 28)


@pytest.mark.parametrize(("name", "size"), (("lenet5", 28), ("lenet1989", 16)))
def test_sizes_and_training(name: str, size: int) -> None:
    model = models.create(name, num_classes=8, in_channels=2)
    assert model(tc.zeros(3, 2, size, size)).shape == (3, 8)
    assert_one_step_changes_all(model, 2, 2, size, size)
    x = images(8, 2, size, size).clip(-1, 1)
    loss = targets_of_one if name == "lenet1989" else nn.functional.cross_entropy
    assert steps_to_overfit(models.create(name, num_classes=8, in_channels=2), x, lr=0.01, loss=loss) < 60
    for shape in ((3, 2, size, size + 1), (3, 1, size, size), (2, size, size)):
        with pytest.raises(ShapeError, match=rf"input is of shape .*\(N, 2, {size}, {size}\)"):
            model(tc.zeros(*shape))


def test_wrong_options() -> None:
    with pytest.raises(ArgumentError, match="LeNet5: activation is 'elu', expected one of 'tanh', 'relu'"):
        models.create("lenet5", activation="elu")
    with pytest.raises(ArgumentError, match="LeNet5: pooling is 'mean', expected one of 'average', 'max'"):
        models.create("lenet5", pooling="mean")
