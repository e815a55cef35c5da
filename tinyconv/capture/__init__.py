"""`compile`: a training step, or a network, that is recorded and then replayed without the engine.

A small network spends much of a step in Python: checking arguments, making tensors and nodes of the
graph, walking back through it. None of this depends on the numbers. So the first call of a compiled
function writes down which kernels it called, with what; the second call does so again; and if both
lists are the same, later calls run the list alone.

| file | subject |
|---|---|
| `compiled.py` | when to record, to replay, or to leave it |
| `recording.py` | from what the step does to a list of statements |
| `watching.py` | seeing what the step does besides |
| `state.py` | what the step can read, and whether that is still the same |
| `program.py` | the list, and the Python function that is made of it |
| `fusing.py` | kernels in it that become one |
| `segments.py` | kernels in it that a GPU starts as one |
| `outputs.py`, `graph.py` | what is returned, and its place in the graph |
| `inline.py`, `running.py` | how ops stand in the program |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyconv.capture.compiled import Compiled
from tinyconv.errors import ArgumentError, DtypeError
from tinyconv.nn import Module

__all__ = ["Compiled", "compile"]

MODES = (None, "default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")


def compile(
    model: Callable[..., Any] | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Any:
    """A function, or a network, that gives the same results in less time.

    The function may be a network's forward, a loss, or a whole training step with ``backward()``
    and the optimiser's ``step()``. Its first two calls for each kind of arguments (shapes, dtypes,
    numbers) run as they would, and are recorded; later calls repeat the kernels that were recorded, bit for
    bit. Before each, all that the function can read besides its arguments is compared with what it was
    then: ``training`` of each module, the variables of functions around it, and so on.

    What cannot be repeated in this way (``item()``, ``print``, hooks, changes of Python's own objects) is
    noticed while recording. The function then runs as it is, and a warning says why.

    Parameters
    ----------
    model : callable or Module, optional
        Without it the result is a decorator.
    fullgraph : bool
        Raise an error where otherwise there would be the warning.
    dynamic : None or False
        Each shape is recorded on its own.
    backend : {"inductor", "eager"}
        PyTorch's default means what is described here; with ``"eager"`` the function stays as it is.
    mode : str, optional
        Any of PyTorch's; there is only one.
    options : None
    disable : bool
        Return `model` as it is.

    Returns
    -------
    callable, or Module
        A compiled Module shares everything with `model`: parameters, buffers, sub-modules, attributes.

    Raises
    ------
    GraphError
        When it is called, with ``fullgraph=True``, and cannot be captured, or on a GPU started as a graph.

    Notes
    -----
    A tensor that the function returns belongs to the caller: no later call writes into it. If the
    function went back through the graph itself, as a training step does, a returned loss cannot be
    differentiated again. No second derivatives go through a captured function. If a network that uses a
    parameter several times is captured by itself, and called several times before one ``backward()``, the
    gradients are added up call by call, and may differ from the eager ones in the last bit. So they may
    where several results go into one loss in another order than the function returns them. The results of
    one call are walked back together: a second ``backward()`` needs ``retain_graph=True`` in the first.

    On a GPU the kernels of a step that goes back through its graph itself, or of a network without one,
    become CUDA graphs (see `segments.py`). The gradients that such a step leaves in ``.grad`` are
    overwritten by its next call.

    Examples
    --------
    >>> import tinyconv as tc
    >>> model = tc.nn.Linear(3, 1)
    >>> optimizer = tc.optim.SGD(model.parameters(), lr=0.1)
    >>> @tc.compile
    ... def step(x, y):
    ...     optimizer.zero_grad()
    ...     loss = ((model(x) - y) ** 2).mean()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> losses = [step(tc.ones(4, 3), tc.zeros(4, 1)).item() for _ in range(20)]
    >>> losses[-1] < losses[0] or losses[0] == 0
    True
    """
    if dynamic not in (None, False):
        raise ArgumentError(
            "compile", "dynamic", repr(dynamic), "None or False: each shape is recorded on its own"
        )
    if backend not in ("inductor", "eager"):
        raise ArgumentError(
            "compile", "backend", repr(backend), "'inductor', which means tinyconv's own, or 'eager'"
        )
    if mode not in MODES:
        raise ArgumentError("compile", "mode", repr(mode), " or ".join(map(repr, MODES)))
    if options:
        raise ArgumentError("compile", "options", repr(options), "None: there are no others")
    if model is None:
        return lambda function: compile(function, fullgraph=fullgraph, backend=backend, disable=disable)
    if not callable(model):
        raise DtypeError("compile", "model", f"a {type(model).__name__}", "a function or a Module")
    if disable or backend == "eager" or isinstance(model, Compiled):
        return model
    return _compiled_module(model, fullgraph) if isinstance(model, Module) else Compiled(model, fullgraph)


def _compiled_module(module: Module, fullgraph: bool) -> Module:
    """A module of a class of its own, that has everything in common with `module` but its call."""
    call = Compiled(_Call(module), fullgraph)
    cls = type(module)
    own = {
        "__call__": lambda self, *inputs, **options: call(*inputs, **options),
        "__module__": cls.__module__,
    }
    twin: Module = object.__new__(type(f"Compiled{cls.__name__}", (cls,), own))
    object.__setattr__(twin, "__dict__", vars(module))
    return twin


class _Call:
    """``module(...)`` as a function with the module's name."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.__name__ = self.__qualname__ = type(module).__name__

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        return self.module(*inputs, **options)
