"""The slides' U-Net against a twin in PyTorch, written layer by layer from the slide."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.backends import BACKENDS, kernels
from tests.models.dense_checks import discs
from tinyconv import models, nn, optim
from tinyconv.errors import ShapeError


def twin_of(torch: Any, channels: int = 3) -> Any:
    """Slide deck S3: 16, 32, 64, 128, 256 filters, ELU, dropout, 2x2 pools and transposed convolutions."""
    layers = torch.nn

    def two(inputs: int, outputs: int) -> tuple[Any, Any]:
        return layers.Conv2d(inputs, outputs, 3, padding=1), layers.Conv2d(outputs, outputs, 3, padding=1)

    class Twin(layers.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down16a, self.down16b = (
                layers.Conv2d(channels, 16, 3, padding=1),
                layers.Conv2d(16, 16, 3, padding=1),
            )
            self.down32a, self.down32b = (
                layers.Conv2d(16, 32, 3, padding=1),
                layers.Conv2d(32, 32, 3, padding=1),
            )
            self.down64a, self.down64b = (
                layers.Conv2d(32, 64, 3, padding=1),
                layers.Conv2d(64, 64, 3, padding=1),
            )
            self.down128a, self.down128b = (
                layers.Conv2d(64, 128, 3, padding=1),
                layers.Conv2d(128, 128, 3, padding=1),
            )
            self.bottom_a, self.bottom_b = (
                layers.Conv2d(128, 256, 3, padding=1),
                layers.Conv2d(256, 256, 3, padding=1),
            )
            self.to128, self.to64 = (
                layers.ConvTranspose2d(256, 128, 2, 2),
                layers.ConvTranspose2d(128, 64, 2, 2),
            )
            self.to32, self.to16 = layers.ConvTranspose2d(64, 32, 2, 2), layers.ConvTranspose2d(32, 16, 2, 2)
            self.up128a, self.up128b = (
                layers.Conv2d(256, 128, 3, padding=1),
                layers.Conv2d(128, 128, 3, padding=1),
            )
            self.up64a, self.up64b = two(128, 64)
            self.up32a, self.up32b = two(64, 32)
            self.up16a, self.up16b = two(32, 16)
            self.head = layers.Conv2d(16, 1, 1)

        def forward(self, x: Any) -> Any:
            elu, pool = torch.nn.functional.elu, torch.nn.functional.max_pool2d
            c1 = elu(self.down16b(elu(self.down16a(x))))
            c2 = elu(self.down32b(elu(self.down32a(pool(c1, 2)))))
            c3 = elu(self.down64b(elu(self.down64a(pool(c2, 2)))))
            c4 = elu(self.down128b(elu(self.down128a(pool(c3, 2)))))
            c5 = elu(self.bottom_b(elu(self.bottom_a(pool(c4, 2)))))
            c6 = elu(self.up128b(elu(self.up128a(torch.cat([self.to128(c5), c4], 1)))))
            c7 = elu(self.up64b(elu(self.up64a(torch.cat([self.to64(c6), c3], 1)))))
            c8 = elu(self.up32b(elu(self.up32a(torch.cat([self.to32(c7), c2], 1)))))
            c9 = elu(self.up16b(elu(self.up16a(torch.cat([self.to16(c8), c1], 1)))))
            return torch.sigmoid(self.head(c9))

    return Twin()


BLOCKS = [f"encoder.{i}" for i in range(5)], [f"up.{i}" for i in range(4)], [f"decoder.{i}" for i in range(4)]
ORDER = [
    *[f"{block}.{i}" for block in BLOCKS[0] for i in (0, 3)],
    *BLOCKS[1],
    *[f"{block}.{i}" for block in BLOCKS[2] for i in (0, 3)],
    "head",
]
"""Our names of the twin's layers, in the twin's order."""


def relative_error(got: Any, expected: Any) -> float:
    return float(np.linalg.norm(got - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("dtype", "within"), (("float32", 1e-4), ("float64", 1e-10)))
def test_output_and_gradients_are_those_of_the_twin(backend: str, dtype: str, within: float) -> None:
    torch = pytest.importorskip("torch")
    model, twin = models.create("unet_slides").to(dtype).eval(), twin_of(torch).to(getattr(torch, dtype))
    assert sum(p.numel() for p in twin.parameters()) == 1_941_105
    names = [f"{layer}.{kind}" for layer in ORDER for kind in ("weight", "bias")]
    theirs = dict(zip(names, twin.parameters(), strict=True))
    with torch.no_grad():
        for name, p in model.named_parameters():
            theirs[name].copy_(torch.from_numpy(p.data.numpy()))
    x = np.random.default_rng(0).random((2, 3, 32, 48)).astype(dtype)
    with kernels(backend):
        y = model(tc.tensor(x))
        nn.BCELoss()(y, tc.tensor((x[:, :1] > 0.5).astype(dtype))).backward()
    z = twin(torch.from_numpy(x))
    torch.nn.BCELoss()(z, torch.from_numpy((x[:, :1] > 0.5).astype(dtype))).backward()
    assert y.shape == (2, 1, 32, 48) and y.dtype == dtype
    assert relative_error(y.detach().numpy(), z.detach().numpy()) < within
    for name, p in model.named_parameters():
        assert relative_error(p.grad.numpy(), theirs[name].grad.numpy()) < 10 * within, name


def test_dropout_stands_where_the_slide_has_it() -> None:
    model = models.create("unet_slides")
    rates = [module.p for module in model.modules() if isinstance(module, nn.Dropout)]
    assert rates == [0.1, 0.1, 0.2, 0.2, 0.3, 0.2, 0.2, 0.1, 0.1]
    x = tc.ones(1, 3, 16, 16)
    assert (model(x).data.numpy() != model(x).data.numpy()).any()
    model.eval()
    assert (model(x).data.numpy() == model(x).data.numpy()).all()


def test_eight_images_are_learned_by_heart_and_a_step_changes_every_parameter() -> None:
    tc.manual_seed(0)
    model, (x, where) = models.create("unet_slides", in_channels=1), discs((32, 32), seed=5)
    before = {name: p.data.numpy().copy() for name, p in model.named_parameters()}
    images, masks = tc.tensor(x), tc.tensor(where[:, None].astype(np.float32))
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    for step in range(40):
        optimizer.zero_grad()
        nn.BCELoss()(model(images), masks).backward()
        optimizer.step()
        if step == 0:
            assert all((p.data.numpy() != before[name]).any() for name, p in model.named_parameters())
    assert ((model.eval()(images).detach().numpy() > 0.5) == masks.numpy()).mean() > 0.99


def test_other_channels() -> None:
    model = models.create("unet_slides", in_channels=1, num_classes=4)
    assert model.eval()(tc.ones(1, 1, 16, 32)).shape == (1, 4, 16, 32)


@pytest.mark.parametrize("shape", ((1, 3, 20, 16), (1, 3, 16, 8), (3, 16, 16), (1, 1, 16, 16), (1, 3, 0, 16)))
def test_wrong_input_sizes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"UNetSlides: input is of shape .*\(N, 3, H, W\).*multiples of 16"):
        models.create("unet_slides")(tc.ones(*shape))


def test_a_state_dict_is_loaded_from_names_of_pytorch() -> None:
    first, second = models.create("unet_slides"), models.create("unet_slides")
    second.load_state_dict({name: x.numpy() for name, x in first.state_dict().items()})
    x = tc.rand(1, 3, 16, 16)
    assert (first.eval()(x).data.numpy() == second.eval()(x).data.numpy()).all()
