"""What tinyconv does not have is missed with the name of what comes nearest."""

from __future__ import annotations

import operator
import re

import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import nn, optim
from tinyconv.nn import absent


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


@pytest.mark.parametrize(
    ("owner", "name", "instead"),
    [
        (nn, "LazyConv2d", "Conv2d, which is told"),
        (nn, "SyncBatchNorm", "BatchNorm2d"),
        (F, "upsample_bilinear", "mode='bilinear', align_corners=True"),
        (F, "max_pool2d_with_indices", "max_pool2d(..., return_indices=True)"),
        (F, "relu_", "x = relu(x)"),
        (nn.init, "xavier_uniform", "xavier_uniform_"),
        (nn.utils, "prune", "mask"),
        (optim, "NAdam", "Adam"),
        (optim, "LBFGS", "Adam"),
        (nn.Linear(1, 1), "half", "float() or double()"),
        (nn.Linear(1, 1), "register_backward_hook", "register_full_backward_hook"),
    ],
)
def test_what_to_take_instead_of_pytorchs(owner, name, instead):
    with pytest.raises(AttributeError, match=f"has no '{name}'; instead: .*{re.escape(instead)}"):
        getattr(owner, name)
    assert not hasattr(owner, name)


@pytest.mark.parametrize(
    ("ours", "table", "theirs"),
    [
        (nn, absent.LAYERS, "nn"),
        (F, absent.FUNCTIONS, "nn.functional"),
        (nn.init, absent.INITIALISERS, "nn.init"),
        (optim, optim.ABSENT, "optim"),
        (nn.Module, absent.METHODS, "nn.Module"),
    ],
)
def test_what_is_listed_as_absent_is_there_in_pytorch_and_not_here(ours, table, theirs):
    torch = pytest.importorskip("torch")
    room = operator.attrgetter(theirs)(torch)
    assert [name for name in table if not hasattr(room, name)] == []
    assert [name for name in table if name in vars(ours)] == []


def test_nothing_is_named_where_nothing_is_near():
    with pytest.raises(AttributeError, match=r"tinyconv has no 'quaternions'$"):
        tc.quaternions  # noqa: B018 - the access is the test
