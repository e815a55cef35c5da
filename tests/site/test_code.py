"""The pages' pieces of Python run, from the first of a page to its last."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.gpu import gpu
from tests.site.pages import DOCS, PAGES, blocks, name
from tinyconv.errors import TinyconvError
from tinyconv.kernels.cuda import _launch

PROGRAMS = [page for page in PAGES if blocks(page, "python")]

# What a piece takes for granted, because the text around it says where it belongs. By page and number.
BEFORE = {
    ("docs/add-a-kernel.md", 0): """
from typing import Any
from tinyconv.device import array_module
Array = Any
""",
    ("docs/add-a-kernel.md", 2): """
from types import SimpleNamespace
import numba
from numba import prange
from tinyconv.kernels.cpu.activation import ZERO, along, suits_alone
reference = SimpleNamespace(squared_relu=squared_relu)
parallel = numba.njit(parallel=True)  # without the file on disk, which needs a file of source
""",
    ("docs/add-a-kernel.md", 3): "from tinyconv.kernels.cuda.activation import _launch",
    ("docs/add-an-op.md", 0): """
import math
from typing import Any
from tinyconv.device import array_module
Array = Any
""",
    ("docs/add-an-op.md", 1): """
from types import SimpleNamespace
from tinyconv import Tensor, tanh
from tinyconv.function import Function
from tinyconv.ops._checks import check_float
kernels = SimpleNamespace(log_cosh=log_cosh)
""",
    ("docs/add-an-op.md", 3): """
from tests.ops.cases import elementwise
from tests.ops.op import Op
tc.log_cosh = log_cosh
""",
    ("docs/data.md", 2): """
import tinyconv as tc
first = second = lambda images: images  # arrays in, arrays out
image = tc.rand(1, 80, 90).numpy()
""",
    ("docs/engine.md", 0): """
from tinyconv.function import Function
from tinyconv.kernels import activation as kernels
""",
    ("docs/engine.md", 1): """
import tinyconv as tc
import tinyconv.nn.functional as F
model = tc.nn.Linear(3, 2)
optimizer = tc.optim.SGD(model.parameters(), lr=0.1)
""",
    ("docs/kernels.md", 0): """
import numpy as np
x, weight, bias = np.ones((1, 2, 5, 5)), np.ones((3, 2, 3, 3)), None
stride, padding, dilation, groups = (1, 1), (0, 0), (1, 1), 1
""",
}
# Pieces that only read as Python: what the engine writes by itself, and an outline with dots.
READ_ONLY = {("docs/engine.md", 2), ("docs/exercises.md", 0)}
# Pieces that show an error, and how it begins; the page shows that too.
FAILS = {
    ("docs/index.md", 0): "gradcheck of apply (Square): the gradient with respect to inputs[0] is wrong",
    ("docs/engine.md", 4): "Mul.backward: saved tensor 0, of shape (1,), which the forward of Mul kept, is",
}


@pytest.mark.parametrize("page", PROGRAMS, ids=name)
def test_code_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "page"}
    for number, code in enumerate(blocks(page, "python")):
        place = name(page), number
        program = compile(code, f"{place[0]}, piece {number}", "exec")
        if place in READ_ONLY:
            continue
        exec(BEFORE.get(place, ""), names)
        if place in FAILS:
            shows_its_error(page, program, names, FAILS[place])
        else:
            exec(program, names)


def shows_its_error(page, program, names, line):
    assert line in page.read_text(encoding="utf-8")
    with pytest.raises(TinyconvError, match=re.escape(line)):
        exec(program, names)


GUIDE = DOCS / "add-a-kernel.md"


def pieces_of_the_guide(numbers, names):
    """Run these pieces of "Adding a kernel"."""
    for number in numbers:
        exec(BEFORE.get((name(GUIDE), number), ""), names)
        exec(blocks(GUIDE, "python")[number], names)


def test_the_kernel_that_the_guide_adds_is_right():
    pytest.importorskip("numba")
    names = {}
    pieces_of_the_guide(range(3), names)
    x = np.random.default_rng(0).normal(size=(2, 3, 50, 60)).astype(np.float32).transpose(0, 2, 3, 1)
    x[0, 0, 0] = np.nan, np.inf, -np.inf
    y = names["squared_relu"](x)
    np.testing.assert_array_equal(y, names["reference"].squared_relu(x))
    assert y.strides == x.strides and np.isnan(y[0, 0, 0, 0])


def test_the_cuda_kernel_that_the_guide_adds_is_right():
    names = {}
    pieces_of_the_guide([0], names)
    reference = names["squared_relu"]
    pieces_of_the_guide([3], names)
    (source,) = blocks(GUIDE, "cuda")
    x = np.random.default_rng(0).normal(size=10_000).astype(np.float32)
    x[:3] = np.nan, np.inf, -np.inf
    with gpu() as cupy:
        code = f'#include "common.cuh"\n{source}'
        module = cupy.RawModule(code=code, options=_launch.OPTIONS, name_expressions=("squared_relu<float>",))

        def launch(kernel, inputs):
            out = cupy.empty_like(inputs[0])
            function = module.get_function(f"{kernel}<float>")
            _launch.launch_elements(function, out.size, (*inputs, out, out.size))
            return out

        names["_launch"] = launch
        found = names["squared_relu"](cupy.asarray(x)).get()
    np.testing.assert_array_equal(found, reference(x))


def test_the_lists_name_pieces_that_exist():
    counts = {name(page): len(blocks(page, "python")) for page in PROGRAMS}
    for page, number in [*BEFORE, *READ_ONLY, *FAILS]:
        assert number < counts.get(page, 0), (page, number)


def test_the_output_that_the_start_page_shows_is_the_real_one():
    page = DOCS / "index.md"
    (code,), (shown,) = blocks(page, "python"), blocks(page, "text")
    with pytest.raises(TinyconvError) as caught:
        exec(code, {"__name__": "page"})
    assert str(caught.value) == shown.rstrip("\n")
