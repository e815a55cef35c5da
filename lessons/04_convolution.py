"""
04. Convolution: a small filter that slides
===========================================

You compute a convolution by hand, in loops and with tinyconv, and get the same numbers three
times. Then you watch it move, and see what a filter sees in a microscope image.

The small examples can be checked with a pencil. Do it for one window at least: after that, nothing in a
convolutional network is magic any more.
"""

# %%
# What we need
# ------------
# ``F`` holds tinyconv's functions under PyTorch's names. ``viz`` draws, and ``course.show`` puts a figure
# into the folder ``figures`` and tells you where.

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, data, viz

np.set_printoptions(precision=4, suppress=True)


def image_tensor(values):
    """A matrix (H, W) as a batch of one image with one channel: (1, 1, H, W)."""
    return tc.tensor(np.asarray(values, dtype=np.float64)[None, None])


# %%
# In one dimension: a moving average
# ----------------------------------
# Seven numbers, and a filter of three. Put the filter on the numbers, multiply what lies on top of each
# other, add up, write the sum down, move the filter one place to the right. That is all. This filter has
# 1/3 three times, so each result is the mean of three neighbours: the signal becomes smoother.

signal = np.array([10, 50, 60, 10, 20, 30, 40], dtype=float)
mean_of_three = np.array([1 / 3, 1 / 3, 1 / 3])

smooth = []
for place in range(len(signal) - 3 + 1):
    window = signal[place : place + 3]
    smooth.append(sum(window * mean_of_three))
    print(f"{window} on the filter: {smooth[-1]:.4g}")

# %%
# Seven numbers gave five results: the filter fits into seven places only five times. To get
# seven, put a zero at both ends first. Now each result belongs to the number under the filter's
# middle, and the third one is the slide's: 50/3 + 60/3 + 10/3 = 40.

padded = np.concatenate([[0], signal, [0]])
same_length = [sum(padded[place : place + 3] * mean_of_three) for place in range(7)]
print(np.array(same_length))

assert np.isclose(same_length[2], 40)
assert np.allclose(same_length[1:-1], smooth)

# tinyconv's convolution takes images; a line is an image that is one pixel high.
y = F.conv2d(image_tensor([signal]), image_tensor([mean_of_three]), padding=(0, 1))
assert np.allclose(y.numpy()[0, 0, 0], same_length)

figure = viz.matrix_figure([signal, mean_of_three, same_length], ["signal", "filter", "moving average"])
course.show(figure, "04_one_dimension.png")

# %%
# In two dimensions: one window by hand
# -------------------------------------
# An image of 6x6 grey values, and a filter of 3x3 on its upper left corner. Nine products, one sum, and
# there is the first number of the *feature map*.

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

window = image[:3, :3]
for pixel, weight in zip(window.flat, kernel.flat, strict=True):
    print(f"{pixel:5.0f} x {weight:4.1f} = {pixel * weight:7.1f}")
first = (window * kernel).sum()
print(f"sum            = {first:7.1f}")

assert np.isclose(first, 32.5)

figure = viz.matrix_figure(
    [window, kernel, window * kernel], ["window", "filter", "products"], grey=[True, False, False]
)
course.show(figure, "04_first_window.png")

# %%
# All windows, in loops
# ---------------------
# The outer two loops say where the filter lies, the inner two go over its nine weights. In letters, with a
# number b that is added everywhere (the bias, 0 in this example)::
#
#     z[r, c] = b + sum over i, j of image[r + i, c + j] * kernel[i, j]

by_loops = np.zeros((4, 4))  # a filter of 3 fits into 6 pixels 6 - 3 + 1 = 4 times
for r in range(4):
    for c in range(4):
        for i in range(3):
            for j in range(3):
                by_loops[r, c] += image[r + i, c + j] * kernel[i, j]
print(by_loops)

# %%
# The same with tinyconv
# ----------------------
# It takes a *batch* of images with *channels*, (N, C, H, W), and filters (filters, C, height, width).

feature_map = F.conv2d(image_tensor(image), image_tensor(kernel)).numpy()[0, 0]
print(feature_map)

assert np.allclose(feature_map, by_loops)

# %%
# A look at the slide
# -------------------
# The slide prints these sixteen numbers too, but where we have a row, it has a column. Which one is right?
# Check a window in which the two disagree: row 0, column 2. (Some languages fill a matrix column by column;
# it happens to the best. So test your own code with an image that is *not* symmetric.)

on_the_slide = np.array(
    [[32.5, -105.5, 185.5, 54], [-105.5, 104, 217.5, 31], [-44, 224, 38.5, -18], [-60.5, 213.5, 52.5, 37.5]]
)
by_hand = (image[0:3, 2:5] * kernel).sum()
print(f"row 0, column 2: by hand {by_hand:.1f}, ours {by_loops[0, 2]:.1f}, slide {on_the_slide[0, 2]:.1f}")

assert np.isclose(by_hand, -44)
assert np.allclose(by_loops, on_the_slide.T)  # .T exchanges rows and columns

# %%
# ReLU: keep what speaks for the pattern
# --------------------------------------
# A window that looks like the filter gives a large sum; one that looks like its negative a negative sum.
# ReLU, max(0, z), keeps the first and drops the second. Without such a bend between them, two convolutions
# in a row would be no more than one larger convolution.

after_relu = F.relu(image_tensor(feature_map)).numpy()[0, 0]
print(after_relu)

assert np.allclose(after_relu, np.maximum(on_the_slide.T, 0))

# %%
# Max pooling: the strongest answer in each 2x2 square
# ----------------------------------------------------
# Half the height and half the width. *Where* exactly the pattern was is forgotten, *that* it was there is
# kept.

pooled = F.max_pool2d(image_tensor(after_relu), 2).numpy()[0, 0]
print(pooled)

assert np.array_equal(np.round(pooled, 9), np.array([[104, 217.5], [224, 52.5]]).T)

figure = viz.matrix_figure(
    [image, kernel, feature_map, after_relu, pooled],
    ["input", "filter", "feature map", "ReLU", "max pool 2×2"],
    grey=[True, False, False, False, False],
)
course.show(figure, "04_feature_map.png")

# %%
# Two for the pencil, from Bernard's slides and Stanford's CS231n. Cover the output and find the numbers.

bernard = [[135, 212, 189, 56], [164, 201, 204, 145], [30, 126, 189, 156], [36, 45, 38, 12]]
stanford = [[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]]
for example, answer in ((bernard, [[212, 204], [126, 189]]), (stanford, [[6, 8], [3, 4]])):
    result = F.max_pool2d(image_tensor(example), 2).numpy()[0, 0]
    print(np.array(example), "->", result.tolist(), "\n")
    assert result.tolist() == answer

# %%
# Now watch it
# ------------
# Open this file in a browser: it needs no network. Step through it with the buttons or the arrow keys, and
# before each step say which number comes next. (Call it ``.gif`` and it is one, for slides of your own.)

animation = viz.convolution_animation(image, kernel, then=("relu", "max_pool"))
course.show(animation, "04_animation.html")

# %%
# Zeros around the image
# ----------------------
# A 3x3 filter shrinks 6x6 to 4x4, and a few more leave nothing. So one often puts a frame of zeros around
# the image first: ``padding=1``. Along one axis, with a filter of k, padding p and steps of s (*stride*)::
#
#     out = (n + 2 p - k) // s + 1

with_frame = F.conv2d(image_tensor(image), image_tensor(kernel), padding=1).numpy()[0, 0]
print(with_frame)

assert with_frame.shape == (6, 6)
assert np.allclose(with_frame[1:-1, 1:-1], by_loops)  # inside nothing has changed
assert F.conv2d(tc.zeros(1, 1, 224, 224), tc.zeros(1, 1, 7, 7), padding=3, stride=2).shape[2] == 112

# %%
# A filter can have gaps, too. With ``dilation=2`` its weights lie on every second pixel: nine weights as
# before, but they reach over 5x5 pixels. In the formula d (k - 1) + 1 stands for k then.

every_second = F.conv2d(image_tensor(image), image_tensor(kernel), dilation=2).numpy()[0, 0]
print(every_second)

assert every_second.shape == (2, 2)  # 6 - 5 + 1
assert np.isclose(every_second[0, 0], (image[:5:2, :5:2] * kernel).sum())

# %%
# The frame has its price: at the border the filter sees black that is not in the image. Blur an image that
# is 9 everywhere, and the border comes out darker. From this a network can learn where the border is.

even = np.full((5, 5), 9.0)
blurred = F.conv2d(image_tensor(even), image_tensor(np.full((3, 3), 1 / 9)), padding=1).numpy()[0, 0]
print(blurred)

assert np.isclose(blurred[2, 2], 9) and np.isclose(blurred[0, 2], 6) and np.isclose(blurred[0, 0], 4)

figure = viz.matrix_figure([even, blurred], ["an even image", "blurred, with zero padding"], grey=True)
course.show(figure, "04_padding.png")

# %%
# A neuron with a small window
# ----------------------------
# The perceptron computes y = g(b + sum of w_i x_i) with one weight for every pixel (lesson 03). The
# convolution neuron computes y = g(b + sum of K_i X_i): the same formula, but X is only the window, and
# the same few weights serve at every place. Take one window out of an image, and give it to a perceptron
# that has the filter's 27 weights:

convolution_neuron = tc.nn.Conv2d(in_channels=3, out_channels=1, kernel_size=3)
assert sum(p.numel() for p in convolution_neuron.parameters()) == 28

picture = tc.rand(1, 3, 256, 256)
answers = convolution_neuron(picture)
window = picture[:, :, 100:103, 50:53].flatten(1)
one_answer = F.linear(window, convolution_neuron.weight.flatten(1), convolution_neuron.bias)
print(f"from the perceptron {one_answer.item():.6f}, in the feature map {answers[0, 0, 100, 50].item():.6f}")

assert abs(one_answer.item() - answers[0, 0, 100, 50].item()) < 1e-5

# %%
# As the weights are shared, a pattern is found wherever it is. Move the image two pixels to the right, and
# the feature map moves two pixels to the right. No perceptron can promise that.

moved = np.zeros_like(image)
moved[:, 2:] = image[:, :-2]
map_of_moved = F.conv2d(image_tensor(moved), image_tensor(kernel)).numpy()[0, 0]

assert np.allclose(map_of_moved[:, 2:], feature_map[:, :-2])

# %%
# What a filter sees
# ------------------
# Cell nuclei under a (simulated) fluorescence microscope, and five filters that people designed
# long before networks learned theirs. A filter whose weights add up to zero answers nothing where
# the image is even, however bright it is. It answers *change*: the edges. In the figure orange is above
# zero, blue below, white is zero: "left to right" is orange where it becomes brighter, on the left rim of
# each nucleus, and blue on the right rim.

nuclei, _ = data.SyntheticNuclei(count=4, size=128, seed=3)[3]
nuclei = data.normalize(nuclei)[0]

filters = {
    "blur": np.full((3, 3), 1 / 9),
    "left to right": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "top to bottom": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "diagonal": [[-2, -1, 0], [-1, 0, 1], [0, 1, 2]],
    "all around": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
}
weights = tc.tensor(np.array(list(filters.values()), dtype=np.float64)[:, None])  # (5, 1, 3, 3)
maps = F.conv2d(image_tensor(nuclei), weights, padding=1).numpy()[0]
print("five filters, five channels:", maps.shape)

flat = F.conv2d(tc.full((1, 1, 5, 5), 200.0, dtype=tc.float64), weights)
print("answers where all is 200:   ", flat.numpy()[0, :, 1, 1])
assert np.allclose(flat.numpy()[0, :, 1, 1], [200, 0, 0, 0, 0])

figure = viz.feature_map_grid(
    maps, titles=list(filters), image=nuclei, columns=3, shared_scale=False, size=3.6
)
course.show(figure, "04_what_a_filter_sees.png")

# %%
# Nobody has to design the filter
# -------------------------------
# Here is the idea that the rest of the course is built on. Filter an image with "left to right", hide the
# filter, and keep only the image and the feature map. Then start with nine random weights, and let the
# computer change them, a little at a time, so that the map fits better. In which direction, it knows from
# ``loss.backward()``. The image is noise, because noise has a bit of every pattern in it.

tc.manual_seed(0)
x = tc.randn(1, 1, 32, 32, dtype=tc.float64)
wanted = F.conv2d(x, weights[1:2], padding=1)
learned = tc.randn(1, 1, 3, 3, dtype=tc.float64, requires_grad=True)
optimizer = tc.optim.Adam([learned], lr=0.1)
for step in range(201):
    loss = F.mse_loss(F.conv2d(x, learned, padding=1), wanted)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(f"step {step:3}: loss {loss.item():.6f}")
learned = learned.detach().numpy()[0, 0]
print(learned)

assert np.abs(learned - filters["left to right"]).max() < 0.01

# %%
# Try this
# --------
# 1. Which filter moves an image one pixel to the left? Write it down, then test it.
# 2. Turn the image of the 6x6 example upside down (``image[::-1]``). Does the feature map turn
#    upside down too? Why not? Which filter would make it so?
# 3. Put pooling before ReLU instead of after it. Compare, and explain. Which order is less work?
# 4. Convolve with the blur ten times in a row. How large is the one filter that does it at once?
# 5. Learn the filter from the nuclei instead of from noise. The loss falls as before, but look at the
#    weights. What is it about that image? (Compare a pixel with its neighbours.)
#
# The files: ``tinyconv/kernels/reference/conv.py``, the definition, with windows as columns of a matrix;
# ``tinyconv/kernels/cpu/conv.py``, the same function at the speed of the machine; ``tinyconv/ops/conv.py``,
# which adds the way back, the gradients. Each can be read in a few minutes.
#
# Next: ``tinyconv learn 05``, how computers really do it.
