"""Growth is what comes after the settling; a leak that is planted is seen."""

from __future__ import annotations

import pytest

pytest.importorskip("numba")

from benchmarks import steady


def test_growth_counts_from_the_settling_on():
    leak = [(100 + n) * steady.MIB for n in range(20)]  # 1 MiB every 100 steps
    found = steady.growth(leak, settling=1000)
    assert found == {
        "settled": 109.0,
        "at_the_end": 10.0,
        "at_most": 10.0,
        "per_thousand_steps": 10.0,
    }


def test_a_peak_is_not_the_end():
    found = steady.growth([steady.MIB * n for n in (9, 1, 3, 1)], settling=200)
    assert (found["at_the_end"], found["at_most"]) == (0.0, 2.0)


@pytest.mark.parametrize("way", steady.WAYS)
def test_each_way_looks_every_hundred_steps(way):
    found = steady.WAYS[way](200)
    assert len(found) == 2
    assert min(found) > 2**20


def test_a_leak_is_seen(monkeypatch):
    kept = []
    make = steady.make_network

    def leaking():
        model, optimizer = make()
        step = optimizer.step
        optimizer.step = lambda: (kept.append(bytearray(b"x") * 2**18), step())[1]
        return model, optimizer

    monkeypatch.setattr(steady, "make_network", leaking)
    found = steady.WAYS["eager"](400)
    assert found[-1] - found[0] > 0.8 * 300 * 2**18
