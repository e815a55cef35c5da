"""Mistakes in the Numba kernels for convolutions with few channels."""

from __future__ import annotations

from tests.mutations.mutation import wrong

FEW = "tests/kernels/test_conv_few.py"

MUTATIONS = (
    wrong(
        "inner products: the end of a run is read beyond it",
        "kernels/cpu/_inner_product.py",
        "lambda at: emit.load_valid(at, 0, rest))",
        "lambda at: emit.load(at, 0))",
        f"{FEW}::test_an_infinity_beside_the_window_is_not_read",
    ),
    wrong(
        "inner products: all channels have the bias of the first",
        "kernels/cpu/_inner_product.py",
        "c, start = first + column * step, y_first + column, bias_first + column",
        "c, start = first + column * step, y_first + column, bias_first",
        f"{FEW}::test_few_channels_on_one_side",
    ),
    wrong(
        "inner products: lanes are added to the wrong sums",
        "kernels/cpu/_vector_code.py",
        "lane if not lane & apart else",
        "lane if lane & apart else",
        f"{FEW}::test_inner_tile",
    ),
)
