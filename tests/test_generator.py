"""Generators of one's own, devices by name, and random tensors."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.errors import ArgumentError, DeviceError


def test_a_generator_repeats_itself_and_leaves_the_other_alone() -> None:
    source = tc.Generator().manual_seed(5)
    assert source.initial_seed() == 5
    first = tc.randn(4, generator=source).tolist()
    tc.manual_seed(9)
    expected = tc.rand(3).tolist()
    tc.manual_seed(9)
    assert tc.randn(4, generator=source).tolist() != first
    assert tc.randn(4, generator=source.manual_seed(5)).tolist() == first
    assert tc.rand(3).tolist() == expected
    for seed in (-1, 1.5, True):
        with pytest.raises(ArgumentError, match=r"Generator.manual_seed: seed"):
            source.manual_seed(seed)
    with pytest.raises(ArgumentError, match="Generator: device is 'cuda'"):
        tc.Generator("cuda")


def test_devices() -> None:
    cpu = tc.device("cpu")
    assert (cpu.type, cpu.index, str(cpu), repr(cpu)) == ("cpu", None, "cpu", "'cpu'")
    card = tc.device("cuda", 1)
    assert (card.type, card.index, card) == ("cuda", 1, "cuda:1")
    assert isinstance(card, tc.device) and not isinstance("cuda", tc.device)
    x = tc.zeros(2, device=cpu)
    assert x.device == cpu and x.device.type == "cpu" and x.to(cpu) is x
    assert tc.get_default_device() == "cpu"
    with pytest.raises(DeviceError, match="'tpu'"):
        tc.device("tpu")


def test_a_machine_without_a_card_says_so() -> None:
    if tc.cuda.is_available():
        pytest.skip("there is a card")
    assert tc.cuda.device_count() == 0
    tc.cuda.empty_cache()
    tc.cuda.manual_seed_all(3)
    for function in (tc.cuda.synchronize, tc.cuda.get_device_name):
        with pytest.raises(DeviceError, match=r"CuPy to be installed|an NVIDIA"):
            function()


def test_whole_numbers() -> None:
    x = tc.randint(2, 6, (1000,))
    assert x.dtype == tc.int64 and sorted(set(x.tolist())) == [2, 3, 4, 5]
    y = tc.randint(3, (4, 2), dtype=tc.float32)
    assert y.dtype == tc.float32 and y.shape == (4, 2) and set(y.numpy().ravel()) <= {0, 1, 2}
    assert tc.randint(high=3, low=2, size=(2,)).tolist() == [2, 2]
    z = tc.randint_like(tc.zeros(500, dtype=tc.int32), 2)
    assert z.dtype == tc.int32 and set(z.tolist()) == {0, 1}


def test_draws_follow_their_probabilities() -> None:
    """Within five standard deviations of the mean of n draws."""
    n = 4000
    heads = tc.bernoulli(tc.full((n,), 0.3)).numpy()
    assert set(heads) == {0, 1} and abs(heads.mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / n)
    columns = tc.multinomial(tc.tensor([[0.0, 1.0, 3.0], [1.0, 0.0, 0.0]]), n, replacement=True).numpy()
    assert columns.shape == (2, n) and (columns[1] == 0).all() and (columns[0] > 0).all()
    assert abs((columns[0] == 2).mean() - 0.75) < 5 * np.sqrt(0.25 * 0.75 / n)
    assert sorted(tc.multinomial(tc.ones(5), 5).tolist()) == [0, 1, 2, 3, 4]
    x = tc.normal(tc.full((n, 2), 3.0), tc.tensor([0.0, 2.0])).numpy()
    assert (x[:, 0] == 3).all() and x.dtype == np.float32
    assert abs(x[:, 1].mean() - 3) < 5 * 2 / np.sqrt(n) and abs(x[:, 1].std() - 2) < 5 * 2 / np.sqrt(2 * n)
    assert tc.normal(0.0, 1.0, (2, 3)).shape == (2, 3)
