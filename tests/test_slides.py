"""Every number of lessons 03, 04 and 16 that the slides state, on every kernel backend."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.backends import BACKENDS, kernels
from tinyconv import models, nn
from tinyconv.kernels.reference.conv import output_size
from tinyconv.kernels.reference.pooling import pool_output_size

# Slide deck S4, the 6x6 example. The slides print the feature map with rows and columns exchanged:
# 185.5, which they show third in the first row, is what the window at rows 3 to 5 and columns 1 to 3
# gives, 0.2 * 20 + 0.1 * 245 + 0.3 * 170 + 0.5 * 180 + 0.4 * 235 - 0.2 * 190 - 0.4 * 185 + 0.2 * 170.
# The image and filter that have the printed map are the transposed ones. Both ways are tested.
IMAGE = [
    [255, 220, 150, 200, 110, 100],
    [240, 50, 35, 45, 200, 130],
    [0, 20, 245, 250, 230, 120],
    [170, 180, 235, 145, 170, 255],
    [190, 185, 170, 165, 130, 120],
    [255, 255, 245, 190, 200, 175],
]
FILTER = [[-0.7, 0.2, 0.1], [0.3, 0.5, 0.4], [-0.2, -0.4, 0.2]]
FEATURE_MAP = [
    [32.5, -105.5, 185.5, 54],
    [-105.5, 104, 217.5, 31],
    [-44, 224, 38.5, -18],
    [-60.5, 213.5, 52.5, 37.5],
]
AFTER_RELU = [[32.5, 0, 185.5, 54], [0, 104, 217.5, 31], [0, 224, 38.5, 0], [0, 213.5, 52.5, 37.5]]
AFTER_POOL = [[104, 217.5], [224, 52.5]]

ROUNDING = {"float64": 1e-12, "float32": 1e-4}

every_backend = pytest.mark.parametrize("backend", BACKENDS)
every_dtype = pytest.mark.parametrize("dtype", sorted(ROUNDING))


def transposed(rows: list[list[float]]) -> list[list[float]]:
    return [list(column) for column in zip(*rows, strict=True)]


def image(rows: list[list[float]], dtype: str) -> tc.Tensor:
    """Numbers as a batch of one image with one channel."""
    return tc.tensor(rows, dtype=dtype).reshape(1, 1, len(rows), len(rows[0]))


def assert_is(result: tc.Tensor, rows: list[list[float]], within: float) -> None:
    assert result.shape == (1, 1, len(rows), len(rows[0]))
    np.testing.assert_allclose(result.detach().numpy()[0, 0], rows, rtol=0, atol=within)


def by_hand() -> list[list[float]]:
    """z = b + sum x_i w_i of the slide, with b = 0, by four loops."""
    return [
        [sum(IMAGE[r + i][c + j] * FILTER[i][j] for i in range(3) for j in range(3)) for c in range(4)]
        for r in range(4)
    ]


def test_lesson_04_the_slides_print_the_feature_map_transposed() -> None:
    np.testing.assert_allclose(by_hand(), transposed(FEATURE_MAP), rtol=0, atol=1e-12)


EXAMPLES = {
    "as printed": (IMAGE, FILTER, transposed),
    "transposed": (transposed(IMAGE), transposed(FILTER), lambda rows: rows),
}


@every_backend
@every_dtype
@pytest.mark.parametrize("example", EXAMPLES)
def test_lesson_04_the_6x6_example(example: str, backend: str, dtype: str) -> None:
    pixels, weights, turned = EXAMPLES[example]
    with kernels(backend):
        feature_map = F.conv2d(image(pixels, dtype), image(weights, dtype))
        after_relu = F.relu(feature_map)
        after_pool = F.max_pool2d(after_relu, 2)
    assert_is(feature_map, turned(FEATURE_MAP), ROUNDING[dtype])
    assert_is(after_relu, turned(AFTER_RELU), ROUNDING[dtype])
    assert_is(after_pool, turned(AFTER_POOL), ROUNDING[dtype])


@every_backend
@every_dtype
def test_lesson_04_the_6x6_example_as_layers(backend: str, dtype: str) -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU(), nn.MaxPool2d(2)).to(dtype)
    net.load_state_dict({"0.weight": image(transposed(FILTER), dtype), "0.bias": tc.zeros(1)})
    with kernels(backend):
        assert_is(net(image(transposed(IMAGE), dtype)), AFTER_POOL, ROUNDING[dtype])


@every_backend
@every_dtype
def test_lesson_04_the_bias_is_added_to_every_number(backend: str, dtype: str) -> None:
    with kernels(backend):
        feature_map = F.conv2d(image(IMAGE, dtype), image(FILTER, dtype), tc.tensor([10.0], dtype=dtype))
    assert_is(feature_map, (np.array(by_hand()) + 10).tolist(), ROUNDING[dtype])


@every_backend
@every_dtype
def test_lesson_04_one_dimension(backend: str, dtype: str) -> None:
    """[10, 50, 60, 10, 20, 30, 40] with [1/3, 1/3, 1/3]: 40 at the third place."""
    signal, third = [10.0, 50.0, 60.0, 10.0, 20.0, 30.0, 40.0], [[1 / 3, 1 / 3, 1 / 3]]
    with kernels(backend):
        same = F.conv2d(image([signal], dtype), image(third, dtype), padding=(0, 1))
    expected = [20, 40, 40, 30, 20, 30, 70 / 3]
    assert_is(same, [expected], ROUNDING[dtype])
    assert abs(same[0, 0, 0, 2].item() - 40) <= ROUNDING[dtype]


@every_backend
@every_dtype
def test_lesson_04_max_pooling_of_deck_s1(backend: str, dtype: str) -> None:
    plane = [[135, 212, 189, 56], [164, 201, 204, 145], [30, 126, 189, 156], [36, 45, 38, 12]]
    with kernels(backend):
        pooled, indices = F.max_pool2d(image(plane, dtype), 2, return_indices=True)
    assert pooled.tolist() == [[[[212.0, 204.0], [126.0, 189.0]]]]
    assert indices.tolist() == [[[[1, 6], [9, 10]]]]


@every_backend
@every_dtype
def test_lesson_04_max_pooling_of_deck_s3(backend: str, dtype: str) -> None:
    with kernels(backend):
        plane = image([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]], dtype)
        assert F.max_pool2d(plane, 2, stride=2).tolist() == [[[[6.0, 8.0], [3.0, 4.0]]]]


def test_lesson_03_a_dense_layer_on_an_image() -> None:
    layer = nn.Linear(256 * 256, 64)
    assert layer.weight.numel() == 4_194_304
    assert layer.bias is not None and layer.bias.numel() == 64


def test_lesson_03_a_filter_has_28_parameters() -> None:
    assert sum(p.numel() for p in nn.Conv2d(3, 1, kernel_size=3).parameters()) == 28


@every_backend
def test_lesson_03_categorical_cross_entropy(backend: str) -> None:
    """Deck S4: loss = -1/N sum y_i log y^_i."""
    logits = tc.tensor([[2.0, 1.0, 0.1], [0.5, 2.5, 0.3]], dtype="float64")
    one_hot = tc.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], dtype="float64")
    with kernels(backend):
        first = math.exp(2.0) / (math.exp(2.0) + math.exp(1.0) + math.exp(0.1))
        second = math.exp(2.5) / (math.exp(0.5) + math.exp(2.5) + math.exp(0.3))
        expected = -(math.log(first) + math.log(second)) / 2
        assert abs(F.cross_entropy(logits, one_hot).item() - expected) < 1e-12
        assert abs(F.cross_entropy(logits, tc.tensor([0, 1])).item() - expected) < 1e-12


def test_lesson_16_the_u_net_of_deck_s3_has_1941105_parameters() -> None:
    assert sum(p.numel() for p in models.create("unet_slides").parameters()) == 1_941_105


def test_lesson_16_the_original_u_net_maps_572_to_388() -> None:
    """Four levels down, one at the bottom, four up; at each two valid 3x3 convolutions."""

    def two_convolutions(n: int) -> int:
        for _ in range(2):
            (n,) = output_size((n,), (3,), (1,), (0,), (1,))
        return n

    size, levels = 572, []
    for _ in range(4):
        size = two_convolutions(size)
        levels.append(size)
        assert size % 2 == 0
        (size,) = pool_output_size((size,), (2,), (2,), (0,), (1,), False)
    size = two_convolutions(size)
    for copied in reversed(levels):
        size = 2 * size
        assert copied > size, "the copy is cropped"
        size = two_convolutions(size)
    assert levels == [568, 280, 136, 64]
    assert size == 388
