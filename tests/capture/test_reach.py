"""What a step reaches in roundabout ways is watched as well."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import nn


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module of the user's, within a package of the user's."""
    package = tmp_path / "users_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "settings.py").write_text("scale = 2.0\nunused = open\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import users_package.settings  # type: ignore[import-not-found]

    yield users_package.settings
    for name in ("users_package.settings", "users_package"):
        del sys.modules[name]


def scaled(step: Callable[[tc.Tensor], tc.Tensor], set_scale: Callable[[float], None]) -> None:
    """`step` multiplies by a number that `set_scale` sets."""
    compiled = tc.compile(step)
    for scale in (2.0, 3.0, 2.0):
        set_scale(scale)
        for _ in range(4):
            assert compiled(tc.ones(1)).tolist() == [scale]
    assert len(compiled.captured()) == 2


def test_modules_wherever_they_are(settings: Any) -> None:
    package = sys.modules["users_package"]

    class Holder:
        def __init__(self) -> None:
            self.module = settings

    holder = Holder()

    def imported(x: tc.Tensor) -> tc.Tensor:
        import users_package.settings as found

        return x * found.scale

    def imported_from(x: tc.Tensor) -> tc.Tensor:
        from users_package.settings import scale

        return x * scale

    steps = (
        lambda x: x * settings.scale,
        lambda x: x * package.settings.scale,
        lambda x: x * holder.module.scale,
        imported,
        imported_from,
    )
    for step in steps:
        scaled(step, lambda scale: setattr(settings, "scale", scale))


def test_a_variable_of_the_function_around_that_has_no_value_yet() -> None:
    def step(x: tc.Tensor) -> tc.Tensor:
        return x * (late if x.ndim > 1 else 2.0)

    compiled = tc.compile(step)
    for _ in range(4):
        assert compiled(tc.ones(1)).tolist() == [2.0]
    assert compiled.captured() and compiled.reason is None
    late = 3.0
    for _ in range(4):
        assert compiled(tc.ones(1, 1)).tolist() == [[3.0]]


def test_an_attribute_of_a_function() -> None:
    def weighted(x: tc.Tensor) -> Any:
        return x * weighted.scale  # type: ignore[attr-defined]

    scaled(lambda x: weighted(x), lambda scale: setattr(weighted, "scale", scale))


def test_a_function_that_counts_its_calls() -> None:
    def counted(x: tc.Tensor) -> tc.Tensor:
        counted.calls += 1  # type: ignore[attr-defined]
        return x * 2

    counted.calls = 0  # type: ignore[attr-defined]
    step = tc.compile(lambda x: counted(x))
    with pytest.warns(UserWarning, match="changes counted"):
        for i in range(8):
            step(tc.ones(1))
            assert counted.calls == i + 1  # type: ignore[attr-defined]


def test_attributes_of_an_optimiser() -> None:
    layer = nn.Linear(2, 1)
    optimizer: Any = tc.optim.SGD(layer.parameters(), lr=0.1)
    optimizer.steps = 0

    @tc.compile
    def step(x: tc.Tensor) -> None:
        optimizer.zero_grad()
        layer(x).sum().backward()
        optimizer.step()
        optimizer.steps += 1

    with pytest.warns(UserWarning, match=r"changes SGD\.steps"):
        for i in range(8):
            step(tc.ones(3, 2))
            assert optimizer.steps == i + 1


def test_changes_that_outlive_the_step() -> None:
    def attacked(x: tc.Tensor) -> tc.Tensor:
        x.requires_grad_()
        (x * x).sum().backward()
        assert x.grad is not None
        return (x + x.grad.sign()).detach()

    def switched(x: tc.Tensor) -> tc.Tensor:
        tc.set_grad_enabled(False)
        return x * 2

    def chosen(x: tc.Tensor) -> tc.Tensor:
        tc.set_default_dtype(tc.float64)
        return x * 2

    for function in (attacked, switched, chosen):
        step = tc.compile(function)
        with pytest.warns(UserWarning, match="changes a setting of tinyconv, or requires_grad"):
            for _ in range(5):
                x = tc.ones(2, dtype=tc.float32)
                with tc.enable_grad():
                    try:
                        assert step(x).tolist() == [2.0, 2.0]
                        found = x.requires_grad, tc.is_grad_enabled(), tc.get_default_dtype()
                    finally:
                        tc.set_default_dtype(tc.float32)
                assert found == (function is attacked, function is not switched, found[2])
                assert (found[2] == tc.float64) == (function is chosen)


def test_the_sign_of_a_zero_among_the_arguments() -> None:
    step = tc.compile(lambda x, scale: x * scale)
    for zero in (0.0, 0.0, 0.0, -0.0):
        y = step(tc.ones(1), np.float32(zero)).numpy()
        assert np.signbit(y).tolist() == [np.signbit(zero)]


def test_an_index_out_of_range_in_a_replay() -> None:
    step = tc.compile(lambda x, i: x[i])
    x = tc.arange(4.0)
    for i in (0, 1, 3):
        assert step(x, tc.tensor([i])).tolist() == [float(i)]
    assert step.captured()
    with pytest.raises(tc.errors.ArgumentError, match="index 9 is out of bounds"):
        step(x, tc.tensor([9]))


def test_namespaces() -> None:
    """They are made in C: what they hold cannot be watched, so the step runs as it is."""
    options = SimpleNamespace(scale=2.0)
    step = tc.compile(lambda x: x * options.scale)
    with pytest.warns(UserWarning, match="a SimpleNamespace"):
        for scale in (2.0, 2.0, 2.0, 3.0):
            options.scale = scale
            assert step(tc.ones(1)).tolist() == [scale]


def test_the_order_of_a_dictionary() -> None:
    factors = {"first": 2.0, "second": 3.0}

    @tc.compile
    def step(x: tc.Tensor) -> tc.Tensor:
        for factor in factors.values():
            x = (x + 1) * factor
        return x

    for expected in (15.0, 14.0):
        for _ in range(4):
            assert step(tc.ones(1)).tolist() == [expected]
        factors["first"] = factors.pop("first")


def test_an_attribute_that_a_class_did_not_have() -> None:
    class Options:
        pass

    step = tc.compile(lambda x: x * getattr(Options, "scale", 2.0))
    for expected in (2.0, 3.0):
        for _ in range(4):
            assert step(tc.ones(1)).tolist() == [expected]
        Options.scale = 3.0  # type: ignore[attr-defined]


def test_errors_that_the_step_catches() -> None:
    def careful(x: tc.Tensor, y: tc.Tensor) -> tc.Tensor:
        try:
            return F.cross_entropy(x, y)
        except ValueError:
            return x.sum()

    def tolerant(x: tc.Tensor, y: tc.Tensor) -> tc.Tensor:
        with contextlib.suppress(ValueError):
            return F.cross_entropy(x, y)
        return x.sum()

    x, right, wrong = tc.ones(2, 3), tc.tensor([0, 1]), tc.tensor([0, 9])
    for function in (careful, tolerant):
        step = tc.compile(function)
        with pytest.warns(UserWarning, match="error"):
            found = [step(x, y).item() for y in (wrong, wrong, wrong, right, right, right)]
        assert found == [function(x, y).item() for y in (wrong, wrong, wrong, right, right, right)]
    step = tc.compile(careful)
    with pytest.warns(UserWarning, match="catches errors"):
        found = [step(x, y).item() for y in (right, right, right, wrong)]
    assert found[-1] == 6.0


def test_a_function_of_pythons_own_that_is_hidden_later() -> None:
    names: dict[str, Any] = {}
    exec("def step(x, numbers):\n    return x * max(numbers)\n", names)
    step = tc.compile(names["step"], fullgraph=True)
    x = tc.tensor([1.0])
    assert [step(x, (3, 4)).item() for _ in range(4)] == [4.0] * 4
    names["max"] = min
    assert [step(x, (3, 4)).item() for _ in range(4)] == [3.0] * 4


def test_an_algorithm_that_the_step_leaves_behind() -> None:
    def step(x: tc.Tensor) -> tc.Tensor:
        tc.set_conv_algorithm("direct")
        return x * 2

    compiled = tc.compile(step)
    with pytest.warns(UserWarning, match="changes a setting of tinyconv"):
        for _ in range(4):
            with tc.conv_algorithm("winograd"):
                compiled(tc.tensor([1.0]))
                assert tc.get_conv_algorithm() == "direct"
