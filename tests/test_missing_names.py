"""What tinyconv does not have is missed with the name of what comes nearest."""

from __future__ import annotations

import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import nn, optim


@pytest.mark.parametrize(
    ("owner", "name", "nearest"),
    [
        (tc, "Zeros", "zeros"),
        (nn, "Conv2D", "Conv2d"),
        (nn, "LinearLayer", "Linear"),
        (F, "crossentropy", "cross_entropy"),
        (optim, "ADAM", "Adam"),
        (tc.ones(2), "reshaped", "reshape"),
    ],
)
def test_the_nearest_name_is_named(owner, name, nearest):
    with pytest.raises(AttributeError, match=f"has no '{name}'; nearest: .*'{nearest}'"):
        getattr(owner, name)
    assert not hasattr(owner, name)


def test_nothing_is_named_where_nothing_is_near():
    with pytest.raises(AttributeError, match=r"tinyconv has no 'quaternions'$"):
        tc.quaternions  # noqa: B018 - the access is the test
