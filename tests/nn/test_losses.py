"""Losses as modules: PyTorch's values, its derivatives at kinks too, and what it does at the edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import nn
from tinyconv.errors import ArgumentError

A, B = np.array([[1.0, -2.0, 0.5], [3.0, 0.0, 1.0]]), np.array([[1.0, 2.0, 1.5], [1.0, 0.5, 0.0]])
V = np.array([[0.25, 1.0, 0.5], [3.0, 0.01, 1.5]])
LABELS, SIGNS, PAIR_SIGNS = np.array([2, 0]), np.array([[-1, -1, 1], [-1, 1, 1]]), np.array([1, -1])


def call(lib: Any, build: Callable[[Any, Any], Any], arrays: tuple[Any, ...]) -> tuple[Any, list[Any]]:
    """The loss, and the gradients of the float arrays."""
    tensors = [lib.tensor(x, **({"requires_grad": True} if x.dtype.kind == "f" else {})) for x in arrays]
    loss = build(lib.nn, lib.tensor)(*tensors)
    loss.sum().backward()
    return loss.detach().numpy(), [x.grad.numpy() for x in tensors if x.requires_grad]


MODULES: dict[str, tuple[Callable[[Any, Any], Any], tuple[Any, ...]]] = {
    "NLLLoss": (lambda nn, make: nn.NLLLoss(make(np.array([1.0, 2.0, 3.0])), ignore_index=0), (A, LABELS)),
    "L1Loss": (lambda nn, make: nn.L1Loss(), (A, B)),
    "L1Loss sum": (lambda nn, make: nn.L1Loss(reduction="sum"), (A, B)),
    "SmoothL1Loss": (lambda nn, make: nn.SmoothL1Loss(beta=0.5), (A, B)),
    "SmoothL1Loss at its kink": (lambda nn, make: nn.SmoothL1Loss(beta=1.0), (A, B)),
    "SmoothL1Loss without a bowl": (lambda nn, make: nn.SmoothL1Loss(beta=0.0), (A, B)),
    "HuberLoss": (lambda nn, make: nn.HuberLoss("sum", 2.0), (A, B)),
    "KLDivLoss": (lambda nn, make: nn.KLDivLoss(reduction="batchmean", log_target=True), (A, B)),
    "PoissonNLLLoss": (lambda nn, make: nn.PoissonNLLLoss(full=True, reduction="sum"), (A, V)),
    "PoissonNLLLoss of means": (lambda nn, make: nn.PoissonNLLLoss(log_input=False, eps=0.1), (V, V)),
    "GaussianNLLLoss": (lambda nn, make: nn.GaussianNLLLoss(full=True, reduction="sum"), (A, B, V)),
    "GaussianNLLLoss below eps": (lambda nn, make: nn.GaussianNLLLoss(eps=0.7), (A, B, V)),
    "HingeEmbeddingLoss at its kink": (lambda nn, make: nn.HingeEmbeddingLoss(1.0), (A, SIGNS)),
    "MarginRankingLoss at its kink": (lambda nn, make: nn.MarginRankingLoss(), (A, B, SIGNS)),
    "MarginRankingLoss": (lambda nn, make: nn.MarginRankingLoss(0.5, reduction="none"), (A, B, SIGNS)),
    "TripletMarginLoss": (lambda nn, make: nn.TripletMarginLoss(9.0, p=3.0, eps=0.1), (A, B, V)),
    "TripletMarginLoss of equals": (lambda nn, make: nn.TripletMarginLoss(eps=0.0, swap=True), (A, A, A)),
    "TripletMarginLoss, ties": (lambda nn, make: nn.TripletMarginLoss(9, eps=0.0, swap=True), (A, A, B)),
    "TripletMarginLoss, largest": (
        lambda nn, make: nn.TripletMarginLoss(9.0, float("inf"), 0.0),
        (A, B, V),
    ),
    "CosineEmbeddingLoss": (lambda nn, make: nn.CosineEmbeddingLoss(0.1), (A, B, PAIR_SIGNS)),
    "CosineEmbeddingLoss at its kink": (
        lambda nn, make: nn.CosineEmbeddingLoss(reduction="sum"),
        (np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[0.0, 2.0], [1.0, 1.0]]), -np.abs(PAIR_SIGNS)),
    ),
}
"""What is called "at its kink" has an element exactly there."""


@pytest.mark.parametrize("name", MODULES)
def test_a_loss_is_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    build, arrays = MODULES[name]
    (ours, our_gradients), (theirs, their_gradients) = call(tc, build, arrays), call(torch, build, arrays)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)
    assert ours.shape == theirs.shape
    for got, expected in zip(our_gradients, their_gradients, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


"""What PyTorch keeps for old programs; tinyconv has only `reduction`."""

FUNCTIONS = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cosine_embedding_loss",
    "cross_entropy",
    "gaussian_nll_loss",
    "hinge_embedding_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "margin_ranking_loss",
    "mse_loss",
    "nll_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
    "triplet_margin_loss",
]
LAYERS = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CosineEmbeddingLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "MarginRankingLoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
    "TripletMarginLoss",
]


def test_weighted_squares_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    for reduction in ("mean", "sum", "none"):
        ours = F.mse_loss(*map(tc.tensor, (A, B)), reduction=reduction, weight=tc.tensor(V))
        theirs = torch.nn.functional.mse_loss(
            *map(torch.tensor, (A, B)), reduction=reduction, weight=torch.tensor(V)
        )
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)


def test_mean_over_nothing_is_nan_and_sum_is_zero() -> None:
    scores, ignored = tc.zeros(2, 3), tc.tensor([-100, -100])
    assert np.isnan(F.nll_loss(scores, ignored).item())
    assert F.nll_loss(scores, ignored, reduction="sum").item() == 0
    empty = tc.zeros(0, 3)
    assert np.isnan(F.l1_loss(empty, empty).item())
    assert F.l1_loss(empty, empty, reduction="sum").item() == 0
    assert F.huber_loss(empty, empty, reduction="none").shape == (0, 3)


def test_nll_loss_by_hand() -> None:
    log_p = tc.tensor([[-1.0, -2.0], [-3.0, -4.0], [-5.0, -6.0]])
    target, weight = tc.tensor([0, 1, 1]), tc.tensor([1.0, 3.0])
    assert F.nll_loss(log_p, target, weight).item() == pytest.approx((1 + 3 * 4 + 3 * 6) / 7)
    each = F.nll_loss(log_p, target, weight, ignore_index=1, reduction="none")
    assert each.tolist() == [1.0, 0.0, 0.0]


def test_far_away_errors_do_not_overflow() -> None:
    far = tc.tensor([1e30, float("inf")], requires_grad=True)
    loss = F.huber_loss(far, tc.zeros(2), "none", delta=2.0)
    assert loss.tolist() == [pytest.approx(2e30), float("inf")]
    loss.sum().backward()
    assert far.grad is not None
    assert far.grad.tolist() == [2.0, 2.0]


def test_kl_div_by_hand() -> None:
    log_p = tc.tensor([[0.5, 0.5], [0.25, 0.75]]).log()
    target = tc.tensor([[1.0, 0.0], [0.25, 0.75]])
    assert F.kl_div(log_p, target, reduction="batchmean").item() == pytest.approx(np.log(2) / 2)
    assert F.kl_div(log_p, target).item() == pytest.approx(np.log(2) / 4)
    assert F.kl_div(log_p, target, reduction="none").tolist()[0][1] == 0.0


def test_gaussian_nll_is_minus_the_logarithm_of_the_density() -> None:
    stats = pytest.importorskip("scipy.stats")
    expected = -stats.norm.logpdf(B, A, np.sqrt(V))
    got = F.gaussian_nll_loss(*map(tc.tensor, (A, B, V)), full=True, reduction="none")
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-12)
    one = F.gaussian_nll_loss(tc.tensor(A), tc.tensor(B), 0.25, full=True, reduction="none")
    np.testing.assert_allclose(one.numpy(), -stats.norm.logpdf(B, A, 0.5), rtol=1e-12)


def test_poisson_nll_is_minus_the_logarithm_of_the_probability() -> None:
    stats = pytest.importorskip("scipy.stats")
    counts, mean = np.array([30.0, 55.0]), np.array([40.0, 50.0])
    got = F.poisson_nll_loss(tc.tensor(np.log(mean)), tc.tensor(counts), full=True, reduction="none")
    np.testing.assert_allclose(got.numpy(), -stats.poisson.logpmf(counts, mean), atol=1 / (12 * 30))


def test_cosine_embedding_by_hand() -> None:
    a, b = tc.tensor([[3.0, 4.0], [1.0, 0.0]]), tc.tensor([[4.0, 3.0], [1.0, 1.0]])
    each = F.cosine_embedding_loss(a, b, tc.tensor([1, -1]), 0.5, reduction="none")
    np.testing.assert_allclose(each.numpy(), [1 - 24 / 25, np.sqrt(0.5) - 0.5], rtol=1e-6)


@pytest.mark.parametrize(
    "call",
    (
        lambda **o: nn.MSELoss(**o),
        lambda **o: nn.CrossEntropyLoss(**o),
        lambda **o: nn.TripletMarginLoss(**o),
        lambda **o: F.mse_loss(tc.ones(2), tc.ones(2), **o),
        lambda **o: F.binary_cross_entropy(tc.ones(2), tc.ones(2), **o),
        lambda **o: F.kl_div(tc.ones(2), tc.ones(2), **o),
    ),
)
@pytest.mark.parametrize("old", ("size_average", "reduce"))
def test_the_former_ways_to_say_the_reduction_are_refused(call: Any, old: str) -> None:
    call()
    with pytest.raises(ArgumentError, match=f"{old} is False, expected None: reduction='mean', 'sum'"):
        call(**{old: False})
