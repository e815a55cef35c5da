"""OnnxModel: a Module like others, with gradients, and inputs that must be what the file declares."""

from __future__ import annotations

import copy
import io
import warnings

import numpy as np
import pytest

import tinyconv as tc
import tinyconv.nn.functional as F
from tests.gpu import placed
from tinyconv import nn, optim
from tinyconv.errors import ArgumentError, DtypeError, ShapeError

onnx = pytest.importorskip("onnx")
helper = onnx.helper
FLOAT, INT64 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64


def info(name, shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def initializer(name, array):
    return onnx.numpy_helper.from_array(np.asarray(array), name)


def loaded(nodes, inputs, outputs, initializers=()):
    graph = helper.make_graph(nodes, "small", inputs, outputs, list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    return placed(tc.io.onnx.load(model.SerializeToString()))


def classifier():
    """A convolution, a normalisation, and a linear layer behind a mean; names as PyTorch gives them."""
    draw = np.random.default_rng(0)
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "body.conv.weight", "body.conv.bias"], ["a"], pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["a", "bn.weight", "bn.bias", "bn.mean", "bn.var"], ["b"]),
        node("Relu", ["b"], ["c"]),
        node("GlobalAveragePool", ["c"], ["d"]),
        node("Flatten", ["d"], ["e"]),
        node("Mul", ["e", "two"], ["f"]),
        node("Gemm", ["f", "fc.weight", "fc.bias"], ["y"], transB=1),
    ]
    shapes = {
        "body.conv.weight": (4, 1, 3, 3),
        "body.conv.bias": (4,),
        "bn.weight": (4,),
        "bn.bias": (4,),
        "bn.mean": (4,),
        "bn.var": (4,),
        "fc.weight": (2, 4),
        "fc.bias": (2,),
        "two": (),
    }
    values = [
        initializer(name, np.abs(draw.standard_normal(shape)).astype(np.float32))
        for name, shape in shapes.items()
    ]
    return loaded(nodes, [info("x", ["N", 1, 8, 8])], [info("y", ["N", 2])], values)


def test_weights_are_parameters_and_the_rest_buffers():
    model = classifier()
    learned = {"body.conv.weight", "body.conv.bias", "bn.weight", "bn.bias", "fc.weight", "fc.bias"}
    assert {name for name, _ in model.named_parameters()} == learned
    assert {name for name, _ in model.named_buffers()} == {"bn.mean", "bn.var", "two"}
    assert set(model.state_dict()) == learned | {"bn.mean", "bn.var", "two"}


def test_gradients_are_those_of_the_same_layers():
    model, x = classifier(), tc.randn(3, 1, 8, 8)
    state = model.state_dict()
    twin = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Linear(4, 2))
    names = ("body.conv.weight", "body.conv.bias", "bn.weight", "bn.bias", "bn.mean", "bn.var")
    for own, name in zip([*twin[0].parameters(), *twin[1].parameters()], names, strict=False):
        own.copy_(state[name].detach()) if not own.requires_grad else own.data.copy_(state[name])
    twin[1].running_mean.copy_(state["bn.mean"])
    twin[1].running_var.copy_(state["bn.var"])
    twin[3].weight.data.copy_(state["fc.weight"])
    twin[3].bias.data.copy_(state["fc.bias"])
    twin.eval()
    pooled = twin[2](twin[1](twin[0](x))).mean((2, 3)) * state["two"]
    expected, y = twin[3](pooled), model(x)
    np.testing.assert_allclose(y.detach().numpy(), expected.detach().numpy(), rtol=1e-5, atol=1e-6)
    (expected * expected).sum().backward()
    (y * y).sum().backward()
    own = dict(model.named_parameters())
    for name, parameter in zip([*names[:4], "fc.weight", "fc.bias"], twin.parameters(), strict=True):
        np.testing.assert_allclose(own[name].grad.numpy(), parameter.grad.numpy(), rtol=1e-4, atol=1e-4)


def test_it_can_be_trained_further():
    model = classifier()
    x = tc.randn(16, 1, 8, 8)
    target = (x.mean((1, 2, 3)) > 0).to(tc.int64)
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    before = model.state_dict()["bn.mean"].clone()
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert model.state_dict()["bn.mean"].tolist() == before.tolist()


def test_a_state_dict_goes_into_another_one():
    model, other, x = classifier(), classifier(), tc.randn(1, 1, 8, 8)
    for parameter in model.parameters():
        parameter.data.fill_(0.5)
    assert other(x).tolist() != model(x).tolist()
    other.load_state_dict(model.state_dict())
    assert other(x).tolist() == model(x).tolist()


def test_in_double_precision_it_takes_doubles():
    model, x = classifier(), tc.randn(2, 1, 8, 8)
    single = model(x).detach().numpy()
    y = model.double()(x.double())
    assert y.dtype == tc.float64
    np.testing.assert_allclose(y.detach().numpy(), single, rtol=1e-5)
    with pytest.raises(DtypeError, match=r"input 'x' is of dtype float32, expected float64"):
        model(x)


def test_gradients_against_differences():
    model = classifier().double()
    x = tc.randn(2, 1, 8, 8, dtype=tc.float64, requires_grad=True)
    assert tc.gradcheck(model, (x,))


def test_names_that_no_module_can_have():
    names = ["training", "a.b", "a", "a.b.c", "forward", ".", "x.parameters", "/layer/weight"]
    nodes, last = [], "x"
    for i, name in enumerate(names):
        nodes.append(helper.make_node("Add", [last, name], [f"sum{i}"]))
        last = f"sum{i}"
    values = [initializer(name, np.float32([i + 1])) for i, name in enumerate(names)]
    model = loaded(nodes, [info("x", [1])], [info(last, [1])], values)
    assert model(tc.zeros(1)).item() == sum(range(1, 9))
    assert len(model.state_dict()) == 8
    assert "/layer/weight" in model.state_dict()


def two_inputs():
    nodes = [helper.make_node("Add", ["a", "b"], ["c"]), helper.make_node("Gather", ["c", "i"], ["d"])]
    inputs = [info("a", ["N", 3]), info("b", ["N", 3]), info("i", [None], INT64)]
    return loaded(nodes, inputs, [info("d", None), info("c", None)])


def test_several_inputs_and_outputs():
    model = two_inputs()
    assert model.input_names == ("a", "b", "i")
    assert model.output_names == ("d", "c")
    d, c = model(tc.ones(2, 3), tc.ones(2, 3), tc.tensor([1]))
    assert (d.shape, c.shape) == ((1, 3), (2, 3))


ONES, PLACE = np.ones((2, 3), np.float32), np.zeros(1, np.int64)


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        ((ONES, ONES), ArgumentError, "number of inputs is 2, expected 3: a, b, i"),
        ((ONES, ONES, PLACE, PLACE), ArgumentError, "number of inputs is 4, expected 3"),
        ((ONES[:, :2], ONES, PLACE), ShapeError, r"input 'a' is of shape \(2, 2\), expected \(N, 3\)"),
        ((ONES[0], ONES, PLACE), ShapeError, r"input 'a' is of shape \(3,\), expected \(N, 3\)"),
        ((ONES, ONES[:1], PLACE), ShapeError, r"input 'b' is of shape \(1, 3\), expected \(2, 3\)"),
        ((ONES, ONES.astype(np.float64), PLACE), DtypeError, "input 'b' is of dtype float64"),
        ((ONES, ONES, PLACE.astype(np.int32)), DtypeError, "input 'i' is of dtype int32, expected int64"),
        ((ONES, ONES, PLACE + 5), ArgumentError, "Gather: indices is from 5 to 5"),
    ],
)
def test_wrong_inputs_are_refused(inputs, error, message):
    with pytest.raises(error, match=message):
        two_inputs()(*map(tc.tensor, inputs))


def test_arrays_are_no_tensors():
    with pytest.raises(DtypeError, match="input 'a' is a ndarray"):
        two_inputs()(ONES, ONES, PLACE)


def test_it_shows_itself():
    assert repr(two_inputs()) == (
        "OnnxModel('small', opset 17\n  in:  a (N, 3) float32\n  in:  b (N, 3) float32\n"
        "  in:  i (?) int64\n  out: d\n  out: c\n  2 nodes: Add, Gather\n  0 parameters)"
    )


@pytest.mark.parametrize("opset", [11, 13, 17, 20])
def test_what_pytorch_exports_gives_pytorchs_numbers(opset):
    torch = pytest.importorskip("torch")

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 8, 3, padding=1)
            self.down = torch.nn.Conv2d(8, 16, 3, stride=2, padding=1, groups=4)
            self.up = torch.nn.ConvTranspose2d(16, 8, 2, stride=2)
            self.norm = torch.nn.LayerNorm(8)
            self.fc = torch.nn.Linear(8, 5)

        def forward(self, x):
            functional = torch.nn.functional
            first = torch.relu(self.conv(x))
            second = self.up(functional.gelu(self.down(first)))
            y = torch.cat([first, second], 1)[:, 4:12]
            y = functional.interpolate(y, scale_factor=0.5, mode="bilinear", align_corners=False)
            y = functional.max_pool2d(y, 2) + functional.avg_pool2d(y, 2)
            y = self.norm(y.permute(0, 2, 3, 1))
            return self.fc(y.reshape(y.shape[0], -1, 8).mean(1))

    torch.manual_seed(0)
    network, x, file = Network().eval(), torch.randn(2, 3, 16, 16), io.BytesIO()
    options = {"input_names": ["x"], "dynamic_axes": {"x": {0: "n"}}, "opset_version": opset}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, x, file, dynamo=False, **options)
    model = placed(tc.io.onnx.load(file.getvalue()))
    wanted, y = network(x), model(tc.tensor(x.numpy()))
    np.testing.assert_allclose(y.detach().numpy(), wanted.detach().numpy(), rtol=1e-5, atol=1e-6)
    (wanted * wanted).sum().backward()
    (y * y).sum().backward()
    own = dict(model.named_parameters())
    assert {name for name, _ in network.named_parameters()} <= own.keys()
    for name, parameter in network.named_parameters():
        scale = float(parameter.grad.abs().max())
        np.testing.assert_allclose(
            own[name].grad.numpy(), parameter.grad.numpy(), rtol=1e-4, atol=1e-5 * scale
        )


def test_a_copy_is_a_model_of_its_own():
    model, x = classifier(), tc.randn(1, 1, 8, 8)
    twin, before = copy.deepcopy(model), model(x).tolist()
    for parameter in model.parameters():
        parameter.data.fill_(0.5)
    assert twin(x).tolist() == before
    assert model(x).tolist() != before


def test_weights_go_through_a_file(tmp_path):
    model, other, x = classifier(), classifier(), tc.randn(1, 1, 8, 8)
    for parameter in model.parameters():
        parameter.data.fill_(0.25)
    tc.save(model.state_dict(), tmp_path / "weights.safetensors")
    other.load_state_dict(tc.load(tmp_path / "weights.safetensors"))
    assert other(x).tolist() == model(x).tolist()


def test_below_another_module_it_is_a_layer():
    model = nn.Sequential(classifier(), nn.Linear(2, 3))
    assert len(list(model.parameters())) == 8
    assert model(tc.randn(5, 1, 8, 8)).shape == (5, 3)
