"""AlexNet (Krizhevsky, Sutskever and Hinton 2012): the network that began the present.

ReLU, dropout, large kernels first. `AlexNet` is the one-tower form of Krizhevsky 2014, the layout
that published weights have; `AlexNet2012` is the network of the paper, whose channels were shared
between two GPUs, the "two streams". Slide decks S0, S1 and S2: about 62 million parameters.
"""

from __future__ import annotations

from tinyconv.models._sizes import check_images
from tinyconv.models.registry import register
from tinyconv.models.weights import fill_bias
from tinyconv.nn import (
    AdaptiveAvgPool2d,
    Conv2d,
    Dropout,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
    init,
)
from tinyconv.tensor import Tensor


@register("alexnet", input_size=(3, 224, 224))
class AlexNet(Module):
    """AlexNet in one tower: 61,100,840 parameters.

    Parameters
    ----------
    num_classes : int
    in_channels : int
    dropout : float
    hidden : int
        Neurons in each of the two hidden layers of the classifier.

    Notes
    -----
    Input (N, in_channels, H, W) from 63x63 on, 224x224 in the paper; output (N, num_classes): scores.
    Parameter names are torchvision's.
    """

    def __init__(
        self, num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5, hidden: int = 4096
    ) -> None:
        super().__init__()
        self.features = Sequential(
            *(Conv2d(in_channels, 64, 11, stride=4, padding=2), ReLU(), MaxPool2d(3, 2)),
            *(Conv2d(64, 192, 5, padding=2), ReLU(), MaxPool2d(3, 2)),
            *(Conv2d(192, 384, 3, padding=1), ReLU()),
            *(Conv2d(384, 256, 3, padding=1), ReLU()),
            *(Conv2d(256, 256, 3, padding=1), ReLU(), MaxPool2d(3, 2)),
        )
        self.avgpool = AdaptiveAvgPool2d(6)
        self.classifier = _classifier(num_classes, dropout, hidden)

    def forward(self, x: Tensor) -> Tensor:
        check_images("AlexNet", x, self.features[0].in_channels, least=63)
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


@register("alexnet2012", input_size=(3, 227, 227))
class AlexNet2012(Module):
    """AlexNet as in the paper, with two groups: 60,965,224 parameters; without groups 62,378,344.

    Parameters
    ----------
    num_classes : int
    in_channels : int
    groups : int
        2: the second, fourth and fifth layer see only the maps of their own GPU; 1: all maps.
    dropout : float
    hidden : int
        Neurons in each of the two hidden layers of the classifier.

    Notes
    -----
    Input (N, in_channels, H, W) from 67x67 on; output (N, num_classes): scores. The paper says
    224x224, but its 55x55 maps come from 227x227. Normalisation between channels: k = 2, n = 5,
    alpha = 1e-4 for the sum, which is 5e-4 for the mean that is taken here, beta = 0.75.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        groups: int = 2,
        dropout: float = 0.5,
        hidden: int = 4096,
    ) -> None:
        super().__init__()
        self.features = Sequential(
            *(Conv2d(in_channels, 96, 11, stride=4), ReLU(), _normalise(), MaxPool2d(3, 2)),
            *(Conv2d(96, 256, 5, padding=2, groups=groups), ReLU(), _normalise(), MaxPool2d(3, 2)),
            *(Conv2d(256, 384, 3, padding=1), ReLU()),
            *(Conv2d(384, 384, 3, padding=1, groups=groups), ReLU()),
            *(Conv2d(384, 256, 3, padding=1, groups=groups), ReLU(), MaxPool2d(3, 2)),
        )
        self.avgpool = AdaptiveAvgPool2d(6)
        self.classifier = _classifier(num_classes, dropout, hidden)
        self._initialise()

    def forward(self, x: Tensor) -> Tensor:
        check_images("AlexNet2012", x, self.features[0].in_channels, least=67)
        return self.classifier(self.avgpool(self.features(x)).flatten(1))

    def _initialise(self) -> None:
        """The paper's: deviation 0.01; biases of 1 where ReLU should have something to pass on."""
        layers = [module for module in self.modules() if isinstance(module, Conv2d | Linear)]
        with_ones = {1, 3, 4, 5, 6}
        for number, layer in enumerate(layers):
            init.normal_(layer.weight, std=0.01)
            fill_bias(layer, 1.0 if number in with_ones else 0.0)


def _normalise() -> LocalResponseNorm:
    return LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)


def _classifier(num_classes: int, dropout: float, hidden: int) -> Sequential:
    return Sequential(
        *(Dropout(dropout), Linear(256 * 6 * 6, hidden), ReLU()),
        *(Dropout(dropout), Linear(hidden, hidden), ReLU()),
        Linear(hidden, num_classes),
    )
