"""A recorded step as a program: a list of statements, and the Python function made of them.

Every array of the recording has a name: ``x0`` an array of the arguments, ``s0`` one of the state
(a parameter, a buffer), ``g0`` a gradient that was there before, ``c0`` a constant, ``v0`` a result.
``X0`` and ``S0`` are the tensors of the first two. The function is straight-line Python that calls the
kernels on these names; ``del`` stands after the last use of each, so that the next kernel gets the same
memory, in this call and in every later one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tinyconv.capture.fusing import fuse
from tinyconv.capture.segments import Segment, with_segments
from tinyconv.capture.statement import Statement


class Walk:
    """A walk back from some of the outputs, which have a gradient, when the others have none.

    Attributes
    ----------
    given : tuple of bool
        Whether each output has a gradient, of those whose graph is there.
    lines : list of Statement
    gradients : list of (str or None)
        The names of what it returns: a gradient for each leaf.
    """

    def __init__(self, given: tuple[bool, ...]) -> None:
        self.given = given
        self.lines: list[Statement] = []
        self.gradients: list[str | None] = []


@dataclass
class Program:
    """What was recorded.

    Attributes
    ----------
    forward : list of Statement
        What the call does.
    walks : list of Walk
        What a later walk back through its outputs does, for each choice of them.
    result : str
        The expression that it returns.
    result_takes : tuple of str
        The names in it.
    outputs : tuple of str
        The tensors of the result that gradients could go through.
    alive : tuple of bool
        For each of them, whether its graph was still there, or the step itself had gone back through it.
    leaves : tuple of str
        The tensors that a walk back from the outputs ends at.
    kept, watched : tuple of str
        What the walks read of the inputs and the state; tensors of the result that share its memory.
    names : dict
        Functions and objects that the lines name.
    constants : dict
        The constant arrays, by name.
    """

    forward: list[Statement] = field(default_factory=list)
    walks: list[Walk] = field(default_factory=list)
    result: str = "None"
    result_takes: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    alive: tuple[bool, ...] = ()
    leaves: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()
    names: dict[str, Any] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)

    def difference(self, other: Program) -> str | None:
        """What is not the same in another recording of the same step; None if all is."""
        walks = [(ours.lines, theirs.lines) for ours, theirs in zip(self.walks, other.walks, strict=False)]
        for ours, theirs in [(self.forward, other.forward), *walks]:
            for one, two in zip(ours, theirs, strict=False):
                if one != two:
                    return f"{two.text!r} took the place of {one.text!r}"
            if len(ours) != len(theirs):
                return f"{len(theirs)} operations took the place of {len(ours)}"
        if self._end() != other._end():
            return "it returned something else"
        if self.names.keys() != other.names.keys() or any(
            value is not other.names[name] for name, value in self.names.items()
        ):
            return "it called other functions"
        for name, array in self.constants.items():
            if not _same_bits(array, other.constants.get(name)):
                return f"the constant {name}, of shape {array.shape}, had other values"
        return None

    def _end(self) -> tuple[Any, ...]:
        gradients = [(walk.given, walk.gradients) for walk in self.walks]
        return self.result, self.outputs, self.alive, self.leaves, gradients, self.watched


def _same_bits(a: Any, b: Any) -> bool:
    alike = b is not None and (a.shape, a.dtype, a.strides) == (b.shape, b.dtype, b.strides)
    return alike and a.tobytes() == b.tobytes()


@dataclass(frozen=True)
class Code:
    """The functions made of a program.

    Attributes
    ----------
    prepare : callable or None
        ``prepare(inputs, state)`` gives what `forward` needs first, or None if the program does not fit.
    forward : callable
        ``forward(inputs, state, prepared)`` gives the result, and what `backward` needs.
    backward : dict
        By which outputs have a gradient: ``backward[given](inputs, state, saved, gradients)`` gives a
        gradient, or None, for each leaf.
    source : str
        Their text.
    segments : dict of str to Segment
        Kernels that a GPU does as one.
    """

    prepare: Callable[..., Any] | None
    forward: Callable[..., Any]
    backward: dict[tuple[bool, ...], Callable[..., Any]]
    source: str
    segments: dict[str, Segment]


def generate(program: Program, helpers: dict[str, Any]) -> Code:
    """Leave out what nobody needs, join what can be one kernel, and write the functions.

    What must be looked up first is put first.
    """
    ends = [{name for name in walk.gradients if name} for walk in program.walks]
    gradients = set().union(*ends)
    walks = [_needed(walk.lines, end) for walk, end in zip(program.walks, ends, strict=True)]
    later = gradients.union(*map(_taken, walks))
    forward = _needed(program.forward, later | set(program.result_takes))
    names = dict(program.names)
    forward, walks = fuse(forward, walks, gradients | set(program.result_takes), names)
    later = gradients.union(*map(_taken, walks))
    first = _looked_up(forward)
    rest = [line for line in forward if line not in first]
    handed_on = _made(first) & (_taken(rest) | later | set(program.result_takes))
    saved = sorted(_made(forward) & later)
    texts = []
    if first:
        texts.append(
            _function("prepare", "inputs, state", first, (), f"{_tuple(sorted(handed_on))}", handed_on)
        )
    segments: dict[str, tuple[str, tuple[bool, ...]]] = {}
    rest = rest if program.walks else with_segments(rest, names, segments)
    texts += [text for text, _ in segments.values()]
    result = f"{program.result}, {_tuple(saved)}, {_tuple(program.outputs)}, {_tuple(program.watched)}"
    keep = set(program.result_takes) | set(saved)
    unpack = [f"{_tuple(sorted(handed_on))} = prepared"] if handed_on else []
    texts.append(_function("forward", "inputs, state, prepared", rest, unpack, result, keep))
    unpack = [f"{_tuple(saved)} = saved", "saved.clear()"] if saved else []
    for walk, lines, end in zip(program.walks, walks, ends, strict=True):
        returned = "(" + "".join(f"{name}, " for name in walk.gradients) + ")"
        arguments = "inputs, state, saved, gradients"
        texts.append(_function(_walk_name(walk), arguments, lines, unpack, returned, end))
    source = "\n\n\n".join(texts)
    scope = {**helpers, **names, **program.constants}
    exec(compile(source, "<captured step>", "exec"), scope)
    scope |= {name: Segment(scope[name], stays) for name, (_, stays) in segments.items()}
    backward = {walk.given: scope[_walk_name(walk)] for walk in program.walks}
    made = {name: scope[name] for name in segments}
    return Code(scope.get("prepare"), scope["forward"], backward, source, made)


def _walk_name(walk: Walk) -> str:
    if all(walk.given):
        return "backward"
    return "backward_from_" + "_".join(str(i) for i, given in enumerate(walk.given) if given)


def _needed(lines: list[Statement], wanted: set[str]) -> list[Statement]:
    """The lines without those whose results nobody needs."""
    needed: set[str] = set(wanted)
    kept: list[Statement] = []
    for line in reversed(lines):
        if not line.pure or line.shapes is not None or needed.intersection(line.makes):
            needed.update(line.takes)
            kept.append(line)
    return kept[::-1]


def _looked_up(lines: list[Statement]) -> list[Statement]:
    """The lines whose shapes must be looked at first, and those that they need."""
    wanted: set[str] = set()
    first: list[Statement] = []
    for line in reversed(lines):
        if line.shapes is not None or wanted.intersection(line.makes):
            wanted.update(line.takes)
            first.append(line)
    return first[::-1]


def _made(lines: Iterable[Statement]) -> set[str]:
    return {name for line in lines for name in line.makes}


def _taken(lines: Iterable[Statement]) -> set[str]:
    return {name for line in lines for name in line.takes}


def _tuple(names: Iterable[str]) -> str:
    return "(" + "".join(f"{name}, " for name in names) + ")"


ARRAYS = {
    "x": "inputs[{}].array",
    "s": "state[{}].array",
    "g": "state[{}].grad.array",
    "o": "gradients[{}].array",
}
TENSORS = {"x": "X{0} = inputs[{0}]", "s": "S{0} = state[{0}]", "g": "S{0} = state[{0}]"}


def _function(
    name: str, arguments: str, lines: list[Statement], unpack: Iterable[str], result: str, kept: set[str]
) -> str:
    """The text of a function with these lines; names that are not `kept` are dropped after their last use."""
    made, taken = _made(lines), _taken(lines) | kept
    text = [f"def {name}({arguments}):", *(f"    {line}" for line in unpack)]
    outside = sorted(n for n in taken - made if n[0] in ARRAYS)
    tensors = sorted({f"{n[0].upper().replace('G', 'S')}{n[1:]}" for n in outside if n[0] in TENSORS})
    for tensor in tensors:
        text.append(f"    {tensor} = {'inputs' if tensor[0] == 'X' else 'state'}[{tensor[1:]}]")
    for n in outside:
        text.append(f"    {n} = {ARRAYS[n[0]].format(n[1:])}")
    last: dict[str, int] = {}
    for i, line in enumerate(lines):
        last.update((n, i) for n in (*line.makes, *line.takes) if n[0] in "vn")
    for i, line in enumerate(lines):
        text += [f"    {part}" for part in line.text.split("\n")]
        if line.shapes is not None:
            shapes = " or ".join(f"{n}.shape != {s}" for n, s in zip(line.makes, line.shapes, strict=True))
            text.append(f"    if {shapes}:\n        return None")
        done = [n for n, end in last.items() if end == i and n not in kept]
        if done:
            text.append(f"    del {', '.join(sorted(done))}")
    return "\n".join([*text, f"    return {result}"])
