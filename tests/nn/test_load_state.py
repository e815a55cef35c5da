"""State dicts: earlier ones, assigned ones; containers and layers that scripts expect."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
from tinyconv import nn
from tinyconv.errors import ArgumentError, CheckpointError, DtypeError, ShapeError


def test_earlier_states_of_batch_norm_lack_the_count() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    net(tc.randn(2, 1, 3, 3))
    state = {name: tensor for name, tensor in net.state_dict().items() if "tracked" not in name}
    other = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    assert other.load_state_dict(state) == ([], [])
    assert other[1].num_batches_tracked.item() == 0
    np.testing.assert_array_equal(other[1].running_mean.data.numpy(), net[1].running_mean.data.numpy())
    del state["1.running_var"]
    with pytest.raises(CheckpointError, match=r"missing \[1\.running_var\]"):
        other.load_state_dict(state)


def test_assigned_tensors_stand_in_the_place_of_the_modules_own() -> None:
    torch = pytest.importorskip("torch")
    for lib in (tc, torch):
        state = lib.nn.BatchNorm1d(3).double().state_dict()
        layer = lib.nn.BatchNorm1d(3)
        layer.weight.requires_grad_(False)
        layer.load_state_dict(state, assign=True)
        assert isinstance(layer.weight, lib.nn.Parameter) and layer.weight.dtype == lib.float64
        assert not layer.weight.requires_grad and layer.bias.requires_grad
        assert layer.running_mean is state["running_mean"] and layer.num_batches_tracked.dtype == lib.int64
    with pytest.raises(CheckpointError, match=r"\(3,\)"):
        nn.BatchNorm1d(4).load_state_dict(nn.BatchNorm1d(3).state_dict(), assign=True)


def test_containers_pop_insert_and_add() -> None:
    torch = pytest.importorskip("torch")
    found = []
    for lib in (nn, torch.nn):
        for kind in (lambda *m, lib=lib: lib.Sequential(*m), lambda *m, lib=lib: lib.ModuleList(m)):
            box = kind(lib.Identity(), lib.Flatten(), lib.ReLU(), lib.Sigmoid())
            popped = type(box.pop(1)).__name__
            box.insert(1, lib.Tanh())
            joined = box + kind(lib.GELU())
            del box[1:3]
            box += kind(lib.ELU())
            lists = [[(n, type(m).__name__) for n, m in part.named_children()] for part in (box, joined)]
            found.append((popped, *lists))
    assert found[:2] == found[2:]


def test_unflatten_is_pytorchs_and_undoes_flatten() -> None:
    torch = pytest.importorskip("torch")
    x = tc.randn(2, 12, 3)
    for dim, sizes in ((1, (3, 4)), (1, (2, -1, 2)), (-2, [12]), (2, (1, 3)), (0, (-1, 1))):
        y = nn.Unflatten(dim, sizes)(x)
        assert y.shape == torch.nn.Unflatten(dim, sizes)(torch.ones(2, 12, 3)).shape
        np.testing.assert_array_equal(y.data.numpy().reshape(-1), x.data.numpy().reshape(-1))
    assert repr(nn.Unflatten(1, (3, 4))) == repr(torch.nn.Unflatten(1, (3, 4)))
    for sizes in ((5, 2), (-1, 5), (-1, -1), (-1, 0)):
        with pytest.raises(ShapeError, match=r"unflatten: sizes .* product is 12"):
            nn.Unflatten(1, sizes)(x)


def test_modules_that_stand_in_two_places() -> None:
    torch = pytest.importorskip("torch")
    listed = []
    for lib in (nn, torch.nn):
        shared = lib.Linear(2, 2)
        net = lib.Sequential(shared, lib.Sequential(shared))
        listed.append(
            [
                [name for name, _ in net.named_modules(remove_duplicate=False)],
                [name for name, _ in net.named_modules(memo={net[1]}, prefix="net")],
                len(list(net.modules())),
                len(list(net.modules(remove_duplicate=False))),
            ]
        )
    assert listed[0] == listed[1]


def test_an_embedding_of_given_vectors() -> None:
    torch = pytest.importorskip("torch")
    table = np.random.default_rng(0).standard_normal((4, 3))
    for freeze in (True, False):
        mine = nn.Embedding.from_pretrained(tc.tensor(table), freeze, padding_idx=-1)
        other = torch.nn.Embedding.from_pretrained(torch.tensor(table), freeze, padding_idx=-1)
        np.testing.assert_array_equal(mine.weight.detach().numpy(), other.weight.detach().numpy())
        assert mine.weight.requires_grad == other.weight.requires_grad == (not freeze)
        assert repr(mine) == repr(other)
    with pytest.raises(ShapeError, match=r"Embedding.from_pretrained: embeddings is of shape \(3,\)"):
        nn.Embedding.from_pretrained(tc.ones(3))


def test_modules_convert_to_a_type() -> None:
    layer = nn.BatchNorm1d(2).type(tc.float64)
    assert layer.weight.dtype == tc.float64 and layer.num_batches_tracked.dtype == tc.int64


def test_a_module_below_is_replaced_by_its_name() -> None:
    torch = pytest.importorskip("torch")
    for lib in (nn, torch.nn):
        net = lib.Sequential(lib.Linear(2, 2), lib.Sequential(lib.Linear(2, 2)))
        net.set_submodule("1.0", lib.Linear(2, 5))
        net.set_submodule("1.more", lib.ReLU())
        assert [name for name, _ in net.named_modules()] == ["", "0", "1", "1.0", "1.more"]
        assert net[1][0].out_features == 5
    with pytest.raises(ArgumentError, match=r"target is '1\.9'"):
        nn.Sequential(nn.ReLU(), nn.Sequential()).set_submodule("1.9", nn.ReLU(), strict=True)
    with pytest.raises(DtypeError, match="module is a int"):
        nn.Sequential().set_submodule("0", 3)


def test_a_parameter_shows_what_it_is() -> None:
    torch = pytest.importorskip("torch")
    shown = [repr(lib.nn.Parameter(lib.ones(2))) for lib in (tc, torch)]
    assert shown[0].split("\n")[0] == shown[1].split("\n")[0] == "Parameter containing:"
    assert "requires_grad=True" in shown[0]


def test_what_loading_says_when_all_names_match() -> None:
    layer = nn.Linear(2, 2)
    assert repr(layer.load_state_dict(layer.state_dict())) == "<All keys matched successfully>"
    kept = layer.load_state_dict({"weight": tc.ones(2, 2)}, strict=False)
    assert repr(kept) == "IncompatibleKeys(missing_keys=['bias'], unexpected_keys=[])"
