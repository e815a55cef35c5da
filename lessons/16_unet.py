"""
16. U-Net: where and what
=========================

You build the network of the slides layer by layer, count its 1,941,105 parameters, and train it to find
cell nuclei in microscope images. Then you hold it against a method of 1979 that needs no training at all,
and are honest about who wins.

The task is *segmentation*: for every pixel of an image the probability that it belongs to a nucleus.
"""

# %%
# What we need
# ------------
# On two processors the training below takes less than a minute. Change ``STEPS`` and see.

import itertools
import time

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, data, models, train, viz

QUICK = course.is_quick()  # TINYCONV_QUICK=1 only tries whether everything runs
SIZE, IMAGES, STEPS, BATCH = (32, 12, 4, 2) if QUICK else (96, 100, 200, 4)

tc.manual_seed(0)

# %%
# The data
# --------
# Nuclei glow, because a dye binds to their DNA. Real images come at the end; these are made by the program,
# so that the truth is known to the pixel. One image in five is held out: the network never trains on it.

nuclei = list(data.SyntheticNuclei(IMAGES, size=SIZE))  # draw each image once
training_images, held_out_images = data.split(nuclei, held_out=0.2)
image, mask = nuclei[0]
print(f"image {image.shape}, mask {mask.shape}; nuclei cover {np.mean([m for _, m in nuclei]):.1%}")
print(len(training_images), "images to train on,", len(held_out_images), "held out")

# %%
# What, and where
# ---------------
# Is a grey pixel part of a nucleus, or of the haze around one? You cannot tell from 3x3 pixels. A network
# has to look from farther away: convolution, pooling, convolution, pooling. Each pooling doubles the step
# from one place of the map to the next, and so the *receptive field* of a place (lesson 08) grows quickly:

model = models.create("unet_slides")
table = tc.nn.summary(model, (3, 256, 256))
for level in range(5):
    seen = table[f"encoder.{level}.4"].receptive_field[0]
    print(f"level {level}: one place for every {2**level:2} pixels, sees {seen:3} pixels")

assert seen == 140

# %%
# So much for *what*. But the deepest map has one number for 16x16 pixels, and nobody can draw a nucleus with
# such a brush (lesson 14). The answer of Ronneberger, Fischer and Brox, 2015: go down to learn *what* there
# is, come up again, and on the way lay the sharp maps from the way down beside the others: they know *where*.

course.show(viz.plot_architecture(model, (3, 256, 256), "The U-Net of the slides"), "16_u.png")

# %%
# The numbers are maps, those below them the size of the image. The left arm is the *encoder*, the right
# arm the *decoder*; the green boxes hold what came across.
#
# Copy and concatenate
# --------------------
# The joint of the U. A transposed convolution makes the deep map twice as high and wide; the copy is laid
# beside it, channel after channel; an ordinary convolution then decides for itself whom to trust where.

deep = tc.rand(1, 256, 6, 6)
copy = tc.rand(1, 128, 12, 12)
up = tc.nn.ConvTranspose2d(256, 128, kernel_size=2, stride=2)(deep)
joined = tc.cat([up, copy], dim=1)
print(deep.shape, "-- up -->", up.shape, "-- with the copy -->", joined.shape)

assert np.array_equal(joined.detach().numpy()[:, 128:], copy.numpy())  # a copy, nothing else

# %%
# The whole network
# -----------------
# Where are the parameters? (``forward`` in ``tinyconv/models/unet.py`` has ten lines.)

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


def weights(channels_in, channels_out, k):
    return (k * k * channels_in + 1) * channels_out


by_hand = weights(16, 1, 1)  # the last layer makes one channel of sixteen
for before, width in ((3, 16), (16, 32), (32, 64), (64, 128), (128, 256)):  # down
    by_hand += weights(before, width, 3) + weights(width, width, 3)
for width in (128, 64, 32, 16):  # up: the transposed convolution, then the two convolutions
    by_hand += weights(2 * width, width, 2) + weights(2 * width, width, 3) + weights(width, width, 3)
assert by_hand == total

# %%
# The original of 2015 was larger (31 million) and did not pad: each 3x3 layer takes a pixel off on all
# sides, so that only those pixels get an answer whose surroundings have been seen. The copies have to be
# cropped, and of 572x572 pixels the middle 388x388 remain:

side, copies = 572 - 4, []
for _ in range(4):  # down
    copies.append(side)
    side = side // 2 - 4
for copy_side in reversed(copies):
    print(f"copy {copy_side} cropped to {2 * side}")
    side = 2 * side - 4
print("out:", side)

assert side == 388

# %%
# Dice, by hand
# -------------
# How good is a mask? Counting right pixels misleads: if nuclei cover 5 % of the image, an empty mask is right
# for 95 %. Dice compares the overlap with the areas: 2 x overlap / (area of the one + area of the other).
# Count with your finger first.

truth = np.array([[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
found = np.array([[0, 0, 1, 1], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
overlap, area_truth, area_found = (truth & found).sum(), truth.sum(), found.sum()
print(f"Dice = 2 * {overlap} / ({area_truth} + {area_found}) = {2 * overlap / (area_truth + area_found):.3f}")
print(f"right pixels: {(truth == found).mean():.1%}, of an empty mask: {(truth == 0).mean():.1%}")

assert (overlap, area_truth, area_found) == (3, 4, 5)
assert np.isclose(train.dice(found[None], truth[None])[0], 6 / 9)

figure = viz.matrix_figure([truth, found, truth & found], ["truth", "found", "overlap"], grey=True)
course.show(figure, "16_dice_by_hand.png")

# %%
# What to descend on
# ------------------
# Training needs a number that changes smoothly. Two are used together:
#
# - *binary cross-entropy* (BCE) judges every pixel by itself: -log of the probability that was given to the
#   truth. Its gradient is good from the first step on.
# - *Dice loss* is 1 - Dice, with probabilities instead of a mask. It judges the overlap: how much background
#   there is does not matter to it.
#
# Why is one not enough? A nucleus of 4 pixels, in larger and larger images, and a network that answers
# "probability 0.1" everywhere:

for size in (4, 16, 64):
    tiny = np.zeros((1, 1, size, size), dtype=np.float32)
    tiny[..., :2, :2] = 1
    nothing_found = tc.full((1, 1, size, size), 0.1)
    bce = F.binary_cross_entropy(nothing_found, tc.tensor(tiny)).item()
    dice = F.dice_loss(nothing_found, tc.tensor(tiny)).item()
    print(f"{size:2}x{size:<2}: BCE {bce:.3f}, Dice loss {dice:.3f}")

assert bce < 0.11 and dice > 0.98

# %%
# BCE is content, although nothing was found; the Dice loss is not. With their sum, the network gets a good
# start from the one and is kept honest by the other.

# %%
# An uneven lamp
# --------------
# Made images are too clean. In many real ones the light falls off to one side. So each image gets a slope of
# light, in a random direction and of random strength, each time it is shown. A network must get the variety
# in training that it will meet later.


def uneven_light(image, mask, rng):
    """Add light that grows from one side to the other, from 0 up to 1 at most."""
    down, across = np.mgrid[-1 : 1 : image.shape[1] * 1j, -1 : 1 : image.shape[2] * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * down + np.sin(angle) * across
    slope = (slope - slope.min()) / (slope.max() - slope.min())
    return (image + rng.uniform(0, 1) * slope).astype(np.float32), mask


changes = [data.Normalize(), data.RandomFlip(), data.RandomRotate90(), uneven_light]
samples = data.SegmentationData(training_images, data.Compose(changes))
loader = data.DataLoader(samples, batch_size=BATCH, shuffle=True)

# %%
# Training
# --------
# A few lines do the work, for any network: predict, measure, go back, step. All else keeps the books. The
# learning rate rises during the first 5 % of the steps, while the optimiser knows little about the
# gradients, and then falls slowly, so that training settles. (The ``tinyconv`` command has the same loop
# with checkpoints and a progress bar: ``tinyconv/train/trainer.py``.)

optimizer = tc.optim.Adam(model.parameters())
batches = itertools.chain.from_iterable(map(loader.iterate, itertools.count()))  # epoch after epoch
history, began = [], time.perf_counter()
for step, (image, mask) in zip(range(1, STEPS + 1), batches, strict=False):
    probability = model(image)
    loss = F.binary_cross_entropy(probability, mask) + F.dice_loss(probability, mask)
    optimizer.zero_grad()
    loss.backward()
    optimizer.param_groups[0]["lr"] = 2e-3 * train.warmup_cosine((step - 1) / STEPS)
    optimizer.step()

    score = train.dice(probability.detach().numpy(), mask.numpy()).mean()
    history.append({"step": step, "loss": loss.item(), "dice": score})
    if step % 20 == 0:
        print(f"step {step:3}: loss {loss.item():.3f}, Dice {score:.3f}")
print(f"{STEPS} steps of {BATCH} images in {time.perf_counter() - began:.0f} s")

assert all(np.isfinite(line["loss"]) for line in history)

course.show(viz.plot_curves(history), "16_curves.png")

# %%
# Does it work on images that it has not seen?
# --------------------------------------------
# The curve above was drawn on the images that were trained on. What counts are the held-out ones. There,
# ``model.eval()`` switches dropout off (lesson 08).

held_out = list(data.SegmentationData(held_out_images, data.Normalize()))
lamp = np.random.default_rng(1)
test_sets = {"even light": held_out, "uneven light": [uneven_light(*pair, lamp) for pair in held_out]}


def unet(image):
    """Probabilities (H, W) of an image (3, H, W)."""
    model.eval()
    with tc.no_grad():
        return model(tc.tensor(image[None])).numpy()[0, 0]


# %%
# The rival: a threshold
# ----------------------
# Otsu, 1979: every pixel above a threshold is nucleus. Which threshold? The one that splits the grey values
# into two groups whose means are as far apart as possible (weighted with the groups' sizes). No training.


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

if not QUICK:
    assert all(scores[name, unet].mean() > 0.75 for name in test_sets)
    assert scores["uneven light", unet].mean() > scores["uneven light", otsu].mean() + 0.2

# %%
# Read this table soberly. In even light, bright means nucleus, and the threshold knows that without any
# training: whoever has such images needs no network, and least of all one that has trained for a minute. In
# uneven light, bright means nothing by itself. The threshold falls apart, and the network does not, because
# it has learned what a nucleus looks like. The reason to train one is that no simple rule works.
#
# The sheets show four held-out images in uneven light, from the U-Net's best to its worst, first with the
# U-Net's masks, then with Otsu's. Orange is found but not there, blue is there but not found. There may be
# false nuclei at the border: to the network the zero padding is a black frame (lesson 04), and next to a
# bright background that is an edge like any other.

pairs = test_sets["uneven light"]
ranked = np.argsort(-scores["uneven light", unet])
shown = ranked[np.linspace(0, len(ranked) - 1, min(4, len(ranked))).astype(int)]
images, truths = zip(*(pairs[i] for i in shown), strict=True)
for name, method in (("16_unet.png", unet), ("16_otsu.png", otsu)):
    sheet_scores = scores["uneven light", method][shown]
    masks = [method(image) for image in images]
    course.show(viz.segmentation_sheet(images, truths, masks, scores=sheet_scores), name)

# %%
# Real nuclei
# -----------
# The 2018 Data Science Bowl asked for exactly this, on images from many laboratories (BBBC038 of the Broad
# Bioimage Benchmark Collection). In a terminal::
#
#     tinyconv data get dsb2018
#     tinyconv train unet --data nuclei --run runs/nuclei --minutes 15
#     tinyconv predict runs/nuclei some_image.png another.png
#
# The folder ``runs/nuclei`` then holds the curves, a sheet like the ones above, and the weights. Do both
# curves of the loss fall, or only that of the training? (Then it learns by heart.) Does the held-out Dice
# still rise at the end? (Then train longer.) And what kind of pixels is wrong in the worst row of the sheet?
#
# Try this
# --------
# 1. Take the copies away: in ``forward`` put zeros in their place. How far does Dice fall? See the masks.
# 2. Train without ``uneven_light`` and test with it. What has the network learned, then?
# 3. Descend on BCE alone, then on the Dice loss alone. Compare the first twenty steps.
# 4. Give the threshold a fair chance: subtract a strongly blurred image first. When does that help?
# 5. Count touching nuclei. Does a mask know how many there are?
#
# The files: ``tinyconv/models/unet.py``; ``tinyconv/ops/conv.py``, where convolution and its transpose are
# each other's gradients; ``tinyconv/ops/overlap_loss.py`` and ``tinyconv/metrics/overlap.py``, Dice.
#
# Next: ``tinyconv learn 17``, when there is very little to find.
