"""Initialisers: means, variances and bounds."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import nn
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.nn import init

FAN_IN, FAN_OUT = 64 * 9, 128 * 9
XAVIER = sqrt(2 / (FAN_IN + FAN_OUT))

STANDARD: dict[str, tuple[Callable[[tc.Tensor], Any], float, float]] = {
    # initialiser, standard deviation, bound in standard deviations
    "xavier_uniform_": (init.xavier_uniform_, XAVIER, sqrt(3)),
    "xavier_normal_": (init.xavier_normal_, XAVIER, 6),
    "xavier_normal_ with gain": (lambda x: init.xavier_normal_(x, 5 / 3), 5 / 3 * XAVIER, 6),
    "he_uniform_": (init.he_uniform_, sqrt(2 / FAN_IN), sqrt(3)),
    "he_normal_": (init.he_normal_, sqrt(2 / FAN_IN), 6),
    "he_normal_, fan_out, ReLU": (
        lambda x: init.he_normal_(x, mode="fan_out", nonlinearity="relu"),
        sqrt(2 / FAN_OUT),
        6,
    ),
    "he_uniform_, leaky ReLU": (lambda x: init.he_uniform_(x, a=sqrt(5)), sqrt(1 / (3 * FAN_IN)), sqrt(3)),
    "he_normal_, linear": (lambda x: init.he_normal_(x, nonlinearity="linear"), sqrt(1 / FAN_IN), 6),
    "normal_": (lambda x: init.normal_(x, 0.0, 0.3), 0.3, 6),
    "trunc_normal_": (lambda x: init.trunc_normal_(x, std=0.5, a=-1, b=1), 0.5 * 0.87962566, 2 / 0.87962566),
}


@pytest.mark.parametrize("name", STANDARD)
def test_statistics(name: str) -> None:
    fill, std, bound = STANDARD[name]
    weight = nn.Parameter(tc.zeros(128, 64, 3, 3))
    assert fill(weight) is weight
    values = weight.data.numpy()
    assert values.dtype == np.float32 and weight.requires_grad and weight.grad_fn is None
    assert abs(values.mean()) < 0.02 * std
    assert abs(values.std() / std - 1) < 0.01
    assert abs(values).max() <= bound * std * 1.0001
    if bound < 2.5:
        assert abs(values).max() > bound * std * 0.99


@pytest.mark.parametrize(
    "name", ("linear", "conv2d", "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu")
)
def test_gains_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    assert init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))


def test_the_gain_of_a_leaky_relu_takes_its_slope() -> None:
    torch = pytest.importorskip("torch")
    assert init.calculate_gain("leaky_relu", 0.3) == pytest.approx(
        torch.nn.init.calculate_gain("leaky_relu", 0.3)
    )
    with pytest.raises(ArgumentError, match="calculate_gain: nonlinearity is 'gelu'"):
        init.calculate_gain("gelu")


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"),
    ((0, 1, -2, 2), (0, 0.02, -2, 2), (1, 0.5, 1, 3), (0.3, 2, -1, 0.1), (0, 1, 4, 9)),
)
def test_truncated_normal_numbers_have_their_distribution(
    mean: float, std: float, a: float, b: float
) -> None:
    stats = pytest.importorskip("scipy.stats")
    tc.manual_seed(1)
    values = init.trunc_normal_(tc.zeros(100, 200, dtype="float64"), mean, std, a, b).data.numpy().ravel()
    exact = stats.truncnorm((a - mean) / std, (b - mean) / std, mean, std)
    assert values.min() >= a and values.max() <= b
    assert stats.kstest(values, exact.cdf).pvalue > 0.01


def test_sparse_columns() -> None:
    torch = pytest.importorskip("torch")
    x = init.sparse_(tc.ones(10, 50), sparsity=0.25, std=0.5).data.numpy()
    expected = (torch.nn.init.sparse_(torch.ones(10, 50), 0.25) == 0).sum(0).numpy()
    np.testing.assert_array_equal((x == 0).sum(0), expected)
    assert abs(x[x != 0].std() - 0.5) < 0.1
    assert len({tuple(column) for column in (x == 0).T}) > 20


@pytest.mark.parametrize(
    ("call", "says"),
    (
        (lambda x: init.trunc_normal_(x, std=0), "std is 0, expected a number above 0"),
        (lambda x: init.trunc_normal_(x, a=2, b=1), "a is 2, expected a number below b = 1"),
        (lambda x: init.sparse_(x, 1.5), "sparsity is 1.5"),
    ),
)
def test_wrong_numbers_are_refused(call: Any, says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        call(tc.ones(3, 3))


def test_layers_start_uniform_within_one_over_the_root_of_fan_in() -> None:
    for layer, fan_in in ((nn.Linear(400, 50), 400), (nn.Conv2d(16, 64, 5, groups=2), 200)):
        for values in (layer.weight.data.numpy(), layer.bias.data.numpy()):
            assert abs(values).max() <= 1 / sqrt(fan_in)
            assert abs(values).max() > 0.9 / sqrt(fan_in)
        assert abs(layer.weight.data.numpy().std() * sqrt(3 * fan_in) - 1) < 0.02


def test_the_seed_decides_the_weights() -> None:
    tc.manual_seed(4)
    first = nn.Linear(5, 5).weight.tolist()
    assert nn.Linear(5, 5).weight.tolist() != first
    tc.manual_seed(4)
    assert nn.Linear(5, 5).weight.tolist() == first


def test_constants() -> None:
    x = tc.randn(3, 3)
    assert (init.zeros_(x).data.numpy() == 0).all()
    assert (init.ones_(x).data.numpy() == 1).all()
    assert (init.constant_(x, 0.25).data.numpy() == 0.25).all()


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(5,\).*2 dimensions"):
        init.he_normal_(tc.zeros(5))
    with pytest.raises(ArgumentError, match="mode is 'fan_middle'"):
        init.he_normal_(tc.zeros(5, 5), mode="fan_middle")
    with pytest.raises(ArgumentError, match="nonlinearity is 'swish'"):
        init.he_normal_(tc.zeros(5, 5), nonlinearity="swish")


@pytest.mark.parametrize("shape", ((6, 6), (3, 8), (8, 3), (4, 2, 3, 3), (40, 2, 3, 3), (1, 1)))
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    weight = tc.zeros(*shape, dtype="float64")
    assert init.orthogonal_(weight, gain=3.0) is weight
    matrix = weight.data.numpy().reshape(shape[0], -1) / 3
    gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-12)


def test_orthogonal_matrices_have_no_preferred_sign() -> None:
    """Without the signs of R, LAPACK's diagonal of Q would be negative far more often."""
    diagonals = [np.diagonal(init.orthogonal_(tc.zeros(3, 3)).data.numpy()) for _ in range(400)]
    assert abs(np.mean(np.sign(diagonals), axis=0)).max() < 0.2


@pytest.mark.parametrize("shape", ((3, 3), (2, 5), (5, 2)))
def test_eye_is_the_identity(shape: tuple[int, ...]) -> None:
    np.testing.assert_array_equal(init.eye_(tc.randn(*shape)).data.numpy(), np.eye(*shape))


@pytest.mark.parametrize(
    ("shape", "groups"),
    (((4, 4, 3), 1), ((3, 5, 3, 5), 1), ((5, 3, 1, 4), 1), ((6, 2, 3, 3), 3), ((6, 4, 3, 3, 3), 2)),
)
def test_dirac_is_pytorchs(shape: tuple[int, ...], groups: int) -> None:
    torch = pytest.importorskip("torch")
    expected = torch.nn.init.dirac_(torch.ones(shape), groups).numpy()
    np.testing.assert_array_equal(init.dirac_(tc.ones(*shape), groups).data.numpy(), expected)


def test_a_dirac_convolution_passes_its_input_on() -> None:
    layer = nn.Conv2d(4, 4, 3, padding=1, groups=2, bias=False)
    init.dirac_(layer.weight, groups=2)
    x = tc.randn(2, 4, 5, 5)
    np.testing.assert_array_equal(layer(x).detach().numpy(), x.numpy())


def test_shapes_that_have_no_identity_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"eye_: tensor is of shape \(2, 2, 2\)"):
        init.eye_(tc.zeros(2, 2, 2))
    with pytest.raises(ShapeError, match=r"dirac_: tensor is of shape \(2, 2\)"):
        init.dirac_(tc.zeros(2, 2))
    with pytest.raises(ArgumentError, match=r"groups is 3, expected a divisor of 4"):
        init.dirac_(tc.zeros(4, 2, 3), groups=3)
    with pytest.raises(ShapeError, match="2 dimensions"):
        init.orthogonal_(tc.zeros(4))


@pytest.mark.parametrize(
    "fill",
    (
        init.uniform_, init.normal_, init.trunc_normal_, init.xavier_uniform_, init.xavier_normal_,
        init.kaiming_uniform_, init.kaiming_normal_, init.orthogonal_,
        lambda x, generator: init.sparse_(x, 0.2, generator=generator),
    ),
)  # fmt: skip
def test_a_generator_of_its_own_decides_the_numbers(fill: Callable[..., Any]) -> None:
    first, second = (fill(tc.zeros(4, 4), generator=tc.Generator().manual_seed(7)).tolist() for _ in range(2))
    assert first == second
    assert fill(tc.zeros(4, 4), generator=tc.Generator().manual_seed(8)).tolist() != first
    with pytest.raises(DtypeError, match="generator is"):
        fill(tc.zeros(4, 4), generator=3)


@pytest.mark.parametrize(
    "draw", (init.uniform_, init.normal_, lambda tensor: init.trunc_normal_(tensor, std=0.5))
)
def test_a_large_tensor_is_filled_in_place(draw) -> None:
    import tracemalloc

    large = tc.zeros(300, 100, 10, 10)
    tracemalloc.start()
    draw(large)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 0.5 * large.array.nbytes, f"{most} bytes beside a tensor of {large.array.nbytes}"
    pieces = large.array.reshape(100, -1)
    assert (pieces.std(axis=1) > 0).all() and len(np.unique(pieces[:, 0])) == 100


def test_values_do_not_depend_on_the_order_of_the_memory() -> None:
    plain, turned = tc.zeros(3, 70_000), tc.zeros(70_000, 3).t()
    for tensor in (plain, turned):
        tc.manual_seed(3)
        init.normal_(tensor)
    assert (plain.data.numpy() == turned.data.numpy()).all() and not turned.array.flags.c_contiguous


@pytest.mark.parametrize("fill", [init.xavier_uniform_, init.xavier_normal_])
def test_a_gain_that_is_no_number_is_named(fill: Any) -> None:
    with pytest.raises(ArgumentError, match=f"{fill.__name__}: gain is 'relu', expected a number"):
        fill(tc.zeros(2, 2), "relu")
