"""The networks of the slides, one file per family.

Every file of this folder is imported with it, so that a new family is one new file.
"""

from importlib import import_module
from pkgutil import iter_modules

from tinyconv.models.dense_to_convolution import convolutionize
from tinyconv.models.fit import fit_classifier, fit_segmenter
from tinyconv.models.registry import create, input_size, list, register
from tinyconv.models.transfer import feature_extractor, freeze, set_regime, unfreeze

for _family in iter_modules(__path__):
    import_module(f"{__name__}.{_family.name}")

__all__ = [
    "convolutionize",
    "create",
    "feature_extractor",
    "fit_classifier",
    "fit_segmenter",
    "freeze",
    "input_size",
    "list",
    "register",
    "set_regime",
    "unfreeze",
]
