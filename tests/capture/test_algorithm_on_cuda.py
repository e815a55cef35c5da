"""A CUDA graph has the algorithm of its convolutions in it."""

from __future__ import annotations

from typing import Any

import tinyconv as tc
from tests.gpu import gpu
from tests.gpu import to_host as host
from tinyconv import nn


def test_a_graph_is_made_anew_for_another_algorithm() -> None:
    with gpu(), tc.no_grad():
        model = nn.Sequential(*(nn.Conv2d(8, 8, 3) for _ in range(3)))
        model, x = model.to("cuda"), tc.rand(2, 8, 8, 8, device="cuda")
        step = tc.compile(lambda x: model(x), fullgraph=True)
        expected = {}
        for algorithm in ("im2col", "auto"):
            with tc.conv_algorithm(algorithm):
                expected[algorithm] = host(model(x).array).tolist()
        assert expected["im2col"] != expected["auto"], "rounding should tell one from the other"
        for algorithm in ("im2col", "auto", "im2col"):
            with tc.conv_algorithm(algorithm):
                for _ in range(6):
                    assert host(step(x).array).tolist() == expected[algorithm]
        assert any(segment._graph for code in _codes(step) for segment in code.segments.values())


def _codes(compiled: Any) -> list[Any]:
    return [plan.code for plans in compiled._plans.values() for plan in plans if plan.code]
