"""
12. Deeper still: ResNet and DenseNet
=====================================

You make a network deeper until it becomes worse, find out that this is not overfitting, and mend it by
adding one plus sign. Then you count ResNet-50 and DenseNet-121.

If 16 layers are better than 8, then 56 must be wonderful.
"""

# %%
# What we need
# ------------

import time

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, data, models, nn, viz

QUICK = course.is_quick()  # TINYCONV_QUICK=1 only tries whether everything runs
EPOCHS, SHALLOW, DEEP = (1, 2, 4) if QUICK else (12, 8, 50)

digits = data.Digits()
images = np.stack([image for image, _ in digits])
labels = np.array([label for _, label in digits])

# %%
# Too deep
# --------
# A plain network: one 3x3 layer after the other, 16 maps each, with batch normalisation and ReLU; at
# the end the mean over each map and one dense layer. Only the number of layers differs.


class Plain(nn.Module):
    """`depth` layers of 3x3 filters; with `shortcut`, each pair of them adds what came in."""

    def __init__(self, depth, shortcut):
        super().__init__()
        self.first = nn.Conv2d(1, 16, 3, padding=1)
        self.convolutions = nn.ModuleList([nn.Conv2d(16, 16, 3, padding=1, bias=False) for _ in range(depth)])
        self.norms = nn.ModuleList([nn.BatchNorm2d(16) for _ in range(depth)])
        self.last = nn.Linear(16, 10)
        self.shortcut = shortcut

    def forward(self, x):
        x = F.relu(self.first(x))
        came_in = x
        for number, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            x = norm(convolution(x))
            if self.shortcut and number % 2 == 1:
                x = x + came_in
            x = F.relu(x)
            if number % 2 == 1:
                came_in = x
        return self.last(x.mean((2, 3)))


def fit(network):
    """The training loss of each epoch, and the share right on held-out digits."""
    optimizer = tc.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    order, losses = np.random.default_rng(0), []
    for _ in range(EPOCHS):
        network.train()
        total = 0.0
        for batch in order.permutation(1200).reshape(-1, 60):
            loss = F.cross_entropy(network(tc.tensor(images[batch])), tc.tensor(labels[batch]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() / 20
        losses.append(total)
    network.eval()
    with tc.no_grad():
        right = (network(tc.tensor(images[1200:])).numpy().argmax(1) == labels[1200:]).mean()
    return losses, right


curves = {}
for depth, shortcut in ((SHALLOW, False), (DEEP, False), (DEEP, True)):
    tc.manual_seed(0)
    start = time.perf_counter()
    name = f"{depth} layers" + (", with shortcuts" if shortcut else "")
    curves[name], right = fit(Plain(depth, shortcut))
    seconds = time.perf_counter() - start
    print(f"{name:26} training loss {curves[name][-1]:.3f}, {right:.1%} right, {seconds:.0f} s")

shallow, deep, residual = (curve[-1] for curve in curves.values())
assert QUICK or (deep > 2 * shallow and residual < deep / 2)

course.show(
    viz.plot_lines({"Training loss": curves}, np.arange(1, EPOCHS + 1), ("epoch", "training loss"), log="y"),
    "12_degradation.png",
)

# %%
# Look at which loss this is. It is the one on the digits that it *trains* with. A network that
# overfits would be better there. The deep one is worse even at what it is shown, and that cannot be
# for lack of ability: let the additional layers pass on what they get, unchanged, and it would be as
# good as the shallow one. It just does not find these weights. He, Zhang, Ren and Sun called this
# *degradation*.
#
# One plus sign
# -------------
# If "change nothing" is so hard to learn, make it the start. Let each pair of layers compute only the
# *difference*, the residual, from what came in:
#
# .. math:: y = \mathrm{ReLU}(F(x) + x)
#
# With F = 0 the pair changes nothing. And the gradient? The slope of F(x) + x is F'(x) + 1. Through
# fifty layers it is no longer a product of fifty numbers below one; there is always a way on which
# nothing is multiplied at all.


def gradient_at_each_pair(network):
    """Size of the loss's gradient at the output of each pair of layers, in the first step."""
    kept = []

    def keep(module, inputs, output):
        output.retain_grad()
        kept.append(output)

    handles = [norm.register_forward_hook(keep) for norm in list(network.norms)[1::2]]
    loss = F.cross_entropy(network(tc.tensor(images[:120])), tc.tensor(labels[:120]))
    loss.backward()
    for handle in handles:
        handle.remove()
    return np.array([(output.grad**2).mean().item() ** 0.5 for output in kept])


sizes = {}
for shortcut in (False, True):
    tc.manual_seed(0)
    sizes["with shortcuts" if shortcut else "plain"] = gradient_at_each_pair(Plain(DEEP, shortcut))
for name, size in sizes.items():
    print(f"{name:15} gradient at the first pair / at the last pair: {size[0] / size[-1]:.2g}")

course.show(
    viz.plot_lines(
        {"The first step": sizes}, np.arange(1, DEEP // 2 + 1), ("pair of layers", "gradient"), log="y"
    ),
    "12_gradients.png",
)

# %%
# With normalisation the gradient of the plain network does not vanish. It *grows* towards the front, a
# thousand times: each normalisation divides by a spread, on the way back too. A step that is right for
# the last layers is far too large for the first. With shortcuts the layers differ much less.
#
# ResNet-50
# ---------
# Photographs need more maps, and then two 3x3 layers become expensive. The *bottleneck* block of the
# deep ResNets goes down to a quarter of the maps with 1x1, has its 3x3 there, and goes up again with
# 1x1. Count it. No biases, because a normalisation follows, which has two numbers for each map.


def normalised(inputs, outputs, size):
    """Weights of a convolution without bias, and the two numbers per map of its normalisation."""
    return inputs * outputs * size * size + 2 * outputs


def bottleneck(inputs, width):
    """1x1 down, 3x3, 1x1 up to four times the width; 1x1 on the shortcut where the number of maps changes."""
    count = normalised(inputs, width, 1) + normalised(width, width, 3) + normalised(width, 4 * width, 1)
    return count + (normalised(inputs, 4 * width, 1) if inputs != 4 * width else 0)


total, maps = normalised(3, 64, 7), 64
for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
    for _ in range(blocks):
        total += bottleneck(maps, width)
        maps = 4 * width
total += 2048 * 1000 + 1000
layers = 1 + 3 * (3 + 4 + 6 + 3) + 1
print(f"ResNet-{layers}: {total:,} parameters")

assert layers == 50 and total == 25_557_032
assert sum(p.numel() for p in models.create("resnet50").parameters()) == total

# %%
# DenseNet-121
# ------------
# Huang and others asked: why only to the next pair? In a dense block each layer sees the maps of *all*
# layers before it, side by side. Then each layer needs to add only a few maps of its own: 32, the
# *growth rate*. Between the blocks a 1x1 layer halves the number of maps, and pooling halves the
# image.

maps, total = 64, normalised(3, 64, 7)
seen = []
for block, blocks in enumerate((6, 12, 24, 16)):
    for _ in range(blocks):
        total += 2 * maps + maps * 128  # normalisation comes first here, then 1x1 to 128 maps
        total += 2 * 128 + 128 * 32 * 9  # then 3x3 to 32 more maps
        maps += 32
        seen.append(maps)
    if block < 3:
        total += 2 * maps + maps * (maps // 2)
        maps //= 2
total += 2 * maps + maps * 1000 + 1000
print(f"DenseNet-121: {total:,} parameters; maps at the end: {maps}")

assert 1 + 2 * (6 + 12 + 24 + 16) + 3 + 1 == 121 and total == 7_978_856
assert sum(p.numel() for p in models.create("densenet121").parameters()) == total

course.show(
    viz.plot_lines(
        {"DenseNet-121": {"maps": seen}}, np.arange(1, len(seen) + 1), ("dense layer", "maps it can see")
    ),
    "12_densenet.png",
)

# %%
# Less than a third of ResNet-50's weights. It has its price elsewhere: all those maps have to be kept.
#
# Both ideas are the same idea, by the way: leave a way open. One adds, the other puts side by side.
#
# Try this
# --------
# 1. With a pencil: ResNet-18 has pairs of 3x3 layers with 64, 128, 256, 512 maps, two pairs each.
#    Count to 11,689,512.
# 2. Set ``norm.weight`` of each second layer to zero at the start. What does the network with
#    shortcuts compute then?
# 3. Where exactly must the shortcut end, before or after the ReLU? Try both.
# 4. Put ``tc.cat`` in the place of the plus sign. What else has to change?
# 5. Train the plain 50 layers for ten times as long. Does it catch up?
#
# ``tinyconv/models/resnet.py``, ``densenet.py`` and ``resnet_cifar.py`` (with the plain networks of
# the paper); the same experiment with 20 and 56 layers is in ``docs/transfer.md``.
#
# Next: ``tinyconv learn 13``, what to do with only a handful of images.
