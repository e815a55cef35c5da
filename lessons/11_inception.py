"""
11. Inception: do not choose, take all
======================================

You build the module that does four things at once, see why the naive form explodes, shrink it with
1x1 filters, and count GoogLeNet, which is three times as deep as AlexNet with a tenth of its weights.

3x3 or 5x5 or pooling? The Inception module answers: yes.
"""

# %%
# What we need
# ------------

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, data, models, nn, viz
from tinyconv.models.googlenet import Inception, NaiveInception

QUICK = course.is_quick()  # TINYCONV_QUICK=1 only tries whether everything runs
EPOCHS = 1 if QUICK else 10


def count_weights(module):
    """Without biases and normalisation, as the slide counts: what has four dimensions."""
    return sum(p.numel() for p in module.parameters() if p.ndim == 4)


# %%
# Four answers, put on top of each other
# --------------------------------------
# How large should a filter be? It depends on what it is to find, and a nucleus may be near or far. So
# let filters of 1x1, 3x3 and 5x5, and a pooling, all look at the same maps, and stack their answers as
# channels. The next layer may choose. With padding all answers have the same height and width.

naive = NaiveInception(256, 128, 192, 96, bias=False)
x = tc.randn(1, 256, 28, 28)
y = naive(x)
print("in: ", tuple(x.shape))
print("out:", tuple(y.shape), "= 128 + 192 + 96 + 256 channels")

assert y.shape == (1, 128 + 192 + 96 + 256, 28, 28)

# %%
# Two things are wrong with it. The weights:

one = 256 * 1 * 1 * 128
three = 256 * 3 * 3 * 192
five = 256 * 5 * 5 * 96
print(f"1x1: {one:9,}\n3x3: {three:9,}\n5x5: {five:9,}\nall: {one + three + five:9,}")

assert one + three + five == count_weights(naive) == 1_089_536

# %%
# And the channels. Pooling keeps all 256, so the module can only become thicker: 672 come out where
# 256 went in. After nine such modules:

channels = [256]
for _ in range(9):
    channels.append(128 + 192 + 96 + channels[-1])
print(channels)

assert channels[-1] == 256 + 9 * 416 == 4_000

# %%
# A filter of 1x1 pixels
# ----------------------
# What is it good for, if it sees one pixel only? It sees all *channels* of that pixel. It is a dense
# layer, the same one at each place: from 256 numbers to 64. It keeps what is worth keeping, so to
# speak, and the expensive filters behind it have a quarter of the work. That is a *bottleneck*.

to_64 = nn.Conv2d(256, 64, 1)
dense = nn.Linear(256, 64)
dense.load_state_dict({"weight": to_64.weight.detach().flatten(1), "bias": to_64.bias.detach()})
at_a_place = dense(x[:, :, 5, 7])
assert np.allclose(at_a_place.detach().numpy(), to_64(x)[:, :, 5, 7].detach().numpy(), atol=1e-5)

bottlenecks = {
    "1x1": 256 * 128,
    "1x1 before the 3x3": 256 * 64,
    "3x3": 64 * 9 * 192,
    "1x1 before the 5x5": 256 * 64,
    "5x5": 64 * 25 * 96,
    "1x1 after the pooling": 256 * 64,
}
for name, count in bottlenecks.items():
    print(f"{name:22} {count:8,}")
module = Inception(256, 128, 64, 192, 64, 96, 64, largest=5)
fewer = count_weights(naive) / count_weights(module)
print(f"{'all':22} {sum(bottlenecks.values()):8,}: {fewer:.1f} times fewer")

assert sum(bottlenecks.values()) == count_weights(module) == 346_112

# %%
# More is done, and it costs a third. And 128 + 192 + 96 + 64 = 480 channels come out; pooling has a
# 1x1 filter behind it now.

assert module.eval()(x).shape == (1, 480, 28, 28)

# %%
# GoogLeNet
# ---------
# Nine modules, and a few ordinary layers before them. On the longest way there are 22 layers with
# weights. At the end there are no large dense layers: the mean over each of 1,024 maps, and one layer
# to 1,000 classes.

googlenet = models.create("googlenet", aux_logits=False)
count = sum(p.numel() for p in googlenet.parameters())
modules = [child for _, child in googlenet.named_children() if isinstance(child, Inception)]
print(f"{len(modules)} modules, {count:,} parameters; AlexNet has {62_378_344 / count:.1f} times as many")

longest = 0
for _, child in googlenet.named_children():  # one after the other; of a module's branches the longest counts
    branches = [branch for _, branch in child.named_children()] if isinstance(child, Inception) else [child]
    longest += max(sum(isinstance(m, nn.Conv2d | nn.Linear) for m in branch.modules()) for branch in branches)
print(f"layers with weights on the longest way: {longest}")

assert len(modules) == 9 and count == 6_624_904 and longest == 22

# %%
# The slides, and the paper, say *twelve* times. Let us be exact. This is the layout in which
# GoogLeNet's weights are handed around. It has 3x3 filters where the paper has 5x5, and normalisation.
# With the 5x5 filters there would be more weights, not fewer. Twelve times fewer than AlexNet would be
# about five million; GoogLeNet's filters without its last dense layer come near that. When somebody
# tells you a ratio, ask what was counted.

small = sum(module.branch3[1].conv.weight.numel() for module in modules)
print(f"with 5x5 filters: {count - small + small * 25 // 9:,} parameters")

assert all(module.branch3[1].conv.kernel_size == (3, 3) for module in modules) and small > 0
assert 5.1e6 < 62_378_344 / 12 < 5.3e6

last = sum(p.numel() for p in googlenet.fc.parameters())
print(f"without the last layer: {count - last:,}, {62_378_344 / (count - last):.1f} times fewer than AlexNet")

assert last == 1024 * 1000 + 1000 and 11 < 62_378_344 / (count - last) < 12

# %%
# Two helpers on the way
# ----------------------
# Twenty-two layers is far for a gradient (lesson 07). So in training two small classifiers sit in the
# middle of the network, and their losses, times 0.3, are added. They shout the mistake into the
# middle. Afterwards they are thrown away.

with_helpers = models.create("googlenet")
helpers = sum(p.numel() for p in with_helpers.parameters()) - count
print(f"the two helpers have {helpers:,} parameters, nearly as many as the network itself")

assert count + helpers == 13_004_888

# %%
# A little one
# ------------
# Two modules for the digits of scikit-learn, with 1x1, 3x3, 5x5 and pooling. Which of its four ways
# does it use?

digits = data.Digits()
images = np.stack([image for image, _ in digits])
labels = np.array([label for _, label in digits])


class LittleInception(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 16, 3, padding=1)
        self.one = Inception(16, 8, 8, 16, 4, 8, 8, largest=5)  # 40 channels
        self.two = Inception(40, 16, 16, 32, 8, 16, 16, largest=5)  # 80 channels
        self.last = nn.Linear(80, 10)
        self.silent = None  # a branch of the first module that is to say nothing

    def forward(self, x):
        x = F.relu(self.first(x))
        answers = [self.one.branch1(x), self.one.branch2(x), self.one.branch3(x), self.one.branch4(x)]
        if self.silent is not None:
            answers[self.silent] = answers[self.silent] * 0
        x = F.max_pool2d(tc.cat(answers, dim=1), 2)
        return self.last(self.two(x).mean((2, 3)))


def share_right(network):
    with tc.no_grad():
        return float((network(tc.tensor(images[1200:])).numpy().argmax(1) == labels[1200:]).mean())


tc.manual_seed(0)
network = LittleInception()
optimizer = tc.optim.Adam(network.parameters(), lr=5e-3)
order, right = np.random.default_rng(0), []
for _ in range(EPOCHS):
    network.train()
    for batch in order.permutation(1200).reshape(-1, 40):
        loss = F.cross_entropy(network(tc.tensor(images[batch])), tc.tensor(labels[batch]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    right.append(share_right(network))
count = sum(p.numel() for p in network.parameters())
print(f"{count:,} parameters, {right[-1]:.1%} of the held-out digits right")
assert QUICK or right[-1] > 0.9

without = {}
for branch, name in enumerate(("1x1", "3x3", "5x5", "pooling")):
    network.silent = branch
    without[name] = share_right(network)
    print(f"without the {name:7} of the first module: {without[name]:.1%}")
network.silent = None
assert QUICK or max(without.values()) < right[-1] - 0.05

course.show(
    viz.plot_lines(
        {"A little Inception": {"all four ways": right}},
        np.arange(1, EPOCHS + 1),
        ("epoch", "right, held out"),
    ),
    "11_training.png",
)

with tc.no_grad():
    x = F.relu(network.first(tc.tensor(images[1200:1201])))
    maps = [getattr(network.one, f"branch{i}")(x).numpy()[0, :2] for i in (1, 2, 3, 4)]
titles = [f"{name}, map {i}" for name in without for i in range(2)]
course.show(
    viz.feature_map_grid(np.concatenate(maps), titles=titles, image=images[1200, 0], columns=3, size=2.6),
    "11_branches.png",
)

# %%
# A network that was trained with four ways cannot do without any of them; but it is not equally sorry
# for each. On digits of 8x8 pixels a stroke is two pixels wide. Which filters fit?
#
# Try this
# --------
# 1. With a pencil: weights and multiplications of a 5x5 layer from 192 to 32 channels at 28x28, with
#    and without a 1x1 bottleneck to 16.
# 2. Two 3x3 in the place of the 5x5: how many weights are saved?
# 3. Train without bottlenecks (``NaiveInception``). Is it better? Slower?
# 4. Silence a branch *while training*. Does the network miss it afterwards?
# 5. Why may the helpers' losses not be added with factor 1 to the end?
#
# ``tinyconv/models/googlenet.py`` has the module in both forms and the whole network.
#
# Next: ``tinyconv learn 12``, where more layers are worse, and one plus sign mends it.
