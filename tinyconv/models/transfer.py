"""Transfer learning: what a network learned of many images, used where there are few.

Slide decks S0, S2 and S4: the features of a pretrained network, VGG-16 for one, serve other
images too; the more images of one's own there are, the more of the network can be trained on them.
"""

from __future__ import annotations

from math import ceil
from typing import Any

from tinyconv.errors import ArgumentError, DtypeError
from tinyconv.nn import Module
from tinyconv.nn.module import Parameter
from tinyconv.ops._checks import is_int
from tinyconv.tensor import Tensor

REGIMES: dict[str, float] = {"very small": 1, "small": 1, "more": 3 / 4, "medium": 1 / 4}
"""How much data there is, and from which part of the features' layers on they are then fine-tuned."""


def freeze(module: Module) -> Module:
    """Stop training a module: its parameters keep their values. Returns the module.

    An optimiser skips parameters without gradients; batch normalisation still follows the
    statistics of its input while it is in training mode (see ``module.eval()``).

    Examples
    --------
    >>> from tinyconv import models
    >>> net = models.create("vgg11", width=4, hidden=16)
    >>> frozen = freeze(net.features)
    >>> [name for name, p in net.named_parameters() if p.requires_grad][0]
    'classifier.0.weight'
    """
    return _set_trained("freeze", module, False)


def unfreeze(module: Module) -> Module:
    """Train a module again; the opposite of `freeze`. Returns the module."""
    return _set_trained("unfreeze", module, True)


def _set_trained(where: str, module: Module, trained: bool) -> Module:
    if not isinstance(module, Module):
        raise DtypeError(where, "module", f"a {type(module).__name__}", "a Module")
    for parameter in module.parameters():
        parameter.requires_grad_(trained)
        if not trained:
            parameter.grad = None
    return module


class FeatureExtractor(Module):
    """A model that returns the output of one of its layers; see `feature_extractor`."""

    def __init__(self, model: Module, layer: str) -> None:
        super().__init__()
        self.model = model
        self.layer = layer

    def forward(self, *inputs: Any) -> Tensor:
        found: list[Tensor] = []

        def stop(module: Module, given: tuple[Any, ...], output: Tensor) -> None:
            found.append(output)
            raise _Reached

        with self.model.get_submodule(self.layer).register_forward_hook(stop):
            try:
                self.model(*inputs)
            except _Reached:
                return found[0]
        raise ArgumentError("feature_extractor", "layer", repr(self.layer), "a layer that the model calls")

    def extra_repr(self) -> str:
        return f"layer={self.layer!r}"


class _Reached(Exception):
    """The layer has its output: what comes after it need not be computed."""


def feature_extractor(model: Module, layer: str) -> FeatureExtractor:
    """The model up to a layer, as a module that returns what comes out of it.

    Slide deck S4 takes the 4,096 values of VGG-16's fc1 before its activation: ``"classifier.0"``.

    Parameters
    ----------
    model : Module
        Shares its weights with the result; is best in evaluation mode, as dropout is off then.
    layer : str
        A name of ``model.named_modules()``. What the model does after that layer is not computed.

    Raises
    ------
    ArgumentError
        If the model has no such layer, or at the first call if it does not use it.

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv import models
    >>> fc1 = feature_extractor(models.create("vgg11", width=4, hidden=16).eval(), "classifier.0")
    >>> fc1(tc.zeros(2, 3, 32, 32)).shape
    (2, 16)
    """
    if not isinstance(model, Module):
        raise DtypeError("feature_extractor", "model", f"a {type(model).__name__}", "a Module")
    if not isinstance(layer, str) or not layer:
        raise ArgumentError("feature_extractor", "layer", repr(layer), "a name of model.named_modules()")
    model.get_submodule(layer)
    return FeatureExtractor(model, layer)


def set_regime(model: Module, regime: str, first: int | None = None) -> list[str]:
    """Set what trains by how much data there is, as slide deck S2 recommends.

    ================  ======================================================================
    ``"very small"``  the top layer: a linear classifier of what the network finds
    ``"small"``       the classifier part; the features are frozen
    ``"more"``        as above, and the deepest features are fine-tuned: their last quarter
    ``"medium"``      the same from a shallower layer on: all but the first quarter
    ================  ======================================================================

    In VGG-16 the last quarter is the last of the five blocks, the first quarter the first two. The
    quarters are counted in convolutions; a normalisation goes with the one before it.

    Parameters
    ----------
    model : Module
        One whose layers come in the order in which they are used, such as those of
        `models.create`. Its classifier part is ``model.classifier`` or ``model.fc``, and with it
        auxiliary classifiers: parts whose names begin with ``aux``.
    regime : str
        One of the four.
    first : int, optional
        For ``"more"`` and ``"medium"``: how many of the features' layers with weights, from the
        input on and with normalisations counted, stay frozen, in the place of the quarters.

    Returns
    -------
    list of str
        The names of the parameters that are trained. The others need no gradient:
        ``optim.SGD([p for p in model.parameters() if p.requires_grad], lr)``.

    Examples
    --------
    >>> from tinyconv import models
    >>> set_regime(models.create("vgg16", width=4, hidden=16), "very small")
    ['classifier.6.weight', 'classifier.6.bias']
    """
    if not isinstance(regime, str) or regime not in REGIMES:
        raise ArgumentError("set_regime", "regime", repr(regime), f"one of {', '.join(map(repr, REGIMES))}")
    features, classifier = _layers_with_weights(model, _classifiers(model))
    if first is None:
        first = _first_trained(features, REGIMES[regime])
    elif regime not in ("more", "medium"):
        raise ArgumentError("set_regime", "first", repr(first), f"None with {regime!r}")
    elif not is_int(first, 0, len(features)):
        raise ArgumentError("set_regime", "first", repr(first), f"an int from 0 to {len(features)}")
    freeze(model)
    for layer in features[first:] + (classifier[-1:] if regime == "very small" else classifier):
        for parameter in _own(layer):
            parameter.requires_grad_(True)
    return [name for name, parameter in model.named_parameters() if parameter.requires_grad]


def _classifiers(model: Module) -> list[Module]:
    """The auxiliary classifiers and, last, the classifier part."""
    if not isinstance(model, Module):
        raise DtypeError("set_regime", "model", f"a {type(model).__name__}", "a Module")
    children = dict(model.named_children())
    auxiliary = [child for name, child in children.items() if name.startswith("aux")]
    for name in ("classifier", "fc"):
        if name in children:
            return [*auxiliary, children[name]]
    found = f"of parts {', '.join(children) or 'none'}"
    raise ArgumentError("set_regime", "model", found, "a model with a part classifier or fc")


def _layers_with_weights(model: Module, heads: list[Module]) -> tuple[list[Module], list[Module]]:
    """The modules that have parameters of their own, before the classifiers and in them."""
    layers = [layer for head in heads for layer in head.modules() if _own(layer)]
    in_heads = {id(layer) for layer in layers}
    features = [layer for layer in model.modules() if _own(layer) and id(layer) not in in_heads]
    return features, layers


def _first_trained(layers: list[Module], share: float) -> int:
    """Where the layers after this share of them begin: at a convolution, not at its normalisation."""
    places = [i for i, layer in enumerate(layers) if any(p.ndim > 1 for p in _own(layer))]
    return [*places, len(layers)][ceil(share * len(places))]


def _own(layer: Module) -> list[Parameter]:
    return list(layer.parameters(recurse=False))
