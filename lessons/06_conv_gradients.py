"""
06. Convolution backwards
=========================

You derive the three gradients of a convolution, by the weight, the input and the bias, on numbers
small enough for a pencil. On the way you meet transposed convolution, and see that it is nothing new.

Nothing here is more than the chain rule, and keeping count of who met whom.
"""

# %%
# What we need
# ------------

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, viz

np.set_printoptions(precision=4, suppress=True)


def image_tensor(values, **options):
    """A matrix (H, W) as a batch of one image with one channel: (1, 1, H, W)."""
    return tc.tensor(np.asarray(values, dtype=np.float64)[None, None], **options)


# %%
# Who met whom?
# -------------
# One dimension, four inputs, a filter of two, three results:
#
# .. math::
#    y_0 = w_0 x_0 + w_1 x_1 \qquad y_1 = w_0 x_1 + w_1 x_2 \qquad y_2 = w_0 x_2 + w_1 x_3
#
# From further on, backpropagation brings us the slope of the loss by each result; call them
# :math:`g_0, g_1, g_2`. For :math:`w_0`, look where it stands: beside :math:`x_0, x_1, x_2`. So
#
# .. math:: \frac{\partial L}{\partial w_0} = g_0 x_0 + g_1 x_1 + g_2 x_2 \qquad
#           \frac{\partial L}{\partial w_1} = g_0 x_1 + g_1 x_2 + g_2 x_3
#
# That is a convolution of x with g as the filter! **The gradient of the weights is the input, filtered
# with the gradient of the output.**

x, w, g = np.array([1.0, 3, 2, 5]), np.array([2.0, -1]), np.array([1.0, 0, -2])

y = np.array([w @ x[place : place + 2] for place in range(3)])
dw = np.array([g @ x[place : place + 3] for place in range(2)])
print("y    =", y)
print("dL/dw =", dw)

# %%
# For :math:`x_1`: it stands beside :math:`w_1` in :math:`y_0`, and beside :math:`w_0` in :math:`y_1`.
#
# .. math:: \frac{\partial L}{\partial x_1} = g_0 w_1 + g_1 w_0
#
# At the ends something is missing: :math:`x_0` has only :math:`g_0 w_0`. Put a zero at both ends of g,
# and it is a convolution again, with the filter *turned around*. Each result throws the
# whole filter back onto the window that it came from, scaled with its g:

dx = np.zeros(4)
for place in range(3):
    dx[place : place + 2] += g[place] * w
turned = np.array([w[::-1] @ np.concatenate([[0], g, [0]])[place : place + 2] for place in range(4)])
print("dL/dx =", dx)
print("with the filter turned around:", turned)

assert np.array_equal(dx, turned)

course.show(
    viz.matrix_figure(
        [x, w, y, g, dw, dx],
        ["x", "w", "y", "g: slope by y", "slope by w", "slope by x"],
    ),
    "06_one_dimension.png",
)

# %%
# And the bias? It is in every result, so it gets all the slopes: :math:`dL/db = g_0 + g_1 + g_2`.
#
# As a matrix
# -----------
# Filtering is a matrix product, y = A x, with the filter in each row, one place further to the right.
# Then the slope by x is :math:`A^T g`: the same matrix, lying on its side.

A = np.array([[2.0, -1, 0, 0], [0, 2, -1, 0], [0, 0, 2, -1]])

assert np.array_equal(A @ x, y) and np.array_equal(A.T @ g, dx)

course.show(viz.matrix_figure([A, A.T], ["A: from 4 to 3", "turned: 3 to 4"]), "06_matrix.png")

# %%
# That is why the way back is called *transposed convolution*. Some call it "deconvolution", but it
# does not undo anything: :math:`A^T A x` is not x.

print("A^T A x =", A.T @ A @ x, "but x =", x)

assert not np.allclose(A.T @ A @ x, x)

# %%
# A way to test it, without any derivative
# ----------------------------------------
# For every matrix, :math:`(A x) \cdot y = x \cdot (A^T y)`, whatever x and y are. So a convolution and
# its transposed one must pass this test with random numbers, for each stride and padding:
#
# .. math:: \langle \mathrm{conv}(x), y \rangle = \langle x, \mathrm{conv\_transpose}(y) \rangle
#
# One number on each side, and a mistake anywhere changes one of them.

tc.manual_seed(0)
print("stride padding   <conv(x), y>   <x, conv_transpose(y)>")
for stride, padding in ((1, 0), (1, 1), (2, 0), (2, 1), (3, 2)):
    weight = tc.randn(5, 3, 3, 3, dtype=tc.float64)
    x2 = tc.randn(2, 3, 9, 9, dtype=tc.float64)
    forward = F.conv2d(x2, weight, stride=stride, padding=padding)
    y2 = tc.randn(*forward.shape, dtype=tc.float64)
    left_over = (9 + 2 * padding - 3) % stride  # rows at the end that no window reached
    back = F.conv_transpose2d(y2, weight, stride=stride, padding=padding, output_padding=left_over)
    one_side, other_side = (forward * y2).sum().item(), (x2 * back).sum().item()
    print(f"  {stride}       {padding}      {one_side:12.6f}   {other_side:12.6f}")
    assert back.shape == x2.shape and abs(one_side - other_side) < 1e-9

# %%
# Two dimensions, the 6x6 example
# -------------------------------
# The image and the filter of lesson 04. As the loss, take the sum of the *pooled* map, so that we know
# g without any calculation: 1 where a maximum came from, 0 elsewhere. Four ones in a 4x4 map.

image = np.array(
    [
        [255, 220, 150, 200, 110, 100],
        [240, 50, 35, 45, 200, 130],
        [0, 20, 245, 250, 230, 120],
        [170, 180, 235, 145, 170, 255],
        [190, 185, 170, 165, 130, 120],
        [255, 255, 245, 190, 200, 175],
    ],
    dtype=float,
)
kernel = np.array([[-0.7, 0.2, 0.1], [0.3, 0.5, 0.4], [-0.2, -0.4, 0.2]])

x4, w4 = image_tensor(image, requires_grad=True), image_tensor(kernel, requires_grad=True)
b4 = tc.zeros(1, dtype=tc.float64, requires_grad=True)
feature_map = F.conv2d(x4, w4, b4)
feature_map.retain_grad()
loss = F.max_pool2d(F.relu(feature_map), 2).sum()
loss.backward()
g4 = feature_map.grad.numpy()[0, 0]
print(f"loss {loss.item()} = 104 + 224 + 217.5 + 52.5")
print(g4)

assert loss.item() == 598 and g4.sum() == 4

# %%
# Now the three gradients in loops: the forward loop, with the assignment turned around. Forward, nine
# products go into one sum. Backward, one slope goes out to nine places, and that is ``+=``.

dw4, dx4 = np.zeros((3, 3)), np.zeros((6, 6))
for r in range(4):
    for c in range(4):
        dw4 += g4[r, c] * image[r : r + 3, c : c + 3]
        dx4[r : r + 3, c : c + 3] += g4[r, c] * kernel
db4 = g4.sum()
print("slope by the filter:\n", dw4)
print("slope by the bias:", db4)

assert np.allclose(dw4, w4.grad.numpy()[0, 0])
assert np.allclose(dx4, x4.grad.numpy()[0, 0])
assert np.isclose(db4, b4.grad.item())

course.show(
    viz.matrix_figure([g4, dw4, dx4], ["slope by the map", "slope by the filter", "slope by the image"]),
    "06_gradients.png",
)

# %%
# The slope by the filter is the sum of the four windows in which the maxima were found. What the
# image shows there, the filter is told to become: *more of this*. The slope by the image shows
# four filters, where the map had its ones: in these places the image could please the filter more.
#
# The sharpest test
# -----------------
# Differences, for every element of all three, with a stride, padding, a dilated filter, and the channels in
# two groups of which each has filters of its own. If one index were wrong, this would say where.

shapes = (2, 4, 7, 7), (6, 2, 3, 3), (6,)
inputs = [tc.randn(*shape, dtype=tc.float64, requires_grad=True) for shape in shapes]
assert tc.gradcheck(lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1, dilation=2, groups=2), inputs)

# %%
# Why do three operations suffice for everything?
# -----------------------------------------------
# A second derivative is the derivative of a gradient; some methods need it, as the gradient
# penalty in ``tinyconv/models/wgan.py`` does. You might fear a zoo of new formulas. There is none:
#
# - the slope of ``conv`` by its input is a transposed convolution, by its weight the "filter the input
#   with g" of above;
# - the slopes of these two are again one of the three.
#
# They are a closed family, and so each of them is written once. Have a look at ``tinyconv/ops/conv.py``.

assert tc.autograd.gradgradcheck(lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1, groups=2), inputs)

# %%
# Larger images from smaller ones
# -------------------------------
# Transposed convolution is useful by itself. With stride 2 each number of a small image paints a whole
# filter, two pixels further each time, and the image becomes twice as large. With a filter of 2x2
# nothing overlaps; with 3x3 neighbours overlap, and add.

small = np.array([[1.0, 2], [3, 4]])
two = F.conv_transpose2d(image_tensor(small), image_tensor(np.ones((2, 2))), stride=2).numpy()[0, 0]
three = F.conv_transpose2d(image_tensor(small), image_tensor(np.ones((3, 3))), stride=2).numpy()[0, 0]
print(three)

assert np.array_equal(two, small.repeat(2, 0).repeat(2, 1))
assert three[2, 2] == 1 + 2 + 3 + 4

course.show(
    viz.matrix_figure([small, two, three], ["small", "2x2 filter, stride 2", "3x3 filter, stride 2"]),
    "06_transposed.png",
)

# %%
# The pattern on the right, brighter where the filters overlap, is the chess board that people find in
# images that networks have drawn.
#
# Try this
# --------
# 1. With a pencil: all slopes for x = (1, 2, 3), w = (1, -1), g = (1, 1).
# 2. Stride 2 in one dimension: write down A. What do its rows look like? And :math:`A^T`?
# 3. Make a mistake on purpose: ``=`` in the place of ``+=`` for dx4. Which elements are wrong? Why
#    these?
# 4. Which filter and which stride give an image twice as large without a chess board, and without gaps?
# 5. An image of 10x10, filter 3x3, stride 2: 4x4 results. So does one of 9x9. What is
#    ``output_padding`` for?
#
# The files: ``tinyconv/ops/conv.py``, the family of three; ``tinyconv/kernels/reference/conv.py``, their
# definitions with im2col and col2im; ``tests/kernels/test_conv.py``, how they are tested.
#
# Next: ``tinyconv learn 07``, the bend between two layers.
