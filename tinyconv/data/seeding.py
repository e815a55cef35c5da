"""Generators that are a pure function of a seed and a place in the work.

Sample 17 of epoch 3 draws the same numbers whichever thread makes it, in whichever order,
and in a run that was interrupted and resumed: nothing is carried from one draw to the next.
"""

from __future__ import annotations

import numpy as np

from tinyconv.errors import ArgumentError

ORDER = 0
AUGMENTATION = 1
SPLIT = 2
SYNTHESIS = 3
WORKER = 4


def generator(seed: int, purpose: int, *place: int) -> np.random.Generator:
    """The generator that belongs to `place`, e.g. (epoch, index), for one `purpose`.

    Parameters
    ----------
    seed : int
        From 0 to 2**64 - 1.
    purpose : int
        One of the constants of this file, so that shuffling and augmenting with one seed
        do not draw the same numbers.
    place : int
        Where in the work the numbers are needed.

    Examples
    --------
    >>> first = generator(7, AUGMENTATION, 3, 17).random()
    >>> generator(7, AUGMENTATION, 3, 17).random() == first
    True
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(purpose, *place))
    return np.random.Generator(np.random.PCG64(sequence))


def check_seed(where: str, seed: int) -> int:
    """`seed` itself, or an `ArgumentError` if it is no integer from 0 to 2**64 - 1."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise ArgumentError(where, "seed", repr(seed), "an int from 0 to 2**64 - 1")
    return int(seed)
