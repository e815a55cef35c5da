"""Stacked autoencoder: images through a narrow code and back, trained layer by layer, or to remove noise.

Hinton and Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks" (2006): the sizes.
Bengio et al., "Greedy Layer-Wise Training of Deep Networks" (2007): each layer is first trained as an
autoencoder of what the layers before it give. Vincent et al., "Stacked Denoising Autoencoders" (2010):
the input is spoilt, what comes out is compared with the clean one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from tinyconv.errors import ArgumentError
from tinyconv.generator import Generator as RandomGenerator
from tinyconv.grad_mode import no_grad
from tinyconv.models._sizes import check_images, check_sizes, check_widths
from tinyconv.models.adversarial import update
from tinyconv.models.registry import register
from tinyconv.nn import Flatten, Linear, Module, Sequential, Sigmoid, Unflatten
from tinyconv.nn.functional import mse_loss
from tinyconv.ops import rand, randn
from tinyconv.ops._checks import check_float
from tinyconv.optim import Adam
from tinyconv.optim.optimizer import Optimizer
from tinyconv.tensor import Tensor

Noise = Callable[[Tensor, RandomGenerator | None], Tensor]
"""From clean to noisy images."""


@register("autoencoder", input_size=(1, 28, 28))
class Autoencoder(Module):
    """An encoder of dense layers, each narrower than the one before, and its mirror image as decoder.

    ::

        784 ─ 1000 ─ 500 ─ 250 ─ 30 ─ 250 ─ 500 ─ 1000 ─ 784

    Parameters
    ----------
    in_channels : int
        1 for grey images, 3 for RGB.
    image_size : int
        Height and width.
    latent_dim : int
        Numbers of the code; 2 can be drawn as a map.
    widths : sequence of int
        Units of the layers between image and code.

    Attributes
    ----------
    encoder, decoder : Sequential
        ``model.encoder`` is what is kept for another task.

    Notes
    -----
    Input and output (N, in_channels, image_size, image_size) from 0 to 1. Units are logistic, those of
    the code linear.

    Examples
    --------
    >>> import tinyconv as tc
    >>> model = Autoencoder(latent_dim=2, widths=(50,))
    >>> model.encoder(tc.rand(5, 1, 28, 28)).shape
    (5, 2)
    """

    def __init__(
        self,
        in_channels: int = 1,
        image_size: int = 28,
        latent_dim: int = 30,
        widths: Sequence[int] = (1000, 500, 250),
    ) -> None:
        super().__init__()
        check_sizes("autoencoder", in_channels=in_channels, image_size=image_size, latent_dim=latent_dim)
        widths = check_widths("autoencoder", widths, 0)
        self.in_channels, self.image_size, self.latent_dim = in_channels, image_size, latent_dim
        sizes = [in_channels * image_size**2, *widths, latent_dim]
        self.encoder = Sequential(Flatten())
        self.decoder = Sequential()
        for depth, (outside, inside) in enumerate(pairwise(sizes)):
            layer = Linear(outside, inside)
            self.encoder.append(layer if depth == len(widths) else Sequential(layer, Sigmoid()))
            self.decoder.insert(0, Sequential(Linear(inside, outside), Sigmoid()))
        self.decoder.append(Unflatten(1, (in_channels, image_size, image_size)))

    def forward(self, images: Tensor) -> Tensor:
        check_images("Autoencoder", images, self.in_channels, exactly=self.image_size)
        return self.decoder(self.encoder(images))

    def layers(self) -> list[tuple[Module, Module]]:
        """Each layer of the encoder with its mirror image in the decoder, the outermost first."""
        return list(zip(list(self.encoder)[1:], list(self.decoder)[-2::-1], strict=True))


def gaussian_noise(std: float) -> Noise:
    """Noise for `step` and `pretrain`: normal, added to every pixel.

    Examples
    --------
    >>> import tinyconv as tc
    >>> noisy = gaussian_noise(0.1)(tc.zeros(1, 1, 28, 28), None)
    >>> 0.08 < noisy.std().item() < 0.12
    True
    """
    if not std >= 0:
        raise ArgumentError("gaussian_noise", "std", std, "a number >= 0")

    def noise(images: Tensor, generator: RandomGenerator | None = None) -> Tensor:
        drawn = randn(*images.shape, generator=generator, dtype=images.dtype)
        return images + std * drawn.to(images.device)

    return noise


def masking_noise(share: float) -> Noise:
    """Noise for `step` and `pretrain`: this share of the pixels, chosen at random, becomes 0."""
    if not 0 <= share <= 1:
        raise ArgumentError("masking_noise", "share", share, "a number from 0 to 1")

    def noise(images: Tensor, generator: RandomGenerator | None = None) -> Tensor:
        kept = rand(*images.shape, generator=generator, dtype=images.dtype) >= share
        return images * kept.to(images.device).to(images.dtype)

    return noise


def step(
    model: Module,
    images: Tensor,
    optimizer: Optimizer,
    noise: Noise | None = None,
    generator: RandomGenerator | None = None,
) -> dict[str, float]:
    """One step of training: the mean squared error of the reconstruction.

    Parameters
    ----------
    model : Module
        An `Autoencoder`, or any net that gives images of the size that it takes.
    images : Tensor (N, C, H, W)
        Clean ones, from 0 to 1.
    optimizer : Optimizer
    noise : callable, optional
        ``noise(images, generator)`` spoils what the model sees: a denoising autoencoder.
    generator : tc.Generator, optional
        What draws the noise.

    Returns
    -------
    losses : dict
        ``loss``.
    """
    check_float("autoencoder.step", "images", images)
    seen = images if noise is None else noise(images, generator)
    return {"loss": update(optimizer, mse_loss(model(seen), images))}


def pretrain(
    model: Autoencoder,
    batches: Iterable[Any],
    epochs: int = 10,
    lr: float = 1e-3,
    noise: Noise | None = None,
    generator: RandomGenerator | None = None,
) -> list[list[float]]:
    """Train each layer with its mirror image, from the outside in, the layers before it as they are.

    Parameters
    ----------
    model : Autoencoder
    batches : iterable of Tensor (N, C, H, W)
        What can be walked through again for each epoch: a list, or a `DataLoader`. Of tuples, such as
        (images, labels), the first is taken.
    epochs : int
        For each layer.
    lr : float
        Of an Adam per layer.
    noise : callable, optional
        Spoils the input of the layer that is trained.
    generator : tc.Generator, optional
        What draws the noise.

    Returns
    -------
    losses : list of list of float
        For each layer, the mean squared error of each epoch.
    """
    check_sizes("pretrain", epochs=epochs)
    before, losses = Sequential(Flatten()), []
    for encode, decode in model.layers():
        layer = Sequential(encode, decode)
        optimizer = Adam(layer.parameters(), lr=lr)
        history = []
        for _ in range(epochs):
            found = [
                step(layer, inputs, optimizer, noise, generator)["loss"]
                for inputs in _inputs(before, batches)
            ]
            if not found:
                raise ArgumentError("pretrain", "batches", "empty", "batches of images, for each epoch anew")
            history.append(sum(found) / len(found))
        losses.append(history)
        before.append(encode)
    return losses


def _inputs(before: Module, batches: Iterable[Any]) -> Iterator[Tensor]:
    """What the layers before the trained one make of each batch."""
    for batch in batches:
        with no_grad():
            inputs = before(batch[0] if isinstance(batch, tuple | list) else batch)
        yield inputs
