"""What all tests share: how Hypothesis searches, and settings that no test may leave changed."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

import tinyconv as tc
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
