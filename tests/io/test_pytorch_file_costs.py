"""PyTorch's files that are small and would cost much, time, stack or memory: they are refused at once."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import tinyconv as tc
from tinyconv.errors import CheckpointError
from tinyconv.io.pickle_reader import read_pickle

DOUBLED = b")" + 60 * b"q\x00h\x00\x86"
"""A tuple of a tuple twice, and so on: 60 instructions, and 2**60 places to visit."""
DEEP = b")" + 1_000_000 * b"\x85"
"""A tuple in a tuple in a tuple: the stack that a hash of it takes is more than there is."""
WORD = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n(" + WORD + b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQ"
COSTLY = {
    "a key": (b"}" + DOUBLED + b"K\x01s.", "a tuple as a key"),
    "a deep key": (b"}" + DEEP + b"K\x01s.", "a tuple as a key"),
    "a pair of an ordered dict": (
        b"ccollections\nOrderedDict\n(](" + DOUBLED + b"K\x01\x86etR.",
        "a tuple as a key",
    ),
    "a reference": (b"(K\x00" + 4 * DOUBLED + b"tQ.", "a reference to something else"),
    "the name of a storage": (WORD + DOUBLED + b"X\x03\x00\x00\x00cpuK\x01tQ.", "a storage a tuple of 1"),
    "an offset": (TENSOR + DOUBLED + b"))tR.", "offset of a tuple"),
    "an offset beyond any memory": (TENSOR + b"\x8a\x09" + 8 * b"\xff" + b"\x00))tR.", "offset of 18446744"),
    "many axes": (TENSOR + b"K\x00(" + 100 * b"K\xff" + b"t)tR.", "of 100 axes"),
}


@pytest.mark.parametrize("name", COSTLY)
def test_costly_descriptions(tmp_path: Path, name: str) -> None:
    """In a process of its own, which may not crash and has a minute."""
    description, expected = COSTLY[name]
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02" + description)
    call = f"import tinyconv as tc; tc.load({str(tmp_path / 'x.pth')!r})"
    done = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "CheckpointError" in done.stderr
    assert expected in done.stderr


def test_a_list_of_storages_that_is_none(tmp_path: Path) -> None:
    """Files from before 2020 end with the names of their storages."""
    start = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02}."
    (tmp_path / "x.pth").write_bytes(start + b"\x80\x02](" + DOUBLED + b"e." + bytes(8))
    with pytest.raises(CheckpointError, match="a tuple as the name of a storage"):
        tc.load(tmp_path / "x.pth")


def test_a_byte_order_of_many_bytes(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}.")
        archive.writestr("a/byteorder", b"little" + bytes(2**20), compress_type=zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="order"):
        tc.load(tmp_path / "x.pth")


def test_keys_that_are_plain() -> None:
    content = (
        b"\x80\x02}(X\x01\x00\x00\x00aK\x01K\x02K\x03G?\xe0\x00\x00\x00\x00\x00\x00K\x05\x88K\x06NK\x07u."
    )
    assert read_pickle(io.BytesIO(content), lambda place: place) == {"a": 1, 2: 3, 0.5: 5, True: 6, None: 7}
    pairs = b"\x80\x02ccollections\nOrderedDict\n](X\x01\x00\x00\x00aK\x01\x86K\x02K\x03\x86e\x85R."
    assert read_pickle(io.BytesIO(pairs), lambda place: place) == {"a": 1, 2: 3}
