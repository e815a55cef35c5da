"""Writing down what a step does, while it does it.

A `Recording` stands in ``_grad_mode.capture`` while the step runs, eagerly. `Function.apply` comes to it,
the kernels come to it (see `watching.py`), and so do the functions that `tinyconv.recorder` marks. Each
becomes a statement of the `Program`, with the arrays named by where they came from. An array from
nowhere means that something was computed outside of the recorded world, and the step is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyconv.autograd import Function
from tinyconv.capture.errors import NotCapturable
from tinyconv.capture.inline import INLINE, KERNELS_ONLY
from tinyconv.capture.kinds import is_own
from tinyconv.capture.running import is_array, leaves_of
from tinyconv.capture.state import State
from tinyconv.capture.statement import Statement
from tinyconv.capture.writing import MaskKey, Writer
from tinyconv.device import matmul_precision
from tinyconv.grad_mode import _grad_mode
from tinyconv.tensor import Tensor

Array = Any
GRAPH = {"edges", "needs_input_grad", "made_at", "_constant", "_zeros_for_missing", "_hooks"}
GRAPH |= {"_input_shapes", "_outputs_like", "_counts", "_precision"}
"""Attributes of a node that every op has."""


class Recording(Writer):
    """One run of a step, written down.

    Parameters
    ----------
    inputs : list of Tensor
        The tensors among the arguments.
    state : State
        What else the step can read.
    """

    def __init__(self, inputs: list[Tensor], state: State) -> None:
        super().__init__(inputs, state)
        self.reason: str | None = None
        self.kernel_calls: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []
        self._gradients = self._gradients_now()

    def refuse(self, reason: str) -> None:
        """The step cannot be captured, for this reason; the first one is kept."""
        if self.reason is None:
            self.reason = reason

    # What comes during the run. Each of these runs the thing first, so that a refusal changes nothing.

    def apply(self, op: type[Function], inputs: tuple[Any, ...]) -> Any:
        """An op is applied."""
        self.kernel_calls.clear()
        result = self._outside(op.apply, inputs, {})
        self._try(self._note_op, op, inputs, result)
        return result

    def kernel(self, kernel: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """A kernel is called outside of any op."""
        result = self._outside(kernel, args, options)
        self._try(self._note_kernels, [(kernel, args, options, result)])
        return result

    def repeat(self, function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run what a replay runs again."""
        self._try(self.note_gradients)
        result = self._outside(function, args, options)
        self._try(self._note_call, function, args, options, result)
        self._gradients = self._gradients_now()
        return result

    def look_up(self, function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run what a replay runs first, to compare the shapes of the result."""
        result = self._outside(function, args, options)
        self._try(self._note_call, function, args, options, result, True, True)
        return result

    def compute(self, function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run what makes new arrays of others."""
        result = self._outside(function, args, options)
        self._try(self._note_call, function, args, options, result, False, True)
        return result

    def keep(self, function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run what always gives the same."""
        result = self._outside(function, args, options)
        self._try(self._note_constant, args, options, result)
        return result

    def mask_key(self, key: tuple[int, int]) -> MaskKey:
        """The key of a dropout mask is drawn."""
        drawn = MaskKey(key)
        drawn.name = self.new("k")
        text = f"{drawn.name} = {self.function(next_mask_key)}()"
        self.lines.append(Statement(text, (drawn.name,), (), pure=False))
        return drawn

    def note_gradients(self) -> None:
        """Write down which tensors got another gradient since the last time."""
        for (tensor, before), now in zip(self._gradients, self._gradients_now(), strict=True):
            if now[1] is before:
                continue
            target = self.objects[id(tensor)]
            value, takes = "None", (target.lower(),)  # type: str, tuple[str, ...]
            if now[1] is not None:
                if now[1].requires_grad:
                    raise NotCapturable("keeps the graph of a gradient (create_graph)")
                self.own_name(now[1].array)
                value, names = self.as_tensor(now[1])
                takes += names
            self.lines.append(Statement(f"{target}.grad = {value}", (), takes, pure=False))
        self._gradients = self._gradients_now()

    def _gradients_now(self) -> list[tuple[Tensor, Tensor | None]]:
        return [(tensor, tensor.grad) for tensor in (*self.inputs, *self.state.tensors)]

    def _outside(self, function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        _grad_mode.capture = None
        try:
            return function(*args, **options)
        except Exception:  # which the step may catch
            self.refuse("goes on after an error")
            raise
        finally:
            _grad_mode.capture = self

    def _try(self, note: Callable[..., None], *args: Any) -> None:
        if self.reason is None:
            try:
                note(*args)
            except NotCapturable as error:
                self.refuse(str(error))

    # How each of them is written down.

    def _note_op(self, op: type[Function], inputs: tuple[Any, ...], result: Any) -> None:
        outputs = result if isinstance(result, tuple) else (result,)
        if any(x.dtype.kind == "b" for x in _arrays(inputs)):
            raise NotCapturable("takes the elements where a mask is true, as many as there are")
        arrays = [output.array for output in outputs]
        if op.__name__ in INLINE and is_own(_file_of(op)):
            takes: list[str] = []
            parts = [self.expression(x, takes, tensors=False) for x in inputs]
            self._add_pure(INLINE[op.__name__].format(*parts), arrays, takes, view=True)
        elif op.__name__ in KERNELS_ONLY and is_own(_file_of(op)) and self._all_known(arrays):
            self._note_kernels(self.kernel_calls)
        else:
            self._note_forward(op, inputs, outputs)

    def _all_known(self, outputs: list[Array]) -> bool:
        """Whether the kernel calls lead from named arrays to these outputs."""
        known: set[int] = set()
        for _, args, options, result in self.kernel_calls:
            if options or not all(self.is_known(a) or id(a) in known for a in _arrays(args)):
                return False
            known.update(id(a) for a in _arrays(result))
        return all(id(a) in known for a in outputs)

    def _note_kernels(self, calls: list[Any]) -> None:
        for kernel, args, options, result in calls:
            takes: list[str] = []
            parts = [self.expression(arg, takes, tensors=False) for arg in args]
            parts += [f"{key}={self.expression(x, takes, tensors=False)}" for key, x in options.items()]
            name = self.function(kernel)
            text = f"{name}({', '.join(parts)})"
            results = list(result) if isinstance(result, tuple) else [result]
            if not all(is_array(x) or x is None for x in results):
                raise NotCapturable(f"uses a number that the kernel {kernel.__name__} returned")
            self._add_pure(text, results, takes, isinstance(result, tuple), (name, *parts))

    def _add_pure(
        self,
        text: str,
        results: list[Any],
        takes: list[str],
        several: bool = False,
        call: tuple[str, ...] = (),
        view: bool = False,
    ) -> None:
        """A statement without side effects; what depends on constants alone is a constant itself."""
        if takes and all(name[0] == "c" for name in takes):
            for array in results:
                self.constant(array)
            return
        makes = tuple([self.new("v") if array is None else self.call_it(array) for array in results])
        left = "".join(f"{name}, " for name in makes) if several else makes[0]
        text = f"{left} = {text}".replace(",  =", ", =")
        self.lines.append(Statement(text, makes, tuple(takes), call=call, view=view))

    def _note_forward(self, op: type[Function], inputs: tuple[Any, ...], outputs: tuple[Tensor, ...]) -> None:
        own = is_own(_file_of(op))
        takes: list[str] = []
        parts = "".join(f"{self.expression(x, takes, tensors=True)}, " for x in inputs)
        needs = tuple([isinstance(x, Tensor) and x.requires_grad for x in inputs])
        makes = tuple([self.call_it(output.array) for output in outputs])
        node = self.new("n")
        left = "".join(f"{name}, " for name in makes)
        text = f"{node}, ({left}) = run_op({self.function(op)}, {needs}, ({parts}){_precision()})"
        self.lines.append(Statement(text, (*makes, node), tuple(takes), pure=own))
        context = next((y.grad_fn for y in outputs if isinstance(y.grad_fn, op)), None)
        if context is None:
            return
        for attribute, value in vars(context).items():
            if attribute not in GRAPH:
                self._note_kept(f"{node}.{attribute}", value, node, own)

    def _note_kept(self, path: str, value: Any, node: str, own: bool) -> None:
        """The arrays that an op keeps for its backward."""
        array = getattr(value, "array", value)
        if isinstance(value, tuple | list):
            for i, part in enumerate(value):
                self._note_kept(f"{path}[{i}]", part, node, own)
        elif is_array(array):
            if not self.is_known(array):
                name = self.call_it(array)
                self.lines.append(Statement(f"{name} = array_of({path})", (name,), (node,)))
        elif not own and isinstance(value, float):
            raise NotCapturable(
                f"keeps a number in the op that {path} is part of; captured, it would not change"
            )

    def _note_call(
        self,
        function: Any,
        args: tuple[Any, ...],
        options: dict[str, Any],
        result: Any,
        first: bool = False,
        pure: bool = False,
    ) -> None:
        takes: list[str] = []
        if not pure:  # it may change its arguments
            for tensor in leaves_of((args, tuple(options.values()))):
                if isinstance(tensor, Tensor):
                    self.own_name(tensor.array)
        parts = [self.expression(arg, takes, tensors=True) for arg in args]
        parts += [f"{key}={self.expression(x, takes, tensors=True)}" for key, x in options.items()]
        call = f"{self.function(function)}({', '.join(parts)})"
        arrays: list[tuple[int, Array]] = []
        for i, leaf in enumerate(leaves_of(result)):
            array = getattr(leaf, "array", leaf)
            if is_array(array):
                if not self.is_known(array):
                    arrays.append((i, array))
            elif leaf is not None:
                raise NotCapturable(f"uses {leaf!r}, which {function.__name__} returned")
        names = tuple([self.call_it(array) for _, array in arrays])
        shapes = tuple([array.shape for _, array in arrays]) if first else None
        if not arrays:
            self.lines.append(Statement(call, (), tuple(takes), pure=False))
            return
        left = "".join(f"{name}, " for name in names)
        text = f"{left}= pick(({', '.join(str(i) for i, _ in arrays)}, ), {call})"
        self.lines.append(Statement(text, names, tuple(takes), pure, shapes))

    def _note_constant(self, args: tuple[Any, ...], options: dict[str, Any], result: Any) -> None:
        if any(is_array(x) for x in leaves_of((args, tuple(options.values())))):
            raise NotCapturable("mixes a NumPy array with tensors")
        for leaf in leaves_of(result):
            array = getattr(leaf, "array", leaf)
            if is_array(array) and not self.is_known(array):
                self.constant(array)


def next_mask_key() -> tuple[int, int]:
    """The key of the next dropout mask, as `dropout` draws it."""
    from tinyconv.device import seed

    return seed.get().next_mask_key()


def _precision() -> str:
    """The further argument of `run_op` where products are not those of float32."""
    precision = matmul_precision.get()
    return "" if precision == "float32" else f", {precision!r}"


def _file_of(op: type[Function]) -> str:
    return op.forward.__code__.co_filename


def _arrays(value: Any) -> list[Array]:
    return [leaf for leaf in leaves_of(value) if is_array(leaf)]
