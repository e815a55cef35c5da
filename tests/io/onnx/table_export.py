"""Every layer of `tinyconv.nn`, how to make one, and what to call it with: for the test of `export`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import tinyconv as tc
from tinyconv import nn
from tinyconv.tensor import Tensor


class Row(NamedTuple):
    """A layer, and for a batch size and a generator its inputs."""

    build: Callable[[], Any]
    inputs: Callable[[int, np.random.Generator], list[Tensor]]
    nodes: str = ""  # the node types that it must become, where there is one right answer
    batch: bool = True  # whether its first axis may have another size


def floats(*rest: int, count: int = 1) -> Callable[[int, np.random.Generator], list[Tensor]]:
    """Normal numbers of shape (N, *rest)."""
    return lambda n, random: [
        tc.tensor(random.standard_normal((n, *rest)).astype(np.float32)) for _ in range(count)
    ]


def shares(*rest: int) -> Callable[[int, np.random.Generator], list[Tensor]]:
    """Two tensors of numbers between 0 and 1."""
    return lambda n, random: [
        tc.tensor(random.uniform(0.05, 0.95, (n, *rest)).astype(np.float32)) for _ in range(2)
    ]


def labelled(classes: int, *rest: int) -> Callable[[int, np.random.Generator], list[Tensor]]:
    """Scores of classes, and labels."""
    return lambda n, random: [
        tc.tensor(random.standard_normal((n, classes, *rest)).astype(np.float32)),
        tc.tensor(random.integers(0, classes, (n, *rest))),
    ]


def signs(*shape: int) -> Tensor:
    """1 and -1 in turn."""
    return tc.tensor(1 - 2 * (np.arange(np.prod(shape)).reshape(shape) % 2).astype(np.float32))


def log_shares(*rest: int) -> Callable[[int, np.random.Generator], list[Tensor]]:
    """Logarithms of shares, and shares."""
    return lambda n, random: [tc.log(shares(*rest)(n, random)[0]), shares(*rest)(n, random)[0]]


class Unpooled(nn.Module):
    """A pooling and the layer that undoes it."""

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.pool = getattr(nn, f"MaxPool{dims}d")(2, return_indices=True)
        self.unpool = getattr(nn, f"MaxUnpool{dims}d")(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.unpool(*self.pool(x))


LINE, IMAGE, VOLUME = (4, 8), (4, 8, 6), (4, 6, 4, 8)
SIZES = {1: LINE, 2: IMAGE, 3: VOLUME}


def statistics(layer: Any) -> Any:
    """A layer of normalisation with running statistics and weights that are not 0 and 1."""
    random = np.random.default_rng(1)
    for name, tensor in layer.state_dict().items():
        if tensor.dtype.kind == "f":
            low = 0.5 if "var" in name or "weight" in name else -1
            tensor.copy_(tc.tensor(random.uniform(low, 2, tensor.shape).astype(np.float32)))
    return layer


ROWS: dict[str, Row] = {
    "Identity": Row(nn.Identity, floats(3), "Identity"),
    "Flatten": Row(nn.Flatten, floats(*IMAGE), "Flatten"),
    "Flatten all": Row(lambda: nn.Flatten(0), floats(*IMAGE), "Reshape"),
    "Unflatten": Row(lambda: nn.Unflatten(1, (2, 3)), floats(6), "Reshape"),
    "Linear": Row(lambda: nn.Linear(6, 5), floats(6), "Gemm"),
    "Linear of a sequence": Row(lambda: nn.Linear(6, 5), floats(3, 6), "Transpose MatMul Add"),
    "Bilinear": Row(lambda: nn.Bilinear(3, 3, 5), floats(3, count=2)),
    "Sequential": Row(lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU()), floats(3), "Gemm Relu"),
    "Embedding": Row(
        lambda: nn.Embedding(7, 3, padding_idx=2),
        lambda n, random: [tc.tensor(random.integers(0, 7, (n, 5)))],
        "Gather",
    ),
    "Unfold": Row(lambda: nn.Unfold((3, 2), (1, 2), 1, (2, 1)), floats(*IMAGE), "Conv Reshape"),
    "Fold": Row(lambda: nn.Fold((5, 6), (3, 2), 1, (1, 0), (2, 1)), floats(12, 15), "Col2Im"),
    "CosineSimilarity": Row(lambda: nn.CosineSimilarity(1), floats(5, 3, count=2)),
    "PairwiseDistance": Row(lambda: nn.PairwiseDistance(2), floats(5, count=2)),
    "PairwiseDistance p=3": Row(lambda: nn.PairwiseDistance(3, keepdim=True), floats(5, count=2)),
    "PixelShuffle": Row(lambda: nn.PixelShuffle(2), floats(8, 3, 5), "DepthToSpace"),
    "PixelUnshuffle": Row(lambda: nn.PixelUnshuffle(2), floats(3, 4, 6)),
    "ChannelShuffle": Row(lambda: nn.ChannelShuffle(2), floats(6, 3, 5)),
    "Maxout": Row(lambda: nn.Maxout(2), floats(*IMAGE), "Reshape ReduceMax"),
    "PReLU": Row(lambda: nn.PReLU(4), floats(*IMAGE), "Unsqueeze PRelu"),
    "PReLU of one": Row(nn.PReLU, floats(*IMAGE), "PRelu"),
    "Softplus": Row(nn.Softplus, floats(7), "Softplus"),
    "Softplus beta": Row(lambda: nn.Softplus(2.0, 1.0), floats(7)),
    "GLU": Row(lambda: nn.GLU(1), floats(*IMAGE), "Slice Slice Sigmoid Mul"),
    "Hardshrink": Row(lambda: nn.Hardshrink(0.7), floats(7), "Shrink"),
    "Softshrink": Row(lambda: nn.Softshrink(0.7), floats(7), "Shrink"),
    "Threshold": Row(lambda: nn.Threshold(0.3, -7), floats(7), "LessOrEqual Where"),
    "RReLU": Row(nn.RReLU, floats(7), "LeakyRelu"),
    "Softmax2d": Row(nn.Softmax2d, floats(*IMAGE), "Softmax"),
    "LeakyReLU": Row(lambda: nn.LeakyReLU(0.2), floats(7), "LeakyRelu"),
    "Hardtanh": Row(lambda: nn.Hardtanh(-0.5, 0.7), floats(7), "Clip"),
    "ELU": Row(lambda: nn.ELU(0.7), floats(7), "Elu"),
    "CELU": Row(lambda: nn.CELU(0.7), floats(7), "Div Elu Mul"),
    "GELU": Row(nn.GELU, floats(7), "Gelu"),
    "GELU tanh": Row(lambda: nn.GELU("tanh"), floats(7), "Gelu"),
    "Softmax": Row(lambda: nn.Softmax(1), floats(5, 3), "Softmax"),
    "LogSoftmax": Row(lambda: nn.LogSoftmax(-1), floats(5, 3), "LogSoftmax"),
    "Softmin": Row(lambda: nn.Softmin(1), floats(5, 3), "Neg Softmax"),
    "LayerNorm": Row(lambda: statistics(nn.LayerNorm((8, 6))), floats(*IMAGE), "LayerNormalization"),
    "LayerNorm plain": Row(
        lambda: nn.LayerNorm(6, elementwise_affine=False), floats(*IMAGE), "LayerNormalization"
    ),
    "GroupNorm": Row(lambda: statistics(nn.GroupNorm(2, 4)), floats(*IMAGE), "GroupNormalization"),
    "GroupNorm plain": Row(lambda: nn.GroupNorm(2, 4, affine=False), floats(4, 5), "GroupNormalization"),
    "LocalResponseNorm": Row(lambda: nn.LocalResponseNorm(3, 0.5), floats(*IMAGE), "LRN"),
    "LocalResponseNorm even": Row(lambda: nn.LocalResponseNorm(2, 0.5), floats(*LINE)),
    "BatchNorm without running statistics": Row(
        lambda: nn.BatchNorm2d(4, track_running_stats=False), floats(*IMAGE)
    ),
    "Upsample": Row(lambda: nn.Upsample(scale_factor=(2, 1.5)), floats(*IMAGE), "Resize"),
    "Upsample bicubic": Row(lambda: nn.Upsample((11, 5), mode="bicubic"), floats(*IMAGE), "Resize"),
    "Upsample linear": Row(lambda: nn.Upsample(scale_factor=1.7, mode="linear"), floats(*LINE), "Resize"),
    "Upsample exact": Row(lambda: nn.Upsample((5, 13), mode="nearest-exact"), floats(*IMAGE), "Resize"),
    "Upsample area": Row(lambda: nn.Upsample((5, 4), mode="area"), floats(*IMAGE)),
    "Upsample trilinear": Row(
        lambda: nn.Upsample((7, 8, 9), mode="trilinear", align_corners=True), floats(*VOLUME), "Resize"
    ),
    "UpsamplingNearest2d": Row(lambda: nn.UpsamplingNearest2d(scale_factor=2), floats(*IMAGE), "Resize"),
    "UpsamplingBilinear2d": Row(lambda: nn.UpsamplingBilinear2d((9, 13)), floats(*IMAGE), "Resize"),
    "ConvTranspose2d output_padding": Row(
        lambda: nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, 2, True, 1), floats(*IMAGE), "ConvTranspose"
    ),
    "ConvTranspose2d whole strides": Row(
        lambda: nn.ConvTranspose2d(4, 2, 3, 2, 1, 2, dilation=3), floats(*IMAGE), "Pad ConvTranspose"
    ),
    "Conv2d same": Row(lambda: nn.Conv2d(4, 5, (2, 3), padding="same"), floats(*IMAGE), "Pad Conv"),
    "Conv2d grouped": Row(
        lambda: nn.Conv2d(4, 6, (3, 2), (1, 2), (1, 0), (1, 2), 2, False), floats(*IMAGE), "Conv"
    ),
    "MaxPool2d ceil": Row(lambda: nn.MaxPool2d(3, 2, 1, 1, ceil_mode=True), floats(*IMAGE), "MaxPool"),
    "AvgPool2d padded": Row(
        lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False), floats(*IMAGE), "AveragePool"
    ),
    "AvgPool2d divisor": Row(lambda: nn.AvgPool2d(2, divisor_override=3), floats(*IMAGE)),
    "LPPool2d odd": Row(lambda: nn.LPPool2d(3, 2), lambda n, random: shares(*IMAGE)(n, random)[:1]),
    "BCELoss": Row(nn.BCELoss, shares(5)),
    "BCEWithLogitsLoss": Row(nn.BCEWithLogitsLoss, shares(5)),
    "CrossEntropyLoss": Row(nn.CrossEntropyLoss, labelled(5), "SoftmaxCrossEntropyLoss"),
    "CrossEntropyLoss of pixels": Row(
        lambda: nn.CrossEntropyLoss(tc.tensor([1.0, 2.0, 0.5]), ignore_index=1, reduction="sum"),
        labelled(3, 4, 2),
        "SoftmaxCrossEntropyLoss",
    ),
    "NLLLoss": Row(nn.NLLLoss, labelled(5), "NegativeLogLikelihoodLoss"),
    "KLDivLoss": Row(lambda: nn.KLDivLoss(reduction="batchmean"), log_shares(5)),
    "SmoothL1Loss": Row(lambda: nn.SmoothL1Loss(beta=0.5), floats(5, count=2)),
    "HuberLoss": Row(lambda: nn.HuberLoss(delta=0.5), floats(5, count=2)),
    "DiceLoss": Row(nn.DiceLoss, shares(1, 4, 5)),
    "BinaryFocalWithLogitsLoss": Row(nn.BinaryFocalWithLogitsLoss, shares(5)),
    "MarginRankingLoss": Row(
        nn.MarginRankingLoss, lambda n, random: [*floats(5, count=2)(n, random), signs(n, 5)]
    ),
    "TripletMarginLoss": Row(nn.TripletMarginLoss, floats(5, count=3)),
    "PoissonNLLLoss": Row(nn.PoissonNLLLoss, shares(5)),
    "SoftMarginLoss": Row(nn.SoftMarginLoss, lambda n, random: [floats(5)(n, random)[0], signs(n, 5)]),
    "MultiLabelSoftMarginLoss": Row(nn.MultiLabelSoftMarginLoss, shares(5)),
    "TripletMarginWithDistanceLoss": Row(nn.TripletMarginWithDistanceLoss, floats(5, count=3)),
    "L1Loss": Row(nn.L1Loss, floats(5, count=2), "Sub Abs ReduceMean"),
    "MSELoss": Row(nn.MSELoss, floats(5, count=2), "Sub Mul ReduceMean"),
}

PLAIN = {"ReLU": "Relu", "ReLU6": "Clip", "Sigmoid": "Sigmoid", "Tanh": "Tanh", "SELU": "Selu"}
PLAIN |= {"SiLU": "Sigmoid Mul", "LogSigmoid": "Neg Softplus Neg"}
PLAIN |= dict.fromkeys(("Dropout", "AlphaDropout", "FeatureAlphaDropout"), "Identity")
PLAIN |= {"Hardsigmoid": "HardSigmoid", "Hardswish": "HardSwish", "Mish": "Mish"}
PLAIN |= {"Softsign": "Softsign", "Tanhshrink": "Tanh Sub"}

for _name, _nodes in PLAIN.items():
    ROWS[_name] = Row(getattr(nn, _name), floats(7), _nodes)

SPATIAL: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("Conv", (4, 5, 3, 2, 1), {}, "Conv"),
    ("ConvTranspose", (4, 5, 3, 2, 1), {}, "ConvTranspose"),
    ("BatchNorm", (4,), {}, "BatchNormalization"),
    ("InstanceNorm", (4,), {"affine": True}, "InstanceNormalization"),
    ("Dropout", (), {}, "Identity"),
    ("MaxPool", (2,), {}, "MaxPool"),
    ("AvgPool", (2,), {}, "AveragePool"),
    ("LPPool", (2, 2), {}, "LpPool"),
    ("AdaptiveAvgPool", (1,), {}, "GlobalAveragePool"),
    ("AdaptiveMaxPool", (3,), {}, ""),
    ("ConstantPad", (1, 0.5), {}, "Pad"),
    ("ZeroPad", (2,), {}, "Pad"),
    ("ReflectionPad", (2,), {}, "Pad"),
    ("ReplicationPad", (2,), {}, "Pad"),
    ("CircularPad", (2,), {}, "Pad"),
]
"""What there is for one, two and three dimensions: the arguments, and the node types."""


def spatial(name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Callable[[], Any]:
    """How to make one of `SPATIAL`."""
    return lambda: statistics(getattr(nn, name)(*arguments, **options))


def unpooled(dims: int) -> Callable[[], Any]:
    """How to make a pooling and its unpooling."""
    return lambda: Unpooled(dims)


for _dims, _shape in SIZES.items():
    ROWS[f"MaxUnpool{_dims}d"] = Row(unpooled(_dims), floats(*_shape))
    for _name, _arguments, _options, _nodes in SPATIAL:
        _full = f"{_name}{_dims}d"
        ROWS[_full] = Row(spatial(_full, _arguments, _options), floats(*_shape), _nodes)

REFUSED = {
    "TverskyLoss": Row(nn.TverskyLoss, shares(1, 4, 5)),
    "GeneralisedDiceLoss": Row(nn.GeneralisedDiceLoss, shares(3, 4, 5)),
    "GeneralisedWassersteinDiceLoss": Row(
        lambda: nn.GeneralisedWassersteinDiceLoss(1 - tc.eye(3)),
        lambda n, random: [shares(3, 4, 2)(n, random)[0] / 3, labelled(3, 4, 2)(n, random)[1]],
    ),
    "MultiMarginLoss": Row(nn.MultiMarginLoss, labelled(5)),
    "MultiLabelMarginLoss": Row(
        nn.MultiLabelMarginLoss,
        lambda n, random: [floats(5)(n, random)[0], tc.tensor(random.integers(0, 5, (n, 5)))],
    ),
    "FocalLoss": Row(nn.FocalLoss, labelled(3, 4, 2)),
    "WeightedPixelCrossEntropyLoss": Row(
        nn.WeightedPixelCrossEntropyLoss,
        lambda n, random: [*labelled(3, 4, 2)(n, random), shares(4, 2)(n, random)[0]],
    ),
    "HingeEmbeddingLoss": Row(
        nn.HingeEmbeddingLoss, lambda n, random: [floats(5)(n, random)[0], signs(n, 5)]
    ),
    "CosineEmbeddingLoss": Row(
        nn.CosineEmbeddingLoss, lambda n, random: [*floats(5, count=2)(n, random), signs(n)]
    ),
    "GaussianNLLLoss": Row(
        nn.GaussianNLLLoss, lambda n, random: [*floats(5, count=2)(n, random), shares(5)(n, random)[0]]
    ),
}
"""Losses that look at the values of their targets, which a graph cannot; they are for training."""

NOT_CALLED = ("Module", "ModuleList", "ModuleDict", "ParameterDict", "ParameterList", "Parameter")
"""What has no forward."""
