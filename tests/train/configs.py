"""The options of a run, with the networks of the package."""

from functools import partial

from tinyconv.models import fit_segmenter
from tinyconv.train import recipes

make_config = partial(recipes.make_config, fit=fit_segmenter)
