"""`Tensor.to`: dtypes, devices, and gradients through them."""

from __future__ import annotations

import pytest

import tinyconv as tc
from tinyconv.errors import ArgumentError, DeviceError, DtypeError


def test_to_where_it_is_already_is_the_tensor_itself():
    x = tc.ones(2, requires_grad=True)
    assert x.to(x.device) is x and x.to(tc.float32) is x and x.to(device=x.device, dtype="float32") is x


def test_a_dtype_may_be_named_or_given_with_the_device():
    x = tc.ones(2)
    for y in (x.to("float64"), x.to(dtype=tc.float64), x.to("cpu", tc.float64), x.double()):
        assert y.dtype == tc.float64


def test_the_gradient_has_the_dtype_of_its_tensor():
    x = tc.ones(2, requires_grad=True)
    (3 * x).to(tc.float64).sum().backward()
    assert x.grad.dtype == tc.float32 and x.grad.tolist() == [3, 3]


def test_wrong_targets_are_refused():
    x = tc.ones(2)
    with pytest.raises(DtypeError, match="dtype is None"):
        x.to(None)
    with pytest.raises(ArgumentError, match="at most a device and a dtype"):
        x.to("float32", "float64")
    with pytest.raises(DeviceError, match="'cpu', 'cuda' or 'cuda:0'"):
        x.to(device="tpu")
