"""The end of a recording: what the step returned, and how gradients would go on from there.

Of several results any may be left without a gradient later. That is not the same as a gradient of zeros,
which infinite derivatives turn into NaN; so the way back is written down for each choice of them.
"""

from __future__ import annotations

from itertools import compress, product
from typing import Any

from tinyconv import autograd
from tinyconv.capture.errors import NotCapturable
from tinyconv.capture.kinds import SIMPLE
from tinyconv.capture.program import Walk
from tinyconv.capture.recording import Recording
from tinyconv.capture.statement import Statement
from tinyconv.device import array_module
from tinyconv.errors import TinyconvError
from tinyconv.function import AccumulateGrad, Function
from tinyconv.graph import topological_order
from tinyconv.memory import owner
from tinyconv.tensor import Tensor

MOST_OUTPUTS = 4


def finish(recording: Recording, result: Any) -> None:
    """Write down the gradients that changed, the result, and the backward of what is still a graph."""
    if recording.reason is not None:
        return
    try:
        recording.note_gradients()
        outputs: list[Tensor] = []
        takes: list[str] = []
        written: dict[int, str] = {}
        recording.program.result = _expression(recording, result, outputs, takes, written)
        recording.program.result_takes = tuple(takes)
        recording.program.outputs = tuple([written[id(output)] for output in outputs])
        _note_backward(recording, outputs)
        _note_shared_memory(recording, written)
    except (NotCapturable, TinyconvError) as error:
        recording.refuse(str(error))


def _expression(
    recording: Recording, value: Any, outputs: list[Tensor], takes: list[str], written: dict[int, str]
) -> str:
    """The result as text; tensors that gradients could go through are added to `outputs`."""
    if isinstance(value, Tensor):
        if id(value) not in written:
            written[id(value)] = _tensor(recording, value, outputs)
        name = written[id(value)]
        takes.append(name.lower() if name[0] in "XS" else name)
        return name
    if isinstance(value, bool | int | float | str | type(None)):
        if isinstance(value, float):
            raise NotCapturable("returns a number, not a tensor")
        return repr(value)
    if type(value) in (tuple, list):
        inner = "".join(f"{_expression(recording, x, outputs, takes, written)}, " for x in value)
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    if type(value) is dict and all(isinstance(name, SIMPLE) for name in value):
        parts = (f"{k!r}: {_expression(recording, x, outputs, takes, written)}" for k, x in value.items())
        return f"{{{', '.join(parts)}}}"
    raise NotCapturable(f"returns a {type(value).__name__}")


def _tensor(recording: Recording, tensor: Tensor, outputs: list[Tensor]) -> str:
    known = recording.objects.get(id(tensor))
    if known is not None:
        return known
    if tensor.grad_fn is not None:
        outputs.append(tensor)
    elif tensor.requires_grad:
        raise NotCapturable("returns a new tensor that requires a gradient")
    name = recording.name_of(tensor.array)
    made = recording.new("r")
    copied = f"twin({name})" if name[0] == "c" else name
    recording.lines.append(Statement(f"{made} = Tensor({copied})", (made,), (name,)))
    return made


def _note_backward(recording: Recording, outputs: list[Tensor]) -> None:
    """Go back through the graph of the outputs, to write down how."""
    orders = [topological_order([output.grad_fn]) for output in outputs if output.grad_fn is not None]
    program = recording.program
    program.alive = tuple([not any(node._saved is None for node in order) for order in orders])
    live = [output for output, alive in zip(outputs, program.alive, strict=True) if alive]
    if not live:
        return
    if len(live) > MOST_OUTPUTS:
        raise NotCapturable(f"returns more than {MOST_OUTPUTS} results that gradients can go through")
    leaves = _leaves(
        [node for order, alive in zip(orders, program.alive, strict=True) if alive for node in order]
    )
    for leaf in leaves:
        if id(leaf) not in recording.objects or leaf.hooks:
            raise NotCapturable("leaves a graph behind whose leaves have hooks, or were made in it")
    starts = [Tensor(array_module(y.array).ones_like(y.array)) for y in live]
    for i, start in enumerate(starts):
        recording.call_it(start.array, f"o{i}")
    program.leaves = tuple([recording.objects[id(leaf)] for leaf in leaves])
    for given in product((True, False), repeat=len(live)):
        if any(given):
            program.walks.append(_walk(recording, live, leaves, starts, given))
    program.kept = tuple(sorted(name for name in _taken_later(recording) if name[0] in "xs"))


def _walk(
    recording: Recording,
    outputs: list[Tensor],
    leaves: list[Tensor],
    starts: list[Tensor],
    given: tuple[bool, ...],
) -> Walk:
    walk = Walk(given)
    recording.lines = walk.lines
    before = recording.known_names()
    found = autograd.grad(
        list(compress(outputs, given)),
        leaves,
        list(compress(starts, given)),
        retain_graph=True,
        allow_unused=True,
    )
    walk.gradients = [None if g is None else recording.own_name(g.array) for g in found]
    recording.forget_but(before, walk.lines)
    return walk


def _taken_later(recording: Recording) -> set[str]:
    return {name for walk in recording.program.walks for line in walk.lines for name in line.takes}


def _note_shared_memory(recording: Recording, written: dict[int, str]) -> None:
    """Find the tensors of the result that must not be changed before the walk back."""
    program = recording.program
    taken = {name for name in _taken_later(recording) if name in recording.arrays}
    memories = {id(owner(recording.arrays[name])) for name in taken}
    made = [line for line in program.forward if line.makes and line.makes[0] in written.values()]
    shared = [x.makes[0] for x in made if id(owner(recording.arrays[x.takes[0]])) in memories]
    program.watched = tuple(shared)


def _leaves(nodes: list[Function]) -> list[Tensor]:
    found = {id(node.leaf): node.leaf for node in nodes if isinstance(node, AccumulateGrad)}
    return list(found.values())
