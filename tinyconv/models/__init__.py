"""The networks of the slides, one file per family."""

from tinyconv.models import unet as unet
from tinyconv.models.registry import create, list, register

__all__ = ["create", "list", "register"]
