"""The networks of the slides, one file per family.

Every file of this folder is imported with it, so that a new family is one new file.
"""

from importlib import import_module
from pkgutil import iter_modules

from tinyconv.models.dense_to_convolution import convolutionize
from tinyconv.models.fit import fit_classifier, fit_segmenter
from tinyconv.models.generation import fit_generation, image_maker, makes_images, method_of
from tinyconv.models.registry import create, input_size, list, register
from tinyconv.models.transfer import feature_extractor, freeze, set_regime, unfreeze

for _family in iter_modules(__path__):
    import_module(f"{__name__}.{_family.name}")

__all__ = [
    "convolutionize",
    "create",
    "feature_extractor",
    "fit_classifier",
    "fit_generation",
    "fit_segmenter",
    "freeze",
    "image_maker",
    "input_size",
    "list",
    "makes_images",
    "method_of",
    "register",
    "set_regime",
    "unfreeze",
]
