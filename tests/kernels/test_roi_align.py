"""RoIAlign: by hand, point by point with PyTorch's grid_sample, borders, its adjoint, and the op's boxes."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyconv as tc
import tinyconv.nn.functional as F
from tinyconv.kernels.reference import roi_align as reference

PLANE = np.arange(16.0).reshape(1, 1, 4, 4)  # x + 4 y
eighth = st.integers(-24, 96).map(lambda n: n / 8)
corners = st.tuples(*[eighth] * 4).map(lambda c: (c[0] + 0.0131, c[1] + 0.0131, c[2] + 0.0173, c[3] + 0.0173))
"""Boxes none of whose points is where an image ends, and no side of which is a whole number of bins."""


def test_by_hand() -> None:
    """The value at (x, y) of this plane is x + 4 y, so that a bin's mean is the value at its centre."""
    box = np.array([[0, 1.0, 0.0, 3.0, 2.0]])
    y = reference.roi_align(PLANE, box, (2, 1), 1.0, 2, False)
    assert y.tolist() == [[[[2 + 4 * 0.5], [2 + 4 * 1.5]]]]
    y = reference.roi_align(PLANE, np.array([[0, 1.0, 1.0, 3.0, 3.0]]), (2, 1), 1.0, 2, True)
    assert y.tolist() == [[[[1.5 + 4 * 1], [1.5 + 4 * 2]]]]
    y = reference.roi_align(PLANE, 16 * box, (2, 1), 1 / 16, 3, False)
    np.testing.assert_allclose(y, [[[[4], [8]]]], rtol=1e-15)


def test_points_outside_are_the_border_pixel_then_nothing() -> None:
    """Five bins with one point each, at x = -1.5, -0.5, 0.5, ...: outside, border, between, ..."""
    x = np.array([[[[10.0, 20.0]]]])
    y = reference.roi_align(x, np.array([[0, -2.0, 0.0, 3.0, 0.0]]), (1, 5), 1.0, 1, False)
    assert y.ravel().tolist() == [0, 10, 15, 20, 0]


def test_a_box_without_area() -> None:
    box = np.array([[0, 2.0, 2.0, 2.0, 2.0]])
    assert reference.roi_align(PLANE, box, (1, 1), 1.0, 0, True).item() == 0
    assert reference.roi_align(PLANE, box, (1, 1), 1.0, 0, False).item() == pytest.approx(2.5 + 4 * 2.5)


def point_by_point(
    torch: Any, x: np.ndarray, boxes: np.ndarray, size: Any, scale: float, samples: int, aligned: bool
) -> np.ndarray:
    """All points of all bins by PyTorch's grid_sample, and their means."""
    result = np.zeros((len(boxes), x.shape[1], *size))
    for k, (image, *box) in enumerate(boxes.tolist()):
        x1, y1, x2, y2 = (c * scale - 0.5 * aligned for c in box)
        lengths = [y2 - y1, x2 - x1] if aligned else [max(y2 - y1, 1), max(x2 - x1, 1)]
        points = []
        for start, length, bins in zip((y1, x1), lengths, size, strict=True):
            count = samples or ceil(length / bins)
            if count < 1:
                break
            points.append([
                [start + (b + (i + 0.5) / count) * length / bins for i in range(count)] for b in range(bins)
            ])  # fmt: skip
        if len(points) < 2:
            continue
        for p, q in np.ndindex(*size):
            ys, xs = np.meshgrid(points[0][p], points[1][q], indexing="ij")
            h, w = x.shape[2:]
            grid = np.stack([2 * (xs + 0.5) / w - 1, 2 * (ys + 0.5) / h - 1], -1)
            values = torch.nn.functional.grid_sample(
                torch.from_numpy(x[int(image)][None]), torch.from_numpy(grid[None]), align_corners=False,
                padding_mode="border",
            ).numpy()[0]  # fmt: skip
            near = (ys >= -1) & (ys <= h) & (xs >= -1) & (xs <= w)
            result[k, :, p, q] = (values * near).mean((1, 2))
    return result


@st.composite
def regions(draw: Any) -> Any:
    shape = tuple(draw(st.integers(1, most)) for most in (2, 3, 8, 8))
    boxes = [(draw(st.integers(0, shape[0] - 1)), *c) for c in draw(st.lists(corners, max_size=3))]
    size = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    options = draw(st.sampled_from((1.0, 0.5))), draw(st.integers(0, 3)), draw(st.booleans())
    return shape, np.array(boxes, dtype=np.float64).reshape(-1, 5), size, options


@settings(deadline=None)
@given(region=regions(), order=st.integers(0, 47))
def test_is_the_mean_of_points(make_array: Any, region: Any, order: int) -> None:
    torch = pytest.importorskip("torch")
    shape, boxes, size, options = region
    x = make_array(shape, order, dtype=np.float64)
    expected = point_by_point(torch, np.ascontiguousarray(x), boxes, size, *options)
    np.testing.assert_allclose(reference.roi_align(x, boxes, size, *options), expected, atol=1e-12)


@settings(deadline=None)
@given(region=regions())
def test_the_backward_is_the_adjoint(make_array: Any, region: Any) -> None:
    shape, boxes, size, options = region
    x = make_array(shape, dtype=np.float64)
    y = reference.roi_align(x, boxes, size, *options)
    g = make_array(y.shape, 5, 1, dtype=np.float64)
    back = reference.roi_align_backward(g, boxes, shape, *options)
    assert back.shape == shape
    assert (y * g).sum() == pytest.approx((x * back).sum(), rel=1e-10, abs=1e-10)


def test_boxes_by_image_are_those_with_numbers() -> None:
    x = tc.tensor(np.random.default_rng(0).normal(size=(3, 2, 6, 5)))
    boxes = [
        tc.tensor(np.array(each).reshape(-1, 4))
        for each in ([[0, 0, 3, 4], [1, 2, 4, 5.5]], [], [[1, 1, 2, 2.0]])
    ]
    rows = tc.tensor([[0, 0, 0, 3, 4], [0, 1, 2, 4, 5.5], [2, 1, 1, 2, 2.0]], dtype="float64")
    there, here = F.roi_align(x, boxes, (3, 2)), F.roi_align(x, rows, (3, 2))
    assert there.shape == (3, 2, 3, 2)
    np.testing.assert_array_equal(there.numpy(), here.numpy())
    assert F.roi_align(x, [boxes[1]] * 3, 2).shape == (0, 2, 2, 2)


def test_overlapping_boxes_both_give_their_gradient() -> None:
    x = tc.zeros(1, 1, 4, 4, requires_grad=True)
    box = tc.tensor([[0.0, 0, 0, 4, 4]])
    F.roi_align(x, tc.cat([box, box]), 1, aligned=True).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.full((1, 1, 4, 4), 2 / 16), rtol=1e-6)
