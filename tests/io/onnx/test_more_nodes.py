"""Node types and older operator sets that ONNX's node tests leave out, against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv as tc
from tests.gpu import placed

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
helper = onnx.helper

KINDS = {np.dtype("float32"): 1, np.dtype("int64"): 7, np.dtype("bool"): 9, np.dtype("int32"): 6}


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


def model_of(op, inputs, opset, outputs, attributes):
    """One node; inputs after the first are initializers, as exporters write them."""
    names = [f"x{i}" if x is not None else "" for i, x in enumerate(inputs)]
    results = [f"y{i}" for i in range(outputs)]
    node = helper.make_node(op, names, results, **attributes)
    first = helper.make_tensor_value_info("x0", KINDS[inputs[0].dtype], inputs[0].shape)
    rest = [
        onnx.numpy_helper.from_array(x, name)
        for name, x in zip(names[1:], inputs[1:], strict=True)
        if x is not None
    ]
    ends = [helper.make_empty_tensor_value_info(name) for name in results]
    graph = helper.make_graph([node], "one", [first], ends, rest)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return model.SerializeToString()


IMAGE = numbers(2, 4, 6, 5)
VECTOR = np.abs(numbers(4, seed=1)) + 0.5

CASES = [
    ("GlobalLpPool", [IMAGE], 17, {"p": 3}),
    ("GlobalLpPool", [IMAGE], 17, {}),
    ("Clip", [IMAGE], 7, {"min": -0.5, "max": 0.25}),
    ("Clip", [IMAGE], 7, {"max": 0.25}),
    ("Clip", [IMAGE, None, np.float32(0.25)], 13, {}),
    ("Softmax", [IMAGE], 11, {}),
    ("Softmax", [IMAGE], 11, {"axis": 2}),
    ("LogSoftmax", [IMAGE], 12, {"axis": -1}),
    ("Hardmax", [IMAGE], 11, {"axis": 1}),
    ("Squeeze", [numbers(1, 3, 1)], 11, {"axes": [0]}),
    ("Squeeze", [numbers(1, 3, 1)], 11, {}),
    ("Unsqueeze", [IMAGE], 11, {"axes": [0, 5]}),
    ("Split", [IMAGE], 11, {"axis": 2, "split": [1, 2, 3], "outputs": 3}),
    ("Split", [IMAGE], 11, {"axis": 1, "outputs": 2}),
    ("Split", [IMAGE, ints(2, 2)], 13, {"axis": 1, "outputs": 2}),
    ("Pad", [IMAGE], 10, {"pads": [0, 0, 1, 2, 0, 0, 3, 0], "value": 1.5}),
    ("Pad", [IMAGE], 10, {"pads": [0, 0, 1, 2, 0, 0, 3, 0], "mode": "reflect"}),
    ("Pad", [IMAGE], 10, {"pads": [0, 0, -1, 2, 0, 0, 3, -2], "mode": "constant"}),
    ("Slice", [IMAGE], 9, {"starts": [1, -3], "ends": [100, -1], "axes": [0, 3]}),
    ("Slice", [IMAGE], 9, {"starts": [1, 0], "ends": [2, 3]}),
    ("Slice", [IMAGE, ints(-1), ints(-(10**9)), ints(2), ints(-2)], 13, {}),
    ("ReduceSum", [IMAGE], 11, {"axes": [1, -1], "keepdims": 0}),
    ("ReduceMean", [IMAGE], 17, {"axes": [2, 3]}),
    ("ReduceMax", [IMAGE], 13, {}),
    ("ReduceL2", [IMAGE], 13, {"axes": [1]}),
    ("ReduceLogSumExp", [IMAGE], 13, {"axes": [0], "keepdims": 0}),
    ("TopK", [IMAGE], 9, {"k": 2, "outputs": 2}),
    ("TopK", [IMAGE, ints(3)], 11, {"axis": 1, "largest": 0, "outputs": 2}),
    ("Dropout", [IMAGE], 7, {"ratio": 0.5}),
    ("Dropout", [IMAGE, np.float32(0.5)], 13, {}),
    ("BatchNormalization", [IMAGE, VECTOR, VECTOR * 2, VECTOR - 1, VECTOR], 9, {"epsilon": 0.01}),
    ("BatchNormalization", [IMAGE, VECTOR, VECTOR * 2, VECTOR - 1, VECTOR], 15, {}),
    ("Upsample", [IMAGE], 7, {"scales": [1.0, 1.0, 2.0, 1.5], "mode": "nearest"}),
    ("Upsample", [IMAGE, np.float32([1, 1, 2, 3])], 9, {"mode": "linear"}),
    ("Resize", [IMAGE, np.float32([1, 1, 2, 3])], 10, {"mode": "nearest"}),
    ("Resize", [IMAGE, np.float32([1, 1, 2, 3])], 10, {"mode": "linear"}),
    ("Resize", [IMAGE, np.float32([]), np.float32([1, 1, 2, 2])], 11, {"mode": "linear"}),
    ("Resize", [IMAGE, None, None, ints(2, 4, 9, 13)], 13, {"mode": "cubic"}),
    ("Conv", [IMAGE, numbers(6, 2, 3, 2)], 11, {"group": 2, "pads": [1, 0, 2, 1], "strides": [2, 1]}),
    ("Conv", [IMAGE, numbers(3, 4, 3, 2), numbers(3)], 11, {"auto_pad": "SAME_LOWER", "strides": [2, 1]}),
    ("Conv", [numbers(2, 4, 9), numbers(3, 4, 3), numbers(3)], 11, {"dilations": [2], "pads": [2, 2]}),
    ("ConvTranspose", [IMAGE, numbers(4, 3, 3, 2)], 11, {"pads": [1, 0, 2, 1], "strides": [2, 2]}),
    ("ConvTranspose", [IMAGE, numbers(4, 3, 3, 2), numbers(6)], 11, {"group": 2, "strides": [2, 2]}),
    (
        "ConvTranspose",
        [IMAGE, numbers(4, 3, 3, 3), numbers(3)],
        11,
        {"strides": [2, 3], "output_padding": [1, 2], "pads": [1, 1, 1, 1]},
    ),
    ("MaxPool", [IMAGE], 12, {"kernel_shape": [3, 2], "pads": [1, 0, 2, 1], "strides": [2, 2], "outputs": 2}),
    ("MaxPool", [IMAGE], 12, {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [2, 2], "outputs": 2}),
    ("MaxPool", [IMAGE], 12, {"kernel_shape": [2, 2], "ceil_mode": 1, "strides": [2, 2], "outputs": 2}),
    ("MaxPool", [IMAGE], 12, {"kernel_shape": [2, 2], "storage_order": 1, "outputs": 2}),
    ("AveragePool", [IMAGE], 11, {"kernel_shape": [3, 2], "pads": [1, 0, 2, 1], "strides": [2, 2]}),
    ("AveragePool", [IMAGE], 11, {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    ("LpPool", [IMAGE], 11, {"kernel_shape": [3, 2], "pads": [1, 0, 2, 1], "p": 3}),
    ("Gemm", [numbers(3, 4), numbers(5, 4), numbers(5)], 13, {"transB": 1}),
    ("Gemm", [numbers(3, 4), numbers(4, 5), numbers(3, 1)], 13, {"alpha": 0.5, "beta": 2.0}),
    ("LRN", [IMAGE], 13, {"size": 3, "alpha": 0.3, "beta": 0.6, "bias": 1.5}),
    ("CumSum", [IMAGE, np.int64(-2)], 14, {"exclusive": 1, "reverse": 1}),
    ("Scatter", [numbers(3, 3), ints(0, 2).reshape(1, 2), numbers(1, 2)], 9, {"axis": 1}),
    ("Flatten", [IMAGE], 13, {"axis": -1}),
    ("Mod", [numbers(4, 5), VECTOR.reshape(4, 1)], 13, {"fmod": 1}),
    ("Shape", [IMAGE], 15, {"start": -3, "end": -1}),
]


@pytest.mark.parametrize(
    ("op", "inputs", "opset", "options"), CASES, ids=[f"{case[0]}-{case[2]}" for case in CASES]
)
def test_as_onnxruntime_has_it(op, inputs, opset, options):
    attributes = {name: value for name, value in options.items() if name != "outputs"}
    content = model_of(op, inputs, opset, options.get("outputs", 1), attributes)
    expected = runtime.InferenceSession(content).run(None, {"x0": inputs[0]})
    outputs = placed(tc.io.onnx.load(content))(tc.tensor(inputs[0]))
    outputs = outputs if len(expected) > 1 else (outputs,)
    for output, wanted in zip(outputs, expected, strict=True):
        assert output.dtype == wanted.dtype
        np.testing.assert_allclose(output.detach().numpy(), wanted, rtol=2e-5, atol=2e-6)


def test_nodes_on_sequences():
    info = helper.make_tensor_value_info
    nodes = [
        helper.make_node("SequenceConstruct", ["a", "b", "a"], ["three"]),
        helper.make_node("SequenceErase", ["three", "one"], ["two"]),
        helper.make_node("ConcatFromSequence", ["two"], ["joined"], axis=1),
        helper.make_node("ConcatFromSequence", ["two"], ["stacked"], axis=0, new_axis=1),
    ]
    one = onnx.numpy_helper.from_array(np.int64(1), "one")
    inputs = [info("a", 1, [2, 3]), info("b", 1, [2, 3])]
    outputs = [info("joined", 1, [2, 6]), info("stacked", 1, [2, 2, 3])]
    graph = helper.make_graph(nodes, "sequences", inputs, outputs, [one])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content, a, b = model.SerializeToString(), numbers(2, 3), numbers(2, 3, seed=1)
    expected = runtime.InferenceSession(content).run(None, {"a": a, "b": b})
    model = placed(tc.io.onnx.load(content))
    for output, wanted in zip(model(tc.tensor(a), tc.tensor(b)), expected, strict=True):
        np.testing.assert_array_equal(output.numpy(), wanted)
