"""Matrix products of CUDA graphs: CuPy refuses cuBLAS there, and the kernels of convolution multiply."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyconv as tc
from tests.capture.steps import batches, mlp
from tinyconv.cuda.graphs import for_a_graph, is_for_a_graph
from tinyconv.device import matmul_precision
from tinyconv.kernels.cuda import fused, matmul
from tinyconv.kernels.reference import fused as reference_fused
from tinyconv.kernels.reference import matmul as reference
from tinyconv.kernels.reference.elementwise import rounded

Array = Any
ROUNDING = {"float32": 2.0**-24, "float64": 2.0**-53}

SHAPES = {
    "matrices": ((9, 7), (7, 40)),
    "a vector on the left": ((7,), (7, 5)),
    "a vector on the right": ((3, 5, 7), (7,)),
    "rows in a stack": ((2, 3, 7), (7, 5)),
    "stacks": ((3, 4, 6), (3, 6, 20)),
    "stacks that broadcast": ((2, 1, 4, 3), (5, 3, 2)),
    "one number": ((1, 9), (9, 1)),
}


def drawn(shape: tuple[int, ...], seed: int, dtype: Any) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def assert_is_the_product(found: Array, a: Array, b: Array) -> None:
    """Sums of n products, in whatever order, are wrong by less than n roundings; tensor cores cut off."""
    unit = ROUNDING[found.dtype.name]
    a, b = a.astype(np.float64), b.astype(np.float64)
    limit = 2.2 * (a.shape[-1] + 2) * unit * (abs(a) @ abs(b))
    assert found.shape == (a @ b).shape and (abs(found.get() - a @ b) <= limit).all()


@pytest.fixture
def recording(cuda: Any) -> Any:
    """Kernels called in a stream that is being recorded; what they return, after a launch of the graph."""

    def results(kernels: Any) -> Any:
        with for_a_graph():
            kernels()  # so that they are compiled
            pool = cuda.cuda.MemoryPool()
            with cuda.cuda.using_allocator(pool.malloc), cuda.cuda.Stream(non_blocking=True) as stream:
                stream.begin_capture()
                try:
                    found = kernels()
                finally:
                    graph = stream.end_capture()
                graph.launch()
                stream.synchronize()
        return found

    return results


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("numbers", ["float32", "float64", "bfloat16"])
def test_products(cuda: Any, recording: Any, name: str, numbers: str) -> None:
    dtype = "float64" if numbers == "float64" else "float32"
    a, b = (drawn(shape, seed, dtype) for seed, shape in enumerate(SHAPES[name]))
    on_card = cuda.asarray(a), cuda.asarray(b)
    with matmul_precision("float32" if numbers == "float64" else numbers):
        found = recording(lambda: matmul.matmul(*on_card))
    assert found.dtype == dtype and found.flags.c_contiguous
    assert_is_the_product(found, rounded(a, numbers), rounded(b, numbers))


def test_products_of_views(cuda: Any, recording: Any) -> None:
    """Of the transposed left matrix the sum goes down the rows, as in the gradient of a weight."""
    left, right = drawn((300, 6), 0, "float32"), drawn((300, 5), 1, "float32")
    a, b = cuda.asarray(left), cuda.asarray(right)
    assert_is_the_product(recording(lambda: matmul.matmul(a.T, b)), left.T, right)
    assert_is_the_product(recording(lambda: matmul.matmul(a[::2].T, b[1::2])), left[::2].T, right[1::2])


@pytest.mark.parametrize("shapes", [((0, 4), (4, 2)), ((3, 0), (0, 2)), ((2, 0, 3), (3, 2))])
def test_nothing_to_multiply(cuda: Any, recording: Any, shapes: Any) -> None:
    a, b = (cuda.ones(shape, "float32") for shape in shapes)
    found = recording(lambda: matmul.matmul(a, b))
    assert found.shape == (np.ones(shapes[0]) @ np.ones(shapes[1])).shape and not found.get().any()


def test_integers_are_multiplied_by_cupy(cuda: Any, recording: Any) -> None:
    a = cuda.asarray(np.arange(6).reshape(2, 3))
    assert recording(lambda: matmul.matmul(a, a.T)).tolist() == [[5, 14], [14, 50]]


def test_a_layer_and_its_gradients(cuda: Any, recording: Any) -> None:
    x, weight = drawn((5, 12), 0, "float64"), drawn((40, 12), 1, "float64")
    bias, grad = drawn((40,), 2, "float64"), drawn((5, 40), 3, "float64")
    host = x, weight, bias
    arrays = [cuda.asarray(array) for array in host]
    on_card = cuda.asarray(grad)
    y = recording(lambda: fused.linear_activation(*arrays, "leaky_relu", (0.1,)))
    right = reference_fused.linear_activation(*host, "leaky_relu", (0.1,))
    np.testing.assert_allclose(y.get(), right, rtol=0, atol=1e-13)
    found = recording(lambda: matmul.linear_gradients(on_card, *arrays[:2], (True, True, True)))
    for one, other in zip(found, reference.linear_gradients(grad, x, weight, (True,) * 3), strict=True):
        np.testing.assert_allclose(one.get(), other, rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    "equation",
    ["ij,jk->ik", "bij,bjk->kbi", "bi,bi->b", "i,j->ij", "ij,jk,kl->li", "ab,ab->", "bn,anm,bm->ba"],
)
def test_einsum(cuda: Any, recording: Any, equation: str) -> None:
    terms, _, out = equation.partition("->")
    labels = tuple(tuple(map(ord, term)) for term in terms.split(","))
    sizes = {name: 2 + place for place, name in enumerate(sorted(set(terms) - {","}))}
    host = [drawn(tuple(sizes[chr(i)] for i in names), seed, "float64") for seed, names in enumerate(labels)]
    arrays = [cuda.asarray(array) for array in host]
    found = recording(lambda: matmul.einsum(arrays, labels, tuple(map(ord, out))))
    np.testing.assert_allclose(found.get(), np.einsum(equation, *host), rtol=0, atol=1e-12)


def losses_of_training(captured: bool) -> tuple[list[float], Any]:
    """The losses, and the function of a step."""
    tc.manual_seed(3)
    model = mlp().to("cuda")
    optimizer = tc.optim.SGD(model.parameters(), lr=0.05)

    def step(x: tc.Tensor, y: tc.Tensor) -> tc.Tensor:
        optimizer.zero_grad()
        loss = tc.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run: Any = tc.compile(step, fullgraph=True) if captured else step
    return [run(x.to("cuda"), y.to("cuda")).item() for x, y in batches("mlp", 7)], run


def test_a_captured_step_with_dense_layers_is_a_graph(cuda: Any) -> None:
    """The losses are those of cuBLAS but for the order in which products are added up."""
    eager, _ = losses_of_training(captured=False)
    found, step = losses_of_training(captured=True)
    np.testing.assert_allclose(found, eager, rtol=1e-5)
    plans = [plan for plans in step._plans.values() for plan in plans if plan.code]
    segments = [segment for plan in plans for segment in plan.code.segments.values()]
    assert segments and all(segment.reason is None and segment._graph for segment in segments)


def test_the_block_ends_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), for_a_graph(), for_a_graph():
        assert is_for_a_graph()
        1 / 0  # noqa: B018
    assert not is_for_a_graph()
