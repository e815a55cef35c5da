"""One axis of a receptive field.

Along an axis, the element at position p of a tensor depends on the pixels from ``low(p)`` to
``high(p)`` of the input. Layers repeat themselves: with a period of T positions both move on by
a step of S pixels, so that T pairs of numbers say it all. A window of k pixels, stride s and
dilation d takes the lowest and the highest end of its k elements, which need not be those of the
first and the last: a transposed convolution with dilation changes their order. A concatenation joins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
        windows = [range(start, start + kernel * dilation, dilation) for start in starts]
        return self._taking(windows, self.step * (period * stride // len(self.low)))

    def spread(self, kernel: int, stride: int, padding: int, dilation: int) -> Axis:
        """After a transposed convolution: element q reaches the positions q s - padding + k d."""
        sources = []
        for position in range(len(self.low) * stride):
            offsets = [position + padding - k * dilation for k in range(kernel)]
            sources.append([offset // stride for offset in offsets if offset % stride == 0])
        return self._taking(sources, self.step)

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
            taken = []
            for position in range(base * rounds):
                turns, phase = divmod(position - start, base)
                offset = start + phase
                taken.append(range(first[offset] + turns * moved, last[offset] + turns * moved + 1))
            return self._taking(taken, self.step * (moved * rounds // len(self.low)))
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

    def _taking(self, positions: Iterable[Sequence[int]], step: int) -> Axis:
        """Each element takes the elements at some positions; at none where nothing reaches it."""
        ends = [[self.at(position) for position in taken] for taken in positions]
        low = tuple(min((low for low, _ in pairs), default=inf) for pairs in ends)
        high = tuple(max((high for _, high in pairs), default=-inf) for pairs in ends)
        return Axis(step, low, high)
