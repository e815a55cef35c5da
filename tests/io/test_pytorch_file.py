"""PyTorch's own files: tensors come out as PyTorch wrote them, everything else is refused, nothing is run."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.errors import CheckpointError
from tinyconv.io.pickle_reader import Refused, read_pickle

LEGACY = pytest.mark.parametrize("legacy", (False, True), ids=("zip", "before 2020"))


def written(torch: Any, path: Path, content: Any, legacy: bool = False) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


def same(ours: Any, theirs: Any) -> bool:
    return str(ours.dtype) == str(theirs.dtype).removeprefix("torch.") and np.array_equal(
        ours.numpy(), theirs.detach().numpy()
    )


@LEGACY
def test_a_state_dict(tmp_path: Path, legacy: bool) -> None:
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Linear(5, 2))
    state = tc.load(written(torch, tmp_path / "net.pth", net.state_dict(), legacy))
    assert list(state) == list(net.state_dict())
    assert all(same(state[name], values) for name, values in net.state_dict().items())
    ours = tc.nn.Sequential(tc.nn.Conv2d(3, 4, 3), tc.nn.BatchNorm2d(4), tc.nn.Linear(5, 2))
    ours.load_state_dict(state)
    assert same(ours[2].weight.detach(), net[2].weight)


@LEGACY
def test_views_dtypes_and_containers(tmp_path: Path, legacy: bool) -> None:
    torch = pytest.importorskip("torch")
    base = torch.arange(24.0).reshape(2, 3, 4)
    tensors = {
        "turned": base.permute(2, 0, 1),
        "part": base[1, 1:, ::2],
        "expanded": torch.ones(1, 1).expand(1, 1),
        "scalar": torch.tensor(3.5, dtype=torch.float64),
        "empty": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        **{str(d): torch.tensor([0, 1, 5]).to(d) for d in (torch.int64, torch.int32, torch.int16)},
        **{str(d): torch.tensor([0, 1, 5]).to(d) for d in (torch.uint8, torch.int8, torch.bool)},
    }
    other = {"epoch": 3, "rate": 0.5, "big": 2**40, "none": None, "yes": True, "betas": (0.9, [1, "x"])}
    content = {**other, "net": OrderedDict(tensors), 7: [base]}
    loaded = tc.load(written(torch, tmp_path / "a.pt", content, legacy))
    assert {name: loaded[name] for name in other} == other
    assert list(loaded["net"]) == list(tensors)
    for name, values in tensors.items():
        assert same(loaded["net"][name], values), name
    assert same(loaded[7][0], base)
    loaded["net"]["turned"].array[0, 0, 0] = 99  # may be written to


@LEGACY
def test_tensors_as_they_were_written_in_2017(tmp_path: Path, legacy: bool) -> None:
    """By another function, with four arguments: so are the published weights of VGG-16."""
    torch = pytest.importorskip("torch")
    values = torch.arange(12.0).reshape(3, 4)

    class Old:
        def __reduce__(self) -> Any:
            storage = torch.storage.TypedStorage(
                wrap_storage=values.untyped_storage(), dtype=torch.float32, _internal=True
            )
            return torch._utils._rebuild_tensor, (storage, 4, (2, 2), (4, 1))

    path = written(torch, tmp_path / "old.pth", OrderedDict(w=Old()), legacy)
    assert same(tc.load(path)["w"], torch.load(path, weights_only=True)["w"])
    assert tc.load(path)["w"].tolist() == [[4, 5], [8, 9]]


@LEGACY
def test_every_cut_is_refused(tmp_path: Path, legacy: bool) -> None:
    torch = pytest.importorskip("torch")
    content = written(torch, tmp_path / "net.pth", {"w": torch.ones(40)}, legacy).read_bytes()
    for length in range(4, len(content) - 1, 37):
        (tmp_path / "cut.pth").write_bytes(content[:length])
        with pytest.raises(CheckpointError, match=r"cut\.pth.*python -c .*safetensors"):
            tc.load(tmp_path / "cut.pth")


@LEGACY
def test_other_objects_are_refused(tmp_path: Path, legacy: bool) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(CheckpointError, match=r"a pickle with the name .*expected tensors only; .*python -c"):
        tc.load(written(torch, tmp_path / "net.pt", torch.nn.Linear(2, 2), legacy))
    with pytest.raises(CheckpointError, match=r"the name torch\.BFloat16Storage"):
        tc.load(written(torch, tmp_path / "b.pt", {"x": torch.ones(2).bfloat16()}, legacy))


class Call:
    """Pickled, it is a call of a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.__reduce__ = lambda: (function, arguments)  # type: ignore[method-assign]
        self.function, self.arguments = function, arguments

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.function, self.arguments


def in_a_zip(path: Path, description: bytes, compressed: bool = False, **numbers: bytes) -> Path:
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("a/data.pkl", description)
        for key, content in numbers.items():
            archive.writestr(f"a/data/{key.removeprefix('key')}", content)
    return path


HOSTILE = {
    "os.system": Call(os.system, "exit 1"),
    "eval": Call(eval, "1 + 1"),
    "open": Call(open, "somewhere", "w"),
    "getattr": Call(getattr, "a", "upper"),
    "inside a dict": {"weight": [Call(os.system, "exit 1")]},
}


@pytest.mark.parametrize("protocol", (0, 1, 2, 4))
@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_is_called(tmp_path: Path, name: str, protocol: int) -> None:
    content = pickle.dumps(HOSTILE[name], protocol)
    path = in_a_zip(tmp_path / "bad.pth", content)
    (tmp_path / "old.pth").write_bytes(b"\x80\x02" + content)
    with (
        mock.patch.object(os, "system", side_effect=AssertionError("called")),
        mock.patch.object(builtins, "eval", side_effect=AssertionError("called")),
    ):
        for bad in (path, tmp_path / "old.pth"):
            with pytest.raises(CheckpointError):
                tc.load(bad)
        with pytest.raises(Refused):
            read_pickle(io.BytesIO(content), lambda place: place)
    assert not Path("somewhere").exists()


@pytest.mark.parametrize(
    "content",
    (
        b"\x80\x02cos\nsystem\n.",  # a name alone
        b"\x80\x02ctorch\nload\n.",
        b"\x80\x02ctorch._utils _rebuild_tensor_v2\nx\n.",
        b"\x80\x02ccollections\nOrderedDict\n\x81.",  # an instruction that is not needed
        b"\x80\x02}X\x01\x00\x00\x00aR.",  # a call of a text
        b"\x80\x02(S'a'\nios\nsystem\n.",  # INST
        b"\x80\x02X\x01\x00\x00\x00aQ.",  # a reference to a text
        b"\x80\x02]q\x00h\x00a0.",  # a list in itself, and POP
    ),
)
def test_hand_written_pickles(content: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        read_pickle(io.BytesIO(content), lambda place: place)


def tensor_of(
    shape: tuple, strides: tuple, offset: Any = 0, length: Any = 4, kind: str = "FloatStorage"
) -> bytes:
    """The pickle of one tensor, with the names in it that PyTorch would write."""

    class Pickler(pickle._Pickler):  # the one in Python can be told to write any name
        def save(self, obj: Any, save_persistent_id: bool = True) -> None:
            if isinstance(obj, str) and obj.startswith("c"):
                self.write(obj.encode())
            elif isinstance(obj, list):
                self.save(tuple(obj)), self.write(b"Q")
            else:
                super().save(obj)

    out = io.BytesIO()
    pickler = Pickler(out, 2)
    storage = ["storage", f"ctorch\n{kind}\n", "0", "PU", length]
    pickler.write(b"\x80\x02")
    pickler.save("ctorch._utils\n_rebuild_tensor_v2\n")
    pickler.save((storage, offset, shape, strides, False, ()))
    pickler.write(b"R.")
    return out.getvalue()


def test_the_written_pickle_is_a_good_one(tmp_path: Path) -> None:
    good = tensor_of((2, 2), (2, 1))
    loaded = tc.load(in_a_zip(tmp_path / "x.pt", good, key0=np.arange(4, dtype="<f4").tobytes()))
    assert loaded.tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    ("options", "found"),
    (
        ({"shape": (5,), "strides": (1,)}, "beyond its storage"),
        ({"shape": (2, 2), "strides": (3, 1)}, "beyond its storage"),
        ({"shape": (2,), "strides": (1,), "offset": 3}, "beyond its storage"),
        ({"shape": (2**40,), "strides": (0,)}, "beyond its storage"),
        ({"shape": (2,), "strides": (-1,), "offset": 3}, "stride or offset of -1"),
        ({"shape": (2,), "strides": (1,), "offset": -1}, "stride or offset of -1"),
        ({"shape": (2.0,), "strides": (1,)}, "stride or offset of 2.0"),
        ({"shape": (2,), "strides": ()}, "damaged"),
        ({"shape": (2,), "strides": (1,), "length": 3}, "16 bytes for 3"),
        ({"shape": (2,), "strides": (1,), "length": -4}, "-4 elements"),
        ({"shape": (2,), "strides": (1,), "length": 2**62}, "16 bytes for"),
        ({"shape": (2,), "strides": (1,), "kind": "UntypedStorage"}, "the name torch.UntypedStorage"),
    ),
)
def test_claims_are_compared_with_the_file(tmp_path: Path, options: dict[str, Any], found: str) -> None:
    path = in_a_zip(tmp_path / "x.pt", tensor_of(**options), key0=bytes(16))
    with pytest.raises(CheckpointError, match=found):
        tc.load(path)


def test_a_number_that_was_damaged_on_the_way(tmp_path: Path) -> None:
    """An archive has a checksum of each entry, large entries too."""
    numbers = np.arange(2**19 + 3, dtype="<f4").tobytes()
    good = tensor_of((2**19 + 3,), (1,), length=2**19 + 3)
    path = in_a_zip(tmp_path / "x.pt", good, key0=numbers)
    assert tc.load(path)[-1].item() == 2**19 + 2
    content = path.read_bytes()
    place = content.index(numbers) + 12345
    path.write_bytes(content[:place] + b"\xff" + content[place + 1 :])
    with pytest.raises(CheckpointError, match="CRC"):
        tc.load(path)


def test_wrong_archives(tmp_path: Path) -> None:
    good = tensor_of((2, 2), (2, 1))
    for name, path in {
        "compressed": in_a_zip(tmp_path / "a.pt", good, compressed=True, key0=bytes(16)),
        "KeyError": in_a_zip(tmp_path / "b.pt", good),
    }.items():
        with pytest.raises(CheckpointError, match=name):
            tc.load(path)
    with zipfile.ZipFile(tmp_path / "c.pt", "w") as archive:
        archive.writestr("a/data.pkl", good)
        archive.writestr("a/data/0", bytes(16))
        archive.writestr("a/byteorder", "big")
    with pytest.raises(CheckpointError, match="big-endian"):
        tc.load(tmp_path / "c.pt")
    with zipfile.ZipFile(tmp_path / "d.pt", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(CheckpointError, match="damaged"):
        tc.load(tmp_path / "d.pt")


def test_numbers_that_several_entries_share(tmp_path: Path) -> None:
    """Many entries that name the same bytes would take more memory than the file has."""
    path = in_a_zip(
        tmp_path / "x.pt", b"(" + 40 * tensor_of((4,), (1,)).strip(b"\x80\x02.") + b"t.", key0=bytes(16)
    )
    assert len(tc.load(path)) == 40  # one storage, forty tensors: read once
    with (
        mock.patch("os.fstat", return_value=mock.Mock(st_size=8)),
        pytest.raises(CheckpointError, match="room"),
    ):
        tc.load(path)


def test_sizes_that_no_memory_has(tmp_path: Path) -> None:
    """A text of 2**60 bytes, in the description of an old file."""
    (tmp_path / "x.pt").write_bytes(b"\x80\x02\x8d" + (2**60).to_bytes(8, "little") + b"a.")
    with pytest.raises(CheckpointError, match="damaged or cut short"):
        tc.load(tmp_path / "x.pt")
