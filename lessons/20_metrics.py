"""
20. Second opinions
===================

You read the tables of a paper on hearts and compute their columns yourself. Then you ask several networks
and take the mean of their answers, with a small theorem about what that can and cannot bring. At the end one
network says where the next one has to look.

One physician may err, so a second one is asked. How would you know that this helps? By measuring what
matters, and that is the first half of the lesson.
"""

# %%
# What we need
# ------------

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, data, metrics, models, viz

QUICK = course.is_quick()  # TINYCONV_QUICK=1 only tries whether everything runs
HEARTS, STEPS, BODIES, BODY_STEPS = (4, 2, 3, 2) if QUICK else (8, 80, 24, 120)

# %%
# What physicians want to know
# ----------------------------
# Bernard's slides show the results of Isensee's networks on hearts (2017) in two tables. One has
# *anatomical metrics*: the Hausdorff distance in mm, 6.2 for the left ventricle, where two experts are 7.1
# apart and the same expert on two days 4.7. The other has *clinical metrics*: how well the ejection
# fraction correlates with that of the experts, 0.997. What are these?
#
# Here are hearts made by the program: a slice through the left ventricle, over one beat. The blood is
# 1, the muscle around it 2.

FRAMES, SIZE = 8, 48
MM = (8.0, 1.5, 1.5)  # the slice is 8 mm thick, a pixel 1.5 mm wide


def hearts(count, seed):
    """Images (N, 1, T, H, W) of a bad scanner, and labels (N, T, H, W)."""
    pairs = list(data.SyntheticHeart(count, size=SIZE, frames=FRAMES, seed=seed))
    images, labels = np.stack([image for image, _ in pairs]), np.stack([mask[0] for _, mask in pairs])
    noise = 0.3 * np.random.default_rng(seed).standard_normal(images.shape)
    return (images + noise).astype(np.float32), labels


images, labels = hearts(HEARTS, seed=0)
images_test, labels_test = hearts(6 if QUICK else 16, seed=1)
truth = labels_test[0, 0] == 1  # the blood, filled
found = np.roll(truth, 2, axis=1)  # an answer that is two pixels off

# %%
# *Dice* and *IoU* measure the overlap; each follows from the other, so to report both is to report one
# twice. The *Hausdorff distance* measures the outline: go to the worst point of one, and from there to the
# nearest one of the other. Two pixels off are 3 mm.

counts = metrics.count(found, truth)
apart = metrics.hausdorff(found, truth, MM[1:])
print(f"Dice {counts.dice:.3f}, IoU {counts.iou:.3f}, Hausdorff {apart:.1f} mm")

assert np.isclose(counts.iou, counts.dice / (2 - counts.dice)) and apart == 3.0

# %%
# The heart's work is the *ejection fraction*: which share of the blood leaves the ventricle in a beat?
# Measure the volume when it is filled and when it is emptied; in our slice:


def ejection(labels):
    """Percent, for hearts (N, T, H, W)."""
    volumes = [[metrics.volume(heart[t : t + 1] == 1, MM) for t in (0, FRAMES // 2)] for heart in labels]
    return metrics.ejection_fraction(*np.maximum(volumes, 1).T)  # a network may find no blood at all


true_ejection = ejection(labels_test)
print("ejection fractions in percent:", true_ejection[:6].round(1))

# %%
# Now the trap. Somebody's program makes all fractions too small, by a third and then by five percent
# more. How well does it correlate?

fooled = 2 / 3 * true_ejection - 5
agreement = metrics.bland_altman(fooled, true_ejection)
correlation = np.corrcoef(fooled, true_ejection)[0, 1]
print(f"correlation {correlation:.3f}; bias {agreement.bias:.1f} percent")

assert np.isclose(correlation, 1) and agreement.bias < -15

# %%
# A perfect correlation, and every patient is ill. Correlation asks whether the points lie on *a* line;
# Bland and Altman (1986) ask whether the two say the same: the mean of the differences, the *bias*, and
# limits between which 95 % of the differences are expected. When a table shows you a correlation, ask for
# those.
#
# Four opinions
# -------------
# Isensee's answer to the heart is an *ensemble*: U-Nets in 2D and in 3D, each trained by itself, and the
# mean of their probabilities. Our third axis is time: the 2D networks see one frame, the 3D ones see how
# it goes on. Two of each, from different starts.


def fit(network, draw, steps, loss_of=F.cross_entropy):
    """Train on what `draw` gives for a generator: inputs and labels."""
    optimizer, lot = tc.optim.Adam(network.parameters(), lr=5e-3), np.random.default_rng(0)
    for _ in range(steps):
        x, y = draw(lot)
        loss = loss_of(network(tc.tensor(x)), tc.tensor(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()


def probabilities(network, x):
    with tc.no_grad():
        return F.softmax(network(tc.tensor(x)), 1).numpy().astype(np.float64)


def frames_of(x):
    """Hearts (N, 1, T, H, W) as single frames (N T, 1, H, W)."""
    return np.ascontiguousarray(x.swapaxes(1, 2)).reshape(-1, 1, SIZE, SIZE)


def draw_hearts(dims):
    def draw(lot):
        chosen = lot.choice(HEARTS, 2, replace=False)
        if dims == 3:
            return images[chosen], labels[chosen]
        return frames_of(images[chosen]), labels[chosen].reshape(-1, SIZE, SIZE)

    return draw


WIDTHS = (8, 16, 32)
answers = {}  # (N, 3, T, H, W) each
for seed in (0, 1):
    for dims in (2, 3):
        tc.manual_seed(seed)
        name, x = ("unet_bn", frames_of(images_test)) if dims == 2 else ("unet3d_bn", images_test)
        network = models.create(name, in_channels=1, num_classes=3, widths=WIDTHS, padding=1)
        answer = probabilities(fit(network, draw_hearts(dims), STEPS), x)
        if dims == 2:
            answer = answer.reshape(-1, FRAMES, 3, SIZE, SIZE).swapaxes(1, 2)
        answers[f"{dims}D, start {seed}"] = answer
mean = np.mean(list(answers.values()), axis=0)

# %%
# A theorem
# ---------
# How wrong is a probability? Take the squared distance to the truth, the *Brier score*: for each pixel the
# sum over the classes of (p - t)², where t is 1 for the true class. Whatever the networks say, and whatever
# is true,
#
# .. math:: \frac1M \sum_m (p_m - t)^2 = (\bar p - t)^2 + \frac1M \sum_m (p_m - \bar p)^2
#
# The mean of the scores is the score of the mean, plus how far the networks disagree. So the mean is never
# worse than the networks are *on average*, and better by exactly as much as they differ. (Write p_m - t as
# (p_m - mean) + (mean - t), and square.)

is_class = np.eye(3)[labels_test].transpose(0, 4, 1, 2, 3)


def brier(probability):
    return ((probability - is_class) ** 2).sum(1).mean()


each = {name: brier(answer) for name, answer in answers.items()}
spread = np.mean([((answer - mean) ** 2).sum(1).mean() for answer in answers.values()])
average = np.mean(list(each.values()))
print(f"mean of the four scores {average:.5f} = score of the mean {brier(mean):.5f} + spread {spread:.5f}")

assert np.isclose(average, brier(mean) + spread) and brier(mean) <= average

# %%
# What does the theorem not say? That the mean beats the *best* of the four. That Dice gets better: Dice
# is no squared distance. And four copies of one network have no spread at all. Here is what came out:


def row_of(probability):
    """Brier score, Dice of blood and muscle, Hausdorff distance (mm), bias and limits of the fraction."""
    said = probability.argmax(1)
    dice = metrics.count_classes(said, labels_test, 3).sum().dice
    pairs = zip(said.reshape(-1, SIZE, SIZE) == 1, labels_test.reshape(-1, SIZE, SIZE) == 1, strict=True)
    apart = np.mean([metrics.hausdorff(a, b, MM[1:]) for a, b in pairs if a.any()])
    fraction = ejection(said)
    agreement = metrics.bland_altman(fraction, true_ejection)
    correlation = np.corrcoef(fraction, true_ejection)[0, 1]
    return (
        brier(probability),
        dice[1],
        dice[2],
        apart,
        agreement.bias,
        agreement.standard_deviation,
        correlation,
    )


print(f"{'':12}   Brier  Dice blood  muscle  Hausdorff  EF: bias     SD  correlation")
for name, answer in (*answers.items(), ("mean of four", mean)):
    row = row_of(answer)
    print("{:12} {:7.4f} {:11.3f} {:7.3f} {:7.1f} mm {:9.1f} {:6.1f} {:12.3f}".format(name, *row))

agreement = metrics.bland_altman(ejection(mean.argmax(1)), true_ejection)
course.show(viz.plot_agreement(agreement, "%", "Ejection fraction, mean of four"), "20_ejection.png")

# %%
# The mean need not be the best in any column; but without the truth nobody knows which of the four would
# have been. And look at the last three: a fraction may correlate well, and be too small nearly everywhere.
#
# Is the mean as sure as it should be? Of all pixels about which it says "90 %", nine of ten should be
# right. The *expected calibration error* is the mean gap between what is said and what is right. One thing
# is certain before we look: the mean is never surer than the four are on average, as the largest of the
# mean probabilities is at most the mean of the largest ones. That can heal networks that are too sure, and
# spoil those that were right to be sure.


def calibration(probability):
    """How sure it is on average, and the expected calibration error."""
    rows = np.moveaxis(probability, 1, -1).reshape(-1, 3)
    return rows.max(1).mean(), metrics.expected_calibration_error(rows, labels_test.ravel())


sure = {}
for name, answer in (*answers.items(), ("mean of four", mean)):
    sure[name], error = calibration(answer)
    print(f"{name:12} is {sure[name]:.1%} sure; calibration error {error:.4f}")
assert sure["mean of four"] <= np.mean([sure[name] for name in answers])

shown = [answer[0, :, 0] for answer in (*answers.values(), mean)]  # the first frame of the first heart
disagree = np.var(shown[:-1], axis=0).sum(0)
pictures = [images_test[0][:, 0], viz.label_image(labels_test[0, 0])]
pictures += [*(viz.label_image(answer.argmax(0)) for answer in shown), disagree[None] / disagree.max()]
titles = ["image", "truth", *answers, "mean of four", "where they disagree"]
course.show(viz.titled_images(pictures, titles, columns=4, size=3.0), "20_opinions.png")

# %%
# They disagree at the outlines, and wherever noise looks like tissue. That map costs nothing more, and it
# tells a physician where to look again.
#
# First find, then look closer
# ----------------------------
# The other way to use several networks is one after the other. "Exploit prior knowledge between organs, e.g.
# tumors only in liver", says Thome's slide. Christ and others (2016) have one network find the liver, and a
# second one look for lesions in it: a *cascade*. Here are made bodies, each with an organ, and lesions in the
# organ: 0 is outside, 1 organ, 2 lesion.

DEPTH, SIDE = 16, 64
BODY_MM = data.SyntheticOrgan.spacing  # 2.5 mm from slice to slice, pixels of 1.5 mm


def bodies(count, seed):
    """Volumes (N, 1, D, H, W) in units of 100 HU, and labels (N, D, H, W)."""
    pairs = list(data.SyntheticOrgan(count, size=SIDE, depth=DEPTH, seed=seed))
    volumes, masks = (np.stack(arrays) for arrays in zip(*pairs, strict=True))
    noise = 0.3 * np.random.default_rng(seed).standard_normal(volumes.shape)
    return (volumes.clip(-100, 200) / 100 + noise).astype(np.float32), masks.sum(1).astype(np.int64)


scans, tissues = bodies(BODIES, seed=0)
scans_test, tissues_test = bodies(3 if QUICK else 10, seed=1)

# %%
# An organ is large. So the first network looks at half the resolution, at an eighth of the voxels. The
# second one gets the box around what was found, with a margin, at full resolution.


def half(volume):
    """A volume (D, H, W) at half the resolution: the means of 2x2x2 voxels."""
    depth, height, width = (side // 2 for side in volume.shape)
    return volume.reshape(depth, 2, height, 2, width, 2).mean((1, 3, 5))


def twice(volume):
    """Each voxel of (D, H, W) as 2x2x2 voxels."""
    return volume.repeat(2, 0).repeat(2, 1).repeat(2, 2)


def box_around(mask, margin=2):
    """The slices of a box around a mask (D, H, W); its sides can be halved twice."""
    box = []
    for axis, side in enumerate(mask.shape):
        places = np.flatnonzero(mask.any(tuple({0, 1, 2} - {axis})))
        first, last = (places[0], places[-1]) if len(places) else (0, side - 1)
        length = min(-(-(last - first + 1 + 2 * margin) // 4) * 4, side)
        start = int(np.clip(first - margin, 0, side - length))
        box.append(slice(start, start + length))
    return tuple(box)


def both_losses(scores, labels):
    """Cross-entropy, and Dice of all classes but the first, as lesions are small (lesson 17)."""
    there = F.one_hot(labels, scores.shape[1]).permute(0, 4, 1, 2, 3)[:, 1:].float()
    return F.cross_entropy(scores, labels) + F.dice_loss(F.softmax(scores, 1)[:, 1:], there)


def trained_on(inputs, labels, classes, steps):
    """A network trained on volumes (D, H, W) of any sizes, one in each step, and their labels."""
    tc.manual_seed(0)
    network = models.create("unet3d_bn", in_channels=1, num_classes=classes, widths=WIDTHS, padding=1)

    def draw(lot):
        chosen = lot.integers(len(inputs))
        return inputs[chosen][None, None].astype(np.float32), labels[chosen][None].copy()

    return fit(network, draw, steps, both_losses)


boxes = [box_around(labels > 0) for labels in tissues]
crops = [scan[0][box] for scan, box in zip(scans, boxes, strict=True)]
in_crops = [labels[box] for labels, box in zip(tissues, boxes, strict=True)]
small = [half(scan[0]) for scan in scans]
in_small = [(half(labels > 0) > 0.5).astype(np.int64) for labels in tissues]
in_all, in_boxes = (tissues == 2).mean(), np.mean([(labels == 2).mean() for labels in in_crops])
used = np.mean([crop.size for crop in crops]) / scans[0].size
print(f"lesions are {in_all:.2%} of all voxels, and {in_boxes:.2%} of those in the boxes")
print(f"a box has {used:.0%} of the voxels: with the coarse look the cascade computes {1 / 8 + used:.0%}")

assert in_boxes > 1.5 * in_all

# %%
# So the second task is less lopsided than the whole. The rival does everything at once: one network, the
# whole volume at full resolution. Training it may cost as much as training the two of the cascade, so that it
# takes fewer steps.

finder = trained_on(small, in_small, 2, 2 * BODY_STEPS)
closer = trained_on(crops, in_crops, 3, BODY_STEPS)
at_once = trained_on(scans[:, 0], tissues, 3, round(BODY_STEPS * (2 / 8 + used)))


def look(network, volume):
    """The most probable class of each voxel of (D, H, W)."""
    return probabilities(network, np.ascontiguousarray(volume)[None, None]).argmax(1)[0]


said = {"coarse": [], "cascade": [], "at once": []}
lost = 0
for scan, labels in zip(scans_test[:, 0], tissues_test, strict=True):
    organ = twice(look(finder, half(scan)))
    box = box_around(organ)
    in_box = np.zeros_like(labels)
    in_box[box] = look(closer, scan[box])
    said["coarse"].append(organ)
    said["cascade"].append(in_box)
    said["at once"].append(look(at_once, scan))
    lost += (labels == 2).sum() - (labels[box] == 2).sum()

# %%
# Two things follow from how a cascade is built, whatever it has learned. Outside the box there is no false
# alarm. And what the first network has cut away the second one never sees: so the box has a margin, and
# the loss is counted.

print(f"{lost} of {(tissues_test == 2).sum():,} lesion voxels are outside of the boxes")
print("Dice and Hausdorff distance (95 %, mm); false alarms outside the organ")
print(f"{'':8} {'organ':>14} {'lesions':>14} {'alarms':>8}")
of_lesions = {}
for name, answers in said.items():
    row = []
    for least in (1, 2):
        pairs = [
            (answer >= least, labels >= least) for answer, labels in zip(answers, tissues_test, strict=True)
        ]
        row.append(metrics.count(*map(np.stack, zip(*pairs, strict=True))).dice)
        row.append(np.median([metrics.hausdorff_95(*pair, BODY_MM) for pair in pairs]))
    alarms = ((np.stack(answers) == 2) & (tissues_test == 0)).sum()
    numbers = "{:9.3f} {:4.1f} {:9.3f} {:4.1f}".format(*row) + f" {alarms:8}"
    print(f"{name:8}", numbers if name != "coarse" else numbers[:14])
    of_lesions[name] = row[2]
assert QUICK or of_lesions["cascade"] > of_lesions["at once"] + 0.1

deep = (tissues_test == 2).sum((2, 3)).argmax(1)  # of each body the slice with most of the lesions
pictures, titles = [], []
for index in (0, 1):
    layers = [labels[index][deep[index]] for labels in (tissues_test, *said.values())]
    box = box_around(said["coarse"][index])
    frame = np.zeros((SIDE, SIDE), bool)
    frame[box[1:]] = True
    pictures += [viz.overlay(scans_test[index, :, deep[index]] / 3 + 0.33, frame)]
    pictures += map(viz.label_image, layers)
    titles += ["a slice, the box", "truth", *said] if index == 0 else [""] * 5
course.show(viz.titled_images(pictures, titles, columns=5, size=2.8), "20_cascade.png")

# %%
# The coarse look finds the organ well enough for a box, and the second one draws it finer. Of the lesions the
# cascade finds far more than the rival, for which they were a rare thing. But look at the last column: a box
# is not an organ. Between the outline of the organ and the side of the box there is tissue as dark as a
# lesion, and the second network takes some of it for one. What was known beforehand, that a lesion lies *in*
# the organ, has been used for the box only.
#
# Try this
# --------
# 1. With a pencil: four experts say 0.9, 0.7, 0.8 and 0.2, and it is true. Compute both sides of the
#    theorem.
# 2. Train the four members for three times as long. What becomes of their spread, and of what the mean
#    brings?
# 3. ``data.average_views`` asks one network about mirrored and turned images. Is that an ensemble?
# 4. Take the median of the four probabilities in the place of the mean. Does the theorem hold?
# 5. Let the cascade keep lesions only where ``coarse`` has found the organ. What becomes of the false alarms,
#    and of the lesions at the rim?
# 6. Margins of 0, 2 and 6 voxels: which share of the lesions is lost, and what does the second look cost?
# 7. Train the rival for as many steps as the second network. What did it cost, and is it as good now?
#
# ``tinyconv/metrics/`` has every number of this lesson, ``tinyconv/data/averaging.py`` the ensembles.
