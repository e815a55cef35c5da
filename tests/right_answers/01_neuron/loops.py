import numpy as np


def neuron(x, w, b):
    answers = np.empty(len(x), dtype=x.dtype)
    for n in range(len(x)):
        total = b
        for d in range(len(w)):
            total += x[n, d] * w[d]
        answers[n] = 1 if total > 0 else 0
    return answers
