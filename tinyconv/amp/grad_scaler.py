"""`GradScaler`: a loss times a large number, so that small gradients do not become zero."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from math import isfinite
from typing import Any

import numpy as np

from tinyconv.device import array_module, on_its_gpu
from tinyconv.errors import ArgumentError, DtypeError, GraphError
from tinyconv.optim import Optimizer
from tinyconv.tensor import Tensor

STATE = ("scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker")


class _Stage(Enum):
    """What has happened to an optimiser since the last `update`."""

    READY, UNSCALED, STEPPED = range(3)


class GradScaler:
    """Scale the loss, bring the gradients back, and leave out steps whose gradients are not finite.

    In float16 a gradient below 6e-8 is zero. If the loss is multiplied by `scale`, so is every gradient. When
    one becomes infinite, or NaN, the step is left out and the scale shrinks; after `growth_interval` steps
    without it grows (Micikevicius et al. 2018, Mixed Precision Training, section 3.2).

    tinyconv has no float16: its gradients are float32, and bfloat16 (see `autocast`) has float32's range. So
    nothing is gained from it here but that a PyTorch script runs as it is, and that steps with infinite
    gradients are left out. Scales are powers of two by default, which change no bit of a gradient.

    Parameters
    ----------
    device : str
        PyTorch's; the scale is a number, on any device.
    init_scale : float
    growth_factor : float
        Above 1.
    backoff_factor : float
        Below 1.
    growth_interval : int
        How many steps in a row with finite gradients the scale waits for.
    enabled : bool
        With False the methods do what a script without a scaler does.

    Raises
    ------
    ArgumentError
        If a factor is on the wrong side of 1.

    Examples
    --------
    >>> import tinyconv as tc
    >>> w = tc.nn.Parameter(tc.tensor([1.0]))
    >>> optimizer = tc.optim.SGD([w], lr=0.1)
    >>> scaler = tc.amp.GradScaler(init_scale=8.0)
    >>> scaler.scale((2 * w).sum()).backward()
    >>> w.grad.tolist()
    [16.0]
    >>> scaler.step(optimizer)
    >>> scaler.update()
    >>> w.tolist()
    [0.800000011920929]
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        del device
        if not growth_factor > 1.0:
            raise ArgumentError("GradScaler", "growth_factor", growth_factor, "a number above 1")
        if not backoff_factor < 1.0:
            raise ArgumentError("GradScaler", "backoff_factor", backoff_factor, "a number below 1")
        self._enabled = enabled
        self._scale = float(init_scale)
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval, self._growth_tracker = growth_interval, 0
        self._stages: dict[int, _Stage] = {}
        self._found_inf: dict[int, bool] = {}

    def scale(self, outputs: Any) -> Any:
        """A loss, or several in a tuple or list, times the scale.

        Raises
        ------
        DtypeError
            For anything else.
        """
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, Iterable):
            parts = [self.scale(output) for output in outputs]
            return parts if isinstance(outputs, list) else tuple(parts)
        kind = f"a {type(outputs).__name__}"
        raise DtypeError("GradScaler.scale", "outputs", kind, "a Tensor, or several")

    def unscale_(self, optimizer: Optimizer) -> None:
        """Divide the gradients by the scale, in place: for scripts that clip them before the step.

        Raises
        ------
        GraphError
            If it was called already since the last `update`, or after `step`.
        """
        if not self._enabled:
            return
        stage = self._stages.get(id(optimizer), _Stage.READY)
        if stage is not _Stage.READY:
            what = "already unscaled" if stage is _Stage.UNSCALED else "already used by step()"
            expected = "one unscale_() before step(), and update() after it"
            raise GraphError("GradScaler.unscale_", "the gradients of this optimizer", what, expected)
        gradients = [
            parameter.grad.array
            for group in optimizer.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        if not gradients:
            raise GraphError("GradScaler.unscale_", "the gradients", "missing", "backward() before")
        self._found_inf[id(optimizer)] = _unscale(gradients, 1.0 / self._scale)
        self._stages[id(optimizer)] = _Stage.UNSCALED

    def step(self, optimizer: Optimizer, *args: Any, **options: Any) -> Any:
        """``optimizer.step(...)``, unless a gradient is infinite or NaN; unscales them first if need be.

        Raises
        ------
        GraphError
            If it was called already since the last `update`, or there are no gradients.
        """
        if not self._enabled:
            return optimizer.step(*args, **options)
        if "closure" in options:
            raise ArgumentError("GradScaler.step", "closure", "given", "a step without one")
        stage = self._stages.get(id(optimizer), _Stage.READY)
        if stage is _Stage.STEPPED:
            expected = "update() between two steps"
            raise GraphError("GradScaler.step", "the step of this optimizer", "already done", expected)
        if stage is _Stage.READY:
            self.unscale_(optimizer)
        result = None if self._found_inf[id(optimizer)] else optimizer.step(*args, **options)
        self._stages[id(optimizer)] = _Stage.STEPPED
        return result

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Choose the next scale: `new_scale`, or by whether gradients were infinite since the last call.

        Raises
        ------
        GraphError
            If no gradients were looked at since the last call.
        """
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale.item() if isinstance(new_scale, Tensor) else new_scale)
        elif not self._found_inf:
            raise GraphError("GradScaler.update", "the gradients", "not looked at", "step() before update()")
        elif any(self._found_inf.values()):
            self._scale = float(np.float32(self._scale * self._backoff_factor))
            self._growth_tracker = 0
        else:
            self._grow()
        self._stages.clear()
        self._found_inf.clear()

    def _grow(self) -> None:
        self._growth_tracker += 1
        if self._growth_tracker == self._growth_interval:
            with np.errstate(over="ignore"):
                grown = float(np.float32(self._scale * self._growth_factor))
            self._scale = grown if isfinite(grown) else self._scale
            self._growth_tracker = 0

    def get_scale(self) -> float:
        """What losses are multiplied by; 1 if the scaler is not enabled."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """By what the scale grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set by what the scale grows."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """By what the scale shrinks."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set by what the scale shrinks."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """How many steps in a row the scale waits for."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set how many steps in a row the scale waits for."""
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs, as PyTorch has it; empty if the scaler is not enabled."""
        if not self._enabled:
            return {}
        return {name: getattr(self, "_" + name.removeprefix("_")) for name in STATE}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` returned.

        Raises
        ------
        ArgumentError
            If something is missing.
        """
        if not self._enabled:
            return
        missing = [name for name in STATE if name not in state_dict]
        if missing:
            expected = "what state_dict() of an enabled scaler returned"
            raise ArgumentError("GradScaler.load_state_dict", "state_dict", f"without {missing[0]}", expected)
        for name in STATE:
            setattr(self, "_" + name.removeprefix("_"), state_dict[name])


def _unscale(gradients: list[Any], factor: float) -> bool:
    """Multiply in place; whether any element was infinite or NaN before."""
    return any(map(bool, [_unscale_one(gradient, factor) for gradient in gradients]))


@on_its_gpu
def _unscale_one(gradient: Any, factor: float) -> Any:
    """Whether any element was infinite or NaN; nobody waits for the answer yet."""
    found = ~array_module(gradient).isfinite(gradient).all()
    gradient *= gradient.dtype.type(factor)
    return found
