"""Walks through a module and all below it: modules, parameters and buffers by their dotted names."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tinyconv.errors import ArgumentError
from tinyconv.tensor import Tensor

if TYPE_CHECKING:
    from tinyconv.nn.module import Module, Parameter


class ModuleTree:
    """What `Module` knows about the modules below it."""

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """The module and all below it, with their dotted names.

        Parameters
        ----------
        memo : set of Module, optional
            Modules to leave out.
        prefix : str
            Put before each name.
        remove_duplicate : bool
            Whether a module that stands in two places appears once.
        """
        seen: set[int] = {id(module) for module in memo or ()}
        stack: list[tuple[str, Any]] = [(prefix, self)]
        while stack:
            name, module = stack.pop()
            if id(module) in seen:
                continue
            if remove_duplicate:
                seen.add(id(module))
            yield name, module
            children = [(_join(name, key), child) for key, child in module._modules.items()]
            stack.extend((key, child) for key, child in reversed(children) if child is not None)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """The module and all below it."""
        return (module for _, module in self.named_modules(remove_duplicate=remove_duplicate))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below this one, with their names; each module once."""
        seen: set[int] = set()
        for name, module in self._modules.items():
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly below this one."""
        return (module for _, module in self.named_children())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their dotted names; a shared parameter once."""
        return self._named_tensors("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters: what an optimiser is given; only the module's own with ``recurse=False``."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """All buffers with their dotted names."""
        return self._named_tensors("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _named_tensors(
        self, store: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, tensor in getattr(module, store).items():
                if tensor is None or (remove_duplicate and id(tensor) in seen):
                    continue
                seen.add(id(tensor))
                yield _join(path, name), tensor

    def get_submodule(self, target: str) -> Module:
        """The module with a dotted name, e.g. ``"features.0"``; the module itself for ``""``.

        Raises
        ------
        ArgumentError
            If there is none; the message names those that are there.
        """
        module: Any = self
        for depth, key in enumerate(target.split(".") if target else ()):
            known = [name for name, child in module._modules.items() if child is not None]
            if key not in known:
                at = ".".join(target.split(".")[:depth])
                raise _missing("get_submodule", target, at or type(self).__name__, key, known)
            module = module._modules[key]
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module at a dotted name, e.g. another head; with `strict` only where one stands already."""
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if strict:
            self.get_submodule(target)
        if name in owner._modules:
            setattr(owner, name, module)
        else:
            owner.add_module(name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with a dotted name, e.g. ``"features.0.weight"``."""
        return self._get_tensor("get_parameter", "_parameters", target)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with a dotted name."""
        return self._get_tensor("get_buffer", "_buffers", target)

    def _get_tensor(self, where: str, store: str, target: str) -> Any:
        path, _, name = target.rpartition(".")
        tensors = getattr(self.get_submodule(path), store)
        if tensors.get(name) is None:
            known = [key for key, tensor in tensors.items() if tensor is not None]
            raise _missing(where, target, path or type(self).__name__, name, known)
        return tensors[name]

    def apply(self, fn: Callable[[Module], Any]) -> Any:
        """Call a function on every module below this one, and on this one last."""
        for child in self.children():
            child.apply(fn)
        fn(self)  # type: ignore[arg-type]
        return self


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _missing(where: str, target: str, at: str, key: str, known: list[str]) -> ArgumentError:
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return ArgumentError(where, "target", repr(target), f"one of {known} in {at}{hint}")
