"""The training loop of two networks that are trained against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, cast

from tinyconv.data import DataLoader
from tinyconv.device import get_rng_state
from tinyconv.errors import ArgumentError
from tinyconv.nn import Module
from tinyconv.optim import Optimizer
from tinyconv.tensor import Tensor
from tinyconv.train.placing import device_of_model
from tinyconv.train.trainer import STOP, Batch, Trainer

Turns = Callable[[Any, Tensor, Tensor, Any], Iterable[Any]]


class Together(Optimizer):
    """Optimisers as one, for their learning rates and for checkpoints; each makes its own steps.

    Parameters
    ----------
    optimizers : dict of str to Optimizer
        Of one kind, by the name of what they train.

    Examples
    --------
    >>> import tinyconv as tc
    >>> first, second = tc.nn.Linear(2, 1), tc.nn.Linear(1, 1)
    >>> both = Together({"a": tc.optim.Adam(first.parameters()), "b": tc.optim.Adam(second.parameters())})
    >>> [group["params"] for group in both.state_dict()["param_groups"]]
    [[0, 1], [2, 3]]
    """

    def __init__(self, optimizers: Mapping[str, Optimizer]) -> None:
        self.optimizers = dict(optimizers)
        self.defaults: dict[str, Any] = {}
        self.param_groups = [group for each in self.optimizers.values() for group in each.param_groups]
        self._share({})

    def _share(self, state: dict[Tensor, dict[str, Any]]) -> None:
        """What is remembered of all parameters lies in one place."""
        self.state = state
        for each in self.optimizers.values():
            each.state = state

    def check(self, group: dict[str, Any]) -> None:
        """Raise if an option of a group makes no sense."""
        next(iter(self.optimizers.values())).check(group)

    def update_group(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """One step of the parameters of a group."""
        next(iter(self.optimizers.values())).update_group(parameters, group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` returned."""
        super().load_state_dict(state_dict)
        self._share(self.state)


class Values:
    """The numbers of the last step: losses, and what else there is, by name."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.measured: dict[str, float] = {}


class AdversarialTrainer(Trainer):
    """Train two networks in turns, on batches of (image, label).

    Parameters
    ----------
    model : Module
    optimizers : dict of str to Optimizer
        By the name of the network.
    turns : callable
        ``turns(model, images, labels, generator)`` gives, one after the other, whose turn it is and the
        values of it, the first of which is the loss. Each is asked for after the update of the one before.
    loader, epochs, **options
        As for `Trainer`, but for `accumulate`, and `on_not_finite`, which is ``"stop"``.
    """

    def __init__(
        self,
        model: Module,
        optimizers: Mapping[str, Optimizer],
        turns: Turns,
        loader: DataLoader,
        epochs: int,
        **options: Any,
    ) -> None:
        self.optimizers, self.turns, self.turn = Together(optimizers), turns, 0
        self.last = Values()
        super().__init__(model, self.optimizers, cast(Any, self.last), loader, epochs, **options)
        if (self.accumulate, self.on_not_finite) != (1, STOP):
            found = f"{self.accumulate}, {self.on_not_finite!r}"
            raise ArgumentError("AdversarialTrainer", "accumulate, on_not_finite", found, f"1, {STOP!r}")

    def train_step(self, batches: Sequence[Batch]) -> None:
        """The updates of both networks on one batch."""
        self._set_learning_rate()
        place = device_of_model(self.model)
        images, labels = (part.to(place, non_blocking=True) for part in batches[0])
        self.batch, self._random_state = (images, labels), get_rng_state()
        for number, turn in enumerate(self.turns(self.model, images, labels, None)):
            self.turn = number
            self._check_finite("loss", turn.loss)
            optimizer = self.optimizers.optimizers[turn.network]
            optimizer.zero_grad()
            turn.loss.backward()
            trained = [parameter for group in optimizer.param_groups for parameter in group["params"]]
            self._check_gradients(trained)
            self._clip_gradients(trained)
            optimizer.step()
            name, *others = turn.values
            self.last.values[name] = turn.loss.item()
            self.last.measured |= {other: turn.values[other].item() for other in others}
        self.loss_value = next(iter(self.last.values.values()))

    def _again(self, x: Tensor, target: Tensor) -> Tensor:
        """The loss of the turn that it came to; those before it have made their updates."""
        turn = next(islice(self.turns(self.model, x, target, None), self.turn, None))
        return turn.loss
