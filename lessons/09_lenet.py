"""
09. LeNet: the first ones that worked
=====================================

You count every weight of the networks that read American zip codes in 1989 and cheques in 1998, train
the second one, look at what its filters have become, and see what it can stand that a perceptron cannot.

All parts are known by now. This is how they are put together.
"""

# %%
# What we need
# ------------

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, data, models, viz

QUICK = course.is_quick()  # TINYCONV_QUICK=1 only tries whether everything runs
EPOCHS = 1 if QUICK else 15


def count_parameters(module):
    return sum(p.numel() for p in module.parameters())


# %%
# 1989: a network for 16x16 pixels
# --------------------------------
# Yann LeCun and his colleagues at Bell Labs had 7,291 digits from envelopes, scaled to 16x16, and a
# workstation that trained for three days. Their network has two layers of filters with stride 2 and
# two dense ones. Count along. The filters are shared, as we know them, but each *neuron* has a bias of
# its own:

layers_1989 = {
    # name: (neurons, weights that each neuron uses, weights in all, biases)
    "12 maps of 8x8, 5x5 filters": (12 * 64, 25, 12 * 25, 12 * 64),
    "12 maps of 4x4, 5x5 over 8 maps": (12 * 16, 8 * 25, 12 * 8 * 25, 12 * 16),
    "30 neurons": (30, 12 * 16, 30 * 12 * 16, 30),
    "10 digits": (10, 30, 10 * 30, 10),
}
connections = parameters = 0
for name, (neurons, used, weights, biases) in layers_1989.items():
    connections += neurons * (used + 1)
    parameters += weights + biases
    print(f"{name:32} {neurons * (used + 1):7,} connections, {weights + biases:6,} parameters")
print(f"{'all':32} {connections:7,} connections, {parameters:6,} parameters")

assert (connections, parameters) == (64_660, 9_760)  # the two numbers of the paper
assert count_parameters(models.create("lenet1989")) == 9_760

# %%
# 64,660 connections, but only 9,760 numbers to learn: that is what sharing weights means.
#
# 1998: LeNet-5
# -------------
# Nine years later the digits had 28x28 pixels. The plan has been copied ever since: filters, then make
# smaller, more filters, make smaller again, dense layers at the end. The image gets smaller, the
# number of maps gets larger: *less where, more what*.

network = models.create("lenet5")
by_hand = {
    "conv1": 6 * (1 * 5 * 5 + 1),
    "conv2": 16 * (6 * 5 * 5 + 1),
    "fc1": 120 * (16 * 5 * 5 + 1),
    "fc2": 84 * (120 + 1),
    "fc3": 10 * (84 + 1),
}
for name, count in by_hand.items():
    assert count_parameters(getattr(network, name)) == count
    print(f"{name}: {count:6,}")
print(f"all:   {sum(by_hand.values()):6,}")

assert count_parameters(network) == 61_706

x = tc.zeros(1, 1, 28, 28)
sizes = [tuple(x.shape[1:])]
for layer in (network.conv1, network.pool, network.conv2, network.pool):
    x = layer(x)
    sizes.append(tuple(x.shape[1:]))
print("one image on its way:", " -> ".join("x".join(map(str, size)) for size in sizes))

assert sizes[-1] == (16, 5, 5)

# %%
# The paper says 60,000. The difference has two reasons. To save time, each of its sixteen second
# filters saw only some of the six maps (six saw 3, nine saw 4, one saw all). And its pooling had two
# learned numbers for each map; its last layer was not learned at all. Count the paper's way:

c1 = 6 * 26
s2 = 6 * 2
c3 = 6 * (3 * 25 + 1) + 9 * (4 * 25 + 1) + 1 * (6 * 25 + 1)
s4 = 16 * 2
c5 = 120 * (16 * 25 + 1)
f6 = 84 * 121
print(f"the paper's way: {c1} + {s2} + {c3:,} + {s4} + {c5:,} + {f6:,} = {c1 + s2 + c3 + s4 + c5 + f6:,}")

assert c3 == 1_516 and c1 + s2 + c3 + s4 + c5 + f6 == 60_000

# %%
# Training
# --------
# The digits of scikit-learn, enlarged to 28x28, so that nothing has to be downloaded. (With MNIST: see
# the end.) Against it, a multilayer perceptron with as many weights.

digits = data.Digits()
images = np.zeros((len(digits), 1, 28, 28), np.float32)
labels = np.zeros(len(digits), int)
for index, (image, label) in enumerate(digits):
    images[index, 0, 2:26, 2:26] = image[0].repeat(3, 0).repeat(3, 1)
    labels[index] = label
TRAINING, HELD_OUT = slice(0, 1200), slice(1200, None)


def move(images, columns):
    """Images moved to the right by so many pixels (to the left, if negative)."""
    moved = np.zeros_like(images)
    width = 28 - abs(columns)
    start, end = max(columns, 0), max(-columns, 0)
    moved[..., start : start + width] = images[..., end : end + width]
    return moved


def fit(network, reach=0):
    """Share of held-out digits that are right after each epoch; training moves digits by up to `reach`."""
    optimizer = tc.optim.Adam(network.parameters(), lr=2e-3)
    generator, right = np.random.default_rng(0), []
    for _ in range(EPOCHS):
        for batch in generator.permutation(1200).reshape(-1, 40):
            shown = move(images[batch], int(generator.integers(-reach, reach + 1)))
            loss = F.cross_entropy(network(tc.tensor(shown)), tc.tensor(labels[batch]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        right.append(share_right(network, images[HELD_OUT], labels[HELD_OUT]))
    return right


def share_right(network, images, labels):
    with tc.no_grad():
        return float((network(tc.tensor(images)).numpy().argmax(1) == labels).mean())


def both():
    tc.manual_seed(0)
    return models.create("lenet5"), models.create("mlp", hidden=(76,))


lenet, mlp = both()
curves = {f"LeNet-5, {count_parameters(lenet):,} weights": fit(lenet)}
curves[f"MLP, {count_parameters(mlp):,} weights"] = fit(mlp)
for name, curve in curves.items():
    print(f"{name}: {curve[-1]:.1%} of the held-out digits")

course.show(
    viz.plot_lines({"Digits": curves}, np.arange(1, EPOCHS + 1), ("epoch", "right, held out")),
    "09_training.png",
)

# %%
# Hardly a difference. Has LeNet been for nothing? These digits all lie neatly in the middle, and each
# pixel always means the same. That is the world of the perceptron.
#
# A little to the side
# --------------------
# People do not always write in the middle. Move the held-out digits to the right, pixel by pixel. Both
# networks suffer: they were never shown such a thing. So train both again, with each batch moved by up
# to six pixels to either side.

shifts = np.arange(9)


def over_shifts(network):
    return [share_right(network, move(images[HELD_OUT], int(shift)), labels[HELD_OUT]) for shift in shifts]


panels = {"trained in the middle": {"LeNet-5": over_shifts(lenet), "MLP": over_shifts(mlp)}}
lenet, mlp = both()
fit(lenet, reach=6)
fit(mlp, reach=6)
panels["trained with moved digits"] = {"LeNet-5": over_shifts(lenet), "MLP": over_shifts(mlp)}
for title, two in panels.items():
    print(title)
    for name, shares in two.items():
        print(f"  {name:8}", *(f"{share:6.1%}" for share in shares))
if not QUICK:
    moved = panels["trained with moved digits"]
    assert np.mean(moved["LeNet-5"]) > np.mean(moved["MLP"])
    assert np.mean(moved["LeNet-5"][7:]) > np.mean(moved["MLP"][7:]) + 0.05  # where no digit had ever been

course.show(viz.plot_lines(panels, shifts, ("moved by so many pixels", "right, held out")), "09_moved.png")

# %%
# Now they part. LeNet is ahead everywhere, and most of all at 7 and 8 pixels, where neither has ever
# seen a digit. The perceptron has to learn every digit at every place anew. LeNet's filters find a
# stroke wherever it is; only the dense layers at its end have to get used to it.
#
# What the filters have become
# ----------------------------
# The first layer's six filters, and the maps that they make of a digit. Nobody told them to look for
# edges.

weights = lenet.conv1.weight.detach().numpy()[:, 0]
with tc.no_grad():
    digit = images[HELD_OUT][3:4]
    maps = lenet.activation(lenet.conv1(tc.tensor(digit))).numpy()[0]
course.show(
    viz.feature_map_grid(weights, titles=[f"filter {i}" for i in range(6)], columns=6, size=2.2),
    "09_filters.png",
)
course.show(
    viz.feature_map_grid(maps, titles=[f"map {i}" for i in range(6)], image=digit[0, 0], columns=7, size=2.2),
    "09_maps.png",
)

# %%
# Which ones does it get wrong?
# -----------------------------
# Always look at the mistakes. Often you would not be sure either, and sometimes the label is wrong.

with tc.no_grad():
    answers = lenet(tc.tensor(images[HELD_OUT])).numpy().argmax(1)
wrong = np.flatnonzero(answers != labels[HELD_OUT])[:12]
said = ", ".join(f"{answers[i]} for {labels[HELD_OUT][i]}" for i in wrong)
print(f"{(answers != labels[HELD_OUT]).sum()} of {len(answers)} wrong. It said {said}")

course.show(viz.sample_grid(images[HELD_OUT][wrong], columns=6, title="mistakes"), "09_mistakes.png")

# %%
# MNIST
# -----
# The 70,000 digits on which people have compared networks since 1998 are a download of 11 MB, then
# this trains the same network on them and says what it reaches on the 10,000 test digits::
#
#     tinyconv data get mnist
#     tinyconv train lenet5 --data mnist
#
# More than 99 of 100 are right. In 1998 this took days; now it takes about as long as reading this
# lesson.
#
# Try this
# --------
# 1. LeNet-5 with ReLU and max pooling: ``models.create("lenet5", activation="relu", pooling="max")``.
#    Better?
# 2. Move digits up and down as well. Who profits?
# 3. Where are most of LeNet-5's weights? Which layer would you make smaller first?
# 4. A digit upside down: what does the network say, and how sure is it?
# 5. Replace both dense layers by a mean over each map (``x.mean((2, 3))``) and one dense layer. Move
#    the digits.
#
# ``tinyconv/models/lenet.py`` has both networks, with the paper's connections.
#
# Next: ``tinyconv learn 10``, the same plan with a thousand times as many weights.
