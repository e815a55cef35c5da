"""Safetensors files that lie: refused by a documented error, in bounded memory."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinyconv as tc
from tinyconv.errors import CheckpointError
from tinyconv.io import load_state, save_state

ROOT = Path(__file__).parents[2]


def file_of(description, data=b""):
    text = description if isinstance(description, bytes) else json.dumps(description).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(shape, offsets, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


HOSTILE = {
    "a header of 2^60 bytes": struct.pack("<Q", 2**60) + b"{}",
    "a header of 2^64 - 1 bytes": struct.pack("<Q", 2**64 - 1) + b"{}",
    "a header of 99 MB": struct.pack("<Q", 99 * 10**6) + b"{}",
    "a tensor of 2^60 bytes": file_of({"x": entry([2**58], [0, 2**60])}, bytes(16)),
    "sizes that overflow": file_of({"x": entry([2**32, 2**32], [0, 0])}),
    "sizes that overflow to fit": file_of({"x": entry([2**62, 4], [0, 0])}),
    "a thousand dimensions": file_of({"x": entry([1] * 1000, [0, 4])}, bytes(4)),
    "offsets that overlap": file_of({"x": entry([4], [0, 16]), "y": entry([4], [8, 24])}, bytes(24)),
    "offsets that are the same": file_of({"x": entry([4], [0, 16]), "y": entry([4], [0, 16])}, bytes(16)),
    "a hole between": file_of({"x": entry([1], [0, 4]), "y": entry([1], [8, 12])}, bytes(12)),
    "offsets that run backwards": file_of({"x": entry([1], [4, 0])}, bytes(4)),
    "negative offsets": file_of({"x": entry([1], [-4, 0])}, bytes(4)),
    "a negative size": file_of({"x": entry([-1], [0, 4])}, bytes(4)),
    "offsets beyond the end": file_of({"x": entry([4], [0, 16])}, bytes(15)),
    "more bytes than tensors": file_of({"x": entry([1], [0, 4])}, bytes(8)),
    "a shape that does not fit": file_of({"x": entry([3], [0, 16])}, bytes(16)),
    "an unknown dtype": file_of({"x": entry([1], [0, 4], "O")}, bytes(4)),
    "a name twice": file_of(b'{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":3}', bytes(4)),
    "metadata that is no text": file_of({"__metadata__": {"a": 1}}),
    "nested metadata": file_of({"__metadata__": {"a": {"b": "c"}}}),
    "brackets without end": file_of(b"[" * 200_000),
    "objects without end": file_of(b'{"x":' * 200_000),
    "not UTF-8": file_of(b'{"\xff":1}'),
    "a list": file_of(b"[1, 2]"),
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("load", [load_state, tc.load])
def test_a_lie_is_refused(tmp_path, name, load):
    (tmp_path / "net.safetensors").write_bytes(HOSTILE[name])
    with pytest.raises(CheckpointError, match=r"net\.safetensors"):
        load(tmp_path / "net.safetensors")


@pytest.mark.skipif(sys.platform == "win32", reason="limits of Unix")
def test_no_lie_takes_memory(tmp_path):
    """All of them, in a process that may take 200 MB more than it has when it begins."""
    for number, content in enumerate(HOSTILE.values()):
        (tmp_path / f"{number}.safetensors").write_bytes(content)
    script = (
        "import resource, sys; from pathlib import Path; import numpy as np; import tinyconv as tc\n"
        "tc.save({'x': np.ones(2)}, Path(sys.argv[1]) / 'good'); tc.load(Path(sys.argv[1]) / 'good')\n"
        "now = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (now + 200_000_000,) * 2)\n"
        "for path in sorted(Path(sys.argv[1]).glob('*.safetensors')):\n"
        "    try: tc.load(path)\n"
        "    except tc.errors.CheckpointError as error: print('refused', path.name)\n"
    )
    if not Path("/proc/self/statm").exists():
        pytest.skip("needs /proc")
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("refused") == len(HOSTILE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": np.ones((3, 2), np.float32)}, r"weight.*\(3, 2\).*\(2, 3\)"),
        ({"weight": None}, r"missing \[weight\]"),
        ({"more": np.ones(1)}, r"more"),
    ],
)
def test_weights_that_do_not_fit(tmp_path, change, message):
    model = tc.nn.Linear(3, 2)
    state = {name: tensor.data.numpy() for name, tensor in model.state_dict().items()} | change
    save_state(tmp_path / "w", {name: array for name, array in state.items() if array is not None})
    before = model.weight.data.numpy().copy()
    with pytest.raises(CheckpointError, match=message):
        model.load_state_dict(tc.load(tmp_path / "w"))
    np.testing.assert_array_equal(model.weight.data.numpy(), before)


def test_without_strict_what_is_missing_and_what_is_too_much_is_told(tmp_path):
    save_state(tmp_path / "w", {"weight": np.ones((2, 3), np.float32), "more": np.ones(1)})
    model = tc.nn.Linear(3, 2)
    told = model.load_state_dict(tc.load(tmp_path / "w"), strict=False)
    assert (told.missing_keys, told.unexpected_keys) == (["bias"], ["more"])
    assert (model.weight.data.numpy() == 1).all()


@pytest.mark.parametrize("added", [False, True])
def test_a_dtype_that_numpy_does_not_have(added, tmp_path):
    """Such a file is whole: the message says how to make one that can be read.

    The same is said where a package has added the dtype to NumPy.
    """
    if added:
        pytest.importorskip("ml_dtypes")
    header = b'{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(CheckpointError, match=r"dtype that NumPy does not have .*bfloat16.*x\.float\(\)"):
        tc.load(path)
