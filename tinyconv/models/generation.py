"""What `tinyconv train` does with each network that makes images: its losses, and its use afterwards."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyconv.errors import ArgumentError
from tinyconv.generator import Generator as RandomGenerator
from tinyconv.models import acgan, dcgan, registry, vae, wgan
from tinyconv.models.adversarial import Optimizers, Turn, halvings
from tinyconv.nn import Module
from tinyconv.nn.functional import mse_loss
from tinyconv.ops.creation import full
from tinyconv.tensor import Tensor

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Reconstruction:
    """A network that is given images from 0 to 1, and gives them back.

    Attributes
    ----------
    parts : callable
        From what the network gives, and the images that it should have given, to the parts of the loss
        by name; the loss is their sum.
    images : callable
        From what the network gives in evaluation mode to images.
    drawn : callable
        ``drawn(model, images, generator)``: what the network gives in training, its noise from `generator`.
    sample : callable, optional
        ``sample(model, n, generator)``: new images.
    noise : float
        Standard deviation of what is added to the network's input if nothing is said: a network that
        removes noise.
    lr : float
        The learning rate if nothing is said.
    scale : (float, float)
        Mean and deviation by which images from 0 to 1 are changed for the network.
    """

    parts: Callable[[Any, Tensor], dict[str, Tensor]]
    images: Callable[[Any], Tensor]
    drawn: Callable[[Any, Tensor, RandomGenerator], Any]
    sample: Callable[..., Tensor] | None = None
    noise: float = 0.0
    lr: float = 1e-3
    batches: ClassVar[int] = 1
    adversarial: ClassVar[bool] = False
    scale: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Adversaries:
    """Two networks, one of which makes images from noise and the other one judges them.

    Attributes
    ----------
    turns : callable
        ``turns(model, images, labels, generator)``: the `Turn` of each update of a step.
    optimizers : callable
        ``optimizers(model, lr)``: one for each of the two networks.
    lr : float
        The learning rate if nothing is said.
    batches : int
        So many batches of images are a step.
    names_classes : bool
        Whether images are made of a class that one asks for.
    scale : (float, float)
        Mean and deviation by which images from 0 to 1 are changed for the networks.
    """

    turns: Callable[[Any, Tensor, Tensor, RandomGenerator | None], Iterator[Turn]]
    optimizers: Callable[[Any, float], Optimizers]
    lr: float
    batches: int = 1
    names_classes: bool = False
    scale: tuple[float, float] = (0.5, 0.5)
    noise: ClassVar[float] = 0.0
    adversarial: ClassVar[bool] = True

    def sample(self, model: Any, n: int, generator: RandomGenerator, label: int | None = None) -> Tensor:
        """New images from 0 to 1, all of one class where it is given."""
        if label is None:
            return (model.sample(n, generator) + 1) / 2
        return (model.sample(n, generator, labels=full((n,), label, dtype="int64")) + 1) / 2


class Reconstructing(Module):
    """A network whose output is the images alone.

    Examples
    --------
    >>> import tinyconv as tc
    >>> net = registry.create("vae", width=8)
    >>> Reconstructing(net, METHODS["vae"]).eval()(tc.rand(2, 1, 28, 28)).shape
    (2, 1, 28, 28)
    """

    def __init__(self, network: Module, method: Reconstruction) -> None:
        super().__init__()
        self.network, self.method = network, method

    def forward(self, images: Tensor) -> Tensor:
        return self.method.images(self.network(images))


def _squared_error(output: Tensor, images: Tensor) -> dict[str, Tensor]:
    return {"squared_error": mse_loss(output, images)}


def _bound(output: tuple[Tensor, Tensor, Tensor], images: Tensor) -> dict[str, Tensor]:
    """The two parts of `vae.negative_elbo`."""
    logits, mean, log_variance = output
    reconstruction = vae.reconstruction_loss(logits, images).mean()
    return {"reconstruction": reconstruction, "kl": vae.kl_divergence(mean, log_variance).mean()}


def _drawn(model: vae.VAE, images: Tensor, generator: RandomGenerator) -> tuple[Tensor, Tensor, Tensor]:
    mean, log_variance = model.encode(images)
    return model.decoder(vae.reparameterise(mean, log_variance, generator)), mean, log_variance


def _given(output: Tensor) -> Tensor:
    return output


def _without_noise(model: Module, images: Tensor, generator: RandomGenerator) -> Tensor:
    return model(images)


def _unlabelled(turns: Callable[..., Iterator[Turn]]) -> Callable[..., Iterator[Turn]]:
    return lambda model, images, labels, generator: turns(model, images, generator)


METHODS: dict[str, Any] = {
    "autoencoder": Reconstruction(_squared_error, _given, _without_noise, lr=3e-3),
    "rednet": Reconstruction(_squared_error, _given, _without_noise, noise=0.1),
    "acgan": Adversaries(acgan.turns, acgan.optimizers, lr=2e-4, names_classes=True),
    "dcgan": Adversaries(_unlabelled(dcgan.turns), dcgan.optimizers, lr=2e-4),
    "wgan_gp": Adversaries(_unlabelled(wgan.turns), wgan.optimizers, lr=1e-4, batches=5),
    "vae": Reconstruction(_bound, lambda output: output[0].sigmoid(), _drawn, vae.VAE.sample),
}
"""By the name of the network."""


def makes_images(name: str) -> bool:
    """Whether the network `name` is trained to make images."""
    return name in METHODS


def method_of(name: str) -> Any:
    """How the network `name` is trained to make images.

    Raises
    ------
    ArgumentError
        If it makes none.
    """
    if name not in METHODS:
        raise ArgumentError("train", "MODEL", repr(name), f"one of {', '.join(sorted(METHODS))}")
    return METHODS[name]


def image_maker(network: Any, name: str, shape: Shape) -> tuple[Module, Shape]:
    """What is exported of a trained network `name` for images (C, H, W), and what that takes.

    Of an autoencoder that is all of it, of two networks the generator: what they give are images alone.
    """
    method = method_of(name)
    if isinstance(method, Adversaries):
        return network.generator, (network.generator.latent_dim,)
    return Reconstructing(network, method).eval(), shape


def fit_generation(
    name: str, shape: Shape, num_classes: int, wanted: dict[str, Any]
) -> tuple[dict[str, Any], Shape]:
    """The options of `create` and the image size with which a network makes images like the given ones.

    Images keep their size if they are square and the network makes such; else they are to be resized to
    the network's own.

    Parameters
    ----------
    name : str
        One of `METHODS`.
    shape : tuple of int
        (C, H, W) of the images; (C, 0, 0) if they have many sizes.
    num_classes : int
    wanted : dict
        Options that were asked for: ``size`` of the images, ``width``, ``widths``, ``latent_dim``.

    Raises
    ------
    ArgumentError
        If the network does not take an option, or makes no images of this size.

    Examples
    --------
    >>> fit_generation("vae", (1, 8, 8), 10, {"latent_dim": 2})
    ({'in_channels': 1, 'image_size': 8, 'latent_dim': 2}, (1, 8, 8))
    >>> fit_generation("dcgan", (3, 50, 60), 10, {"width": 8})
    ({'in_channels': 3, 'image_size': 64, 'width': 8}, (3, 64, 64))
    """
    taken = inspect.signature(registry._builders[name]).parameters
    options: dict[str, Any] = {"in_channels": shape[0]}
    if name == "autoencoder":
        options["widths"] = list(SHALLOW)
    sides: Shape
    if name == "acgan":
        options["num_classes"] = num_classes
    wanted = dict(wanted)
    size = wanted.pop("size", None)
    if "image_size" in taken:
        own = taken["image_size"].default
        side = (
            (shape[1] if shape[1] == shape[2] and _makes(name, shape[1]) else own) if size is None else size
        )
        options["image_size"], sides = side, (side, side)
    else:
        sides = (size, size) if size is not None else shape[1:] if 0 not in shape else (28, 28)
    for option, value in wanted.items():
        if option not in taken:
            own_options = ", ".join("--" + o.replace("_", "-") for o in OPTIONS if o in taken)
            found = f"{value}, next to {name}"
            expected = f"{own_options or 'none of the kind'}, which {name} takes"
            raise ArgumentError("train", "--" + option.replace("_", "-"), found, expected)
    if wanted or size is not None:
        registry.create(name, **options | wanted)  # refuses what makes no sense
    return options | wanted, (shape[0], *sides)


SHALLOW = (256,)
"""Of an autoencoder: more logistic layers stay at the mean image unless each is trained by itself before,
see `autoencoder.pretrain`."""
OPTIONS = ("width", "widths", "latent_dim")


def _makes(name: str, side: int) -> bool:
    """Whether the network makes images of so many pixels a side."""
    if isinstance(METHODS[name], Reconstruction):
        return side > 0
    try:
        halvings(name, side)
    except ArgumentError:
        return False
    return True
