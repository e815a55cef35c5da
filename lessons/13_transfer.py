"""
13. Transfer: what others have learned
======================================

You train a network on one task, keep it as a file that PyTorch could have written, and let it help
with another task for which there are only a handful of images. Then you see what it sees, in two
dimensions.

A physician has 40 images of a rare disease, not a million photographs. Learn first what images are
like, on those of others; then learn the disease.
"""

# %%
# What we need
# ------------

import tempfile
from pathlib import Path

import numpy as np
from sklearn.manifold import TSNE

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, data, models, nn, viz

QUICK = course.is_quick()  # TINYCONV_QUICK=1 only tries whether everything runs
SOURCE_STEPS, STEPS, DRAWS = (3, 2, 1) if QUICK else (1100, 80, 2)

# %%
# Two tasks
# ---------
# The slides ask in birdland: who has learned to tell male from female hummingbirds, by which features
# will he tell mammals? Our birds are the digits 0 to 5, of which there are plenty. Our mammals are 6 to
# 9, and of these we shall pretend to have few. So that it does not become too easy, each digit lies
# somewhere in an image of 14x14.

digits = data.Digits()
small = np.stack([image for image, _ in digits])
labels = np.array([label for _, label in digits])
lots = np.random.default_rng(0)


def placed(chosen):
    """The chosen digits, each at a place drawn by lot: (N, 1, 14, 14)."""
    canvas = np.zeros((len(chosen), 1, 14, 14), np.float32)
    for image, index, (top, left) in zip(canvas, chosen, lots.integers(0, 7, (len(chosen), 2)), strict=True):
        image[:, top : top + 8, left : left + 8] = small[index]
    return canvas


many, few = np.flatnonzero(labels <= 5), np.flatnonzero(labels >= 6)
images = placed(np.arange(len(labels)))  # of 6 to 9 we have each image once, where it happens to lie
few_train, few_test = few[:400], few[400:]
print(f"{len(many)} images of 0 to 5; of 6 to 9 {len(few_train)} to choose from, {len(few_test)} held out")


class LittleVGG(nn.Module):
    """Four convolutions and two dense layers, with the parts and names that VGG-16 has."""

    def __init__(self, classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2),
        )  # fmt: skip
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(32 * 3 * 3, 64), nn.ReLU(), nn.Linear(64, classes)
        )

    def forward(self, x):
        return self.classifier(self.features(x))


def train(network, batch_of, steps):
    """Train what may be trained; `batch_of` draws images and classes."""
    optimizer = tc.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=2e-3)
    lot = np.random.default_rng(0)
    for _ in range(steps):
        x, y = batch_of(lot)
        loss = F.cross_entropy(network(tc.tensor(x)), tc.tensor(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def share_right(network, x, y):
    with tc.no_grad():
        return float((network(tc.tensor(x)).numpy().argmax(1) == y).mean())


def birds(lot):
    chosen = lot.choice(many[:900], 48)
    return placed(chosen), labels[chosen]


tc.manual_seed(0)
source = LittleVGG(classes=6)
train(source, birds, SOURCE_STEPS)
source_right = share_right(source, images[many[900:]], labels[many[900:]])
print(f"0 to 5: {source_right:.1%} of the held-out ones right")

assert QUICK or source_right > 0.9

# %%
# A file to hand around
# ---------------------
# Weights travel as names and arrays. The names say where a layer is (``features.0``) and what the
# array is (``weight``, ``bias``); a filter array is (outputs, inputs, height, width). PyTorch uses the
# same names and the same order of axes, so the file is one for both. The format, *safetensors*, holds
# numbers and nothing else: a file from a stranger cannot run a program on your computer.

folder = Path(tempfile.mkdtemp())
tc.save(source.state_dict(), folder / "source.safetensors")
state = tc.load(folder / "source.safetensors")
for name, array in state.items():
    print(f"{name:22} {tuple(array.shape)}")

copy = LittleVGG(classes=6)
copy.load_state_dict(state)
assert share_right(copy, images[many[900:]], labels[many[900:]]) == source_right
assert tuple(state["features.2.weight"].shape) == (16, 16, 3, 3)

# %%
# The real ones are handed around in the same way: ``models.create("vgg16", weights="DEFAULT")`` downloads
# what VGG-16 has learned of 1.3 million photographs (see ``docs/transfer.md``). Its 138,357,544 numbers of
# four bytes are a file of 553 MB.
#
# Deep features
# -------------
# Thome's slides use such a network as it is: cut it off before its last layers, and take what comes out
# there as a description of the image, a row of numbers, the *deep features*. Murina's slides take 4,096 of
# them from VGG-16's first dense layer, *fc1*, before its activation:

assert round(138_357_544 * 4 / 1e6) == 553

vgg16 = models.create("vgg16", width=4)  # thin in front, so that it is small; width=64 is the real one
fc1 = models.feature_extractor(vgg16.eval(), "classifier.0")
with tc.no_grad():
    described = fc1(tc.rand(2, 3, 64, 64))
print("two images become", described.shape)

assert described.shape == (2, 4096)
del vgg16, fc1

# %%
# Who can look at 4,096 numbers, or at 64? *t-SNE* draws a map: each image is a point, and images whose
# rows are similar come to lie close to each other. (Far apart means little in such a map, and its axes
# mean nothing.) Here are the digits 6 to 9 by their pixels, and by fc1 of our network, which has never
# seen one of them. Also with a number: suppose that you know the names of ten of each, and call every
# other one what the nearest of these is called.

deep = models.feature_extractor(source.eval(), "classifier.1")
with tc.no_grad():
    features = deep(tc.tensor(images[few])).numpy()


def nearest_is_alike(rows, examples=10):
    """With so many examples of each: the share of the others whose nearest example has their label."""
    shares = []
    for draw in range(20):
        lot = np.random.default_rng(draw)
        order = lot.permutation(len(few))
        known = np.concatenate([order[labels[few][order] == digit][:examples] for digit in range(6, 10)])
        others = np.setdiff1d(order, known)
        distance = ((rows[others][:, None] - rows[known][None]) ** 2).sum(2)
        shares.append((labels[few][known][distance.argmin(1)] == labels[few][others]).mean())
    return np.mean(shares)


pixels = images[few].reshape(len(few), -1)
alike, maps = {}, {}
for name, rows in (("196 pixels", pixels), ("64 deep features", features)):
    alike[name] = nearest_is_alike(rows)
    print(f"{name}: {alike[name]:.0%} of the digits lie nearest to an example of their own kind")
    maps[name] = TSNE(init="pca", random_state=0, max_iter=250 if QUICK else 500).fit_transform(rows)
assert QUICK or alike["64 deep features"] > alike["196 pixels"] + 0.1

course.show(viz.plot_points(maps, labels[few] - 6, ["6", "7", "8", "9"]), "13_tsne.png")

# %%
# By their pixels, digits that lie at the same place are similar, whatever they are. The deep features
# have learned, on other digits, not to care about the place. That is what can be transferred.
#
# Four ways to use it
# -------------------
# How much of the network should you train anew? The slides give four regimes, by how much data there is:
#
# - *very small*: use the top layer's input as features; train only a linear classifier of them;
# - *small*: freeze the features, train the classifier part, both dense layers;
# - *more*: as above, and fine-tune the last of the filters;
# - *medium*: start from a shallower layer, all but the first filters.
#
# To *freeze* a layer is to compute no gradients for it, so that the optimiser leaves it alone. Which
# parameters are then left?


def transferred(regime):
    """The source's weights, a new last layer for 6 to 9, and what the regime trains."""
    network = LittleVGG(classes=6)
    network.load_state_dict(tc.load(folder / "source.safetensors"))
    network.classifier[3] = nn.Linear(64, 4)
    models.set_regime(network, regime)
    return network


regimes = ("very small", "small", "more", "medium")
for regime in regimes:
    trained = [p for p in transferred(regime).parameters() if p.requires_grad]
    print(
        f"{regime:10}: {len(trained):2} arrays, {sum(p.numel() for p in trained):6,} parameters are trained"
    )

# %%
# Now with 2, 5, 10, 25 and 80 images per class, and beside them a network that starts from nothing. Each
# point is the mean of two drawings of the few images.

AMOUNTS = (2, 5, 10, 25, 80)


def subset(per_class, draw):
    """Indices of so many training images of each of 6 to 9."""
    lot = np.random.default_rng(draw)
    return np.concatenate(
        [lot.choice(few_train[labels[few_train] == d], per_class, replace=False) for d in range(6, 10)]
    )


def reached(regime, per_class, draw):
    """Share of held-out 6 to 9 that are right after training in that way; None: from nothing."""
    tc.manual_seed(draw)
    network = transferred(regime) if regime else LittleVGG(classes=4)
    own = subset(per_class, draw)

    def mammals(lot):
        chosen = lot.choice(own, min(32, len(own)), replace=False)
        return images[chosen], labels[chosen] - 6

    train(network, mammals, STEPS)
    return share_right(network, images[few_test], labels[few_test] - 6)


curves = {}
for regime in (None, *regimes):
    name = regime or "from nothing"
    curves[name] = [np.mean([reached(regime, n, draw) for draw in range(DRAWS)]) for n in AMOUNTS]
    print(f"{name:12}", *(f"{share:6.1%}" for share in curves[name]))

course.show(
    viz.plot_lines(
        {"6 to 9, after learning 0 to 5": curves},
        np.array(AMOUNTS),
        ("images per class", "right, held out"),
        log="x",
    ),
    "13_regimes.png",
)

# %%
# Read the curves from left to right. With two images per class every weight more is a weight too many:
# the linear classifier is best, and the network that starts from nothing can only guess. With more
# images those regimes win that may change more. Starting from nothing has not caught up anywhere in this
# figure. These are the slide's four lines, measured.

if not QUICK:
    least, most = ({name: curve[place] for name, curve in curves.items()} for place in (0, -1))
    assert max(least, key=least.get) == "very small" and min(least, key=least.get) == "from nothing"
    assert least["from nothing"] < 0.35  # a guess is right in one of four cases
    assert max(most, key=most.get) == "medium" and min(most, key=most.get) == "from nothing"

# %%
# Which mistakes are left?
# ------------------------
# The best of all networks, once more, on 80 images per class. A *confusion matrix* has a row for each
# true class, and in it what the network took it for.

tc.manual_seed(0)
last = transferred("medium")
own = subset(80, draw=0)


def mammals(lot):
    chosen = lot.choice(own, 32, replace=False)
    return images[chosen], labels[chosen] - 6


train(last, mammals, STEPS)
with tc.no_grad():
    answers = last(tc.tensor(images[few_test])).numpy().argmax(1)
matrix = np.zeros((4, 4), int)
np.add.at(matrix, (labels[few_test] - 6, answers), 1)
print(matrix)

assert matrix.sum() == len(few_test)

course.show(viz.plot_confusion(matrix, ["6", "7", "8", "9"]), "13_confusion.png")

# %%
# One warning comes with the slide: *the more different the domain is, the less effective is transfer*.
# Digits and digits are close. Photographs and X-rays are not, and still the first filters, edges and
# spots, serve both; it is the last ones that do not.
#
# Try this
# --------
# 1. Swap the tasks: learn 6 to 9 first. Is that as good a start?
# 2. Learn shapes first (``data.SyntheticShapes``, made smaller). Are these features good for digits?
# 3. Use a source that has learned nothing, ``LittleVGG(6)`` as it is made, in the regime "very small".
#    How good are *random* features?
# 4. Draw the map of ``"features.9"``, the last pooling, in the place of fc1. What is it sorted by?
# 5. In which regime does a batch cost most time, and why not in the one with fewest weights?
#
# ``tinyconv/models/transfer.py`` has the regimes and the feature extractor; ``tinyconv/io/safetensors.py``
# reads and writes the file.
#
# Next: ``tinyconv learn 14``, where the dense layers at the end become filters.
