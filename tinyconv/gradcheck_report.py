"""What `gradcheck` says when a gradient is wrong: where, by how much, and the likely mistake."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyconv.device import seed
from tinyconv.gradcheck_probe import values

if TYPE_CHECKING:
    from tinyconv.gradcheck_probe import Probe

Array = np.ndarray[Any, Any]

CLOSE = 1e-3
"""Two gradients are "the same" for a diagnosis when they differ by less than this share."""


def describe(probe: Probe, i: int, analytic: Array, numeric: Array, excess: Array, seen: Array) -> str:
    """The full report on input i, several lines long; `seen` is where `numeric` was computed."""
    wrong = np.argwhere(excess > 0)
    worst = tuple(int(n) for n in np.unravel_index(int(np.argmax(excess)), excess.shape))
    shapes = ", ".join(str(x.shape) if hasattr(x, "shape") else repr(x) for x in probe.arguments)
    lines = [
        f"the gradient with respect to {probe.labels[i]} is wrong",
        f"  inputs    : {shapes}; seed {seed.get().seed}",
        f"  wrong at  : {len(wrong)} of {seen.sum()} elements"
        + ("" if seen.all() else f" looked at ({seen.size} in all)"),
    ]
    if len(wrong):
        lines += [
            f"  worst     : index {worst}, where the input is {values(probe.arguments[i])[worst]:.6g}",
            f"  numeric   : {numeric[worst]:.8g}",
            f"  analytic  : {analytic[worst]:.8g}",
        ]
    lines.append(f"  it seems  : {diagnose(probe, i, analytic, numeric, wrong, seen)}")
    return "\n".join(lines)


def diagnose(probe: Probe, i: int, analytic: Array, numeric: Array, wrong: Array, seen: Array) -> str:
    """The kind of mistake that the pattern of wrong elements suggests."""
    if not np.isfinite(analytic).all():
        return f"the analytic gradient has {np.sum(~np.isfinite(analytic))} elements that are nan or infinite"
    kinks = [position for row in wrong[:20] if probe.has_kink(i, position := tuple(int(n) for n in row))]
    if len(wrong) and len(kinks) == min(len(wrong), 20):
        return (
            f"the function has a kink at {kinks[0]} (its slopes to the left and right differ): "
            "no gradient is right there, move the input away from it"
        )
    if not len(wrong):
        return "a few elements that were not looked at: only slopes along random directions disagree"
    if not np.any(analytic):
        return "no gradient reaches this input: backward returns zeros or None for it"
    return (
        _transposed(analytic, numeric, seen)
        or _one_of_the_batch(probe, i, analytic, numeric)
        or _factor(probe, analytic, numeric, seen)
        or _zeros(analytic, numeric, wrong)
        or f"right at {seen.sum() - len(wrong)} of {seen.sum()} elements, wrong at the others, e.g. "
        + ", ".join(str(tuple(int(n) for n in row)) for row in wrong[:3])
    )


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and float(np.linalg.norm(a - b)) <= CLOSE * float(np.linalg.norm(b))


def _factor(probe: Probe, analytic: Array, numeric: Array, seen: Array) -> str:
    """A constant factor between the two, e.g. a sign, or a mean taken for a sum."""
    count = float(analytic.size)
    analytic, numeric = analytic[seen], numeric[seen]
    square = float((numeric * numeric).sum())
    factor = float((analytic * numeric).sum()) / square if square else 0.0
    if factor == 0 or abs(factor - 1) < 2 * CLOSE or not _same(analytic, factor * numeric):
        return ""
    if abs(factor + 1) < CLOSE:
        return "the sign is flipped"
    hints = {
        float(probe.batch or 1): "the batch size: a mean in forward but not in backward?",
        1 / (probe.batch or 1): "one over the batch size: a mean in backward but not in forward?",
        count: "the number of elements: a mean in forward but not in backward?",
        1 / count: "one over the number of elements: a mean in backward but not in forward?",
    }
    hint = next((f", {text}" for f, text in hints.items() if abs(factor / f - 1) < CLOSE and f != 1), "")
    return f"a constant factor: analytic = {factor:.6g} x numeric{hint}"


def _transposed(analytic: Array, numeric: Array, seen: Array) -> str:
    """The right numbers in the wrong places: axes exchanged or reversed."""

    def fits(moved: Array) -> bool:
        return moved.shape == seen.shape and _same(moved[seen], numeric[seen])

    if analytic.ndim < 2:
        reversed_ = analytic.ndim == 1 and analytic.size > 1 and fits(analytic[::-1])
        return "the elements are in reverse order" if reversed_ else ""
    for order in list(permutations(range(analytic.ndim)))[1:]:
        if fits(analytic.transpose(order)):
            return f"a transposition: the numbers are right with the axes in the order {order}"
    spatial = tuple(range(max(analytic.ndim - 2, 0), analytic.ndim))
    for axes in (spatial, spatial[:1], spatial[1:]):
        if fits(np.flip(analytic, axes)):
            return f"the numbers are right but reversed along axes {axes}: a kernel flipped, or not flipped?"
    return ""


def _one_of_the_batch(probe: Probe, i: int, analytic: Array, numeric: Array) -> str:
    """The gradient of a single element of the batch instead of the sum over all."""
    if probe.batch is None or probe.batch < 2 or analytic.size > 400:
        return ""
    if analytic.ndim and analytic.shape[0] == probe.batch and not _same(analytic, np.zeros_like(analytic)):
        return ""
    for n in {0, probe.batch - 1}:
        if _same(analytic, probe.numeric(i, analytic, range(analytic.size), only=n)):
            return (
                f"missing accumulation over the batch: it is the gradient of batch element {n} alone "
                "(add up with +=, or sum over the batch)"
            )
    return ""


def _zeros(analytic: Array, numeric: Array, wrong: Array) -> str:
    """Zero wherever it is wrong."""
    positions = tuple(wrong.T)
    if len(wrong) and not np.any(analytic[positions]):
        return f"zero at {len(wrong)} elements where it should not be: a mask, border or overlap forgotten?"
    return ""
