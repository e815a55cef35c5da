"""The masks of dropout, block by block, as pieces of loops; see `kernels.reference.dropout`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.kernels.cpu.options import inlined
from tinyconv.kernels.reference import dropout as reference

Array = Any
Word = Any
u64 = np.uint64

M0, M1 = map(u64, reference.MULTIPLIERS)
WEYL0, WEYL1 = map(u64, reference.WEYL)
WORD = u64(reference.WORD)
HIGH = u64(32)
ZERO = np.float32(0)
QUADS = 256
"""Counters per block; their factors wait in the L1 cache."""
BLOCK = 4 * QUADS


def mask(p: float, key: tuple[int, int]) -> tuple[Any, ...]:
    """What a compiled loop needs to make the mask: the threshold, the scale, and the words of the key."""
    threshold, scale = reference.keep_threshold(p), reference.keep_scale(p)
    if threshold > reference.WORD:
        threshold, scale = 0, 0.0
    seed, call = key
    words = map(u64, (*reference.split_words(call), *reference.split_words(seed)))
    return u64(threshold), np.float32(scale), *words


@inlined
def drop_block(
    x: Array, y: Array, start: int, stop: int, threshold: Word, scale: float, call_low: Word,
    call_high: Word, k0: Word, k1: Word,
) -> None:  # fmt: skip
    """The numbers from `start`, a multiple of `BLOCK`, to `stop`."""
    factors = np.empty((4, QUADS), np.float32)
    _factors(u64(start // 4), factors, threshold, scale, call_low, call_high, k0, k1)
    whole = (stop - start) // 4
    middle = start + 4 * whole
    _apply(x[start:middle].reshape(whole, 4), y[start:middle].reshape(whole, 4), factors)
    for i in range(middle, stop):
        y[i] = x[i] * factors[i - middle, whole]


@inlined
def _factors(
    first: Word,
    factors: Array,
    threshold: Word,
    scale: float,
    call_low: Word,
    call_high: Word,
    k0: Word,
    k1: Word,
) -> None:
    """Fill factors[w, j] with `scale` or 0 for word w of counter first + j."""
    f0, f1, f2, f3 = factors[0], factors[1], factors[2], factors[3]
    low, high = first & WORD, first >> HIGH  # a block never crosses 2**32: QUADS divides it
    for j in range(f0.size):
        w0, w1, w2, w3 = _philox(low + u64(j), high, call_low, call_high, k0, k1)
        f0[j] = scale if w0 >= threshold else ZERO
        f1[j] = scale if w1 >= threshold else ZERO
        f2[j] = scale if w2 >= threshold else ZERO
        f3[j] = scale if w3 >= threshold else ZERO


@inlined
def _apply(x: Array, y: Array, factors: Array) -> None:
    f0, f1, f2, f3 = factors[0], factors[1], factors[2], factors[3]
    for j in range(x.shape[0]):
        y[j, 0] = x[j, 0] * f0[j]
        y[j, 1] = x[j, 1] * f1[j]
        y[j, 2] = x[j, 2] * f2[j]
        y[j, 3] = x[j, 3] * f3[j]


@inlined
def _philox(c0: Word, c1: Word, c2: Word, c3: Word, k0: Word, k1: Word) -> tuple[Word, Word, Word, Word]:
    """Philox4x32-10 on words kept in 64-bit lanes, where a product has both of its halves."""
    for _ in range(reference.ROUNDS):
        product0, product1 = c0 * M0, c2 * M1
        c0, c1 = (product1 >> HIGH) ^ c1 ^ k0, product1 & WORD
        c2, c3 = (product0 >> HIGH) ^ c3 ^ k1, product0 & WORD
        k0, k1 = (k0 + WEYL0) & WORD, (k1 + WEYL1) & WORD
    return c0, c1, c2, c3
