"""Each half of the adversarial nets learns eight images by heart; the game itself is tested elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.models.generation import images
from tests.models.test_generation_files import SMALL
from tinyconv import models, optim
from tinyconv.nn import functional as F

ADVERSARIAL = ("dcgan", "wgan_gp", "acgan")


def made(name: str) -> Any:
    tc.manual_seed(0)
    return models.create(name, **{**SMALL[name], "width": 8}, in_channels=1)


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_a_generator_makes_the_image_that_belongs_to_each_code(name: str) -> None:
    model = made(name)
    blurred = np.repeat(np.repeat(images(8, 1, 7, dtype="float32"), 4, axis=2), 4, axis=3)
    codes, wanted = tc.randn(8, model.generator.latent_dim), tc.tensor(blurred)
    optimizer = optim.Adam(model.generator.parameters(), lr=1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        loss = F.mse_loss(model(codes), wanted)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.02 * float((blurred**2).mean())


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_a_discriminator_tells_four_images_from_four_others(name: str) -> None:
    model = made(name)
    x, real = tc.tensor(images(8, 1, 28, dtype="float32")), tc.tensor([1.0, 0.0] * 4)
    for module in model.discriminator.modules():
        if isinstance(module, tc.nn.Dropout):
            module.p = 0.0
    optimizer = optim.Adam(model.discriminator.parameters(), lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        answer = model.discriminator(x)
        logits = answer[0] if isinstance(answer, tuple) else answer
        loss = F.binary_cross_entropy_with_logits(logits, real)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
