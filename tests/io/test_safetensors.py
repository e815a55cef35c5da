"""Weights files: whole or refused, and never damaged by a write that fails."""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import struct
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import tinyconv as tc
from tinyconv.errors import CheckpointError, DtypeError, StorageError, TinyconvError
from tinyconv.io import load_state, not_finite, save_state, write_whole

ROOT = Path(__file__).parents[2]
ARRAYS = {
    "weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "double": np.array([np.pi, -0.0]),
    "steps": np.array(7, np.int64),
    "empty": np.zeros((0, 3), np.float32),
    "flags": np.array([True, False]),
}


def test_the_library_reads_what_was_written(tmp_path):
    file = tmp_path / "a.safetensors"
    save_state(file, ARRAYS, {"note": "é"})
    other = load_file(file)
    arrays, metadata = load_state(file)
    assert metadata == {"note": "é"}
    for name, array in ARRAYS.items():
        for read in (other[name], arrays[name]):
            assert read.dtype == array.dtype and read.shape == array.shape
            assert read.tobytes() == array.tobytes()


def test_a_file_of_nothing_is_a_file(tmp_path):
    """As of a network without parameters."""
    assert load_state(save_state(tmp_path / "nothing", {})) == ({}, {})
    assert load_state(save_state(tmp_path / "note", {}, {"a": "b"})) == ({}, {"a": "b"})


def test_notes_with_an_earlier_checksum_are_written_with_the_new_one(tmp_path):
    with safe_open(save_state(tmp_path / "a", {"x": np.ones(3)}, {"note": "n"}), framework="np") as file:
        notes = file.metadata()
    assert len(notes) == 2
    arrays, read = load_state(save_state(tmp_path / "b", {"x": np.zeros(2)}, notes))
    assert arrays["x"].tolist() == [0, 0] and read == {"note": "n"}
    with pytest.raises(DtypeError, match=r"metadata is .*, expected texts by name"):
        save_state(tmp_path / "b", {}, {"epoch": 3})


def test_a_file_is_written_with_the_same_bytes_again(tmp_path):
    """In other processes too, where texts have other hashes; the numbers begin at a multiple of 8."""
    code = """
        import numpy as np, sys
        from tinyconv.io import save_state
        arrays = {"b": np.arange(3.0), "a": np.ones((2, 1), np.float16)}
        save_state(sys.argv[1], arrays, {str(i): "x" for i in range(6)})
    """
    files = [tmp_path / str(number) for number in range(2)]
    for file in files:
        subprocess.run([sys.executable, "-c", textwrap.dedent(code), file], check=True, cwd=ROOT)
    one, other = (file.read_bytes() for file in files)
    assert one == other and struct.unpack("<Q", one[:8])[0] % 8 == 0


def test_a_bit_flipped_anywhere(tmp_path):
    """Refused, or it says the same: in the name of the checksum's entry, which nobody compares then."""
    saved = {"epoch": 3, "model": dict(ARRAYS), "note": "é"}
    tc.save(saved, tmp_path / "a")
    content, accepted = (tmp_path / "a").read_bytes(), 0
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        (tmp_path / "a").write_bytes(changed)
        try:
            found = tc.load(tmp_path / "a")
        except CheckpointError:
            continue
        accepted += 1
        assert (found["epoch"], found["note"]) == (3, "é") and found["model"].keys() == ARRAYS.keys()
        for name, array in ARRAYS.items():
            assert found["model"][name].tobytes() == array.tobytes(), (place, name)
    assert accepted < 40


def test_numbers_that_changed_their_places_are_noticed(tmp_path):
    x, y = np.arange(3.0), np.ones(3)
    content = save_state(tmp_path / "a", {"x": x, "y": y}).read_bytes()
    swapped = content.replace(b'"x":', b'"?":').replace(b'"y":', b'"x":').replace(b'"?":', b'"y":')
    assert len(swapped) == len(content) and swapped != content
    (tmp_path / "a").write_bytes(swapped)
    np.testing.assert_array_equal(load_file(tmp_path / "a")["x"], y)
    with pytest.raises(CheckpointError, match=r"a' is damaged \(wrong SHA-256\), expected what was written"):
        load_state(tmp_path / "a")


def test_a_file_of_others_has_no_checksum(tmp_path):
    save_file(ARRAYS, tmp_path / "a", {"format": "pt"})
    arrays, metadata = load_state(tmp_path / "a")
    assert metadata == {"format": "pt"} and arrays["weight"].tobytes() == ARRAYS["weight"].tobytes()


def test_the_order_of_bytes_in_memory_does_not_matter(tmp_path):
    big = np.arange(5).astype(">f4")
    save_state(tmp_path / "big", {"x": big})
    save_state(tmp_path / "little", {"x": big.astype("<f4")})
    assert (tmp_path / "big").read_bytes() == (tmp_path / "little").read_bytes()
    assert load_state(tmp_path / "big")[0]["x"].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("view", ["channels_last", "reversed", "broadcast", "fortran"])
def test_any_memory_order_keeps_its_values(tmp_path, view):
    base = np.random.default_rng(0).standard_normal((2, 5, 6, 3)).astype(np.float32)
    array = {
        "channels_last": base.transpose(0, 3, 1, 2),
        "reversed": base[::-1, ::2],
        "broadcast": np.broadcast_to(base[:1], base.shape),
        "fortran": np.asfortranarray(base),
    }[view]
    save_state(tmp_path / "a", {"x": array})
    np.testing.assert_array_equal(load_file(tmp_path / "a")["x"], array)


def test_loaded_arrays_outlive_the_file_and_can_be_written(tmp_path):
    save_state(tmp_path / "a", ARRAYS)
    arrays, _ = load_state(tmp_path / "a")
    os.truncate(tmp_path / "a", 0)
    arrays["weight"] += 1
    np.testing.assert_array_equal(arrays["weight"], ARRAYS["weight"] + 1)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_file_cut_short_is_refused(tmp_path, share):
    file = save_state(tmp_path / "cut.safetensors", ARRAYS)
    os.truncate(file, int(file.stat().st_size * share))
    with pytest.raises(CheckpointError, match=r"cut\.safetensors.*cut short"):
        load_state(file)


def header(text: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text


HUGE = {"x": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}


@pytest.mark.parametrize(
    "content",
    [
        os.urandom(200),
        b"\x80\x04cos\nsystem\n(S'exit 1'\ntR.",
        struct.pack("<Q", 2**62) + b"{}",
        header(b"{"),
        header(json.dumps(HUGE).encode()),
        header(b'{"x":{"dtype":"F32","shape":[4],"data_offsets":[0,8]}}') + b"\0" * 8,
    ],
    ids=["noise", "pickle", "huge header", "bad JSON", "huge tensor", "wrong size"],
)
def test_garbage_is_refused(tmp_path, content):
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(CheckpointError, match="bad"):
        load_state(tmp_path / "bad")


def test_missing_files_and_folders_are_refused(tmp_path):
    for path, found in ((tmp_path / "none", "missing"), (tmp_path, "not a file")):
        with pytest.raises(CheckpointError, match=found):
            load_state(path)


def test_only_numbers_are_saved(tmp_path):
    with pytest.raises(DtypeError, match="text"):
        save_state(tmp_path / "a", {"text": np.array(["a"])})
    assert list(tmp_path.iterdir()) == []


X = {"x": np.ones(2)}


@pytest.mark.parametrize(
    ("state", "path", "message"),
    [
        (tc.nn.Linear(2, 2), "a", r"save: state_dict is a Linear, expected .*model\.state_dict\(\)"),
        ("a", X, "save: state_dict is a str"),
        (None, "a", "save: state_dict is a NoneType"),
        ({5: np.ones(2)}, "a", "save: a name in the state_dict is 5 \\(int\\), expected a str"),
        ({"__metadata__": np.ones(2)}, "a", "'__metadata__', expected one that a file can hold"),
        ({"\ud800": np.ones(2)}, "a", "expected one that a file can hold"),
        ({"x": {1}}, "a", "save: x is a set of dtype object, expected an array of numbers"),
        ({"x": {"y": [{1}]}}, "a", r"save: the object\['x'\]\['y'\]\[0\] is a set, expected a Tensor"),
        ({"x": {(1, 2): X}}, "a", r"save: a key of the object\['x'\] is tuple, expected a text or a number"),
        ({"x": [[1], [1, 2]]}, "a", "save: x is a list of uneven rows, expected an array of numbers"),
        ({"x": np.ones(2, complex)}, "a", "x is a ndarray of dtype complex128"),
        (X, 5, "save: path is 5 \\(int\\), expected a str or a pathlib.Path"),
        (X, None, "save: path is None \\(NoneType\\), expected"),
        (X, b"a", "save: path is b'a' \\(bytes\\), expected"),
        (X, "", "save: '.' is not written"),
        (X, "a\0b", "not written .*null"),
        (X, ".", "save: '.' is not written"),
    ],
)
def test_what_cannot_be_saved_is_named(tmp_path, monkeypatch, state, path, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TinyconvError, match=message):
        tc.save(state, path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="long double is double here")
def test_a_dtype_that_files_do_not_have(tmp_path):
    with pytest.raises(DtypeError, match="x is a ndarray of dtype"):
        tc.save({"x": np.ones(2, np.longdouble)}, tmp_path / "a")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (5, "load: path is 5 \\(int\\), expected a str or a pathlib.Path"),
        (None, "load: path is None"),
        (io.BytesIO(), r"\(BytesIO\), expected"),
        (["a"], r"\(list\), expected"),
        ("", "not a file"),
        ("a\0b", "missing"),
        ("a" * 300, "too long"),
    ],
)
def test_what_cannot_be_loaded_is_named(path, message):
    with pytest.raises(TinyconvError, match=message):
        tc.load(path)


class FullDisk:
    """A file on which there is room for 100 bytes."""

    def __init__(self, file):
        self.file = file

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def write(self, content):
        self.file.write(content[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_the_earlier_file_and_nothing_else(tmp_path, monkeypatch):
    file = save_state(tmp_path / "a.safetensors", ARRAYS)
    before = file.read_bytes()
    real_open = builtins.open
    monkeypatch.setattr(builtins, "open", lambda *a, **k: FullDisk(real_open(*a, **k)))
    with pytest.raises(StorageError, match=r"a\.safetensors.*No space left"):
        save_state(file, {"x": np.zeros(1000)})
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]
    assert file.read_bytes() == before


def test_a_rename_that_fails_leaves_the_earlier_file(tmp_path, monkeypatch):
    write_whole(tmp_path / "a", b"before")

    def refuse(source, target):
        raise PermissionError(errno.EACCES, "refused")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(StorageError, match="refused"):
        write_whole(tmp_path / "a", b"after")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"before")]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(StorageError, match="No such file"):
        write_whole(tmp_path / "none" / "a", b"")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the file size")
def test_a_limit_of_the_file_size_is_like_a_full_disk(tmp_path):
    code = f"""
        import resource, signal, numpy as np
        from tinyconv.io import save_state
        from tinyconv.errors import StorageError
        save_state({str(tmp_path / "a")!r}, {{"x": np.ones(10)}})
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        try:
            save_state({str(tmp_path / "a")!r}, {{"x": np.zeros(10_000)}})
        except StorageError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, cwd=ROOT
    )
    assert "not written (File too large)" in done.stdout, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    np.testing.assert_array_equal(load_file(tmp_path / "a")["x"], np.ones(10))


def test_state_dicts_go_there_and_back(tmp_path):
    tc.manual_seed(1)
    model, other = tc.nn.Conv2d(3, 4, 3), tc.nn.Conv2d(3, 4, 3)
    assert model.weight.tolist() != other.weight.tolist()
    tc.save(model.state_dict(), tmp_path / "conv.safetensors")
    other.load_state_dict(tc.load(tmp_path / "conv.safetensors"))
    assert model.weight.tolist() == other.weight.tolist()
    assert model.bias.tolist() == other.bias.tolist()


def test_weights_with_nan_are_refused_unless_asked_for(tmp_path):
    arrays = {"a": np.ones(2), "b": np.array([1, np.nan]), "c": np.array([np.inf]), "d": np.array([1])}
    assert not_finite(arrays) == ["b", "c"]
    tc.save(arrays, tmp_path / "w")
    with pytest.raises(CheckpointError, match=r"w' is with NaN in 'b', expected.*allow_nan=True"):
        tc.load(tmp_path / "w")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = tc.load(tmp_path / "w", allow_nan=True)
    np.testing.assert_array_equal(loaded["b"].numpy(), arrays["b"])
    tc.save({"epoch": 1, "net": {"b": tc.tensor([1.0, np.nan])}}, tmp_path / "nested")
    with pytest.raises(CheckpointError, match="with NaN in '0'"):
        tc.load(tmp_path / "nested")
    assert np.isnan(tc.load(tmp_path / "nested", allow_nan=True)["net"]["b"].numpy()[1])


def test_infinite_weights_are_warned_of(tmp_path):
    tc.save({"mask": np.array([0.0, -np.inf]), "a": np.ones(2)}, tmp_path / "w")
    with pytest.warns(UserWarning, match="w': infinite somewhere: 'mask'") as seen:
        assert tc.load(tmp_path / "w")["mask"].tolist() == [0, -np.inf]
    assert seen[0].filename == __file__


def test_pytorchs_files_with_nan_are_refused_too(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"net": {"w": torch.tensor([[1.0, float("nan")]])}}, tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match=r"with NaN in 'number 0, of shape \(1, 2\)'"):
        tc.load(tmp_path / "net.pth")
    assert np.isnan(tc.load(tmp_path / "net.pth", allow_nan=True)["net"]["w"].numpy()[0, 1])


def test_torch_reads_the_file(tmp_path):
    torch_files = pytest.importorskip("safetensors.torch", exc_type=ImportError)
    tc.save({"x": tc.arange(6).reshape(2, 3)}, tmp_path / "x")
    assert torch_files.load_file(tmp_path / "x")["x"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_checkpoint_is_put_together_as_it_was(tmp_path):
    model = tc.nn.Linear(3, 2)
    optimizer = tc.optim.Adam(model.parameters(), lr=0.1)
    model(tc.ones(1, 3)).sum().backward()
    optimizer.step()
    saved = {
        "epoch": 3,
        "losses": [0.5, float("inf"), None],
        "name": "é",
        "pair": (True, tc.arange(2)),
        "raw": np.array([1.5]),
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    tc.save(saved, tmp_path / "c")
    loaded = tc.load(tmp_path / "c", map_location=tc.device("cpu"), weights_only=True)
    assert list(loaded) == list(saved)
    assert (loaded["epoch"], loaded["losses"], loaded["name"]) == (3, saved["losses"], "é")
    flag, numbers = loaded["pair"]
    assert flag is True and isinstance(numbers, tc.Tensor) and numbers.tolist() == [0, 1]
    assert isinstance(loaded["raw"], np.ndarray) and loaded["raw"].dtype == np.float64
    assert loaded["optimizer"]["param_groups"] == saved["optimizer"]["param_groups"]
    assert loaded["optimizer"]["state"].keys() == {0, 1}
    twin = tc.nn.Linear(3, 2)
    twin.load_state_dict(loaded["model"])
    other = tc.optim.Adam(twin.parameters(), lr=0.5)
    other.load_state_dict(loaded["optimizer"])
    for net, way in ((model, optimizer), (twin, other)):
        net.zero_grad()
        (net(tc.ones(1, 3)) ** 2).sum().backward()
        way.step()
    np.testing.assert_array_equal(twin.weight.data.numpy(), model.weight.data.numpy())


def test_a_tensor_or_a_list_alone(tmp_path):
    tc.save(tc.arange(3), tmp_path / "x")
    assert tc.load(tmp_path / "x").tolist() == [0, 1, 2]
    tc.save([tc.ones(1), 2], tmp_path / "y")
    assert tc.load(tmp_path / "y")[1] == 2


@pytest.mark.parametrize("structure", ["{", "{}", '{"tensor": "9"}', '{"code": "x"}', '{"dict": [1]}', "[]"])
def test_a_damaged_structure_is_refused(tmp_path, structure):
    save_state(tmp_path / "a", {"0": np.ones(2)}, {"tinyconv.structure": structure})
    with pytest.raises(CheckpointError, match="load: the file's header is damaged"):
        tc.load(tmp_path / "a")


@pytest.mark.parametrize("legacy", [False, True])
def test_a_file_of_pytorchs_is_no_checkpoint(tmp_path, legacy):
    """`tc.load` reads it, see `test_pytorch_file`; a run's checkpoint is never one."""
    torch = pytest.importorskip("torch")
    torch.save({"weight": torch.ones(2)}, tmp_path / "net.pt", _use_new_zipfile_serialization=not legacy)
    with pytest.raises(CheckpointError, match=r"net\.pt' is a pickle.*safetensors\.torch\.save_file"):
        load_state(tmp_path / "net.pt")
