"""The two nets of the calcium lesson: what they see, and twins in PyTorch written from the paper."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.models.twin import assert_same_as, count, images
from tinyconv import models, nn, optim
from tinyconv.errors import ArgumentError, ShapeError


def twin_of_wide(torch: Any, width: int) -> Any:
    t = torch.nn

    def path() -> Any:
        layers = []
        for i, dilation in enumerate((1, 1, 2, 4, 8, 16, 32, 1)):
            layers += [t.Conv2d(width if i else 1, width, 3, dilation=dilation), t.ELU()]
        return t.Sequential(*layers, t.Conv2d(width, width, 1), t.ELU())

    class Twin(t.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = t.ModuleList([path() for _ in range(3)])
            self.drop = t.Dropout(0.35)
            self.classifiers = t.ModuleList([t.Conv2d(width, 7, 1) for _ in range(3)])
            self.combine = t.Sequential(
                t.Conv2d(3 * width, 4 * width, 1), t.ELU(), t.Dropout(0.35), t.Conv2d(4 * width, 7, 1)
            )

        def forward(self, x: Any) -> Any:
            seen = [path(x[:, i, None]) for i, path in enumerate(self.features)]
            h, w = ((n - 1) // 2 for n in seen[0].shape[2:])
            centre = self.combine(torch.cat([s[:, :, h, w] for s in seen], 1)[:, :, None, None])[:, :, 0, 0]
            if not self.training:
                return centre
            return centre, torch.stack([c(s) for c, s in zip(self.classifiers, seen, strict=True)], 1)

    return Twin()


def twin_of_narrow(torch: Any, w: int) -> Any:
    t = torch.nn

    class Twin(t.Module):
        def __init__(self) -> None:
            super().__init__()
            layers = []
            for a, b, k in ((1, 3 * w, 5), (3 * w, 4 * w, 3), (4 * w, 6 * w, 3), (6 * w, 4 * w, 1)):
                layers += [t.Conv2d(a, b, k, bias=False), t.BatchNorm2d(b), t.ELU()]
                layers += [t.MaxPool2d(2, ceil_mode=True)] if k > 1 else [t.Flatten()]
            self.features = t.Sequential(*layers)
            dense = (t.Linear(3 * 4 * w * 49, 32 * w, bias=False), t.BatchNorm1d(32 * w), t.ELU())
            self.classifier = t.Sequential(t.Dropout(0.5), *dense, t.Dropout(0.5), t.Linear(32 * w, 2))

        def forward(self, x: Any) -> Any:
            return self.classifier(self.features(x.flatten(0, 1)[:, None]).reshape(len(x), -1))

    return Twin()


def test_outputs_are_those_of_the_twins() -> None:
    torch = pytest.importorskip("torch")
    assert_same_as(twin_of_wide(torch, 3), models.create("calcium_wide", width=3), images(2, 3, 133, 135))
    assert_same_as(twin_of_narrow(torch, 1), models.create("calcium_narrow", width=1), images(4, 3, 65, 65))


def test_the_wide_net_sees_131_pixels() -> None:
    """1 + 2 (1 + 1 + 2 + 4 + 8 + 16 + 32 + 1): each 3x3 convolution of dilation d adds 2 d."""
    model = models.create("calcium_wide", width=2)
    table = nn.summary(model, (3, 155, 155))
    seen = [r.receptive_field for r in table.rows if r.kind == "Conv2d" and r.name.startswith("features.0")]
    assert seen == [(n, n) for n in (3, 5, 9, 17, 33, 65, 129, 131, 131)]
    assert table["combine.3"].receptive_field == (131, 131)
    assert 1 + 2 * sum((1, 1, 2, 4, 8, 16, 32, 1)) == 131


@pytest.mark.parametrize(("name", "sees"), (("calcium_wide", 131), ("calcium_narrow", 65)))
def test_gradients_reach_what_the_slide_says(name: str, sees: int) -> None:
    """In float64, from the scores of the middle back to images of 135 or 65 pixels."""
    tc.manual_seed(0)
    model = models.create(name, width=2).double().eval()
    x = tc.tensor(images(1, 3, 135, 135) if sees > 65 else images(1, 3, 65, 65)).double().requires_grad_()
    model(x).sum().backward()
    for plane in x.grad.data.numpy()[0]:
        rows, columns = np.nonzero(plane)
        assert rows.max() - rows.min() + 1 == columns.max() - columns.min() + 1 == sees
        assert rows.min() == columns.min() == (2 if sees > 65 else 0)
    if sees == 65:
        table = nn.summary(models.create(name), (3, 65, 65))
        assert table.rows[-1].receptive_field == (65, 65)


def test_parameters_by_hand() -> None:
    """The paper gives no counts. Per plane 9 w + w, seven of 9 w^2 + w and one of w^2 + w, w = 32."""
    w = 32
    plane = 10 * w + 7 * (9 * w * w + w) + w * w + w
    combined = 3 * w * 4 * w + 4 * w + 4 * w * 7 + 7
    assert count(models.create("calcium_wide")) == 3 * (plane + 7 * w + 7) + combined == 212_348
    convolutions = 25 * 24 + 9 * 24 * 32 + 9 * 32 * 48 + 48 * 32
    dense = 3 * 32 * 49 * 256 + 256 * 2 + 2
    normalised = 2 * (24 + 32 + 48 + 32 + 256)
    assert count(models.create("calcium_narrow")) == convolutions + dense + normalised == 1_228_394


def test_one_step_changes_every_parameter() -> None:
    for name, size in (("calcium_wide", 133), ("calcium_narrow", 65)):
        model = models.create(name, width=3)
        before = {key: np.array(p.data.numpy()) for key, p in model.named_parameters()}
        outputs = model(tc.tensor(images(2, 3, size, size)))
        sum((y * y).sum() for y in (outputs if size == 133 else [outputs])).backward()
        optim.SGD(model.parameters(), lr=0.1).step()
        for key, p in model.named_parameters():
            assert (p.data.numpy() != before[key]).any(), key


def test_the_map_of_a_plane_holds_the_scores_of_each_place() -> None:
    """What a plane of 140 x 137 gives at (i, j) is what the cutting of 131 x 131 from there gives."""
    model = models.create("calcium_wide", width=2).eval()
    plane = tc.tensor(images(1, 1, 140, 137))
    whole = model.scores_of_plane(plane, 1)
    assert whole.shape == (1, 7, 10, 7)
    part = model.scores_of_plane(plane[:, :, 4:135, 5:136], 1)
    np.testing.assert_allclose(
        part.data.numpy()[0, :, 0, 0], whole.data.numpy()[0, :, 4, 5], rtol=1e-4, atol=1e-6
    )


def test_wrong_sizes() -> None:
    wide, narrow = models.create("calcium_wide", width=1), models.create("calcium_narrow", width=1)
    for shape in ((1, 3, 129, 131), (1, 3, 132, 131), (1, 1, 131, 131)):
        with pytest.raises(ShapeError, match=r"\(N, 3, H, W\) with .*1 more than .* of 2, at least 131"):
            wide(tc.zeros(*shape))
    for shape in ((1, 3, 64, 65), (1, 3, 130, 130), (1, 1, 65, 65)):
        with pytest.raises(ShapeError, match=r"\(N, 3, 65, 65\)"):
            narrow(tc.zeros(*shape))
    with pytest.raises(ArgumentError, match="plane is 3, expected 0 to 2"):
        wide.scores_of_plane(tc.zeros(1, 1, 131, 131), 3)
    with pytest.raises(ShapeError, match=r"\(N, 1, H, W\)"):
        wide.scores_of_plane(tc.zeros(1, 3, 131, 131), 0)


@pytest.mark.parametrize("name", ("calcium_wide", "calcium_narrow"))
def test_eight_images_are_learned_by_heart(name: str) -> None:
    tc.manual_seed(0)
    size, width = (131, 4) if name == "calcium_wide" else (65, 2)
    model, y = models.create(name, num_classes=2, width=width), tc.tensor([0, 1] * 4)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    x = tc.tensor(images(8, 3, size, size, seed=3))
    optimizer, loss = optim.Adam(model.parameters(), lr=1e-2), nn.CrossEntropyLoss()
    for _ in range(12):
        optimizer.zero_grad()
        scores = model(x)
        scores = scores if size == 65 else scores.centre
        loss(scores, y).backward()
        optimizer.step()
    assert loss(scores.detach(), y).item() < 0.2
