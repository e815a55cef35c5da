"""One neuron, and neurons in layers: what each can learn, by hand and against PyTorch."""

from __future__ import annotations

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
from tinyconv import models, nn, optim
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.models.perceptron import Perceptron
from tinyconv.nn import functional as F

CASES = tc.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = tc.tensor([[0.0], [1.0], [1.0], [0.0]])


def right(decided: tc.Tensor, target: tc.Tensor) -> int:
    return int((decided.data.numpy() == target.data.numpy()).sum())


def test_the_rule_by_hand() -> None:
    """From zeros every case is decided as 0; the mistake at (1, 0) adds its input to the weights."""
    neuron = Perceptron(2)
    neuron.load_state_dict({"neuron.weight": tc.zeros(1, 2), "neuron.bias": tc.zeros(1)})
    assert neuron.correct(tc.tensor([[1.0, 0.0]]), tc.tensor([[1.0]]), lr=0.5) == 1
    assert neuron.neuron.weight.tolist() == [[0.5, 0.0]] and neuron.neuron.bias.tolist() == [0.5]
    assert neuron(tc.tensor([[2.0, 7.0]])).tolist() == [[1.5]]
    assert neuron.correct(tc.tensor([[0.0, 3.0]]), tc.tensor([[0.0]]), lr=0.5) == 1
    assert neuron.neuron.weight.tolist() == [[0.5, -1.5]] and neuron.neuron.bias.tolist() == [0.0]


@pytest.mark.parametrize("target", ([0, 0, 0, 1], [0, 1, 1, 1], [1, 1, 0, 1]))
def test_what_a_line_separates_is_learned(target: list[int]) -> None:
    neuron, wanted = Perceptron(2), tc.tensor(target).float().reshape(4, 1)
    mistakes = [neuron.correct(CASES, wanted) for _ in range(30)]
    assert mistakes[-1] == 0 and right(neuron.decide(CASES), wanted) == 4


def test_xor_has_no_line_but_a_hidden_layer() -> None:
    """No line gets more than 3 of the 4 cases right; the rule never comes to rest."""
    best = 0
    for bias, first, second in np.ndindex(9, 9, 9):
        neuron = Perceptron(2)
        weights = (np.array([[first, second]]) - 4) / 2
        neuron.load_state_dict(
            {"neuron.weight": tc.tensor(weights), "neuron.bias": tc.tensor([bias / 2 - 2])}
        )
        best = max(best, right(neuron.decide(CASES), XOR))
    assert best == 3
    assert all(Perceptron(2).correct(CASES, XOR) for _ in range(20))
    mlp = models.create("mlp", in_features=2, num_classes=1, hidden=(8,))
    optimizer = optim.Adam(mlp.parameters(), lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(mlp(CASES), XOR).backward()
        optimizer.step()
    assert right((mlp(CASES) > 0).float(), XOR) == 4


def test_counts() -> None:
    assert count(models.create("perceptron")) == 785
    assert count(models.create("mlp")) == 784 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10 == 235_146
    slide = models.create("mlp", in_features=256 * 256, num_classes=1, hidden=(64,))
    assert slide.layers[1].weight.numel() == 4_194_304
    assert [type(layer) for layer in slide.layers] == [nn.Flatten, nn.Linear, nn.ReLU, nn.Linear]


def test_the_twins() -> None:
    torch = pytest.importorskip("torch")
    layers = torch.nn

    class Twin(layers.Module):
        def __init__(self) -> None:
            super().__init__()
            parts = [layers.Flatten()]
            for inputs, outputs in ((784, 256), (256, 128), (128, 10)):
                parts += [layers.Linear(inputs, outputs), layers.ReLU()]
            self.layers = layers.Sequential(*parts[:-1])

        def forward(self, x):
            return self.layers(x)

    assert_same_as(Twin(), models.create("mlp"), images(5, 1, 28, 28))

    class Neuron(layers.Module):
        def __init__(self) -> None:
            super().__init__()
            self.neuron = layers.Linear(12, 3)

        def forward(self, x):
            return self.neuron(x)

    assert_same_as(Neuron(), models.create("perceptron", in_features=12, num_classes=3), images(5, 12))


def test_training() -> None:
    x = images(8, 1, 28, 28)
    for name in ("perceptron", "mlp"):
        assert_one_step_changes_all(models.create(name, num_classes=8), *x.shape)
        assert steps_to_overfit(models.create(name, num_classes=8), x, lr=0.01) < 60


def test_wrong_arguments() -> None:
    with pytest.raises(ArgumentError, match="MLP: hidden is 3, expected a tuple"):
        models.create("mlp", hidden=3)
    with pytest.raises(ShapeError, match=r"Perceptron.correct: target is \(4,\), expected \(4, 1\)"):
        Perceptron(2).correct(CASES, tc.zeros(4))
    with pytest.raises(ShapeError):
        models.create("mlp")(tc.zeros(2, 1, 28, 27))
