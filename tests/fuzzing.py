"""Files that are nearly right, for the readers to crash on; see CONTRIBUTING, "Fuzzing".

What is wrong with a file is drawn by Python's own generator from a seed that Hypothesis draws: a hundred
thousand cases are minutes then, and a case that fails is shown as the file that it is.
"""

from __future__ import annotations

import copy
import json
from random import Random

from hypothesis import settings
from hypothesis import strategies as st

QUICK_CASES = 100
NUMBERS = (0, 1, 2**7, 2**8 - 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**60, 2**63, 2**64 - 1)
NUMBERS_IN_JSON = (*NUMBERS, -1, -(2**63), 2**70, 10**400, 0.5, -0.0, 1e308, float("inf"), float("nan"))
WORDS = ("", "a", "0", "F32", "shape", "data_offsets", "__metadata__", "é", "\0", "../x", "a" * 300)
LETTERS = "aZ09 ._-/\\'\"\n\r\t\0\x1b\x7f\x85é\u2028\u202eß中\ufeff\U0001f600"


def many_cases():
    """A few cases in the suite; as many as the profile says where it says more."""
    return settings(max_examples=max(QUICK_CASES, settings().max_examples))


def by_chance(make, *arguments):
    """What ``make(random, *arguments)`` returns, for a new generator `random` in each case."""
    return st.binary(min_size=16, max_size=16).map(lambda seed: make(Random(seed), *arguments))


def damaged(contents):
    """One of `contents` (bytes) after a few of the changes that disks, transfers and enemies make."""
    return by_chance(lambda random: damage(random, random.choice(contents)))


def edited(values):
    """One of `values` (what JSON can hold) with a few places replaced, removed or added."""
    return by_chance(lambda random: edit(random, random.choice(values)))


def spoilt(random, value):
    """A dictionary as the bytes of a JSON file, after what editors and people do to it.

    A few values are replaced by others, then some written as no writer of JSON would, keys doubled, the
    text cut or encoded otherwise, and bytes damaged.
    """
    value = edit(random, value) if random.random() < 0.5 else value
    if not isinstance(value, dict):
        return as_json(value)
    entries = [f"{json.dumps(key)}: {json.dumps(entry)}" for key, entry in value.items()]
    for _ in range(random.randint(0, 2)):
        key, place = random.choice(sorted(value) or ["a"]), random.randint(0, len(entries))
        written = random.choice(WRITTEN) if random.random() < 0.5 else json.dumps(any_json(random))
        entry = f"{json.dumps(key)}: {written}"
        if random.random() < 0.5 or place == len(entries):
            entries.insert(place, entry)  # a second one of that name
        else:
            entries[place] = entry
    text = "{" + ", ".join(entries) + "}"
    content = text.encode(random.choice(ENCODINGS), "replace")
    kind = random.choice(("whole", "whole", "cut", "damaged"))
    if kind == "cut":
        return content[: random.randint(0, len(content))]
    return damage(random, content) if kind == "damaged" else content


WRITTEN = (
    "NaN", "-Infinity", "1e999", "-0", "1E-400", "9" * 400, "9" * 5000, '"\\ud800"', '"\\u0000"', "nul",
    "[" * 9000,
)  # fmt: skip
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32-be", "latin-1")


def damage(random, content):
    """The bytes after one to four changes."""
    content = bytearray(content)
    for _ in range(random.randint(1, 4)):
        place = random.randint(0, len(content))
        kind = random.choice(("bit", "number", "cut", "insert", "remove", "repeat"))
        length = random.randint(1, 16)
        if kind == "bit" and place < len(content):
            content[place] ^= 1 << random.randint(0, 7)
        elif kind == "number":
            width = random.choice((1, 2, 4, 8))
            value = random.choice(NUMBERS) % 2 ** (8 * width)
            content[place : place + width] = value.to_bytes(width, random.choice(("little", "big")))
        elif kind == "cut":
            del content[place:]
        elif kind == "insert":
            content[place:place] = random.randbytes(length)
        elif kind == "remove":
            del content[place : place + length]
        elif kind == "repeat":
            content[place:place] = content[place : place + length] * random.randint(1, 3)
    return bytes(content)


def any_json(random, depth=3):
    """Numbers, texts and the like, and lists and dictionaries of them."""
    kind = random.choice(("leaf", "leaf", "list", "dictionary")) if depth else "leaf"
    if kind == "list":
        return [any_json(random, depth - 1) for _ in range(random.randint(0, 3))]
    if kind == "dictionary":
        return {random.choice(WORDS): any_json(random, depth - 1) for _ in range(random.randint(0, 3))}
    leaves = (None, random.random() < 0.5, random.choice(NUMBERS_IN_JSON), random.choice(WORDS), text(random))
    return random.choice(leaves)


def text(random, longest=5):
    """A few characters, more of them strange than in texts that people write."""
    length = random.randint(0, longest)
    return "".join(
        random.choice(LETTERS) if random.random() < 0.8 else _character(random) for _ in range(length)
    )


def _character(random):
    """Any character, surrogates apart."""
    code = random.randrange(0x110000 - 0x800)
    return chr(code if code < 0xD800 else code + 0x800)


def edit(random, value):
    """The value after one to three changes."""
    value = copy.deepcopy(value)
    for _ in range(random.randint(1, 3)):
        path = random.choice(list(_places(value)))
        new = any_json(random)
        if not path:
            if random.randint(0, 9) == 0:
                return new
            continue
        *above, last = path
        holder = value
        for key in above:
            holder = holder[key]
        kind = random.choice(("replace", "replace", "remove", "add"))
        if kind == "replace":
            holder[last] = new
        elif kind == "remove":
            del holder[last]
        elif isinstance(holder, dict):
            holder[random.choice(WORDS)] = new
        else:
            holder.insert(last, new)
    return value


def _places(value, path=()):
    """The paths to all values in nested lists and dictionaries."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _places(value[key], (*path, key))


def as_json(value):
    """The bytes of a JSON file."""
    return json.dumps(value).encode("utf-8", "surrogatepass")


def remembered(function):
    """The same function, which computes each answer, or error, once: networks and datasets take their time.

    Arguments are told apart by their `repr`; the answers are shared, so that nobody may change them.
    """
    known = {}

    def answer(*arguments, **options):
        key = repr((arguments, options))
        if key not in known:
            try:
                known[key] = function(*arguments, **options), None
            except Exception as error:
                known[key] = None, error
        value, error = known[key]
        if error is not None:
            raise error.with_traceback(None)
        return value

    return answer
