"""Recurrent layers, one step after the other: simple ones, gated ones (GRU), and with a memory (LSTM)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinyconv import ops
from tinyconv.errors import ArgumentError, ShapeError, UnsupportedError
from tinyconv.io.onnx.node import Node
from tinyconv.io.onnx.nodes._arguments import whole_numbers
from tinyconv.ops.elementwise import where
from tinyconv.tensor import Tensor

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": ops.relu,
    "sigmoid": ops.sigmoid,
    "softplus": ops.softplus,
    "softsign": ops.softsign,
    "tanh": ops.tanh,
}


class Weights(NamedTuple):
    """Of one direction: for the input, for the state, their biases, and the memory's peepholes."""

    input: Tensor
    state: Tensor
    bias: Tensor
    state_bias: Tensor
    peephole: Tensor | None
    functions: tuple[Callable[[Tensor], Tensor], ...]


States = tuple[Tensor, ...]
Step = Callable[[Node, Tensor, States, Weights], States]


def rnn_step(node: Node, given: Tensor, states: States, weights: Weights) -> States:
    """h = f(W x + R h + b)."""
    (h,) = states
    return (weights.functions[0](given + ops.linear(h, weights.state, weights.state_bias)),)


def gru_step(node: Node, given: Tensor, states: States, weights: Weights) -> States:
    """h = (1 - z) g(W x + r (R h)) + z h, with the gates z and r."""
    (h,) = states
    size, (gate, squash) = h.shape[-1], weights.functions
    both = ops.linear(h, weights.state[: 2 * size], weights.state_bias[: 2 * size]) + given[:, : 2 * size]
    update, reset = gate(both[:, :size]), gate(both[:, size:])
    last, last_bias = weights.state[2 * size :], weights.state_bias[2 * size :]
    if node.flag("linear_before_reset"):
        new = reset * ops.linear(h, last, last_bias)
    else:
        new = ops.linear(reset * h, last, last_bias)
    return ((1 - update) * squash(given[:, 2 * size :] + new) + update * h,)


def lstm_step(node: Node, given: Tensor, states: States, weights: Weights) -> States:
    """c = f c + i g(W x + R h + b) and h = o g(c), with the gates i, o and f."""
    h, c = states
    gate, squash, last = weights.functions
    total = given + ops.linear(h, weights.state, weights.state_bias)
    size = h.shape[-1]
    enter, leave, forget, new = (total[:, i * size : (i + 1) * size] for i in range(4))
    peep = weights.peephole
    if peep is not None:
        enter, forget = enter + peep[:size] * c, forget + peep[2 * size :] * c
    c = gate(forget) * c + gate(enter) * squash(new)
    leave = leave if peep is None else leave + peep[size : 2 * size] * c
    return gate(leave) * last(c), c


def recurrent(step: Step, gates: int, states: int, functions: tuple[str, ...]) -> Callable[..., Any]:
    """A node that takes one step after the other, in one direction or both."""

    def run(
        node: Node,
        x: Tensor,
        weight: Tensor,
        state_weight: Tensor,
        bias: Tensor | None = None,
        lengths: Tensor | None = None,
        first: Tensor | None = None,
        first_memory: Tensor | None = None,
        peephole: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        directions, by_batch = _directions(node), node.flag("layout")
        size = node.integer("hidden_size", state_weight.shape[-1])
        _check(node, x, weight, state_weight, gates, size, len(directions))
        x = _swap(x, by_batch)
        counts = None if lengths is None else np.array(whole_numbers(node, "sequence_lens", lengths))
        results = []
        chosen = _functions(node, functions, len(directions))
        for d, backwards in enumerate(directions):
            both = ops.zeros(2 * gates * size, dtype=x.dtype, device=x.device) if bias is None else bias[d]
            peep = None if peephole is None else peephole[d]
            own = Weights(
                weight[d], state_weight[d], both[: gates * size], both[gates * size :], peep, chosen[d]
            )
            begin = [
                ops.zeros(x.shape[1], size, dtype=x.dtype, device=x.device)
                if s is None
                else _swap(s, by_batch)[d]
                for s in (first, first_memory)[:states]
            ]
            results.append(_walk(node, step, x, tuple(begin), own, counts, backwards))
        y = ops.stack([outputs for outputs, _ in results], 1)  # (time, directions, batch, size)
        last = [_swap(ops.stack([final[i] for _, final in results], 0), by_batch) for i in range(states)]
        return (ops.permute(y, (2, 0, 1, 3)) if by_batch else y, *last)

    return run


def _walk(
    node: Node, step: Step, x: Tensor, states: States, weights: Weights, counts: Any, backwards: bool
) -> tuple[Tensor, States]:
    """The outputs of every step, and the last states; sequences that have ended keep their states."""
    given = ops.linear(x, weights.input, weights.bias)
    times = range(x.shape[0])
    outputs: list[Any] = [None] * x.shape[0]
    for time in reversed(times) if backwards else times:
        new = step(node, given[time], states, weights)
        if counts is not None:
            going = Tensor((time < counts)[:, None]).to(x.device)
            outputs[time] = where(going, new[0], 0.0)
            new = tuple(where(going, after, before) for after, before in zip(new, states, strict=True))
        else:
            outputs[time] = new[0]
        states = new
    if not outputs:
        raise ShapeError(node.op, "X", f"of shape {x.shape}", "at least one step")
    return ops.stack(outputs, 0), states


def _swap(y: Tensor, by_batch: bool) -> Tensor:
    """With the first two dimensions exchanged if the batch comes first in the file."""
    return ops.transpose(y, 0, 1) if by_batch else y


def _directions(node: Node) -> tuple[bool, ...]:
    """For each direction, whether it goes backwards."""
    choices = ("forward", "reverse", "bidirectional")
    direction = node.text("direction", "forward", choices)
    return {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}[direction]


def _functions(node: Node, default: tuple[str, ...], directions: int) -> list[tuple[Any, ...]]:
    """The activation functions of each direction."""
    for name in ("clip", "activation_alpha", "activation_beta", "input_forget"):
        if node.attributes.get(name):
            raise UnsupportedError(node.where, f"attribute {name}", node.attributes[name], "none")
    names = node.attributes.get("activations") or default * directions
    unknown = [name for name in names if str(name).lower() not in ACTIVATIONS]
    if unknown or len(names) != len(default) * directions:
        expected = f"{len(default) * directions} of {', '.join(ACTIVATIONS)}"
        raise UnsupportedError(node.where, "attribute activations", names, expected)
    chosen = [ACTIVATIONS[name.lower()] for name in names]
    count = len(default)
    return [tuple(chosen[d * count : (d + 1) * count]) for d in range(directions)]


def _check(node: Node, x: Tensor, w: Tensor, r: Tensor, gates: int, size: int, directions: int) -> None:
    if x.ndim != 3 or w.shape != (directions, gates * size, x.shape[2]):
        expected = f"({directions}, {gates * size}, sizes of the input)"
        raise ShapeError(node.op, "W", f"of shape {w.shape} for X {x.shape}", expected)
    if r.shape != (directions, gates * size, size):
        raise ArgumentError(node.op, "R", f"of shape {r.shape}", str((directions, gates * size, size)))


TABLE: dict[str, Callable[..., Any]] = {
    "GRU": recurrent(gru_step, 3, 1, ("Sigmoid", "Tanh")),
    "LSTM": recurrent(lstm_step, 4, 2, ("Sigmoid", "Tanh", "Tanh")),
    "RNN": recurrent(rnn_step, 1, 1, ("Tanh",)),
}
