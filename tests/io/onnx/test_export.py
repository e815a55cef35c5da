"""Exporting models: names, several inputs and outputs, sizes that vary, the model's state, wrong calls."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.gpu import placed
from tests.io.onnx.exported import Applied, arrays_of, assert_same, check, export, kinds, onnx, random
from tinyconv import models, nn
from tinyconv.errors import (
    ArgumentError,
    DtypeError,
    GraphError,
    PackageError,
    ShapeError,
    StorageError,
    TinyconvError,
    UnsupportedError,
)
from tinyconv.tensor import Tensor


class TwoHeads(nn.Module):
    """Two inputs, two outputs, and one layer that both use."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Linear(4, 3)
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(3, 2))

    def forward(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        a, b = self.shared(left), self.shared(right)
        return self.head(a), a * b


def sizes(info: Any) -> list[Any]:
    """The sizes of an input or output, names where they vary."""
    return [d.dim_param or d.dim_value for d in info.type.tensor_type.shape.dim]


def convnet() -> nn.Module:
    """A small network of everyday layers."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.5),
        nn.Flatten(), nn.Linear(128, 4),
    )  # fmt: skip


def test_a_convnet_becomes_the_nodes_that_engineers_expect(tmp_path: Path) -> None:
    model = convnet()
    graph = check(model, [random(2, 3, 8, 8)], tmp_path, [[random(7, 3, 8, 8)]])
    assert kinds(graph) == ["Conv", "BatchNormalization", "Relu", "MaxPool", "Flatten", "Gemm"]
    assert [node.name for node in graph.node][:2] == ["0/Conv", "1/BatchNormalization"]
    state = {name for name in model.state_dict() if not name.endswith("num_batches_tracked")}
    assert {x.name for x in graph.initializer} == state
    assert sizes(graph.input[0]) == ["batch", 3, 8, 8]
    assert sizes(graph.output[0]) == ["batch", 4]
    assert (graph.input[0].name, graph.output[0].name, graph.name) == ("input", "output", "Sequential")


def test_the_file_says_who_made_it(tmp_path: Path) -> None:
    proto = onnx.load(export(nn.ReLU(), [random(2)], tmp_path, opset_version=22))
    assert (proto.producer_name, proto.producer_version) == ("tinyconv", tc.__version__)
    assert "ReLU" in proto.doc_string
    assert [(o.domain, o.version) for o in proto.opset_import] == [("", 22)]


def test_several_inputs_and_outputs_and_a_shared_layer(tmp_path: Path) -> None:
    inputs = [random(2, 4), random(2, 4, seed=1)]
    graph = check(TwoHeads(), inputs, tmp_path, [[random(3, 4), random(3, 4, seed=1)]])
    assert [x.name for x in graph.input] == ["left", "right"]
    assert [x.name for x in graph.output] == ["output_0", "output_1"]
    assert sorted(x.name for x in graph.initializer) == [
        "head.1.bias", "head.1.weight", "shared.bias", "shared.weight",
    ]  # fmt: skip
    names = {"input_names": ["a", "b"], "output_names": ["scores", "products"]}
    graph = check(TwoHeads(), inputs, tmp_path, **names)
    assert [x.name for x in (*graph.input, *graph.output)] == ["a", "b", "scores", "products"]


def test_a_layer_that_stands_in_two_places_is_stored_once(tmp_path: Path) -> None:
    layer = nn.Linear(3, 3)
    graph = check(nn.Sequential(layer, nn.Tanh(), layer), [random(2, 3)], tmp_path)
    assert len(graph.initializer) == 2


def test_outputs_in_a_dict_keep_their_names(tmp_path: Path) -> None:
    graph = check(Applied(lambda x: {"mask": x * 2, "edge": x + 1}), [random(2)], tmp_path)
    assert [x.name for x in graph.output] == ["mask", "edge"]


def test_the_u_net_of_the_slides_at_other_batches_and_image_sizes(tmp_path: Path) -> None:
    model = models.create("unet_slides")
    axes = {"input": {0: "batch", 2: "height", 3: "width"}}
    example, others = random(1, 3, 16, 16), [[random(3, 3, 32, 48)], [random(2, 3, 80, 16)]]
    graph = check(model, [example], tmp_path, others, input_names=["input"], dynamic_axes=axes)
    assert sizes(graph.input[0]) == ["batch", 3, "height", "width"]
    assert sizes(graph.output[0]) == ["batch", 1, "height", "width"]
    assert set(kinds(graph)) == {"Conv", "Elu", "MaxPool", "ConvTranspose", "Concat", "Sigmoid"}


def test_sizes_of_images_are_computed_in_the_graph(tmp_path: Path) -> None:
    def forward(x: Tensor) -> Tensor:
        small = F.avg_pool2d(x, 2)
        tokens = small.flatten(2).permute(0, 2, 1)
        image = tokens.permute(0, 2, 1).reshape(x.shape[0], 2, x.shape[2] // 2, x.shape[3] // 2)
        return (
            F.interpolate(image, size=x.shape[2:], mode="bilinear")
            + F.pixel_unshuffle(x, 2).mean() / x.shape[2]
        )

    axes = {"input": [0, 2, 3]}
    check(Applied(forward), [random(1, 2, 4, 8)], tmp_path, [[random(3, 2, 10, 6)]], dynamic_axes=axes)


def test_axes_that_are_asked_for_must_be_possible(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    with pytest.raises(ShapeError, match="linear"):
        export(model, [random(2, 3, 4)], tmp_path, dynamic_axes={"input": {1: "channels"}})
    odd = Applied(lambda x: x[: x.shape[0] // 2 + 1])
    with pytest.raises(
        UnsupportedError, match="index, called by Applied is called with a size that is 2 or 2 or 4"
    ):
        export(odd, [random(2, 3)], tmp_path, dynamic_axes={"input": {0: "n"}}, input_names=["input"])
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_vary_is_fixed_by_default(tmp_path: Path) -> None:
    graph = check(Applied(lambda x: x[: x.shape[0] // 2 + 1]), [random(2, 3)], tmp_path)
    assert sizes(graph.input[0]) == [2, 3]
    graph = check(nn.Conv2d(3, 4, 3), [random(3, 8, 8)], tmp_path)
    assert sizes(graph.input[0]) == [3, 8, 8]
    graph = check(nn.ReLU(), [random(2, 3)], tmp_path, dynamic_axes={})
    assert sizes(graph.input[0]) == [2, 3]


def test_a_model_may_refuse_other_sizes_and_values_in_its_own_way(tmp_path: Path) -> None:
    class Picky(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            if x.shape[0] != 2 or x.data.numpy().min() < 0:
                raise KeyError("two images of numbers >= 0")
            return x * 2

    graph = check(Picky(), [random(2, 3).abs()], tmp_path)
    assert sizes(graph.input[0]) == [2, 3]
    with pytest.raises(KeyError, match="two images"):
        export(Picky(), [random(2, 3).abs()], tmp_path, dynamic_axes={"x": {0: "batch"}})


def test_float64_stays_float64(tmp_path: Path) -> None:
    model = nn.Sequential(
        nn.Linear(4, 8), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 2), nn.Softmax(1)
    ).double()
    check(model, [random(3, 4, dtype=np.float64)], tmp_path)
    evaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator
    model, x = convnet().double(), random(2, 3, 8, 8, dtype=np.float64)
    proto = onnx.load(export(model, [x], tmp_path))  # onnxruntime convolves in float32 alone
    expected = arrays_of(model.eval()(x))[0]
    found = evaluator(proto).run(None, {"input": x.numpy()})[0]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_the_model_is_left_as_it_was(tmp_path: Path) -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", tc.zeros(1))
            self.layers = convnet()

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            return self.layers(x)

    model = Counting()
    model.layers[1].eval()
    modes = [module.training for module in model.modules()]
    before = {name: tensor.numpy().copy() for name, tensor in model.state_dict().items()}
    x = random(2, 3, 8, 8)
    kept = x.numpy().copy()
    path = export(model, [x], tmp_path)
    assert [module.training for module in model.modules()] == modes
    assert modes.count(False) == 1
    for name, tensor in model.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), before[name])
    np.testing.assert_array_equal(x.numpy(), kept)
    assert_same(model, path, [x])
    assert all(parameter.grad is None for parameter in model.parameters())


def test_numbers_that_depend_on_values_are_refused(tmp_path: Path) -> None:
    for function in (
        lambda x: x * Tensor((x.data.numpy() > 0).astype(np.float32)),
        lambda x: x * float(x.sum()),
        lambda x: x * x.numpy(),
        lambda x: x if x.sum() > 0 else x.exp(),
        lambda x: (x.exp(), x)[int(x.sum() > 0)],
        lambda x: x[x > 0],
        lambda x: tc.nonzero(x),
        lambda x: x * tc.rand(3),
        lambda x: F.dropout(x),
        lambda x: tc.std_mean(x)[0],
    ):
        with pytest.raises(UnsupportedError, match=r"export: "):
            export(Applied(function), [tc.ones(2, 3)], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_op_that_onnx_lacks_is_named_with_its_layer(tmp_path: Path) -> None:
    model = nn.Sequential(nn.ReLU(), nn.Sequential(Applied(lambda x: tc.isclose(x, x * 2))))
    with pytest.raises(UnsupportedError, match=r"using isclose, called by 1\.0 \(Applied\)"):
        export(model, [random(2, 3)], tmp_path)


def test_changes_of_a_view_are_refused(tmp_path: Path) -> None:
    def part(x: Tensor) -> Tensor:
        y = x.clone()
        y[0] = 1.0
        return y

    def view(x: Tensor) -> Tensor:
        y = x.clone()
        y[0].add_(1)
        return y

    with pytest.raises(UnsupportedError, match="assignment to a part of a tensor"):
        export(Applied(part), [random(2, 3)], tmp_path)
    with pytest.raises(GraphError, match="changed through another"):
        export(Applied(view), [random(2, 3)], tmp_path)


X = [random(2, 3)]
WRONG: dict[str, tuple[dict[str, Any], type[TinyconvError], str]] = {
    "model": ({"model": lambda x: x}, DtypeError, "model is a function, expected a Module"),
    "no inputs": ({"example_inputs": []}, ArgumentError, "example_inputs is empty"),
    "an array": ({"example_inputs": np.zeros(3)}, DtypeError, "example_inputs is a ndarray"),
    "too few inputs": ({"model": nn.Bilinear(3, 3, 2)}, TypeError, "input2"),
    "wrong input": ({"model": nn.Conv2d(3, 4, 3)}, ShapeError, "conv2d: input"),
    "path": ({"path": 3}, DtypeError, "path is 3"),
    "no folder": ({"path": "nowhere/at/all/model.onnx"}, StorageError, "a file in a folder that exists"),
    "a folder": ({"path": "."}, StorageError, "not written"),
    "old opset": ({"opset_version": 9}, ArgumentError, "opset_version is 9, expected an int from 21 to"),
    "new opset": ({"opset_version": 999}, ArgumentError, "opset_version is 999"),
    "opset": ({"opset_version": "21"}, ArgumentError, "opset_version is '21'"),
    "names": ({"input_names": ["a", "b"]}, ArgumentError, "input_names is .* expected 1 different names"),
    "a name twice": (
        {"input_names": ["a"], "output_names": ["a"]},
        ArgumentError,
        "a name that no input has",
    ),
    "axes": ({"dynamic_axes": [0]}, ArgumentError, "dynamic_axes is a list"),
    "an axis": ({"dynamic_axes": {"input": {2: "n"}}}, ArgumentError, "axes of an input of shape"),
    "an unknown name": ({"dynamic_axes": {"inputs": {0: "n"}}}, ArgumentError, "one of 'input', 'output'"),
    "output": ({"model": Applied(lambda x: 3)}, DtypeError, "what the model returns is a int"),
    "no output": ({"model": Applied(lambda x: ())}, DtypeError, "what the model returns is empty"),
    "an array as output": ({"model": Applied(lambda x: x.numpy())}, DtypeError, "returns is a ndarray"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_call_explains_itself_and_writes_nothing(name: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    given, kind, message = WRONG[name]
    arguments = {"model": nn.ReLU(), "example_inputs": X, "path": tmp_path / "model.onnx", **given}
    with pytest.raises(kind, match=message):
        tc.io.onnx.export(**arguments)
    assert list(tmp_path.iterdir()) == []


def test_without_the_package_the_message_says_how_to_install_it(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(PackageError, match=r'pip install "tinyconv\[onnx\]"'):
        export(nn.ReLU(), X, tmp_path)


def test_import_needs_no_onnx() -> None:
    code = "import sys, tinyconv; tinyconv.io.onnx.export; print('onnx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False"]


def test_a_profiler_goes_on_after_an_export(tmp_path: Path) -> None:
    events: list[str] = []

    def profiler(frame: Any, event: str, _: Any) -> None:
        events.append(event)

    sys.setprofile(profiler)
    try:
        export(nn.ReLU(), X, tmp_path)
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)
    assert events


@pytest.mark.parametrize("model", [convnet(), TwoHeads()], ids=["convnet", "two heads"])
def test_what_was_exported_can_be_loaded(model: nn.Module, tmp_path: Path) -> None:
    shapes = [(2, 4), (2, 4)] if isinstance(model, TwoHeads) else [(2, 3, 8, 8)]
    inputs = [random(*shape) for shape in shapes]
    again = placed(tc.io.onnx.load(export(model, inputs, tmp_path))).eval()
    for ours, theirs in zip(arrays_of(model.eval()(*inputs)), arrays_of(again(*inputs)), strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-5, atol=1e-6)
