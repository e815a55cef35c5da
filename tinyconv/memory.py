"""Which tensors share memory, and how often it was changed in place.

An op keeps tensors for its backward. If their values change in between, the gradient would be
silently wrong; so each memory carries a `Version` that every in-place change counts up, and
backward compares.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyconv.device import array_module
from tinyconv.errors import ArgumentError, GraphError
from tinyconv.grad_mode import is_grad_enabled


class Version:
    """How often a memory was changed in place: one object for all tensors that view it."""

    count = 0


def owner(array: Any) -> Any:
    """The object that owns the memory of `array`: the array itself, or what it is a view of."""
    base = array.base
    while base is not None:
        array, base = base, getattr(base, "base", None)
    return array


def share_version(output: Any, inputs: list[Any]) -> None:
    """Give the tensor `output` the version of the input that it is a view of, if it is one.

    An op may also return its input as it is; the output then becomes a view of it.
    """
    array = output.array
    memory = None if array.base is None else owner(array)
    for x in inputs:
        if x.array is array:
            output.array, output.version = array.view(), x.version
            return
        if memory is not None and owner(x.array) is memory:
            output.version = x.version
            return


def is_writable(array: Any) -> bool:
    """Whether a change of one element changes no other; CuPy marks no array, so its strides tell."""
    if array_module(array) is np:
        return bool(array.flags.writeable)
    return not array.size or all(step or n == 1 for n, step in zip(array.shape, array.strides, strict=True))


def check_writable(tensor: Any, op: str, value: Any = None) -> None:
    """Refuse to change `tensor` in place (to `value`) where a graph would not know of it.

    Raises
    ------
    GraphError
        If the tensor, or the value that goes into it, is part of a graph that is being recorded.
    ArgumentError
        If its memory is read-only, as that of an expanded tensor, where elements share a place.
    """
    if not is_writable(tensor.array):
        raise ArgumentError(op, "the tensor", "an expanded view or read-only", "memory of its own: x.clone()")
    if not is_grad_enabled():
        return
    if tensor.requires_grad:
        if tensor.grad_fn is None:
            what = "part of a graph: a leaf that requires grad"
            expected = "the change inside tc.no_grad(), as optimisers do it"
        else:
            what = f"part of a graph: the result of {tensor.grad_fn.name}, whose gradient knows no change"
            expected = "a new tensor (x = x + y, tc.where, tc.cat), or a change of x.detach().clone()"
        raise GraphError(op, "the tensor", what, expected)
    if getattr(value, "requires_grad", False):
        raise GraphError(
            op,
            "the new value",
            "part of a graph, which would lose track of it",
            "value.detach(); or tc.cat, tc.where, which make a tensor of parts and keep the graph",
        )
