"""
14. From one label to a map of labels
=====================================

You turn dense layers into convolutions without changing a weight, and a network that names what is in
an image begins to say *where* it is. Then you make its coarse map finer: FCN-32s, FCN-16s, FCN-8s.

The trick is in one sentence of a slide: a dense layer is a convolution whose filter is as large as the
image.
"""

# %%
# What we need
# ------------

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, data, models, nn, viz
from tinyconv.models.fcn import bilinear_kernel

QUICK = course.is_quick()  # TINYCONV_QUICK=1 only tries whether everything runs
STEPS, SCENES, FINE_STEPS = (3, 8, 2) if QUICK else (600, 80, 160)

# %%
# A dense layer is a large filter
# -------------------------------
# The tail of VGG, as on the slide: the last pooling leaves 512 maps of 7x7. ``Flatten`` makes a row of
# 25,088 numbers of them, and each of 4,096 neurons has a weight for each number. Now do not flatten:
# give the neuron's weights the shape 512x7x7, and it is a filter. A filter of 7x7 on a map of 7x7 has
# one place to stand, and there it computes the same sum. The next dense layer becomes a filter of 1x1.
#
# Here with 2 maps and 3 neurons, so that it can be seen:

generator = np.random.default_rng(0)
maps = generator.integers(0, 4, (1, 2, 7, 7)).astype(np.float64)
weights = generator.integers(-1, 2, (3, 2 * 7 * 7)).astype(np.float64)
dense = F.linear(tc.tensor(maps).flatten(1), tc.tensor(weights)).numpy()
as_filters = F.conv2d(tc.tensor(maps), tc.tensor(weights.reshape(3, 2, 7, 7))).numpy()
print("dense:      ", dense.shape, dense[0])
print("convolution:", as_filters.shape, as_filters[0, :, 0, 0])

assert np.array_equal(dense, as_filters[:, :, 0, 0])

# %%
# Nothing has changed, until the image is larger. The dense layer refuses; the filter walks.

wider = generator.integers(0, 4, (1, 2, 9, 12)).astype(np.float64)
walked = F.conv2d(tc.tensor(wider), tc.tensor(weights.reshape(3, 2, 7, 7))).numpy()
print("on 9x12:", walked.shape)

assert walked.shape == (1, 3, 3, 6)  # 3x6 places to stand
corner = F.linear(tc.tensor(wider[..., :7, :7]).flatten(1), tc.tensor(weights)).numpy()
assert np.array_equal(walked[0, :, 0, 0], corner[0])  # what the dense layer says of the corner

# %%
# The same with all of VGG-16 (thin, so that it is small; the layers are all there): 224x224 gives the
# scores of the dense net, a larger image a map of scores, one for every 32 pixels.

vgg16 = models.create("vgg16", width=4, hidden=64, num_classes=10).eval()
convolutional = models.convolutionize(vgg16)
with tc.no_grad():
    at_224 = tc.rand(1, 3, 224, 224)
    expected = vgg16(at_224).numpy()
    difference = abs(convolutional(at_224).numpy()[..., 0, 0] - expected).max() / abs(expected).max()
    larger = convolutional(tc.rand(1, 3, 320, 416)).shape
print(f"224x224: scores differ by a share of {difference:.1g}; 320x416: {larger}")

assert difference < 1e-4 and larger == (1, 10, 320 // 32 - 6, 416 // 32 - 6)

# %%
# Train small, look at large
# --------------------------
# So a net can be trained on small images with *one* label each, which is little work for those who
# make the labels, and then be used on large ones. Ours learns discs, squares, triangles and rings on
# 32x32 pixels. One image in five shows nothing.

NAMES = ("nothing", *data.SyntheticShapes.classes)
shapes = data.SyntheticShapes(64 if QUICK else 2400, size=32)
shown = np.stack([image for image, _ in shapes])
said = shapes.labels + 1
empty = generator.uniform(0.1, 0.3, (len(shown) // 4, 1, 1, 1)) + 0.1 * generator.standard_normal(
    (len(shown) // 4, 1, 32, 32)
)
shown = np.concatenate([shown, empty.clip(0, 1).astype(np.float32)])
said = np.concatenate([said, np.zeros(len(empty), int)])

tc.manual_seed(0)
classifier = nn.Sequential(
    nn.Conv2d(1, 12, 3), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(12, 24, 4), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(24, 32, 3), nn.BatchNorm2d(32), nn.ReLU(),
    nn.Flatten(), nn.Linear(32 * 4 * 4, 64), nn.ReLU(), nn.Linear(64, len(NAMES)),
)  # fmt: skip


def fit(network, x, y, steps, batch, lr=2e-3):
    """Adam on the cross-entropy; y are labels of images (N,) or of pixels (N, H, W)."""
    optimizer, lot = tc.optim.Adam(network.parameters(), lr=lr), np.random.default_rng(0)
    network.train()
    for _ in range(steps):
        chosen = lot.choice(len(x), batch, replace=False)
        loss = F.cross_entropy(network(tc.tensor(x[chosen])), tc.tensor(y[chosen]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()


fit(classifier, shown, said, STEPS, batch=32)
unseen = data.SyntheticShapes(200, size=32, seed=1)
with tc.no_grad():
    answers = classifier(tc.tensor(np.stack([image for image, _ in unseen]))).numpy().argmax(1)
right = (answers == unseen.labels + 1).mean()
print(f"{right:.1%} of unseen shapes right")

assert QUICK or right > 0.8

# %%
# Now change its dense layers into filters, and show it a scene of 96x96, of which nobody has ever told
# it anything.

finder = models.convolutionize(classifier, (1, 32, 32))
scenes = data.SyntheticScenes(6, size=96, shapes=(3, 5), seed=3)
image, truth = scenes[0]
with tc.no_grad():
    scores = F.softmax(finder(tc.tensor(image[None])), 1).numpy()[0]
    one_label = scores.mean((1, 2))
print(f"a map of {scores.shape[1]}x{scores.shape[2]} places, {len(NAMES)} scores at each")
print("their mean:", ", ".join(f"{name} {share:.2f}" for name, share in zip(NAMES, one_label, strict=True)))

assert scores.shape[1:] == (17, 17)  # every fourth pixel, as long as 32x32 fit in

in_place = np.pad(scores[1:], ((0, 0), (4, 3), (4, 3)))  # 16 pixels, where no middle of a window comes
course.show(
    viz.feature_map_grid(in_place, titles=NAMES[1:], image=image, columns=5, size=2.9), "14_rough.png"
)

# %%
# Localisation for free: the disc, the square, the triangle and the rings show up where they are, a place
# of the map being drawn in the middle of its window. And if you only want to know what is in the image, take
# the mean. But the spots are as broad as the windows, and where a window holds parts of two shapes, the
# net says anything: it has never seen such a thing. Where a shape *ends* has to be learned, with a label
# for each pixel.
#
# FCN-32s: enlarge
# ----------------
# Long, Shelhamer and Darrell made the scores, one for each 32x32 pixels, as large as the image again:
# a transposed convolution whose filter is a tent does bilinear interpolation.

print(bilinear_kernel(4))
spot = tc.zeros(1, 1, 3, 3)
spot[0, 0, 1, 1] = 1.0
tent = F.conv_transpose2d(spot, tc.tensor(bilinear_kernel(8).astype(np.float32)[None, None]), stride=4)
flat = F.conv_transpose2d(
    tc.ones(1, 1, 3, 3), tc.tensor(bilinear_kernel(8).astype(np.float32)[None, None]), stride=4
)
print("the tent's sum:", tent.sum().item(), "| in the middle of a flat map:", flat[0, 0, 8, 8].item())

assert tent.sum().item() == 16 and abs(flat[0, 0, 4:12, 4:12] - 1).max().item() < 1e-6

# %%
# Their FCN-32s on VGG-16 has 136,152,917 parameters for 21 classes. Nearly all of them you know from
# lesson 10; its last dense layer has been left out, and of what enlarges each class has a tent of its
# own:


def count(*modules):
    return sum(p.numel() for module in modules for p in module.parameters())


fcn32s = models.create("fcn32s")
filters = count(models.create("vgg16", hidden=1).features)  # all 3x3 filters of VGG-16
head = (7 * 7 * 512 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 21
enlarge = 21 * 21 * 64 * 64
print(f"{filters:,} + {head:,} + {enlarge:,} = {filters + head + enlarge:,}")

assert filters == count(fcn32s.features) and head == count(fcn32s.fc6, fcn32s.fc7, fcn32s.score)
assert enlarge == count(fcn32s.up) and filters + head + enlarge == count(fcn32s) == 136_152_917
del fcn32s  # half a gigabyte
with tc.no_grad():
    thin = models.create("fcn32s", width=2, hidden=8).eval()
    assert thin(tc.rand(1, 3, 45, 70)).shape == (1, 21, 45, 70)  # any size; as many scores as pixels

# %%
# Finer, from the layers before
# -----------------------------
# 32 pixels is a broad brush. But the layers before the last pooling still knew more exactly where.
# They get scores of their own, by 1x1 filters, and these are added to the coarse ones when those have
# been enlarged to the same size: FCN-16s adds one finer layer, FCN-8s two. The deep layer says what,
# the shallow one where.
#
# Here is the same in small: four poolings, so that the coarsest scores have a step of 16 pixels.


class LittleFCN(nn.Module):
    """Scores for each pixel from maps with steps of 16, and of 8 and 4 where `finest` says so."""

    widths = (12, 24, 32, 48)

    def __init__(self, classes, finest):
        super().__init__()
        self.finest, before, blocks = finest, 1, []
        for width in self.widths:
            blocks.append(
                nn.Sequential(
                    nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
                    nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
                    nn.MaxPool2d(2),
                )
            )  # fmt: skip
            before = width
        self.blocks = nn.ModuleList(blocks)
        self.scores = nn.ModuleDict(
            {str(step): nn.Conv2d(self.widths[k], classes, 1) for k, step in ((3, 16), (2, 8), (1, 4))}
        )

    def forward(self, x):
        step, maps = 1, {}
        for block in self.blocks:
            x, step = block(x), 2 * step
            maps[step] = x
        step, scores = 16, self.scores["16"](maps[16])
        while step > self.finest:
            step //= 2
            larger = F.interpolate(scores, scale_factor=2, mode="bilinear", align_corners=False)
            scores = larger + self.scores[str(step)](maps[step])
        return F.interpolate(scores, scale_factor=step, mode="bilinear", align_corners=False)


def stacked(count, seed):
    pairs = list(data.SyntheticScenes(count, size=64, seed=seed))
    return np.stack([image for image, _ in pairs]), np.stack([labels for _, labels in pairs])


x, y = stacked(SCENES, seed=4)
x_test, y_test = stacked(8 if QUICK else 40, seed=5)
CLASSES = data.SyntheticScenes.classes


def overlap(labels):
    """Mean Dice of the four shapes over the held-out scenes."""
    found = [2 * ((labels == k) & (y_test == k)).sum() / ((labels == k).sum() + (y_test == k).sum())
             for k in range(1, 5)]  # fmt: skip
    return float(np.mean(found))


masks, reached = {}, {}
for step in (16, 8, 4):
    tc.manual_seed(0)
    network = LittleFCN(len(CLASSES), finest=step)
    fit(network, x, y, FINE_STEPS, batch=8, lr=4e-3)
    with tc.no_grad():
        masks[step] = network(tc.tensor(x_test)).numpy().argmax(1)
    reached[f"steps of {step}"] = overlap(masks[step])
    print(f"finest scores with steps of {step:2} pixels: Dice {reached[f'steps of {step}']:.3f}")
if not QUICK:
    assert reached["steps of 4"] > reached["steps of 8"] > reached["steps of 16"]

rows, titles = [], []
for index in range(3):
    rows += [x_test[index], *(viz.label_image(labels[index]) for labels in (y_test, *masks.values()))]
    titles += ["image", "truth", *(f"steps of {step}" for step in masks)] if index == 0 else [""] * 5
course.show(viz.titled_images(rows, titles, columns=5, size=2.6), "14_finer.png")

# %%
# With steps of 16 there is no ring and no corner; a shape may be missed if it lies between two places.
# With steps of 8 most shapes have their places, if not always their names; with steps of 4 they have their
# outlines, too: nearly the same number of weights, only asked at other layers.

total = sum(p.numel() for p in network.parameters())
finer = sum(p.numel() for step in ("8", "4") for p in network.scores[step].parameters())
print(f"{total:,} weights, {finer} of them for both finer scores")

assert finer == 5 * (32 + 1) + 5 * (24 + 1) and finer / total < 0.01

# %%
# "Can we do better?", asks the slide. The finer scores are only *added* at the end; nothing is computed
# from coarse and fine together. A network that goes up as carefully as it went down comes next.
#
# Try this
# --------
# 1. With a pencil: how large is VGG-16's map of scores for an image of 512x512?
# 2. ``finder`` sees windows at every fourth pixel. Where does the 4 come from? How would you get every
#    second one?
# 3. Train ``LittleFCN`` with steps of 4 from the weights of the one with steps of 8, as the paper does.
#    Is that better than from the start?
# 4. Go on to steps of 2: what has to be added? What does it bring?
# 5. Give ``finder`` scenes whose shapes are twice as large. What does it say, and why?
#
# ``tinyconv/models/dense_to_convolution.py`` changes dense layers into filters;
# ``tinyconv/models/fcn.py`` has FCN-32s, 16s and 8s.
#
# Next: ``tinyconv learn 15``, which goes up step by step.
