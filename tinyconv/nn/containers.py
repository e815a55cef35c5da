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
        if not isinstance(module, Module):
            raise DtypeError(
                type(self).__name__, f"module {len(self)}", f"a {type(module).__name__}", "a Module"
            )
        self._modules[str(len(self))] = module
        return self

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return (
                type(self)(*list(self)[index])
                if isinstance(self, Sequential)
                else ModuleList(list(self)[index])
            )
        if not -len(self) <= index < len(self):
            raise IndexError(
                f"{type(self).__name__}: index is {index}, expected -{len(self)} to {len(self) - 1}"
            )
        return list(self)[index]


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

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], dict):
            for name, module in modules[0].items():
                if not isinstance(module, Module):
                    raise ArgumentError("Sequential", name, repr(module), "a Module")
                self._modules[name] = module
            return
        for module in modules:
            self.append(module)

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input


class ModuleList(_Ordered):
    """A list of modules whose parameters are registered; `forward` is the owner's business."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        for module in modules:
            self.append(module)


class Identity(Module):
    """Returns its input."""

    def forward(self, input: Any) -> Any:
        return input
