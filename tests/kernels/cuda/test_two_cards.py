"""Two cards: what lies on one is computed there, whichever is the current one.

The stand-in is stricter than CuPy, which lets a card read another's memory where the machine can: here a card
computes with its own arrays only, and a kernel that is given the address of another's is stopped.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.ops.table import OPS, Op
from tinyconv import nn
from tinyconv.cuda.memory import GraphMemory
from tinyconv.data import DataLoader, TensorDataset, prefetch
from tinyconv.kernels.cuda.emulator import build
from tinyconv.kernels.cuda.emulator.cupy_stand_in import emulated_cuda
from tinyconv.kernels.cuda.emulator.launching import KernelError

pytestmark = pytest.mark.skipif(build.why_not() is not None, reason=f"kernels: {build.why_not()}")
CARDS = ("cuda:0", "cuda:1")
SAMPLE = [
    *(
        "add",
        "pow",
        "sum",
        "amax",
        "softmax",
        "index",
        "cat",
        "linear",
        "conv2d",
        "conv_transpose2d",
        "gather",
    ),
    *("max_pool2d", "avg_pool2d", "batch_norm", "group_norm", "cross_entropy", "dice_loss", "focal_loss"),
    *("embedding", "interpolate", "grid_sample", "sort", "dropout", "triplet_margin_loss", "roi_align"),
]
OPTIMIZERS = {
    "sgd": lambda p: tc.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "adam": lambda p: tc.optim.Adam(p, lr=0.01, amsgrad=True),
    "adamw": lambda p: tc.optim.AdamW(p, lr=0.01, maximize=True),
    "rmsprop": lambda p: tc.optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    "adagrad": lambda p: tc.optim.Adagrad(p, lr=0.1),
    "adadelta": lambda p: tc.optim.Adadelta(p),
}


@pytest.fixture(autouse=True)
def cupy() -> Iterator[Any]:
    with emulated_cuda(cards=2) as module:
        yield module


def test_there_are_two(cupy: Any) -> None:
    assert tc.cuda.device_count() == 2 and tc.cuda.current_device() == 0
    x = tc.ones(3, device="cuda:1")
    assert x.device == "cuda:1" and x.to("cuda:0").device == "cuda:0" and x.to("cuda:1").array is x.array
    with tc.cuda.device(1):
        assert tc.cuda.current_device() == 1 and tc.ones(3).cuda().device == "cuda:1"
    tc.cuda.set_device(1)
    assert tc.cuda.current_device() == 1
    with pytest.raises(tc.errors.DeviceError, match="'cuda:0' to 'cuda:1'"):
        tc.ones(3).to("cuda:2")


def test_a_card_computes_with_its_own_memory(cupy: Any) -> None:
    x = tc.ones(300, device="cuda:1").array
    for look in (lambda: x + 1, lambda: cupy.exp(x), lambda: x.sum(), lambda: x.astype("f8")):
        with pytest.raises(ValueError, match="array device = 1 while current = 0"):
            look()
    copy_each = cupy.RawModule(
        code="template <typename T> __global__ void read(unsigned long long x, T* y) { y[0] = *(T*)x; }",
        name_expressions=["read<float>"],
    ).get_function("read<float>")
    with pytest.raises(KernelError, match="outside"):
        copy_each((1,), (1,), (np.uint64(x.data.ptr), cupy.empty(1, "f4")))


def test_the_memory_of_a_graph_is_given_back_to_its_card(cupy: Any) -> None:
    with tc.cuda.device(1):
        memory = GraphMemory()
        with cupy.cuda.using_allocator(memory.pool.malloc):
            cupy.ones(100)
        assert memory.pool.total_bytes() == 800
    memory.give_back()
    with tc.cuda.device(1):
        assert memory.pool.total_bytes() == 0


def test_a_stream_is_one_of_its_card() -> None:
    """The default streams of both have the handle 0."""
    streams = [tc.cuda.default_stream(number) for number in (0, 1)]
    assert streams[0] != streams[1] and len({*streams, tc.cuda.default_stream(1)}) == 2
    assert [stream.cuda_stream for stream in streams] == [0, 0]


def test_tensors_on_two_cards_are_refused() -> None:
    with pytest.raises(
        tc.errors.DeviceError, match=r"\(cuda:0, cuda:1\), expected all tensors on one device"
    ):
        tc.ones(2, device="cuda:0") + tc.ones(2, device="cuda:1")


@pytest.mark.parametrize("op", [op for op in OPS if op.name in SAMPLE], ids=lambda op: op.name)
@settings(max_examples=2, deadline=None)
@given(data=st.data())
def test_ops_compute_where_their_tensors_are(op: Op, data: Any) -> None:
    case = data.draw(op.cases)
    inputs, constants = case.arrays(np.float32)
    xs = [tc.tensor(x).to("cuda:1").requires_grad_() for x in inputs]
    outputs = op.call(*xs, *(tc.tensor(x).to("cuda:1") for x in constants), **case.options)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    floats = [y for y in outputs if y.dtype.kind == "f"]
    gradients = tc.autograd.grad(floats, xs, [tc.ones_like(y) for y in floats])
    assert {y.device for y in (*outputs, *gradients)} <= {"cuda:1"}


def network() -> nn.Module:
    tc.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.3),
        nn.Flatten(), nn.Linear(12, 3),
    )  # fmt: skip


def train(device: str, compiled: bool = False, steps: int = 6) -> list[float]:
    model = network().to(device)
    optimizer = tc.optim.Adam(model.parameters(), lr=0.01)
    images = tc.tensor(np.random.default_rng(0).standard_normal((4, 1, 4, 4)).astype("f4")).to(device)
    labels = tc.tensor([0, 1, 2, 1]).to(device)

    def step(images: tc.Tensor, labels: tc.Tensor) -> tc.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    run = tc.compile(step, fullgraph=True) if compiled else step
    tc.manual_seed(7)
    losses = [run(images, labels).item() for _ in range(steps)]
    assert {p.device for p in model.parameters()} == {device} and {
        p.grad.device for p in model.parameters()
    } == {device}
    return losses


@pytest.mark.parametrize("compiled", [False, True])
def test_a_model_is_trained_on_a_card_that_is_not_the_current_one(compiled: bool) -> None:
    losses = [train(device, compiled) for device in CARDS]
    assert losses[0] == losses[1] and len(set(losses[0])) == 6
    assert tc.cuda.current_device() == 0


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_one_optimizer_updates_parameters_of_both_cards(kind: str) -> None:
    """A launch has the addresses of one card."""
    rng = np.random.default_rng(0)
    start, grads = rng.standard_normal((4, 3, 5)), rng.standard_normal((2, 4, 3, 5))
    found = []
    for places in (["cpu"] * 4, ["cuda:0", "cuda:1", "cuda:1", "cuda:0"]):
        parameters = [
            nn.Parameter(tc.tensor(x if i != 2 else x.T).to(place))
            for i, (x, place) in enumerate(zip(start, places, strict=True))
        ]
        optimizer = OPTIMIZERS[kind](parameters)
        for step in grads:
            for parameter, grad in zip(parameters, step, strict=True):
                parameter.grad = tc.tensor(grad.T if grad.T.shape == parameter.shape else grad).to(
                    parameter.device
                )
            nn.utils.clip_grad_norm_(parameters, 2.0)
            nn.utils.clip_grad_value_(parameters, 0.5)
            optimizer.step()
        optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        assert [parameter.device for parameter in parameters] == places
        found.append([parameter.detach().cpu().numpy() for parameter in parameters])
    for ours, expected in zip(*found, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-12)


def test_a_model_and_its_copy_lie_on_one_card() -> None:
    model = network().to("cuda:1")
    twin = copy.deepcopy(model).double()
    nn.init.constant_(twin[0].weight, 0.5)
    assert {p.device for p in twin.parameters()} == {"cuda:1"} and twin[0].weight.sum().item() == 13.5


def test_batches_are_copied_to_the_card_that_is_named() -> None:
    loader = DataLoader(TensorDataset(tc.arange(8.0)), batch_size=2, pin_memory=True)
    batches = [x for (x,) in prefetch(loader, "cuda:1")]
    assert {x.device for x in batches} == {"cuda:1"}
    assert [(x * 2).tolist() for x in batches] == [[0, 2], [4, 6], [8, 10], [12, 14]]


def test_gradients_that_are_infinite_on_the_second_card_are_seen() -> None:
    scaler = tc.amp.GradScaler(init_scale=4.0)
    parameters = [nn.Parameter(tc.ones(2, device=card)) for card in CARDS]
    optimizer = tc.optim.SGD(parameters, lr=1.0)
    for number, grad in enumerate((4.0, float("inf"))):
        parameters[0].grad, parameters[1].grad = (
            tc.tensor([4.0, g]).to(c) for g, c in zip((4.0, grad), CARDS, strict=True)
        )
        scaler.step(optimizer)
        scaler.update()
        assert [p.tolist() for p in parameters] == [[0.0, 0.0]] * 2, number
