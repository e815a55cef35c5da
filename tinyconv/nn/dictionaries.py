"""Modules and parameters that are kept in a dict or a list of the owner's making."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tinyconv.errors import ArgumentError, DtypeError
from tinyconv.nn.module import Module, Parameter
from tinyconv.tensor import Tensor


class _Named(Module):
    """Values in one of the module's stores, with the manners of a dict."""

    def _values(self) -> dict[str, Any]:
        raise NotImplementedError

    def __getitem__(self, key: str) -> Any:
        if key not in self._values():
            raise KeyError(f"{type(self).__name__}: key is {key!r}, expected one of {list(self._values())}")
        return self._values()[key]

    def __delitem__(self, key: str) -> None:
        self.pop(key)

    def __len__(self) -> int:
        return len(self._values())

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __contains__(self, key: object) -> bool:
        return key in self._values()

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._values().keys()

    def values(self) -> Iterable[Any]:
        """What they name."""
        return self._values().values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names, and what they name."""
        return self._values().items()

    def pop(self, key: str) -> Any:
        """Remove and return a value."""
        value = self[key]
        del self._values()[key]
        return value

    def clear(self) -> None:
        """Remove all."""
        self._values().clear()

    def update(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add or replace several."""
        pairs = values.items() if isinstance(values, Mapping) else values
        listed = list(pairs) if isinstance(pairs, Iterable) else [pairs]
        if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in listed):
            raise ArgumentError(type(self).__name__, "values", repr(values), "a dict, or pairs (key, value)")
        for key, value in listed:
            self[key] = value

    def __setitem__(self, key: str, value: Any) -> None:
        raise NotImplementedError


class ModuleDict(_Named):
    """A dict of modules whose parameters are registered; `forward` is the owner's business.

    Examples
    --------
    >>> from tinyconv import nn
    >>> heads = nn.ModuleDict({"mask": nn.Conv2d(8, 1, 1), "edge": nn.Conv2d(8, 1, 1)})
    >>> list(heads.state_dict())
    ['mask.weight', 'mask.bias', 'edge.weight', 'edge.bias']
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        self.update(() if modules is None else modules)

    def _values(self) -> dict[str, Any]:
        return self._modules

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)


class ParameterDict(_Named):
    """A dict of parameters; tensors put into it become parameters."""

    def __init__(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        self.update(() if parameters is None else parameters)

    def _values(self) -> dict[str, Any]:
        return self._parameters

    def __setitem__(self, key: str, value: Tensor) -> None:
        self.register_parameter(key, _as_parameter(type(self).__name__, key, value))

    def extra_repr(self) -> str:
        return ", ".join(f"{name}: {value.shape}" for name, value in self.items())


class ParameterList(Module):
    """A list of parameters; tensors put into it become parameters."""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(() if values is None else values)

    def append(self, value: Tensor) -> ParameterList:
        """Add a parameter at the end."""
        name = str(len(self))
        self.register_parameter(name, _as_parameter(type(self).__name__, name, value))
        return self

    def extend(self, values: Iterable[Tensor]) -> ParameterList:
        """Add several at the end."""
        if not isinstance(values, Iterable):
            given = f"a {type(values).__name__}"
            raise DtypeError(type(self).__name__, "values", given, "an iterable of Tensors")
        for value in values:
            self.append(value)
        return self

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._parameters.values()))

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return ParameterList(list(self)[index])
        return self._parameters[self._key(index)]

    def __setitem__(self, index: int, value: Tensor) -> None:
        key = self._key(index)
        self._parameters[key] = _as_parameter(type(self).__name__, key, value)

    def _key(self, index: int) -> str:
        if not -len(self) <= index < len(self):
            raise IndexError(f"ParameterList: index is {index}, expected -{len(self)} to {len(self) - 1}")
        return str(index % len(self))

    def extra_repr(self) -> str:
        return ", ".join(str(value.shape) for value in self)


def _as_parameter(where: str, key: str, value: Any) -> Parameter:
    if isinstance(value, Parameter):
        return value
    if not isinstance(value, Tensor):
        raise DtypeError(where, f"parameter {key}", f"a {type(value).__name__}", "a Tensor")
    if value.grad_fn is not None:
        raise ArgumentError(where, f"parameter {key}", "the result of an op", "a leaf, e.g. tensor.detach()")
    return Parameter(value)
