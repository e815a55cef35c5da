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
    wrong(
        "groups: the lanes meet the channels of another group",
        "kernels/cpu/_group_tile.py",
        "[lane - lane % channels + i for lane",
        "[(lane + channels - lane % channels + i) % emit.width for lane",
        f"{FEW}::test_groups_of_several_bands",
    ),
    wrong(
        "groups: the bias of the first pack",
        "kernels/cpu/_groups.py",
        "packed_bias[pack * width + lane] = bias_flat[bias_start + channel * bias_step]",
        "packed_bias[pack * width + lane] = bias_flat[bias_start + lane * bias_step]",
        f"{FEW}::test_groups_of_several_bands",
    ),
    wrong(
        "groups: the last one of a pack is forgotten",
        "kernels/cpu/_groups.py",
        "return min(packs.groups, packs.all_groups - pack * packs.groups) * packs.channels",
        "return max(1, min(packs.groups, packs.all_groups - pack * packs.groups) - 1) * packs.channels",
        f"{FEW}::test_groups",
    ),
    wrong(
        "depthwise: each kernel row has the weights of the first and its neighbour",
        "kernels/cpu/_sliding_tile.py",
        "builder.gep(b_row, [emit.index(TAPS * emit.width)])",
        "builder.gep(b_row, [emit.index(emit.width)])",
        f"{FEW}::test_groups_of_several_bands",
    ),
    wrong(
        "depthwise weight gradient: one pixel's gradient for four pixels",
        "kernels/cpu/_sliding_tile.py",
        "terms = [number, grads[column - tap], builder.load(total)]",
        "terms = [number, grads[0], builder.load(total)]",
        f"{FEW}::test_groups_of_several_bands",
    ),
)
