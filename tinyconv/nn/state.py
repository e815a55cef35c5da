"""A module's state: parameters and buffers by name, out of the module and back into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tinyconv.device import as_array
from tinyconv.errors import CheckpointError, DtypeError
from tinyconv.nn.tree import ModuleTree
from tinyconv.tensor import Tensor


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict(strict=False)`` returns: the names that did not match."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not any(self):
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class ModuleState(ModuleTree):
    """What `Module` does to save and load itself."""

    _non_persistent: frozenset[str]
    optional_state: tuple[str, ...] = ()
    """Names of this module's own that a state dict need not have: earlier versions had none."""

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> dict[str, Tensor]:
        """All parameters and persistent buffers by their dotted names, sharing memory; PyTorch's keys.

        A module that stands in two places is in it under both names.

        Parameters
        ----------
        prefix : str
            Put before each name.
        keep_vars : bool
            Return the parameters themselves, not detached tensors.
        """
        own = {**self._parameters, **self._buffers}
        state: dict[str, Tensor] = {
            prefix + name: tensor if keep_vars else tensor.detach()
            for name, tensor in own.items()
            if tensor is not None and name not in self._non_persistent
        }
        for name, child in self._modules.items():
            if child is not None:
                state.update(child.state_dict(prefix=f"{prefix}{name}.", keep_vars=keep_vars))
        return state

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy values by name into the parameters and buffers; nothing changes if an error is raised.

        Parameters
        ----------
        state_dict : dict
            Tensors or arrays by name.
        strict : bool
            Whether a missing or unexpected name is an error.
        assign : bool
            Put the given tensors, with their dtype, in the place of the module's own.

        Raises
        ------
        CheckpointError
            If a shape differs, or (with ``strict=True``) a name is missing or unexpected.
        """
        own = self.state_dict()
        where = f"{type(self).__name__}.load_state_dict"
        if not hasattr(state_dict, "keys"):
            raise DtypeError(
                where, "state_dict", f"a {type(state_dict).__name__}", "a dict of tensors by name"
            )
        optional = self._optional_names()
        missing = [name for name in own if name not in state_dict and name not in optional]
        unexpected = [name for name in state_dict if name not in own]
        if strict and (missing or unexpected):
            found = f"missing {_some(missing)} and having unexpected {_some(unexpected)}"
            raise CheckpointError(where, "state_dict", found, f"exactly the {len(own)} names of this model")
        for name in own.keys() & state_dict.keys():
            shape = tuple(state_dict[name].shape)
            if shape != own[name].shape:
                raise CheckpointError(where, name, f"of shape {shape}", f"{own[name].shape}")
        for name in own.keys() & state_dict.keys():
            value = state_dict[name]
            if assign:
                given = value if isinstance(value, Tensor) else Tensor(as_array(value).copy("K"))
                self._assign(name, given)
            else:
                own[name].copy_(value)
        return IncompatibleKeys(missing, unexpected)

    def _optional_names(self) -> set[str]:
        named = self.named_modules(remove_duplicate=False)
        return {
            f"{path}.{name}" if path else name for path, module in named for name in module.optional_state
        }

    def _assign(self, target: str, value: Tensor) -> None:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        before = module._parameters.get(name)
        if before is not None and not isinstance(value, type(before)):
            value = type(before)(value, requires_grad=before.requires_grad)
        setattr(module, name, value)


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:4]) + (f", … ({len(names)} in all)" if len(names) > 4 else "")
    return f"[{shown}]"
