"""The GPU backend: its sources everywhere, its results where there is a GPU."""

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv import models
from tinyconv.kernels import activation
from tinyconv.kernels.cuda import activation as cuda_activation
from tinyconv.kernels.reference import activation as reference


def gpu():
    """CuPy, where it is installed and finds a GPU."""
    cupy = pytest.importorskip("cupy")
    try:
        cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        pytest.skip(f"no GPU: {error}")
    return cupy


FORWARD = {"relu": (), "leaky_relu": (0.1,), "elu": (1.3,), "sigmoid": (), "tanh": ()}


def test_every_kernel_is_in_the_source():
    source = cuda_activation.Path(cuda_activation.__file__).with_name("activation.cu").read_text()
    for name in cuda_activation.NAMES:
        assert f"__global__ void {name}(" in source, name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FORWARD)
@pytest.mark.parametrize("order", ["C", "channels_last", "every_second"])
def test_activation_on_the_gpu_equals_the_reference(name, order, dtype):
    cupy = gpu()
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 5, 7, 6)).astype(dtype) * 3
    x[0, 0, 0, :3] = np.nan, np.inf, -np.inf
    x = {
        "C": x,
        "channels_last": np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2),
        "every_second": x[:, :, ::2],
    }[order]
    tolerance = 1e-6 if dtype == "float32" else 1e-13
    y = getattr(activation, name)(cupy.asarray(x), *FORWARD[name])
    expected = getattr(reference, name)(x, *FORWARD[name])
    np.testing.assert_allclose(y.get(), expected, rtol=tolerance, atol=tolerance)
    saved = x if name == "leaky_relu" else expected
    grad = np.ascontiguousarray(rng.standard_normal(x.shape)).astype(dtype)
    back = getattr(activation, f"{name}_backward")
    found = back(cupy.asarray(grad), cupy.asarray(saved), *FORWARD[name])
    right = getattr(reference, f"{name}_backward")(grad, saved, *FORWARD[name])
    np.testing.assert_allclose(found.get(), right, rtol=tolerance, atol=tolerance)


def test_a_training_step_of_the_unet_on_the_gpu_equals_the_cpu():
    gpu()
    rng = np.random.default_rng(0)
    images = rng.random((2, 3, 32, 48), dtype=np.float32)
    masks = (rng.random((2, 1, 32, 48)) < 0.3).astype(np.float32)
    losses, gradients = {}, {}
    for device in ("cpu", "cuda"):
        tc.manual_seed(3)
        model = models.create("unet_slides").to(device)
        prediction = model(tc.tensor(images).to(device))
        target = tc.tensor(masks).to(device)
        loss = F.binary_cross_entropy(prediction, target) + F.dice_loss(prediction, target)
        loss.backward()
        optimizer = tc.optim.Adam(model.parameters())
        optimizer.step()
        losses[device] = loss.item()
        gradients[device] = {name: p.grad.cpu().numpy() for name, p in model.named_parameters()}
    assert losses["cuda"] == pytest.approx(losses["cpu"], rel=1e-5)
    for name, expected in gradients["cpu"].items():
        error = np.abs(gradients["cuda"][name] - expected).max() / np.abs(expected).max()
        assert error < 1e-4, (name, error)


def test_gradients_travel_back_from_the_gpu():
    gpu()
    x = tc.ones(3, requires_grad=True)
    y = (2 * x).to("cuda")
    assert y.device == "cuda:0" and y.requires_grad
    (y * y).sum().backward()
    assert x.grad.device == "cpu" and x.grad.tolist() == [8, 8, 8]


def test_tensors_on_two_devices_are_refused():
    gpu()
    with pytest.raises(tc.errors.DeviceError, match="all tensors on one device"):
        tc.ones(2) + tc.ones(2).to("cuda")


def test_without_cupy_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cupy", None)
    with pytest.raises(tc.errors.DeviceError, match=r"pip install 'tinyconv\[gpu\]'"):
        tc.ones(2).to("cuda")
