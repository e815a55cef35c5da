"""Walks among codes: what a generator or a decoder makes between two codes, and along one number of a code.

Slide deck S2, hallmarks of good embeddings: images change smoothly along a line between two codes,
and differences of codes mean something (``smiling woman - woman + man``), which is arithmetic of tensors.
Drawn are they by ``decode``: ``model`` itself for a GAN, ``model.decode`` for a `VAE`, ``model.decoder``
for an `Autoencoder`, and `tinyconv.viz.sample_grid`.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.models._sizes import check_sizes
from tinyconv.ops import stack, tensor
from tinyconv.tensor import Tensor


def interpolate(first: Tensor, second: Tensor, steps: int = 8) -> Tensor:
    """Codes (steps, latent_dim) on the line from one code to another, both included.

    Parameters
    ----------
    first, second : Tensor (latent_dim,)
    steps : int
        At least 2.

    Examples
    --------
    >>> import tinyconv as tc
    >>> interpolate(tc.tensor([0.0, 4.0]), tc.tensor([1.0, 0.0]), steps=3).tolist()
    [[0.0, 4.0], [0.5, 2.0], [1.0, 0.0]]
    """
    _check_code("interpolate", "first", first)
    if second.shape != first.shape:
        raise ShapeError("interpolate", "second", f"of shape {second.shape}", f"{first.shape}, as first")
    check_sizes("interpolate", steps=steps)
    if steps < 2:
        raise ArgumentError("interpolate", "steps", steps, "an int >= 2")
    return stack([first + (second - first) * (step / (steps - 1)) for step in range(steps)])


def traverse(code: Tensor, index: int, values: Sequence[float]) -> Tensor:
    """Codes (len(values), latent_dim): the same but for one number, which takes each of these values.

    Parameters
    ----------
    code : Tensor (latent_dim,)
    index : int
        Which number of the code.
    values : sequence of float

    Examples
    --------
    >>> import tinyconv as tc
    >>> traverse(tc.zeros(3), 1, [-1.0, 1.0]).tolist()
    [[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]]
    """
    _check_code("traverse", "code", code)
    if not isinstance(index, int) or not 0 <= index < code.shape[0]:
        raise ArgumentError("traverse", "index", repr(index), f"an int from 0 to {code.shape[0] - 1}")
    if not len(values):
        raise ArgumentError("traverse", "values", "empty", "at least one number")
    codes = stack([code.detach()] * len(values))
    codes[:, index] = tensor([float(value) for value in values], dtype=code.dtype).to(code.device)
    return codes


def _check_code(where: str, argument: str, code: Tensor) -> None:
    if code.ndim != 1 or not code.shape[0]:
        raise ShapeError(where, argument, f"of shape {code.shape}", "one code (latent_dim,)")
