"""The perceptron (Rosenblatt 1958): one formal neuron, a weighted sum and a step.

Slide decks S0 and S3: y = f(w x + b). Its boundary is a line, so that of the four cases of XOR
it gets three right at most.
"""

from __future__ import annotations

from tinyconv.errors import ShapeError
from tinyconv.grad_mode import no_grad
from tinyconv.models.registry import register
from tinyconv.nn import Linear, Module
from tinyconv.tensor import Tensor


@register("perceptron", input_size=(784,))
class Perceptron(Module):
    """One neuron for each class; the output is w x + b, whose sign decides.

    Parameters
    ----------
    in_features : int
    num_classes : int

    Examples
    --------
    >>> import tinyconv as tc
    >>> x = tc.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> both = tc.tensor([[0.0], [0.0], [0.0], [1.0]])
    >>> neuron = Perceptron(in_features=2)
    >>> while neuron.correct(x, both):
    ...     pass
    >>> neuron.decide(x).flatten().tolist()
    [0.0, 0.0, 0.0, 1.0]
    """

    def __init__(self, in_features: int = 784, num_classes: int = 1) -> None:
        super().__init__()
        self.neuron = Linear(in_features, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.neuron(x.flatten(1))

    def decide(self, x: Tensor) -> Tensor:
        """1 where w x + b is above 0, else 0."""
        with no_grad():
            return (self(x) > 0).to(self.neuron.weight.dtype)

    def correct(self, x: Tensor, target: Tensor, lr: float = 1.0) -> int:
        """Rosenblatt's rule, once through the examples; returns the number of mistakes.

        Each mistake moves the weights by ``lr * (target - decision) * x``. If a line separates the
        classes, the mistakes come to an end.

        Parameters
        ----------
        x : Tensor
            Shape (N, in_features).
        target : Tensor
            Shape (N, num_classes), of 0 and 1.
        lr : float
        """
        if target.shape != (len(x), self.neuron.out_features):
            wanted = f"({len(x)}, {self.neuron.out_features})"
            raise ShapeError("Perceptron.correct", "target", target.shape, wanted)
        mistakes = 0
        with no_grad():
            for example, wanted_of_it in zip(x, target, strict=True):
                error = wanted_of_it - self.decide(example.reshape(1, -1))[0]
                wrong = int(error.abs().sum().item())
                if wrong:
                    changes = error.reshape(-1, 1) * example.reshape(1, -1), error
                    for parameter, change in zip(self.neuron.parameters(), changes, strict=True):
                        parameter.add_(lr * change)
                mistakes += wrong
        return mistakes
