"""RED-Net: clean images from noisy ones, with skip connections that are summed (slide deck S2).

Mao, Shen and Yang 2016: convolutions take the noise away, transposed convolutions put the details
back, and every second of the former is added to its mirror image among the latter. What the net
learns is the difference to its input, which is added last.
"""

from __future__ import annotations

from tinyconv.errors import ArgumentError
from tinyconv.models._sizes import check_images
from tinyconv.models.registry import register
from tinyconv.models.weights import fill_bias
from tinyconv.nn import Conv2d, ConvTranspose2d, Module, ModuleList, ReLU, init
from tinyconv.ops._checks import check_positive
from tinyconv.tensor import Tensor


@register("rednet", (1, 50, 50))
class RedNet(Module):
    """RED-Net of `depth` layers, half of them transposed: 1,035,201 parameters at the paper's 30.

    ::

        x ─ conv[0] ─ conv[1] ─ conv[2] ─ conv[3] ─ … ─ deconv[0] ─ deconv[1] ─ … ─ deconv[-1] ─ (+) ─ y
         │               └────────────────│──────────────────────────── (+) ──┘                   │
         └─────────────────────────────────────────────────────────────────────────────────────────┘

    Parameters
    ----------
    in_channels : int
        1 for grey images.
    num_classes : int, optional
        Channels that come out; those of the input if not given. The input is added only where they
        are the same number.
    depth : int
        10, 20 and 30 in the paper; even.
    width : int
        Filters per layer.

    Notes
    -----
    Input (N, in_channels, H, W) of any size; the output has the same.
    """

    def __init__(
        self, in_channels: int = 1, num_classes: int | None = None, depth: int = 30, width: int = 64
    ) -> None:
        super().__init__()
        half, odd = divmod(check_positive("RedNet", "depth", depth), 2)
        if odd or half < 2:
            raise ArgumentError("RedNet", "depth", depth, "an even number from 4 on")
        width = check_positive("RedNet", "width", width)
        outputs = in_channels if num_classes is None else num_classes
        self.in_channels, self.adds_input = in_channels, outputs == in_channels
        before, after = [in_channels] + [width] * (half - 1), [width] * (half - 1) + [outputs]
        self.conv = ModuleList(Conv2d(channels, width, 3, padding=1) for channels in before)
        self.deconv = ModuleList(ConvTranspose2d(width, channels, 3, padding=1) for channels in after)
        self.relu = ReLU()
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        check_images("RedNet", x, self.in_channels)
        last = len(self.conv) - 1
        y, copies = x, {}
        for level, layer in enumerate(self.conv):
            y = self.relu(layer(y))
            if level % 2 and level < last:
                copies[level] = y
        for level, layer in zip(range(last, -1, -1), self.deconv, strict=True):
            y = layer(y)
            if level:
                # what comes out of deconv stands where what went into conv[level] stood
                y = self.relu(y + copies[level - 1] if level - 1 in copies else y)
        return y + x if self.adds_input else y


def _initialise(module: Module) -> None:
    """He's normal distribution by the channels that come in, and zero biases."""
    if isinstance(module, Conv2d | ConvTranspose2d):
        mode = "fan_in" if isinstance(module, Conv2d) else "fan_out"
        init.kaiming_normal_(module.weight, mode=mode, nonlinearity="relu")
        fill_bias(module)
