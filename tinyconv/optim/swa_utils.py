"""Averages of a model's weights over training: running means, and exponential ones (a teacher)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.grad_mode import no_grad
from tinyconv.nn.module import Module
from tinyconv.ops import tensor
from tinyconv.tensor import Tensor

Average = Callable[[Tensor, Tensor, Any], Tensor]
AverageAll = Callable[[list[Tensor], list[Tensor], Any], Any]


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The exponential average ``decay * averaged + (1 - decay) * current`` of one tensor."""
    _check_decay("get_ema_avg_fn", decay)

    def average(averaged: Tensor, current: Tensor, count: Any) -> Tensor:
        return decay * averaged + (1 - decay) * current

    return average


def get_ema_multi_avg_fn(decay: float = 0.999) -> AverageAll:
    """The exponential average of a list of tensors, in place."""
    average = get_ema_avg_fn(decay)

    def average_all(averaged: list[Tensor], current: list[Tensor], count: Any) -> None:
        for mean, value in zip(averaged, current, strict=True):
            mean.copy_(average(mean, value, count))

    return average_all


class AveragedModel(Module):
    """A copy of a model whose weights are an average of the model's over training.

    By default the mean over all updates (stochastic weight averaging, Izmailov et al. 2018);
    with ``multi_avg_fn=get_ema_multi_avg_fn(0.999)`` an exponential average, which is the
    teacher of a mean-teacher pair (Tarvainen and Valpola 2017).

    Parameters
    ----------
    model : Module
        Copied; the first update copies its weights again.
    device : str, optional
        Where the average is kept.
    avg_fn : callable, optional
        ``avg_fn(averaged, current, n_averaged)`` returns the new average of one tensor.
    multi_avg_fn : callable, optional
        The same for two lists of tensors, in place.
    use_buffers : bool
        Whether buffers (running statistics) are averaged too; else they are copied.

    Attributes
    ----------
    module : Module
        The averaged model.
    n_averaged : Tensor
        Number of updates, a buffer.

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
    >>> student = tc.nn.Linear(1, 1, bias=False)
    >>> teacher = AveragedModel(student, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    >>> for value in (1.0, 2.0):
    ...     _ = tc.nn.init.constant_(student.weight, value)
    ...     teacher.update_parameters(student)
    >>> round(teacher.module.weight.item(), 4)
    1.1
    """

    n_averaged: Tensor
    module: Module

    def __init__(
        self,
        model: Module,
        device: str | None = None,
        avg_fn: Average | None = None,
        multi_avg_fn: AverageAll | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(model, Module):
            raise DtypeError("AveragedModel", "model", f"a {type(model).__name__}", "a Module")
        if avg_fn is not None and multi_avg_fn is not None:
            raise ArgumentError("AveragedModel", "multi_avg_fn", "given next to avg_fn", "one of the two")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module.to(device)
        self.register_buffer("n_averaged", tensor(0))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *inputs: Any, **options: Any) -> Any:
        return self.module(*inputs, **options)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Take the weights that `model` has now into the average.

        Raises
        ------
        ShapeError
            If `model` has other parameters than the one that was copied; nothing is changed then.
        """
        averaged = _averaged_tensors(self.module, self.use_buffers)
        current = _averaged_tensors(model, self.use_buffers)
        shapes, expected = [t.shape for t in current], [t.shape for t in averaged]
        if shapes != expected:
            raise ShapeError("update_parameters", "model", f"of shapes {shapes}", f"{expected}")
        count = self.n_averaged.item()
        if count == 0:
            for mean, value in zip(averaged, current, strict=True):
                mean.copy_(value)
        elif self.multi_avg_fn is not None:
            self.multi_avg_fn(averaged, current, self.n_averaged)
        else:
            average = self.avg_fn or _running_mean
            for mean, value in zip(averaged, current, strict=True):
                mean.copy_(average(mean, value, self.n_averaged))
        if not self.use_buffers:
            buffers = zip(self.module.named_buffers(), model.named_buffers(), strict=True)
            for (_, own), (_, other) in buffers:
                own.copy_(other)
        self.n_averaged.fill_(count + 1)


def _averaged_tensors(model: Module, use_buffers: bool) -> list[Tensor]:
    buffers = [buffer for _, buffer in model.named_buffers()] if use_buffers else []
    return [*(parameter.detach() for parameter in model.parameters()), *buffers]


def _running_mean(averaged: Tensor, current: Tensor, count: Tensor) -> Tensor:
    return averaged + (current - averaged) / (count.item() + 1)


def _check_decay(where: str, decay: Any) -> None:
    if isinstance(decay, bool) or not isinstance(decay, int | float) or not 0 <= decay <= 1:
        raise ArgumentError(where, "decay", repr(decay), "a number from 0 to 1")
