"""Finding calcium in chest CT with two nets (slide deck S1; Lessmann et al. 2018).

Both look at a voxel in three planes that cross in it: axial, sagittal and coronal. `CalciumWide` sees
131 x 131 pixels of each, enough to tell *where* in the body the voxel is, and names candidates.
`CalciumNarrow` sees 65 x 65 and tells true calcifications from what only looks like them.
"""

from __future__ import annotations

from typing import NamedTuple

from tinyconv.errors import ArgumentError
from tinyconv.models._sizes import centre_crop, check_images
from tinyconv.models.registry import register
from tinyconv.models.weights import fill_bias
from tinyconv.nn import (
    ELU,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    Module,
    ModuleList,
    Sequential,
    init,
)
from tinyconv.ops import cat, stack
from tinyconv.ops._checks import check_positive
from tinyconv.tensor import Tensor

PLANES = 3
DILATIONS = (1, 1, 2, 4, 8, 16, 32, 1)


class CalciumScores(NamedTuple):
    """What `CalciumWide` gives in training.

    Attributes
    ----------
    centre : Tensor
        Scores of the voxel in which the planes cross, (N, num_classes).
    planes : Tensor
        Scores of each pixel of each plane, seen from that plane alone: (N, 3, num_classes, H - 130,
        W - 130). A loss on them, with a small weight, is the deep supervision of the paper.
    """

    centre: Tensor
    planes: Tensor


@register("calcium_wide", (PLANES, 155, 155))
class CalciumWide(Module):
    """The first net: eight 3x3 convolutions per plane, whose dilation grows, see 131 pixels.

    ::

        dilation   1   1   2   4   8  16  32   1
        sees       3   5   9  17  33  65 129 131

    Parameters
    ----------
    in_channels : int
        How many planes.
    num_classes : int
        The paper's are background and places in the heart and the aorta.
    width : int
        Filters per layer.

    Notes
    -----
    Input (N, in_channels, H, W), planes that cross in their middle pixel, of odd H and W, at least 131.
    In training the output is a `CalciumScores`; in evaluation mode the scores of the middle,
    (N, num_classes), and `scores_of_plane` gives a map of a plane of any size.

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv import models
    >>> model = models.create("calcium_wide", width=4)
    >>> model(tc.zeros(1, 3, 155, 155)).planes.shape
    (1, 3, 7, 25, 25)
    """

    def __init__(self, in_channels: int = PLANES, num_classes: int = 7, width: int = 32) -> None:
        super().__init__()
        self.in_channels = in_channels
        width = check_positive("CalciumWide", "width", width)
        self.features = ModuleList(dilated(width) for _ in range(in_channels))
        self.drop = Dropout(0.35)
        self.classifiers = ModuleList(Conv2d(width, num_classes, 1) for _ in range(in_channels))
        self.combine = Sequential(
            Conv2d(in_channels * width, 4 * width, 1), ELU(), Dropout(0.35), Conv2d(4 * width, num_classes, 1)
        )
        self.apply(_initialise)

    def forward(self, x: Tensor) -> CalciumScores | Tensor:
        check_images("CalciumWide", x, self.in_channels, multiple=2, least=131, rest=1)
        seen = [layers(x[:, i : i + 1]) for i, layers in enumerate(self.features)]
        centre = cat([centre_crop(features, (1, 1)) for features in seen], dim=1)
        scores = self.combine(self.drop(centre)).flatten(1)
        if not self.training:
            return scores
        maps = [classify(self.drop(each)) for classify, each in zip(self.classifiers, seen, strict=True)]
        return CalciumScores(scores, stack(maps, dim=1))

    def scores_of_plane(self, x: Tensor, plane: int) -> Tensor:
        """(N, 1, H, W), a plane of any size from 131 on, to (N, num_classes, H - 130, W - 130)."""
        check_images("CalciumWide.scores_of_plane", x, 1, least=131)
        if isinstance(plane, bool) or not isinstance(plane, int) or not 0 <= plane < self.in_channels:
            raise ArgumentError("scores_of_plane", "plane", repr(plane), f"0 to {self.in_channels - 1}")
        return self.classifiers[plane](self.drop(self.features[plane](x)))


def dilated(width: int) -> Sequential:
    """What a plane goes through: the image loses 130 pixels, as nothing is padded."""
    layers: list[Module] = []
    channels = 1
    for dilation in DILATIONS:
        layers += [Conv2d(channels, width, 3, dilation=dilation), ELU()]
        channels = width
    return Sequential(*layers, Conv2d(width, width, 1), ELU())


@register("calcium_narrow", (PLANES, 65, 65))
class CalciumNarrow(Module):
    """The second net: the same convolutions and pooling for three patches of 65 x 65, then dense layers.

    Parameters
    ----------
    in_channels : int
        How many planes.
    num_classes : int
        2: calcium, or not.
    width : int
        The convolutions have 3, 4, 6 and 4 times as many filters, the dense layer 32 times as many.

    Notes
    -----
    Input (N, in_channels, 65, 65), output scores (N, num_classes). Pooling rounds up, so that the last
    row and column count as well: 65, 61, 31, 29, 15, 13, 7.
    """

    size = 65

    def __init__(self, in_channels: int = PLANES, num_classes: int = 2, width: int = 8) -> None:
        super().__init__()
        self.in_channels = in_channels
        w = check_positive("CalciumNarrow", "width", width)
        self.features = Sequential(
            *_normalised(1, 3 * w, 5),
            MaxPool2d(2, ceil_mode=True),
            *_normalised(3 * w, 4 * w, 3),
            MaxPool2d(2, ceil_mode=True),
            *_normalised(4 * w, 6 * w, 3),
            MaxPool2d(2, ceil_mode=True),
            *_normalised(6 * w, 4 * w, 1),
            Flatten(),
        )
        self.classifier = Sequential(
            Dropout(0.5),
            Linear(in_channels * 4 * w * 7 * 7, 32 * w, bias=False),
            BatchNorm1d(32 * w),
            ELU(),
            Dropout(0.5),
            Linear(32 * w, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        check_images("CalciumNarrow", x, self.in_channels, exactly=self.size)
        patches = x.reshape(-1, 1, self.size, self.size)  # all planes through the same filters
        return self.classifier(self.features(patches).reshape(x.shape[0], -1))


def _normalised(in_channels: int, out_channels: int, kernel_size: int) -> tuple[Module, ...]:
    return Conv2d(in_channels, out_channels, kernel_size, bias=False), BatchNorm2d(out_channels), ELU()


def _initialise(module: Module) -> None:
    """He's uniform distribution, zero biases."""
    if isinstance(module, Conv2d):
        init.kaiming_uniform_(module.weight, nonlinearity="relu")
        fill_bias(module)
