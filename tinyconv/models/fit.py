"""Which options and which image size a network takes for given images and classes.

Networks are tried out, on zeros. Small ones go through the readable kernels: the fast ones would first be
compiled, for half a minute on a new machine, and be others than those that the training needs.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from typing import Any

from tinyconv.device import kernel_backend
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.grad_mode import no_grad
from tinyconv.models import registry
from tinyconv.models.generation import makes_images
from tinyconv.ops._checks import is_int
from tinyconv.ops.creation import zeros

Shape = tuple[int, ...]

LEAST = 16
"""The side of an image that shows what a network makes of images."""

SMALL = 64
"""The side up to which images go through the readable kernels, which are slow and take much memory."""

FLAT = (1, 28, 28)
"""What images of many sizes are resized to for a network that takes a row of numbers."""


def fit_classifier(name: str, shape: Shape, num_classes: int) -> tuple[dict[str, Any], Shape]:
    """The options of `create` and the image size with which a network names the class of an image.

    Images keep their size if the network takes it; else they are to be resized to the network's own,
    `input_size`.

    Parameters
    ----------
    name : str
        One of `list()`.
    shape : tuple of int
        (C, H, W) of the images; (C, 0, 0) if they have many sizes.
    num_classes : int

    Returns
    -------
    options : dict
    shape : tuple of int
        (C, H, W) that the network is to be given.

    Raises
    ------
    ArgumentError
        If the network does not give scores of whole images, or gives others beside them in training.

    Examples
    --------
    >>> fit_classifier("lenet5", (1, 8, 8), 10)
    ({'num_classes': 10, 'in_channels': 1}, (1, 28, 28))
    >>> fit_classifier("mlp", (1, 8, 8), 10)
    ({'num_classes': 10, 'in_features': 64}, (1, 8, 8))
    """
    own = registry.input_size(name)
    taken = inspect.signature(registry._builders[name]).parameters
    if "num_classes" not in taken or len(own) not in (1, 3):
        raise _refuse(name)
    whole = own if len(own) == 3 else FLAT
    sizes = [shape] if 0 not in shape else []
    if "in_features" not in taken or not sizes:
        sizes.append(whole if not {"in_channels", "in_features"} & set(taken) else (shape[0], *whole[1:]))
    for size in dict.fromkeys(sizes):
        if not _is_small(size) and _gives_maps(name, taken, size[0], num_classes):
            break  # nothing else is to be expected of an image of half a million pixels, after a minute
        options = _options(taken, size, num_classes)
        if _answers(name, options, size, num_classes):
            return options, size
    raise _refuse(name)


def fit_segmenter(
    name: str, volumes: bool, channels: int, outputs: int, exclusive: bool, wanted: dict[str, Any]
) -> tuple[dict[str, Any], int, int]:
    """The options of `create` with which a network gives a map for each class, of the size of its input.

    Networks whose convolutions are not padded get ``padding=1``. A network for images fits volumes too,
    slice by slice.

    Parameters
    ----------
    name : str
        One of `list()`.
    volumes : bool
        Whether the data are volumes.
    channels : int
        Of the images or volumes.
    outputs : int
        How many maps are wanted.
    exclusive : bool
        Whether a pixel is of one class only: then the maps have to be scores.
    wanted : dict
        Options that were asked for, such as ``widths``, ``width`` or ``dims``.

    Returns
    -------
    options : dict
    dims : int
        2 or 3: what the network is given are images or volumes.
    multiple : int
        What the sides of its input must be divisible by.

    Raises
    ------
    ArgumentError
        If the network gives no maps, takes volumes only and there are images, does not take so many
        channels, or does not take an option.

    Examples
    --------
    >>> fit_segmenter("unet3d_bn", True, 1, 3, True, {"widths": (4, 8)})
    ({'num_classes': 3, 'in_channels': 1, 'padding': 1, 'widths': (4, 8)}, 3, 2)
    """
    own = registry.input_size(name)
    taken = inspect.signature(registry._builders[name]).parameters
    dims = wanted.get("dims", len(own) - 1)
    data = f"{'volumes' if volumes else 'images'} with masks"
    if "dims" in wanted and not is_int(dims, 2, 3):
        raise ArgumentError("train", "--dims", repr(dims), "2 or 3")
    if not {"num_classes", "in_channels"} <= set(taken) or dims not in (2, 3):
        raise _refuse_maps(name, data)
    if dims == 3 and not volumes:
        expected = "a network for images, such as unet, unet_bn, segnet or fcn8s; or volumes as data"
        raise ArgumentError("train", "MODEL", f"{name!r}, which takes volumes, next to {data}", expected)
    options = _map_options(taken, channels, outputs)
    if exclusive and "probabilities" in taken:
        options["probabilities"] = False
    model = registry.create(name, **options | wanted)
    if not _maps(model, channels, dims, outputs):
        raise _refuse_maps(name, data)
    return options | wanted, dims, _multiple(model)


def _map_options(taken: Mapping[str, Any], channels: int, outputs: int) -> dict[str, Any]:
    options = {"num_classes": outputs, "in_channels": channels}
    return options | ({"padding": 1} if "padding" in taken else {})


def _multiple(model: Any) -> int:
    """What the sides of an input must be divisible by: what the network says of itself, or 1."""
    multiple = getattr(model, "multiple", 1)
    if not is_int(multiple, 1, 2**16):
        found, expected = repr(multiple), "a whole number >= 1, by which the sides of images are divisible"
        raise ArgumentError("train", f"the attribute `multiple` of {type(model).__name__}", found, expected)
    return int(multiple)


def _maps(model: Any, channels: int, dims: int, outputs: int) -> bool:
    """Whether the network gives (1, outputs, *sides) for a small input of (1, channels, *sides)."""
    multiple = _multiple(model)
    sides = (-(-LEAST // multiple) * multiple,) * dims
    try:
        with _trial((channels, *sides)):
            output = model.eval()(zeros(1, channels, *sides))
    except (ShapeError, ArgumentError):
        return False
    return getattr(output, "shape", None) == (1, outputs, *sides)


def _gives_maps(name: str, taken: Mapping[str, Any], channels: int, outputs: int) -> bool:
    """Whether a network that takes images gives a map for each class."""
    if "in_channels" not in taken:
        return False
    try:
        return _maps(registry.create(name, **_map_options(taken, channels, outputs)), channels, 2, outputs)
    except ArgumentError:
        return False


def _is_small(shape: Shape) -> bool:
    return max(shape[1:]) <= SMALL


@contextmanager
def _trial(shape: Shape) -> Iterator[None]:
    """For an input of this shape: no gradients, and nothing compiled if it is small."""
    with no_grad(), kernel_backend("reference" if _is_small(shape) else kernel_backend.get()):
        yield


def _refuse_maps(name: str, data: str) -> ArgumentError:
    expected = "a network that gives maps, such as unet, unet_bn, segnet, enet or fcn8s"
    expected += ", unet3d_bn or vnet" if data.startswith("volumes") else ""
    if makes_images(name):
        expected += f"; {name} makes images: give it labelled ones, such as --data digits"
    return ArgumentError("train", "MODEL", f"{name!r}, next to {data}", expected)


def _options(taken: Any, shape: Shape, num_classes: int) -> dict[str, Any]:
    options: dict[str, Any] = {"num_classes": num_classes}
    if "in_channels" in taken:
        options["in_channels"] = shape[0]
    if "in_features" in taken:
        options["in_features"] = prod(shape)
    if "aux_logits" in taken:
        options["aux_logits"] = False  # one answer, as the others give
    return options


def _answers(name: str, options: dict[str, Any], shape: Shape, num_classes: int) -> bool:
    """Whether the network gives (N, num_classes), and nothing beside it, in evaluation and in training."""
    try:
        model = registry.create(name, **options)
        with _trial(shape):
            outputs = (model.train(training)(zeros(2, *shape)) for training in (False, True))
            return all(getattr(output, "shape", None) == (2, num_classes) for output in outputs)
    except (ShapeError, ArgumentError):
        return False


def _refuse(name: str) -> ArgumentError:
    expected = "a network that gives scores of whole images, such as lenet5, resnet20_cifar or vgg16"
    return ArgumentError("train", "MODEL", repr(name), expected)
