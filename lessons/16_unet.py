"""
16. U-Net: where and what
=========================

You build the network of the slides layer by layer, count its 1,941,105 parameters, and train it to find
cell nuclei in microscope images. Then you hold it against a method of 1979 that needs no training at all,
and are honest about who wins.

The task is *segmentation*: an image goes in, and for every pixel a probability comes out, that this pixel
belongs to a nucleus.
"""

# %%
# What we need
# ------------
# On two processors the training below takes less than a minute. Change ``STEPS`` and see.

import time

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, data, models, train, viz

QUICK = course.is_quick()  # TINYCONV_QUICK=1 only tries whether everything runs
SIZE, IMAGES, STEPS, BATCH = (32, 12, 4, 2) if QUICK else (96, 100, 250, 4)

tc.manual_seed(0)

# %%
# The data
# --------
# Nuclei glow, because a dye binds to their DNA. Real images come at the end; these are made by the
# program, so that the lesson needs no download, and so that the truth is known to the pixel. One
# image in five is held out: the network never trains on it.

nuclei = list(data.SyntheticNuclei(IMAGES, size=SIZE))  # draw each image once
training_images, held_out_images = data.split(nuclei, held_out=0.2)
image, mask = nuclei[0]
covered = np.mean([mask.mean() for _, mask in nuclei])
print(f"image {image.shape}, mask {mask.shape}; nuclei cover {covered:.1%} of the pixels")
print(len(training_images), "images to train on,", len(held_out_images), "held out")

# %%
# What, and where
# ---------------
# Is a grey pixel part of a nucleus, or of the haze around one? You cannot tell from 3x3 pixels.
# A network has to look from farther away: convolution, pooling, convolution, pooling. Each pooling
# doubles the step from one place of the map to the next, and so the stretch of image that a place
# *sees*, its receptive field, grows quickly:

sees, step = 1, 1
for level in range(5):
    if level > 0:
        sees, step = sees + step, step * 2  # 2x2 pooling
    for _ in range(2):
        sees = sees + 2 * step  # 3x3 convolution
    print(f"level {level}: one place for every {step:2} pixels, sees {sees:3} pixels")

assert (sees, step) == (140, 16)

# %%
# So much for *what*. But the deepest map has one number for 16x16 pixels, and nobody can draw a nucleus
# with such a brush (lesson 14). The answer of Ronneberger, Fischer and Brox, 2015: go down to learn
# *what* there is, come up again, and on the way up lay the sharp maps from the way down beside the
# others, because they still know *where*:

model = models.create("unet_slides")
course.show(viz.plot_architecture(model, (3, 256, 256), "The U-Net of the slides"), "16_u.png")

# %%
# The numbers are maps, those below them the size of the image. The left arm is the *encoder*, the right
# arm the *decoder*; the green boxes hold what came across.
#
# Copy and concatenate
# --------------------
# The joint of the U in four lines. A transposed convolution makes the deep map twice as high and
# wide; the copy is laid beside it, channel after channel; an ordinary convolution then decides for
# itself whom to trust where.

deep = tc.rand(1, 256, 6, 6)
copy = tc.rand(1, 128, 12, 12)
up = tc.nn.ConvTranspose2d(256, 128, kernel_size=2, stride=2)(deep)
joined = tc.cat([up, copy], dim=1)
print(deep.shape, "-- up -->", up.shape, "-- with the copy -->", joined.shape)

assert joined.shape == (1, 256, 12, 12)
assert np.array_equal(joined.detach().numpy()[:, 128:], copy.numpy())  # a copy, nothing else

# %%
# The whole network
# -----------------
# ``forward`` in ``tinyconv/models/unet.py`` has ten lines. Where are the parameters?

for name, part in model.named_children():
    for index, block in enumerate(part.children()):
        count = sum(p.numel() for p in block.parameters())
        if count:
            print(f"{name}[{index}]{count:12,}")
print(f"head      {sum(p.numel() for p in model.head.parameters()):12,}")
total = sum(p.numel() for p in model.parameters())
print(f"all together{total:10,}")

assert total == 1_941_105  # the slide's number

# %%
# You can do this by hand: a filter has 3 x 3 weights for every channel that comes in, and one bias. Mind
# the layers after a copy: twice the channels come in. Here is the whole sum, without the network:

widths = (16, 32, 64, 128, 256)


def conv_parameters(channels_in, channels_out, k):
    return (k * k * channels_in + 1) * channels_out


by_hand = 0
for before, width in zip((3, *widths), widths, strict=False):  # down
    by_hand += conv_parameters(before, width, 3) + conv_parameters(width, width, 3)
for width in widths[-2::-1]:  # up: the transposed convolution, then the two convolutions
    by_hand += conv_parameters(2 * width, width, 2)
    by_hand += conv_parameters(2 * width, width, 3) + conv_parameters(width, width, 3)
by_hand += conv_parameters(16, 1, 1)  # the last one makes one channel of sixteen
print(f"{by_hand:,}")

assert by_hand == 1_941_105

# %%
# The original of 2015 was larger (31 million) and did not pad: each 3x3 layer takes a pixel off on all
# sides, so that only those pixels get an answer whose surroundings have been seen. The copies have to be
# cropped, and of 572x572 pixels the middle 388x388 remain:

side, blocks = 572, []
for level in range(5):
    side = side - 4 if level == 0 else side // 2 - 4
    blocks.append(side)
for copy_side in reversed(blocks[:-1]):
    side = 2 * side
    print(f"copy {copy_side} cropped to {side}")
    side -= 4
print("out:", side)

assert side == 388

# %%
# Dice, by hand
# -------------
# How good is a mask? Counting right pixels misleads: if nuclei cover 5 % of the image, an empty mask
# is right for 95 % of the pixels. Dice asks how large the overlap is, compared with the two areas:
# 2 x overlap / (area of the one + area of the other). Count with your finger first.

truth = np.array([[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
found = np.array([[0, 0, 1, 1], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
overlap, area_truth, area_found = (truth & found).sum(), truth.sum(), found.sum()
print(f"overlap {overlap}, areas {area_truth} and {area_found}:")
print(f"Dice = 2 * {overlap} / ({area_truth} + {area_found}) = {2 * overlap / (area_truth + area_found):.3f}")
print(f"right pixels: {(truth == found).mean():.1%}, of an empty mask: {(truth == 0).mean():.1%}")

assert (overlap, area_truth, area_found) == (3, 4, 5)
assert np.isclose(train.dice(found[None], truth[None])[0], 6 / 9)

course.show(
    viz.matrix_figure([truth, found, truth & found], ["truth", "found", "overlap"], grey=True),
    "16_dice_by_hand.png",
)

# %%
# What to descend on
# ------------------
# Training needs a number that changes smoothly. Two are used together:
#
# - *binary cross-entropy* (BCE) judges every pixel by itself: -log of the probability that was
#   given to the truth. Its gradient is good from the first step on.
# - *Dice loss* is 1 - Dice, with probabilities instead of a mask. It judges the overlap: how much
#   background there is does not matter to it.
#
# See why one of them is not enough. A nucleus of 4 pixels, in a larger and larger image, and a
# network that answers "probability 0.1" everywhere:

for size in (4, 16, 64):
    tiny = np.zeros((1, 1, size, size), dtype=np.float32)
    tiny[..., :2, :2] = 1
    nothing_found = tc.full((1, 1, size, size), 0.1)
    bce = F.binary_cross_entropy(nothing_found, tc.tensor(tiny)).item()
    dice = F.dice_loss(nothing_found, tc.tensor(tiny)).item()
    print(f"{size:2}x{size:<2}: BCE {bce:.3f}, Dice loss {dice:.3f}")

assert bce < 0.11 and dice > 0.98

# %%
# BCE is content, although nothing was found; the Dice loss is not. With their sum, the network gets
# a good start from the one and is kept honest by the other.


def loss_of(probability, mask):
    """Both arguments (N, 1, H, W)."""
    return F.binary_cross_entropy(probability, mask) + F.dice_loss(probability, mask)


# %%
# An uneven lamp
# --------------
# Made images are too clean. In many real ones the light falls off to one side. We add such a slope
# of light to each image, in a random direction and of random strength, each time it is shown. A
# network must get the variety in training that it will meet later.


def uneven_light(image, mask, rng):
    """Add light that grows from one side to the other, from 0 up to 1 at most."""
    down, across = np.mgrid[-1 : 1 : image.shape[1] * 1j, -1 : 1 : image.shape[2] * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * down + np.sin(angle) * across
    slope = (slope - slope.min()) / (slope.max() - slope.min())
    return (image + rng.uniform(0, 1) * slope).astype(np.float32), mask


steps_to_sample = [data.Normalize(), data.RandomFlip(), data.RandomRotate90(), uneven_light]
samples = data.SegmentationData(training_images, data.Compose(steps_to_sample))
loader = data.DataLoader(samples, batch_size=BATCH, shuffle=True)

# %%
# Training
# --------
# A few lines do the work, for any network: predict, measure, go back, step. All else keeps the
# books. The learning rate rises during the first 5 % of the steps, while the optimiser knows little
# about the gradients, and then falls slowly, so that training settles. (The ``tinyconv`` command has
# the same loop with checkpoints and a progress bar: ``tinyconv/train/trainer.py``.)

optimizer = tc.optim.Adam(model.parameters())
history, epoch, began = [], 0, time.perf_counter()
while len(history) < STEPS:
    for image, mask in loader.iterate(epoch):
        probability = model(image)
        loss = loss_of(probability, mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.param_groups[0]["lr"] = 2e-3 * train.warmup_cosine(len(history) / STEPS)
        optimizer.step()

        score = train.dice(probability.detach().numpy(), mask.numpy()).mean()
        history.append({"step": len(history) + 1, "loss": loss.item(), "dice": score})
        if len(history) % 20 == 0:
            print(f"step {len(history):3}: loss {loss.item():.3f}, Dice {score:.3f}")
        if len(history) == STEPS:
            break
    epoch += 1
print(f"{STEPS} steps of {BATCH} images in {time.perf_counter() - began:.0f} s")

assert all(np.isfinite(line["loss"]) for line in history)

course.show(viz.plot_curves(history), "16_curves.png")

# %%
# Does it work on images that it has not seen?
# --------------------------------------------
# The curve above was drawn on the images that were trained on. What counts are the held-out ones.
# ``model.eval()`` switches dropout off: while it learns, the network works with a random part of its
# channels missing, so that it does not rely on any single one; when it answers, all take part.

held_out = data.SegmentationData(held_out_images, data.Normalize())
lamp = np.random.default_rng(1)
test_sets = {"even light": [], "uneven light": []}
for image, mask in held_out:
    test_sets["even light"].append((image, mask))
    test_sets["uneven light"].append(uneven_light(image, mask, lamp))


def unet(image):
    """Probabilities (H, W) of an image (3, H, W)."""
    model.eval()
    with tc.no_grad():
        return model(tc.tensor(image[None])).numpy()[0, 0]


# %%
# The rival: a threshold
# ----------------------
# Otsu, 1979: every pixel above a threshold is nucleus. Which threshold? The one that splits the grey
# values into two groups whose means are as far apart as possible (weighted with the groups' sizes).
# No training, no parameters, ten lines.


def otsu(image):
    """Mask (H, W) of an image (C, H, W), from its first channel."""
    counts, edges = np.histogram(image[0], bins=256)
    level = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1]
    above = counts.sum() - below
    sum_below = np.cumsum(counts * level)[:-1]
    sum_above = (counts * level).sum() - sum_below
    between = below * above * (sum_below / below - sum_above / above) ** 2
    return image[0] > edges[1:-1][between.argmax()]


scores = {}
print(f"{'mean Dice, held out':22}{'Otsu':>8}{'U-Net':>8}")
for name, pairs in test_sets.items():
    for method in (otsu, unet):
        scores[name, method] = np.array([train.count(method(image), mask[0]).dice for image, mask in pairs])
    print(f"{name:22}{scores[name, otsu].mean():8.3f}{scores[name, unet].mean():8.3f}")
wins = (scores["even light", unet] > scores["even light", otsu]).sum()
print(f"In even light the U-Net is better on {wins} of {len(held_out)} images.")

if not QUICK:
    assert all(scores[name, unet].mean() > 0.75 for name in test_sets)
    assert scores["uneven light", unet].mean() > scores["uneven light", otsu].mean() + 0.2

# %%
# Read this table soberly. In even light, bright means nucleus, and the threshold knows that without
# any training: whoever has such images needs no network, and least of all one that has trained for a
# minute. In uneven light, bright means nothing by itself. The threshold falls apart, and the network
# does not, because it has learned what a nucleus looks like. The reason to train one is not that it
# is modern. It is that no simple rule works.
#
# The sheets show four held-out images in uneven light, from the U-Net's best to its worst, first with
# the U-Net's masks, then with Otsu's. Orange is found but not there, blue is there but not found. You
# may find false nuclei at the border, too: to the network the zero padding is a black frame (lesson
# 04), and next to a bright background that is an edge like any other.

pairs = test_sets["uneven light"]
ranked = np.argsort(-scores["uneven light", unet])
shown = [int(ranked[place]) for place in np.linspace(0, len(ranked) - 1, min(4, len(ranked))).astype(int)]
for name, method in (("16_unet.png", unet), ("16_otsu.png", otsu)):
    course.show(
        viz.segmentation_sheet(
            [pairs[i][0] for i in shown],
            [pairs[i][1] for i in shown],
            [method(pairs[i][0]) for i in shown],
            scores=[scores["uneven light", method][i] for i in shown],
        ),
        name,
    )

# %%
# Real nuclei
# -----------
# The 2018 Data Science Bowl asked for exactly this, on images from many laboratories. Its images are
# free: look for BBBC038 at the Broad Bioimage Benchmark Collection, and unpack ``stage1_train``.
# Then, in a terminal::
#
#     tinyconv train unet --data nuclei --data-dir stage1_train --run runs/nuclei --minutes 15
#     tinyconv predict runs/nuclei some_image.png another.png
#
# The folder ``runs/nuclei`` then holds ``curves.png``, ``samples.png``, a sheet like the ones above, and
# the weights. Do both curves of the loss fall, or only that of the training? (Then it learns by heart.)
# Does the held-out Dice still rise at the end? (Then train longer.) And what kind of pixels is wrong in
# the worst row of the sheet?

# %%
# Try this
# --------
# 1. Take the copies away: in ``forward`` put zeros in the place of ``copy``. How far does Dice fall,
#    and what do the masks look like?
# 2. Train without ``uneven_light`` and test with it. What has the network learned, then?
# 3. Descend on BCE alone, then on the Dice loss alone. Compare the first twenty steps.
# 4. Give the threshold a fair chance: subtract a strongly blurred copy of the image first. When does
#    that help, and when does it not?
# 5. Count touching nuclei. Does a mask know how many there are?
#
# The files behind this lesson: ``tinyconv/models/unet.py`` (the network),
# ``tinyconv/ops/conv.py`` (convolution and transposed convolution, and how each is the gradient of
# the other), ``tinyconv/ops/overlap_loss.py`` (the Dice loss) and ``tinyconv/metrics/overlap.py`` (Dice).
#
# Next: ``tinyconv learn 17``, when there is very little to find.
