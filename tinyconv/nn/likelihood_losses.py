"""Losses of predicted distributions, as modules."""

from __future__ import annotations

from tinyconv.nn import functional as F
from tinyconv.nn.module import Module
from tinyconv.ops._checks import check_flags
from tinyconv.ops.loss_common import refuse_legacy
from tinyconv.tensor import Tensor


class KLDivLoss(Module):
    """`functional.kl_div`."""

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        check_flags(type(self).__name__, log_target=log_target)
        super().__init__()
        refuse_legacy("KLDivLoss", size_average, reduce)
        self.reduction, self.log_target = reduction, log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(Module):
    """`functional.poisson_nll_loss`."""

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        check_flags(type(self).__name__, log_input=log_input, full=full)
        super().__init__()
        refuse_legacy("PoissonNLLLoss", size_average, reduce)
        self.log_input, self.full, self.eps, self.reduction = log_input, full, eps, reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        options = (self.log_input, self.full, None, self.eps, None, self.reduction)
        return F.poisson_nll_loss(input, target, *options)


class GaussianNLLLoss(Module):
    """`functional.gaussian_nll_loss`."""

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        check_flags(type(self).__name__, full=full)
        super().__init__()
        self.full, self.eps, self.reduction = full, eps, reduction

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)
