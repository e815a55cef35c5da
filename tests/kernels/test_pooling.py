"""Pooling: the slides' numbers, PyTorch's, adjoints, bad sizes, and the fast twins."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tinyconv.device import num_threads
from tinyconv.errors import ArgumentError, ShapeError
from tinyconv.kernels import find_kernel
from tinyconv.kernels.reference import pooling as reference

pytestmark = pytest.mark.usefixtures("any_size")

SLIDE = np.array([[135, 212, 189, 56], [164, 201, 204, 145], [30, 126, 189, 156], [36, 45, 38, 12]])
BACKENDS = ["reference", "cpu"]


def kernel(backend, name):
    return find_kernel(backend, "pooling", name)


@st.composite
def windows(draw, ndim=None, dilated=True):
    """A shape and a window that fits: (shape, kernel_size, stride, padding, dilation, ceil_mode)."""
    ndim = draw(st.integers(1, 3)) if ndim is None else ndim
    each = lambda strategy: tuple(draw(st.lists(strategy, min_size=ndim, max_size=ndim)))  # noqa: E731
    size, kernel_size, stride = each(st.integers(1, 9)), each(st.integers(1, 4)), each(st.integers(1, 4))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel_size)
    dilation = each(st.integers(1, 2 if dilated else 1))
    ceil_mode = draw(st.booleans())
    for n, k, s, p, d in zip(size, kernel_size, stride, padding, dilation, strict=True):
        assume(n + 2 * p >= d * (k - 1) + 1)
        (out,) = reference.pool_output_size((n,), (k,), (s,), (p,), (d,), ceil_mode)
        assume(all(sees_a_pixel(n, range(o * s - p, o * s - p + d * (k - 1) + 1, d)) for o in range(out)))
    shape = (draw(st.integers(0, 3)), draw(st.sampled_from([0, 1, 3, 17])), *size)
    return shape, kernel_size, stride, padding, dilation, ceil_mode


def sees_a_pixel(pixels, window):
    return any(0 <= place < pixels for place in window)


@st.composite
def halvings(draw):
    """The windows of U-Nets, 2 x 2 side by side."""
    size = tuple(2 * draw(st.integers(1, 5)) + draw(st.integers(0, 1)) for _ in range(2))
    shape = (draw(st.integers(1, 3)), draw(st.sampled_from([1, 3, 17])), *size)
    return shape, (2, 2), (2, 2), (0, 0), (1, 1), False


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "image, expected, places",
    [
        (SLIDE, [[212, 204], [126, 189]], [[1, 6], [9, 10]]),
        ([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]], [[6, 8], [3, 4]], [[5, 7], [8, 15]]),
    ],
)
def test_slides(backend, image, expected, places):
    x = np.array(image, dtype=np.float32)[None, None]
    y, indices = kernel(backend, "max_pool")(x, (2, 2), (2, 2), (0, 0), (1, 1), False)
    np.testing.assert_array_equal(y[0, 0], expected)
    np.testing.assert_array_equal(indices[0, 0], places)
    assert indices.dtype == np.int32


@pytest.mark.parametrize("backend", BACKENDS)
def test_padding_never_wins_and_ties_go_to_the_first(backend):
    x = np.full((1, 1, 2, 2), -5, dtype=np.float32)
    y, indices = kernel(backend, "max_pool")(x, (3, 3), (1, 1), (1, 1), (1, 1), False)
    np.testing.assert_array_equal(y, np.full((1, 1, 2, 2), -5))
    np.testing.assert_array_equal(indices, np.zeros((1, 1, 2, 2)))
    y, indices = kernel(backend, "max_pool")(np.full_like(x, -np.inf), (2, 2), (1, 1), (1, 1), (1, 1), False)
    np.testing.assert_array_equal(indices[0, 0], [[0, 0, 1], [0, 0, 1], [2, 2, 3]])


def test_averages_by_hand():
    x = np.arange(1.0, 10).reshape(1, 1, 3, 3)
    arguments = ((2, 2), (2, 2), (1, 1))
    padded = reference.avg_pool(x, *arguments, False, True)[0, 0]
    np.testing.assert_allclose(padded, [[1 / 4, 5 / 4], [11 / 4, 28 / 4]])
    own = reference.avg_pool(x, *arguments, False, False)[0, 0]
    np.testing.assert_allclose(own, [[1, 5 / 2], [11 / 2, 28 / 4]])
    hanging = reference.avg_pool(x, (2, 2), (2, 2), (0, 0), True, True)[0, 0]
    np.testing.assert_allclose(hanging, [[3, 4.5], [7.5, 9]])


@settings(deadline=None, max_examples=60)
@given(window=windows(), order=st.integers(0, 99), seed=st.integers(0, 99))
def test_max_pool_is_pytorchs(make_array, window, order, seed):
    torch = pytest.importorskip("torch")
    shape, *arguments = window
    assume(shape[0] > 0 and shape[1] > 0)
    x = make_array(shape, order, seed, special=True)
    pool = getattr(torch.nn.functional, f"max_pool{len(shape) - 2}d")
    expected = pool(torch.tensor(x.copy()), *arguments, return_indices=True)
    for computed, theirs in zip(reference.max_pool(x, *arguments), expected, strict=True):
        np.testing.assert_array_equal(computed, theirs.numpy())


@settings(deadline=None, max_examples=60)
@given(window=windows(dilated=False), order=st.integers(0, 99), include=st.booleans())
def test_avg_pool_is_pytorchs(make_array, window, order, include):
    torch = pytest.importorskip("torch")
    shape, kernel_size, stride, padding, _, ceil_mode = window
    assume(shape[0] > 0 and shape[1] > 0)
    # PyTorch refuses some windows that fit into the padded input.
    assume(all(n >= k for n, k in zip(shape[2:], kernel_size, strict=True)))
    x = make_array(shape, order, dtype=np.float64)
    arguments = (kernel_size, stride, padding, ceil_mode, include)
    x_torch = torch.tensor(x.copy(), requires_grad=True)
    expected = getattr(torch.nn.functional, f"avg_pool{len(shape) - 2}d")(x_torch, *arguments)
    np.testing.assert_allclose(reference.avg_pool(x, *arguments), expected.detach().numpy(), atol=1e-13)
    grad = make_array(expected.shape, order, 1, dtype=np.float64)
    expected.backward(torch.tensor(grad.copy()))
    computed = reference.avg_pool_backward(grad, shape[2:], *arguments)
    np.testing.assert_allclose(computed, x_torch.grad.numpy(), atol=1e-13)


@settings(deadline=None, max_examples=60)
@given(window=st.one_of(windows(), halvings()), order=st.integers(0, 47), seed=st.integers(0, 99))
def test_fast_max_pool_is_the_reference(make_array, window, order, seed):
    shape, *arguments = window
    x = make_array(shape, order, seed, special=True)
    expected = reference.max_pool(x, *arguments)
    for computed, right in zip(kernel("cpu", "max_pool")(x, *arguments), expected, strict=True):
        assert computed.dtype == right.dtype
        np.testing.assert_array_equal(computed, right)


@pytest.mark.parametrize("channels", [3, 17])
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("size, strides", [((7, 9), (1, 2)), ((6, 5, 8), (2, 1, 3)), ((11,), (4,))])
def test_fast_dilated_windows_step_over_the_edge(make_array, size, strides, ceil_mode, channels):
    """A window that begins at -1 sees 1 next, and not 0; a last one may hang over the end."""
    x = make_array((2, channels, *size), special=True)
    each = (1,) * len(size)
    arguments = ((3,) * len(size), strides, each, (2,) * len(size), ceil_mode)
    expected = reference.max_pool(x, *arguments)
    for computed, right in zip(kernel("cpu", "max_pool")(x, *arguments), expected, strict=True):
        np.testing.assert_array_equal(computed, right)


@settings(deadline=None, max_examples=60)
@given(window=windows(dilated=False), order=st.integers(0, 47), include=st.booleans())
def test_fast_avg_pool_is_the_reference(make_array, window, order, include):
    shape, kernel_size, stride, padding, _, ceil_mode = window
    arguments = (kernel_size, stride, padding, ceil_mode, include)
    x = make_array(shape, order)
    expected = reference.avg_pool(x, *arguments)
    np.testing.assert_allclose(kernel("cpu", "avg_pool")(x, *arguments), expected, rtol=1e-6, atol=1e-6)
    grad = make_array(expected.shape, order, 1)
    computed = kernel("cpu", "avg_pool_backward")(grad, shape[2:], *arguments)
    expected = reference.avg_pool_backward(grad, shape[2:], *arguments)
    np.testing.assert_allclose(computed, expected, rtol=1e-6, atol=1e-5)


@settings(deadline=None, max_examples=60)
@given(
    window=st.one_of(windows(), windows(ndim=2), halvings()), order=st.integers(0, 47),
    other=st.integers(0, 47), seed=st.integers(0, 99),
)  # fmt: skip
def test_fast_scatter_gather_and_unpool_are_the_reference(make_array, window, order, other, seed):
    shape, *arguments = window
    x = make_array(shape, order, seed)
    y, indices = reference.max_pool(x, *arguments)
    indices = make_array(indices.shape, other, dtype=[np.int32, np.int64][seed % 2]) * 0 + indices
    size = shape[2:]
    gathered = kernel("cpu", "pool_gather")(x, indices)
    np.testing.assert_array_equal(gathered, y)
    np.testing.assert_array_equal(reference.pool_gather(x, indices), y)
    computed = kernel("cpu", "unpool")(y, indices, size)
    np.testing.assert_array_equal(computed, reference.unpool(y, indices, size))
    computed = kernel("cpu", "pool_scatter")(y, indices, size)
    np.testing.assert_allclose(computed, reference.pool_scatter(y, indices, size), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_indices_from_elsewhere_go_where_they_say(backend):
    """Indices that are no 2 x 2 windows' own must not take the short way for those."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3, 4, 4)).astype(np.float32)
    indices = rng.permuted(np.tile(np.arange(64, dtype=np.int32), (2, 3, 1)), axis=2)[..., :16]
    indices = indices.reshape(x.shape)
    y = kernel(backend, "unpool")(x, indices, (8, 8))
    for n, c, h, w in np.ndindex(*x.shape):
        assert y.reshape(2, 3, 64)[n, c, indices[n, c, h, w]] == x[n, c, h, w]
    assert np.count_nonzero(y) == x.size
    np.testing.assert_array_equal(kernel(backend, "pool_scatter")(x, indices, (8, 8)), y)


@pytest.mark.parametrize("bad", [-1, 64, 2**32 + 9])
def test_wide_indices_of_windows_take_the_short_way_too(bad, monkeypatch):
    """Those of a public call are int64; one that is outside must not come in by its lower half."""
    from tinyconv.kernels.cpu import _places

    x = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)
    y, indices = reference.max_pool(x, (2, 2), (2, 2), (0, 0), (1, 1), False)
    wide = indices.astype(np.int64)
    monkeypatch.setattr(_places, "spread_anywhere", None)
    computed = kernel("cpu", "unpool")(y, wide, (8, 8))
    np.testing.assert_array_equal(computed, reference.unpool(y, indices, (8, 8)))
    assert wide.dtype == np.int64 and (wide == indices).all()
    monkeypatch.undo()
    wide[0, 0, 0, 0] = bad
    with pytest.raises(ArgumentError, match=r"expected positions in \(8, 8\): 0 to 63"):
        kernel("cpu", "unpool")(y, wide, (8, 8))


@pytest.mark.parametrize("channels", [1, 5, 17])
def test_nothing_is_written_beyond_the_results(channels):
    """The last channels of the last pixel are fewer than a vector."""
    from tinyconv.kernels.cpu import _boxes, _places

    x = np.random.default_rng(0).normal(size=2 * 4 * 6 * channels).astype(np.float32)
    windows = _boxes.sliding((4, 6), (2, 3), (2, 2), (2, 2), (0, 0), (1, 1))
    met, shape, out = _boxes.met_by_pixels(windows, (4, 6)), (2, 1, 4, 6, channels), (2, 1, 2, 3, channels)
    numbers, places = (np.full(x.size + 64, 7, dtype) for dtype in (np.float32, np.int32))
    y, indices, factors = numbers[: x.size // 4], places[: x.size // 4], np.ones(6, np.float32)

    def only_filled(used):
        return not (used == 7).any() and (numbers[used.size :] == 7).all()

    _boxes._largest(x, y, indices, shape, *windows)
    assert only_filled(y) and (places[indices.size :] == 7).all()
    _boxes._mean(x, y, factors, shape, *windows)
    assert only_filled(y)
    back = numbers[: x.size]
    _boxes._collect(y.copy(), back, factors, out, *met)
    assert only_filled(back)
    values, back[:] = y.copy(), 7
    assert _places._fill_windows(values, indices, back, out, (1, 2, 2)) == 0
    assert only_filled(back)


def test_unpool_is_pytorchs(make_array):
    torch = pytest.importorskip("torch")
    x = make_array((2, 3, 8, 6))
    y, indices = reference.max_pool(x, (2, 2), (2, 2), (0, 0), (1, 1), False)
    expected = torch.nn.functional.max_unpool2d(torch.tensor(y), torch.tensor(indices).long(), 2)
    np.testing.assert_array_equal(reference.unpool(y, indices, (8, 6)), expected.numpy())


@settings(deadline=None, max_examples=30)
@given(window=windows(), seed=st.integers(0, 99))
def test_adjoints(make_array, window, seed):
    shape, *arguments = window
    x = make_array(shape, 0, seed, dtype=np.float64)
    y, indices = reference.max_pool(x, *arguments)
    g = make_array(y.shape, 0, seed + 1, dtype=np.float64)
    left, right = (y * g).sum(), (x * reference.pool_scatter(g, indices, shape[2:])).sum()
    np.testing.assert_allclose(left, right, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("bad", [-1, 16, 2**31 - 1])
@pytest.mark.parametrize("name", ["unpool", "pool_scatter", "pool_gather"])
def test_an_index_outside_is_refused(backend, bad, name):
    x = np.ones((1, 1, 2, 2), dtype=np.float32)
    indices = np.array([[[[0, 1], [2, bad]]]], dtype=np.int32)
    with pytest.raises(ArgumentError, match=r"indices is .*expected positions in \(4, 4\): 0 to 15"):
        if name == "pool_gather":
            kernel(backend, name)(np.ones((1, 1, 4, 4), dtype=np.float32), indices)
        else:
            kernel(backend, name)(x, indices, (4, 4))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_window_of_nothing_but_padding_is_refused(backend):
    x = np.ones((1, 1, 1, 1), dtype=np.float32)
    with pytest.raises(ShapeError, match="padding is"):
        kernel(backend, "max_pool")(x, (2, 2), (1, 1), (1, 1), (2, 2), False)
    with pytest.raises(ShapeError, match="padding is"):
        kernel(backend, "avg_pool")(x, (1, 1), (1, 1), (1, 1), False, True)


def test_integers_are_pooled():
    y, _ = reference.max_pool(-SLIDE[None, None], (2, 2), (2, 2), (1, 1), (1, 1), False)
    np.testing.assert_array_equal(y[0, 0], [[-135, -189, -56], [-30, -126, -145], [-36, -38, -12]])


@pytest.mark.parametrize("channels", [5, 20])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_nan_wins_in_a_volume(dims, channels):
    x = np.arange(2 * channels * 6**dims, dtype=np.float32).reshape(2, channels, *[6] * dims)
    place = 6 ** (dims - 1)
    x[0, 3].flat[place] = np.nan
    y, indices = kernel("cpu", "max_pool")(x, *[(n,) * dims for n in (2, 2, 0, 1)], False)
    right, places = reference.max_pool(x, *[(n,) * dims for n in (2, 2, 0, 1)], False)
    assert np.isnan(y[0, 3].flat[0]) and np.isnan(y).sum() == 1 and indices[0, 3].flat[0] == place
    np.testing.assert_array_equal(y, right)
    np.testing.assert_array_equal(indices, places)


@pytest.mark.parametrize("channels", [1, 3, 17])
def test_halving_and_its_gradient_are_the_reference(make_array, channels):
    x = np.rint(make_array((2, channels, 6, 8)))
    windows = (2, 2), (2, 2), (0, 0), (1, 1), False
    y, indices = kernel("cpu", "max_pool")(x, *windows)
    right, places = reference.max_pool(x, *windows)
    np.testing.assert_array_equal(y, right)
    np.testing.assert_array_equal(indices, places)
    grad = make_array(y.shape, 0, 1)
    back = kernel("cpu", "pool_scatter")(grad, indices, (6, 8))
    np.testing.assert_array_equal(back, reference.pool_scatter(grad, places, (6, 8)))


def test_the_number_of_threads_changes_no_bit(make_array):
    """Overlapping windows, where the order of additions matters, in images and in a volume."""
    for shape, windows in (
        ((3, 20, 9, 11), ((3, 3), (2, 2), (1, 1))),
        ((1, 33, 6, 7, 8), ((3, 3, 3), (1, 1, 1), (1, 1, 1))),
    ):
        x = np.rint(make_array(shape))
        ones = (1,) * len(windows[0])
        found = []
        for threads in (1, 2):
            with num_threads(threads):
                y, indices = kernel("cpu", "max_pool")(x, *windows, ones, False)
                mean = kernel("cpu", "avg_pool")(x, *windows, False, True)
                found.append([
                    y, indices, mean,
                    kernel("cpu", "pool_scatter")(y + np.float32(0.1), indices, shape[2:]),
                    kernel("cpu", "avg_pool_backward")(mean, shape[2:], *windows, False, True),
                ])  # fmt: skip
        for one, two in zip(*found, strict=True):
            np.testing.assert_array_equal(one, two)
