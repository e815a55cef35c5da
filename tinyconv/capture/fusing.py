"""Neighbouring kernels of a program joined into one of `tinyconv.kernels.fused`.

A convolution writes its output, the activation function reads it and writes another, dropout reads that:
three passes over the memory, where one does. In eager execution each op must give its result to whoever wants
it. A program shows who does: if a result is taken by the next kernel and by nobody else, it need not be made.

==============================================  =====================================================
conv, linear; then an activation                the function is applied to each tile of the results
activation, or one after conv; then dropout     both results from one pass
dropout, then the derivative of an activation   the gradient in one pass
the derivative, then the gradients of a layer   the bias's is summed while the other is written
linear layers, with activations or without      one pass, on the CPU, where only the last result is wanted
==============================================  =====================================================
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import chain
from typing import Any, NamedTuple

from tinyconv.capture.running import at_precision
from tinyconv.capture.statement import Statement
from tinyconv.kernels import find_kernel

ACTIVATIONS = ("relu", "leaky_relu", "elu", "sigmoid", "tanh")
DERIVATIVES = tuple(f"{name}_backward" for name in ACTIVATIONS)
LAYERS = ("linear", "linear_activation")
LEAKY, LEAKY_BACKWARD = "leaky_relu", "leaky_relu_backward"


class Call(NamedTuple):
    """A statement that calls a kernel.

    Attributes
    ----------
    backend, kernel : str
    arguments : tuple of str
    line : Statement
    """

    backend: str
    kernel: str
    arguments: tuple[str, ...]
    line: Statement


class Rule(NamedTuple):
    """Two calls that one can stand for.

    Attributes
    ----------
    first, second : tuple of str
        Kernels.
    place : int
        Which argument of the second is the result of the first.
    kernel : callable
        The name of the fused kernel, from those of the two.
    arguments : callable
        Its arguments, from the two calls.
    keeps : bool
        Whether the fused kernel gives the result of the first as well.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    place: int
    kernel: Callable[[str, str], str]
    arguments: Callable[[Call, Call], tuple[str, ...]]
    keeps: bool = False


def _function(call: Call, numbers: int = 1) -> tuple[str, str]:
    """An activation, or its derivative, as two arguments: its name, and what it takes after its arrays."""
    further = "".join(f"{number}, " for number in call.arguments[numbers:])
    return repr(call.kernel.removesuffix("_backward")), f"({further})"


RULES = (
    Rule(
        ("conv", "linear"), ACTIVATIONS, 0, lambda layer, _: f"{layer}_activation",
        lambda layer, function: (*layer.arguments, *_function(function)),
    ),
    Rule(
        ACTIVATIONS, ("dropout",), 0, lambda *_: "activation_dropout",
        lambda function, drop: (function.arguments[0], *_function(function), *drop.arguments[1:]), keeps=True,
    ),
    Rule(
        ("conv_activation", "linear_activation"), ("dropout",), 0, lambda layer, _: f"{layer}_dropout",
        lambda layer, drop: (*layer.arguments, *drop.arguments[1:]), keeps=True,
    ),
    Rule(
        ("dropout",), DERIVATIVES, 0, lambda *_: "dropout_activation_backward",
        lambda drop, function: (*drop.arguments, function.arguments[1], *_function(function, 2)),
    ),
    Rule(
        DERIVATIVES, ("linear_gradients",), 0, lambda *_: "linear_activation_gradients",
        lambda function, layer: (*function.arguments[:2], *_function(function, 2), *layer.arguments[1:]),
    ),
    Rule(
        DERIVATIVES, ("conv_parameter_grads",), 1, lambda *_: "conv_activation_parameter_grads",
        lambda function, layer: (
            *function.arguments[:2], *_function(function, 2), layer.arguments[0], *layer.arguments[2:]
        ), keeps=True,
    ),
)  # fmt: skip


def fuse(
    forward: list[Statement], walks: list[list[Statement]], wanted: set[str], names: dict[str, Any]
) -> tuple[list[Statement], list[list[Statement]]]:
    """The lists of statements with fused kernels, which are added to `names`.

    Parameters
    ----------
    forward, walks : list of Statement, list of lists of them
        What is computed first; the ways back from there, of which one will be gone.
    wanted : set of str
        Results that are needed after the last statement.
    names : dict
        The functions that the statements name.
    """
    forward = _from_outputs(forward, list(chain(*walks)), wanted, names)
    for rule in RULES:
        taken = _taken([*forward, *chain(*walks)], wanted)
        forward, *walks = (_join(lines, rule, taken, names) for lines in (forward, *walks))
    taken = _taken([*forward, *chain(*walks)], wanted)
    return _layers_joined(forward, taken, names), walks


def _taken(lines: list[Statement], wanted: set[str]) -> Counter[str]:
    return Counter([*wanted, *(name for line in lines for name in set(line.takes))])


def _call(line: Statement, names: dict[str, Any]) -> Call | None:
    """What a statement calls, if that is one of tinyconv's kernels."""
    if not line.call:
        return None
    kernel = names[line.call[0]]
    *room, backend, _ = kernel.__module__.split(".")
    if room != ["tinyconv", "kernels"] or backend not in ("cpu", "cuda", "reference"):
        return None
    return Call(backend, kernel.__name__, line.call[1:], line)


def _join(lines: list[Statement], rule: Rule, taken: Counter[str], names: dict[str, Any]) -> list[Statement]:
    """The statements, with `rule` applied wherever it fits."""
    joined: list[Statement] = []
    for line in lines:
        second = _call(line, names)
        place = None
        if second is not None and second.kernel in rule.second:
            place = _maker(joined, second.arguments[rule.place], second.line)
        first = None if place is None else _call(joined[place], names)
        fits = first is not None and second is not None and first.kernel in rule.first
        if place is None or first is None or second is None or not fits or first.backend != second.backend:
            joined.append(line)
            continue
        between = first.line.makes[0]
        if line.takes.count(between) > 1 or (not rule.keeps and taken[between] > 1):
            joined.append(line)
            continue
        del joined[place]
        joined.append(_joined(rule, first, second, names))
    return joined


def _maker(lines: list[Statement], name: str, line: Statement) -> int | None:
    """Where `name` is made, if only the keys of masks are drawn between there and `line`, which follows."""
    for place in reversed(range(len(lines))):
        if name in lines[place].makes:
            return place
        if not (lines[place].makes and lines[place].makes[0][0] == "k"):
            return None
    return None


def _joined(rule: Rule, first: Call, second: Call, names: dict[str, Any]) -> Statement:
    kernel = rule.kernel(first.kernel, second.kernel)
    function = find_kernel(first.backend, "fused", kernel)
    for call in (first, second):
        precision = getattr(names[call.line.call[0]], "precision", None)
        function = function if precision is None else at_precision(function, precision)
    name = next((name for name, value in names.items() if value is function), f"{kernel}_{len(names)}")
    names[name] = function
    between = first.line.makes[0]
    makes = (between, *second.line.makes) if rule.keeps else second.line.makes
    takes = tuple(dict.fromkeys(x for x in (*first.line.takes, *second.line.takes) if x != between))
    return _statement(makes, takes, name, rule.arguments(first, second))


def _layers_joined(lines: list[Statement], taken: Counter[str], names: dict[str, Any]) -> list[Statement]:
    """The statements, with dense layers in one call where nobody else wants what lies between them."""
    joined: list[Statement] = []
    run: list[Call] = []
    for line in lines:
        call = _call(line, names)
        if call is None or call.backend != "cpu" or call.kernel not in LAYERS:
            joined += [*_one_pass(run, names), line]
            run = []
        elif run and _continues(run[-1], call, taken):
            run.append(call)
        else:
            joined += _one_pass(run, names)
            run = [call]
    return [*joined, *_one_pass(run, names)]


def _continues(layer: Call, following: Call, taken: Counter[str]) -> bool:
    """Whether what a layer gives is the input of the following one, and nothing else: a weight, say."""
    between = layer.line.makes[0]
    is_input = following.arguments[0] == between and following.arguments.count(between) == 1
    return is_input and taken[between] == 1


def _one_pass(run: list[Call], names: dict[str, Any]) -> list[Statement]:
    if len(run) < 2:
        return [call.line for call in run]
    name = f"linear_layers_{len(names)}"
    names[name] = find_kernel(run[0].backend, "fused", "linear_layers")
    between = {call.line.makes[0] for call in run[:-1]}
    takes = tuple(dict.fromkeys(x for call in run for x in call.line.takes if x not in between))
    layers = "".join(f"({', '.join(_layer(call))}), " for call in run)
    return [_statement(run[-1].line.makes, takes, name, (run[0].arguments[0], f"({layers})"))]


def _layer(call: Call) -> tuple[str, ...]:
    """Weight, bias, and the activation function with its numbers, or that there is none."""
    return call.arguments[1:] if call.kernel == "linear_activation" else (*call.arguments[1:], "None", "()")


def _from_outputs(
    forward: list[Statement], backward: list[Statement], wanted: set[str], names: dict[str, Any]
) -> list[Statement]:
    """Take the derivative of leaky ReLU from its output, which has the input's sign if the slope has none.

    Then the input need not be there any more. Not where a result may be changed in place before.
    """
    for line in forward:
        call = _call(line, names)
        if call is None or call.kernel != LEAKY or not _is_positive(call.arguments[1]):
            continue
        x, y = call.arguments[0], line.makes[0]
        readers = [other for other in forward if x in other.takes and other is not line]
        if not readers or x in wanted or any(x in other.takes for other in backward):
            continue
        span = forward[forward.index(line) : forward.index(readers[-1])]
        if any(map(_may_change, span)) or not all(_is_derivative(other, x, names) for other in readers):
            continue
        forward = [_at(other, x, y) if other in readers else other for other in forward]
    return forward


def _is_positive(slope: str) -> bool:
    return slope.replace(".", "").isdigit() and float(slope) > 0


def _may_change(line: Statement) -> bool:
    """Whether a statement could write into the results of others."""
    return not line.pure and ".grad = " not in line.text and any(name[0] == "v" for name in line.takes)


def _is_derivative(line: Statement, x: str, names: dict[str, Any]) -> bool:
    call = _call(line, names)
    return call is not None and call.kernel == LEAKY_BACKWARD and call.arguments[0] != x


def _at(line: Statement, x: str, y: str) -> Statement:
    """A derivative taken from y, not from x."""
    kernel, grad, _, slope = line.call
    takes = tuple(y if name == x else name for name in line.takes)
    return _statement(line.makes, takes, kernel, (grad, y, slope))


def _statement(
    makes: tuple[str, ...], takes: tuple[str, ...], name: str, arguments: tuple[str, ...]
) -> Statement:
    left = f"{', '.join(makes)}{',' if len(makes) > 1 else ''}"
    return Statement(f"{left} = {name}({', '.join(arguments)})", makes, takes, call=(name, *arguments))
