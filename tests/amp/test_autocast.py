"""`autocast`: which products are rounded, in which block, on the way there and back."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.backends import BACKENDS, kernels
from tinyconv.device import matmul_precision
from tinyconv.errors import ArgumentError, DeviceError, DtypeError

torch: Any = pytest.importorskip("torch")

Arrays = tuple[Any, ...]
CASES: dict[str, tuple[tuple[tuple[int, ...], ...], Callable[..., Any], Callable[..., Any]]] = {
    "conv2d": (
        ((2, 4, 9, 8), (6, 4, 3, 3), (6,)),
        lambda x, w, b: F.conv2d(x, w, b, padding=1),
        lambda x, w, b: torch.nn.functional.conv2d(x, w, b, padding=1),
    ),
    "conv1d, grouped, strided": (
        ((2, 4, 11), (6, 2, 3)),
        lambda x, w: F.conv1d(x, w, stride=2, groups=2),
        lambda x, w: torch.nn.functional.conv1d(x, w, stride=2, groups=2),
    ),
    "conv_transpose2d": (
        ((2, 5, 4, 4), (5, 3, 2, 2), (3,)),
        lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2),
        lambda x, w, b: torch.nn.functional.conv_transpose2d(x, w, b, stride=2),
    ),
    "linear": (((7, 20), (5, 20), (5,)), F.linear, torch.nn.functional.linear),
    "matmul": (((3, 4, 6), (3, 6, 5)), tc.matmul, torch.matmul),
    "einsum": (((4, 6), (6, 5)), lambda *x: tc.einsum("ij,jk->ik", *x), lambda *x: torch.matmul(*x)),
}


def rounded(x: Any, dtype: Any = torch.float64) -> Any:
    """The numbers of bfloat16 in another dtype."""
    return torch.from_numpy(x).bfloat16().to(dtype)


def by_pytorch(function: Any, arrays: Arrays, grad: Any) -> Arrays:
    """Result and gradients in float64 of rounded factors; the third array, a bias, is not rounded."""
    inputs = [rounded(x) if i < 2 else torch.from_numpy(x).double() for i, x in enumerate(arrays)]
    for x in inputs:
        x.requires_grad_()
    y = function(*inputs)
    return (y.detach().numpy(), *(g.numpy() for g in torch.autograd.grad(y, inputs, rounded(grad))))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", CASES)
def test_products_are_those_of_rounded_factors(case: str, backend: str) -> None:
    shapes, ours, theirs = CASES[case]
    rng = np.random.default_rng(2)
    arrays = tuple(rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    inputs = [tc.tensor(x, requires_grad=True) for x in arrays]
    with kernels(backend):
        with tc.autocast("cpu"):
            y = ours(*inputs)
        grad = rng.standard_normal(y.shape).astype(np.float32)
        y.backward(tc.tensor(grad))
    found = (y.detach().numpy(), *(x.grad.numpy() for x in inputs))
    expected = list(by_pytorch(theirs, arrays, grad))
    if case == "conv_transpose2d":  # a sum of its own, and no product
        expected[3] = grad.sum((0, 2, 3), dtype=np.float64)
    for one, right in zip(found, expected, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, right, rtol=2e-5, atol=2e-5)
    plain = ours(*(tc.tensor(x) for x in arrays)).numpy()
    assert np.abs(plain - found[0]).max() > 1e-3  # as bfloat16 differs by, not float32


def test_a_layer_gives_what_pytorchs_autocast_gives() -> None:
    """PyTorch rounds the result too: to within half of the last of 8 bits, 2**-9."""
    rng = np.random.default_rng(3)
    x, w = rng.standard_normal((8, 64), np.float32), rng.standard_normal((16, 64), np.float32)
    with tc.autocast("cpu", tc.bfloat16):
        ours = F.linear(tc.tensor(x), tc.tensor(w)).numpy()
    with torch.autocast("cpu", torch.bfloat16):
        theirs = torch.nn.functional.linear(torch.from_numpy(x), torch.from_numpy(w)).float().numpy()
    assert (np.abs(ours - theirs) <= 2**-8 * np.abs(ours) + 1e-5).all()
    assert np.abs(ours - x @ w.T).max() > 1e-3


def product() -> float:
    """1 + 2**-9, which is 1 in bfloat16."""
    return float((tc.tensor([[1 + 2**-9]]) @ tc.ones(1, 1)).item())


def test_blocks_nest_and_end() -> None:
    assert product() > 1 and not tc.is_autocast_enabled()
    with tc.autocast("cpu"):
        assert product() == 1 and tc.is_autocast_enabled("cpu")
        with tc.autocast("cpu", enabled=False):
            assert product() > 1
        assert product() == 1
    with pytest.raises(KeyError), tc.autocast("cpu"):
        raise KeyError
    assert product() > 1


def test_one_object_may_be_entered_twice_and_decorate() -> None:
    block = tc.autocast("cpu")
    with block, block:
        assert product() == 1
    assert product() > 1
    assert tc.autocast("cpu")(product)() == 1
    assert product() > 1


def test_float64_is_left_alone() -> None:
    x = tc.tensor([[1 + 2**-40]], dtype=tc.float64)
    with tc.autocast("cpu"):
        assert (x @ tc.ones(1, 1, dtype=tc.float64)).item() == 1 + 2**-40


def test_elementwise_ops_are_left_alone() -> None:
    x = tc.tensor([1 + 2**-9])
    with tc.autocast("cpu"):
        assert (x * 1).item() == 1 + 2**-9 and x.sum().item() == 1 + 2**-9


def test_without_a_gpu_a_block_for_it_changes_nothing_and_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyconv.amp.autocast_mode.is_available", lambda: False)
    with pytest.warns(UserWarning, match="there is no GPU"):
        block = tc.autocast("cuda")
    with block:
        assert product() > 1
    with tc.autocast("cpu"), block:
        assert product() == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tc.autocast("cuda", enabled=False)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(DtypeError, match=r"autocast: dtype is 'float16'.*tc\.bfloat16"):
        tc.autocast("cpu", "float16")
    with pytest.raises(DeviceError, match="'tpu'"):
        tc.autocast("tpu")
    with pytest.raises(ArgumentError, match="enabled"):
        tc.autocast("cpu", enabled=1)  # type: ignore[arg-type]
    with pytest.raises(AttributeError, match=r"float16.*tc\.bfloat16"):
        _ = tc.float16
    with pytest.raises(DtypeError, match="bfloat16"):
        tc.zeros(1, dtype=tc.bfloat16)


def test_the_precision_of_all_products_has_pytorchs_names() -> None:
    assert tc.get_float32_matmul_precision() == "highest" == torch.get_float32_matmul_precision()
    for name, value, least in (
        ("high", 1.0, 2**-12),
        ("medium", 1.0, 2**-9),
        ("highest", 1 + 2**-12, 2**-12),
    ):
        tc.set_float32_matmul_precision(name)
        assert tc.get_float32_matmul_precision() == name
        assert (tc.tensor([[1 + least]]) @ tc.ones(1, 1)).item() == value
    with pytest.raises(ArgumentError, match=r"'low'.*'medium'"):
        tc.set_float32_matmul_precision("low")


def test_second_derivatives_multiply_as_the_first() -> None:
    """The gradient of x**2 w, with x rounded each time that it is a factor."""
    x = tc.tensor([[1 + 2**-9]], requires_grad=True)
    with tc.autocast("cpu"):
        y = x @ x
    (first,) = tc.autograd.grad(y.sum(), x, create_graph=True)
    assert first.item() == 2  # not 2 + 2**-8
    (second,) = tc.autograd.grad(first.sum(), x)
    assert second.item() == 2 and matmul_precision.get() == "float32"


def network() -> Any:
    tc.manual_seed(4)
    layers = (tc.nn.Conv2d(1, 4, 3), tc.nn.ReLU(), tc.nn.Flatten(), tc.nn.Linear(144, 5))
    return tc.nn.Sequential(*layers)


@pytest.mark.parametrize("inside", [True, False])
def test_a_captured_step_is_the_eager_one(inside: bool) -> None:
    rng = np.random.default_rng(5)
    images, labels = tc.tensor(rng.random((6, 1, 8, 8), np.float32)), tc.tensor(rng.integers(0, 5, 6))
    losses: dict[str, list[float]] = {}
    for kind in ("float32", "eager", "captured"):
        model = network()
        optimizer = tc.optim.SGD(model.parameters(), lr=0.1)

        def step(model: Any = model, optimizer: Any = optimizer, cast: bool = kind != "float32") -> Any:
            optimizer.zero_grad()
            with tc.autocast("cpu") if cast and inside else nullcontext():
                loss = F.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            return loss

        run = tc.compile(step, fullgraph=True) if kind == "captured" else step
        with tc.autocast("cpu") if kind != "float32" and not inside else nullcontext():
            losses[kind] = [run().item() for _ in range(6)]
        assert kind != "captured" or run.captured()
    assert losses["captured"] == losses["eager"]
    assert losses["eager"] != losses["float32"]


def test_the_switches_of_pytorchs_libraries_are_the_same_setting() -> None:
    for place in (tc.backends.cudnn, tc.backends.cuda.matmul):
        assert place.allow_tf32 is False
        place.allow_tf32 = True
        assert tc.get_float32_matmul_precision() == "high"
        assert tc.backends.cudnn.allow_tf32 is tc.backends.cuda.matmul.allow_tf32 is True
        place.allow_tf32 = False
        assert matmul_precision.get() == "float32"
    with tc.autocast("cpu"):
        tc.backends.cuda.matmul.allow_tf32 = True
        assert tc.is_autocast_enabled()
    with pytest.raises(ArgumentError, match="allow_tf32"):
        tc.backends.cudnn.allow_tf32 = 1  # type: ignore[assignment]
