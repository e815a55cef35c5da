"""Functions of tensors as a user's module may have them: for the test of `export`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv.tensor import Tensor

MEANS = np.array([0.5, 0.25, 1.0], np.float32).reshape(3, 1, 1)


def in_place(x: Tensor) -> Tensor:
    """Changes of a tensor, and of a copy of it."""
    y = x * 2
    y += 1
    y.mul_(x)
    z = y.clone()
    z.clamp_(-1, 1)
    return y - z


def custom(x: Tensor) -> Tensor:
    """An op of the user's own, made of other ops."""

    class Cube(tc.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x * x * x

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Tensor:
            return grad

    return Cube.apply(x) + 1


# Each takes x of shape (N, 3, 4, 6).
OPS: dict[str, Callable[[Tensor], Any]] = {
    "arithmetic": lambda x: (2 * x + 1 - x / 3) ** 2 - 1 / (x * x + 1),
    "arithmetic with arrays": lambda x: (x - MEANS) / MEANS + [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
    "functions": lambda x: tc.exp(tc.sin(x)) + tc.log(x.abs() + 1) + tc.cos(x).sqrt().abs(),
    "angles": lambda x: tc.tan(x) + tc.asin(tc.tanh(x)) + tc.acos(tc.tanh(x)) + tc.atan(x),
    "hyperbolic functions": lambda x: tc.sinh(x) + tc.cosh(x),
    "log1p and expm1": lambda x: tc.log1p(x * x) + tc.expm1(x),
    "steps": lambda x: tc.floor(x) + tc.ceil(2 * x) + tc.round(x) + tc.trunc(3 * x) + tc.sign(x),
    "round to a digit": lambda x: tc.round(x, decimals=1),
    "whole division": lambda x: (x // 0.4) + x % 0.7,
    "integers": lambda x: ((x * 10).long() // 3) * 2 + (x * 10).long() % -4,
    "clamp": lambda x: x.clamp(-1, 0.5) + x.clamp(min=0) + tc.clamp(x, max=x.mean()),
    "clamp by tensors": lambda x: tc.clamp(x, x[:, :1] - 1, x[:, 1:2] + 1),
    "maximum": lambda x: tc.maximum(x, -x) - tc.minimum(x, x * x),
    "comparisons": lambda x: ((x > 0) & (x <= 1)) | (x == x.amax()) | ~(x != x) & (x >= 2) ^ (x < -1),
    "comparison with a whole number": lambda x: (x * 3).long() > 1,
    "where": lambda x: tc.where(x > 0, x, 0.1 * x),
    "masked_fill": lambda x: x.masked_fill(x < 0, -7),
    "logic": lambda x: tc.logical_and(x, x > 0) | tc.logical_not(x) | tc.isfinite(x) | tc.isnan(x),
    "slices": lambda x: (x[:, 1:, ::2, -3:-1], x[..., 0:2, :1], x[1:], x[: x.shape[0] - 1, 1::2, 1:3]),
    "half of the batch": lambda x: x[: x.shape[0] // 2] * 2,
    "slices backwards": lambda x: x[:, :, ::-1, 4:1:-2],
    "numbers as index": lambda x: (x[:, 1], x[:, -1, :, 2], x[0], x[-1, ..., 0]),
    "new dimensions": lambda x: x[:, None, 1, ..., None],
    "a list as index": lambda x: x[:, [2, 0, 0]],
    "a tensor as index": lambda x: x[:, :, (x[0, 0, :, 0] > 0).long()],
    "index_select": lambda x: tc.index_select(x, 2, tc.tensor([3, 0])),
    "gather": lambda x: tc.gather(x, 3, tc.argsort(x, 3)[:, :, :, :2]),
    "take_along_dim": lambda x: (
        tc.take_along_dim(x, x.argmax(1, keepdim=True), 1)
        if x.shape[1] == 1
        else tc.take_along_dim(x, tc.argsort(x, 1), 1)
    ),
    "scatter": lambda x: tc.scatter(x, 1, x.argmax(1, keepdim=True), 9),
    "scatter_add": lambda x: tc.scatter_add(x, 1, x.argmax(1, keepdim=True), x[:, :1]),
    "one_hot": lambda x: F.one_hot(x.argmax(1), 3),
    "flatten and reshape": lambda x: x.flatten(2).reshape(x.shape[0], -1, 2) + x.reshape(-1, 36, 2),
    "sizes in reshape": lambda x: x.reshape(x.shape[0] * 3, 4, 6).permute(0, 2, 1).reshape(-1, 4),
    "rows": lambda x: x.permute(0, 2, 3, 1).reshape(-1, 3),
    "squeeze and unsqueeze": lambda x: x[:, :1].squeeze(1).unsqueeze(-1).squeeze(-1).unsqueeze(0),
    "expand": lambda x: (
        x[:, :1].expand(-1, 5, -1, -1) + x.mean((1, 2, 3), keepdim=True).expand(x[:, :1].shape)
    ),
    "repeat": lambda x: x.repeat(1, 2, 1, 1) + tc.repeat_interleave(x, 2, 1),
    "repeat the batch": lambda x: x.repeat(2, 1, 1, 1),
    "cat, stack": lambda x: (
        tc.cat([x, x * 2, tc.zeros(x.shape[0], 1, 4, 6)], 1) + tc.stack([x, -x], 1).sum(1)[:, :1]
    ),
    "cat with the batch": lambda x: tc.cat([x, x]),
    "split and chunk": lambda x: [*tc.split(x, [1, 2], 1), *tc.chunk(x, 3, -1), *x.unbind(2)[:2]],
    "flip and roll": lambda x: tc.flip(x, 2, 3) + tc.roll(x, (1, -2), (2, 3)),
    "roll the batch": lambda x: tc.roll(x, 1, 0),
    "transpose": lambda x: (
        x.transpose(1, 3).movedim(2, 1).mT + x.permute(0, 2, 3, 1).mT.mT.transpose(2, 1)[:, :1, :1, :1]
    ),
    "triangles": lambda x: tc.tril(x) + tc.triu(x, 1) * 2,
    "sums": lambda x: x.sum((1, 2)) + x.mean((1, 2)) * x.amax((1, 2)) - x.amin((1, 2)),
    "sum of all": lambda x: x.sum() / x.shape[0] + (x > 0).sum(),
    "mean over the batch": lambda x: x - x.mean(0) + x.mean(),
    "variance": lambda x: x.var((2, 3)) + x.std((2, 3), unbiased=False) + x.var(),
    "variance over the batch": lambda x: tc.var(x, 0, correction=0),
    "norms": lambda x: x.norm(dim=(2, 3)) + tc.norm(x, 1, (2, 3)) + tc.norm(x, float("inf"), (2, 3)),
    "normalize": lambda x: F.normalize(x) + F.normalize(x, 1.0, -1),
    "logsumexp": lambda x: tc.logsumexp(x, (2, 3)),
    "prod and cumsum": lambda x: x.prod(1) + x.cumsum(2)[:, 0],
    "any and all": lambda x: tc.any(x > 1, 1) | tc.all(x > -1, (1,)),
    "largest": lambda x: [*x.max(1), *tc.min(x, -1, keepdim=True), x.argmax(2), tc.argmin(x, 3)],
    "position of all": lambda x: x[:1].argmax(),
    "sorting": lambda x: [*tc.sort(x, 1, descending=True), *tc.topk(x, 2, 3)],
    "matmul": lambda x: x @ x.mT + (x @ tc.arange(6).float()).unsqueeze(-1),
    "einsum": lambda x: tc.einsum("nchw,nkhw->nck", x, x) + tc.einsum("nchw->nc", x).unsqueeze(-1),
    "bmm": lambda x: tc.bmm(x[:, 0], x[:, 1].mT),
    "interpolate to a size": lambda x: F.interpolate(x[:, :, ::2], size=x.shape[2:]),
    "pad": lambda x: F.pad(x, (1, -1, 0, 2), value=3.0) + F.pad(x, (2, -2, -1, 3), "reflect"),
    "pad circular": lambda x: F.pad(x, (2, -1, 1, 1), "circular") + F.pad(x, (-2, 3, 1, 1), "replicate"),
    "grid_sample": lambda x: F.grid_sample(x, tc.tanh(x[:, :2].permute(0, 2, 3, 1)), padding_mode="border"),
    "affine_grid": lambda x: F.affine_grid(x[:, 0, :2, :3], (x.shape[0], 3, 4, 5), align_corners=True),
    "dtypes": lambda x: x.double().long().float() + (x > 0).float() + x.to(tc.float64).to(tc.float32),
    "new tensors": lambda x: tc.zeros_like(x) + tc.ones_like(x) * tc.full((x.shape[0], 1, 1, 1), 2.0) + x,
    "counting": lambda x: tc.arange(x.shape[0]).float().reshape(-1, 1, 1, 1) * x,
    "in place": in_place,
    "a function of one's own": custom,
    "detach and data": lambda x: x.detach() + x.data * 2,
    "contiguous": lambda x: x.permute(0, 2, 3, 1).contiguous() + x.permute(0, 2, 3, 1).clone(),
    "what is not used": lambda x: (F.dropout(x, 0.5), x + 1)[1],
    "a loop": lambda x: sum(x[:, i] * i for i in range(3)),
    "dict": lambda x: {"double": x * 2, "parts": [x[:, 0], (x[:, 1],)]},
    "constants": lambda x: x + tc.linspace(0, 1, 6) * tc.eye(6)[0] + tc.softmax(tc.arange(6).float(), 0),
    "the input itself": lambda x: (x, x + 1, x),
    "one output twice": lambda x: (lambda y: [y, y])(x * 2),
}
