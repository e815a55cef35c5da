"""Normalisation layers: over the batch, a layer, groups of channels, single images, near-by channels."""

from __future__ import annotations

from typing import Any

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.nn import functional as F
from tinyconv.nn.module import Module, Parameter
from tinyconv.ops import ones, tensor, zeros
from tinyconv.ops._checks import check_flags, check_float, check_number, check_positive
from tinyconv.ops.norm import normalized_sizes
from tinyconv.recorder import repeated
from tinyconv.tensor import Tensor


class _ChannelNorm(Module):
    """What batch and instance normalisation share: scale, shift, running statistics."""

    optional_state = ("num_batches_tracked",)

    NDIMS: tuple[int, ...]
    LAYOUT: str

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        bias: bool,
        device: str | None,
        dtype: Any,
    ) -> None:
        check_flags(type(self).__name__, affine=affine, track_running_stats=track_running_stats, bias=bias)
        super().__init__()
        name = type(self).__name__
        self.num_features = check_positive(name, "num_features", num_features)
        self.eps = _positive(name, "eps", eps)
        self.momentum = None if momentum is None else check_number(name, "momentum", momentum)
        self.affine, self.track_running_stats = bool(affine), bool(track_running_stats)
        self.register_parameter("weight", Parameter(ones(num_features)) if affine else None)
        self.register_parameter("bias", Parameter(zeros(num_features)) if affine and bias else None)
        tracked = bool(track_running_stats)
        self.register_buffer("running_mean", zeros(num_features) if tracked else None)
        self.register_buffer("running_var", ones(num_features) if tracked else None)
        self.register_buffer("num_batches_tracked", tensor(0, dtype="int64") if tracked else None)
        self.to(device=device, dtype=dtype)

    def reset_running_stats(self) -> None:
        """Forget all batches seen: mean 0, variance 1."""
        if self.running_mean is not None and self.running_var is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.zero_()

    def check_input(self, input: Tensor) -> None:
        """The input has `num_features` channels and a number of dimensions that the layer is for."""
        name = type(self).__name__
        if check_float(name, "input", input).ndim not in self.NDIMS:
            raise ShapeError(name, "input", f"of shape {input.shape}", f"shape {self.LAYOUT}")
        channels = input.shape[0 if self.is_single(input) else 1]
        if channels != self.num_features:
            raise ShapeError(name, "input", f"of shape {input.shape}", f"{self.num_features} channels")

    def is_single(self, input: Tensor) -> bool:
        """Whether the input is one image without a batch dimension."""
        return False

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_ChannelNorm):
    """Batch normalisation; see `functional.batch_norm`."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | None = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        self.check_input(input)
        momentum = self._count_batch()
        use_batch = self.training or self.running_mean is None
        update = self.training and self.track_running_stats
        running = (self.running_mean, self.running_var) if update or not use_batch else (None, None)
        return F.batch_norm(input, *running, self.weight, self.bias, use_batch, momentum, self.eps)

    def _count_batch(self) -> float:
        """One batch more; what part of the running statistics it becomes."""
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            _count(self.num_batches_tracked)
            if self.momentum is None:
                return 1 / self.num_batches_tracked.item()
        return 0.0 if self.momentum is None else self.momentum


@repeated
def _count(batches: Tensor) -> None:
    batches.fill_(batches.item() + 1)


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of (N, C) or (N, C, L); see `BatchNorm2d`."""

    NDIMS, LAYOUT = (2, 3), "(N, C) or (N, C, L)"


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images (N, C, H, W) (Ioffe and Szegedy 2015).

    Parameters
    ----------
    num_features : int
        C.
    eps : float
        Added to the variance.
    momentum : float or None
        How far the running statistics move towards each batch's; None: they are the plain
        mean over all batches so far.
    affine : bool
        Whether to learn a scale and a shift per channel.
    track_running_stats : bool
        Without them, evaluation uses the statistics of its batch too.
    device, dtype
        Where the parameters live, and float32 or float64.
    bias : bool
        Whether there is a shift, with ``affine=True``.

    Attributes
    ----------
    weight, bias : Parameter or None
        Shape (C,); 1 and 0 at first.
    running_mean, running_var : Tensor or None
        Shape (C,); used in evaluation. The variance is the one divided by n - 1.
    num_batches_tracked : Tensor or None
        How many batches the running statistics saw, int64.

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv import nn
    >>> layer = nn.BatchNorm2d(3)
    >>> layer(tc.randn(4, 3, 8, 8)).shape
    (4, 3, 8, 8)
    >>> sorted(layer.state_dict())
    ['bias', 'num_batches_tracked', 'running_mean', 'running_var', 'weight']
    """

    NDIMS, LAYOUT = (4,), "(N, C, H, W)"


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of volumes (N, C, D, H, W); see `BatchNorm2d`."""

    NDIMS, LAYOUT = (5,), "(N, C, D, H, W)"


class _InstanceNorm(_ChannelNorm):
    """Instance normalisation; see `functional.instance_norm`."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: str | None = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias, device, dtype)

    def is_single(self, input: Tensor) -> bool:
        return input.ndim == min(self.NDIMS)

    def forward(self, input: Tensor) -> Tensor:
        self.check_input(input)
        batch = input.unsqueeze(0) if self.is_single(input) else input
        use_input = self.training or not self.track_running_stats
        momentum = 0.0 if self.momentum is None else self.momentum
        running = (self.running_mean, self.running_var)
        y = F.instance_norm(batch, *running, self.weight, self.bias, use_input, momentum, self.eps)
        return y.squeeze(0) if self.is_single(input) else y


class InstanceNorm1d(_InstanceNorm):
    """Instance normalisation of (N, C, L) or (C, L); see `functional.instance_norm`."""

    NDIMS, LAYOUT = (2, 3), "(N, C, L) or (C, L)"


class InstanceNorm2d(_InstanceNorm):
    """Instance normalisation of (N, C, H, W) or (C, H, W); see `functional.instance_norm`."""

    NDIMS, LAYOUT = (3, 4), "(N, C, H, W) or (C, H, W)"


class InstanceNorm3d(_InstanceNorm):
    """Instance normalisation of (N, C, D, H, W) or (C, D, H, W); see `functional.instance_norm`."""

    NDIMS, LAYOUT = (4, 5), "(N, C, D, H, W) or (C, D, H, W)"


class GroupNorm(Module):
    """Normalise groups of channels of each image; see `functional.group_norm`.

    Attributes
    ----------
    weight, bias : Parameter or None
        Shape (num_channels,); 1 and 0 at first; None with ``affine=False``.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: str | None = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        check_flags(type(self).__name__, affine=affine, bias=bias)
        super().__init__()
        self.num_groups = check_positive("GroupNorm", "num_groups", num_groups)
        self.num_channels = check_positive("GroupNorm", "num_channels", num_channels)
        if num_channels % num_groups:
            raise ArgumentError(
                "GroupNorm", "num_channels", num_channels, f"a multiple of num_groups = {num_groups}"
            )
        self.eps, self.affine = _positive("GroupNorm", "eps", eps), bool(affine)
        self.register_parameter("weight", Parameter(ones(num_channels)) if affine else None)
        self.register_parameter("bias", Parameter(zeros(num_channels)) if affine and bias else None)
        self.to(device=device, dtype=dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


class LayerNorm(Module):
    """Normalise over the last dimensions; see `functional.layer_norm`.

    Attributes
    ----------
    weight, bias : Parameter or None
        Shape normalized_shape; 1 and 0 at first.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        check_flags(type(self).__name__, elementwise_affine=elementwise_affine, bias=bias)
        super().__init__()
        self.normalized_shape = normalized_sizes("LayerNorm", normalized_shape)
        self.eps, self.elementwise_affine = _positive("LayerNorm", "eps", eps), bool(elementwise_affine)
        shift = elementwise_affine and bias
        self.register_parameter(
            "weight", Parameter(ones(self.normalized_shape)) if elementwise_affine else None
        )
        self.register_parameter("bias", Parameter(zeros(self.normalized_shape)) if shift else None)
        self.to(device=device, dtype=dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LocalResponseNorm(Module):
    """Divide by the energy of near-by channels, as AlexNet does; see `functional.local_response_norm`."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = check_positive("LocalResponseNorm", "size", size)
        self.alpha = check_number("LocalResponseNorm", "alpha", alpha)
        self.beta = check_number("LocalResponseNorm", "beta", beta)
        self.k = check_number("LocalResponseNorm", "k", k)

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def _positive(where: str, argument: str, value: float) -> float:
    if not check_number(where, argument, value) > 0:
        raise ArgumentError(where, argument, repr(value), "a number above 0")
    return float(value)
