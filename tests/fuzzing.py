"""Files that are nearly right, for the readers to crash on; see CONTRIBUTING, "Fuzzing"."""

from __future__ import annotations

import copy
import json

from hypothesis import settings
from hypothesis import strategies as st

QUICK_CASES = 100
NUMBERS = (0, 1, 2**7, 2**8 - 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**60, 2**63, 2**64 - 1)
NUMBERS_IN_JSON = (*NUMBERS, -1, -(2**63), 2**70, 10**400, 0.5, -0.0, 1e308, float("inf"), float("nan"))


def many_cases():
    """A few cases in the suite; as many as the profile says where it says more."""
    return settings(max_examples=max(QUICK_CASES, settings().max_examples))


@st.composite
def damaged(draw, contents):
    """One of `contents` (bytes) after a few of the changes that disks, transfers and enemies make."""
    content = bytearray(draw(st.sampled_from(contents)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(content)))
        kind = draw(st.sampled_from(("bit", "number", "cut", "insert", "remove", "repeat")))
        length = draw(st.integers(1, 16))
        if kind == "bit" and place < len(content):
            content[place] ^= 1 << draw(st.integers(0, 7))
        elif kind == "number":
            width = draw(st.sampled_from((1, 2, 4, 8)))
            value = draw(st.sampled_from(NUMBERS)) % 2 ** (8 * width)
            content[place : place + width] = value.to_bytes(width, draw(st.sampled_from(("little", "big"))))
        elif kind == "cut":
            del content[place:]
        elif kind == "insert":
            content[place:place] = draw(st.binary(min_size=1, max_size=16))
        elif kind == "remove":
            del content[place : place + length]
        elif kind == "repeat":
            content[place:place] = content[place : place + length] * draw(st.integers(1, 3))
    return bytes(content)


WORDS = st.sampled_from(
    ("", "a", "0", "F32", "shape", "data_offsets", "__metadata__", "é", "\0", "../x", "a" * 300)
)
LEAVES = st.none() | st.booleans() | st.sampled_from(NUMBERS_IN_JSON) | WORDS | st.text(max_size=5)
ANY_JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)


def _places(value, path=()):
    """The paths to all values in nested lists and dictionaries."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _places(value[key], (*path, key))


@st.composite
def edited(draw, values):
    """One of `values` (what JSON can hold) with a few places replaced, removed or added."""
    value = copy.deepcopy(draw(st.sampled_from(values)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(_places(value))))
        new = draw(ANY_JSON)
        if not path:
            if draw(st.integers(0, 9)) == 0:
                return new
            continue
        *above, last = path
        holder = value
        for key in above:
            holder = holder[key]
        kind = draw(st.sampled_from(("replace", "replace", "remove", "add")))
        if kind == "replace":
            holder[last] = new
        elif kind == "remove":
            del holder[last]
        elif isinstance(holder, dict):
            holder[draw(WORDS)] = new
        else:
            holder.insert(last, new)
    return value


def as_json(value):
    """The bytes of a JSON file."""
    return json.dumps(value).encode("utf-8", "surrogatepass")


WRITTEN = (
    "NaN", "-Infinity", "1e999", "-0", "1E-400", "9" * 400, "9" * 5000, '"\\ud800"', '"\\u0000"', "nul",
    "[" * 9000,
)  # fmt: skip
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32-be", "latin-1")


@st.composite
def spoilt(draw, values):
    """One of `values` (dictionaries) as the bytes of a JSON file, after what editors and people do to it.

    A few values are replaced by others, then some written as no writer of JSON would, keys doubled, the
    text cut or encoded otherwise, and bytes damaged.
    """
    value = draw(edited(values) if draw(st.booleans()) else st.sampled_from(values))
    if not isinstance(value, dict):
        return as_json(value)
    entries = [f"{json.dumps(key)}: {json.dumps(entry)}" for key, entry in value.items()]
    for _ in range(draw(st.integers(0, 2))):
        key, place = draw(st.sampled_from(sorted(value) or ["a"])), draw(st.integers(0, len(entries)))
        written = draw(st.sampled_from(WRITTEN) | ANY_JSON.map(json.dumps))
        entry = f"{json.dumps(key)}: {written}"
        if draw(st.booleans()) or place == len(entries):
            entries.insert(place, entry)  # a second one of that name
        else:
            entries[place] = entry
    text = "{" + ", ".join(entries) + "}"
    content = text.encode(draw(st.sampled_from(ENCODINGS)), "replace")
    kind = draw(st.sampled_from(("whole", "whole", "cut", "damaged")))
    if kind == "cut":
        return content[: draw(st.integers(0, len(content)))]
    return draw(damaged([content])) if kind == "damaged" else content
