"""One axis of a receptive field.

Along an axis, the element at position p of a tensor depends on the pixels from ``low(p)`` to
``high(p)`` of the input. Layers repeat themselves: with a period of T positions both move on by
a step of S pixels, so that T pairs of numbers say it all. A window of k pixels, stride s and
dilation d takes the low end of its first pixel and the high end of its last one; a transposed
convolution spreads, a concatenation joins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import gcd, inf, lcm


@dataclass(frozen=True)
class Axis:
    """Where the elements along one axis look: T pairs of low and high, then all moved by `step`."""

    step: int
    low: tuple[float, ...]
    high: tuple[float, ...]

    @staticmethod
    def identity() -> Axis:
        """That of the input itself."""
        return Axis(1, (0,), (0,))

    @staticmethod
    def constant(extent: float) -> Axis:
        """All elements look at the same pixels."""
        return Axis(0, (0,), (extent - 1,))

    @property
    def extent(self) -> int:
        """The largest number of pixels that an element reaches over."""
        reach = max(high - low + 1 for low, high in zip(self.low, self.high, strict=True))
        return int(max(reach, 0))

    def at(self, position: int) -> tuple[float, float]:
        """The first and the last pixel that the element at a position depends on."""
        turns, phase = divmod(position, len(self.low))
        return self.low[phase] + turns * self.step, self.high[phase] + turns * self.step

    def windowed(self, kernel: int, stride: int, padding: int, dilation: int) -> Axis:
        """After a convolution or pooling."""
        period = len(self.low) // gcd(len(self.low), stride)
        starts = [p * stride - padding for p in range(period)]
        ends = [start + (kernel - 1) * dilation for start in starts]
        return self._taking(zip(starts, ends, strict=True), self.step * (period * stride // len(self.low)))

    def spread(self, kernel: int, stride: int, padding: int, dilation: int) -> Axis:
        """After a transposed convolution: element q reaches the positions q s - padding + k d."""
        pairs = []
        for position in range(len(self.low) * stride):
            offsets = [position + padding - k * dilation for k in range(kernel)]
            sources = [offset // stride for offset in offsets if offset % stride == 0]
            pairs.append((min(sources), max(sources)) if sources else None)
        return self._taking(pairs, self.step)

    def resampled(self, first: list[int], last: list[int]) -> Axis | None:
        """After an op whose element p takes the elements from ``first[p]`` to ``last[p]``.

        The pattern is read off the middle, away from the borders; None if it has none.
        """
        count, start = len(first), len(first) // 4
        for base in range(1, count // 4 + 1):
            moved = first[start + base] - first[start]
            middle = range(start, count - start - base)
            regular = all(ends[p + base] == ends[p] + moved for p in middle for ends in (first, last))
            if not (regular and middle and moved > 0):
                continue
            rounds = len(self.low) // gcd(len(self.low), moved)
            pairs = []
            for position in range(base * rounds):
                turns, phase = divmod(position - start, base)
                offset = start + phase
                pairs.append((first[offset] + turns * moved, last[offset] + turns * moved))
            return self._taking(pairs, self.step * (moved * rounds // len(self.low)))
        return None

    def joined(self, other: Axis) -> Axis | None:
        """Of an element that depends on one of each; None if the two do not move together."""
        if self.step == 0 or other.step == 0:
            return Axis.constant(max(self.extent, other.extent))
        if self.step * len(other.low) != other.step * len(self.low):
            return None
        period = lcm(len(self.low), len(other.low))
        pairs = [(self.at(p), other.at(p)) for p in range(period)]
        low = tuple(min(a[0], b[0]) for a, b in pairs)
        high = tuple(max(a[1], b[1]) for a, b in pairs)
        return Axis(self.step * (period // len(self.low)), low, high)

    def _taking(self, pairs: Iterable[tuple[int, int] | None], step: int) -> Axis:
        pairs = list(pairs)
        low = tuple(inf if pair is None else self.at(pair[0])[0] for pair in pairs)
        high = tuple(-inf if pair is None else self.at(pair[1])[1] for pair in pairs)
        return Axis(step, low, high)
