"""How each op is written as nodes; importing this fills the table."""

from tinyconv.io.onnx.translations import (
    activations,
    arithmetic,
    comparisons,
    convolutions,
    images,
    indexing,
    losses,
    norms,
    pools,
    products,
    reductions,
    shapes,
    windows,
)

__all__ = [
    "activations",
    "arithmetic",
    "comparisons",
    "convolutions",
    "images",
    "indexing",
    "losses",
    "norms",
    "pools",
    "products",
    "reductions",
    "shapes",
    "windows",
]
