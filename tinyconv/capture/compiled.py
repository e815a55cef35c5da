"""A function that is recorded twice and replayed from then on."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from tinyconv.capture.errors import NotCapturable
from tinyconv.capture.graph import attach
from tinyconv.capture.kinds import SIMPLE, is_own
from tinyconv.capture.outputs import finish
from tinyconv.capture.program import Code, Program, generate
from tinyconv.capture.recording import Recording
from tinyconv.capture.running import HELPERS
from tinyconv.capture.state import State
from tinyconv.capture.watching import watching
from tinyconv.device import (
    array_module,
    conv_algorithm,
    default_device,
    default_dtype,
    gpu_of,
    kernel_backend,
    matmul_precision,
)
from tinyconv.errors import ArgumentError, GraphError, TinyconvError
from tinyconv.grad_mode import _grad_mode
from tinyconv.kernels.heap import give_back_free_blocks
from tinyconv.tensor import Tensor

MOST_PLANS = 16
MOST_FAILURES = 3


class Plan:
    """What is known of the calls with one signature, in one state of everything around.

    Attributes
    ----------
    state : State
    gradients : tuple of bool
        Which tensors of the state had a gradient before the call.
    program : Program or None
        The first recording.
    code : Code or None
        The functions that replay it, once a second recording was the same.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.gradients = state.gradients()
        self.program: Program | None = None
        self.code: Code | None = None

    def fits(self) -> bool:
        """Whether everything around is as it was."""
        return self.gradients == self.state.gradients() and self.state.changed() is None


class Compiled:
    """`function`, which is captured while it is called; see `tinyconv.compile`.

    Attributes
    ----------
    function : callable
        The function as it is.
    reason : str or None
        Why it is not captured, if it cannot be.
    """

    is_compiled = True

    def __init__(self, function: Callable[..., Any], fullgraph: bool = False) -> None:
        functools.update_wrapper(self, function, updated=())
        self.function = function
        self.fullgraph = fullgraph
        self.reason: str | None = None
        self._plans: dict[Any, list[Plan]] = {}
        self._failures = 0
        self._said: set[str] = set()

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else functools.partial(self, owner)

    def __call__(self, *args: Any, **options: Any) -> Any:
        mode = _grad_mode
        if (
            self.reason is not None
            or mode.capture is not None
            or mode.recorder is not None
            or mode.anomaly[0]
        ):
            return self.function(*args, **options)
        tensors: list[Tensor] = []
        key = _key((args, options) if options else args, tensors)
        if key is None:
            return self.function(*args, **options)
        plans = self._plans.setdefault((key, _settings()), [])
        for plan in plans:
            if plan.fits():
                break
        else:
            found = self._new_plan(plans, args, options)
            if found is None:
                return self.function(*args, **options)
            plan = found
        if not _apart(plan.state, tensors):
            self._say("an argument is part of a graph, has a hook, or can be reached in another way too")
            return self.function(*args, **options)
        if plan.code is not None:
            return self._replay(plan, plan.code, tensors, args, options)
        if sys.getprofile() is not None:  # a profiler has the place that the recording needs
            return self.function(*args, **options)
        return self._record(plans, plan, tensors, args, options)

    def captured(self) -> list[str]:
        """The text of the functions that are replayed, one for each signature that was met twice."""
        plans = [plan for plans in self._plans.values() for plan in plans]
        return [plan.code.source for plan in plans if plan.code is not None]

    def _new_plan(self, plans: list[Plan], args: Any, options: Any) -> Plan | None:
        if sum(map(len, self._plans.values())) >= MOST_PLANS:
            self._give_up(f"was called in more than {MOST_PLANS} different ways")
            return None
        try:
            plan = Plan(State(self.function, (args, options)))
        except NotCapturable as error:
            self._give_up(str(error))
            return None
        except Exception as error:  # code of objects that we know nothing of
            self._give_up(f"can read what cannot be watched ({type(error).__name__}: {error})")
            return None
        plans.append(plan)
        return plan

    def _record(self, plans: list[Plan], plan: Plan, tensors: list[Tensor], args: Any, options: Any) -> Any:
        recording = Recording(tensors, plan.state)
        forms = _forms(tensors)
        try:
            with watching(recording):
                result = self.function(*args, **options)
                finish(recording, result)
        except BaseException:
            plans.remove(plan)
            raise
        if forms != _forms(tensors):
            recording.refuse("changes a setting of tinyconv, or requires_grad of an argument")
        if recording.reason is not None:
            self._give_up(recording.reason)
            return result
        changed = plan.state.changed()
        before, now = plan.program, recording.program
        if changed is not None:
            self._fail(plans, plan, f"changes {changed}")
        elif before is None:
            plan.program = now
        else:
            difference = before.difference(now)
            if difference is None:
                plan.code = generate(now, HELPERS)
                del before, now, recording  # they hold the arrays of the whole step
                give_back_free_blocks()
            else:
                plan.program = now
                self._fail(plans, plan, f"did not do the same twice: {difference}", keep=True)
        return result

    def _fail(self, plans: list[Plan], plan: Plan, reason: str, keep: bool = False) -> None:
        """The first calls may differ, because something is made in them; but not for ever."""
        self._failures += 1
        if self._failures > MOST_FAILURES:
            self._give_up(reason)
        elif not keep:
            plans.remove(plan)

    def _give_up(self, reason: str) -> None:
        self.reason = reason
        self._plans.clear()
        self._say(f"it {reason}")

    def _say_where_no_graph_is(self, code: Code) -> None:
        for segment in code.segments.values():
            if segment.reason is not None:
                self._say(f"a CUDA graph of them {segment.reason}", "starts some kernels one by one")

    def _say(self, why: str, how: str = "runs as it is") -> None:
        """Tell, once for each reason, why a call was not recorded, not replayed, or not as a graph."""
        name = getattr(self.function, "__qualname__", type(self.function).__name__)
        if self.fullgraph:
            raise GraphError(
                "compile", name, f"not captured: {why}", "a step that can be captured as a whole"
            )
        if why not in self._said:
            self._said.add(why)
            warnings.warn(f"tc.compile: {name} {how}, because {why}", UserWarning, _caller())

    def _replay(self, plan: Plan, code: Code, tensors: list[Tensor], args: Any, options: Any) -> Any:
        state, program = plan.state.tensors, plan.program
        assert program is not None
        enabled = _grad_mode.enabled
        _grad_mode.enabled = False
        try:
            prepared = None
            if code.prepare is not None:
                try:
                    prepared = code.prepare(tensors, state)
                except TinyconvError:  # the step itself says better what is wrong
                    prepared = None
            if code.prepare is None or prepared is not None:
                with _on_their_gpu((*tensors, *state)) if "cupy" in sys.modules else nullcontext():
                    result, saved, outputs, watched = code.forward(tensors, state, prepared)
                if outputs:
                    _connect(program, code, outputs, watched, (tensors, state, saved))
                if code.segments:
                    self._say_where_no_graph_is(code)
                return result
        except IndexError as error:  # the op that indexes says it in the same way
            raise ArgumentError("index", "key", "a tensor", f"indices in range ({error})") from error
        finally:
            _grad_mode.enabled = enabled
        return self.function(*args, **options)


def _on_their_gpu(tensors: tuple[Tensor, ...]) -> Any:
    """In this block, the first GPU that one of them lies on is the current one."""
    arrays = (tensor.array for tensor in tensors)
    return gpu_of(next((array for array in arrays if array_module(array) is not np), np.empty(0)))


def _settings() -> tuple[Any, ...]:
    """What of tinyconv's own must be the same for two calls to be alike."""
    own = default_dtype, default_device, kernel_backend, matmul_precision
    return _grad_mode.enabled, *[setting.get() for setting in own]


def _forms(tensors: list[Tensor]) -> tuple[Any, ...]:
    """What a step must leave as it was, because a replay would not change it."""
    return _settings(), conv_algorithm.get(), [tensor.requires_grad for tensor in tensors]


def _caller() -> int:
    """How far up the stack the call of the compiled function is, seen from the function that asks."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and is_own(frame.f_code.co_filename):
        level, frame = level + 1, frame.f_back
    return level


def _connect(program: Program, code: Code, outputs: Any, watched: Any, needed: Any) -> None:
    """Put the outputs of a replay into the graph."""
    live = [output for output, alive in zip(outputs, program.alive, strict=True) if alive]
    freed = [output for output, alive in zip(outputs, program.alive, strict=True) if not alive]
    if freed:
        attach(code, [], freed, None, [])
    if live:
        tensors = {"X": needed[0], "S": needed[1]}
        leaves = [tensors[name[0]][int(name[1:])] for name in program.leaves]
        kept = [tensors[name[0].upper()][int(name[1:])] for name in program.kept]
        attach(code, leaves, live, needed, [*kept, *watched])


def _apart(state: State, tensors: list[Tensor]) -> bool:
    """Whether no argument is there twice, or is a parameter or the like at the same time."""
    arrays = {id(tensor.array) for tensor in tensors}
    if len(arrays) < len(tensors):
        return False
    return not tensors or (state.arrays().isdisjoint(arrays) and not any(map(_has_graph, tensors)))


def _has_graph(tensor: Tensor) -> bool:
    """Whether gradients would go on from this argument to what it was computed from."""
    return bool(tensor.hooks) or (tensor.grad_fn is not None and _grad_mode.enabled)


def _key(value: Any, tensors: list[Tensor]) -> Any:
    """What must be the same for two calls to be alike; the tensors are collected."""
    if isinstance(value, Tensor):
        tensors.append(value)
        array = value.array
        form = array.shape, array.dtype, array.strides, value.requires_grad, value.grad is None
        return form if type(array) is np.ndarray else (*form, value.device)
    if isinstance(value, SIMPLE):
        return type(value), repr(value) if isinstance(value, float | complex | np.generic) else value
    if isinstance(value, tuple | list):
        return type(value), tuple([_key(part, tensors) for part in value])
    if isinstance(value, dict):
        parts = [(name, _key(part, tensors)) for name, part in value.items()]
        return dict, tuple([(repr(name), part) for name, part in parts])
    return id(value)
