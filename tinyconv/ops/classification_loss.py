"""Losses of predicted classes, one class per element."""

from __future__ import annotations

from typing import Any

from tinyconv.autograd import Function
from tinyconv.device import array_module
from tinyconv.errors import ArgumentError, DtypeError, ShapeError
from tinyconv.kernels import softmax as kernels
from tinyconv.ops._checks import (
    check_float,
    check_int,
    check_number,
    check_same_device,
    check_same_dtype,
    check_tensor,
)
from tinyconv.ops._unseen import classes_or_nan, unseen
from tinyconv.ops.elementwise import where
from tinyconv.ops.loss_common import check_reduction, times
from tinyconv.ops.reduction import sum as sum_
from tinyconv.ops.shape import IndexScatter, permute, reshape
from tinyconv.ops.softmax import log_softmax, softmax
from tinyconv.recorder import computed, constant, looked_up, repeated
from tinyconv.tensor import Tensor


class SoftmaxNLL(Function):
    """loss_i = -log softmax(x_i)[t_i] for x (M, C) and classes t (M,); or the sum or mean of all.

    Elements with the class `ignored` count for nothing.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, target: Tensor, ignored: int, reduction: str) -> Any:
        ctx.save_for_backward(x, target)
        ctx.options = ignored, reduction
        return kernels.softmax_nll(x.array, target.array, ignored, reduction)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, target = ctx.saved_tensors
        return SoftmaxNLLBackward.apply(grad, x, target, *ctx.options), None, None, None


class SoftmaxNLLBackward(Function):
    """dL/dx_i = g_i (p_i - onehot(t_i)) with p = softmax(x); for the mean of m losses g_i = g / m.

    A gradient u of it reaches g_i as sum_c u_ic p_ic - u_i[t_i], and x_i as
    g_i p_i (u_i - sum_c u_ic p_ic).
    """

    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: Tensor, target: Tensor, ignored: int, reduction: str) -> Any:
        ctx.save_for_backward(grad, x, target)
        ctx.options = ignored, reduction
        return kernels.softmax_nll_backward(grad.array, x.array, target.array, ignored, reduction)

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> Any:
        grad, x, target = ctx.saved_tensors
        ignored, reduction = ctx.options
        labels = _labels(target)
        rows = array_module(labels).nonzero(labels != ignored)[0]
        p = softmax(x, 1)
        mean = sum_(outer * p, 1, keepdim=True)
        each = put_back(reshape(mean, (-1,))[rows] - outer[rows, labels[rows]], rows, labels.size)
        counted = Tensor((labels != ignored).astype(x.dtype))
        if reduction == "mean":
            counted = counted / max(rows.size, 1)
        to_grad = each if reduction == "none" else sum_(each * counted)
        return to_grad, p * (outer - mean) * reshape(grad * counted, (-1, 1)), None, None, None


def _labels(target: Tensor) -> Any:
    """The classes as a flat array of int64."""
    return target.array.reshape(-1).astype("int64", copy=False)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Negative log-likelihood of log-probabilities: -input[target].

    Parameters
    ----------
    input : Tensor
        Log-probabilities (`log_softmax` makes them), shape (C,), (N, C) or (N, C, *spatial).
    target : Tensor
        Class numbers (integers), shape (), (N,) or (N, *spatial). What is no class is told of as in
        `cross_entropy`.
    weight : Tensor, optional
        Shape (C,): a factor for each class; the mean is the weighted mean.
    ignore_index : int
        Elements with this target contribute nothing.
    size_average, reduce : None
        What `reduction` was called once; refused.
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> F.nll_loss(tc.tensor([[-0.5, -1.0], [-2.0, -0.25]]), tc.tensor([0, 1])).item()
    0.375
    """
    op = "nll_loss"
    classes = check_scores(op, input)
    check_reduction(op, reduction, size_average, reduce)
    check_class_weight(op, weight, classes, input)
    check_labels(op, input, target)
    each, total = _class_losses(op, classes_last(input), target, weight, ignore_index, 0.0)
    return _reduced(each, total, reduction, target.shape)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Categorical cross-entropy of logits: -log softmax(input)[target].

    Parameters
    ----------
    input : Tensor
        Logits, shape (C,), (N, C) or (N, C, *spatial).
    target : Tensor
        Class numbers (integers), shape (), (N,) or (N, *spatial); or probabilities, in the
        input's shape. On a GPU a number that is no class makes the loss and its gradients NaN; inside
        `autograd.detect_anomaly` it is an error, as on the CPU.
    weight : Tensor, optional
        Shape (C,): a factor for each class; the mean is the weighted mean.
    ignore_index : int
        Elements with this target contribute nothing.
    size_average, reduce : None
        What `reduction` was called once; refused.
    reduction : {"mean", "sum", "none"}
    label_smoothing : float
        Share of each target, from 0 to 1, that is spread over all classes.

    Examples
    --------
    >>> import tinyconv as tc
    >>> import tinyconv.nn.functional as F
    >>> round(F.cross_entropy(tc.zeros(3, 10), tc.tensor([0, 5, 9])).item(), 4)
    2.3026
    """
    op = "cross_entropy"
    classes = check_scores(op, input)
    check_reduction(op, reduction, size_average, reduce)
    if not 0 <= check_number(op, "label_smoothing", label_smoothing) <= 1:
        raise ArgumentError(op, "label_smoothing", label_smoothing, "a number from 0 to 1")
    check_class_weight(op, weight, classes, input)
    if check_tensor(op, "target", target).dtype.kind != "f":
        check_labels(op, input, target)
        if weight is None and not label_smoothing:
            ignored = check_ignored(op, ignore_index)
            if not unseen(target):
                _check_classes(op, target, classes, ignored)
            loss = SoftmaxNLL.apply(classes_last(input), target, ignore_index, reduction)
            return reshape(loss, target.shape) if reduction == "none" else loss
    log_p = classes_last(log_softmax(input, class_dim(input)))
    if target.dtype.kind != "f":
        each, total = _class_losses(op, log_p, target, weight, ignore_index, label_smoothing)
        return _reduced(each, total, reduction, target.shape)
    check_same_dtype(op, input=input, target=target)
    if target.shape != input.shape:
        raise ShapeError(op, "target", f"of shape {target.shape}", f"{input.shape}, the input's")
    probabilities = classes_last(target) * (1 - label_smoothing) + label_smoothing / classes
    each = -sum_(times(log_p * probabilities, weight), 1)
    total = _number(max(each.numel(), 1), input)
    return _reduced(each, total, reduction, labels_shape(input))


def class_dim(input: Tensor) -> int:
    """Where the classes are: dimension 1, or 0 where there is no batch."""
    return int(input.ndim > 1)


def labels_shape(input: Tensor) -> tuple[int, ...]:
    """The shape of the class numbers that belong to scores (C,), (N, C) or (N, C, *spatial)."""
    return (*input.shape[:1], *input.shape[2:]) if input.ndim > 1 else ()


def check_scores(op: str, input: Tensor) -> int:
    """The number of classes of `input`: floats of shape (C,), (N, C) or (N, C, *spatial)."""
    if check_float(op, "input", input).ndim == 0:
        raise ShapeError(op, "input", f"of shape {input.shape}", "(C,), (N, C) or (N, C, *spatial)")
    classes = input.shape[class_dim(input)]
    if classes == 0:
        raise ShapeError(op, "input", f"of shape {input.shape}", "at least one class")
    return classes


def check_class_weight(op: str, weight: Tensor | None, classes: int, input: Tensor) -> None:
    """`weight` is None or one number per class."""
    if weight is None:
        return
    if check_float(op, "weight", weight).shape != (classes,):
        raise ShapeError(op, "weight", f"of shape {weight.shape}", f"({classes},), one number per class")
    check_same_dtype(op, input=input, weight=weight)


def check_labels(op: str, input: Tensor, target: Tensor) -> None:
    """`target` holds integers, one per element of `input`."""
    check_same_device(op, input, target)
    if check_tensor(op, "target", target).dtype.kind not in "iu":
        expected = "integers (classes)" + (" or floats (probabilities)" if op == "cross_entropy" else "")
        raise DtypeError(op, "target", f"of dtype {target.dtype}", expected)
    if target.shape != labels_shape(input):
        raise ShapeError(
            op, "target", f"of shape {target.shape}", f"{labels_shape(input)} for input {input.shape}"
        )


@looked_up
def counted_labels(op: str, target: Tensor, classes: int, ignore_index: int) -> tuple[Any, Any]:
    """(rows, labels): the positions that are not ignored, and the class of each."""
    labels = _labels(target)
    check_label_range(op, labels, classes, check_ignored(op, ignore_index))
    counted = labels != ignore_index
    return array_module(labels).arange(labels.size)[counted], labels[counted]


def check_ignored(op: str, value: Any) -> int:
    """`value`, which must be an int that labels can hold."""
    return check_int(op, "ignore_index", value, -(2**63), 2**63 - 1)


@repeated
def _check_classes(op: str, target: Tensor, classes: int, ignored: int) -> None:
    check_label_range(op, _labels(target), classes, ignored)


def check_label_range(op: str, labels: Any, classes: int, ignored: int | None = None) -> None:
    """Every one of `labels`, an array of integers, is a class or is `ignored`."""
    if not array_module(labels).count_nonzero(labels.astype("uint64") >= classes):  # negative ones are huge
        return
    outside = labels[(labels < 0) | (labels >= classes)]
    wrong = outside if ignored is None else outside[outside != ignored]
    if wrong.size:
        raise ArgumentError(op, "target", f"{wrong[0]} somewhere", f"classes from 0 to {classes - 1}")


def checked_classes(op: str, target: Tensor, classes: int, like: Tensor) -> tuple[Any, Tensor | None]:
    """The classes, all of which are one; on a GPU 0 where a number is none, and 1, or NaN there."""
    if unseen(target):
        return classes_or_nan(target, classes, like)
    labels = target.array.astype("int64", copy=False)
    check_label_range(op, labels, classes)
    return labels, None


def classes_last(x: Tensor) -> Tensor:
    """(N, C, *spatial) to (N * spatial, C)."""
    if x.ndim > 2:
        x = permute(x, 0, *range(2, x.ndim), 1)
    elif x.ndim == 2:
        return x
    return reshape(x, (-1, x.shape[-1])) if x.numel() else reshape(x, (0, x.shape[-1]))


def _class_losses(
    op: str, log_p: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, label_smoothing: float
) -> tuple[Tensor, Tensor]:
    """The loss of each element, and the sum of the weights that a mean is divided by."""
    if unseen(target):
        ignored = check_ignored(op, ignore_index)
        return _class_losses_on_gpu(log_p, target, weight, ignored, label_smoothing)
    count, classes = log_p.shape
    rows, labels = counted_labels(op, target, classes, ignore_index)
    weights = _ones(labels.size, log_p) if weight is None else weight[labels]
    losses = -log_p[rows, labels] * weights * (1 - label_smoothing)
    if label_smoothing:
        losses = losses - sum_(times(log_p[rows], weight), 1) * (label_smoothing / classes)
    return put_back(losses, rows, count), sum_(weights)


def _class_losses_on_gpu(
    log_p: Tensor, target: Tensor, weight: Tensor | None, ignored: int, label_smoothing: float
) -> tuple[Tensor, Tensor]:
    """`_class_losses` of as many numbers whatever the labels are: nobody has to count on the GPU first."""
    rows, labels, counted, scale = places_on_gpu(log_p, target, ignored)
    weights = scale if weight is None else where(counted, weight[labels] * scale, 0.0)
    losses = -log_p[rows, labels] * weights * (1 - label_smoothing)
    if label_smoothing:
        losses = losses - sum_(times(log_p, weight), 1) * (label_smoothing / log_p.shape[1])
    return where(counted, losses, 0.0), sum_(weights)


@computed
def places_on_gpu(log_p: Tensor, target: Tensor, ignored: int) -> tuple[Any, Any, Tensor, Tensor]:
    """Of each element: its row, its class or 0, whether it counts, and 1, 0 if not, NaN if it is no class."""
    labels = _labels(target)
    count, classes = log_p.shape
    xp = array_module(labels)
    counted, is_class = labels != ignored, (labels >= 0) & (labels < classes)
    scale = xp.where(counted, xp.where(is_class, 1.0, xp.nan), 0.0).astype(log_p.dtype)
    return xp.arange(count), xp.where(counted & is_class, labels, 0), Tensor(counted), Tensor(scale)


@constant
def _ones(count: int, like: Tensor) -> Tensor:
    return Tensor(array_module(like.array).ones(count, like.dtype))


@constant
def _number(value: float, like: Tensor) -> Tensor:
    return Tensor(array_module(like.array).asarray(value, like.dtype))


def put_back(losses: Tensor, rows: Any, count: int) -> Tensor:
    """The losses at their rows among `count`; 0 where an element was ignored."""
    return losses if rows.size == count else IndexScatter.apply(losses, rows, (count,))


def _reduced(each: Tensor, total: Tensor, reduction: str, shape: tuple[int, ...]) -> Tensor:
    if reduction == "none":
        return reshape(each, shape)
    return sum_(each) / total if reduction == "mean" else sum_(each)
