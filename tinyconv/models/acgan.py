"""AC-GAN: images of a class that one asks for, and a discriminator that also names the class.

Odena, Olah and Shlens, "Conditional Image Synthesis with Auxiliary Classifier GANs" (2017). The
generator is told a class beside the noise. The discriminator answers twice, real or generated and
which class, and both networks are trained to make the second answer right.
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.generator import Generator as RandomGenerator
from tinyconv.models import dcgan
from tinyconv.models._sizes import check_images, check_sizes
from tinyconv.models.adversarial import (
    Adversarial,
    Optimizers,
    Turn,
    adam,
    flat_latent,
    generate,
    halvings,
    play,
    weights_init,
)
from tinyconv.models.registry import register
from tinyconv.nn import (
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Flatten,
    LeakyReLU,
    Linear,
    Module,
    ReLU,
    Sequential,
    Tanh,
    Unflatten,
)
from tinyconv.nn.functional import cross_entropy, one_hot
from tinyconv.ops import cat, randint
from tinyconv.ops._checks import check_float, check_tensor
from tinyconv.tensor import Tensor

WIDEST = 512
"""The discriminator's channels are doubled up to this many."""


class Generator(Module):
    """From noise and a class to images: a dense layer, then 5x5 transposed convolutions.

    ::

        110 ─ 384, 4x4 ─ 192, 8x8 ─ 96, 16x16 ─ 3, 32x32

    Parameters
    ----------
    latent_dim : int
        Numbers of noise and classes together.
    out_channels, image_size : int
    width : int
        Channels before the last layer.

    Notes
    -----
    Input (N, latent_dim), output (N, out_channels, image_size, image_size) from -1 to 1.
    """

    def __init__(self, latent_dim: int, out_channels: int, image_size: int, width: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        count, side = halvings("acgan", image_size)
        channels = width * 2 ** (count - 1)
        self.main = Sequential(
            Linear(latent_dim, channels * side**2), ReLU(), Unflatten(1, (channels, side, side))
        )
        for _ in range(count - 1):
            self.main.append(_twice_as_large(channels, channels // 2, bias=False))
            channels //= 2
            self.main.append(BatchNorm2d(channels))
            self.main.append(ReLU())
        self.main.append(_twice_as_large(channels, out_channels, bias=True))
        self.main.append(Tanh())

    def forward(self, latent: Tensor) -> Tensor:
        return self.main(flat_latent(type(self).__name__, latent, self.latent_dim))


def _twice_as_large(in_channels: int, out_channels: int, bias: bool) -> ConvTranspose2d:
    return ConvTranspose2d(in_channels, out_channels, 5, stride=2, padding=2, output_padding=1, bias=bias)


class Discriminator(Module):
    """From images to two answers: real or generated, and the class.

    3x3 convolutions, every other one with stride 2, with 16, 32, 64, … channels, leaky ReLU and dropout.

    Parameters
    ----------
    in_channels, image_size, num_classes : int
    dropout : float

    Notes
    -----
    Input (N, in_channels, image_size, image_size); output (source, classes): logits (N,) that the
    image is real, and logits (N, num_classes).
    """

    def __init__(self, in_channels: int, image_size: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.in_channels, self.image_size = in_channels, image_size
        count, side = halvings("acgan", image_size)
        self.main, channels = Sequential(), in_channels
        for index in range(2 * count):
            width = min(16 * 2**index, WIDEST)
            self.main.append(Conv2d(channels, width, 3, stride=2 - index % 2, padding=1, bias=index == 0))
            if index:
                self.main.append(BatchNorm2d(width))
            self.main.append(LeakyReLU(0.2))
            self.main.append(Dropout(dropout))
            channels = width
        self.main.append(Flatten())
        self.source = Linear(channels * side**2, 1)
        self.classes = Linear(channels * side**2, num_classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        check_images(type(self).__name__, images, self.in_channels, exactly=self.image_size)
        features = self.main(images)
        return self.source(features).reshape(-1), self.classes(features)


@register("acgan", input_size=(110,))
class ACGAN(Adversarial):
    """The AC-GAN of the paper's appendix for CIFAR-10: ten classes, colour images of 32x32.

    Parameters
    ----------
    in_channels : int
        3 for RGB, 1 for grey images.
    image_size : int
        Height and width: 4 to 7 doubled some times, e.g. 28, 32, 64.
    num_classes : int
    latent_dim : int
        Numbers of noise per image.
    width : int
        Channels of the generator before its last layer.
    dropout : float
        In the discriminator.

    Notes
    -----
    Images are from -1 to 1. ``model(code)`` takes noise and class together, (N, latent_dim + num_classes),
    as `code` makes them.

    Examples
    --------
    >>> import tinyconv as tc
    >>> model = ACGAN(in_channels=1, image_size=28, width=8)
    >>> model.sample(2, labels=tc.tensor([3, 8])).shape
    (2, 1, 28, 28)
    """

    def __init__(
        self,
        in_channels: int = 3,
        image_size: int = 32,
        num_classes: int = 10,
        latent_dim: int = 100,
        width: int = 96,
        dropout: float = 0.5,
    ) -> None:
        sizes = {"in_channels": in_channels, "num_classes": num_classes, "width": width}
        check_sizes("acgan", latent_dim=latent_dim, **sizes)
        generator = Generator(latent_dim + num_classes, in_channels, image_size, width)
        discriminator = Discriminator(in_channels, image_size, num_classes, dropout)
        super().__init__(generator, discriminator, latent_dim)
        self.num_classes = num_classes
        self.apply(weights_init)

    def labels(self, n: int, generator: RandomGenerator | None = None) -> Tensor:
        """Random classes: int64 (n,)."""
        return randint(0, self.num_classes, (n,), generator=generator)

    def code(self, noise: Tensor, labels: Tensor) -> Tensor:
        """What the generator takes: the noise, and 1 at the place of the class.

        Parameters
        ----------
        noise : Tensor (N, latent_dim)
        labels : int64 Tensor (N,)
        """
        check_tensor("acgan", "labels", labels)
        if tuple(labels.shape) != tuple(noise.shape[:1]):
            raise ShapeError("acgan", "labels", f"of shape {labels.shape}", f"({noise.shape[0]},)")
        if labels.array.min() < 0 or labels.array.max() >= self.num_classes:
            raise ArgumentError("acgan", "labels", labels.tolist(), f"ints from 0 to {self.num_classes - 1}")
        classes = one_hot(labels.to(noise.device), self.num_classes).to(noise.dtype)
        return cat([noise, classes], dim=1)

    def sample(
        self, n: int, generator: RandomGenerator | None = None, labels: Tensor | None = None
    ) -> Tensor:
        """New images (n, C, H, W) of the classes `labels`, by default of random ones, in evaluation mode."""
        noise = self.noise(n, generator)
        return generate(
            self.generator, self.code(noise, self.labels(n, generator) if labels is None else labels)
        )


def optimizers(model: ACGAN, lr: float = 2e-4, betas: tuple[float, float] = (0.5, 0.999)) -> Optimizers:
    """The paper's two Adams."""
    return adam(model, lr, betas)


def discriminator_loss(
    real: tuple[Tensor, Tensor], labels: Tensor, generated: tuple[Tensor, Tensor], asked: Tensor
) -> Tensor:
    """-(L_S + L_C): the source and the class of real and of generated images, as negative log-likelihoods.

    Parameters
    ----------
    real, generated : (source, classes)
        What the discriminator answers.
    labels, asked : int64 Tensor (N,)
        The classes of the real images, and those that the generator was asked for.
    """
    source = dcgan.discriminator_loss(real[0], generated[0])
    return source + cross_entropy(real[1], labels) + cross_entropy(generated[1], asked)


def generator_loss(generated: tuple[Tensor, Tensor], asked: Tensor) -> Tensor:
    """-(L_C - L_S), where as in DCGAN -log D(G(z)) stands for log(1 - D(G(z)))."""
    return dcgan.generator_loss(generated[0]) + cross_entropy(generated[1], asked)


def turns(
    model: ACGAN, images: Tensor, labels: Tensor, generator: RandomGenerator | None = None
) -> Iterator[Turn]:
    """The discriminator's turn, then the generator's, whose loss is of the discriminator as it then is."""
    n = images.shape[0]
    noise, asked = model.noise(n, generator), model.labels(n, generator).to(images.device)
    generated = model.generator(model.code(noise, asked))
    real, fake = model.discriminator(images), model.discriminator(generated.detach())
    yield Turn("discriminator", {"discriminator": discriminator_loss(real, labels, fake, asked)})
    yield Turn("generator", {"generator": generator_loss(model.discriminator(generated), asked)})


def step(
    model: ACGAN,
    images: Tensor,
    labels: Tensor,
    optimizers: Optimizers,
    generator: RandomGenerator | None = None,
) -> dict[str, float]:
    """One step of training: the discriminator, then the generator.

    Parameters
    ----------
    model : ACGAN
        In training mode.
    images : Tensor (N, C, H, W)
        Real ones, from -1 to 1.
    labels : int64 Tensor (N,)
        Their classes.
    optimizers : Optimizers
        Of `optimizers`.
    generator : tc.Generator, optional
        What draws the noise and the classes to ask for.

    Returns
    -------
    losses : dict
        ``discriminator`` and ``generator``.
    """
    check_float("acgan.step", "images", images)
    return play(turns(model, images, labels, generator), optimizers)
