"""
19. Volumes: a third dimension
==============================

You give a filter depth, count the 3D U-Net by hand, find out what a voxel costs, and meet two things
that look exactly alike in every single slice. Then you train a V-Net to find an organ.

A scanner gives slices, but a patient is not made of slices. "3D volumes vs 2D images" is one of the ways
in which, on Thome's slides, medical images differ from photographs.
"""

# %%
# What we need
# ------------

import time

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, data, metrics, models, nn, viz

QUICK = course.is_quick()  # TINYCONV_QUICK=1 only tries whether everything runs
STEPS, VOLUMES = (2, 4) if QUICK else (110, 16)
VNET_STEPS, BODIES = (2, 4) if QUICK else (60, 24)

# %%
# A filter with depth
# -------------------
# Arrays get one more axis: (N, C, D, H, W), D for depth, slice after slice. A 3x3x3 filter has 27
# weights for each channel. What does it do? What three filters of 3x3 do, one on this slice and one each
# on its neighbours, and their answers added:

volume, weight = tc.randn(1, 1, 3, 6, 7, dtype=tc.float64), tc.randn(1, 1, 3, 3, 3, dtype=tc.float64)
at_once = F.conv3d(volume, weight)
by_slices = sum(F.conv2d(volume[:, :, k], weight[:, :, k]) for k in range(3))
print(tuple(volume.shape), "->", tuple(at_once.shape), "with", weight.numel(), "weights")

assert at_once.shape == (1, 1, 1, 4, 5)
assert np.allclose(at_once.numpy()[:, :, 0], by_slices.numpy())

# %%
# So nothing in a 3D network is new, but its size. The 3D U-Net (Çiçek and others, 2016) has four levels;
# each has two convolutions of 3x3x3, the second with more filters. What enlarges has 2x2x2 filters and
# keeps its channels, and then the copy comes across (lesson 16). By hand:

widths = (64, 128, 256, 512)
by_hand, before = 0, 3
for width in widths:  # down: first half as many filters, then all
    by_hand += (27 * before + 1) * (width // 2) + (27 * width // 2 + 1) * width
    before = width
for width in widths[-2::-1]:  # up: enlarge, lay the copy beside it, two convolutions
    by_hand += 8 * before * before
    by_hand += (27 * (before + width) + 1) * width + (27 * width + 1) * width
    before = width
by_hand += (before + 1) * 3  # three classes
print(f"3D U-Net: {by_hand:,} parameters")

assert by_hand == 19_069_955 == sum(p.numel() for p in models.create("unet3d").parameters())

# %%
# It does not pad: 132x132x116 voxels go in, and those in the middle come out. Each convolution takes a
# voxel off on all sides.


def comes_out(side):
    for _ in range(3):
        side = (side - 4) // 2
    side -= 4
    for _ in range(3):
        side = 2 * side - 4
    return side


print("132 x 132 x 116 ->", " x ".join(str(comes_out(side)) for side in (132, 132, 116)))

assert [comes_out(side) for side in (132, 132, 116)] == [44, 44, 28]

# %%
# The V-Net (Milletari and others, the same year) takes 5x5x5 filters, does not pool but convolves with
# stride 2, and adds the input of each stage to its output (lesson 12). In a plane two 3x3 have 18 weights
# where one 5x5 has 25 (lesson 08). With depth the difference is larger, and V-Net pays for it:

print(f"5x5x5: {5**3} weights, two 3x3x3: {2 * 3**3}")
print(f"V-Net: {sum(p.numel() for p in models.create('vnet').parameters()):,} parameters")

# %%
# What a voxel costs
# ------------------
# For training, every map of every layer is kept until backward has passed. The calculator of
# ``tinyconv summary`` says how much that is for each voxel of the input; multiply by the number of voxels.

side = 16
table = nn.summary(models.create("unet3d", padding=1), (3, side, side, side))
flat = nn.summary(models.create("unet", in_channels=3, padding=1), (3, side, side))
sizes = {"slice of 512x512": flat.activation_bytes * (512 / side) ** 2}
for name, voxels in (("tile of 132x132x116", 132 * 132 * 116), ("CT of 300x512x512", 300 * 512 * 512)):
    sizes[name] = table.activation_bytes * voxels / side**3
for name, needed in sizes.items():
    print(f"{name:20} {needed / 1e9:6.1f} GB")
print(f"multiply-adds per voxel: {table.multiply_adds / side**3:,.0f}")

assert sizes["tile of 132x132x116"] < 10e9 < 200e9 < sizes["CT of 300x512x512"]

# %%
# A slice fits everywhere, the tile of the paper onto a graphics card, a whole CT onto hardly any. So
# volumes are cut into *tiles*. If nothing is padded, that changes no number at all: what comes out of a
# tile is what would have come out there of the whole (with pooling, where tiles begin at a multiple of
# the pooled sizes). Only the rims are computed more than once.

tc.manual_seed(0)
two_layers = nn.Sequential(nn.Conv3d(1, 4, 3), nn.ReLU(), nn.Conv3d(4, 1, 3))
whole_volume = tc.randn(1, 1, 20, 20, 20)
with tc.no_grad():
    whole = two_layers(whole_volume).numpy()[0, 0]
    tiled = np.empty_like(whole)
    for corner in np.ndindex(2, 2, 2):  # eight tiles of 12 voxels a side, of each of which 8 remain
        cut = tuple(slice(8 * k, 8 * k + 12) for k in corner)
        place = tuple(slice(8 * k, 8 * k + 8) for k in corner)
        tiled[place] = two_layers(whole_volume[(..., *cut)]).numpy()[0, 0]
print(f"read {8 * 12**3 / 20**3:.2f} times; largest difference {abs(tiled - whole).max():.1g}")

assert np.allclose(tiled, whole, atol=1e-5)

# %%
# Why bother?
# -----------
# Slices are cheap. Why not look at one after the other? Because of things like these. In the lung a
# *nodule* is a ball, and a *vessel* a tube; in a slice, both are a bright disc. We make volumes of both,
# such that it is as bad as can be: the radius of a tube is drawn by the same lot as the radius of a disc
# that a slice cuts out of a ball.

DEPTH, SIZE, RADIUS = 24, 40, 4.0
Z, DOWN, ACROSS = np.indices((DEPTH, SIZE, SIZE))


def lungs(count, seed):
    """Volumes (N, 1, D, H, W), nodules and vessels (N, D, H, W)."""
    lot = np.random.default_rng(seed)
    nodules, vessels = np.zeros((2, count, DEPTH, SIZE, SIZE), bool)
    for ball, tube in zip(nodules, vessels, strict=True):
        for _ in range(lot.integers(3, 7)):
            z, down, across = lot.uniform(0, (DEPTH, SIZE, SIZE))
            ball |= (Z - z) ** 2 + (DOWN - down) ** 2 + (ACROSS - across) ** 2 <= RADIUS**2
        for _ in range(lot.integers(1, 4)):
            (down, across), off_centre = lot.uniform(0, SIZE, 2), lot.uniform(0, RADIUS)
            tube |= (DOWN - down) ** 2 + (ACROSS - across) ** 2 <= RADIUS**2 - off_centre**2
    noise = 0.3 * lot.standard_normal(nodules.shape)
    return ((nodules | vessels) + noise).astype(np.float32)[:, None], nodules.astype(np.int64), vessels


volumes, nodules, _ = lungs(VOLUMES, seed=0)
volumes_test, nodules_test, vessels_test = lungs(VOLUMES // 2, seed=1)

both = nodules_test.sum((1, 3)) * vessels_test.sum((1, 3))  # (N, H)
one, row = np.unravel_index(both.argmax(), both.shape)  # the volume, and the row to cut it at
place = (nodules_test[one].sum((1, 2)) * vessels_test[one].sum((1, 2))).argmax()
kinds = np.where(nodules_test > 0, 2, vessels_test.astype(np.int64))[one]  # 0 neither, 1 vessel, 2 nodule


def two_cuts(array):
    """A slice of a volume (D, H, W), and a cut along its depth, both through nodules and vessels."""
    return [array[place], array[:, row]]


grey = [cut[None] / 2 + 0.25 for cut in two_cuts(volumes_test[one, 0])]
course.show(
    viz.titled_images(
        [grey[0], grey[1], *map(viz.label_image, two_cuts(kinds))],
        ["a slice", "a cut along the depth", "blue vessels, orange nodules", "depth goes down"],
        columns=4,
        size=3.2,
    ),
    "19_alike.png",
)

# %%
# In the slice nobody can tell them apart, in the cut a child can. So we know before any training what the
# best network can reach that is given one slice. A share p of all bright voxels are nodules; it cannot
# know which. If it colours all of them, it has found all nodules, and Dice is 2 p / (1 + p).

p = nodules_test.sum() / ((nodules_test > 0) | vessels_test).sum()
bound = 2 * p / (1 + p)
print(f"{p:.0%} of the bright voxels are nodules: Dice {bound:.3f} at best from one slice")

# %%
# Four networks of the same four layers. Three are flat: they are given one slice; or a slice and its
# neighbours, three or nine together, as if they were the colours of an image. The fourth has filters
# with depth. They are trained with the Dice loss (lesson 17): cross-entropy would say of a disc that it is
# more likely a vessel, and colour nothing.


def stacks(volumes, number):
    """Each slice with its neighbours as channels: (N D, number, H, W); at the ends the last one again."""
    more = number // 2
    padded = np.pad(volumes[:, 0], [(0, 0), (more, more), (0, 0), (0, 0)], mode="edge")
    return np.stack([padded[:, k : k + DEPTH] for k in range(number)], 2).reshape(-1, number, SIZE, SIZE)


def network(convolution, normalisation, channels, width):
    tc.manual_seed(0)
    layers = []
    for before in (channels, *[width] * 3):
        layers += [convolution(before, width, 3, padding=1, bias=False), normalisation(width), nn.ReLU()]
    return nn.Sequential(*layers, convolution(width, 2, 1))


def dice_loss(scores, mask):
    """Of all voxels of a batch together."""
    return F.dice_loss(F.softmax(scores, 1)[:, 1].reshape(1, 1, -1), mask.reshape(1, 1, -1).float())


def fit(net, x, y, x_test, batch):
    """Probabilities of nodule of the test inputs after training, and the seconds that it took."""
    optimizer, lot, began = tc.optim.Adam(net.parameters(), lr=1e-2), np.random.default_rng(0), time.time()
    for _ in range(STEPS):
        chosen = lot.choice(len(x), batch, replace=False)
        loss = dice_loss(net(tc.tensor(x[chosen])), tc.tensor(y[chosen]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    net.eval()
    with tc.no_grad():
        answers = [F.softmax(net(tc.tensor(x_test[k : k + batch])), 1) for k in range(0, len(x_test), batch)]
    return np.concatenate([answer.numpy()[:, 1] for answer in answers]), time.time() - began


found, table = {}, {"Dice of the nodules": {}}
for name, number in (("one slice", 1), ("3 slices", 3), ("9 slices", 9), ("3D", 0)):
    if number:
        net = network(nn.Conv2d, nn.BatchNorm2d, number, 16)
        x, y, x_test = stacks(volumes, number), nodules.reshape(-1, SIZE, SIZE), stacks(volumes_test, number)
        batch = 2 * DEPTH
    else:
        net = network(nn.Conv3d, nn.BatchNorm3d, 1, 8)
        x, y, x_test, batch = volumes, nodules, volumes_test, 2
    probability, took = fit(net, x, y, x_test, batch)
    found[name] = probability.reshape(nodules_test.shape)
    table["Dice of the nodules"][name] = metrics.count(found[name], nodules_test).dice
    count = sum(parameter.numel() for parameter in net.parameters())
    print(f"{name:9}: Dice {table['Dice of the nodules'][name]:.3f}, {count:6,} weights, {took:4.1f} s")

reached = table["Dice of the nodules"]
if not QUICK:
    assert reached["one slice"] < bound + 0.05
    assert min(reached["9 slices"], reached["3D"]) > bound + 0.15

course.show(viz.plot_bars(table, form="{:.2f}"), "19_dice.png")
shown, titles = [], []
for cut, title in enumerate(("a slice", "along the depth")):
    shown += [grey[cut], viz.label_image(two_cuts(kinds)[cut])]
    shown += [two_cuts(found[name][one])[cut][None] for name in ("one slice", "9 slices", "3D")]
    titles += [title, "truth", "one slice", "9 slices", "3D"]
course.show(viz.titled_images(shown, titles, columns=5, size=2.8), "19_found.png")

# %%
# The network with one slice reaches what it can, and that is little. Three slices help somewhat: a ball
# becomes wider or narrower from one to the next, a tube does not. Nine slices hold a whole ball, and so do
# four layers of 3x3x3, which see nine voxels each way. Look at the numbers soberly: "3D" is not magic. What
# matters is that the neighbours are *seen*. A flat network that is given them as channels must learn
# filters for each place in the stack, and answers for one slice at a time; a filter with depth is the same
# at each depth, as a filter in a plane is the same at each place.
#
# V-Net at work
# -------------
# Its authors looked for the prostate in MRI volumes, one organ in each. Ours is a made organ in a made body,
# in a bad scanner. In the organ are lesions. They belong to it, but are about as dark as what lies around.


def bodies(count, seed):
    """Volumes (N, 1, D, H, W), organs and lesions (N, D, H, W)."""
    pairs = list(data.SyntheticOrgan(count, size=32, depth=16, seed=seed))
    volumes, masks = (np.stack(arrays) for arrays in zip(*pairs, strict=True))
    noise = 0.5 * np.random.default_rng(seed).standard_normal(volumes.shape)
    scanned = volumes.clip(-100, 200) / 100 + noise  # a unit is 100 Hounsfield units
    return scanned.astype(np.float32), *masks.astype(np.int64).swapaxes(0, 1)


scans, organs, _ = bodies(BODIES, seed=0)
scans_test, organs_test, lesions_test = bodies(4 if QUICK else 12, seed=1)

# %%
# What can be had without a network? The best of all limits: a voxel that is brighter is organ.

limits = np.linspace(0, 2, 41)
limit = max(limits, key=lambda value: metrics.count(scans[:, 0] > value, organs).dice)
bright = scans_test[:, 0] > limit
print(f"brighter than {100 * limit:.0f} HU: Dice {metrics.count(bright, organs_test).dice:.3f}")

# %%
# And with one? A V-Net of three stages in the place of five, with the loss of its paper, Dice. While it
# learns, the held-out volumes are looked at now and then.

tc.manual_seed(0)
vnet = models.create("vnet", widths=(8, 16, 32))
optimizer, lot, lines = tc.optim.Adam(vnet.parameters(), lr=5e-4), np.random.default_rng(0), []


def organ_found():
    """Probabilities of organ in the held-out volumes (N, D, H, W)."""
    with tc.no_grad():
        answers = [F.softmax(vnet(tc.tensor(scan[None])), 1).numpy()[0, 1] for scan in scans_test]
    return np.stack(answers)


for step in range(VNET_STEPS):
    chosen = lot.choice(BODIES, 2, replace=False)
    loss = dice_loss(vnet(tc.tensor(scans[chosen])), tc.tensor(organs[chosen]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    lines.append({"step": step + 1, "loss": loss.item()})
    if step % 10 == 9 or step == VNET_STEPS - 1:
        lines[-1]["held out_dice"] = metrics.count(organ_found(), organs_test).dice

course.show(viz.plot_curves(lines), "19_vnet_curve.png")

# %%
# How much of each lesion did the two give to the organ, where it belongs?

by_vnet = organ_found()
for name, answer in (("brightness", bright), ("V-Net", by_vnet > 0.5)):
    of_lesions = (answer & (lesions_test == 1)).sum() / lesions_test.sum()
    dice = metrics.count(answer, organs_test).dice
    apart = np.median(
        [
            metrics.hausdorff_95(a, b, data.SyntheticOrgan.spacing)
            for a, b in zip(answer, organs_test, strict=True)
        ]
    )
    print(f"{name:10}: Dice {dice:.3f}, {of_lesions:.0%} of the lesions, Hausdorff (95 %) {apart:.1f} mm")

if not QUICK:
    assert metrics.count(by_vnet, organs_test).dice > metrics.count(bright, organs_test).dice + 0.05

shown, titles = [], []
for index in (0, 1):
    deep = int(lesions_test[index].sum((1, 2)).argmax())  # the slice with most of the lesions
    answers = (bright[index, deep], by_vnet[index, deep] > 0.5)
    marked = viz.label_image(organs_test[index, deep] + lesions_test[index, deep])
    shown += [scans_test[index, :, deep] / 3 + 0.33, marked]
    shown += [viz.error_image(organs_test[index, deep], answer) for answer in answers]
    titles += ["a slice", "organ, lesions", "brightness", "V-Net"] if index == 0 else [""] * 4
course.show(viz.titled_images(shown, titles, columns=4, size=3.2), "19_vnet.png")

# %%
# (Grey is right, orange was found where no organ is, blue was missed.) One voxel says little in such noise,
# and a limit can never give a dark lesion to the organ. The V-Net asks what is around: it fills the lesions,
# and its mistakes lie at the outline, where a voxel is 1.5 mm wide and 2.5 mm thick.
#
# Voxels are not cubes
# --------------------
# A scanner's slices lie farther apart than the pixels in them: 2.5 mm, say, and 0.7 mm. So a ball in the
# body is no ball in the array. And "one voxel off" is two quite different mistakes. A ball of 10 mm, and
# the same one moved by one voxel, along the depth and to the side:

spacing = (2.5, 0.7, 0.7)


def ball(shift):
    """A ball of radius 10 mm, moved by so many voxels along each axis."""
    places = np.stack([(axis - 20 - by) * mm for axis, by, mm in zip(GRID, shift, spacing, strict=True)])
    return (places**2).sum(axis=0) <= 10**2


GRID = np.indices((41, 41, 41))
truth = ball((0, 0, 0))
millilitres = metrics.volume(truth, spacing) / 1000
print(f"volume {millilitres:.2f} ml, of a true ball {4 / 3 * np.pi:.2f} ml")
for name, shift in (("along the depth", (1, 0, 0)), ("to the side", (0, 0, 1))):
    moved = ball(shift)
    apart = metrics.hausdorff(moved, truth, spacing)
    print(f"{name:15}: Dice {metrics.count(moved, truth).dice:.3f}, Hausdorff {apart:.1f} mm", end="")
    print(f" ({metrics.hausdorff(moved, truth):.0f} in voxels)")

assert metrics.hausdorff(ball((1, 0, 0)), truth, spacing) == 2.5
assert np.isclose(metrics.hausdorff(ball((0, 0, 1)), truth, spacing), 0.7)
assert abs(millilitres - 4 / 3 * np.pi) < 0.1

# %%
# Counted in voxels the two mistakes are alike; in millimetres one is more than three times the other. A
# distance or a volume without the spacing says nothing about a patient.
#
# Try this
# --------
# 1. With a pencil: how large is what comes out of the 3D U-Net for 148x148x148? Which sizes may go in?
# 2. Lay the vessels along the slices in the place of across. Is one slice still not enough?
# 3. Give the flat network all three cuts through a voxel (three directions, one slice each). Does it
#    tell balls from tubes now? That is what is done where volumes do not fit.
# 4. A vessel that ends looks like half a nodule. Make some, and see what the 3D network says.
# 5. Networks do not know millimetres. How many do three filters of 3x3x3 see along the depth and to the
#    side, with voxels of 2.5 x 0.7 x 0.7 mm? Where would you put filters of 1x3x3?
# 6. Train the V-Net with a learning rate of 2e-3. Its loss may jump to 0.9 and stay there. Print the largest
#    and the smallest probability: where has the gradient of the softmax gone?
# 7. Train ``models.create("vnet", num_classes=4, widths=(8, 16, 32))`` on ``data.SyntheticTissue``, the
#    tissues of a made head (Adam, learning rate 5e-4). Is it better than the brightness of each voxel?
#
# ``tinyconv/models/unet3d.py`` and ``vnet.py`` are the networks, ``tinyconv/data/tiling.py`` cuts volumes,
# ``tinyconv/metrics/surface.py`` measures in millimetres.
#
# Next: ``tinyconv learn 20``, which asks several networks, and measures what physicians ask for.
