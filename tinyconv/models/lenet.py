"""LeNet: the first convolutional networks trained by backpropagation, for handwritten digits.

`LeNet1989` reads the digits of postal codes (LeCun et al. 1989, "Backpropagation applied to
handwritten zip code recognition"); `LeNet5` is the network of LeCun et al. 1998,
"Gradient-based learning applied to document recognition". Slide decks S0 and S2.
"""

from __future__ import annotations

from tinyconv.errors import ShapeError
from tinyconv.models.registry import register
from tinyconv.models.weights import fill_bias
from tinyconv.nn import AvgPool2d, Conv2d, Linear, MaxPool2d, Module, Parameter, ReLU, Tanh, init
from tinyconv.nn import functional as F
from tinyconv.ops import cat, zeros
from tinyconv.ops._checks import check_choice
from tinyconv.tensor import Tensor

ACTIVATIONS = {"tanh": Tanh, "relu": ReLU}
POOLINGS = {"average": AvgPool2d, "max": MaxPool2d}


@register("lenet5", input_size=(1, 28, 28))
class LeNet5(Module):
    """LeNet-5: 61,706 parameters for grey images of 28x28.

    ::

        1x28x28 ─ 5x5 ─ 6x28x28 ─ pool ─ 6x14x14 ─ 5x5 ─ 16x10x10 ─ pool ─ 16x5x5 ─ 120 ─ 84 ─ 10

    Parameters
    ----------
    num_classes : int
    in_channels : int
    activation : {"tanh", "relu"}
        The paper's, or today's.
    pooling : {"average", "max"}
        The paper's (without its two learned numbers a map), or today's.

    Notes
    -----
    Input (N, in_channels, 28, 28), output (N, num_classes): scores. The paper pads its 28x28
    digits to 32x32, as the first layer does here; its own 60,000 parameters are fewer because
    its second convolution sees only some of the six maps.
    """

    def __init__(
        self, num_classes: int = 10, in_channels: int = 1, activation: str = "tanh", pooling: str = "average"
    ) -> None:
        super().__init__()
        check_choice("LeNet5", "activation", activation, tuple(ACTIVATIONS))
        check_choice("LeNet5", "pooling", pooling, tuple(POOLINGS))
        self.conv1 = Conv2d(in_channels, 6, 5, padding=2)
        self.conv2 = Conv2d(6, 16, 5)
        self.fc1 = Linear(16 * 5 * 5, 120)
        self.fc2 = Linear(120, 84)
        self.fc3 = Linear(84, num_classes)
        self.activation = ACTIVATIONS[activation]()
        self.pool = POOLINGS[pooling](2)
        for layer in (self.conv1, self.conv2, self.fc1, self.fc2, self.fc3):
            init.xavier_uniform_(layer.weight)
            fill_bias(layer)

    def forward(self, x: Tensor) -> Tensor:
        _check_size("LeNet5", x, (self.conv1.in_channels, 28, 28))
        x = self.pool(self.activation(self.conv1(x)))
        x = self.pool(self.activation(self.conv2(x)))
        x = self.activation(self.fc1(x.flatten(1)))
        return self.fc3(self.activation(self.fc2(x)))


@register("lenet1989", input_size=(1, 16, 16))
class LeNet1989(Module):
    """The network of 1989: 9,760 parameters for grey images of 16x16.

    ::

        1x16x16 ─ 5x5, stride 2 ─ 12x8x8 ─ 5x5, stride 2 ─ 12x4x4 ─ 30 ─ 10

    Every neuron has a bias of its own, also within a map. Each map of the second layer sees
    eight of the twelve maps of the first; the paper does not say which: here the first four see
    maps 1 to 8, the next four 5 to 12, the last four 1 to 4 and 9 to 12. What lies outside the
    image is -1, the background; the activation is 1.7159 tanh(2/3 x), at the output too, where
    the targets are +1 for the digit and -1 for the others.

    Parameters
    ----------
    num_classes : int
    in_channels : int

    Notes
    -----
    Input (N, in_channels, 16, 16), between -1 and 1; output (N, num_classes).
    """

    SEEN = (tuple(range(8)), tuple(range(4, 12)), (*range(4), *range(8, 12)))

    def __init__(self, num_classes: int = 10, in_channels: int = 1) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.weight1 = Parameter(zeros(12, in_channels, 5, 5))
        self.bias1 = Parameter(zeros(12, 8, 8))
        self.weight2 = Parameter(zeros(12, 8, 5, 5))
        self.bias2 = Parameter(zeros(12, 4, 4))
        self.hidden = Linear(12 * 4 * 4, 30)
        self.output = Linear(30, num_classes)
        for weight in (self.weight1, self.weight2, self.hidden.weight, self.output.weight):
            bound = 2.4 / init.fans(weight)[0]
            init.uniform_(weight, -bound, bound)
        fill_bias(self.hidden)
        fill_bias(self.output)

    def forward(self, x: Tensor) -> Tensor:
        _check_size("LeNet1989", x, (self.in_channels, 16, 16))
        x = scaled_tanh(F.conv2d(_border(x), self.weight1, stride=2) + self.bias1)
        x = _border(x)
        maps = [
            F.conv2d(x[:, list(seen)], self.weight2[4 * i : 4 * i + 4], stride=2)
            for i, seen in enumerate(self.SEEN)
        ]
        x = scaled_tanh(cat(maps, dim=1) + self.bias2)
        return scaled_tanh(self.output(scaled_tanh(self.hidden(x.flatten(1)))))


def scaled_tanh(x: Tensor) -> Tensor:
    """1.7159 tanh(2/3 x): through (1, 1) and (-1, -1), steepest between them."""
    return 1.7159 * (2 / 3 * x).tanh()


def _border(x: Tensor) -> Tensor:
    return F.pad(x, (2, 2, 2, 2), value=-1.0)


def _check_size(name: str, x: Tensor, size: tuple[int, ...]) -> None:
    if x.shape[1:] != size or x.ndim != 4:
        raise ShapeError(name, "input", f"of shape {x.shape}", f"(N, {', '.join(map(str, size))})")
