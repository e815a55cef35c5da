"""The multilayer perceptron: every neuron of a layer sees all of the layer before.

Slide deck S1 counts: for an image of 256x256 pixels and 64 hidden neurons 4,194,304 weights,
where one 3x3x3 filter has 28 parameters.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinyconv.errors import ArgumentError
from tinyconv.models.registry import register
from tinyconv.models.weights import fill_bias
from tinyconv.nn import Flatten, Linear, Module, ReLU, Sequential, init
from tinyconv.tensor import Tensor


@register("mlp", input_size=(1, 28, 28))
class MLP(Module):
    """Linear layers with ReLU between them: by default 784-256-128-10, 235,146 parameters.

    Parameters
    ----------
    in_features : int
        Numbers in an input of any shape, e.g. 784 for (N, 1, 28, 28).
    num_classes : int
    hidden : sequence of int
        Neurons in each hidden layer.

    Notes
    -----
    Input (N, …) of `in_features` numbers, output (N, num_classes): scores, the logarithms of
    probabilities up to a constant.
    """

    def __init__(
        self, in_features: int = 784, num_classes: int = 10, hidden: Sequence[int] = (256, 128)
    ) -> None:
        super().__init__()
        if not isinstance(hidden, list | tuple):
            raise ArgumentError("MLP", "hidden", repr(hidden), "a tuple of numbers of neurons")
        widths = [in_features, *hidden]
        self.layers = Sequential(Flatten())
        for inputs, outputs in zip(widths, hidden, strict=False):
            self.layers.append(Linear(inputs, outputs)).append(ReLU())
        self.layers.append(Linear(widths[-1], num_classes))
        for layer in self.layers:
            if isinstance(layer, Linear):
                init.kaiming_normal_(layer.weight, nonlinearity="relu")
                fill_bias(layer)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)
