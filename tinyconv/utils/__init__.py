"""The place where scripts look for `data`, as in PyTorch."""

from tinyconv.utils import data as data
