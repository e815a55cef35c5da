"""DCGAN: generator and discriminator made of convolutions alone.

Radford, Metz and Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative
Adversarial Networks" (2016): strides in the place of pooling, batch norm but for the generator's last
and the discriminator's first layer, no dense hidden layers, ReLU in the generator and tanh at its
end, leaky ReLU in the discriminator.
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyconv.generator import Generator as RandomGenerator
from tinyconv.models._sizes import check_images, check_sizes
from tinyconv.models.adversarial import (
    Adversarial,
    Optimizers,
    Turn,
    adam,
    flat_latent,
    halvings,
    play,
    weights_init,
)
from tinyconv.models.registry import register
from tinyconv.nn import BatchNorm2d, Conv2d, ConvTranspose2d, LeakyReLU, Module, ReLU, Sequential, Tanh
from tinyconv.nn.functional import binary_cross_entropy_with_logits
from tinyconv.ops import ones_like, zeros_like
from tinyconv.ops._checks import check_float
from tinyconv.tensor import Tensor


class Generator(Module):
    """From noise to images: 4x4 with many channels, then twice as large with half as many each time.

    ::

        100 ─ 1024, 4x4 ─ 512, 8x8 ─ 256, 16x16 ─ 128, 32x32 ─ 3, 64x64

    Parameters
    ----------
    latent_dim, out_channels, image_size : int
    width : int
        Channels before the last layer.

    Notes
    -----
    Input (N, latent_dim) or (N, latent_dim, 1, 1); output (N, out_channels, image_size, image_size)
    from -1 to 1.
    """

    def __init__(self, latent_dim: int, out_channels: int, image_size: int, width: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        count, side = halvings("dcgan", image_size)
        channels = width * 2 ** (count - 1)
        self.main = Sequential(
            ConvTranspose2d(latent_dim, channels, side, bias=False), BatchNorm2d(channels), ReLU()
        )
        for _ in range(count - 1):
            self.main.append(ConvTranspose2d(channels, channels // 2, 4, stride=2, padding=1, bias=False))
            channels //= 2
            self.main.append(BatchNorm2d(channels))
            self.main.append(ReLU())
        self.main.append(ConvTranspose2d(channels, out_channels, 4, stride=2, padding=1, bias=False))
        self.main.append(Tanh())

    def forward(self, latent: Tensor) -> Tensor:
        latent = flat_latent(type(self).__name__, latent, self.latent_dim)
        return self.main(latent.reshape(*latent.shape, 1, 1))


class Discriminator(Module):
    """From images to one number each: the generator's sizes and channels in reverse.

    Parameters
    ----------
    in_channels, image_size : int
    width : int
        Channels after the first layer.
    normalise : bool
        Whether there is batch norm.

    Notes
    -----
    Input (N, in_channels, image_size, image_size); output (N,): how much more likely real than
    generated, as a logit. The paper's sigmoid is in the loss, where it cannot overflow.
    """

    def __init__(self, in_channels: int, image_size: int, width: int, normalise: bool = True) -> None:
        super().__init__()
        self.in_channels, self.image_size = in_channels, image_size
        count, side = halvings("dcgan", image_size)
        self.main = Sequential(
            Conv2d(in_channels, width, 4, stride=2, padding=1, bias=not normalise), LeakyReLU(0.2)
        )
        for _ in range(count - 1):
            self.main.append(Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=not normalise))
            width *= 2
            if normalise:
                self.main.append(BatchNorm2d(width))
            self.main.append(LeakyReLU(0.2))
        self.main.append(Conv2d(width, 1, side, bias=False))

    def forward(self, images: Tensor) -> Tensor:
        check_images(type(self).__name__, images, self.in_channels, exactly=self.image_size)
        return self.main(images).reshape(-1)


@register("dcgan", input_size=(100,))
class DCGAN(Adversarial):
    """The DCGAN of the paper's figure 1, for colour images of 64x64.

    Parameters
    ----------
    in_channels : int
        3 for RGB, 1 for grey images.
    image_size : int
        Height and width: 4 to 7 doubled some times, e.g. 28, 32, 64.
    latent_dim : int
        Numbers of noise per image.
    width : int
        Channels next to the images; 64 makes both networks a quarter as large.

    Notes
    -----
    Images are from -1 to 1. The noise is normal; the paper's is uniform.

    Examples
    --------
    >>> model = DCGAN(in_channels=1, image_size=28, width=8)
    >>> model.sample(2).shape
    (2, 1, 28, 28)
    """

    def __init__(
        self, in_channels: int = 3, image_size: int = 64, latent_dim: int = 100, width: int = 128
    ) -> None:
        check_sizes("dcgan", in_channels=in_channels, latent_dim=latent_dim, width=width)
        generator = Generator(latent_dim, in_channels, image_size, width)
        super().__init__(generator, Discriminator(in_channels, image_size, width), latent_dim)
        self.apply(weights_init)


def optimizers(model: Adversarial, lr: float = 2e-4, betas: tuple[float, float] = (0.5, 0.999)) -> Optimizers:
    """The paper's two Adams: a slow rate and little momentum, for the target moves."""
    return adam(model, lr, betas)


def discriminator_loss(real: Tensor, generated: Tensor) -> Tensor:
    """Cross-entropy of the answers to real images, that should be 1, and to generated ones, 0.

    -mean log D(x) - mean log(1 - D(G(z))), of logits.
    """
    return binary_cross_entropy_with_logits(real, ones_like(real)) + binary_cross_entropy_with_logits(
        generated, zeros_like(generated)
    )


def generator_loss(generated: Tensor) -> Tensor:
    """-mean log D(G(z)), of logits: it falls as the discriminator takes generated images for real.

    Unlike the log(1 - D(G(z))) of the game's value, it has a gradient while they are easily told apart.
    """
    return binary_cross_entropy_with_logits(generated, ones_like(generated))


def turns(model: Adversarial, images: Tensor, generator: RandomGenerator | None = None) -> Iterator[Turn]:
    """The discriminator's turn, then the generator's, whose loss is of the discriminator as it then is."""
    generated = model.generator(model.noise(images.shape[0], generator))
    real, fake = model.discriminator(images), model.discriminator(generated.detach())
    yield Turn("discriminator", {"discriminator": discriminator_loss(real, fake)})
    yield Turn("generator", {"generator": generator_loss(model.discriminator(generated))})


def step(
    model: Adversarial,
    images: Tensor,
    optimizers: Optimizers,
    generator: RandomGenerator | None = None,
) -> dict[str, float]:
    """One step of training: the discriminator, then the generator.

    Parameters
    ----------
    model : Adversarial
        In training mode.
    images : Tensor (N, C, H, W)
        Real ones, from -1 to 1.
    optimizers : Optimizers
        Of `optimizers`.
    generator : tc.Generator, optional
        What draws the noise.

    Returns
    -------
    losses : dict
        ``discriminator`` and ``generator``.
    """
    check_float("dcgan.step", "images", images)
    return play(turns(model, images, generator), optimizers)
