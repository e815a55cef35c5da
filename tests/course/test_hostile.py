"""Files that try to stop the judge, to reach for what they must not have, or to fool it: none passes."""

from __future__ import annotations

import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinyconv.course.exercises import Check, Exercise, Limits, judge
from tinyconv.course.exercises.catalogue import find_exercise

ROOT = Path(__file__).parents[2]
QUICK = Limits(call_seconds=1.5, check_seconds=20, memory=256 << 20)
SQUARE = Exercise(
    function="square",
    checks=[
        Check("square", draw=lambda d: {"x": d.array(d.batch(3), 2)}, expect=lambda x: x * x, examples=10)
    ],
    forbidden=["numpy.square"],
)
RIGHT = "import numpy as np\ndef square(x):\n    return x * x\n"
HEAD = "import random, warnings\nimport numpy as np\nOS, SYS = random._os, warnings.sys\n"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="a limit of memory that only Linux keeps")


def check(source, limits=QUICK, exercise=SQUARE):
    return judge(exercise, textwrap.dedent(source), limits=limits, shrink=False)


def test_the_right_answer_passes():
    assert check(RIGHT).passed


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "import itertools\n    for i in itertools.count(): pass",
        "try:\n        while True: pass\n    finally:\n        return x * x",
        "import time\n    time.sleep(100)",
    ],
)
def test_an_endless_loop_is_ended(body):
    started = time.monotonic()
    verdict = check(f"def square(x):\n    {body}\n")
    assert not verdict.passed and "loop that never ends" in verdict.mistake
    assert time.monotonic() - started < 15


def test_a_check_that_takes_too_long_as_a_whole_is_ended():
    source = "import time\ndef square(x):\n    time.sleep(0.15)\n    return x * x\n"
    verdict = check(source, Limits(call_seconds=5, check_seconds=1))
    assert not verdict.passed and "a loop too many" in verdict.mistake
    assert "more than 1 seconds" in verdict.seen.sentence


def test_an_answer_that_nobody_asked_for_does_not_pass():
    """Right answers with numbers of questions that were not asked yet, before each wrong one."""
    source = """
        def square(x):
            message = SYS.modules["wire"].pack({"id": 10**6, "result": x * x})
            for n in range(3, 20):
                try:
                    OS.write(n, message)
                except OSError:
                    pass
            return x
    """
    verdict = check(HEAD + textwrap.dedent(source))
    assert not verdict.passed and "the answer cannot be read" in verdict.seen.sentence


def test_an_endless_loop_at_the_margin_is_ended():
    verdict = judge(SQUARE, "while True: pass\n", limits=Limits(call_seconds=-8, check_seconds=5))
    assert not verdict.passed and "loop that never ends" in verdict.mistake


@LINUX
@pytest.mark.parametrize(
    "body", ["return np.ones((1 << 40,))", "return [0] * (1 << 36)", "return np.ones((1 << 28,)) * 2"]
)
def test_a_huge_allocation_is_refused(body):
    verdict = check(f"import numpy as np\ndef square(x):\n    {body}\n")
    assert not verdict.passed and "far larger than the result" in verdict.mistake


def test_a_huge_result_is_refused():
    verdict = check("import numpy as np\ndef square(x):\n    return np.ones(9 << 20)\n", Limits(5, 20))
    assert not verdict.passed and verdict.seen.kind == "ended"
    assert "more than" in verdict.seen.sentence


@pytest.mark.parametrize("place", ["", "def square(x):\n    "])
@pytest.mark.parametrize(
    "ending",
    [
        "OS._exit(0)",
        "exit()",
        "quit(0)",
        "raise SystemExit(0)",
        "raise KeyboardInterrupt",
    ],
)
def test_ending_the_process_does_not_pass(place, ending):
    verdict = check(f"{HEAD}{place}{ending}\n")
    assert not verdict.passed and verdict.mistake


def test_a_process_that_ends_itself_is_named():
    verdict = check(HEAD + "def square(x):\n    OS._exit(0)\n")
    assert "ended by itself with exit status 0" in verdict.seen.sentence


def test_recursion_without_an_end():
    verdict = check("def square(x):\n    return square(x)\n")
    assert not verdict.passed and "recursion" in verdict.mistake


@pytest.mark.parametrize(
    "lines",
    [
        "import os",
        "import subprocess",
        "import ctypes",
        "import importlib",
        "import tinyconv",
        "from tinyconv.course.exercises import find_exercise",
        "from scipy import signal",
        "from . import spec",
        "open('x.txt', 'w')",
        "open('/etc/passwd').read()",
        "open(np.__file__, 'a')",
        "np.save('x.npy', np.ones(3))",
        "np.loadtxt('/etc/passwd')",
        "OS.listdir('/')",
        "OS.remove('/not-there')",
        "OS.system('true')",
        "OS.fork()",
        "OS.open('/etc/passwd', 0)",
        "OS.kill(OS.getppid(), 0)",
        "OS.mkdir('folder')",
        "OS.symlink('/etc', 'link')",
        "SYS.modules['importlib'].import_module('socket')",
        "SYS.modules['importlib'].import_module('subprocess')",
        "SYS.modules['importlib'].import_module('readline').read_history_file('/etc/passwd')",
        "SYS.modules['importlib'].import_module('_sqlite3')",
        "OS.mkfifo('/not-there/a')",
        "OS.mknod('/not-there/a')",
        "SYS.modules['posix'].mkfifo('/not-there/a')",
        "OS.chroot('/not-there')",
        "OS.memfd_create('a')",
        "import numpy.testing",
    ],
)
def test_what_is_not_allowed_is_refused(lines):
    verdict = check(f"{HEAD}def square(x):\n    {lines}\n    return x * x\n")
    assert not verdict.passed
    assert verdict.seen.error["type"] == "Refused", verdict.seen


@pytest.mark.parametrize("line", ["import os", "open('x.txt', 'w')", "OS.listdir('/')"])
def test_nor_while_the_file_is_loaded(line):
    verdict = check(f"{HEAD}{line}\n{RIGHT}")
    assert not verdict.passed and verdict.seen.error["type"] == "Refused"


def test_the_engine_is_not_found_even_by_its_path():
    lines = f"SYS.path.append({str(ROOT)!r})\n    SYS.modules['importlib'].import_module('tinyconv')"
    verdict = check(f"{HEAD}def square(x):\n    {lines}\n    return x * x\n")
    assert not verdict.passed and verdict.seen.error["type"] == "ModuleNotFoundError"


CONVOLVE = Exercise(
    function="smooth",
    checks=[
        Check(
            "smooth",
            lambda d: {"x": d.array(d.integer(2, 9))},
            lambda x: np.convolve(x, [1, 2], "valid"),
            stages=(),
        )
    ],
    forbidden=["numpy.convolve", "numpy.correlate"],
)


@pytest.mark.parametrize(
    "expression",
    [
        "np.convolve(x, [1, 2], 'valid')",
        "np._core.numeric.convolve(x, [1, 2], 'valid')",
        "np.convolve.__wrapped__(x, [1, 2], 'valid')",
        "np.ma.convolve(x, [1, 2], 'valid')",
        "np.polymul(x, [1, 2])[1:-1]",
        "np._core.multiarray.correlate(x, np.array([2.0, 1]), 0)",
        "np._core._multiarray_umath.correlate2(x, np.array([2.0, 1]), 0)",
        "[f for f in np._core.overrides.ARRAY_FUNCTIONS if f.__name__ == 'convolve'][0](x, [1, 2], 'valid')",
    ],
)
def test_nor_by_another_name(expression):
    verdict = check(f"import numpy as np\ndef smooth(x):\n    return {expression}\n", exercise=CONVOLVE)
    assert not verdict.passed and verdict.seen.kind == "error", verdict.seen


def test_what_it_is_to_be_written_with_may_be_called():
    source = "import numpy as np\ndef smooth(x):\n    return 2 * x[:-1] + x[1:]\n"
    assert check(source, exercise=CONVOLVE).passed


@pytest.mark.parametrize(
    "name", ["sys", "logging", "inspect", "numpy.testing", "numpy.matlib", "scipy.signal"]
)
def test_an_import_is_refused_in_words_of_its_own(name):
    verdict = check(f"import {name}\n{RIGHT}")
    assert verdict.seen.sentence.startswith(
        f"Refused: import {name}: there are only numpy and modules of Python that compute"
    )
    assert "leave this import out" in verdict.mistake


@pytest.mark.parametrize(
    "lines",
    [
        *(
            f"import numpy.{name}"
            for name in ("ma", "typing", "rec", "strings", "char", "lib", "lib.recfunctions")
        ),
        "from numpy.typing import NDArray",
        "from numpy.lib.stride_tricks import sliding_window_view",
        "import collections.abc, statistics, decimal, random, typing",
        "np.isin(a, a), np.histogram(a), np.interp(a[0], [0, 1], [0, 1]), np.cov(a), np.unique(a)",
        "np.nanmean(a), np.quantile(a, 0.5), np.block([[a, a]]), np.roots([1, 2, 1]), np.median(a)",
        "np.ma.masked_invalid(a), np.strings.upper('a'), np.rec.array([(1, 2)]), np.emath.sqrt(a)",
        "np.einsum('ij,kj', a, a, optimize=True), np.linalg.svd(a), np.fft.fft2(a)",
        "print(a, repr(a.astype('f4')), np.datetime64('2020-01-01'), f'{x.sum():.3f}')",
        "warnings.warn('look'), random.random(), '\\N{GREEK SMALL LETTER ALPHA}'",
        "np.vectorize(abs)(a), np.apply_along_axis(sum, 0, a), np.random.default_rng(0).permutation(3)",
        "'ä'.encode('latin-1'), 'ä'.encode('utf-16'), np.array(['a']).astype('S1')",
    ],
)
def test_what_a_student_may_use(lines):
    verdict = check(
        f"{HEAD}def square(x):\n    a = np.arange(6.0).reshape(3, 2)\n    {lines}\n    return x * x\n"
    )
    assert verdict.passed, (verdict.mistake, verdict.seen)


def test_what_is_to_be_written_may_not_be_called():
    verdict = check("import numpy as np\ndef square(x):\n    return np.square(x)\n")
    assert not verdict.passed and "numpy.square does what you are to write" in verdict.seen.sentence


@pytest.mark.parametrize(
    "source",
    [  # each would pass if the student's process had a say in the verdict
        "np.array_equal = np.allclose = lambda *a, **k: True\ndef square(x):\n    return x\n",
        "print('right')\nprint('{\"passed\": true}')\ndef square(x):\n    return x\n",
        "class Equal:\n    def __eq__(self, other):\n        return True\n"
        "def square(x):\n    return Equal()\n",
        "class A(np.ndarray):\n    def __ne__(self, other):\n        return np.zeros(self.shape, bool)\n"
        "def square(x):\n    return x.view(A)\n",
        "def square(x):\n    SYS.modules['__main__'].describe_error = None\n    return x\n",
        "def square(x):\n    SYS.modules['wire'].pack = lambda v: b'passed'\n    return x\n",
        "def square(x):\n    for n in range(3, 20):\n        try: OS.write(n, b'passed' * 100)\n"
        "        except OSError: pass\n    return x\n",
        "def square(x):\n    return np.full(x.shape, np.nan)\n",
        "def square(x):\n    return np.array([[object()]])\n",
        "def square(x):\n    a = []\n    a.append(a)\n    return a\n",
        "def square(x):\n    return (i for i in x)\n",
        "square = 3\n",
        "def cube(x):\n    return x**3\n",
        "def square(x):\n    x *= x\n    return x\n",
        "\x00",
        "",
        "def square(x:\n",
    ],
)
def test_no_trick_passes(source):
    verdict = check(HEAD + source)
    assert not verdict.passed and verdict.mistake


def test_an_answer_for_constant_inputs_only_does_not_pass():
    assert not check("import numpy as np\ndef square(x):\n    return x * x.flat[0] if x.size else x\n").passed


def test_the_expected_values_are_not_in_the_students_process():
    source = """
        import warnings
        SYS = warnings.sys
        def square(x):
            names = " ".join(SYS.modules)
            assert "tinyconv" not in names and "hypothesis" not in names, names
            assert not SYS.argv[1:]
            return x * x
    """
    assert check(source).passed


def test_the_solution_cannot_be_read():
    entry = find_exercise("01")
    source = f"open({str(entry.folder / 'solution.py')!r}).read()\n" + entry.solution
    verdict = judge(entry.load(), source)
    assert not verdict.passed and "reading a file" in verdict.seen.sentence


def test_the_course_cannot_be_read_where_the_engine_may_be():
    exercise = replace(SQUARE, imports=["tinyconv"])
    engine, course = ROOT / "tinyconv" / "tensor.py", ROOT / "tinyconv" / "course" / "catalogue.py"
    assert check(f"open({str(engine)!r}).close()\n{RIGHT}", exercise=exercise).passed
    verdict = check(f"open({str(course)!r}).close()\n{RIGHT}", exercise=exercise)
    assert not verdict.passed and "reading a file" in verdict.seen.sentence


def test_what_the_code_prints_is_shown_but_never_obeyed():
    from tinyconv.course.exercises.report import report_lines

    verdict = check("def square(x):\n    print('\\x1b[2J all is right')\n    return x\n")
    lines = [line for _, line in report_lines(find_exercise("01"), verdict)]
    assert "  | ?[2J all is right" in lines


def test_the_environment_stays_at_home(monkeypatch):
    monkeypatch.setenv("MY_SECRET", "1234")
    source = "def square(x):\n    assert 'MY_SECRET' not in OS.environ\n    return x * x\n"
    assert check(HEAD + source).passed


def test_the_same_file_gets_the_same_verdict():
    source = "def square(x):\n    return abs(x)\n"
    first, second = (judge(SQUARE, source, limits=QUICK) for _ in range(2))
    assert first.mistake == second.mistake
    assert all(np.array_equal(first.seen.case[k], second.seen.case[k]) for k in first.seen.case)


def test_an_answer_that_changes_its_mind_does_not_pass():
    source = "calls = []\ndef square(x):\n    calls.append(1)\n    return x * x if len(calls) % 2 else x\n"
    assert not check(source).passed
    assert not judge(SQUARE, source, limits=QUICK).passed
