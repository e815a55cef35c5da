"""Drawing the cases of a check: sizes and choices by Hypothesis, numbers that are never constant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tinyconv.course.exercises.wire import Rng

Array = np.ndarray[Any, Any]
Value = TypeVar("Value")
LAYOUTS = ("C order", "Fortran order", "every second element", "reversed", "last axis first")


@dataclass(frozen=True)
class Stage:
    """What is special about the cases of one round: dtype, batch size, memory order."""

    name: str
    dtype: str = "float64"
    batch: int | None = None
    layouts: tuple[str, ...] = LAYOUTS[:1]
    share: float = 1.0


PLAIN = Stage("random inputs")
STAGES = (
    Stage("float32 inputs", dtype="float32", share=0.25),
    Stage("a batch of 1", batch=1, share=0.15),
    Stage("an empty batch", batch=0, share=0.1),
    Stage("inputs in other memory orders", layouts=LAYOUTS[1:], share=0.5),
)
"""The rounds after the plain one."""


class DrawnCase(dict[str, Any]):
    """A case that remembers its batch size, and what was drawn for it."""

    batch: int | None = None
    drawn: Sequence[Any] = ()


class Draw:
    """What the function that draws a case is given.

    Sizes shrink: when a case fails, Hypothesis looks for one that fails with smaller integers, earlier
    choices, and smaller arrays. Arrays hold distinct multiples of 1/8 in random order, never zero.
    """

    def __init__(
        self, draw: Callable[[Any], Any], stage: Stage = PLAIN, other_batch: int | None = None
    ) -> None:
        self._draw = draw
        self.drawn: list[Any] = []
        self.stage = stage
        self.other_batch = other_batch
        self.used: set[str] = set()
        self.batch_size: int | None = None
        self._count = 0

    def draw(self, strategy: Any) -> Any:
        """What Hypothesis draws; it is kept, so that the case can be drawn again."""
        self.drawn.append(self._draw(strategy))
        return self.drawn[-1]

    def integer(self, low: int, high: int) -> int:
        """From `low` to `high`, both included, in parts below 100.

        Among larger integers Hypothesis mixes those that it reads in the sources of whatever modules are
        loaded: the cases, and with them the verdict, would depend on how tinyconv is installed.
        """
        from hypothesis import strategies

        if high - low < 100:
            return low + int(self.draw(strategies.integers(0, high - low)))
        hundreds = self.integer(0, (high - low) // 100)
        start = low + 100 * hundreds
        return self.integer(start, min(start + 99, high))

    def choice(self, options: Sequence[Value]) -> Value:
        """One of the options; the first counts as the simplest."""
        from hypothesis import strategies

        return self.draw(strategies.sampled_from(list(options)))

    def boolean(self) -> bool:
        """False counts as the simpler one."""
        return self.choice((False, True))

    def batch(self, most: int = 3) -> int:
        """A batch size; the judge also asks for rounds of 1 and of 0."""
        self.used.add("batch")
        drawn = self.integer(1, most) if self.stage.batch is None else self.stage.batch
        self.batch_size = drawn if self.other_batch is None else self.other_batch
        return self.batch_size

    def rng(self) -> np.random.Generator:
        """A generator for numbers of your own; use it for values, never for sizes."""
        self._count += 1
        return np.random.default_rng((self.integer(0, 9999), self._count))

    def seed(self) -> Rng:
        """Arrives at the student's code as a ``numpy.random.Generator``."""
        return Rng(self.integer(0, 9999))

    def array(
        self, *shape: int, positive: bool = False, scale: float = 1.0, dtype: str | None = None
    ) -> Array:
        """Distinct multiples of scale / 8, none of them zero, in random order.

        Parameters
        ----------
        *shape : int
        positive : bool
            Only positive ones.
        scale : float
        dtype : str, optional
            By default that of the round, float64 or float32.
        """
        count = int(np.prod(shape))
        steps = np.arange(1, 3 * count + 6)
        if not positive:
            steps = np.concatenate([steps[: len(steps) // 2], -steps[: len(steps) // 2 + 1]])
        values = self.rng().permutation(steps)[:count] * (scale / 8)
        return self.lay(values.reshape(shape).astype(dtype or self.stage.dtype))

    def labels(self, count: int, classes: int) -> Array:
        """So many integers from 0 to classes - 1."""
        return self.rng().integers(0, classes, count)

    def lay(self, values: Array) -> Array:
        """The same values in the memory order of this round; for arrays that you made yourself."""
        self.used.add("array")
        if values.dtype.kind == "f":
            self.used.add("float")
        if len(self.stage.layouts) == 1 or not values.ndim:
            return values
        return in_layout(values, self.choice(self.stage.layouts))


def in_layout(values: Array, layout: str) -> Array:
    """A copy with the same values and shape that lies in memory in another way.

    Examples
    --------
    >>> x = in_layout(np.arange(6.0).reshape(2, 3), "reversed")
    >>> x.tolist(), x.strides
    ([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], (-24, -8))
    """
    if layout == "Fortran order":
        return np.asfortranarray(values)
    if layout == "every second element":
        room = np.zeros((*values.shape[:-1], 2 * values.shape[-1]), values.dtype)
        room[..., ::2] = values
        return room[..., ::2]
    if layout == "reversed":
        backwards = (slice(None, None, -1),) * values.ndim
        return np.ascontiguousarray(values[backwards])[backwards]
    if layout == "last axis first":  # as channels-last images are, seen the other way round
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(values, -1, 0)), 0, -1)
    return np.ascontiguousarray(values)
