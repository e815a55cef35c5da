"""What gradcheck says of planted mistakes: the kind, the place, and both numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.backends import kernels
from tests.gpu import tensor
from tests.planted import alone, as_array, doubles, planted, spoilt_at, square
from tinyconv.errors import GradcheckError


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with kernels("auto", threads=1):
        yield


def conv(x: tc.Tensor, w: tc.Tensor) -> tc.Tensor:
    return F.conv2d(x, w, padding=1)


def pool(x: tc.Tensor) -> tc.Tensor:
    return F.max_pool2d(x, 2, stride=1)


def batch_mean(x: tc.Tensor) -> tc.Tensor:
    return x * x / x.shape[0]


def overlaps_forgotten(grad: tc.Tensor, start: tc.Tensor) -> tc.Tensor:
    """Zero where several windows chose the same element."""
    array = grad.numpy().copy()
    counts = POOL_COUNTS[array.shape]
    array[counts > 1] = 0
    return tensor(array)


POOL_INPUT = doubles(1, 2, 6, 6, seed=5)
_, _indices = F.max_pool2d(POOL_INPUT, 2, stride=1, return_indices=True)
_counts = np.zeros((2, 36))
for _plane, _places in enumerate(_indices.numpy().reshape(2, -1)):
    np.add.at(_counts[_plane], _places, 1)
POOL_COUNTS = {(1, 2, 6, 6): _counts.reshape(1, 2, 6, 6)}

X, W = doubles(3, 2, 5, 5), doubles(2, 2, 3, 3, seed=1)
A, B = doubles(4, 3), doubles(3, 4, seed=1)

MISTAKES: list[tuple[str, Callable[..., Any], list[tc.Tensor], int, str]] = [
    ("a factor", planted(square, lambda g, s: g * 0.5), [A], 0, r"constant factor: analytic = 0\.5 x"),
    ("the sign", planted(tc.exp, lambda g, s: -g), [A], 0, "the sign is flipped"),
    (
        "one over the batch",
        planted(square, lambda g, s: g / 4),
        [A],
        0,
        r"analytic = 0\.25 x numeric, one over the batch size: a mean in backward but not in forward",
    ),
    (
        "the batch size",
        planted(batch_mean, lambda g, s: g * 4),
        [A],
        0,
        r"analytic = 4 x numeric, the batch size: a mean in forward but not in backward",
    ),
    (
        "the number of elements",
        planted(tc.mean, lambda g, s: g * 12),
        [A],
        0,
        r"analytic = 12 x numeric, the number of elements",
    ),
    (
        "a transposed square matrix",
        planted(tc.matmul, as_array(lambda g: g.T), 1),
        [doubles(3, 3), doubles(3, 3, seed=1)],
        1,
        r"transposition.*axes in the order \(1, 0\)",
    ),
    (
        "channels exchanged",
        planted(conv, as_array(lambda g: g.swapaxes(0, 1)), 1),
        [X, W],
        1,
        r"transposition.*\(1, 0, 2, 3\)",
    ),
    (
        "a kernel flipped",
        planted(conv, as_array(lambda g: g[:, :, ::-1, ::-1]), 1),
        [X, W],
        1,
        r"reversed along axes \(2, 3\): a kernel flipped",
    ),
    (
        "a kernel flipped along one axis",
        planted(conv, as_array(lambda g: g[:, :, :, ::-1]), 1),
        [X, W],
        1,
        r"reversed along axes \(3,\)",
    ),
    ("a vector reversed", planted(square, as_array(lambda g: g[::-1])), [doubles(5)], 0, "reverse order"),
    (
        "only the last of the batch",
        planted(conv, alone(conv, 1, 2)([X, W]), 1),
        [X, W],
        1,
        "missing accumulation over the batch.*batch element 2 alone",
    ),
    (
        "only the first of the batch",
        planted(F.linear, alone(F.linear, 2, 0)([A, doubles(2, 3, seed=2), doubles(2, seed=3)]), 2),
        [A, doubles(2, 3, seed=2), doubles(2, seed=3)],
        2,
        "missing accumulation over the batch.*batch element 0 alone",
    ),
    ("overlaps", planted(pool, overlaps_forgotten), [POOL_INPUT], 0, "zero at .* mask, border or overlap"),
    (
        "a border",
        planted(conv, as_array(lambda g: np.pad(g[:, :, 1:-1, 1:-1], ((0, 0), (0, 0), (1, 1), (1, 1))))),
        [X, W],
        0,
        "zero at .* mask, border or overlap",
    ),
    ("zeros", planted(square, lambda g, s: g * 0), [A], 0, "no gradient reaches this input"),
    ("None", planted(square, lambda g, s: None), [A], 0, "no gradient reaches this input"),
    ("nan", planted(square, spoilt_at((1, 2), lambda _: np.nan)), [A], 0, "1 elements that are nan"),
    ("infinity", planted(square, spoilt_at((0, 0), lambda _: np.inf)), [A], 0, "1 elements .* infinite"),
    (
        "one element",
        planted(square, spoilt_at((3, 1), lambda v: v + 0.5)),
        [A],
        0,
        r"right at 11 of 12.*\(3, 1\)",
    ),
]


@pytest.mark.parametrize(
    ("fn", "inputs", "i", "says"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES]
)
def test_a_planted_mistake_is_named(
    fn: Callable[..., Any], inputs: list[tc.Tensor], i: int, says: str
) -> None:
    with pytest.raises(GradcheckError, match=says) as caught:
        tc.gradcheck(fn, inputs)
    text = str(caught.value)
    assert text.startswith("gradcheck of faulty (Planted): ")
    assert f"with respect to inputs[{i}]" in text
    assert "seed 0" in text
    index, numeric, analytic = worst_of(text)
    expected = numeric_gradient(fn, inputs, i)
    np.testing.assert_allclose(numeric, expected[index], rtol=1e-5)
    assert not abs(analytic - numeric) <= 1e-4 * abs(numeric)
    assert tc.gradcheck(fn, inputs, raise_exception=False) is False


def worst_of(text: str) -> tuple[tuple[int, ...], float, float]:
    """The index, the numeric and the analytic value of the report."""
    lines = {line.partition(":")[0].strip(): line.partition(":")[2] for line in text.splitlines()}
    index = tuple(int(n) for n in lines["worst"].partition("(")[2].partition(")")[0].split(",") if n.strip())
    return index, float(lines["numeric"]), float(lines["analytic"])


def numeric_gradient(fn: Callable[..., Any], inputs: list[tc.Tensor], i: int) -> Any:
    """Central differences of the outputs, weighted as gradcheck weights them (its seed is 0)."""
    outputs = fn(*inputs)
    rng = np.random.default_rng(0)
    weights = rng.uniform(0.5, 1.5, outputs.shape) * rng.choice([-1, 1], outputs.shape)
    gradient = np.empty(inputs[i].shape)
    for position in np.ndindex(gradient.shape):
        values = []
        for step in (1e-5, -1e-5):
            changed = inputs[i].detach().numpy().copy()
            changed[position] += step
            arguments = [*inputs[:i], tensor(changed), *inputs[i + 1 :]]
            values.append((fn(*arguments).detach().numpy() * weights).sum())
        gradient[position] = (values[0] - values[1]) / 2e-5
    return gradient


def test_the_kink_of_relu_is_named() -> None:
    x = doubles(3, 4)
    x.array[1, 2] = 0.0
    with pytest.raises(GradcheckError, match=r"kink at \(1, 2\).*slopes to the left and right") as caught:
        tc.gradcheck(F.relu, x)
    assert "index (1, 2), where the input is 0" in str(caught.value)
    assert str(caught.value).startswith("gradcheck of relu (ReLU)")


def test_the_kink_of_a_maximum_is_named() -> None:
    x = tc.tensor([1.0, 2.0, 2.0], dtype="float64", requires_grad=True)
    with pytest.raises(GradcheckError, match="kink"):
        tc.gradcheck(lambda t: t.max(0).values, x)


def test_a_factor_in_a_large_input_is_named() -> None:
    with pytest.raises(GradcheckError, match=r"(?s)400 of 400 elements looked at \(1200.*= 2 x numeric$"):
        tc.gradcheck(planted(square, lambda g, s: g * 2), doubles(30, 40))


def test_a_transposition_in_a_large_input_is_named() -> None:
    with pytest.raises(GradcheckError, match=r"axes in the order \(1, 0\)"):
        tc.gradcheck(planted(square, as_array(lambda g: g.T)), doubles(30, 30))
