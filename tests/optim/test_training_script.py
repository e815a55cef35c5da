"""One training script, run with tinyconv and with PyTorch: the same losses, step by step."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyconv as tc

STEPS, SIZE, CLASSES = 12, 12, 3


def data() -> list[tuple[np.ndarray, np.ndarray]]:
    """Batches of stripes in three directions, with noise."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    stripes = np.stack([np.sin(rows * 1.5), np.sin(columns * 1.5), np.sin(rows + columns)])
    batches = []
    for _ in range(STEPS):
        labels = rng.integers(0, CLASSES, 8)
        batches.append(((stripes[labels] + 0.3 * rng.standard_normal((8, SIZE, SIZE)))[:, None], labels))
    return batches


def build(lib: ModuleType) -> Any:
    nn, F = lib.nn, lib.nn.functional

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Sequential(
                nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2)
            )
            self.blocks = nn.ModuleDict({"conv": nn.Conv2d(6, 8, 3), "activation": nn.ELU()})
            self.scale = nn.Parameter(lib.ones(1))
            self.classifier = nn.Linear(8 * 2 * 2, CLASSES)

        def forward(self, x: Any, *, temperature: float = 1.0) -> Any:
            x = self.features(x)
            for name in ("conv", "activation"):
                x = self.blocks[name](x)
            x = F.avg_pool2d(x, 2) * self.scale
            return self.classifier(x.flatten(1)) / temperature

    return Net().double()


def weights() -> dict[str, np.ndarray]:
    """A start for both; running variances are 1, counts 0."""
    rng, values = np.random.default_rng(1), {}
    for name, value in build(tc).state_dict().items():
        is_learned = "running" not in name and "num_batches" not in name
        values[name] = 0.4 * rng.standard_normal(value.shape) if is_learned else value.numpy()
    return values


def train(lib: ModuleType, kind: str, options: dict[str, Any]) -> dict[str, np.ndarray]:
    """What a script does; returns what it would print."""
    model, batches = build(lib), data()
    model.load_state_dict({name: lib.tensor(value) for name, value in weights().items()})
    model.features[0].requires_grad_(False)
    heads = [p for name, p in model.named_parameters() if name.startswith("classifier")]
    others = [p for name, p in model.named_parameters() if not name.startswith("classifier")]
    optimizer = getattr(lib.optim, kind)([{"params": others}], **options)
    optimizer.add_param_group({"params": heads, "lr": 0.5 * options["lr"]})
    schedule = lib.optim.lr_scheduler
    warm_up = schedule.LinearLR(optimizer, start_factor=0.2, total_iters=3)
    fall = schedule.CosineAnnealingLR(optimizer, T_max=STEPS - 3)
    scheduler = schedule.SequentialLR(optimizer, [warm_up, fall], milestones=[3])
    teacher = lib.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=lib.optim.swa_utils.get_ema_multi_avg_fn(0.7)
    )
    criterion = lib.nn.CrossEntropyLoss()
    losses, norms, rates = [], [], []
    start = lib.nn.utils.parameters_to_vector(model.parameters()).detach()
    model.train()
    for images, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(lib.tensor(images), temperature=1.5), lib.tensor(labels))
        loss.backward()
        norms.append(lib.nn.utils.clip_grad_norm_(model.parameters(), 0.5).item())
        optimizer.step()
        rates.append(scheduler.get_last_lr())
        scheduler.step()
        teacher.update_parameters(model)
        losses.append(loss.item())
    model.eval()
    teacher.eval()
    with lib.no_grad():
        outputs = [m(lib.tensor(batches[0][0])) for m in (model, teacher)]
    vector = lib.nn.utils.parameters_to_vector(model.parameters()).detach()
    arrays = {"moved": (vector - start).numpy(), "model": outputs[0].numpy(), "teacher": outputs[1].numpy()}
    return {"losses": np.array(losses), "norms": np.array(norms), "rates": np.array(rates), **arrays}


@pytest.mark.parametrize(
    ("kind", "options"),
    (
        ("SGD", {"lr": 0.3, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-3}),
        ("AdamW", {"lr": 0.05, "weight_decay": 0.1}),
        ("RMSprop", {"lr": 0.01, "momentum": 0.5, "centered": True, "eps": 1e-3}),
        ("Adagrad", {"lr": 0.1}),
        ("Adadelta", {"lr": 1.0, "eps": 1e-3}),
    ),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_script_that_changes_its_import_prints_the_same(kind: str, options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = train(tc, kind, options), train(torch, kind, options)
    for name, values in ours.items():
        np.testing.assert_allclose(values, theirs[name], rtol=1e-8, atol=1e-10, err_msg=name)
    assert abs(ours["moved"]).max() > 0.05 and (ours["norms"] > 0.5).any()  # trained, and clipped
