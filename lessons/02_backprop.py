"""
02. Backpropagation: who is to blame?
=====================================

You compute by hand how each weight of a neuron should change, write an engine that does it for any
formula in forty lines, and learn how to catch it when it is wrong.

A network's answer is wrong by so much. Each of its weights had a part in it. Backpropagation says
how large a part, for all of them, in one walk from the end to the beginning.
"""

# %%
# What we need
# ------------

import math

import numpy as np

import tinyconv as tc
from tinyconv import course, viz

# %%
# One neuron, one mistake
# -----------------------
# The neuron of the first lesson with a soft answer, and a *loss*: a number that is zero
# when the answer is right, and grows with the mistake. One input x, one weight w, a bias b:
#
# .. math:: z = w x + b \qquad y = \sigma(z) = \frac{1}{1 + e^{-z}} \qquad L = (y - t)^2
#
# The input is x = 2, the answer should be t = 1. With w = 0.5 and b = -1, forward:

x, w, b, t = 2.0, 0.5, -1.0, 1.0

product = w * x
z = product + b
y = 1 / (1 + math.exp(-z))
error = y - t
loss = error**2
print(f"w x = {product}, z = {z}, y = {y}, error = {error}, loss = {loss}")

assert loss == 0.25

# %%
# A long name for a simple question
# ---------------------------------
# How does the loss change if w changes a little? Just try it: move w up by a hair, move it down by a hair,
# and divide the difference of the losses by the distance. This quotient is (nearly) the *derivative* of L
# by w.


def loss_of(w, b):
    return (1 / (1 + math.exp(-(w * x + b))) - t) ** 2


h = 1e-6
by_trying_w = (loss_of(w + h, b) - loss_of(w - h, b)) / (2 * h)
by_trying_b = (loss_of(w, b + h) - loss_of(w, b - h)) / (2 * h)
print(f"by trying: dL/dw = {by_trying_w:.6f}, dL/db = {by_trying_b:.6f}")

# %%
# Raise w by 0.01, and the loss falls by about 0.005. So w should go up. But for two derivatives we
# had to run the formula four times. A network with 60 million weights would have to run 120 million
# times, for a single step. There must be a better way, and it is older than computers.
#
# The chain rule, one link at a time
# ----------------------------------
# Walk back from the loss, and ask at each step only about *that step*:
#
# - :math:`L = e^2`, with e the error. If e grows by a hair, L changes by 2e = -1 hairs.
# - :math:`e = y - t`. A hair of y is a hair of e. So for L: still -1.
# - :math:`y = \sigma(z)`. The slope of the sigmoid is :math:`y (1 - y)` = 0.25. So for L: -1 * 0.25.
# - :math:`z = w x + b`. A hair of b is a hair of z. A hair of w is x = 2 hairs of z.
#
# A slope of a slope is a product. That is the whole chain rule.

d_error = 2 * error
d_y = d_error * 1
d_z = d_y * y * (1 - y)
d_b = d_z * 1
d_w = d_z * x
print(f"dL/de = {d_error}, dL/dy = {d_y}, dL/dz = {d_z}, dL/db = {d_b}, dL/dw = {d_w}")

assert (d_w, d_b) == (-0.5, -0.25)
assert abs(d_w - by_trying_w) < 1e-8 and abs(d_b - by_trying_b) < 1e-8

# %%
# One walk forward, one walk back, and every derivative is there, even if there are 60 million of
# them: all weights share the way, and part only at the end. On the way back each step needs numbers
# of the way forward (the error, y, x). They have to be kept, and this is why training a network
# takes so much more memory than using it.
#
# Used twice, blamed twice
# ------------------------
# What if a number is used in two places? Take :math:`y = x \cdot x + x` at x = 3. The three uses of x
# each have their own slope: x (for the first factor), x (for the second), and 1. A hair of x moves all
# three, so they **add**: 3 + 3 + 1 = 7.

f = lambda x: x * x + x  # noqa: E731
assert abs((f(3 + h) - f(3 - h)) / (2 * h) - 7) < 1e-6

# %%
# An engine
# ---------
# Now let the computer keep the book. A ``Number`` is a value that remembers what it was made of:
# its *parents*, and for each of them the slope of this one step. That book is the *computation
# graph*; it writes itself while you compute.


class Number:
    """A value, the numbers that it was made of, and the slope by each of them."""

    def __init__(self, value, parents=(), slopes=()):
        self.value, self.parents, self.slopes = value, parents, slopes
        self.grad = 0.0

    def __add__(self, other):
        return Number(self.value + other.value, (self, other), (1, 1))

    def __mul__(self, other):
        return Number(self.value * other.value, (self, other), (other.value, self.value))

    def sigmoid(self):
        y = 1 / (1 + math.exp(-self.value))
        return Number(y, (self,), (y * (1 - y),))

    def backward(self):
        self.grad = 1.0  # the loss by itself
        for number in reversed(in_order(self)):
            for parent, slope in zip(number.parents, number.slopes, strict=True):
                parent.grad += slope * number.grad


def in_order(last):
    """All numbers that `last` is made of, each after its parents."""
    order, seen = [], set()

    def visit(number):
        if number not in seen:
            seen.add(number)
            for parent in number.parents:
                visit(parent)
            order.append(number)

    visit(last)
    return order


# %%
# ``+=`` in ``backward`` is "used twice, blamed twice". Try it on the neuron.

weight, bias = Number(w), Number(b)
mistake = (weight * Number(x) + bias).sigmoid() + Number(-t)
squared = mistake * mistake
squared.backward()
print(f"engine: loss {squared.value}, dL/dw = {weight.grad}, dL/db = {bias.grad}")

assert (squared.value, weight.grad, bias.grad) == (0.25, -0.5, -0.25)

three = Number(3.0)
(three * three + three).backward()
assert three.grad == 7

# %%
# The order is everything
# -----------------------
# Why ``in_order``? Why not simply run from each number to its parents at once? Because a number may
# pass its blame on only when it has *all* of it. In this graph, b is used by c and by d, and d needs c:
#
# .. math:: b = 2a \qquad c = 3b \qquad d = b + c
#
# so d = 2a + 6a, and the slope is 8. Here is the hasty walk, which passes on what has just arrived,
# together with what had arrived before:


def hasty(number):
    for parent, slope in zip(number.parents, number.slopes, strict=True):
        parent.grad += slope * number.grad
        hasty(parent)


def diamond():
    a = Number(1.0)
    b = Number(2.0) * a
    return a, b + Number(3.0) * b


a, d = diamond()
d.backward()
patient = a.grad
a, d = diamond()
d.grad = 1.0
hasty(d)
print(f"in order: {patient}, hasty: {a.grad}")

assert patient == 8 and a.grad != 8

# %%
# The hasty walk told a about b's first part twice. An order in which each number comes after all
# that it is made of is called *topological*; walked from its end, no number is visited before
# all its blame has arrived. There always is one, since you cannot use a number before it is made.
#
# The same in tinyconv
# --------------------
# A ``Tensor`` is our ``Number`` for whole arrays. ``requires_grad=True`` says whose slopes you want,
# and the graph can be drawn.

weight = tc.tensor(0.5, requires_grad=True, dtype=tc.float64)
bias = tc.tensor(-1.0, requires_grad=True, dtype=tc.float64)
loss = (tc.sigmoid(weight * 2 + bias) - 1) ** 2
loss.backward()
print(f"tinyconv: loss {loss.item()}, dL/dw = {weight.grad.item()}, dL/db = {bias.grad.item()}")

assert (loss.item(), weight.grad.item(), bias.grad.item()) == (0.25, -0.5, -0.25)

weight = tc.tensor(0.5, requires_grad=True)
bias = tc.tensor(-1.0, requires_grad=True)
loss = (tc.sigmoid(weight * 2 + bias) - 1) ** 2
course.show(viz.graph_figure(tc.autograd.graph(loss, {"w": weight, "b": bias})), "02_graph.png")

# %%
# Our ``visit`` calls itself, once for each step back. Python allows about a thousand calls inside one
# another, so a graph that is 5,000 steps long breaks our engine. tinyconv keeps a list of what is still
# to do instead.

long = Number(1.0)
for _ in range(5000):
    long = long + Number(0.0)
try:
    long.backward()
    print("our engine: fine")
except RecursionError as limit:
    print("our engine:", limit)

start = tc.tensor(1.0, requires_grad=True)
long = start
for _ in range(5000):
    long = long + 0
long.backward()
print("tinyconv:  ", start.grad.item())

assert start.grad.item() == 1

# %%
# How to catch a wrong derivative
# -------------------------------
# A wrong slope does not crash. The network still learns, only badly, and you look for the reason in
# the data for a week. So whoever writes a derivative compares it with differences, as we did at the
# start. How small should the hair be? Try it, for the derivative of the sigmoid at 1:

sizes = 10.0 ** np.arange(-1, -13.1, -0.5)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


right = sigmoid(1.0) * (1 - sigmoid(1.0))
one_sided = np.abs((sigmoid(1.0 + sizes) - sigmoid(1.0)) / sizes - right)
central = np.abs((sigmoid(1.0 + sizes) - sigmoid(1.0 - sizes)) / (2 * sizes) - right)
single = sizes.astype(np.float32)
one = np.float32(1)
steps32 = (one + single) - (one - single)  # what is left of the steps in 24 bits
with np.errstate(divide="ignore", invalid="ignore"):
    rough = np.abs((sigmoid(one + single) - sigmoid(one - single)) / steps32 - right)
rough[steps32 == 0] = np.nan
errors = {"one side": one_sided, "both sides": central, "both sides, float32": rough}
for name, values in errors.items():
    best = np.nanargmin(values)
    print(f"{name:20} smallest error {values[best]:.1e} at h = {sizes[best]:.1e}")

assert central.min() < one_sided.min() < np.nanmin(rough)

course.show(
    viz.plot_lines(
        {"How wrong is a difference quotient?": {k: np.maximum(v, 1e-13) for k, v in errors.items()}},
        sizes,
        ("step h", "error of the derivative"),
        log="xy",
    ),
    "02_step_size.png",
)

# %%
# From the right, the error falls as the step shrinks: with its square, if you step to both sides. Then
# it rises again, because the two losses agree in more and more digits, and their difference consists of
# what is left of rounding. The best h lies between. In single precision there is no good one, which is
# why gradients are checked in float64. ``tc.gradcheck`` does this, for every element of every input.

checked = tc.rand(3, 4, dtype=tc.float64, requires_grad=True)
assert tc.gradcheck(lambda x: tc.sigmoid(x * x).sum(), (checked,))

# %%
# And here is a mistake that people really make: in the derivative of the sigmoid they use the
# input where the formula means the output.


class WrongSigmoid(tc.autograd.Function):
    @staticmethod
    def forward(ctx, z):
        ctx.save_for_backward(z)
        return tc.sigmoid(z)

    @staticmethod
    def backward(ctx, grad):
        (z,) = ctx.saved_tensors
        return grad * z * (1 - z)  # should be y (1 - y)


z = tc.tensor([[0.1, 0.4, 0.7], [1.0, 1.5, 2.0]], dtype=tc.float64, requires_grad=True)
try:
    tc.gradcheck(WrongSigmoid.apply, (z,))
except tc.errors.GradcheckError as found:
    print(str(found).splitlines()[0])
    caught = True
assert caught

wrong = tc.autograd.grad(WrongSigmoid.apply(z).sum(), z)[0].numpy()
values = z.detach().numpy()
numeric = (sigmoid(values + 1e-6) - sigmoid(values - 1e-6)) / 2e-6
course.show(viz.gradient_heatmap(wrong, numeric), "02_wrong_gradient.png")

# %%
# Learning, at last
# -----------------
# The slope says which way is up. So take a small step down: :math:`w \leftarrow w - \eta \, dL/dw`,
# again and again. With our own forty lines, the network of the first lesson learns XOR:

generator = np.random.default_rng(1)
first = [[Number(v) for v in generator.normal(0, 1.5, 3)] for _ in range(2)]
last = [Number(v) for v in generator.normal(0, 1.5, 3)]
cases = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]


def answer(inputs):
    numbers = [Number(float(value)) for value in inputs]
    hidden = [(u * numbers[0] + v * numbers[1] + bias).sigmoid() for u, v, bias in first]
    u, v, bias = last
    return (u * hidden[0] + v * hidden[1] + bias).sigmoid()


losses = []
for _ in range(1500):
    loss = Number(0.0)
    for inputs, target in cases:
        mistake = answer(inputs) + Number(-float(target))
        loss = loss + mistake * mistake
    for parameter in [*first[0], *first[1], *last]:
        parameter.grad = 0.0  # or this step's blame would be added to the last one's
    loss.backward()
    for parameter in [*first[0], *first[1], *last]:
        parameter.value -= 2.0 * parameter.grad
    losses.append(loss.value)

for inputs, target in cases:
    print(inputs, f"-> {answer(inputs).value:.3f}, should be {target}")
    assert round(answer(inputs).value) == target

course.show(
    viz.plot_lines(
        {"XOR, learned by forty lines": {"loss": losses}},
        np.arange(len(losses)),
        ("step", "loss"),
    ),
    "02_learning.png",
)

# %%
# Try this
# --------
# 1. With a pencil: L, dL/dw and dL/db of the neuron for x = -1, w = 1, b = 1, t = 0.
# 2. Give ``Number`` a division. (The slope of a/b by b is :math:`-a / b^2`.) Check it by differences.
# 3. Give it a ReLU, max(0, z). What is the slope at z = 0? What does a difference quotient say there?
# 4. Write ``in_order`` without a function that calls itself.
# 5. Leave out the line that sets ``grad`` to zero. What happens to the training, and why?
#
# The engine is this lesson for arrays: ``tinyconv/autograd.py`` has the walk, ``tinyconv/graph.py``
# the order, and each file in ``tinyconv/ops/`` the slopes of some steps. ``docs/engine.md`` is a guided
# tour.
#
# Next: ``tinyconv learn 03``, whole layers of neurons, and digits written by hand.
