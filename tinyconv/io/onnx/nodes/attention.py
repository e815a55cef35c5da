"""Attention, and the rotation of its queries and keys by their places."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from typing import Any

import numpy as np

from tinyconv import ops
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.io.onnx.node import Node
from tinyconv.io.onnx.nodes._arguments import on_cpu
from tinyconv.tensor import Tensor


def attention(
    node: Node,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    past_key: Tensor | None = None,
    past_value: Tensor | None = None,
    lengths: Tensor | None = None,
) -> tuple[Any, ...]:
    """softmax(q k^T / sqrt(d)) v for every head; also the keys and values so far, and the scores.

    The scores are those that ``qk_matmul_output_mode`` asks for: as products, with softcap, with mask, after
    the softmax.
    """
    flat = query.ndim == 3
    queries, keys = node.integer("q_num_heads", 0), node.integer("kv_num_heads", 0)
    q, k, v = heads(node, query, queries), heads(node, key, keys), heads(node, value, keys)
    past = 0 if past_key is None else past_key.shape[2]
    k = k if past_key is None else ops.cat([past_key, k], 2)
    v = v if past_value is None else ops.cat([past_value, v], 2)
    present = k, v
    if q.shape[1] % k.shape[1]:
        found = f"{q.shape[1]} for the queries, {k.shape[1]} for the keys"
        raise ArgumentError(node.where, "the number of heads", found, "a multiple of the second")
    k, v = (ops.repeat_interleave(x, q.shape[1] // k.shape[1], 1) for x in (k, v))
    # The root of the scale goes to both factors, so that neither becomes large.
    scale = sqrt(node.number("scale", 1 / sqrt(q.shape[-1])))
    scores = ops.matmul(q * scale, ops.transpose(k * scale, -2, -1))
    stages = [scores]
    cap = node.number("softcap", 0.0)
    bias = mask_as_bias(node, mask, scores, past, lengths)
    scores = ops.tanh(scores / cap) * cap if cap else scores
    stages.append(scores)
    scores = scores if bias is None else scores + bias
    stages.append(scores)
    weights = ops.softmax(scores, -1)
    stages.append(weights)
    y = ops.matmul(weights, v)
    if flat:
        y = ops.reshape(ops.transpose(y, 1, 2), (*query.shape[:2], -1))
    return y, *present, stages[node.integer("qk_matmul_output_mode", 0)]


def heads(node: Node, x: Tensor, count: int) -> Tensor:
    """(N, heads, length, d) of (N, length, heads d), if it is not that already."""
    if x.ndim == 4:
        return x
    if x.ndim != 3 or count < 1 or x.shape[2] % count:
        found = f"of shape {x.shape} for {count} heads"
        raise ShapeError(node.op, "an input", found, "(N, heads, length, d) or (N, length, heads * d)")
    return ops.transpose(ops.reshape(x, (*x.shape[:2], count, x.shape[2] // count)), 1, 2)


def mask_as_bias(
    node: Node, mask: Tensor | None, scores: Tensor, past: int, lengths: Tensor | None
) -> Tensor | None:
    """What is added to the scores: minus infinity where nobody may look."""
    rows, columns = scores.shape[-2:]
    bias = None
    if mask is not None:
        zero = Tensor(np.zeros((), scores.dtype)).to(mask.device)
        never = Tensor(np.array(-inf, scores.dtype)).to(mask.device)
        bias = ops.where(mask, zero, never) if mask.dtype.kind == "b" else mask
        if bias.shape[-1] < columns:
            missing = columns - bias.shape[-1]
            bias = ops.pad(bias, (0, missing), value=-inf)
    hidden = np.zeros((rows, columns), np.bool_)
    if node.flag("is_causal"):
        first = np.array(past) if lengths is None else (on_cpu(lengths) - rows).reshape(-1, 1, 1, 1)
        hidden = np.arange(columns) > np.arange(rows)[:, None] + first
    if lengths is not None:
        hidden = hidden | (np.arange(columns) >= on_cpu(lengths).reshape(-1, 1, 1, 1))
    if hidden.any():
        cover = Tensor(np.where(hidden, -inf, 0.0).astype(scores.dtype)).to(scores.device)
        bias = cover if bias is None else bias + cover
    return bias


def rotary_embedding(node: Node, x: Tensor, cos: Tensor, sin: Tensor, places: Tensor | None = None) -> Tensor:
    """Pairs of numbers turned by angles that depend on the place."""
    flat, shape = x.ndim == 3, x.shape
    x = heads(node, x, node.integer("num_heads", 0))
    size = node.integer("rotary_embedding_dim", 0) or x.shape[-1]
    turned, rest = x[..., :size], x[..., size:]
    if places is not None:
        cos, sin = cos[places], sin[places]
    cos, sin = (ops.unsqueeze(v[..., : size // 2], 1) for v in (cos, sin))
    pairs = node.flag("interleaved")
    first, second = (
        (turned[..., 0::2], turned[..., 1::2])
        if pairs
        else (turned[..., : size // 2], turned[..., size // 2 :])
    )
    real, imaginary = first * cos - second * sin, first * sin + second * cos
    if pairs:
        y = ops.reshape(ops.stack([real, imaginary], -1), turned.shape)
    else:
        y = ops.cat([real, imaginary], -1)
    y = ops.cat([y, rest], -1)
    return ops.reshape(ops.transpose(y, 1, 2), shape) if flat else y


TABLE: dict[str, Callable[..., Any]] = {"Attention": attention, "RotaryEmbedding": rotary_embedding}
