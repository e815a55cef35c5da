"""What the judge knows about exercise 10."""

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake, numeric_gradients
from tinyconv.kernels.reference import conv

OUTPUTS = ("the gradient of x", "the gradient of weight", "the gradient of bias")


def conv2d(x, weight, bias, stride, padding):
    """The reference of the forward computation, from the engine."""
    return conv.conv(x, weight, bias, (stride,) * 2, (padding,) * 2, (1, 1), 1)


def gradients(x, weight, grad, stride, padding):
    """The three gradients, by differences."""
    case = {"x": x, "weight": weight, "bias": np.zeros(len(weight)), "stride": stride, "padding": padding}
    return numeric_gradients(conv2d, case, ["x", "weight", "bias"], grad)


def draw(d):
    """Small arrays, as each element is looked at; windows that overlap and that do not."""
    kernel = (d.integer(1, 3), d.integer(1, 3))
    stride, padding = d.integer(1, 3), d.integer(0, 1)
    size = [max(1, k - 2 * padding) + d.integer(0, 2) for k in kernel]
    out = conv.output_size(size, kernel, (stride,) * 2, (padding,) * 2, (1, 1))
    count, channels, filters = d.batch(2), d.integer(1, 2), d.integer(1, 2)
    return {
        "x": d.array(count, channels, *size),
        "weight": d.array(filters, channels, *kernel),
        "grad": d.array(count, filters, *out),
        "stride": stride,
        "padding": padding,
    }


def of_x(x, weight, grad, stride, padding):
    """By the adjoint of the convolution in x."""
    return conv.conv_transpose(grad, weight, None, x.shape[2:], (stride,) * 2, (padding,) * 2, (1, 1), 1)


def of_weight(x, weight, grad, stride, padding):
    """By the adjoint of the convolution in the kernel."""
    return conv.conv_weight_grad(x, grad, weight.shape[2:], (stride,) * 2, (padding,) * 2, (1, 1), 1)


def exact(x, weight, grad, stride, padding):
    """The three gradients, by the engine."""
    case = x, weight, grad, stride, padding
    return of_x(*case), of_weight(*case), grad.sum((0, 2, 3))


def with_part(part, wrong):
    """The exact gradients, with one of them by another function."""

    def replaced(**case):
        parts = list(exact(**case))
        parts[part] = wrong(**case)
        return tuple(parts)

    return replaced


def assigned(x, weight, grad, stride, padding):
    """For x: each place overwrites what others have left in its window."""
    (kh, kw), p = weight.shape[2:], padding
    padded = np.zeros((*x.shape[:2], x.shape[2] + 2 * p, x.shape[3] + 2 * p))
    for n, c, i, j in np.ndindex(grad.shape):
        top, left = i * stride, j * stride
        padded[n, :, top : top + kh, left : left + kw] = grad[n, c, i, j] * weight[c]
    return padded[:, :, p : p + x.shape[2], p : p + x.shape[3]]


def padding_kept(x, weight, grad, stride, padding):
    """For x: the gradient of the padded x."""
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    return of_x(padded, weight, grad, stride, 0)


def of_last_image(x, weight, grad, stride, padding):
    """For the kernel: assigned in a loop over the images."""
    return of_weight(x[-1:], weight, grad[-1:], stride, padding)


def of_weight_one_side(x, weight, grad, stride, padding):
    """For the kernel: all zeros of the padding at the bottom and on the right."""
    padded = np.pad(x, ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding)))
    return of_weight(padded, weight, grad, stride, 0)


def not_moved(x, weight, grad, stride, padding):
    """All three, with place (i, j) beginning at (i, j)."""
    (kh, kw), p = weight.shape[2:], padding
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    grad_padded, grad_weight = np.zeros_like(padded), np.zeros_like(weight)
    for n, c, i, j in np.ndindex(grad.shape):
        grad_padded[n, :, i : i + kh, j : j + kw] += grad[n, c, i, j] * weight[c]
        grad_weight[c] += grad[n, c, i, j] * padded[n, :, i : i + kh, j : j + kw]
    return grad_padded[:, :, p : p + x.shape[2], p : p + x.shape[3]], grad_weight, grad.sum((0, 2, 3))


MISTAKES = (
    Mistake(
        "the three stand in another order: return grad_x, grad_weight, grad_bias",
        lambda **case: tuple(exact(**case)[part] for part in (1, 0, 2)),
    ),
    Mistake(
        "the gradient of x is right except where windows overlap, or where there are several output "
        "channels: accumulate (+=), do not assign",
        with_part(0, assigned),
    ),
    Mistake(
        "the kernel is turned around once too often in the gradient of x: each place adds the kernel as it "
        "is, and only where you convolve with the kernel does it have to be flipped",
        with_part(0, lambda weight, **case: of_x(weight=weight[:, :, ::-1, ::-1], **case)),
    ),
    Mistake(
        "the gradient of x still has the padding: cut off the rows and columns that the padding had added",
        with_part(0, padding_kept),
    ),
    Mistake(
        "the gradient of weight is that of the last image alone: add up over the images",
        with_part(1, of_last_image),
    ),
    Mistake(
        "the gradient of weight is a mean over the images: the loss may be one, a gradient adds up all uses",
        with_part(1, lambda x, **case: of_weight(x=x, **case) / len(x)),
    ),
    Mistake(
        "the gradient of weight has its channel axes swapped: the output channels come first, as in weight",
        with_part(1, lambda **case: of_weight(**case).swapaxes(0, 1)),
    ),
    Mistake(
        "the gradient of bias still has an axis for the images: the same bias is added in all of them, so "
        "sum over them too",
        with_part(2, lambda grad, **case: grad.sum((2, 3))),
    ),
    Mistake(
        "the gradient of bias is a mean: it is the sum over images and places",
        with_part(2, lambda grad, **case: grad.mean((0, 2, 3))),
    ),
    Mistake(
        "the gradient of weight is wrong with padding: its windows are those of the padded x, which has "
        "zeros on all four sides",
        with_part(1, of_weight_one_side),
    ),
    Mistake(
        "right for stride 1, but else place (i, j) has its window at i * stride and j * stride",
        not_moved,
    ),
)

ROW = {
    "x": np.array([1.0, 3, 2, 5])[None, None, None],
    "weight": np.array([2.0, -1])[None, None, None],
    "grad": np.array([1.0, 0, -2])[None, None, None],
    "stride": 1,
    "padding": 0,
}

SPEC = Exercise(
    function="conv2d_gradients",
    checks=[
        Check(
            "the gradients",
            draw=draw,
            expect=gradients,
            outputs=OUTPUTS,
            mistakes=MISTAKES,
            worked=[ROW],
            tolerance=1e-6,
            examples=30,
        )
    ],
)
