"""Whole scripts written for PyTorch run with tinyconv after a change of their imports, and find the same.

PyTorch is given tinyconv's random numbers (initial weights, shuffles, dropout masks, noise), so that
both do the same arithmetic and differ by rounding alone. In double precision they must agree to
1e-9, which is rounding (1e-16) grown over the steps. In single precision, how much rounding can grow
in a script is measured: it is what separates PyTorch's own float32 and float64 runs. tinyconv's
float32 run, which rounds elsewhere, may be ten times as far from the float64 run.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.data.seeding import ORDER, generator
from tinyconv.kernels.reference import dropout as masks

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.py"))
NUMBER = re.compile(r"-?\d+\.\d+")


@dataclass
class Run:
    """What a script printed, without its numbers with a point; those; and the weights it saved."""

    text: str
    numbers: np.ndarray
    weights: dict[str, np.ndarray]


def run(path: Path, library: Any, folder: Path, precision: str, patch: pytest.MonkeyPatch) -> Run:
    """Run a script in `folder`, tinyconv's convolutions direct.

    Winograd's results have one digit less; a ReLU or a maximum that is decided by it moves all that follows.
    """
    source = path.read_text(encoding="utf-8")
    if library is tc:
        source = re.sub(r"^import torch$", "import tinyconv as torch", source, flags=re.MULTILINE)
        source = re.sub(r"^(import|from) torch\b", r"\1 tinyconv", source, flags=re.MULTILINE)
        assert not re.search(r"(import|from) torch", source)
    if precision == "float64":
        source = source.replace("float32", "float64").replace(".float()", ".double()")
    folder.mkdir()
    patch.chdir(folder)
    printed = io.StringIO()
    before = library.get_default_dtype()
    library.set_default_dtype(getattr(library, precision))
    try:
        with contextlib.redirect_stdout(printed), tc.conv_algorithm("direct"):
            exec(compile(source, str(path), "exec"), {"__name__": "__main__"})
    finally:
        library.set_default_dtype(before)
    text = printed.getvalue()
    state = library.load("model.pt")
    weights = {name: np.asarray(value.detach().numpy()) for name, value in state.items()}
    return Run(NUMBER.sub("#", text), np.array([float(x) for x in NUMBER.findall(text)]), weights)


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> Any:
    """PyTorch, with the random numbers of tinyconv."""
    torch = pytest.importorskip("torch")
    Drawn(torch).replace(monkeypatch)
    return torch


class Drawn:
    """What PyTorch draws, from a NumPy generator that is used as tinyconv uses its own."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.manual_seed(0)

    def manual_seed(self, seed: int) -> None:
        self.seed, self.masks = seed, 0
        self.source = np.random.Generator(np.random.PCG64(seed))

    def tensor(self, values: Any, dtype: Any = None) -> Any:
        return self.torch.from_numpy(np.asarray(values)).to(dtype or self.torch.get_default_dtype())

    def replace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        torch = self.torch
        for owner, name, function in (
            (torch, "manual_seed", self.manual_seed),
            (
                torch,
                "randn",
                lambda *size, device=None: self.tensor(self.source.standard_normal(shape(size))),
            ),
            (torch, "rand", lambda *size, device=None: self.tensor(self.source.random(shape(size)))),
            (torch, "randn_like", lambda x: self.tensor(self.source.standard_normal(x.shape), x.dtype)),
            (torch.Tensor, "normal_", lambda x, *options, **more: self.normal_(x, *options, **more)),
            (torch.Tensor, "uniform_", lambda x, *options, **more: self.uniform_(x, *options, **more)),
            (torch.nn.functional, "dropout", self.dropout),
            (torch.utils.data.RandomSampler, "__iter__", lambda sampler: self.order(sampler)),
            (torch.utils.data.dataset, "randperm", self.randperm),
        ):
            monkeypatch.setattr(owner, name, function)

    def normal_(self, x: Any, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Any:
        return x.copy_(self.tensor(self.source.normal(mean, std, x.shape), x.dtype))

    def uniform_(self, x: Any, low: float = 0.0, high: float = 1.0, *, generator: Any = None) -> Any:
        return x.copy_(self.tensor(self.source.uniform(low, high, x.shape), x.dtype))

    def dropout(self, x: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        if not training or p == 0:
            return x
        kept = masks.dropout(np.ones(x.shape, np.float32), p, (self.seed, self.masks)) > 0
        self.masks += 1
        return x * self.tensor(kept, x.dtype) / (1 - p)

    def order(self, sampler: Any) -> Iterator[int]:
        """An epoch further on with each call, as tinyconv's loader counts them."""
        sampler.epoch = getattr(sampler, "epoch", -1) + 1
        return iter(generator(self.seed, ORDER, sampler.epoch).permutation(len(sampler)).tolist())

    def randperm(self, count: int, generator: Any = None) -> Any:
        source = self.source if generator is None else np.random.default_rng(generator.initial_seed())
        return self.torch.from_numpy(source.permutation(count))


def shape(size: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(size[0]) if isinstance(size[0], tuple) else size


def distance(one: Run, other: Run) -> float:
    """The largest difference of two runs, relative to 1 or the size of the numbers."""
    pairs = [(one.numbers, other.numbers), *((one.weights[k], other.weights[k]) for k in other.weights)]
    return max(float(np.max(np.abs(a - b) / np.maximum(1, np.abs(b)), initial=0)) for a, b in pairs)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_runs_by_changing_its_import(
    path: Path, torch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = {
        (library.__name__, precision): run(
            path, library, tmp_path / f"{library.__name__}-{precision}", precision, monkeypatch
        )
        for library in (torch, tc)
        for precision in ("float32", "float64")
    }
    exact, single = runs["torch", "float64"], runs["torch", "float32"]
    for precision in ("float32", "float64"):
        ours, theirs = runs["tinyconv", precision], runs["torch", precision]
        assert ours.text == theirs.text
        assert ours.weights.keys() == theirs.weights.keys()
        for name, weight in theirs.weights.items():
            assert (ours.weights[name].dtype, ours.weights[name].shape) == (weight.dtype, weight.shape), name
    assert len(exact.numbers) > 3 and np.isfinite(exact.numbers).all()
    rounding = distance(single, exact)
    assert 1e-9 < rounding < 1e-3, "float32 differs from float64, but the script is not chaotic"
    assert distance(runs["tinyconv", "float64"], exact) < 1e-9
    assert distance(runs["tinyconv", "float32"], exact) < 10 * rounding


def test_the_scripts_cover_what_they_are_for() -> None:
    assert len(SCRIPTS) >= 6
    text = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    for name in (
        *(
            "torch.save",
            "load_state_dict",
            "DataLoader",
            "random_split",
            "max_pool2d",
            "nll_loss",
            "BatchNorm2d",
        ),
        *(
            "kaiming_normal_",
            "MultiStepLR",
            "OneCycleLR",
            "ConvTranspose2d",
            "torch.cat",
            "BCEWithLogitsLoss",
        ),
        *(
            "AdamW",
            "clip_grad_norm_",
            ".detach()",
            ".apply(weights_init)",
            "randn_like",
            "chunk",
            "create_graph",
        ),
    ):
        assert name in text, name
