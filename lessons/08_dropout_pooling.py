"""
08. Forgetting on purpose
=========================

You pool and undo pooling, find out how far a deep network can see, and switch off half of the
neurons by lot so that the others learn to do without them.

Three ways to throw something away, and what each of them buys.
"""

# %%
# What we need
# ------------

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, data, nn, viz

QUICK = course.is_quick()  # TINYCONV_QUICK=1 only tries whether everything runs
EPOCHS = 2 if QUICK else 40

np.set_printoptions(precision=3, suppress=True)


def image_tensor(values, **options):
    """A matrix (H, W) as a batch of one image with one channel: (1, 1, H, W)."""
    return tc.tensor(np.asarray(values, dtype=np.float64)[None, None], **options)


# %%
# Pooling: what, but not exactly where
# ------------------------------------
# The largest of each 2x2 square (Bernard's slide):

image = np.array([[135.0, 212, 189, 56], [164, 201, 204, 145], [30, 126, 189, 156], [36, 45, 38, 12]])
pooled, places = F.max_pool2d(image_tensor(image), 2, return_indices=True)
print(pooled.numpy()[0, 0])
print("found at", places.numpy()[0, 0].tolist(), "counted row by row")

assert pooled.numpy()[0, 0].tolist() == [[212, 204], [126, 189]]
assert np.array_equal(image.ravel()[places.numpy()], pooled.numpy())

# %%
# How much does a small shift matter after that? Cut the same nuclei out of an image twice, the second time
# one pixel further to the right, and count the numbers that have stayed what they were:

nuclei = data.SyntheticNuclei(count=1, size=96, seed=3)[0][0][:1]
here, shifted = nuclei[0, :, :94], nuclei[0, :, 1:95]
pooled_here, pooled_shifted = (F.max_pool2d(image_tensor(cut), 2).numpy()[0, 0] for cut in (here, shifted))
same_pixels, same_pooled = (here == shifted).mean(), (pooled_here == pooled_shifted).mean()
print(f"the same as before: {same_pixels:.0%} of the pixels, {same_pooled:.0%} of the pooled numbers")

assert 0.3 < same_pooled < 0.4 and same_pixels < 0.15

# %%
# Most have changed, though fewer than without pooling. What pooling promises is less, and still useful. A
# window that has moved by one pixel lies in two of the old windows, so its maximum is at most the larger one
# of theirs. And the strongest answer of all is there again, in the same place of the small map or in the
# one next to it. *That* something was found has survived, and roughly *where*; the exact numbers have not.

either = np.maximum(pooled_here[:, :-1], pooled_here[:, 1:])
strongest, strongest_shifted = (
    np.array(np.unravel_index(cut.argmax(), cut.shape)) for cut in (pooled_here, pooled_shifted)
)
print("strongest answer at", strongest.tolist(), "and, shifted, at", strongest_shifted.tolist())

assert (pooled_shifted[:, :-1] <= either).all()
assert pooled_here.max() == pooled_shifted.max() and abs(strongest - strongest_shifted).sum() <= 1

# %%
# The gradient goes to the winner
# -------------------------------
# If the largest number grows by a hair, the result grows by a hair; the others may do what they like.
# So the gradient goes back to where each maximum was found, and nowhere else. With overlapping windows
# (3x3, stride 1) one number can win several times, and then it gets the sum.

x = image_tensor(image, requires_grad=True)
F.max_pool2d(x, 2).sum().backward()
once = x.grad.numpy()[0, 0].copy()
x.grad = None
F.max_pool2d(x, 3, stride=1).sum().backward()
overlapping = x.grad.numpy()[0, 0]
print(overlapping)

assert once.sum() == 4 and set(once.flat) == {0, 1}
assert overlapping.sum() == 4 and overlapping.max() > 1

course.show(
    viz.matrix_figure(
        [image, once, overlapping],
        ["image", "2x2 windows", "3x3, overlapping"],
        grey=[True, False, False],
    ),
    "08_pool_gradient.png",
)

# %%
# Unpooling: back to the same place
# ---------------------------------
# A network that draws maps has to make small images large again. Unpooling puts each number back where
# it was found, and zeros elsewhere. The *places* have to be kept for that.

unpooled = F.max_unpool2d(pooled, places, 2).numpy()[0, 0]
print(unpooled)

assert unpooled.sum() == pooled.sum().item()
assert np.array_equal(unpooled, np.where(once > 0, image, 0))

course.show(
    viz.matrix_figure([image, pooled.numpy()[0, 0], unpooled], ["image", "pooled", "unpooled"], grey=True),
    "08_unpooling.png",
)

# %%
# How far does a network see?
# ---------------------------
# The *receptive field* of a number in a map are the pixels that it depends on. One 3x3 filter sees
# 3x3. A second one sees 3x3 places of the first, and each of these sees 3x3: together 5x5. So two 3x3
# layers see as far as one 5x5 layer, with fewer weights, and have a bend in between. With C channels:

channels = 64
two_small = nn.Sequential(*(nn.Conv2d(channels, channels, 3, bias=False) for _ in range(2)))
one_large = nn.Conv2d(channels, channels, 5, bias=False)
count_small = sum(p.numel() for p in two_small.parameters())
count_large = sum(p.numel() for p in one_large.parameters())
print(f"two 3x3: 2 * 9 C² = 18 C² = {count_small:,}")
print(f"one 5x5:          25 C² = {count_large:,}")

assert count_small == 18 * channels**2 and count_large == 25 * channels**2

# %%
# A calculator needs two numbers: what one place *sees*, and the *step* in pixels from one place to its
# neighbour. A filter of k adds (k - 1) steps to what is seen. A stride of s makes the step s times as
# large.


def receptive_field(layers):
    """Layers as (kernel_size, stride): what is seen after each."""
    sees, step, seen = 1, 1, []
    for kernel_size, stride in layers:
        sees += (kernel_size - 1) * step
        step *= stride
        seen.append(sees)
    return seen


convolution, pooling = (3, 1), (2, 2)
plain = receptive_field([convolution] * 12)
with_pooling = receptive_field([convolution, convolution, pooling] * 4)
print("3x3 only:                    ", plain)
print("two 3x3, then pooling, 4 times:", with_pooling)

assert receptive_field([convolution] * 2)[-1] == receptive_field([(5, 1)])[-1] == 5
assert plain[-1] == 25 and with_pooling[-1] == 76

# %%
# tinyconv reads the same numbers off any network:

layers = []
for _ in range(4):
    layers += [nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1), nn.MaxPool2d(2)]
network = nn.Sequential(*layers)
table = nn.summary(network, (1, 96, 96))
fields = [row.receptive_field[0] for row in table.rows]
assert fields == with_pooling

curves = {"What one place sees": {"3x3 only": plain, "with pooling": with_pooling}}
course.show(viz.plot_lines(curves, np.arange(1, 13), ("layers", "pixels")), "08_receptive_field.png")

# %%
# That is what pooling buys: with the same number of layers, three times the view. Laid over an image of
# nuclei: what a place in the middle of the map sees before the first, second, third and fourth pooling. Only
# the largest frame holds a whole nucleus, with what lies around it.

before_pooling = dict.fromkeys(("1", "4", "7", "10"))  # None: the place in the middle
course.show(viz.plot_receptive_field(network, nuclei, before_pooling), "08_over_the_image.png")

# %%
# You can also *see* it. Ask for the gradient of one number of a map by the image: where it is zero for any
# weights, the number does not look. Here for one place after the third pooling, with positive weights:

tc.manual_seed(0)
with tc.no_grad():
    for parameter in network.parameters():
        parameter.copy_(tc.rand(*parameter.shape) / 9)
picture = tc.tensor(nuclei[None], requires_grad=True)
network[:9](picture)[0, 0, 6, 6].backward()
gradient = picture.grad.numpy()[0, 0]
rows, columns = table["8"].sees((6, 6))
print("rows and columns that it can see:", rows, columns)
seen = gradient[rows[0] : rows[1] + 1, columns[0] : columns[1] + 1]
assert seen.shape == (36, 36) and np.count_nonzero(seen) == np.count_nonzero(gradient) > 0

figure = viz.plot_receptive_field(network, nuclei, {"8": (6, 6)}, picture=gradient)
course.show(figure, "08_what_it_sees.png")

# %%
# Nothing outside of the frame counts. Inside not all pixels count the same: most paths lead through the
# middle, and through max pooling a gradient takes only the winner's path, so that for *this* image some
# pixels do not count at all. The calculator gives the limit.
#
# Dropout: learn to do without
# ----------------------------
# In every training step, switch off each neuron with probability p, by lot (Srivastava and others,
# 2014). No neuron can rely on a certain other one, so each has to be useful by itself. So that the sum
# stays the same on average, those that are left are multiplied by 1 / (1 - p).

tc.manual_seed(0)
ones = tc.ones(4, 8)
print(F.dropout(ones, p=0.5).numpy())

many = F.dropout(tc.ones(100_000), p=0.3)
print(f"p = 0.3: {(many == 0).float().mean().item():.3f} are zero, the mean is {many.mean().item():.3f}")

assert abs((many == 0).float().mean().item() - 0.3) < 0.01 and abs(many.mean().item() - 1) < 0.01

# %%
# When the network is *used*, nothing is switched off. A module knows in which of the two worlds it is:
# ``train()`` and ``eval()``. Forgetting ``eval()`` is the most frequent mistake with dropout: the same
# image then gets a different answer each time.

layer = nn.Dropout(0.5)
layer.train()
first, second = layer(ones).numpy(), layer(ones).numpy()
layer.eval()

assert not np.array_equal(first, second)
assert np.array_equal(layer(ones).numpy(), ones.numpy())

# %%
# Does it help?
# -------------
# It helps where a network has enough weights to learn its examples by heart. And some examples are
# wrong, in every real data set: somebody was tired. So take 600 digits, give one in five a label by
# lot, and train a network of 130,000 weights, with and without.

digits = data.Digits()
images = np.stack([image for image, _ in digits]).reshape(-1, 64)
labels = np.array([label for _, label in digits])
FEW = 600
generator = np.random.default_rng(0)
given = np.where(generator.random(FEW) < 0.2, generator.integers(0, 10, FEW), labels[:FEW])
print(f"{(given != labels[:FEW]).sum()} of {FEW} labels are wrong")


def fit(p):
    """After each epoch: the loss on the training digits (dropout off) and on held-out ones. Share right."""
    tc.manual_seed(0)
    network = nn.Sequential(
        nn.Linear(64, 320), nn.ReLU(), nn.Dropout(p),
        nn.Linear(320, 320), nn.ReLU(), nn.Dropout(p),
        nn.Linear(320, 10),
    )  # fmt: skip
    optimizer = tc.optim.Adam(network.parameters(), lr=2e-3)
    order, losses = np.random.default_rng(0), []
    for _ in range(EPOCHS):
        network.train()
        for batch in order.permutation(FEW).reshape(-1, 30):
            loss = F.cross_entropy(network(tc.tensor(images[batch])), tc.tensor(given[batch]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        network.eval()
        with tc.no_grad():
            scores = network(tc.tensor(images))
            learned = F.cross_entropy(scores[:FEW], tc.tensor(given)).item()
            held_out = F.cross_entropy(scores[FEW:], tc.tensor(labels[FEW:])).item()
        losses.append((learned, held_out))
    right = (scores.numpy()[FEW:].argmax(1) == labels[FEW:]).mean()
    return np.array(losses), right


panels, share = {}, {}
for p in (0.0, 0.5):
    losses, share[p] = fit(p)
    name = f"dropout {p}" if p else "without dropout"
    panels[name] = {"600 training digits": losses[:, 0], "1,197 held-out digits": losses[:, 1]}
    lowest = losses[:, 1].argmin()
    print(
        f"{name:15}: held-out loss {losses[-1, 1]:.3f}, {share[p]:.1%} right; "
        f"the loss was lowest, {losses[lowest, 1]:.3f}, after epoch {lowest + 1}"
    )
    if not p and not QUICK:
        assert EPOCHS / 5 < lowest < EPOCHS / 2 and losses[-1, 1] > 1.5 * losses[lowest, 1]
assert QUICK or share[0.5] > share[0.0] + 0.04

course.show(
    viz.plot_lines(panels, np.arange(1, EPOCHS + 1), ("epoch", "loss"), log="y"),
    "08_overfitting.png",
)

# %%
# Without dropout the network learns the wrong labels by heart too: the loss on what it knows goes on
# falling, and that on the others falls in the first third of the training and rises in the rest. It becomes
# *worse* by training. The gap between the two curves is called *overfitting*. With dropout it cannot rely on
# the few neurons that remember one image, and what is left to learn is what the images have in common.
#
# Try this
# --------
# 1. With a pencil: the gradient of *average* pooling, 2x2.
# 2. How many 3x3 layers without pooling see as far as the network with four poolings?
# 3. A dilated filter skips pixels: 3x3 with dilation 2 sees 5. Change the calculator.
# 4. Leave out the factor 1 / (1 - p). What is wrong after ``eval()``?
# 5. Use the network *with* dropout on, 50 times for the same digit. What does the spread of the
#    answers tell you?
#
# The files: ``tinyconv/ops/pooling.py`` and ``unpooling.py``; ``tinyconv/nn/receptive_field.py``, the
# calculator for any network; ``tinyconv/kernels/cpu/dropout.py``, which draws the same lots whatever
# the number of threads.
#
# Next: ``tinyconv learn 09``, all parts together for the first time.
