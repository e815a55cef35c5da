"""
10. AlexNet and VGG: deeper
===========================

You take apart the network that won everything in 2012 and its tidy successor, find out where their
hundred million weights are and where their time goes, and why everybody has used 3x3 filters since.

ImageNet: 1.4 million photographs, 1,000 classes. In 2011 the best program missed the right class with its
first five guesses for one photograph in four. In 2012 a convolutional network did so for one in six.
"""

# %%
# What we need
# ------------

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, data, models, nn, viz

QUICK = course.is_quick()  # TINYCONV_QUICK=1 only tries whether everything runs
EPOCHS = 1 if QUICK else 12


def count_parameters(module):
    return sum(p.numel() for p in module.parameters())


def filters(inputs, outputs, size):
    """Weights and biases of a convolution."""
    return outputs * inputs * size * size + outputs


def neurons(inputs, outputs):
    """Weights and biases of a dense layer."""
    return outputs * inputs + outputs


# %%
# AlexNet, with a pencil
# ----------------------
# Five layers of filters, three dense ones. The first filters are huge, 11x11 with stride 4. Nobody
# uses such any more, but it was 2012, and two graphics cards had 3 GB each.

alexnet = {
    "11x11, 3 to 96, stride 4": filters(3, 96, 11),
    "5x5, 96 to 256": filters(96, 256, 5),
    "3x3, 256 to 384": filters(256, 384, 3),
    "3x3, 384 to 384": filters(384, 384, 3),
    "3x3, 384 to 256": filters(384, 256, 3),
    "dense 6*6*256 to 4096": neurons(6 * 6 * 256, 4096),
    "dense 4096 to 4096": neurons(4096, 4096),
    "dense 4096 to 1000": neurons(4096, 1000),
}
for name, count in alexnet.items():
    print(f"{name:26} {count:11,}")
print(f"{'all':26} {sum(alexnet.values()):11,}")

assert sum(alexnet.values()) == 62_378_344  # "about 62 million" on the slides

# %%
# Two remarks, because you will meet other numbers. In the paper some layers were divided between the
# two graphics cards, so that half of their filters saw half of the maps; that network has 60,965,224.
# And the one that is handed around today has 64, 192, 384, 256, 256 filters: 61,100,840. Look at what
# matters: **94 of 100 weights are in the three dense layers.**

dense = sum(count for name, count in alexnet.items() if name.startswith("dense"))
print(f"dense layers: {dense / sum(alexnet.values()):.0%}")

assert round(dense / sum(alexnet.values()), 2) == 0.94

# %%
# What was new? Not the convolution. It was the size, and three things that made the size work: ReLU,
# which trains several times faster than tanh; dropout in the dense layers; and pictures that were
# flipped, cut out and recoloured by lot, so that the network never saw the same one twice.
#
# VGG: one idea, sixteen times
# ----------------------------
# Two years later Simonyan and Zisserman in Oxford threw out everything special. Filters are 3x3.
# Pooling is 2x2. After each pooling there are twice as many maps, up to 512. What is left to choose is
# *how many*, so the nets have the number of their layers with weights as their name.


def vgg_convolutions(plan):
    """Weights of 3x3 layers; a number is how many maps, "pool" a pooling."""
    count, channels = 0, 3
    for step in plan:
        if step != "pool":
            count += filters(channels, step, 3)
            channels = step
    return count


plans = {
    11: [64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool", 512, 512, "pool"],
    13: [64, 64, "pool", 128, 128, "pool", 256, 256, "pool", 512, 512, "pool", 512, 512, "pool"],
    16: [64, 64, "pool", 128, 128, "pool", *[256] * 3, "pool", *[512] * 3, "pool", *[512] * 3, "pool"],
    19: [64, 64, "pool", 128, 128, "pool", *[256] * 4, "pool", *[512] * 4, "pool", *[512] * 4, "pool"],
}
classifier = neurons(7 * 7 * 512, 4096) + neurons(4096, 4096) + neurons(4096, 1000)
totals = {}
for depth, plan in plans.items():
    totals[depth] = vgg_convolutions(plan) + classifier
    print(f"VGG-{depth}: {vgg_convolutions(plan):11,} in filters + {classifier:,} dense = {totals[depth]:,}")

assert totals[16] == 138_357_544
assert totals[11] == 132_863_336 and totals[13] == 133_047_848 and totals[19] == 143_667_240

# %%
# Does the engine agree? Building VGG-16 needs half a gigabyte, so here it is with thin dense layers,
# and the filters are counted:

thin = models.create("vgg16", hidden=16)
assert count_parameters(thin.features) == vgg_convolutions(plans[16])

# %%
# Where the weights are, and where the time goes
# ----------------------------------------------
# A weight of a dense layer is used once for an image. A weight of a filter is used at every place: in
# the first layers at 224 * 224 of them. So weights and work lie at opposite ends.

size, channels, shares = 224, 3, []
for step in plans[16]:
    if step == "pool":
        size //= 2
    else:
        shares.append((filters(channels, step, 3), size * size * channels * step * 9))
        channels = step
for inputs, outputs in ((7 * 7 * 512, 4096), (4096, 4096), (4096, 1000)):
    shares.append((neurons(inputs, outputs), inputs * outputs))
weights, work = np.array(shares, dtype=float).T
in_filters, in_dense = work[:13].sum() / work.sum(), weights[13:].sum() / weights.sum()
print(f"multiplications for one image: {work.sum():,.0f}, {in_filters:.1%} of them in filters")
print(f"weights:                       {weights.sum():,.0f}, {in_dense:.1%} of them dense")

assert weights.sum() == totals[16] and in_filters > 0.99

course.show(
    viz.plot_lines(
        {"VGG-16": {"share of the weights": weights / weights.sum(), "share of the work": work / work.sum()}},
        np.arange(1, 17),
        ("layer", "share"),
    ),
    "10_vgg_shares.png",
)

# %%
# Fifteen billion multiplications for one photograph. On a laptop, at a hundred billion a second, this
# takes a sixth of a second; training on 1.3 million photographs, 74 times, took two to three weeks
# with four graphics cards.
#
# Why 3x3?
# --------
# You know it from lesson 08: three 3x3 layers see 7x7 pixels, with 27 C² weights in the place of 49
# C², and with three bends in the place of one. And small filters are the fast ones: Winograd's trick
# is made for them (lesson 05).

for layers, large in ((2, 5), (3, 7), (5, 11)):
    print(
        f"{large}x{large} pixels: {layers} layers of 3x3 with {9 * layers} C² weights, one with {large**2} C²"
    )
    assert 2 * layers + 1 == large and 9 * layers < large**2

# %%
# Faster with ReLU?
# -----------------
# AlexNet's paper shows one curve that convinced many: with ReLU a network reached the same error in a
# sixth of the time. Here is the experiment in small, on digits: a little VGG, once with tanh and once
# with ReLU, everything else the same.

digits = data.Digits()
images = np.stack([image for image, _ in digits])
labels = np.array([label for _, label in digits])


def little_vgg(bend):
    """3x3 filters, 2x2 pooling, twice as many maps: for 8x8 pixels."""
    tc.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), bend(), nn.Conv2d(16, 16, 3, padding=1), bend(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), bend(), nn.Conv2d(32, 32, 3, padding=1), bend(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 2 * 2, 64), bend(), nn.Linear(64, 10),
    )  # fmt: skip


def fit(network):
    """The mean training loss of each epoch, and the share right on held-out digits."""
    optimizer = tc.optim.SGD(network.parameters(), lr=0.03, momentum=0.9)
    order, losses = np.random.default_rng(0), []
    for _ in range(EPOCHS):
        total = 0.0
        for batch in order.permutation(1200).reshape(-1, 40):
            loss = F.cross_entropy(network(tc.tensor(images[batch])), tc.tensor(labels[batch]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() / 30
        losses.append(total)
    with tc.no_grad():
        right = (network(tc.tensor(images[1200:])).numpy().argmax(1) == labels[1200:]).mean()
    return losses, right


curves = {}
for name, bend in (("tanh", nn.Tanh), ("ReLU", nn.ReLU)):
    curves[name], right = fit(little_vgg(bend))
    print(f"{name}: training loss {curves[name][-1]:.3f}, {right:.1%} of the held-out digits right")

course.show(
    viz.plot_lines({"A little VGG": curves}, np.arange(1, EPOCHS + 1), ("epoch", "training loss"), log="y"),
    "10_relu.png",
)

# %%
# Look at your own curves before you believe any paper. On a problem as easy as this, with few layers,
# either may be ahead. What the paper measured was a network of four layers on 50,000 photographs.
#
# Try this
# --------
# 1. With a pencil: what does the first dense layer of VGG-16 cost if the images are 448x448? And the
#    filters?
# 2. Replace the three dense layers by a mean over each map and one dense layer. How many weights are
#    left?
# 3. ``tinyconv summary vgg16`` lists what each layer keeps for training. How much for a batch of 32?
# 4. How far does a number in front of VGG's first dense layer see? Is that more than the image?
# 5. Why are there always twice as many maps after a pooling? (Count the work before and after.)
#
# ``tinyconv/models/alexnet.py`` has both AlexNets, ``tinyconv/models/vgg.py`` all VGGs, with the names
# that published weights use.
#
# Next: ``tinyconv learn 11``, when one size of filter is not enough.
