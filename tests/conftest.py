"""What all tests share: how Hypothesis searches, and settings that no test may leave changed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

import tinyconv as tc
from tests.on_cuda import ALSO_ON_CUDA, CHOOSES_ITSELF, on_cuda, reason_against
from tinyconv import device

collect_ignore_glob = ["scripts/*", "*_answers/*"]  # programs that tests run

settings.register_profile(
    "quick", max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", settings.get_profile("quick"), derandomize=True, print_blob=True)
settings.register_profile("fuzz", settings.get_profile("quick"), max_examples=100_000)
settings.register_profile(  # a wrong engine is to be noticed, not explained: no smaller example is looked for
    "mutation",
    settings.get_profile("ci"),
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
    print_blob=False,
)
settings.load_profile("ci" if os.environ.get("CI") else "quick")


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "where all tests make their tensors; without a GPU, cuda is its emulator, which takes hours"
    parser.addoption("--device", choices=("cpu", "cuda"), default="cpu", help=text)


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--device") == "cuda":
        stack = contextlib.ExitStack()
        try:
            stack.enter_context(on_cuda())
        except pytest.skip.Exception as error:
            raise pytest.UsageError(f"--device cuda: {error}") from error
        config.add_cleanup(stack.close)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--device") == "cuda":
        for item in items:
            reason = reason_against(item.nodeid)
            if reason is not None:
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    both = metafunc.definition.nodeid.startswith(ALSO_ON_CUDA)
    if both and metafunc.config.getoption("--device") == "cpu":
        metafunc.parametrize("_device", ("cpu", "cuda"), indirect=True)


@pytest.fixture(autouse=True)
def _device(request: pytest.FixtureRequest) -> Iterator[None]:
    """Make tensors on the device that the test is tried on."""
    if getattr(request, "param", "cpu") == "cuda":
        place: Any = on_cuda()
    elif request.node.nodeid.startswith(CHOOSES_ITSELF):
        place = tc.default_device("cpu")
    else:
        place = contextlib.nullcontext()
    with place:
        yield


@pytest.fixture(autouse=True)
def _settings_as_found():
    """Start with seed 0, and put the process-wide settings back."""
    changeable = (
        *(device.default_dtype, device.default_device, device.kernel_backend, device.num_threads),
        *(device.conv_algorithm, device.matmul_precision),
    )
    before = [setting.get() for setting in changeable]
    tc.manual_seed(0)
    yield
    for setting, value in zip(changeable, before, strict=True):
        setting.set(value)
