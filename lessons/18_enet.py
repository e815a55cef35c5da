"""
18. ENet: small on purpose
==========================

You take a network apart that has one eightieth of the U-Net's parameters, weigh each of its tricks, and
measure with gradients how far its dilated filters see. Then comes a question that nobody can answer
without looking far.

A network that runs in an ambulance, or in a hand-held scanner, has no large graphics card. Bernard's
slide says of ENet (Paszke and others, 2016): *exploit all the good ideas to create a light and efficient
network*.
"""

# %%
# What we need
# ------------

import tempfile
import time
from pathlib import Path

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, models, nn, viz
from tinyconv.models.enet import Bottleneck, Initial

QUICK = course.is_quick()  # TINYCONV_QUICK=1 only tries whether everything runs
STEPS, PAIRS, FRAMES = (2, 8, [(160, 96)]) if QUICK else (120, 60, [(640, 360), (1280, 720), (1920, 1080)])

# %%
# The bill
# --------
# What does a network cost? Its parameters are what you store. Its *multiply-adds* are what you compute:
# every filter is applied at every place, so a layer at full size is dear even if it is small. These grow
# with the number of pixels; here are those for each pixel of the image.

networks = {
    "U-Net": models.create("unet", in_channels=3, num_classes=19, padding=1),
    "SegNet": models.create("segnet", num_classes=19),
    "ENet": models.create("enet"),
}
SIDE = 64
tables = {name: nn.summary(network.eval(), (3, SIDE, SIDE)) for name, network in networks.items()}
bill = {"parameters": {}, "multiply-adds": {}}
for name, table in tables.items():
    print(f"{name:7} {table.parameters:10,} parameters, {table.multiply_adds // SIDE**2:7,} multiply-adds")
    bill["parameters"][name] = table.parameters / tables["ENet"].parameters
    bill["multiply-adds"][name] = table.multiply_adds / tables["ENet"].multiply_adds

assert tables["ENet"].parameters == 364_634
assert all(min(times["U-Net"], times["SegNet"]) > 80 for times in bill.values())

course.show(viz.plot_bars(bill, "times as many as ENet has", form="{:.0f}"), "18_bill.png")

# %%
# The slide has "0.37 M" and "network size < 6 MB". Check both, the second with a file. (Batch
# normalisation also keeps a mean and a variance of each map. They are not learned, but they are stored.)

state = networks["ENet"].state_dict()
numbers = sum(array.numel() for name, array in state.items() if not name.endswith("num_batches_tracked"))
file = Path(tempfile.mkdtemp()) / "enet.safetensors"
tc.save(state, file)
print(f"{numbers:,} numbers are stored, in {file.stat().st_size / 1e6:.2f} MB")

assert round(numbers / 1e6, 2) == 0.37 and file.stat().st_size < 6e6

# %%
# Where does it save so much? The slide names the image in reduced dimensions, a residual network, and
# features pooling; the paper has two ideas more. You know nearly all of them.
#
# Idea 1: away from full size, at once
# ------------------------------------
# The U-Net begins with 64 filters at full size. ENet's *initial block* halves the image in its very first
# layer, by 13 filters with stride 2. Beside them the image itself is pooled: 13 maps and 3 colours make
# 16.

first = {
    name: sum(row.multiply_adds for row in tables[name].rows if row.name.startswith(block)) / SIDE**2
    for name, block in (("U-Net", "encoder.0"), ("ENet", "initial"))
}
print("multiply-adds per pixel of the first block:", first)

assert first == {"U-Net": 9 * (3 * 64 + 64 * 64), "ENet": 9 * 3 * 13 / 4}

image = tc.rand(1, 3, 32, 32)
initial = networks["ENet"].initial
together = tc.cat([initial.conv(image), initial.pool(image)], dim=1)
assert together.shape == (1, 16, 16, 16)
assert np.array_equal(together.detach().numpy()[:, 13:], F.max_pool2d(image, 2).numpy())

# %%
# Idea 2: features pooling, and a shortcut
# ----------------------------------------
# All its other layers are *bottlenecks*. A 1x1 filter pools 128 features into 32 (lesson 11), a 3x3
# works on those 32, another 1x1 makes 128 again, and all that is added to what came in (lesson 12). It
# is a pooling over channels in the place of pixels, and it is learned.

block = networks["ENet"].stage2[0]
weights = [p.numel() for p in block.parameters() if p.ndim == 4]
print("in ENet:    ", " + ".join(f"{count:,}" for count in weights), f"= {sum(weights):,}")
print(f"without it: 3 * 3 * 128 * 128 = {9 * 128 * 128:,}, {9 * 128 * 128 / sum(weights):.1f} times as many")

assert weights == [128 * 32, 9 * 32 * 32, 32 * 128] and 9 * 128 * 128 / sum(weights) > 8

# %%
# Idea 3: a column and a row
# --------------------------
# A column of 5x1 and then a row of 1x5 see 5x5 pixels with 10 weights in the place of 25. What is lost?
# The two can only do what is a product of a column and a row, as this edge is. Any other 5x5 filter is a
# sum of such products, of as many as its rank as a matrix says.

filters = {
    "edge": np.outer([1.0, 2, 4, 2, 1], [-2, -1, 0, 1, 2]),
    "ring": np.array([[0.0, 1, 1, 1, 0], *[[1, 0, 0, 0, 1]] * 3, [0, 1, 1, 1, 0]]),
    "diagonal": np.eye(5),
}
needs = {name: np.linalg.matrix_rank(wanted) for name, wanted in filters.items()}
print("products of a column and a row:", ", ".join(f"{name} {rank}" for name, rank in needs.items()))

assert needs == {"edge": 1, "ring": 2, "diagonal": 5}

# %%
# In the network 32 maps lie between the columns and the rows, so that each answer is a sum of 32 such
# products. Nothing is impossible then; but all answers share the same 32 columns.
#
# Idea 4: filters with holes
# --------------------------
# A 3x3 filter of *dilation* d looks at nine pixels that are d apart. It spans 2 d + 1 pixels, and still
# has nine weights and nine multiplications. Four layers, one after the other, all weights 1: which
# pixels does the number in the middle depend on? Its gradient by the image says so (lesson 08), and also
# by how many ways each pixel is reached.


def reached_from_the_middle(*layers, side=41):
    """The gradient (side, side) of the number in the middle by an image; layers as (size, dilation)."""
    x = tc.zeros(1, 1, side, side, requires_grad=True)
    y = x
    for size, dilation in layers:
        y = F.conv2d(y, tc.ones(1, 1, *size), padding="same", dilation=dilation)
    y[0, 0, side // 2, side // 2].backward()
    return x.grad.numpy()[0, 0].round(3)


footprints = {
    ", ".join(map(str, dilations)): reached_from_the_middle(*(((3, 3), d) for d in dilations))
    for dilations in ((1, 1, 1, 1), (1, 2, 4, 8), (2, 2, 2, 2))
}
seen = {}
for name, ways in footprints.items():
    rows = np.flatnonzero(ways.any(axis=1))
    seen[name] = (int(rows[-1] - rows[0] + 1), int((ways > 0).sum()))
    print(f"dilations {name}: spans {seen[name][0]} pixels, looks at {seen[name][1]}, with 36 weights")

assert seen == {"1, 1, 1, 1": (9, 81), "1, 2, 4, 8": (31, 31**2), "2, 2, 2, 2": (17, 81)}
assert (reached_from_the_middle(((5, 1), 1), ((1, 5), 1)) > 0).sum() == 25  # idea 3: with 10 weights

maps, titles = np.stack(list(footprints.values())), [f"dilations {name}" for name in footprints]
course.show(
    viz.feature_map_grid(maps, titles=titles, shared_scale=False, columns=3, size=3.4), "18_footprints.png"
)

# %%
# Doubled from layer to layer, four filters see 31x31 pixels and miss none. The same dilation four times
# spans 17, but three of four pixels are never looked at: a net with holes. That is why ENet takes turns:
# 3x3, dilation 2, column and row, dilation 4, 3x3, dilation 8, column and row, dilation 16.
#
# How far does that reach? The calculator of lesson 08, at the end of each part of ENet, and then with
# 3x3 filters everywhere:


def sees(network):
    """The receptive field in pixels at the end of each part."""
    fields = {}
    for row in nn.summary(network, (3, SIDE, SIDE)).rows:
        fields[row.name.split(".")[0]] = row.receptive_field[0]
    return fields


ordinary = models.create("enet")
for section in (ordinary.stage2, ordinary.stage3):
    for index in range(8):
        section[index] = Bottleneck(128)
with_tricks, without_tricks = sees(networks["ENet"]), sees(ordinary)
for part in ("initial", "stage1", "stage2", "stage3"):
    print(f"{part:8} sees {with_tricks[part]:5} pixels, with 3x3 only {without_tricks[part]:4}")
more = sum(p.numel() for p in ordinary.parameters()) - tables["ENet"].parameters

assert (with_tricks["stage3"], without_tricks["stage3"]) == (1217, 321)
assert more == 4 * (9 - 10) * 32**2

# %%
# Nearly four times as far, and the bill is the same: a column and a row have ten weights, a 3x3 has nine.
#
# Does one need it?
# -----------------
# Only if the answer lies far away; on most images of 64x64 pixels, 321 pixels are more than enough. So
# let us take a question that cannot be answered from near. On a radiograph the patient's right lung may
# be on either side, it depends on how he stood. Somebody lays a lead letter on the right side. Colour
# the right lung and the left one.

SIZE = 48
DOWN, ACROSS = np.indices((SIZE, SIZE))


def radiographs(count, seed):
    """Images (2 count, 1, H, W) and names (2 count, H, W): 1 right lung, 2 left one, 0 neither.

    They come in pairs of twins, the same but for the letter, which lies once here, once there.
    """
    lot = np.random.default_rng(seed)
    images = np.empty((count, 2, SIZE, SIZE), np.float32)
    names = np.zeros((count, 2, SIZE, SIZE), np.int64)
    for twins, twin_names in zip(images, names, strict=True):
        body, lungs = 0.6 + 0.06 * lot.standard_normal((SIZE, SIZE)), []
        for middle in (13, SIZE - 14):
            row, column, shrink = 33 + lot.uniform(-2, 2), middle + lot.uniform(-2, 2), lot.uniform(0.9, 1)
            lungs.append(np.hypot((DOWN - row) / 11, (ACROSS - column) / 8) <= shrink)
        body[lungs[0] | lungs[1]] -= 0.4
        top, left = lot.integers(1, 4), lot.integers(3, 9)
        for side, place in enumerate((left, SIZE - left - 4)):
            twins[side] = body
            twins[side, top : top + 4, place : place + 4] = 1
            twin_names[side, lungs[side]], twin_names[side, lungs[1 - side]] = 1, 2
    return images.reshape(-1, 1, SIZE, SIZE), names.reshape(-1, SIZE, SIZE)


images, names = radiographs(PAIRS, seed=0)
images_test, names_test = radiographs(10, seed=1)

# %%
# Two networks of ENet's own parts, an initial block and five bottlenecks. They have the same number of
# weights, the same multiply-adds, and the same weights at the start. Only the holes differ.


def little(dilations):
    tc.manual_seed(0)
    blocks = [Bottleneck(32, dropout=0.0, dilation=d) for d in dilations]
    return nn.Sequential(Initial(1, 32), *blocks, nn.ConvTranspose2d(32, 3, 2, stride=2))


def fit(network):
    """The names (N, H, W) that it gives to the test images after training."""
    optimizer, lot = tc.optim.Adam(network.parameters(), lr=5e-3), np.random.default_rng(0)
    for _ in range(STEPS):
        batch = lot.choice(len(images), 8, replace=False)
        loss = F.cross_entropy(network(tc.tensor(images[batch])), tc.tensor(names[batch]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    with tc.no_grad():
        return network(tc.tensor(images_test)).numpy().argmax(1)


answers, share, looks = {}, {}, {}
for dilations in ((1, 1, 1, 1, 1), (1, 2, 4, 8, 16)):
    name = "dilations " + ", ".join(map(str, dilations))
    network = little(dilations)
    table = nn.summary(network, (1, SIZE, SIZE))
    began = time.perf_counter()
    answers[name] = fit(network)
    took = time.perf_counter() - began
    share[name] = (answers[name] == names_test)[names_test > 0].mean()
    x = tc.tensor(images_test[:1], requires_grad=True)
    network(x)[0, 1, 26, 13].backward()  # a pixel high up in the lung at the left of the image
    looks[name] = np.abs(x.grad.numpy()[0, 0])
    print(f"{name}: {table.parameters:,} weights, {table.multiply_adds:,} multiply-adds, {took:.0f} s")
    print(f"  sees {table.rows[-1].receptive_field[0]} pixels; {share[name]:.1%} of the lungs' pixels right")

near, far = share.values()
assert near <= 0.5 and (QUICK or far > 0.95)

rows, titles = [], []
for index in range(2):
    maps = [labels[index] for labels in (names_test, *answers.values())]
    rows += [images_test[index], *map(viz.label_image, maps)]
    titles += ["image", "truth", *answers] if index == 0 else [""] * 4
course.show(viz.titled_images(rows, titles, columns=4, size=3.0), "18_lungs.png")

# %%
# The first network is right for half of the pixels at best, and not by bad luck. The twins look the same
# within all that it can see from a lung; so it must say the same of both, and of one of them it is wrong.
# No training and no further weight helps. Here is where the two look for one pixel of the lung below the
# letter (roots of the gradients, so that the weak ones show):

letter = images_test[0, 0] == 1
nearest, farthest = ((gradient * letter).max() for gradient in looks.values())
print(f"largest gradient at the letter: {nearest:.2g} and {farthest:.2g}")

assert nearest < 1e-5 * max(gradient.max() for gradient in looks.values()) < farthest

maps, titles, seen_here = np.sqrt(list(looks.values())), list(looks), images_test[0, 0]
course.show(
    viz.feature_map_grid(maps, titles=titles, image=seen_here, shared_scale=False, columns=3, size=3.4),
    "18_where_it_looks.png",
)

# %%
# And the clock
# -------------
# (The way back up is SegNet's, in short: ENet notes the places of its two poolings, and puts back.)
#
# The slide's times were taken on a graphics card, a Titan X. Here is this computer, one image after the
# other, the best of two runs.

SLIDE = {(640, 360): 7, (1280, 720): 21, (1920, 1080): 46}  # milliseconds


def seconds(network, width, height):
    picture, taken = tc.rand(1, 3, height, width), []
    with tc.no_grad():
        for _ in range(2):
            began = time.perf_counter()
            network(picture)
            taken.append(time.perf_counter() - began)
    return min(taken)


for width, height in FRAMES:
    here, there = 1000 * seconds(networks["ENet"], width, height), SLIDE.get((width, height), np.nan)
    print(f"{width}x{height}: {here:6.0f} ms here, {there:3} ms on the slide")
small, large = (seconds(networks[name], 320, 192) for name in ("ENet", "SegNet"))
fewer = tables["SegNet"].multiply_adds / tables["ENet"].multiply_adds
print(f"320x192: SegNet has {fewer:.0f} times the multiply-adds, and takes {large / small:.0f} times as long")

# %%
# The two numbers in the last line are not the same. To count multiply-adds is not to measure time: small
# layers leave a processor waiting for memory, and normalisation, PReLU and the sums cost time without
# having one multiply-add in the bill. So when somebody says "a hundred times cheaper", ask for the clock.
#
# Try this
# --------
# 1. With a pencil: weights of a 7x7 layer with 64 maps in and out; of a column and a row; of three 3x3.
# 2. Dilations 1, 3, 9: how far do three layers see, and do they miss a pixel? And 1, 2, 9?
# 3. Give ``little`` pooling in the place of dilation. Does it find the letter? What do its outlines look
#    like?
# 4. Lay the letter nearer to the lungs. From which distance on does the first network learn something?
# 5. Train ``models.create("enet", in_channels=1, num_classes=2)`` on the vessels of lesson 15. How long
#    do 23 bottlenecks with normalisation take, and which Dice do they reach?
#
# ``tinyconv/models/enet.py`` is the network, ``tinyconv/nn/receptive_field.py`` the calculator.
#
# Next: ``tinyconv learn 19``, where images get a third dimension.
