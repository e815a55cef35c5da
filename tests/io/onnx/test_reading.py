"""Reading ONNX files: what is made of them, and what is refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyconv as tc
from tests.gpu import placed
from tinyconv.errors import (
    ArgumentError,
    CheckpointError,
    DtypeError,
    PackageError,
    ShapeError,
    TinyconvError,
    UnsupportedError,
)

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
        model = placed(tc.io.onnx.load(source))
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
    with pytest.raises(
        UnsupportedError, match=r"unknown node types is Reluu, my\.own\.Nothing.*nearest: Relu"
    ):
        tc.io.onnx.load(model.SerializeToString())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"none\.onnx.*No such file"):
        tc.io.onnx.load(tmp_path / "none.onnx")


def conv_model(**attributes):
    """Has an initializer, an attribute and two nodes: enough to be damaged in many ways."""
    weight = onnx.numpy_helper.from_array(np.arange(8, dtype=np.float32).reshape(2, 1, 2, 2), "w")
    attributes = {"strides": [1, 2], **attributes}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], **attributes),
        helper.make_node("Relu", ["a"], ["y"]),
    ]
    ends = [tensor_info("x", ["N", 1, 4, 4])], [tensor_info("y", ["N", 2, 3, 2])]
    return model_of(nodes, *ends, [weight])


def load_and_run(content):
    """What a damaged file may do: work, or raise one of tinyconv's errors."""
    try:
        tc.io.onnx.load(content)(tc.ones(1, 1, 4, 4))
    except TinyconvError as error:
        assert str(error)
        return False
    return True


def test_a_file_cut_anywhere_is_refused():
    content = conv_model().SerializeToString()
    assert load_and_run(content)
    end_of_graph = len(content) - len(conv_model().opset_import[0].SerializeToString()) - 2
    for length in range(end_of_graph + 1):
        assert not load_and_run(content[:length])


def test_a_flipped_bit_ends_in_no_other_error():
    content = conv_model().SerializeToString()
    worked = 0
    for place in range(len(content)):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            worked += load_and_run(bytes(damaged))
    assert 0 < worked < 4 * len(content)


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_model_are_refused(content):
    assert not load_and_run(content)


def with_change(change):
    model = conv_model()
    change(model)
    return model.SerializeToString()


def shift_node(model):
    model.graph.node.append(model.graph.node[0])
    del model.graph.node[0]


WRONG = [
    (lambda m: m.graph.node[1].input.append("a"), CheckpointError, r"inputs of the Relu.*2, expected 1 to 1"),
    (lambda m: m.graph.node[0].input.pop(), CheckpointError, r"inputs of the Conv.*1, expected 2 to 3"),
    (lambda m: m.graph.node[0].input.__setitem__(1, "v"), CheckpointError, r"\['v'\].*before they are used"),
    (shift_node, CheckpointError, r"\['a'\].*before they are used"),
    (lambda m: m.graph.node[1].output.__setitem__(0, "a"), CheckpointError, r"\['a'\], expected new names"),
    (lambda m: m.graph.output[0].__setattr__("name", "z"), CheckpointError, r"output is \['z'\]"),
    (lambda m: m.graph.ClearField("output"), CheckpointError, "without outputs"),
    (lambda m: m.ClearField("graph"), CheckpointError, "without a graph"),
    (lambda m: m.ClearField("opset_import"), CheckpointError, "operator sets is \\[\\]"),
    (lambda m: m.opset_import[0].__setattr__("version", 99), UnsupportedError, "operator set is 99"),
    (lambda m: m.opset_import[0].__setattr__("version", 5), UnsupportedError, "operator set is 5"),
    (lambda m: m.graph.node[0].attribute[0].__setattr__("name", "stridez"), CheckpointError, "stridez"),
    (lambda m: m.graph.node[0].attribute[0].__setattr__("type", 1), DtypeError, "strides"),
    (lambda m: m.graph.node[0].attribute[0].ints.append(1), ArgumentError, r"strides is \(1, 2, 1\)"),
    (lambda m: m.graph.initializer[0].dims.__setitem__(0, 3), CheckpointError, "tensor 'w' is damaged"),
    (lambda m: m.graph.initializer[0].dims.__setitem__(0, -2), CheckpointError, r"\(-2, 1, 2, 2\)"),
    (lambda m: m.graph.initializer[0].__setattr__("data_type", 10), UnsupportedError, "FLOAT16"),
    (lambda m: m.graph.initializer[0].__setattr__("data_type", 8), UnsupportedError, "STRING"),
    (lambda m: m.graph.sparse_initializer.add(), UnsupportedError, "sparse"),
]


@pytest.mark.parametrize(("change", "error", "message"), WRONG, ids=[message for *_, message in WRONG])
def test_what_is_wrong_with_a_file_is_said(change, error, message):
    with pytest.raises(error, match=message):
        tc.io.onnx.load(with_change(change))(tc.ones(1, 1, 4, 4))


def test_an_error_in_a_node_names_the_node():
    content = conv_model(dilations=[9, 9]).SerializeToString()
    with pytest.raises(ShapeError) as caught:
        tc.io.onnx.load(content)(tc.ones(1, 1, 4, 4))
    assert caught.value.__notes__ == ["in the Conv node that makes ('a',)"]


@pytest.mark.parametrize("source", [3, None, ["a"]])
def test_what_is_no_path_is_refused(source):
    with pytest.raises(DtypeError, match="path_or_bytes"):
        tc.io.onnx.load(source)


def external(folder, location):
    """The model with its weight in a file beside it, said to be at `location`."""
    onnx.save(conv_model(), folder / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    model = onnx.load(folder / "m.onnx", load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = location
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    return folder / "m.onnx"


def test_weights_in_a_file_beside_the_model_are_read(tmp_path):
    model = placed(tc.io.onnx.load(external(tmp_path, "w.bin")))
    assert model.state_dict()["w"].reshape(8).tolist() == list(range(8))


@pytest.mark.parametrize("location", ["../w.bin", "/w.bin", "sub/w.bin", "..", "", "a\\w.bin", "none.bin"])
def test_no_other_file_is_read(tmp_path, location):
    (tmp_path / "inside").mkdir()
    (tmp_path / "w.bin").write_bytes(bytes(32))
    with pytest.raises(CheckpointError, match="tensor 'w' is in"):
        tc.io.onnx.load(external(tmp_path / "inside", location))


def test_no_link_is_followed_and_no_short_file_accepted(tmp_path):
    path = external(tmp_path, "w.bin")
    whole = (tmp_path / "w.bin").read_bytes()
    (tmp_path / "w.bin").write_bytes(whole[:-1])
    with pytest.raises(CheckpointError, match="tensor 'w' is 31 bytes long"):
        tc.io.onnx.load(path)
    (tmp_path / "w.bin").rename(tmp_path / "other.bin")
    (tmp_path / "w.bin").symlink_to(tmp_path / "other.bin")
    with pytest.raises(CheckpointError, match="no link"):
        tc.io.onnx.load(path)
    with pytest.raises(CheckpointError, match=r"in another file, .*expected a model given by its path"):
        tc.io.onnx.load(path.read_bytes())
