"""
15. SegNet: the way back up
===========================

You make small maps large again in three ways, by a filter, by repeating, and by remembering places, and
train an encoder and a decoder that draw thin vessels.

Going down, a network throws away where things were. What does the way up need to know?
"""

# %%
# What we need
# ------------

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, data, metrics, models, nn, viz

QUICK = course.is_quick()  # TINYCONV_QUICK=1 only tries whether everything runs
STEPS, IMAGES, WIDTHS = (2, 6, (4, 4, 4)) if QUICK else (110, 40, (12, 16, 24))


def image_tensor(values):
    """A matrix (H, W) as a batch of one image with one channel: (1, 1, H, W)."""
    return tc.tensor(np.asarray(values, dtype=np.float64)[None, None])


def matrix(tensor):
    return tensor.numpy()[0, 0]


# %%
# Padding 2, stride 1
# -------------------
# Bernard's slide on oversampling has two numbers: "padding 2, stride 1". A 3x3 filter on a 2x2 image has
# no place to stand. With two rows of zeros around it there are 4x4 places: the image has become larger.

small = np.array([[1.0, 2], [3, 4]])
tent = np.array([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4
larger = matrix(F.conv2d(image_tensor(small), image_tensor(tent), padding=2))
print(larger)

assert larger.shape == (4, 4)

# %%
# There is a second way to say the same, and it is the one that computes no sums with zeros: each number
# of the image *paints* the filter, as strong as it is, and where strokes overlap they add. That is the
# transposed convolution, which you know as the gradient of the convolution (lesson 06). Painting turns
# the filter by half a turn, which a tent does not notice.

painted = np.zeros((4, 4))
for row, column in np.ndindex(2, 2):
    painted[row : row + 3, column : column + 3] += small[row, column] * tent
assert np.array_equal(painted, larger)
assert np.array_equal(painted, matrix(F.conv_transpose2d(image_tensor(small), image_tensor(tent))))

lopsided = np.array([[1.0, 0, 0], [0, 0, 0], [0, 0, 0]])
turned = lopsided[::-1, ::-1].copy()
assert np.array_equal(
    matrix(F.conv2d(image_tensor(small), image_tensor(lopsided), padding=2)),
    matrix(F.conv_transpose2d(image_tensor(small), image_tensor(turned))),
)

# %%
# Two more rows is little. With *stride 2* each number paints two pixels further, so the image becomes
# twice as large; in the first way of saying it, zeros are put between the numbers as well.

between = np.zeros((3, 3))
between[::2, ::2] = small
twice = matrix(F.conv_transpose2d(image_tensor(small), image_tensor(tent), stride=2))
assert np.array_equal(twice, matrix(F.conv2d(image_tensor(between), image_tensor(tent), padding=2)))

course.show(
    viz.matrix_figure(
        [small, larger, between, twice],
        ["small", "padding 2, stride 1", "zeros between", "and padding 2"],
    ),
    "15_oversampling.png",
)

# %%
# The filter here is fixed, and the result is smooth. In a network it is learned.
#
# Remember the places
# -------------------
# SegNet (Badrinarayanan, Kendall and Cipolla) does not learn to enlarge. When it pools, it notes *which*
# of the four pixels was the largest; on the way up it puts the number back to just this place, and zeros
# to the other three.

image = np.array([[135.0, 212, 189, 56], [164, 201, 204, 145], [30, 126, 189, 156], [36, 45, 38, 12]])
pooled, places = F.max_pool2d(image_tensor(image), 2, return_indices=True)
unpooled = matrix(F.max_unpool2d(pooled, places, 2))
print("places, counted row by row:", places.numpy()[0, 0].tolist())
print(unpooled)

assert matrix(pooled).tolist() == [[212, 204], [126, 189]]
assert unpooled[unpooled > 0].tolist() == [212, 204, 126, 189]
assert np.array_equal(unpooled, np.where(unpooled > 0, image, 0))  # each one where it was

# %%
# For any maps, not only for this one: what comes back lies exactly where the maxima were, and pooling it
# again gives the same numbers at the same places.

maps = tc.rand(2, 8, 16, 16)
kept, where = F.max_pool2d(maps, 2, return_indices=True)
back = F.max_unpool2d(kept, where, 2)
again, where_again = F.max_pool2d(back, 2, return_indices=True)
assert np.array_equal(kept.numpy(), again.numpy()) and np.array_equal(where.numpy(), where_again.numpy())
assert ((back == maps) | (back == 0)).all().item() and (back != 0).sum().item() == kept.numel()

# %%
# See the difference on an image of vessels. Pooled twice and then enlarged: by repeating, and by
# putting back.

vessels = [data.SyntheticVessels(IMAGES + 10, size=64)[index] for index in range(IMAGES + 10)]
picture = tc.tensor(vessels[1][0][None])
pooled, notes = picture, []
for _ in range(2):
    size = pooled.shape
    pooled, where = F.max_pool2d(pooled, 2, return_indices=True)
    notes.append((where, size))
repeated = F.interpolate(pooled, size=(64, 64), mode="nearest")
put_back = pooled
for where, size in reversed(notes):
    put_back = F.max_unpool2d(put_back, where, 2, output_size=size)

course.show(
    viz.titled_images(
        [tensor.numpy()[0] for tensor in (picture, repeated, put_back)],
        ["image, 64x64", "pooled to 16x16, repeated", "put back"],
        size=4.2,
    ),
    "15_up.png",
)

# %%
# Repeating makes squares. Putting back makes single bright points, but each one is where it was. To fill
# the gaps is what the convolutions of the decoder are for.
#
# An encoder and a decoder
# ------------------------
# SegNet's encoder are the 13 convolutions of VGG-16, its decoder the same in reverse order. Count them:
# each layer has 3x3 filters, biases, and a scale and a shift for the normalisation of each map; only
# the last layer, which gives the scores of 11 classes, is not normalised.


def layer(inputs, outputs, normalised=True):
    return outputs * inputs * 9 + outputs + (2 * outputs if normalised else 0)


down, channels = 0, 3
stages = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
for width, count in stages:
    for _ in range(count):
        down += layer(channels, width)
        channels = width
up = 0
for (width, count), after in zip(reversed(stages), (512, 256, 128, 64, 11), strict=True):
    up += (count - 1) * layer(width, width) + layer(width, after, normalised=after != 11)
print(f"down {down:,} + up {up:,} = {down + up:,}")

assert down + up == 29_449_355

# %%
# Here is the one that we shall train, with three stages. Dashed lines are the places:

little = models.create("segnet", in_channels=1, num_classes=2, widths=WIDTHS)
course.show(viz.plot_architecture(little, (1, 64, 64), "A little SegNet"), "15_segnet.png")

# %%
# A note of a place needs 2 bits: it is one of four. A network that copies the map itself, as others do,
# keeps four numbers of 32 bits there.

print(f"{4 * 32 // 2} times less memory between encoder and decoder")

# %%
# Does it help?
# -------------
# Two networks with the same weights at the start: a small SegNet, and the same one whose decoder repeats
# instead of putting back. They look for vessels, of which the finest are two pixels wide.


class Repeat(nn.Module):
    """Enlarges without looking at the places."""

    def forward(self, x, places, output_size):
        return F.interpolate(x, size=output_size[2:], mode="nearest")


images = np.stack([image for image, _ in vessels])
masks = np.stack([mask[0] for _, mask in vessels]).astype(int)


def fit(network):
    """The Dice of held-out images after each tenth step, and at last their probabilities."""
    optimizer, lot, curve = tc.optim.Adam(network.parameters(), lr=3e-3), np.random.default_rng(0), []
    for step in range(STEPS):
        network.train()
        batch = lot.choice(IMAGES, 6, replace=False)
        loss = F.cross_entropy(network(tc.tensor(images[batch])), tc.tensor(masks[batch]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % max(STEPS // 10, 1) == 0:
            network.eval()
            with tc.no_grad():
                answer = F.softmax(network(tc.tensor(images[IMAGES:])), 1).numpy()[:, 1]
            curve.append(metrics.count(answer, masks[IMAGES:]).dice)
    return curve, answer


curves, answers = {}, {}
for name in ("repeated", "put back"):
    tc.manual_seed(0)
    network = models.create("segnet", in_channels=1, num_classes=2, widths=WIDTHS)
    if name == "repeated":
        network.unpool = Repeat()
    curves[name], answers[name] = fit(network)
    print(f"{name}: Dice {curves[name][-1]:.3f} on held-out images")
assert QUICK or curves["put back"][-1] > curves["repeated"][-1] + 0.03

taken = np.arange(1, len(curves["repeated"]) + 1) * max(STEPS // 10, 1)
course.show(
    viz.plot_lines({"Vessels": curves}, taken, ("steps", "Dice, held out")),
    "15_training.png",
)
rows, titles = [], []
for index in range(3):
    rows += [images[IMAGES + index], masks[IMAGES + index][None].astype(float)]
    rows += [answer[index][None] for answer in answers.values()]
    titles += ["image", "truth", *answers] if index == 0 else [""] * 4
course.show(viz.titled_images(rows, titles, columns=4, size=3.0), "15_vessels.png")

# %%
# Both find where vessels are. The one that repeats paints them with a broad brush; the one that puts
# back draws. The information about *where* was there all the time. It only had to be kept.
#
# Try this
# --------
# 1. With a pencil: a 2x2 image, a 3x3 filter, stride 2. How large is the result of the transposed
#    convolution? How large with padding 1? And what is ``output_padding=1`` for?
# 2. Enlarge with a transposed convolution of stride 2 that is learned, in the place of ``Repeat``.
#    Where does it stand?
# 3. What becomes of the places if two of four pixels are equal? (Try an image that is black
#    everywhere.)
# 4. Average pooling has no places. How would you undo it?
# 5. Look for calcium (``mask[1]``), which is only a few pixels. Does either network find any?
#
# ``tinyconv/models/segnet.py`` is the network, ``tinyconv/ops/unpooling.py`` puts back, and
# ``tinyconv/ops/conv_transpose.py`` paints.
#
# Next: ``tinyconv learn 16``, which copies the whole map in the place of two bits.
