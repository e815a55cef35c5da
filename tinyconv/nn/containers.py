"""Modules that hold other modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tinyconv.errors import ArgumentError, DtypeError
from tinyconv.nn.module import Module


class _Ordered(Module):
    """Sub-modules named "0", "1", …, with the manners of a list."""

    def append(self, module: Module) -> Any:
        """Add a module at the end."""
        self._modules[str(len(self))] = self._checked(module, str(len(self)))
        return self

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            chosen: dict[str, Any] = dict(list(self._modules.items())[index])
            return Sequential(chosen) if isinstance(self, Sequential) else ModuleList(chosen.values())
        return self._modules[self._key(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        key = self._key(index)
        self._modules[key] = self._checked(module, key)

    def __delitem__(self, index: int | slice) -> None:
        names = list(self._modules)[index] if isinstance(index, slice) else [self._key(index)]
        for name in names:
            del self._modules[name]
        if all(name.isdigit() for name in self._modules):
            self._renumber(list(self))

    def insert(self, index: int, module: Module) -> Any:
        """Add a module before the one at `index`."""
        modules = list(self)
        modules.insert(index, self._checked(module, str(index)))
        self._renumber(modules)
        return self

    def pop(self, key: int | slice) -> Any:
        """Remove and return a module, or several."""
        removed = self[key]
        del self[key]
        return removed

    def __add__(self, other: Iterable[Module]) -> Any:
        return type(self)().extend(self).extend(other)

    def __iadd__(self, other: Iterable[Module]) -> Any:
        return self.extend(other)

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add several at the end."""
        if not isinstance(modules, Iterable):
            given = f"a {type(modules).__name__}"
            raise DtypeError(type(self).__name__, "modules", given, "an iterable of Modules")
        for module in list(modules):
            self.append(module)
        return self

    def _renumber(self, modules: list[Any]) -> None:
        self._modules.clear()
        self._modules.update({str(number): module for number, module in enumerate(modules)})

    def _key(self, index: int) -> str:
        if not -len(self) <= index < len(self):
            raise IndexError(
                f"{type(self).__name__}: index is {index}, expected -{len(self)} to {len(self) - 1}"
            )
        return list(self._modules)[index]

    def _checked(self, module: Any, name: str) -> Module:
        if not isinstance(module, Module):
            raise DtypeError(type(self).__name__, f"module {name}", f"a {type(module).__name__}", "a Module")
        return module


class Sequential(_Ordered):
    """Modules applied one after the other.

    Examples
    --------
    >>> from tinyconv import nn
    >>> print(nn.Sequential(nn.Linear(2, 3), nn.ReLU()))
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], dict):
            for name, module in args[0].items():
                if not isinstance(module, Module):
                    raise ArgumentError("Sequential", name, repr(module), "a Module")
                self._modules[name] = module
            return
        for module in args:
            self.append(module)

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input


class ModuleList(_Ordered):
    """A list of modules whose parameters are registered; `forward` is the owner's business."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(() if modules is None else modules)


class Identity(Module):
    """Returns its input; what it is made with does not matter."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input
