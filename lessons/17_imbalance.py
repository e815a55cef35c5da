"""
17. One pixel in a hundred
==========================

You watch a network find nothing, and be right about 99 of 100 pixels. Then you change one line, the loss,
and it finds the lesions: by weights, by Dice in three forms, and by the focal loss.

In a mammogram a cancer covers 0.5 to 1.2 % of the pixels. Whoever says "healthy" of every pixel is
nearly always right, and of no use.
"""

# %%
# What we need
# ------------

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, data, metrics, nn, train, viz

QUICK = course.is_quick()  # TINYCONV_QUICK=1 only tries whether everything runs
STEPS, IMAGES = (3, 8) if QUICK else (120, 96)

np.set_printoptions(precision=3, suppress=True)

# %%
# Why cross-entropy says nothing
# ------------------------------
# No network yet. One number per pixel, its brightness: a healthy pixel has 0 on average, a lesion's
# pixel 2, both with a spread of 1, and one pixel in a hundred is lesion. What is the probability that a
# pixel of brightness x is lesion? Bayes knows, and a network trained with cross-entropy learns just
# that, however large it is:

x = np.linspace(-3, 6, 181)
lesion, healthy = 0.01 * np.exp(-((x - 2) ** 2) / 2), 0.99 * np.exp(-(x**2) / 2)
probability = lesion / (lesion + healthy)
limit = x[probability > 0.5][0]
found = lesion[x > limit].sum() / lesion.sum()
print(
    f"more likely lesion than not from a brightness of {limit:.2f} on, which {found:.0%} of its pixels have"
)

assert 3.2 < limit < 3.4 and found < 0.15

# %%
# Nine of ten lesion pixels are, taken by themselves, more likely healthy. So cross-entropy is not
# *wrong*: it gives the true probability of each pixel. We have asked the wrong question. "Is this
# pixel more likely lesion?" No. "Which pixels, taken together, overlap best with the lesion?" That is
# another question, and Dice asks it. Try all limits:

dice, limits = [], x[20:]
for at in limits:
    hit, false = lesion[x >= at].sum(), healthy[x >= at].sum()
    dice.append(2 * hit / (hit + false + lesion.sum()))
best = int(np.argmax(dice))
of_half = dice[list(limits).index(limit)]
at_best = probability[x == limits[best]][0]
print(f"limit {limit:.2f} (probability 0.50): Dice {of_half:.3f}")
print(f"limit {limits[best]:.2f} (probability {at_best:.2f}): Dice {dice[best]:.3f}")

assert dice[best] > 1.4 * of_half
assert abs(at_best - dice[best] / 2) < 0.03  # a theorem: the best limit is half of the best Dice

course.show(
    viz.plot_lines(
        {
            "What a pixel tells": {"probability of lesion": probability, "0.5": np.full(x.shape, 0.5)},
            "Dice of all pixels above": {"Dice": np.interp(x, limits, dice, left=np.nan)},
        },
        x,
        ("brightness", ""),
    ),
    "17_one_number.png",
)

# %%
# Images
# ------
# Now with neighbours, and a network. Bright spots on noise; and of three spots that look alike only one
# is a lesion, as only a biopsy could tell. Lesions cover one pixel in a hundred, spots three.

SIZE = 48


def lesions(count, seed):
    """Images (N, 1, H, W) and masks (N, H, W); a spot is a lesion with probability 1/3."""
    lot = np.random.default_rng(seed)
    rows, columns = np.indices((SIZE, SIZE))
    spots, masks = np.zeros((2, count, SIZE, SIZE), bool)
    for spot, mask in zip(spots, masks, strict=True):
        for _ in range(lot.integers(3, 7)):
            place, radius = lot.uniform(4, SIZE - 4, 2), lot.uniform(1.6, 2.9)
            disc = np.hypot(rows - place[0], columns - place[1]) <= radius
            spot |= disc
            if lot.random() < 1 / 3:
                mask |= disc
    images = 1.5 * spots + 0.6 * lot.standard_normal(spots.shape)
    return images[:, None].astype(np.float32), masks.astype(np.int64)


images, masks = lesions(IMAGES, seed=0)
images_test, masks_test = lesions(8 if QUICK else 60, seed=1)
share = masks.mean()
print(f"lesions cover {share:.2%} of the pixels; the empty answer is right for {1 - share:.2%}")

assert QUICK or 0.007 < share < 0.014

course.show(
    viz.titled_images(
        [
            *(image / 3 + 0.3 for image in images_test[:4]),
            *(mask[None].astype(float) for mask in masks_test[:4]),
        ],
        ["image"] * 4 + ["lesions"] * 4,
        columns=4,
        size=2.8,
    ),
    "17_lesions.png",
)

# %%
# The losses
# ----------
# Each takes the scores (N, 2, H, W) and the mask; p is the probability of lesion, t is 1 in a lesion.
#
# - *Cross-entropy*: the mean of -log of the probability that was given to the truth.
# - *Weighted cross-entropy*: the same, but a lesion pixel counts as much as all of its kind are rarer.
# - *Focal loss* (Lin and others): times (1 - probability given to the truth)², so that what is nearly
#   right hardly counts. By itself it still asks pixel by pixel; it goes with weights as well.
# - *Dice loss* (Milletari and others): 1 - 2 Σ p t / (Σ p + Σ t).
# - *Generalised Dice* (Sudre and others): both classes in one fraction, each with a weight of one over
#   its size squared.
# - *Generalised Wasserstein Dice* (Fidon and others): with several classes some confusions are worse
#   than others; a table says how far apart the classes are. With two classes there is one distance, 1.

weights = tc.tensor(np.array([0.5 / (1 - share), 0.5 / share], np.float32))
distances = tc.tensor(np.array([[0.0, 1.0], [1.0, 0.0]], np.float32))


def probabilities(scores):
    return F.softmax(scores, 1)


def one_hot(mask):
    return F.one_hot(mask, 2).permute(0, 3, 1, 2).float()


losses = {
    "cross-entropy": lambda s, t: F.cross_entropy(s, t),
    "weighted cross-entropy": lambda s, t: F.cross_entropy(s, t, weight=weights),
    "focal, weighted": lambda s, t: F.focal_loss(s, t, weight=weights, gamma=2.0),
    "Dice": lambda s, t: F.dice_loss(probabilities(s)[:, 1:], one_hot(t)[:, 1:]),
    "generalised Dice": lambda s, t: F.generalised_dice_loss(probabilities(s), one_hot(t)),
    "Wasserstein Dice": lambda s, t: F.generalised_wasserstein_dice_loss(probabilities(s), t, distances),
}

# %%
# The formulas by hand, for one image of four pixels, so that nobody has to believe them:

p, t = np.array([0.9, 0.4, 0.2, 0.1]), np.array([1, 1, 0, 0])
by_hand = 1 - 2 * (p * t).sum() / (p.sum() + t.sum())
sizes = np.array([(1 - t).sum(), t.sum()])
overlap = np.array([((1 - p) * (1 - t)).sum(), (p * t).sum()]) / sizes**2
both = np.array([(2 - p - t).sum(), (p + t).sum()]) / sizes**2
generalised = 1 - 2 * overlap.sum() / both.sum()
given = np.where(t, p, 1 - p)
focal = (-((1 - given) ** 2) * np.log(given)).mean()
print(f"Dice {by_hand:.4f}, generalised {generalised:.4f}, focal {focal:.4f}")

P = tc.tensor(np.stack([1 - p, p])[None, :, None])  # (1, 2, 1, 4)
T = tc.tensor(t[None, None])
assert np.isclose(F.dice_loss(P[:, 1:], one_hot(T).double()[:, 1:], smooth=0).item(), by_hand)
assert np.isclose(F.generalised_dice_loss(P, one_hot(T).double()).item(), generalised)
assert np.isclose(F.focal_loss(P.log(), T).item(), focal)
wasserstein = F.generalised_wasserstein_dice_loss(P, T, distances.double(), smooth=0).item()
assert np.isclose(wasserstein, by_hand)  # with two classes it is the Dice loss of the lesions

# %%
# Six times the same network
# --------------------------
# The same start, the same images in the same order. Only the line with the loss differs.


def network():
    """Four layers of filters that see 15x15 pixels; a score for each class and pixel."""
    tc.manual_seed(0)
    layers, before = [], 1
    for width, dilation in ((12, 1), (12, 2), (12, 3), (12, 1)):
        layers += [nn.Conv2d(before, width, 3, padding=dilation, dilation=dilation, bias=False)]
        layers += [nn.BatchNorm2d(width), nn.ReLU()]
        before = width
    return nn.Sequential(*layers, nn.Conv2d(before, 2, 1))


def fit(loss_of):
    """Held-out probabilities of lesion (N, H, W) after training."""
    net, lot = network(), np.random.default_rng(0)
    optimizer = tc.optim.Adam(net.parameters())
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = 8e-3 * train.warmup_cosine(step / STEPS)
        batch = lot.choice(IMAGES, 8, replace=False)
        loss = loss_of(net(tc.tensor(images[batch])), tc.tensor(masks[batch]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    net.eval()
    with tc.no_grad():
        return probabilities(net(tc.tensor(images_test))).numpy()[:, 1]


answers, table = {}, {"Dice": {}, "lesion pixels found": {}, "all pixels right": {}}
for name, loss_of in losses.items():
    answers[name] = fit(loss_of)
    counts = metrics.count(answers[name], masks_test)
    table["Dice"][name] = counts.dice
    table["lesion pixels found"][name] = counts.true_positive / masks_test.sum()
    table["all pixels right"][name] = ((answers[name] > 0.5) == masks_test).mean()
    print(f"{name:23}", *(f"{title} {row[name]:.3f}  " for title, row in table.items()))

if not QUICK:
    assert table["lesion pixels found"]["cross-entropy"] < 0.02
    assert all(found > 0.6 for name, found in table["lesion pixels found"].items() if name != "cross-entropy")
    assert max(table["all pixels right"], key=table["all pixels right"].get) == "cross-entropy"

course.show(viz.plot_bars(table, form="{:.2f}"), "17_losses.png")
shown = ("cross-entropy", "weighted cross-entropy", "Dice")
rows, titles = [], []
for index in range(3):
    rows += [images_test[index] / 3 + 0.3, masks_test[index][None].astype(float)]
    rows += [answers[name][index][None] for name in shown]
    titles += ["image", "truth", *shown] if index == 0 else [""] * 5
course.show(viz.titled_images(rows, titles, columns=5, size=2.6), "17_answers.png")

# %%
# Cross-entropy has the highest share of right pixels of all, and finds next to nothing: its threshold is
# hardly ever reached. But look at its answers: it *has* seen the spots. It says of each, in grey, "about
# one third", and that is the truth. The weights have changed the question to "more than one in a
# hundred?"; the Dice losses have asked for overlap, and drop what they doubt most. None of them can tell
# a lesion from a spot, so that two thirds of what they show are false alarms: the best Dice that anybody
# can reach here is 2 · 1/3 / (1 + 1/3) = 0.5.

best_possible = 2 * (1 / 3) / (1 + 1 / 3)
assert np.isclose(best_possible, 0.5)
if not QUICK:
    spots = answers["Dice"] > 0.5
    says, truth = answers["cross-entropy"][spots].mean(), masks_test[spots].mean()
    print(f"in the spots cross-entropy gives lesions a probability of {says:.2f}; their share is {truth:.2f}")
    assert abs(says - truth) < 0.1 and max(table["Dice"].values()) < best_possible

# %%
# Weights of single pixels
# ------------------------
# U-Net's authors had another imbalance: between two cells that nearly touch lies a line of background,
# a pixel wide. It hardly counts, and without it two cells are one. They gave such pixels a weight:
#
# .. math:: w(x) = w_c(x) + w_0 \exp\left(-\frac{(d_1(x) + d_2(x))^2}{2 \sigma^2}\right)
#
# with the distances to the nearest and the second nearest cell, w0 = 10, sigma = 5 pixels.

cells = np.zeros((40, 60), int)
rows, columns = np.indices(cells.shape)
cells[np.hypot(rows - 20, columns - 17) <= 11.3] = 1
cells[np.hypot(rows - 20, columns - 42) <= 11.3] = 2
weight_map = data.border_weights(cells, w0=10.0, sigma=5.0, class_weights=(1.0, 1.0))
gap = np.flatnonzero(cells[20] == 0)
between = gap[(gap > 17) & (gap < 42)]
d1, d2 = between[0] - 28, 31 - between[0]
by_hand = 1 + 10 * np.exp(-((d1 + d2) ** 2) / (2 * 5.0**2))
print(f"the gap in the middle is {len(between)} pixels wide; {d1} and {d2} pixels away: {by_hand:.2f}")

assert np.isclose(weight_map[20, between[0]], by_hand)
assert weight_map[0, 0] < 1.1 and (weight_map[cells > 0] == 1).all()

course.show(
    viz.feature_map_grid(
        weight_map[None], titles=["weights"], image=(cells > 0).astype(float), columns=2, size=4.2
    ),
    "17_border_weights.png",
)

# %%
# ``F.weighted_pixel_cross_entropy(scores, mask, weight_map)`` multiplies each pixel's cross-entropy with
# it. The same tool, then: say what matters.
#
# Try this
# --------
# 1. With a pencil: weighted cross-entropy with weights 1 and 99 on the first example. From which
#    brightness on does it say lesion?
# 2. Train with cross-entropy, and put the threshold at 0.2 in the place of 0.5. What do you get for
#    nothing?
# 3. Focal loss without weights (``weight=None``): does it find anything? Why not? (Its best answer for
#    a spot is still below one half.)
# 4. Let every spot be a lesion. Which losses are better now?
# 5. Three classes, healthy, benign, malignant: which distances would you give the Wasserstein loss?
#
# ``tinyconv/ops/overlap_loss.py`` and ``pixel_loss.py`` are the losses, ``tinyconv/data/border_weights.py``
# the map of the U-Net.
#
# Next: ``tinyconv learn 18``, a network with very little to carry.
