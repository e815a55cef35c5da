"""Reading ONNX files: what is made of them, and what is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tinyconv as tc
from tinyconv.errors import CheckpointError, PackageError, UnsupportedError

onnx = pytest.importorskip("onnx")
helper = onnx.helper
FLOAT = onnx.TensorProto.FLOAT


def tensor_info(name, shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(nodes, inputs, outputs, initializers=(), opset=17):
    graph = helper.make_graph(nodes, "a graph", inputs, outputs, list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def relu_model():
    node = helper.make_node("Relu", ["x"], ["y"], name="first")
    return model_of([node], [tensor_info("x", ["N", 2])], [tensor_info("y", ["N", 2])])


def test_a_file_and_its_bytes_make_the_same_model(tmp_path):
    onnx.save(relu_model(), tmp_path / "relu.onnx")
    for source in (tmp_path / "relu.onnx", str(tmp_path / "relu.onnx"), relu_model().SerializeToString()):
        model = tc.io.onnx.load(source)
        assert model(tc.tensor([[1.0, -2.0]])).tolist() == [[1.0, 0.0]]
        assert model.input_names == ("x",)
        assert model.output_names == ("y",)
        assert model.opset == 17


def test_import_needs_no_onnx():
    code = "import sys, tinyconv; tinyconv.io.onnx.load; print('onnx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False"]


def test_without_the_package_the_message_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(PackageError, match=r'pip install "tinyconv\[onnx\]"'):
        tc.io.onnx.load(b"")


def test_all_unknown_node_types_are_named_at_once():
    nodes = [
        helper.make_node("Reluu", ["x"], ["a"]),
        helper.make_node("Nothing", ["a"], ["y"], domain="my.own"),
    ]
    model = model_of(nodes, [tensor_info("x", [1])], [tensor_info("y", [1])])
    with pytest.raises(UnsupportedError, match=r"Reluu, my\.own\.Nothing.*nearest: Relu"):
        tc.io.onnx.load(model.SerializeToString())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"none\.onnx.*No such file"):
        tc.io.onnx.load(tmp_path / "none.onnx")
