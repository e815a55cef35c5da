"""What all generative adversarial networks share: two networks as one model, and one optimiser for each.

Goodfellow et al., "Generative Adversarial Nets" (2014). A generator turns noise into images; a
discriminator tells them from real ones. Each is trained against the other, so one step of training
is two updates. `dcgan.py`, `acgan.py` and `wgan.py` differ in their networks and their losses; each
has a function ``step`` that can be read beside the paper's algorithm.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.generator import Generator as RandomGenerator
from tinyconv.grad_mode import no_grad
from tinyconv.models._sizes import check_sizes
from tinyconv.nn import BatchNorm2d, Conv2d, ConvTranspose2d, Linear, Module, init
from tinyconv.ops import randn
from tinyconv.ops._checks import check_float
from tinyconv.optim import Adam
from tinyconv.optim.optimizer import Optimizer
from tinyconv.tensor import Tensor


class Adversarial(Module):
    """A generator and its discriminator, e.g. to train nets of one's own by a ``step`` of this package.

    Parameters
    ----------
    generator : Module
        From noise (N, latent_dim) to images.
    discriminator : Module
        From images to one number per image, a logit or a score.
    latent_dim : int
        Numbers of noise per image.

    Notes
    -----
    ``model(noise)`` is ``model.generator(noise)``; the state dict has the names of both networks,
    after ``generator.`` and ``discriminator.``.
    """

    def __init__(self, generator: Module, discriminator: Module, latent_dim: int) -> None:
        super().__init__()
        check_sizes(type(self).__name__, latent_dim=latent_dim)
        self.generator, self.discriminator = generator, discriminator
        self.latent_dim = latent_dim

    def forward(self, latent: Tensor) -> Tensor:
        return self.generator(latent)

    def noise(self, n: int, generator: RandomGenerator | None = None) -> Tensor:
        """Standard normal numbers (n, latent_dim), of the dtype and on the device of the weights.

        Parameters
        ----------
        n : int
            Number of images to be made of it.
        generator : tc.Generator, optional
            What draws; by default what `manual_seed` sets.
        """
        check_sizes(f"{type(self).__name__}.noise", n=n)
        like = next(self.generator.parameters())
        return randn(n, self.latent_dim, generator=generator, dtype=like.dtype).to(like.device)

    def sample(self, n: int, generator: RandomGenerator | None = None) -> Tensor:
        """New images (n, …), made in evaluation mode; the model's mode stays as it was."""
        return generate(self.generator, self.noise(n, generator))


def generate(network: Module, latent: Tensor) -> Tensor:
    """What `network` makes of `latent` in evaluation mode, without a graph; its mode stays as it was."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        with no_grad():
            return network(latent)
    finally:
        for module, training in modes:
            object.__setattr__(module, "training", training)


def halvings(where: str, image_size: int) -> tuple[int, int]:
    """How often an image can be halved before it has 4 to 7 pixels a side, and how many it then has.

    Raises
    ------
    ArgumentError
        When a side becomes odd before that, or is below 8 at the start.

    Examples
    --------
    >>> halvings("dcgan", 64), halvings("dcgan", 28)
    ((4, 4), (2, 7))
    """
    check_sizes(where, image_size=image_size)
    count, size = 0, image_size
    while size >= 8 and size % 2 == 0:
        count, size = count + 1, size // 2
    if not count or size >= 8:
        raise ArgumentError(where, "image_size", image_size, "4 to 7 doubled once or more, e.g. 28, 32 or 64")
    return count, size


def flat_latent(where: str, latent: Tensor, latent_dim: int) -> Tensor:
    """`latent` as (N, latent_dim); it may be (N, latent_dim, 1, 1) as well.

    Raises
    ------
    ShapeError, DtypeError
        When it is neither.
    """
    shape = check_float(where, "latent", latent).shape
    if shape[1:] not in ((latent_dim,), (latent_dim, 1, 1)):
        raise ShapeError(
            where, "latent", f"of shape {shape}", f"(N, {latent_dim}) or (N, {latent_dim}, 1, 1)"
        )
    return latent.reshape(-1, latent_dim)


class Optimizers(NamedTuple):
    """One optimiser for each of the two networks."""

    generator: Optimizer
    discriminator: Optimizer


def adam(model: Adversarial, lr: float, betas: tuple[float, float]) -> Optimizers:
    """Two Adams with the same options."""
    return Optimizers(
        Adam(model.generator.parameters(), lr=lr, betas=betas),
        Adam(model.discriminator.parameters(), lr=lr, betas=betas),
    )


def update(optimizer: Optimizer, loss: Tensor) -> float:
    """Go one step down the gradient of `loss`; returns the loss as a number."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


class Turn(NamedTuple):
    """What one of the two networks is to be trained on now.

    Attributes
    ----------
    network : str
        ``generator`` or ``discriminator``.
    values : dict of str to Tensor
        Numbers by name; the first is the loss.
    """

    network: str
    values: dict[str, Tensor]

    @property
    def loss(self) -> Tensor:
        """What is to be made smaller."""
        return next(iter(self.values.values()))


def play(turns: Iterable[Turn], optimizers: Optimizers) -> dict[str, float]:
    """Make the update of each turn before the next is asked for; returns their last values."""
    values: dict[str, float] = {}
    for turn in turns:
        update(getattr(optimizers, turn.network), turn.loss)
        values |= {name: value.item() for name, value in turn.values.items()}
    return values


def weights_init(module: Module) -> None:
    """First weights as in the DCGAN paper, through ``model.apply(weights_init)``.

    Normal with standard deviation 0.02 around 0, for the scales of batch norm around 1; biases 0.
    """
    if isinstance(module, Conv2d | ConvTranspose2d | Linear):
        init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            init.zeros_(module.bias)
    elif isinstance(module, BatchNorm2d) and module.weight is not None and module.bias is not None:
        init.normal_(module.weight, 1.0, 0.02)
        init.zeros_(module.bias)
