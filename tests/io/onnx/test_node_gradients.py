"""Gradients flow through every node: each node test's inputs, in float64, against differences.

The inputs are moved a little from where the node tests have them, which is often on a kink.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

pytest.importorskip("onnx")

import tinyconv as tc
from tests.gpu import placed, tensor
from tests.io.onnx.node_cases import FOLDER, all_cases
from tests.io.onnx.node_skips import reason
from tinyconv.io.onnx.model import SETTINGS
from tinyconv.tensor import Tensor

STEP = 1e-6

STEPS = {"Ceil", "Floor", "Hardmax", "Round", "Sign"}
"""Node types whose derivative is 0 wherever there is one."""

WITHOUT = {"test_loop11": "adds a float32 number that stands inside the inner graph"}


def differentiable(case):
    """Whether all inputs are plain arrays, and one of them has floats that are not settings."""
    if reason(case) or "_expanded" in case.name or case.name in WITHOUT or case.group == "BitCast":
        return False
    inputs, _ = case.data()[0]
    return all(isinstance(x, np.ndarray) for x in inputs) and any(moving(case, inputs))


def moving(case, inputs):
    """Which of the inputs have gradients."""
    settings = {
        node.input[i] for node in case.nodes for i in SETTINGS.get(node.op_type, ()) if i < len(node.input)
    }
    names = [value.name for value in case.model.graph.input]
    return [x.dtype.kind == "f" and name not in settings for x, name in zip(inputs, names, strict=True)]


def problem(case):
    """What is wrong with the derivative in a random direction, and how large that is."""
    model = placed(tc.io.onnx.load(FOLDER / case.name / "model.onnx"))
    inputs, _ = case.data()[0]
    draw, moves = np.random.default_rng(0), moving(case, inputs)
    start = [x + 0.03 * draw.uniform(0.2, 1, x.shape) if m else x for x, m in zip(inputs, moves, strict=True)]
    start = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in start]
    ways = [draw.standard_normal(x.shape) if m else 0 for x, m in zip(inputs, moves, strict=True)]
    weights = {}

    def loss(step):
        leaves = [
            tensor(np.array(x + step * way if m else x), requires_grad=m)
            for x, way, m in zip(start, ways, moves, strict=True)
        ]
        values = {d.name: leaf for d, leaf in zip(model.graph.inputs, leaves, strict=True)}
        values.update(
            (name, x.double() if x.dtype.kind == "f" else x) for name, x in model.graph.constants.items()
        )
        total = tc.zeros((), dtype=tc.float64)
        for i, output in enumerate(model.graph.run(values)):
            if isinstance(output, Tensor) and output.dtype == tc.float64:
                weight = weights.setdefault(i, draw.standard_normal(output.shape))
                finite = tensor(np.isfinite(output.data.numpy()))
                total = total + tc.where(finite, output * tensor(weight), 0.0).sum()
        return total, leaves

    total, leaves = loss(0.0)
    if not weights:
        return None, 0.0
    if total.requires_grad:
        total.backward()
    analytic = sum(
        float((x.grad.data.numpy() * way).sum())
        for x, way in zip(leaves, ways, strict=True)
        if x.grad is not None
    )
    numeric = (loss(STEP)[0].item() - loss(-STEP)[0].item()) / (2 * STEP)
    wrong = abs(analytic - numeric) > 1e-5 * max(1, abs(numeric))
    return (f"{analytic}, by differences {numeric}" if wrong else None), numeric


GROUPS = defaultdict(list)
for _case in all_cases():
    if differentiable(_case):
        GROUPS[_case.group].append(_case)


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_gradients_are_those_of_differences(group):
    results = {case.name: problem(case) for case in GROUPS[group]}
    assert {name: wrong for name, (wrong, _) in results.items() if wrong} == {}


def test_most_node_types_have_a_gradient_to_compare():
    sloped = {group for group, cases in GROUPS.items() if any(problem(case)[1] for case in cases)}
    assert len(sloped) >= 100
    assert not sloped & STEPS
