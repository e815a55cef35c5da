"""
07. The bend between two layers
===============================

You compare six activation functions by their curves and their slopes, see which of them let the
gradient through many layers, and what happens in the one point where a bend has no slope.

Take the bends away, and the deepest network is a single layer. Which bend it is decides how well the
network learns.
"""

# %%
# What we need
# ------------

import numpy as np

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import course, data, nn, viz

QUICK = course.is_quick()  # TINYCONV_QUICK=1 only tries whether everything runs
EPOCHS = 1 if QUICK else 12

# %%
# Six bends
# ---------
# The slide's formulas, in NumPy. Below zero they differ:
#
# .. math::
#    \sigma(z) = \frac{1}{1 + e^{-z}} \qquad \tanh(z) \qquad \mathrm{ReLU}(z) = \max(0, z) \\
#    \text{leaky ReLU}(z) = \max(0.1 z, z) \qquad
#    \mathrm{ELU}(z) = \begin{cases} z & z > 0 \\ e^z - 1 & z \le 0 \end{cases}

z = np.linspace(-4, 4, 161)
formulas = {
    "sigmoid": 1 / (1 + np.exp(-z)),
    "tanh": np.tanh(z),
    "ReLU": np.maximum(0, z),
    "leaky ReLU": np.maximum(0.1 * z, z),
    "ELU": np.where(z > 0, z, np.exp(z) - 1),
}
functions = {
    "sigmoid": tc.sigmoid,
    "tanh": tc.tanh,
    "ReLU": F.relu,
    "leaky ReLU": lambda x: F.leaky_relu(x, 0.1),
    "ELU": F.elu,
}
slopes = {}
for name, function in functions.items():
    x = tc.tensor(z, requires_grad=True)
    y = function(x)
    y.sum().backward()
    slopes[name] = x.grad.numpy()
    assert np.allclose(y.detach().numpy(), formulas[name])

course.show(viz.plot_lines({"value": formulas, "slope": slopes}, z, ("z", "")), "07_curves.png")

# %%
# The slopes are what training sees. By hand, with y for the value:
#
# - sigmoid: y (1 - y), never more than 1/4;
# - tanh: 1 - y², at most 1, and only in the middle;
# - ReLU: 1 or 0;
# - leaky ReLU: 1 or 0.1;
# - ELU: 1, or y + 1 below zero.

values = formulas
by_hand = {
    "sigmoid": values["sigmoid"] * (1 - values["sigmoid"]),
    "tanh": 1 - values["tanh"] ** 2,
    "ELU": np.where(z > 0, 1, values["ELU"] + 1),
}
for name, slope in by_hand.items():
    assert np.allclose(slopes[name], slope)

# %%
# In the corner
# -------------
# ReLU has a corner at zero. From the left the slope is 0, from the right 1; exactly there it has
# none. A program must take something. tinyconv, like PyTorch, takes 0 for ReLU and the slope below zero
# for its leaky sister. ELU has no corner: from both sides the slope goes to 1.

h = 1e-6
around = tc.tensor([-h, 0, h], dtype=tc.float64)
for name, function in functions.items():
    left, right = (np.diff(function(around).numpy()) / h).round(4)
    corner = tc.zeros(1, dtype=tc.float64, requires_grad=True)
    function(corner).backward()
    said = corner.grad.item()
    print(f"{name:10} from the left {left:4.2f}, from the right {right:4.2f}, backward says {said:4.2f}")
    if left != right:
        assert (name, said) in (("ReLU", 0), ("leaky ReLU", 0.1))

# %%
# Who gradient-checks a ReLU near zero compares with a difference that looks at both sides of the
# corner, and gets a half. That is no mistake of the gradient. ``tc.gradcheck`` notices corners and
# says so.
#
# Maxout: a bend that is learned
# ------------------------------
# The last one on the slide takes the larger of *two* weighted sums: :math:`\max(w_1^T x + b_1, w_2^T x
# + b_2)`. With one pair (w, 0) it is ReLU; with others, the absolute value, or a leaky ReLU with
# whatever slope fits. It costs twice the weights.


def maxout(x, w1, b1, w2, b2):
    return tc.maximum(w1 * x + b1, w2 * x + b2)


x = tc.tensor(z)
shapes = {
    "(1, 0): ReLU": maxout(x, 1, 0, 0, 0),
    "(1, 0.1): leaky ReLU": maxout(x, 1, 0, 0.1, 0),
    "(1, -1): |z|": maxout(x, 1, 0, -1, 0),
}
assert np.allclose(shapes["(1, 0): ReLU"].numpy(), formulas["ReLU"])
assert np.allclose(shapes["(1, -1): |z|"].numpy(), np.abs(z))

course.show(
    viz.plot_lines({"maxout with two weights": {k: v.numpy() for k, v in shapes.items()}}, z, ("z", "")),
    "07_maxout.png",
)

# %%
# Ten layers deep
# ---------------
# Backpropagation multiplies slopes, one for each layer. Ten times a quarter is a millionth. Take
# twenty layers of 64 neurons with first weights that keep the *values* alive (for ReLU, He's
# rule: variance 2 / inputs; for the others 1 / inputs), and look at how much of the gradient arrives at
# each layer.

DEPTH, WIDTH = 20, 64


def gradient_sizes(function, gain):
    """Root mean square of the gradient at each of the layers' outputs."""
    tc.manual_seed(0)
    hidden, outputs = tc.randn(256, WIDTH, requires_grad=True), []
    for _ in range(DEPTH):
        weight = tc.randn(WIDTH, WIDTH) * gain / WIDTH**0.5
        hidden = function(hidden @ weight)
        hidden.retain_grad()
        outputs.append(hidden)
    (outputs[-1] * tc.randn(256, WIDTH)).sum().backward()
    return np.array([(output.grad**2).mean().item() ** 0.5 for output in outputs])


sizes = {}
for name in ("sigmoid", "tanh", "ReLU", "ELU"):
    sizes[name] = gradient_sizes(functions[name], 2**0.5 if name == "ReLU" else 1.0)
arrives = {name: size[0] / size[-1] for name, size in sizes.items()}
for name, share in arrives.items():
    print(f"{name:8} of the gradient at layer {DEPTH}, {share:.1e} arrives at layer 1")

assert arrives["sigmoid"] < 1e-9 and arrives["ReLU"] > 0.05

course.show(
    viz.plot_lines(
        {"How much of the gradient arrives?": sizes}, np.arange(1, DEPTH + 1), ("layer", "gradient"), log="y"
    ),
    "07_vanishing.png",
)

# %%
# With sigmoids, the first layers hear nothing. This is the *vanishing gradient*, and one reason why
# deep networks had to wait for ReLU. Here are three of them in training, eight layers deep, on the
# digits of scikit-learn:

digits = data.Digits()
images = np.stack([image for image, _ in digits]).reshape(-1, 64)
labels = np.array([label for _, label in digits])


def fit(bend, initialise):
    """Share of the 597 held-out digits that are right, after each epoch."""
    tc.manual_seed(0)
    layers = []
    for inputs in (64, *[48] * 7):
        linear = nn.Linear(inputs, 48)
        initialise(linear.weight)
        layers += [linear, bend()]
    network = nn.Sequential(*layers, nn.Linear(48, 10))
    optimizer = tc.optim.SGD(network.parameters(), lr=0.02, momentum=0.9)
    order, right = np.random.default_rng(0), []
    for _ in range(EPOCHS):
        for batch in order.permutation(1200).reshape(-1, 40):
            loss = F.cross_entropy(network(tc.tensor(images[batch])), tc.tensor(labels[batch]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with tc.no_grad():
            answers = network(tc.tensor(images[1200:])).numpy().argmax(1)
        right.append((answers == labels[1200:]).mean())
    return right


learned = {
    "sigmoid": fit(nn.Sigmoid, nn.init.xavier_normal_),
    "ReLU": fit(nn.ReLU, nn.init.kaiming_normal_),
    "ELU": fit(nn.ELU, nn.init.kaiming_normal_),
}
for name, curve in learned.items():
    print(f"{name:8} right after {EPOCHS} epochs: {curve[-1]:.1%}")
assert QUICK or learned["sigmoid"][-1] < 0.2 < 0.8 < min(learned["ReLU"][-1], learned["ELU"][-1])

course.show(
    viz.plot_lines(
        {"Eight layers, three bends": learned}, np.arange(1, EPOCHS + 1), ("epoch", "right, held out")
    ),
    "07_training.png",
)

# %%
# The network with sigmoids guesses. It is not that it *could* not tell the digits apart: with one
# layer in the middle it learns them well (try it). The message just does not get through.
#
# A neuron may die
# ----------------
# ReLU has a weakness of its own. A neuron whose sum is below zero for *every* image has slope 0
# everywhere. No gradient arrives, so it never changes again. One step that was too large is enough:

x = tc.tensor(images[:200])
neuron = nn.Linear(64, 1)
with tc.no_grad():
    neuron.bias.fill_(-100)
for name, bend in (("ReLU", F.relu), ("leaky ReLU", lambda s: F.leaky_relu(s, 0.1)), ("ELU", F.elu)):
    neuron.zero_grad()
    bend(neuron(x)).sum().backward()
    print(f"{name:10} gradient of the bias of a neuron at -100: {neuron.bias.grad.item():.3g}")
    assert (neuron.bias.grad.item() > 1) == (name == "leaky ReLU")

# %%
# Only the leaky one can come back from there. (ELU is nearly flat so far out; at -2 it would still
# hear something.)
#
# Try this
# --------
# 1. With a pencil: the slope of softplus, :math:`\log(1 + e^z)`. Where have you seen this curve?
# 2. What would ten ReLUs in a row do, without weights between them? Ten sigmoids?
# 3. Which w1, b1, w2, b2 make a maxout that is z everywhere?
# 4. Train the eight layers with tanh. Why is it so much better than the sigmoid, though it has the
#    same form?
# 5. Count dead neurons after training with ``lr=0.5``.
#
# The files: ``tinyconv/ops/activation.py`` and ``piecewise_activation.py``, value and slope of each
# side by side; ``tinyconv/kernels/cpu/activation.py``, the same at the speed of the memory.
#
# Next: ``tinyconv learn 08``, layers that throw something away.
