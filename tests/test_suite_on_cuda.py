"""The suite's option --device: where tensors are made, who may look at them, and lists that name tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.on_cuda import ALSO_ON_CUDA, CHOOSES_ITSELF, CPU_ONLY, TOO_LONG_IN_THE_EMULATOR, on_cuda
from tinyconv import nn
from tinyconv.errors import DeviceError, GraphError

ROOT = Path(__file__).parents[1]


def test_what_a_test_makes_lies_on_the_gpu_and_is_seen_by_the_test_alone() -> None:
    engine: dict[str, Any] = {"__name__": "tinyconv.somewhere", "np": np}
    exec("def look(x): return x.numpy()\ndef convert(x): return np.asarray(x)", engine)
    with on_cuda():
        x = tc.tensor([1.0, 2.0])
        assert x.device == "cuda:0" and nn.Linear(2, 3).weight.device == "cuda:0"
        assert x.numpy().tolist() == np.asarray(x).tolist() == [1, 2]
        for look in (engine["look"], engine["convert"]):
            with pytest.raises(DeviceError, match=r"tensor.cpu\(\).numpy"):
                look(x)
        with pytest.raises(GraphError):
            x.requires_grad_().numpy()
    assert tc.zeros(1).device == "cpu"


LISTED = [*CPU_ONLY, *TOO_LONG_IN_THE_EMULATOR, *CHOOSES_ITSELF, *ALSO_ON_CUDA]


@pytest.mark.parametrize("name", LISTED)
def test_the_tests_that_are_listed_are_there(name: str) -> None:
    path, _, function = name.partition("::")
    assert list(ROOT.glob(f"{path}*"))
    assert not function or f"def {function.partition('[')[0]}" in (ROOT / path).read_text()
