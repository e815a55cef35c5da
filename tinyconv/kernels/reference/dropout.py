"""Dropout (Srivastava et al. 2014) with a mask that is a pure function of seed, call and position.

Each element is dropped with probability p, and what stays is divided by 1 - p, so that the
expected value is unchanged and nothing needs to be done at test time.

The random numbers come from Philox4x32-10 (Salmon et al., Parallel random numbers: as easy
as 1, 2, 3, 2011): ten rounds of multiply-and-swap turn a counter of four 32-bit words into
four random words. There is no hidden state to carry from one number to the next, so element
i finds its own number whatever the number of threads, the memory order or the device::

    word(i) = philox(counter=(i // 4 low, i // 4 high, call low, call high), key=seed)[i % 4]
    element i is kept when word(i) >= round(p * 2**32)

i counts in channels-last order, (N, *spatial, C), for three or more dimensions, and in plain
C order otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.device import array_module
from tinyconv.kernels.reference.elementwise import quiet

Array = Any

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
WORD = 0xFFFFFFFF


def philox(counter: tuple[Array, Array, Array, Array], key: tuple[int, int]) -> tuple[Array, ...]:
    """Four random words for each counter of four words, all uint64 arrays holding 32 bits.

    Examples
    --------
    >>> import numpy as np
    >>> zero = np.zeros((), dtype=np.uint64)
    >>> [f"{int(word):08x}" for word in philox((zero, zero, zero, zero), (0, 0))]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        product0, product1 = c0 * np.uint64(MULTIPLIERS[0]), c2 * np.uint64(MULTIPLIERS[1])
        c0, c1, c2, c3 = (
            (product1 >> np.uint64(32)) ^ c1 ^ np.uint64(k0),
            product1 & np.uint64(WORD),
            (product0 >> np.uint64(32)) ^ c3 ^ np.uint64(k1),
            product0 & np.uint64(WORD),
        )
        k0, k1 = (k0 + WEYL[0]) & WORD, (k1 + WEYL[1]) & WORD
    return c0, c1, c2, c3


def split_words(number: int) -> tuple[int, int]:
    """The low and the high 32 bits of a number below 2**64."""
    return number & WORD, number >> 32


def keep_threshold(p: float) -> int:
    """An element is kept when its random word is at least this."""
    return round(p * 2**32)


def keep_scale(p: float) -> float:
    """What a kept element is multiplied with: 1 / (1 - p), and 0 when nothing is kept."""
    return 1 / (1 - p) if p < 1 else 0.0


def random_words(count: int, key: tuple[int, int], xp: Any = np) -> Array:
    """The words of elements 0 to count - 1 for a key (seed, number of the call): uint64 (count,)."""
    seed, call = key
    quads = xp.arange((count + 3) // 4, dtype=np.uint64)
    call_low, call_high = (xp.full_like(quads, word) for word in split_words(call))
    counter = (quads & np.uint64(WORD), quads >> np.uint64(32), call_low, call_high)
    return xp.stack(philox(counter, split_words(seed)), axis=1).reshape(-1)[:count]


@quiet
def dropout(x: Array, p: float, key: tuple[int, int]) -> Array:
    """Zero each element of x with probability p and divide the others by 1 - p.

    Dropout is linear in x and its own adjoint: the backward is the same call with the same key.

    Parameters
    ----------
    x : array (N, C, *spatial) or any other shape
    p : float from 0 to 1
    key : (seed, number of the call), each below 2**64
    """
    xp = array_module(x)
    keep = random_words(x.size, key, xp) >= keep_threshold(p)
    if x.ndim >= 3:
        keep = xp.moveaxis(keep.reshape(x.shape[0], *x.shape[2:], x.shape[1]), -1, 1)
    else:
        keep = keep.reshape(x.shape)
    return xp.asarray(x * (keep * x.dtype.type(keep_scale(p))))
