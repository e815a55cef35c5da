"""In-place changes: those that backward must not miss, and those that the graph cannot see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tinyconv as tc
from tinyconv.errors import DtypeError, GraphError


def leaf(*values: float) -> tc.Tensor:
    return tc.tensor(list(values), dtype="float64", requires_grad=True)


def assign(x: tc.Tensor) -> None:
    x[0] = 5.0


def assign_to_a_view(x: tc.Tensor) -> None:
    x[1:].reshape(1, -1)[0, 0] = 5.0


def step(optimizer: type[Any]) -> Callable[[tc.Tensor], None]:
    def change(x: tc.Tensor) -> None:
        x.grad = tc.ones_like(x)
        optimizer([x], lr=0.1).step()
        x.grad = None

    return change


def subtract(x: tc.Tensor) -> None:
    x -= 0.1


CHANGES: dict[str, Callable[[tc.Tensor], Any]] = {
    "fill_": lambda x: x.fill_(2.0),
    "zero_": lambda x: x.zero_(),
    "copy_": lambda x: x.copy_(tc.ones(2)),
    "assignment": assign,
    "assignment to a view": assign_to_a_view,
    "fill_ of a row": lambda x: x[0].fill_(1.0),
    "detach": lambda x: x.detach().fill_(1.0),
    "transposed": lambda x: x.reshape(2, 1).permute(1, 0).zero_(),
    "expanded": lambda x: x.reshape(2, 1)[:, 0].zero_(),
    "iterated": lambda x: next(iter(x)).zero_(),
    "mul_": lambda x: x.mul_(3.0),
    "-=": subtract,
    "init": lambda x: tc.nn.init.ones_(x),
    "normal": lambda x: tc.nn.init.normal_(x),
    "SGD": step(tc.optim.SGD),
    "Adam": step(tc.optim.Adam),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_what_an_op_saved_is_detected(change: Callable[[tc.Tensor], Any]) -> None:
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    with tc.no_grad():
        change(x)
    with pytest.raises(GraphError, match=r"Mul\.backward: saved tensor 0, of shape \(2,\).*changed in place"):
        y.backward()
    assert x.grad is None


def test_a_change_through_the_base_of_a_saved_view() -> None:
    base = tc.ones(3, 4)
    w = tc.ones(4, requires_grad=True)
    y = (base[1] * w).sum()
    base.fill_(2)
    with pytest.raises(GraphError, match=r"saved tensor 0, of shape \(4,\)"):
        y.backward()


def test_a_change_of_a_saved_output() -> None:
    x = leaf(1.0)
    y = tc.exp(x)
    y.detach().fill_(7.0)
    with pytest.raises(GraphError, match=r"Exp\.backward: saved tensor 0.*which the forward of Exp kept"):
        y.sum().backward()


def test_changes_that_do_no_harm() -> None:
    x, c = leaf(1.0, 2.0), tc.ones(2).double()
    y = (x + c).sum()
    c.fill_(9)
    y.backward()
    assert x.grad.tolist() == [1.0, 1.0], "a sum saves nothing"
    c.fill_(3)
    (x * c).sum().backward()
    c.fill_(4)
    (x * c).sum().backward()
    assert x.grad.tolist() == [8.0, 8.0], "changed before, and after backward"
    y = (x * c).sum()
    c.clone().fill_(5)
    x.detach().clone().zero_()
    y.backward()
    assert x.grad.tolist() == [12.0, 12.0], "a copy was changed"


def test_the_number_of_changes_is_shared_by_views() -> None:
    x, other = tc.zeros(2, 3), tc.zeros(2, 3)
    views = [x, x[0], x.T, x.reshape(6), x.detach(), x.expand(4, 2, 3), x.flatten()]
    x[1:].fill_(3)
    assert [v._version for v in views] == [1] * len(views)
    assert [v._version for v in (other, x.clone(), x + 1, x[[0, 1]], x.data)] == [0] * 5
    assert (x * 1)._version == 0


def test_a_second_backward_after_an_optimiser_step() -> None:
    w = leaf(2.0)
    optimizer = tc.optim.SGD([w], lr=0.1)
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(GraphError, match=r"Mul.*changed in place since then"):
        loss.backward()


def test_training_goes_on_as_ever() -> None:
    model = tc.nn.Sequential(tc.nn.Conv2d(1, 2, 3), tc.nn.ReLU(), tc.nn.Flatten(), tc.nn.Linear(8, 1))
    optimizer = tc.optim.Adam(model.parameters(), lr=0.01)
    x, losses = tc.randn(2, 1, 4, 4), []
    for _ in range(20):
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


class Kept(tc.Function):
    """y = x, which keeps its input, its output, and an array of its own."""

    @staticmethod
    def forward(ctx: Any, x: tc.Tensor) -> Any:
        y, own = x.array * 2, x.array + 1
        ctx.save_for_backward(x, y, own, None)
        return y

    @staticmethod
    def backward(ctx: Any, grad: tc.Tensor) -> Any:
        x, y, own, nothing = ctx.saved_tensors
        assert nothing is None
        return grad * (x + y + own)


def test_a_function_of_ones_own_is_guarded_too() -> None:
    x = leaf(1.0)
    Kept.apply(x).sum().backward()
    assert x.grad.tolist() == [5.0]
    y = Kept.apply(x)
    y.detach().fill_(1)
    with pytest.raises(GraphError, match=r"Kept\.backward: saved tensor 1, of shape \(1,\)"):
        y.sum().backward()


def test_an_op_that_returns_its_input_shares_it_and_keeps_the_graph() -> None:
    class Same(tc.Function):
        @staticmethod
        def forward(ctx: Any, x: tc.Tensor) -> Any:
            ctx.save_for_backward(x)
            return x.array

        @staticmethod
        def backward(ctx: Any, grad: tc.Tensor) -> Any:
            (x,) = ctx.saved_tensors
            return grad * x

    x = leaf(3.0)
    y = Same.apply(x)
    assert y.version is x.version and y.array is not x.array
    (first,) = tc.autograd.grad(y.sum(), x, create_graph=True)
    assert tc.autograd.grad(first.sum(), x)[0].tolist() == [1.0]


def test_the_same_changes_are_errors_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    for name in (
        "fill_",
        "zero_",
        "mul_",
        "-=",
        "assignment",
        "assignment to a view",
        "fill_ of a row",
        "detach",
    ):
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        y = (x * x).sum()
        with torch.no_grad():
            CHANGES[name](x)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward()


REFUSED: list[tuple[str, Callable[[], Any]]] = [
    (
        r"fill_: the tensor is part of a graph: a leaf.*tc\.no_grad\(\)",
        lambda: leaf(1.0).fill_(2),
    ),
    (r"assignment.*the tensor is part of a graph: a leaf.*no_grad", lambda: assign(leaf(1.0))),
    (
        r"assignment.*graph: the result of Mul.*tc\.where",
        lambda: assign(leaf(1.0) * 2),
    ),
    (r"copy_: the new value is part of a graph.*detach\(\)", lambda: tc.ones(1).copy_(leaf(1.0).float())),
    (r"assignment.*the new value is part of a graph.*tc\.cat", lambda: tc.ones(2).__setitem__(0, leaf(1.0))),
]


@pytest.mark.parametrize(("says", "call"), REFUSED)
def test_a_change_that_the_graph_would_not_see_explains_itself(says: str, call: Callable[[], Any]) -> None:
    with pytest.raises(GraphError, match=says):
        call()


def test_a_refused_change_changes_nothing() -> None:
    x = leaf(1.0)
    y = (x * x).sum()
    with pytest.raises(GraphError):
        x.fill_(5)
    y.backward()
    assert x.tolist() == [1.0] and x.grad.tolist() == [2.0]


def test_data_may_be_replaced_and_backward_knows_it() -> None:
    w = tc.nn.Parameter(tc.ones(2))
    loss = (w * w).sum()
    w.data = tc.tensor([3.0, 4.0, 5.0])
    with pytest.raises(GraphError, match="changed in place"):
        loss.backward()
    (w * w).sum().backward()
    assert w.grad.tolist() == [6.0, 8.0, 10.0] and w.requires_grad


@pytest.mark.parametrize("value", [3.0, None, [1.0, 2.0]])
def test_data_is_a_tensor(value: object) -> None:
    with pytest.raises(DtypeError, match=r"data: the new value is a .*, expected a Tensor"):
        tc.ones(2).data = value


def test_data_of_what_needs_a_gradient_is_floating_point() -> None:
    with pytest.raises(DtypeError, match="data: the new value's dtype is int64"):
        tc.ones(2, requires_grad=True).data = tc.arange(2)
