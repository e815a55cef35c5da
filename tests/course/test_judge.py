"""The judge: rounds, the smallest case, named mistakes, steps, memory orders, layers of the engine."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest

from tinyconv.course.exercises import (
    Check,
    Draw,
    Exercise,
    Mistake,
    TensorInput,
    call,
    get,
    gradients_of,
    judge,
    kept,
    numeric_gradients,
    wire,
)
from tinyconv.course.exercises.arrays_as_text import array_lines, value_text
from tinyconv.course.exercises.comparison import compare
from tinyconv.course.exercises.draw import LAYOUTS, PLAIN, Stage, in_layout
from tinyconv.course.exercises.search import search

HEAD = "import numpy as np\n"


def draw(d):
    return {"x": d.array(d.batch(), d.integer(1, 4))}


def doubled(**options):
    return Exercise("f", [Check("f", draw=draw, expect=lambda x: 2 * x, **options)])


def verdict(body, exercise=None, **options):
    return judge(exercise or doubled(), f"{HEAD}def f(x):\n    {body}\n", **options)


@pytest.mark.parametrize(
    ("body", "stage", "told"),
    [
        ("return -2 * x", "random inputs", "sign"),
        ("return 6 * x", "random inputs", "3 times"),
        ("return 2 * x + 1", "random inputs", "1 too large"),
        ("return 2 * x[::-1]", "random inputs", "reversed along (0,)"),
        ("return 0 * x", "random inputs", "zero everywhere"),
        ("return x / 0 * 0", "random inputs", "nan or inf"),
        ("return (2 * x).T", "random inputs", "transposition"),
        ("return (2 * x).ravel()", "random inputs", "reshape is missing"),
        ("return (2 * x).sum(0)", "random inputs", "number of axes"),
        ("return (2 * x)[:, :-1]", "random inputs", "a size is wrong"),
        ("return (2 * x).tolist()", "random inputs", "compare what is returned"),
        ("return x[9, 9]", "random inputs", "index runs over the edge"),
        ("return 2 * y", "random inputs", "not defined"),
        ("x *= 2; return x", "random inputs", "in place"),
        ("return np.where(x > 0.3, 2 * x, x)", "random inputs", "at some elements"),
        ("return x.astype(float) * 2", "float32 inputs", "dtype is lost"),
        ("return (2 * x).astype(np.float32)", "random inputs", "another dtype"),
        ("return 2 * x.astype(np.float32) / np.float32(3) * 3", "random inputs", "another dtype"),
        ("return 2 * x.reshape(len(x), -1)", "an empty batch", "it is right for other batches"),
        ("return 2 * (x if len(x) > 1 else x[0])", "random inputs", "squeeze"),
        (
            "return np.lib.stride_tricks.as_strided(x, x.shape, (x.shape[1] * x.itemsize, x.itemsize)) * 2",
            "inputs in other memory orders",
            "C order",
        ),
    ],
)
def test_what_the_judge_guesses_by_itself(body, stage, told):
    exercise = Exercise(
        "f", [Check("f", draw=lambda d: {"x": d.array(d.batch(), d.integer(2, 4))}, expect=lambda x: 2 * x)]
    )
    found = verdict(body, exercise, shrink=False)
    assert (found.passed, found.stage) == (False, stage)
    assert told in found.mistake, found


def test_the_case_that_is_shown_is_small():
    exercise = Exercise(
        "f",
        [Check("f", draw=lambda d: {"x": d.array(d.integer(1, 9), d.integer(1, 9))}, expect=lambda x: 2 * x)],
    )
    body = "y = 2 * x\n    if x.shape[0] > 2 and x.shape[1] > 4: y[-1, -1] = 0\n    return y"
    found = verdict(body, exercise)
    assert found.seen.case["x"].shape == (3, 5)
    assert np.argwhere(found.seen.difference.wrong).tolist() == [[2, 4]]
    unshrunk = verdict(body, exercise, shrink=False)
    assert unshrunk.seen.case["x"].size >= 15


def test_cases_differ_in_their_numbers():
    cases = []
    check = Check("f", draw=lambda d: {"x": d.array(3, 3)}, expect=lambda x: x)
    search(check, PLAIN, set(), cases.append, 20, seed=0, shrink=False)
    assert len(cases) == 20 and len({case["x"].tobytes() for case in cases}) > 5


CASES_OF_SEED_0 = """
import sys
sys.path.insert(0, sys.argv[1])
__import__(sys.argv[2])
from tinyconv.course.exercises import Check
from tinyconv.course.exercises.draw import PLAIN
from tinyconv.course.exercises.search import search

check = Check("f", draw=lambda d: {"x": d.array(2), "n": d.integer(2000, 5000)}, expect=lambda x: x)
search(check, PLAIN, set(), lambda case: print(case["n"], case["x"]), 60, seed=0, shrink=False)
"""


def test_cases_do_not_depend_on_the_modules_that_are_loaded(tmp_path):
    (tmp_path / "with_numbers.py").write_text(f"NUMBERS = {list(range(101, 5000, 37))}\n")
    (tmp_path / "without_numbers.py").write_text("")
    with_numbers, without_numbers = (
        subprocess.run(
            [sys.executable, "-c", CASES_OF_SEED_0, str(tmp_path), name],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
        ).stdout
        for name in ("with_numbers", "without_numbers")
    )
    assert with_numbers.count("\n") == 60
    assert with_numbers == without_numbers


def test_a_foreseen_mistake_has_to_agree_in_all_cases():
    foreseen = [Mistake("x is not doubled", lambda x: x), Mistake("squared", lambda x: x * x)]
    exercise = doubled(mistakes=foreseen)
    assert verdict("return x * x", exercise, shrink=False).mistake == "squared"
    assert verdict("return x", exercise, shrink=False).mistake == "x is not doubled"
    only_sometimes = "return x if x.size < 4 else 2 * x"
    assert verdict(only_sometimes, exercise, shrink=False).mistake not in ("squared", "x is not doubled")


def test_a_predicate_that_fails_does_not_fit():
    broken = [Mistake("never", when=lambda seen: seen.nothing), Mistake("wide", when=lambda seen: True)]
    assert verdict("return x", doubled(mistakes=broken), shrink=False).mistake == "wide"


def test_worked_cases_come_first():
    worked = [{"x": np.array([[123.0]])}]
    found = verdict("return x if 123 in x else 2 * x", doubled(worked=worked))
    assert not found.passed and found.seen.case["x"].tolist() == [[123.0]]


def test_rounds_can_be_left_out():
    assert verdict("return 2.0 * x.astype(float)", doubled(stages=())).passed
    assert verdict("return 2.0 * x.astype(float)", doubled(keeps_dtype=False)).passed
    assert verdict("x *= 2; return x", doubled(may_change=True)).passed


COUNTER = """
class Counter:
    def __init__(self, start):
        self.total = start
        self.rate = 0.5
    def add(self, x):
        self.total = self.total + x
        return self
    def __call__(self, x):
        return self.total * x
"""


def test_steps_keep_objects_and_read_attributes():
    def use(x):
        return (
            call("Counter", 1.0, keep="a"),
            call("a.add", x),
            call("a.add", x, keep="b"),
            get("b.total", keep="t"),
            call("a", kept("t")),
        )

    exercise = Exercise("Counter", [Check("c", draw=draw, expect=lambda x: (1 + 2 * x) ** 2, use=use)])
    found = judge(exercise, COUNTER)
    assert found.passed, found
    read = Exercise(
        "Counter",
        [Check("c", draw, lambda x: 0.5, use=lambda x: (call("Counter", x, keep="a"), get("a.rate")))],
    )
    assert judge(read, COUNTER).passed


def test_an_exercise_with_the_engine():
    def use(x):
        return call("make", 3, 2, keep="layer"), call("layer", TensorInput(x.astype("float32")))

    def right(x):
        return x @ np.ones((3, 2))

    source = (
        "import tinyconv as tc\ndef make(i, o):\n    layer = tc.nn.Linear(i, o, bias=False)\n"
        "    tc.nn.init.ones_(layer.weight)\n    return {}\n"
    )
    check = Check("layer", lambda d: {"x": d.array(2, 3)}, right, use=use, stages=(), tolerance=1e-5)
    exercise = Exercise("make", [check], imports=["tinyconv"], forbidden=["tinyconv.nn.functional.relu"])
    found = judge(exercise, source.format("layer"))
    assert found.passed, found
    refused = judge(exercise, source.format("lambda x: tc.nn.functional.relu(layer(x))"), shrink=False)
    assert "tinyconv.nn.functional.relu does what you are to write" in refused.seen.sentence
    hidden = judge(exercise, "from tinyconv.course.exercises import find_exercise\n" + source.format("layer"))
    assert not hidden.passed


def test_gradients_by_differences_are_those_of_calculus():
    rng = np.random.default_rng(0)
    a, b, grad = rng.normal(size=(3, 2, 4))
    found = gradients_of(lambda a, b: a**3 * np.sin(b), "a", "b")(a=a, b=b, grad=grad)
    np.testing.assert_allclose(found[0], grad * 3 * a**2 * np.sin(b), rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(found[1], grad * a**3 * np.cos(b), rtol=1e-7, atol=1e-7)
    (one,) = numeric_gradients(lambda x: x.sum() ** 2, {"x": a}, ["x"])
    np.testing.assert_allclose(one, np.full(a.shape, 2 * a.sum()), rtol=1e-7)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(5,), (2, 3), (1, 4, 3), (2, 1, 3, 2), (0, 3)])
def test_arrays_travel_with_their_memory_order(shape, layout):
    x = in_layout(np.random.default_rng(0).normal(size=shape), layout)
    (y,) = wire.read(io.BytesIO(wire.pack([x])))
    assert x.dtype == y.dtype
    np.testing.assert_array_equal(x, y)
    if x.size > 1:
        pairs = zip(x.strides, y.strides, x.shape, strict=True)
        assert all(a == b for a, b, size in pairs if size > 1)


@pytest.mark.parametrize("value", [None, True, 3, -0.5, "text", [1, (2, {"a": [np.float32(1.5)]})], {}, ()])
def test_values_travel(value):
    back = wire.read(io.BytesIO(wire.pack(value)))
    assert back == value and type(back) is type(value)


def test_damaged_messages_are_refused():
    good = wire.pack({"x": np.arange(6.0).reshape(2, 3), "y": [1, "a"]})
    rng = np.random.default_rng(0)
    read = 0
    for _ in range(2000):
        bad = bytearray(good)
        bad[rng.integers(len(bad))] ^= 1 << rng.integers(8)
        try:
            wire.read(io.BytesIO(bytes(bad)))
            read += 1
        except (wire.BadMessage, EOFError):
            pass
    assert 0 < read < 2000


def test_objects_are_not_sent():
    assert isinstance(wire.read(io.BytesIO(wire.pack(object()))), wire.Unknown)
    with pytest.raises(wire.BadMessage):
        wire.pack(np.array([object()]))


@pytest.mark.parametrize("shape", [(1,), (7,), (3, 4), (2, 0, 3)])
@pytest.mark.parametrize("positive", [False, True])
def test_drawn_arrays_have_no_ties_and_no_zeros(shape, positive):
    d = Draw(lambda strategy: 5, Stage("x", dtype="float32"))
    x = d.array(*shape, positive=positive)
    assert x.shape == shape and x.dtype == np.float32
    assert len(np.unique(x)) == x.size and (x != 0).all() and (x * 8 == np.round(x * 8)).all()
    assert not positive or (x > 0).all()


@pytest.mark.parametrize(
    ("got", "expected", "kind"),
    [
        (1.0, 1.0, None),
        (1, 1.0, None),
        (np.float32(1), 1.0, None),
        (np.array(1.0), 1.0, None),
        (1.1, 1.0, "values"),
        (True, 1.0, "type"),
        ([1.0], np.array([1.0]), "type"),
        (np.array([1.0]), np.array([[1.0]]), "shape"),
        (np.array([1j]), np.array([1.0]), "dtype"),
        (np.array([np.nan]), np.array([1.0]), "values"),
        (np.array([np.nan]), np.array([np.nan]), None),
        (np.array([np.inf]), np.array([-np.inf]), "values"),
        (np.array([2, 3]), np.array([2, 3]), None),
        (np.array([2, 4]), np.array([2, 3]), "values"),
        ([1, 2], (1, 2), None),
        ((1,), (1, 2), "type"),
        ({"a": 1}, {"a": 2}, "values"),
        ({"b": 1}, {"a": 1}, "type"),
        ({"a": 1, "b": 2}, {"a": 1}, "type"),
        (np.array([1e6 + 0.01, 1.0]), np.array([1e6, 1.0]), None),
        (np.array([1e6 + 1, 1.0]), np.array([1e6, 1.0]), "values"),
        (np.array([1e-8]), np.array([0.0]), None),
        (np.array([1e-6]), np.array([0.0]), "values"),
        ("a", "a", None),
        (None, None, None),
        (None, 1.0, "type"),
        (wire.Unknown("generator"), 1.0, "type"),
        (np.bool_(True), True, None),
        (1, True, "type"),
    ],
)
def test_comparison(got, expected, kind):
    found = compare(got, expected, 1e-7)
    assert (found.kind if found else None) == kind


def test_long_arrays_are_cut_around_the_first_wrong_element():
    x = np.zeros((30, 40))
    wrong = np.zeros(x.shape, bool)
    wrong[20, 25] = True
    lines = list(array_lines(x, wrong))
    assert len(lines) <= 11 and sum(">0<" in line for line in lines) == 1
    volume = np.zeros((4, 5, 3, 3))
    marks = np.zeros(volume.shape, bool)
    marks[3, 2, 1, 1] = True
    assert next(array_lines(volume, marks)).strip() == "[3, 2, :, :]"


def test_what_is_right_is_shown_where_something_is_wrong():
    right = np.arange(180.0).reshape(4, 5, 3, 3)
    marks = np.zeros(right.shape, bool)
    marks[3, 2, 1, 1] = True
    shown = list(array_lines(right, marks, marked=False))
    assert shown[0].strip() == "[3, 2, :, :]" and shown[2].split() == ["156", "157", "158"]
    assert not any(">" in line for line in shown)


def test_arrays_in_a_dict_take_a_line_each():
    text = value_text({"weight": np.arange(12.0).reshape(3, 4), "count": np.zeros((), int)})
    assert [line.strip() for line in text.strip().splitlines()] == [
        "weight: shape (3, 4): 0 1 2 3 4 5 6 7 8 9 …",
        "count: 0",
    ]


NOISE = Exercise(
    "f",
    [
        Check(
            "noise",
            draw=lambda d: {"x": d.array(d.batch(), 3), "rng": d.seed()},
            accept=lambda got, x, rng: "" if got.shape == x.shape and (got >= x).all() else "no noise",
        )
    ],
)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return x + rng.random(x.shape).astype(x.dtype)", ""),
        ("return x + G.random(x.shape).astype(x.dtype)", "another one for the same rng"),
        ("return x + np.random.default_rng(0).random(x.shape).astype(x.dtype)", "the same for every rng"),
        ("return x", "the same for every rng"),
    ],
)
def test_a_generator_that_is_handed_over_is_used(body, told):
    done = judge(NOISE, f"{HEAD}G = np.random.default_rng(0)\ndef f(x, rng):\n    {body}\n")
    assert done.passed is not bool(told)
    assert told in (done.seen.sentence if done.seen else "") and ("rng" in done.mistake or not told)
