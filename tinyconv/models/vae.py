"""Variational autoencoder: codes with a known distribution, so that new ones can be drawn.

Kingma and Welling, "Auto-Encoding Variational Bayes" (2014). The encoder gives a normal distribution
of codes for each image, the decoder a probability for each pixel of a code. Trained are both at once,
by a lower bound of the likelihood of the images.
"""

from __future__ import annotations

from tinyconv.generator import Generator as RandomGenerator
from tinyconv.models._sizes import check_images, check_sizes
from tinyconv.models.adversarial import generate, update
from tinyconv.models.registry import register
from tinyconv.nn import Flatten, Linear, Module, Sequential, Tanh, Unflatten
from tinyconv.nn.functional import binary_cross_entropy_with_logits
from tinyconv.ops import randn
from tinyconv.optim.optimizer import Optimizer
from tinyconv.tensor import Tensor


@register("vae", input_size=(1, 28, 28))
class VAE(Module):
    """The paper's networks (appendix C): one hidden layer with tanh on either side of the code.

    ::

        784 ─ 500 ┬ mean 20 ─────────┬ z = mean + std * noise ─ 500 ─ 784
                  └ log variance 20 ─┘

    Parameters
    ----------
    in_channels : int
        1 for grey images, 3 for RGB.
    image_size : int
        Height and width.
    latent_dim : int
        Numbers of a code.
    width : int
        Hidden units.

    Notes
    -----
    Input (N, in_channels, image_size, image_size) from 0 to 1. Output (logits, mean, log_variance): of the
    images' pixels, same shape, and of their codes, (N, latent_dim). In training mode the code is drawn
    from its distribution, in evaluation mode it is the mean.

    Examples
    --------
    >>> model = VAE(width=50)
    >>> model.sample(2).shape
    (2, 1, 28, 28)
    """

    def __init__(
        self, in_channels: int = 1, image_size: int = 28, latent_dim: int = 20, width: int = 500
    ) -> None:
        super().__init__()
        check_sizes("vae", in_channels=in_channels, image_size=image_size, latent_dim=latent_dim, width=width)
        self.in_channels, self.image_size, self.latent_dim = in_channels, image_size, latent_dim
        pixels = in_channels * image_size**2
        self.encoder = Sequential(Flatten(), Linear(pixels, width), Tanh())
        self.mean = Linear(width, latent_dim)
        self.log_variance = Linear(width, latent_dim)
        self.decoder = Sequential(
            Linear(latent_dim, width),
            Tanh(),
            Linear(width, pixels),
            Unflatten(1, (in_channels, image_size, image_size)),
        )

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the codes of images: (N, latent_dim) each."""
        check_images("VAE", images, self.in_channels, exactly=self.image_size)
        hidden = self.encoder(images)
        return self.mean(hidden), self.log_variance(hidden)

    def decode(self, codes: Tensor) -> Tensor:
        """Images, from 0 to 1, of codes (N, latent_dim)."""
        return self.decoder(codes).sigmoid()

    def forward(
        self, images: Tensor, generator: RandomGenerator | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_variance = self.encode(images)
        codes = reparameterise(mean, log_variance, generator) if self.training else mean
        return self.decoder(codes), mean, log_variance

    def sample(self, n: int, generator: RandomGenerator | None = None) -> Tensor:
        """New images (n, C, H, W), from 0 to 1, of codes drawn from the standard normal distribution."""
        check_sizes("VAE.sample", n=n)
        like = self.mean.weight
        codes = randn(n, self.latent_dim, generator=generator, dtype=like.dtype).to(like.device)
        return generate(self.decoder, codes).sigmoid()


def reparameterise(mean: Tensor, log_variance: Tensor, generator: RandomGenerator | None = None) -> Tensor:
    """Codes from N(mean, exp(log_variance)): mean + exp(log_variance / 2) * noise.

    The noise comes from outside, so that the gradient reaches mean and variance through the sum and
    the product.
    """
    noise = randn(*mean.shape, generator=generator, dtype=mean.dtype).to(mean.device)
    return mean + (log_variance / 2).exp() * noise


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of N(mean, exp(log_variance)) from N(0, 1), per image: (N,).

    -1/2 sum (1 + log variance - mean^2 - variance) over the numbers of a code (the paper's appendix B).
    """
    return -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(1)


def reconstruction_loss(logits: Tensor, images: Tensor) -> Tensor:
    """-log p(image | code), per image: (N,). Each pixel is the probability of a Bernoulli variable."""
    return binary_cross_entropy_with_logits(logits, images, reduction="none").flatten(1).sum(1)


def negative_elbo(logits: Tensor, images: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """The loss: minus the evidence lower bound of log p(image), in nats, mean over the images.

    log p(x) >= E[log p(x | z)] - KL(q(z | x) || p(z)), the expectation over z ~ q(z | x) by one draw:
    what is lost in the reconstruction, and what the codes tell more than nothing (equation 10 of Kingma
    and Welling).
    """
    return (reconstruction_loss(logits, images) + kl_divergence(mean, log_variance)).mean()


def step(
    model: VAE, images: Tensor, optimizer: Optimizer, generator: RandomGenerator | None = None
) -> dict[str, float]:
    """One step of training.

    Parameters
    ----------
    model : VAE
        In training mode.
    images : Tensor (N, C, H, W)
        From 0 to 1.
    optimizer : Optimizer
    generator : tc.Generator, optional
        What draws the noise.

    Returns
    -------
    losses : dict
        ``loss``, which is minus the bound, and its share ``kl``, both in nats per image.
    """
    logits, mean, log_variance = model(images, generator)
    loss = update(optimizer, negative_elbo(logits, images, mean, log_variance))
    return {"loss": loss, "kl": kl_divergence(mean, log_variance).mean().item()}
