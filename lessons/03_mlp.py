"""
03. Layers of neurons, and shuffled pixels
==========================================

You count what a network of fully connected layers needs for one image, turn its scores into
probabilities, and train it on digits written by hand. Then you shuffle all pixels, and it does not notice.

That last experiment is the reason why there are convolutional networks.
"""

# %%
# What we need
# ------------

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, data, nn, viz

QUICK = course.is_quick()  # TINYCONV_QUICK=1 only tries whether everything runs
EPOCHS = 1 if QUICK else 15

np.set_printoptions(precision=4, suppress=True)

# %%
# A layer is a matrix
# -------------------
# One neuron has a weight for each input. A *fully connected* layer is many neurons that all see
# the same inputs; put their weights into the rows of a matrix W, and the whole layer is a product,
#
# .. math:: y = W x + b
#
# with f applied to every y afterwards. Three inputs, two neurons:

W = np.array([[1.0, 0.0, -1.0], [0.5, 0.5, 0.5]])
b = np.array([0.0, -1.0])
x = np.array([3.0, 2.0, 1.0])
print("one by one:", [float(W[n] @ x + b[n]) for n in range(2)])
print("at once:   ", W @ x + b)

layer = nn.Linear(3, 2)
layer.load_state_dict({"weight": tc.tensor(W), "bias": tc.tensor(b)})
assert layer(tc.tensor(x, dtype=tc.float32)).tolist() == (W @ x + b).tolist() == [2, 2]

# %%
# Layers of this kind, one after the other, with a bend f between them, are a *multilayer
# perceptron*. (Without the bend there would be no point: W2 (W1 x) = (W2 W1) x, and two layers
# were one.)
#
# How many weights does an image need?
# ------------------------------------
# Take an image of 256x256 grey values, and 64 neurons that each look at all of it.

first = nn.Linear(256 * 256, 64)
small = nn.Conv2d(3, 1, kernel_size=3)
weights, biases = first.weight.numel(), first.bias.numel()
print(f"fully connected: 256 * 256 * 64 = {weights:,} weights and {biases} biases")
print(f"one filter of 3x3 pixels over 3 colours: 3 * 3 * 3 + 1 = {small.weight.numel() + 1} parameters")

assert (weights, biases) == (4_194_304, 64)
assert small.weight.numel() + small.bias.numel() == 28

# %%
# Four million, for the first layer of a small network on a small image. The second line is about
# the next lesson: there, a neuron sees nine pixels at a time.
#
# From scores to probabilities
# ----------------------------
# Ten digits, ten neurons in the last layer, and each gives a score. We want probabilities: all positive, with
# sum 1. The *softmax* takes the exponential, which is positive, and divides by the sum:
#
# .. math:: p_k = \frac{e^{s_k}}{\sum_j e^{s_j}}

scores = np.array([2.0, 1.0, 0.1])


def softmax(s):
    return np.exp(s) / np.exp(s).sum()


print("scores       ", scores)
print("probabilities", softmax(scores), "sum", softmax(scores).sum())

assert np.allclose(F.softmax(tc.tensor(scores), dim=0).numpy(), softmax(scores))

# %%
# It looks at differences only: add 5 to all scores, and nothing changes. Good engines use this. They
# subtract the largest score first, because e to the 1000 is more than a computer can hold.

assert np.allclose(softmax(scores + 5), softmax(scores))

large = np.array([1000.0, 999.0])
with np.errstate(over="ignore", invalid="ignore"):
    print("as written:   ", softmax(large))
print("shifted first:", softmax(large - large.max()))

assert np.allclose(F.softmax(tc.tensor(large), dim=0).numpy(), softmax(large - 1000))

# %%
# The loss: how surprised are we?
# -------------------------------
# The truth is class t, and the network gave it the probability :math:`p_t`. The *cross-entropy* is
# :math:`L = -\log p_t`: zero when the network was sure and right, and without limit when it was
# sure and wrong.

for p in (0.99, 0.5, 0.1, 0.001):
    print(f"probability of the true class {p:5}: loss {-np.log(p):.3f}")

# %%
# Softmax and logarithm together have the kindest derivative in this course. Since
# :math:`L = -s_t + \log \sum_j e^{s_j}`, the slope by a score is
#
# .. math:: \frac{\partial L}{\partial s_k} = p_k - [k = t]
#
# that is: what the network said, minus what it should have said. It is Rosenblatt's rule again, made soft.

true_class = 1
s = tc.tensor(scores[None], requires_grad=True)
F.cross_entropy(s, tc.tensor([true_class])).backward()
by_hand = softmax(scores) - np.eye(3)[true_class]
print("p minus truth:", by_hand)
print("backward:     ", s.grad.numpy()[0])

assert np.allclose(s.grad.numpy()[0], by_hand)

# %%
# Digits
# ------
# 1,797 digits, written by 43 people, 8x8 pixels each; they come with scikit-learn. To make it harder, and
# more like a real image, we put each somewhere on a black square of 14x14.

digits = data.Digits()
generator = np.random.default_rng(5)
images, labels = np.zeros((len(digits), 1, 14, 14), np.float32), np.zeros(len(digits), int)
for index, (image, label) in enumerate(digits):
    row, column = generator.integers(0, 7, 2)
    images[index, 0, row : row + 8, column : column + 8] = image[0]
    labels[index] = label
training, held_out = slice(0, 1200), slice(1200, None)

course.show(viz.sample_grid(images[:24], columns=8, title="the first 24"), "03_digits.png")

# %%
# Training
# --------
# In each *epoch* the network sees every training image once, 50 at a time, in a new order. After each
# 50 the weights take a small step downhill (*Adam* chooses how small, for each weight). The other 597
# digits are *held out*: the only honest question is how well it does on what it has never seen.


def fit(network, images, seed=0):
    """Train, and return the share of held-out digits that it gets right after each epoch."""
    optimizer = tc.optim.Adam(network.parameters(), lr=3e-3)
    order, right = np.random.default_rng(seed), []
    for _ in range(EPOCHS):
        shuffled = order.permutation(1200)
        for batch in shuffled.reshape(-1, 50):
            loss = F.cross_entropy(network(tc.tensor(images[batch])), tc.tensor(labels[batch]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        right.append((guess(network, images[held_out]) == labels[held_out]).mean())
    return right


def guess(network, images):
    with tc.no_grad():
        return network(tc.tensor(images)).numpy().argmax(axis=1)


def fully_connected():
    tc.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(14 * 14, 64), nn.ReLU(), nn.Linear(64, 10))


network = fully_connected()
mlp = fit(network, images)
count = sum(p.numel() for p in network.parameters())
print(f"{count:,} parameters; right on held-out digits: {mlp[-1]:.1%} (guessing: 10 %)")

assert count == 196 * 64 + 64 + 64 * 10 + 10
assert QUICK or mlp[-1] > 0.45

# %%
# Which digits does it mistake for which?

confusion = np.zeros((10, 10))
np.add.at(confusion, (labels[held_out], guess(network, images[held_out])), 1)
assert confusion.sum() == len(labels[held_out])

course.show(viz.plot_confusion(confusion, list("0123456789")), "03_confusion.png")

# %%
# Shuffle the pixels
# ------------------
# Choose one order of the 196 pixels by lot, and put *every* image into this order. You will not
# recognise a single digit any more.

order = np.random.default_rng(0).permutation(14 * 14)
shuffled = images.reshape(-1, 14 * 14)[:, order].reshape(images.shape)

course.show(viz.sample_grid(shuffled[:24], columns=8, title="the same 24"), "03_shuffled.png")

# %%
# But the network? It has never known that two pixels lie side by side. Every pixel is one number with a
# weight of its own. Give it the columns of its matrix in the same order as the pixels, and it
# computes exactly the same answers:

same = fully_connected()
same.load_state_dict(network.state_dict())
with tc.no_grad():
    same[1].weight.copy_(network[1].weight[:, tc.tensor(order)])
    before, after = network(tc.tensor(images[:50])).numpy(), same(tc.tensor(shuffled[:50])).numpy()
print("largest difference of the scores:", np.abs(before - after).max())

assert np.abs(before - after).max() < 1e-4

# %%
# So it must learn the shuffled digits as well as the real ones, and it does. Now the same two
# experiments with a network of filters, which look at 3x3 neighbours. It has fewer parameters.
# How it works is the next lesson's subject; here it is only the other patient in the trial.


def convolutional():
    tc.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 3 * 3, 10),
    )  # fmt: skip


curves = {
    "fully connected": {"as written": mlp, "shuffled": fit(fully_connected(), shuffled)},
    "convolutional": {"as written": fit(convolutional(), images), "shuffled": fit(convolutional(), shuffled)},
}
for name, two in curves.items():
    parameters = sum(
        p.numel() for p in (fully_connected if "fully" in name else convolutional)().parameters()
    )
    print(f"{name:16} {parameters:6,} parameters:", *(f"{k} {v[-1]:.1%} " for k, v in two.items()))

if not QUICK:
    assert abs(mlp[-1] - curves["fully connected"]["shuffled"][-1]) < 0.08
    assert curves["convolutional"]["as written"][-1] > mlp[-1] + 0.1
    assert curves["convolutional"]["shuffled"][-1] < mlp[-1] - 0.1

course.show(
    viz.plot_lines(curves, np.arange(1, EPOCHS + 1), ("epoch", "right on held-out digits")),
    "03_shuffled_pixels.png",
)

# %%
# The fully connected network cannot tell the two worlds apart. For the convolutional one they are as
# different as for you. What it knows before it has seen anything, **that neighbours belong together and
# that a stroke is the same stroke everywhere**, is worth more than five thousand additional weights.
# And it is why it fails where this is not true.
#
# Try this
# --------
# 1. How many parameters has a network 784-256-128-10? Compare with ``models.create("mlp")``.
# 2. Prove that softmax does not change when all scores grow by the same number.
# 3. What is the loss of a network that gives all ten digits the same probability? (Compare with the first
#    loss of a training run. It is a good check.)
# 4. Put all digits in the middle of the square instead. Who profits more, and why?
# 5. Give each image an order of its own. What can anyone learn now?
#
# In the engine: ``tinyconv/ops/softmax.py`` has softmax and its slope, ``tinyconv/models/mlp.py`` the
# network, ``tinyconv/kernels/cpu/matmul.py`` the product, fast.
#
# Next: ``tinyconv learn 04``, the neuron with a small window.
