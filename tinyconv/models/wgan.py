"""Wasserstein GAN with gradient penalty: a critic that scores, and whose slope is held at 1.

Arjovsky, Chintala and Bottou, "Wasserstein GAN" (2017): the difference of the mean scores of real
and generated images, for the best critic whose slope is nowhere above 1, is the Wasserstein distance
of the two distributions; unlike the logarithm of a classifier it does not saturate. Gulrajani et al.,
"Improved Training of Wasserstein GANs" (2017): the slope is held near 1 by a penalty, which contains
a gradient and is differentiated again. It is one per image, so there is no batch norm in the critic.
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyconv.autograd import grad
from tinyconv.errors import ShapeError
from tinyconv.generator import Generator as RandomGenerator
from tinyconv.grad_mode import no_grad
from tinyconv.models._sizes import check_sizes
from tinyconv.models.adversarial import Adversarial, Optimizers, Turn, adam, play, weights_init
from tinyconv.models.dcgan import Discriminator, Generator
from tinyconv.models.registry import register
from tinyconv.nn import Module
from tinyconv.ops import rand
from tinyconv.ops._checks import check_float
from tinyconv.tensor import Tensor


@register("wgan_gp", input_size=(128,))
class WGANGP(Adversarial):
    """The networks of DCGAN, with biases in the place of the critic's batch norm.

    Parameters
    ----------
    in_channels : int
        3 for RGB, 1 for grey images.
    image_size : int
        Height and width: 4 to 7 doubled some times, e.g. 28, 32, 64.
    latent_dim : int
        Numbers of noise per image.
    width : int
        Channels next to the images.

    Notes
    -----
    ``model.discriminator`` is the critic: its output (N,) is a score, not a logit, of which differences
    alone matter; so the last layer has no bias. Images are from -1 to 1.

    Examples
    --------
    >>> model = WGANGP(in_channels=1, image_size=28, width=8)
    >>> model.sample(2).shape
    (2, 1, 28, 28)
    """

    def __init__(
        self, in_channels: int = 3, image_size: int = 64, latent_dim: int = 128, width: int = 64
    ) -> None:
        check_sizes("wgan_gp", in_channels=in_channels, latent_dim=latent_dim, width=width)
        critic = Discriminator(in_channels, image_size, width, normalise=False)
        super().__init__(Generator(latent_dim, in_channels, image_size, width), critic, latent_dim)
        self.apply(weights_init)


def optimizers(model: Adversarial, lr: float = 1e-4, betas: tuple[float, float] = (0.0, 0.9)) -> Optimizers:
    """The paper's two Adams, without momentum."""
    return adam(model, lr, betas)


def gradient_penalty(critic: Module, real: Tensor, generated: Tensor, share: Tensor) -> Tensor:
    """How far the critic's slope is from 1, at points between real and generated images.

    mean (|∇ critic(x)| - 1)^2 at x = share * real + (1 - share) * generated; its own gradient with
    respect to the critic's weights is a second derivative.

    Parameters
    ----------
    critic : Module
    real, generated : Tensor (N, …)
    share : Tensor (N,)
        From 0 to 1, drawn uniformly.

    Raises
    ------
    ShapeError
        When there are not as many of one as of the others.
    """
    if generated.shape != real.shape or share.shape != real.shape[:1]:
        raise ShapeError(
            "gradient_penalty",
            "generated, share",
            f"of shapes {generated.shape}, {share.shape}",
            f"those of real, {real.shape}, and one share per image",
        )
    share = share.reshape(-1, *[1] * (real.ndim - 1))
    between = (share * real + (1 - share) * generated).detach().requires_grad_()
    (slope,) = grad(critic(between).sum(), between, create_graph=True)
    assert slope is not None
    return ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()


def critic_loss(real: Tensor, generated: Tensor, penalty: Tensor, weight: float = 10.0) -> Tensor:
    """mean critic(G(z)) - mean critic(x) + weight * penalty; without the penalty, minus the distance."""
    return generated.mean() - real.mean() + weight * penalty


def generator_loss(generated: Tensor) -> Tensor:
    """-mean critic(G(z))."""
    return -generated.mean()


def turns(
    model: Adversarial,
    images: Tensor,
    generator: RandomGenerator | None = None,
    critic_steps: int = 5,
    weight: float = 10.0,
) -> Iterator[Turn]:
    """The critic's turns, with the distance that it sees, each on other images; then the generator's."""
    check_sizes("wgan.step", critic_steps=critic_steps)
    check_float("wgan.step", "images", images)
    n, rest = divmod(images.shape[0], critic_steps)
    if rest or not n:
        raise ShapeError("wgan.step", "images", f"of shape {images.shape}", f"{critic_steps} * N of them")
    for part in images.chunk(critic_steps):
        with no_grad():
            generated = model.generator(model.noise(n, generator))
        share = rand(n, generator=generator, dtype=images.dtype).to(images.device)
        real, fake = model.discriminator(part), model.discriminator(generated)
        penalty = gradient_penalty(model.discriminator, part, generated, share)
        loss = critic_loss(real, fake, penalty, weight)
        values = {"critic": loss, "distance": real.mean() - fake.mean(), "penalty": penalty}
        yield Turn("discriminator", values)
    generated = model.generator(model.noise(n, generator))
    yield Turn("generator", {"generator": generator_loss(model.discriminator(generated))})


def step(
    model: Adversarial,
    images: Tensor,
    optimizers: Optimizers,
    generator: RandomGenerator | None = None,
    critic_steps: int = 5,
    weight: float = 10.0,
) -> dict[str, float]:
    """One step of training: the critic some times, each on other images, then the generator.

    Parameters
    ----------
    model : Adversarial
        In training mode.
    images : Tensor (critic_steps * N, C, H, W)
        Real ones, from -1 to 1: N for each of the critic's updates.
    optimizers : Optimizers
        Of `optimizers`.
    generator : tc.Generator, optional
        What draws the noise.
    critic_steps : int
        Updates of the critic for one of the generator.
    weight : float
        Of the gradient penalty.

    Returns
    -------
    losses : dict
        ``critic``, ``distance`` and ``penalty`` of the critic's last update, and ``generator``.

    Raises
    ------
    ShapeError
        When the number of images is no multiple of `critic_steps`.
    """
    return play(turns(model, images, generator, critic_steps, weight), optimizers)
