"""Random generators of one's own, beside the one that `manual_seed` sets."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.device import RandomState, seed
from tinyconv.errors import ArgumentError, DtypeError


class Generator:
    """A source of random numbers that nothing else draws from, for arguments named ``generator``.

    Parameters
    ----------
    device : str
        Where the numbers are drawn: on the CPU, whatever device they are for.

    Examples
    --------
    >>> import tinyconv as tc
    >>> first = tc.randn(3, generator=tc.Generator().manual_seed(1)).tolist()
    >>> tc.randn(3, generator=tc.Generator().manual_seed(1)).tolist() == first
    True
    """

    def __init__(self, device: str = "cpu") -> None:
        if str(device).partition(":")[0] != "cpu":
            raise ArgumentError("Generator", "device", repr(device), "'cpu', where random numbers are drawn")
        self.device = device
        self.state = RandomState(0)

    def manual_seed(self, seed: int) -> Generator:
        """Start from `seed`; returns the generator."""
        if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or not 0 <= seed < 2**64:
            raise ArgumentError("Generator.manual_seed", "seed", repr(seed), "an int from 0 to 2**64 - 1")
        self.state = RandomState(int(seed))
        return self

    def initial_seed(self) -> int:
        """The seed that the generator started from."""
        return self.state.seed


def numpy_generator(where: str, generator: Any = None) -> np.random.Generator:
    """What an op draws from: `generator`, or the one that `manual_seed` sets."""
    if generator is None:
        return seed.get().generator
    if not isinstance(generator, Generator):
        raise DtypeError(where, "generator", f"a {type(generator).__name__}", "a tc.Generator or None")
    return generator.state.generator
