"""
01. One neuron, and what it cannot do
=====================================

You build the smallest part of every network, teach it AND and OR by its mistakes, and find out
why it never learns XOR. Then three such neurons do it together.

A pencil is enough for all of it. Python only does the arithmetic faster, and draws.
"""

# %%
# What we need
# ------------
# NumPy for arrays of numbers, ``viz`` to draw, and ``course.show``, which puts a figure into the
# folder ``figures`` and tells you where. ``nn`` has the parts of networks; it comes last.

import numpy as np

import tinyconv as tc
from tinyconv import course, nn, viz

# %%
# A weighted sum, then a decision
# -------------------------------
# A formal neuron is a model of a nerve cell, and a very rough one. Its inputs :math:`x_i` are
# numbers. Each has a weight :math:`w_i`, which says how much this input counts and whether it
# speaks for or against. The neuron adds up what the inputs say, and a number b of its own, the
# *bias*. A function f makes the sum into the answer:
#
# .. math:: y = f(w_1 x_1 + w_2 x_2 + \dots + b) = f(w^T x + b)
#
# Take a nurse's rule of thumb. Call the doctor if the patient has a fever *and* a fast pulse. Each
# symptom is 1 or 0; f is a step, 1 above zero and 0 otherwise.


def step(z):
    """1 where z is above 0, else 0."""
    return np.where(z > 0, 1, 0)


def neuron(x, w, b):
    """y = f(w x + b) for each row of x."""
    return step(x @ w + b)


cases = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
w, b = np.array([1.0, 1.0]), -1.5

for x in cases:
    print(f"fever {x[0]}, pulse {x[1]}: {w[0]} * {x[0]} + {w[1]} * {x[1]} + {b} = {x @ w + b:4.1f}", end="")
    print(f"  ->  {neuron(x, w, b)}")

assert neuron(cases, w, b).tolist() == [0, 0, 0, 1]

# %%
# Only two symptoms together lift the sum above zero. So this neuron computes AND. With b = -0.5 a
# single symptom is enough, and the same neuron computes OR: the bias is how hard it is to convince.

assert neuron(cases, w, -0.5).tolist() == [0, 1, 1, 1]

# %%
# The boundary is a line
# ----------------------
# Where does the answer change? Where the sum is exactly zero, and :math:`w_1 x_1 + w_2 x_2 + b = 0`
# is the equation of a line. On one side the neuron says 1, on the other 0. The weights are
# perpendicular to the line: they point straight to the side of the ones. The bias shifts the line.
#
# With three inputs the boundary is a plane, with 784, one for each pixel of a small image, it is
# a flat thing in 784 dimensions that nobody can imagine. It is still flat, and that matters soon.

AND, OR, XOR = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1]), np.array([0, 1, 1, 0])

course.show(
    viz.plot_boundary(
        [lambda x: x @ w - 1.5, lambda x: x @ w - 0.5],
        cases,
        AND,
        ["w = (1, 1), b = -1.5: AND", "w = (1, 1), b = -0.5"],
    ),
    "01_lines.png",
)

# %%
# In the right panel the points still have the colours of AND. Two of them lie on the wrong side:
# for AND, a neuron that is convinced so easily is wrong.
#
# Learning from mistakes
# ----------------------
# We chose the weights. Rosenblatt's *perceptron* of 1958 finds them, with a rule that fits into a
# sentence: **if the answer is wrong, move the weights toward the input, or away from it.** It said
# 0 and should have said 1: add x to w, and 1 to b, and the same x will get a larger sum next time. It said 1
# and should have said 0: subtract. If it was right, change nothing. All three at once::
#
#     w = w + (target - answer) * x
#     b = b + (target - answer)


def learn(targets, rounds):
    """Rosenblatt's rule: the weights, the bias, and how many mistakes each round had."""
    w, b = np.zeros(2), 0.0
    mistakes = []
    for _ in range(rounds):
        errors = 0
        for x, target in zip(cases, targets, strict=True):
            difference = target - neuron(x, w, b)
            w = w + difference * x
            b = b + difference
            errors += abs(difference)
        mistakes.append(int(errors))
    return w, b, mistakes


learned = {}
for name, targets in (("AND", AND), ("OR", OR)):
    w_learned, b_learned, mistakes = learn(targets, rounds=8)
    learned[name] = w_learned, b_learned
    print(f"{name:3}: mistakes in each round {mistakes}, then w = {w_learned}, b = {b_learned}")
    assert mistakes[-1] == 0
    assert np.array_equal(neuron(cases, w_learned, b_learned), targets)

# %%
# It gets there, and this is a theorem, not luck. If *any* line separates the two classes, the rule
# makes only so many mistakes and then no more, however many examples there are.
#
# One line is not enough
# ----------------------
# Exclusive or, XOR: one of the two, but not both. The nurse calls when exactly one of two
# measurements is unusual, since if both are, the machine is broken.

w_learned, b_learned, mistakes = learn(XOR, rounds=30)
print("XOR: mistakes in each round", mistakes)

assert min(mistakes) > 0  # it never comes to rest

# %%
# Could a cleverer rule do better? Try every line there is. Well, nearly: 360 directions of w, and
# for each of them 401 values of b. How many of the four cases can one line get right at most?

best = {}
for name, targets in (("AND", AND), ("OR", OR), ("XOR", XOR)):
    best[name] = 0
    for angle in np.radians(np.arange(360)):
        direction = np.array([np.cos(angle), np.sin(angle)])
        for bias in np.linspace(-2, 2, 401):
            right = (neuron(cases, direction, bias) == targets).sum()
            best[name] = max(best[name], int(right))
print("right at best:", best)

assert best == {"AND": 4, "OR": 4, "XOR": 3}

# %%
# No line at all can do it, and the proof takes four lines. Suppose there were such w and b:
#
# - (0, 0) must give 0, so :math:`b \le 0`;
# - (0, 1) must give 1, so :math:`w_2 + b > 0`;
# - (1, 0) must give 1, so :math:`w_1 + b > 0`;
# - (1, 1) must give 0, so :math:`w_1 + w_2 + b \le 0`.
#
# Add the middle two: :math:`w_1 + w_2 + 2b > 0`. Add the outer two: :math:`w_1 + w_2 + 2b \le 0`.
# Both cannot be. Minsky and Papert put this, with much more of the kind, into a book in 1969.
# Research on networks slowed down for years.

three_right = [lambda x: x @ np.array([1, 1]) - 0.5, lambda x: x @ np.array([-1, -1]) + 1.5]
course.show(
    viz.plot_boundary(three_right, cases, XOR, ["three of four: OR", "three of four: not both"]),
    "01_xor_one_line.png",
)

# %%
# Three neurons, two layers
# -------------------------
# Look at the two panels. Each line gets a different case wrong. XOR is what *both* lines let
# through: OR says 1, and NAND, "not both", says 1. And AND of two answers is something a
# neuron can do. So two neurons look at the inputs, and a third looks only at those two.


def hidden_layer(x):
    """The answers of the OR neuron and the NAND neuron: (N, 2)."""
    return np.stack([neuron(x, np.array([1, 1]), -0.5), neuron(x, np.array([-1, -1]), 1.5)], axis=1)


def xor_network(x):
    return neuron(hidden_layer(x), np.array([1, 1]), -1.5)


print("x1 x2   OR NAND   XOR")
for x, h, y in zip(cases, hidden_layer(cases), xor_network(cases), strict=True):
    print(f" {x[0]}  {x[1]}    {h[0]}    {h[1]}     {y}")

assert np.array_equal(xor_network(cases), XOR)

# %%
# What has happened? The first layer gave every point new coordinates, OR and NAND. In the new
# picture the two cases with answer 1 have become one point, and a line is enough again.
# Remember this one sentence about deep networks: **each layer moves the points, so that the next
# one needs less.**

course.show(
    viz.plot_boundary(
        [lambda x: xor_network(x) - 0.5],
        cases,
        XOR,
        "as the inputs see it",
    ),
    "01_xor_two_lines.png",
)
course.show(
    viz.plot_boundary(
        lambda h: h @ np.array([1, 1]) - 1.5,
        hidden_layer(cases),
        XOR,
        "as the last neuron sees it",
        axes=("OR", "NAND"),
    ),
    "01_hidden.png",
)

# %%
# Can three neurons learn it?
# ---------------------------
# Again we chose the weights. Rosenblatt's rule cannot: it needs to know what each neuron should
# have said, and nobody says that of the two in the middle. The step makes it worse. Change
# a weight a little, and mostly the answer does not change at all. There is nothing to follow.
#
# The way out is a softer f. The *sigmoid*, :math:`\sigma(z) = 1 / (1 + e^{-z})`, also goes from 0
# to 1, but without a jump: every small change of a weight changes the answer a little. Then each
# weight can be asked in which direction the error becomes smaller. How all weights are asked at
# once is the next lesson. Here you only see that it works, with the same network in tinyconv:
# ``Linear(2, 2)`` is two neurons' w and b, ``Sequential`` puts one part behind the other.

z = np.linspace(-6, 6, 7)
print("   z    step  sigmoid")
for value in z:
    print(f"{value:5.1f}  {step(value):4}  {1 / (1 + np.exp(-value)):7.4f}")

x = tc.tensor(cases, dtype=tc.float32)
target = tc.tensor(XOR, dtype=tc.float32).reshape(4, 1)
tc.manual_seed(0)
network = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 1), nn.Sigmoid())
optimizer = tc.optim.Adam(network.parameters(), lr=0.1)
for count in range(401):
    loss = ((network(x) - target) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if count % 100 == 0:
        right = int(((network(x) > 0.5).float() == target).sum().item())
        print(f"after {count:3} changes of the weights: error {loss.item():.4f}, right {right} of 4")

assert right == 4

# %%
# Nobody told it about OR and NAND. Here is what it found instead. The two lines of the first
# layer are where the colour changes; other first weights (``manual_seed``) lead to others.


def learned_score(points):
    with tc.no_grad():
        return network(tc.tensor(points, dtype=tc.float32)).numpy()[:, 0] - 0.5


course.show(viz.plot_boundary(learned_score, cases, XOR, "XOR, learned"), "01_xor_learned.png")

# %%
# Two classes that no line separates
# ----------------------------------
# The same with 200 points, as a study might have them: two measurements of each patient, and a disease
# in which either both are raised or neither. One neuron, then eight in the middle.

generator = np.random.default_rng(0)
points = generator.uniform(-1, 1, (200, 2))
sick = (points[:, 0] * points[:, 1] > 0).astype(int)
patients, diagnosis = tc.tensor(points, dtype=tc.float32), tc.tensor(sick[:, None], dtype=tc.float32)

scores, names = [], []
for middle in (0, 8):
    tc.manual_seed(0)
    if middle:
        model = nn.Sequential(nn.Linear(2, middle), nn.Sigmoid(), nn.Linear(middle, 1), nn.Sigmoid())
    else:
        model = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())
    optimizer = tc.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(600):
        loss = ((model(patients) - diagnosis) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    right = ((model(patients) > 0.5).float() == diagnosis).float().mean().item()
    scores.append(lambda p, model=model: model(tc.tensor(p, dtype=tc.float32)).detach().numpy()[:, 0] - 0.5)
    names.append(f"{middle} in the middle: {right:.0%}" if middle else f"one neuron: {right:.0%}")
    print(names[-1], "right")

assert right > 0.9

course.show(viz.plot_boundary(scores, points, sick, names), "01_patients.png")

# %%
# Try this
# --------
# 1. With a pencil: w and b of a neuron with three inputs that says 1 if at least two of them are 1.
# 2. ``learn`` starts at zero. Start elsewhere. Does AND still end without mistakes? How many rounds?
# 3. Can one neuron tell "x1 is larger than x2"? Draw its line.
# 4. Which of the sixteen functions of two bits can one neuron compute? (All but two. Which two?)
# 5. Train the network that learns XOR with the seeds 0 to 19. How often does it get stuck with two or
#    three of four? Count again with eight neurons in the middle.
#
# In the engine the neuron is ``tinyconv/nn/linear.py``; Rosenblatt's rule is in
# ``tinyconv/models/perceptron.py``, and the network with a layer in the middle in ``mlp.py``
# beside it.
#
# Next: ``tinyconv learn 02``, how all weights of a network are asked at once.
