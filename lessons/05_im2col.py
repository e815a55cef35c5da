"""
05. Convolution as a matrix product
===================================

You copy windows into columns, so that a convolution becomes one matrix product, see what that
costs in memory, and how one gets the speed without it. All ways give the same numbers.

Four nested loops are easy to understand and slow to wait for. Matrix products have been made fast for
sixty years. So the first idea is to turn the one into the other.
"""

# %%
# What we need
# ------------
# ``thread_count`` processors may work at the same time; some ways below use all of them.

import time

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, viz

QUICK = course.is_quick()  # TINYCONV_QUICK=1 only tries whether everything runs
SIZE, CHANNELS, SECONDS = (8, 4, 0.0) if QUICK else (64, 64, 0.5)

np.set_printoptions(precision=4, suppress=True, linewidth=110)
thread_count = tc.get_num_threads()

# %%
# Windows into columns
# --------------------
# An image of 4x4 numbers and a filter of 3x3. The filter has four places. Write down the nine numbers that it
# sees at each place, one below the other: four columns of nine.

image = np.arange(1, 17, dtype=float).reshape(4, 4)
kernel = np.array([[1, 0, 0], [0, 2, 0], [0, 0, -1]], dtype=float)

columns = np.stack([image[r : r + 3, c : c + 3].ravel() for r in range(2) for c in range(2)], axis=1)
print(columns)

course.show(
    viz.matrix_figure(
        [image, columns, kernel.reshape(1, 9)], ["image", "its four windows, as columns", "filter, as a row"]
    ),
    "05_columns.png",
)

# %%
# Now the sum over a window is a row times a column, and all of it is one matrix product: (1, 9)
# times (9, 4). Sixteen filters would be sixteen rows. With C channels, each column is 9 C long.

product = kernel.reshape(1, 9) @ columns
as_image = product.reshape(2, 2)
print(as_image)

batch, filters = tc.tensor(image[None, None]), tc.tensor(kernel[None, None])  # (1, 1, 4, 4), (1, 1, 3, 3)
assert as_image.tolist() == [[2, 4], [10, 12]]
assert np.array_equal(as_image, F.conv2d(batch, filters).numpy()[0, 0])
assert np.array_equal(columns, F.unfold(batch, 3).numpy()[0])

# %%
# This copying is called *im2col*. In PyTorch and in tinyconv it is ``unfold``.
#
# The way back
# ------------
# Fold the columns back: put every number where it came from, and *add* where windows overlap. What comes
# out is not the image. A pixel in the middle lies in four windows, one in the corner lies in one.

folded = np.zeros((4, 4))
for place, column in enumerate(columns.T):
    r, c = divmod(place, 2)
    folded[r : r + 3, c : c + 3] += column.reshape(3, 3)
times = folded / image
print(times)

assert np.array_equal(times, [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]])
assert np.array_equal(folded, F.fold(tc.tensor(columns[None]), (4, 4), 3).numpy()[0, 0])

course.show(
    viz.matrix_figure([image, folded, times], ["image", "folded back", "windows that see a pixel"]),
    "05_folded.png",
)

# %%
# Adding is right, and the next lesson needs it: if a pixel was seen by four windows, it has a
# part in four results, and gets the blame for all four. *col2im* is the way back of *im2col*.
#
# What it costs
# -------------
# Each pixel is copied into up to nine columns. The image becomes nine times as large, for a layer that
# only reads it. Take a layer for four images of 256x256 pixels with 16 channels, as on the slides.

pixels = 4 * 16 * 256 * 256
print(f"image:   {pixels * 4 / 2**20:5.0f} MiB")
print(f"columns: {pixels * 9 * 4 / 2**20:5.0f} MiB")

x = tc.randn(1, 16, 32, 32)
assert F.unfold(x, 3, padding=1).numel() == 9 * x.numel()

# %%
# 144 MiB do not fit into any cache. The processor waits for memory, writes the columns,
# and waits again to read them.
#
# Without the copy
# ----------------
# What if the matrix product just *looked* at the windows where they lie? Order the image in memory with
# the channels last, (N, H, W, C). Then one row of a window, three pixels with all their channels, is one
# stretch of memory. All that is needed is a list of places where rows of windows begin; nothing is
# copied. For a tile of the result, some pixels times some filters, the processor keeps all sums in its
# registers, goes through the window's rows, multiplies, adds, and writes each sum once. This is what
# ``tc.conv_algorithm("direct")`` does.
#
# Fewer multiplications
# ---------------------
# Can one even *calculate* less? Two neighbouring results of a filter with three weights, in one
# dimension, share inputs:
#
# .. math::
#    y_0 = d_0 g_0 + d_1 g_1 + d_2 g_2 \qquad
#    y_1 = d_1 g_0 + d_2 g_1 + d_3 g_2
#
# Six multiplications. Shmuel Winograd found in 1980 that four are enough:
#
# .. math::
#    m_1 &= (d_0 - d_2) \, g_0 \qquad & m_2 &= (d_1 + d_2) \, (g_0 + g_1 + g_2) / 2 \\
#    m_4 &= (d_1 - d_3) \, g_2 \qquad & m_3 &= (d_2 - d_1) \, (g_0 - g_1 + g_2) / 2
#
# .. math:: y_0 = m_1 + m_2 + m_3 \qquad y_1 = m_2 - m_3 - m_4

d, g = np.array([10.0, 50, 60, 10]), np.array([1.0, 2, 3])
m1, m2 = (d[0] - d[2]) * g[0], (d[1] + d[2]) * (g[0] + g[1] + g[2]) / 2
m3, m4 = (d[2] - d[1]) * (g[0] - g[1] + g[2]) / 2, (d[1] - d[3]) * g[2]
print("four multiplications:", m1 + m2 + m3, m2 - m3 - m4)
print("six multiplications: ", d[:3] @ g, d[1:] @ g)

assert (m1 + m2 + m3, m2 - m3 - m4) == (d[:3] @ g, d[1:] @ g)

# %%
# The sums of the g are made once for all windows, so they cost nothing. In two dimensions, a tile of 4x4
# results with a 3x3 filter needs 36 multiplications in the place of 144. The sums of the d are
# additional work, though, and each subtraction of large numbers costs a digit. So one does it
# for layers with many channels, where a sum of d serves many filters.
#
# All ways, side by side
# ----------------------
# One layer, 3x3, from 64 to 64 channels. First the honest check: do they all compute the same? The
# standard is float64. The loops, in Python, get a corner of the image, or we would wait for minutes.


def loops(x, weight):
    """The definition, for x (N, C, H, W) that is padded already."""
    filters = weight.shape[0]
    batch, channels, height, width = x.shape
    y = np.zeros((batch, filters, height - 2, width - 2), x.dtype)
    for n in range(batch):
        for k in range(filters):
            for r in range(height - 2):
                for c in range(width - 2):
                    for channel in range(channels):
                        for i in range(3):
                            for j in range(3):
                                y[n, k, r, c] += x[n, channel, r + i, c + j] * weight[k, channel, i, j]
    return y


def by_loops(x, weight):
    return loops(np.pad(x.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1))), weight.numpy())


def by_im2col(x, weight):
    columns = F.unfold(x, 3, padding=1).numpy()
    return (weight.numpy().reshape(len(weight), -1) @ columns).reshape(len(x), -1, *x.shape[2:])


def by(algorithm):
    def convolve(x, weight):
        with tc.conv_algorithm(algorithm):
            return F.conv2d(x, weight, padding=1).numpy()

    return convolve


tc.manual_seed(0)
weight = tc.randn(CHANNELS, CHANNELS, 3, 3)
x = tc.randn(1, CHANNELS, SIZE, SIZE).contiguous(memory_format=tc.channels_last)
corner_x, corner_weight = tc.randn(1, 4, 6, 6), tc.randn(4, 4, 3, 3)
ways = {
    "loops in Python": by_loops,
    "im2col and NumPy": by_im2col,
    "direct": by("direct"),
    "Winograd": by("winograd"),
}


def best_seconds(way, *arguments):
    """The fastest of several runs: whatever disturbs a run can only make it slower."""
    seconds, start = [], time.perf_counter()
    while len(seconds) < 3 or time.perf_counter() - start < SECONDS:
        begin = time.perf_counter()
        way(*arguments)
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


speeds = []
for name, way in ways.items():
    inputs = (corner_x, corner_weight) if way is by_loops else (x, weight)
    right = F.conv2d(inputs[0].double(), inputs[1].double(), padding=1).numpy()
    error = np.abs(way(*inputs) - right).max() / np.abs(right).max()
    operations = 2 * inputs[0].numel() * inputs[1].shape[0] * 9
    speeds.append(operations / best_seconds(way, *inputs) / 1e9)
    print(f"{name:18} {speeds[-1]:10.4f} GFLOP/s, wrong by {error:.0e} of the largest result")
    assert error < 3e-5

course.show(
    viz.plot_speeds(list(ways), speeds, title=f"3x3, {CHANNELS} channels, {thread_count} threads"),
    "05_speeds.png",
)

# %%
# The axis is logarithmic: each line is ten times the one before. GFLOP/s are billions of
# multiplications and additions per second *of the definition*. Winograd does fewer than that, so it
# may even pass what the processor can do. And it is the least exact one, by a digit: that is
# its price.
#
# Without the Numba package tinyconv has no kernels of its own for the CPU. Then the last two bars are as
# long as the second.
#
# Try this
# --------
# 1. Draw the columns of a 5x5 image for stride 2. Which pixels are now copied only once?
# 2. A filter of 1x1: what are the columns? Why do engines like such layers?
# 3. Count the multiplications of Winograd's F(2, 3) in two dimensions: a tile has 2x2 results. (16 or 36?)
# 4. Let the image be 256x256 with 16 channels. Which way wins now?
# 5. ``tc.set_num_threads(1)``: who becomes slower, and by how much?
#
# The files: ``tinyconv/kernels/reference/conv.py`` is im2col; ``tinyconv/kernels/cpu/microkernel.py`` the
# tile of sums in registers; ``tinyconv/kernels/cpu/_winograd_transform.py`` the formula above, for 6x6
# tiles. ``docs/fast-convolution.md`` goes from the loops to the peak of the machine in seven steps.
#
# Next: ``tinyconv learn 06``, the same thing backwards.
