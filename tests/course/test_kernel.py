"""Kernels in CUDA C as exercises: what the judge says of a launch, without a GPU and without a compiler."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

from tinyconv.course.exercises import Check, Exercise, Limits, call, find_exercise, judge
from tinyconv.course.exercises.classroom import UNREADABLE, check_class
from tinyconv.course.exercises.submission import is_same_program
from tinyconv.errors import PackageError
from tinyconv.kernels.cuda.emulator import build

compiles = pytest.mark.skipif(build.why_not() is not None, reason=str(build.why_not()))
TWICE = """__global__ void twice(const float* x, float* y, int count) {{
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  {body}
}}
"""
RIGHT = TWICE.format(body="if (i < count) y[i] = 2 * x[i];")


def launch(x):
    return (call("twice", (-(-x.size // 4),), (4,), x, np.zeros_like(x), x.size),)


EXERCISE = Exercise(
    function="twice",
    kernel=("const float*", "float*", "int"),
    checks=[
        Check(
            "twice",
            lambda d: {"x": d.array(d.integer(1, 9))},
            lambda x: 2 * x,
            use=launch,
            stages=("float32",),
        )
    ],
)


def verdict(source, **options):
    return judge(EXERCISE, source, "twice.cu", shrink=False, **options)


@compiles
def test_a_right_kernel_passes():
    done = verdict(RIGHT)
    assert done.passed and done.tried >= 60


@compiles
@pytest.mark.parametrize(
    ("body", "words", "line"),
    [
        ("y[i] = 2 * x[i];", "OutOfBoundsError", 3),
        ("if (i < count) y[i] = 2 * x[i - 30000];", "OutOfBoundsError", 3),
        ("if (i < count) y[i + 30000] = 2 * x[i];", "OutOfBoundsError", 3),
        ("if (i < count) y[i - count - 4] = 2 * x[i];", "OutOfBoundsError", 3),
        (
            "__shared__ float s[4]; s[threadIdx.x] = i; if (i < count) y[i] = s[3 - threadIdx.x];",
            "RaceError",
            3,
        ),
        ("if (i < count) y[i] = 2 * x[i]\n;;}", "CompileError", None),
        ("y[i] = 2 * z[i];", "CompileError", 3),
    ],
)
def test_what_must_not_be_done_is_named_with_its_line(body, words, line):
    done = verdict(TWICE.format(body=body))
    assert not done.passed
    seen = done.seen
    assert seen.sentence.startswith(words) and (line is None or seen.error["line"] == line)
    assert "[code at" not in seen.sentence


COMMAND = 'extern "C" int system(const char*);'


@compiles
@pytest.mark.parametrize(
    ("source", "words", "line"),
    [
        ('#include "{solution}"', "#include", 1),
        ('%:include "{solution}"', "%:", 1),
        ('?\\\n?=include "{solution}"', "??", 1),
        ('#inc\\\nlude "{solution}"', "#include", 1),
        ('/*\n*/ # /**/ include "{solution}"', "#include", 2),
        ("int a = 1'0 + '/*';\n#include \"{solution}\"\n//*/", "#include", 2),
        ('const char* a = R"(\n)";', 'R"', 1),
        ("#define X 1é'0 '/*'\n#include \"{solution}\"\n#define Y */", "the character", 1),
        ('#import "{solution}"', "#import", 1),
        ('#include_next "{solution}"', "#include_next", 1),
        ("#if __has_include(<cmath>)\n#endif", "__has_include", 1),
        ('#pragma GCC dependency "{solution}"', "#pragma", 1),
        ('#define P _Pragma("weak a")', "_Pragma", 1),
        ('#line 7 "other.cu"', "#line", 1),
        ('asm(".incbin \\"{solution}\\"");', "asm", 1),
        ("#define A as##m", "##", 1),
        ('#define L [\nL L gnu::section(".text\\n.incbin")]] int a = 1;', "gnu", 2),
        ("__attribute__((constructor)) void go() {{}}", "__attribute__", 1),
        ('}}\n{command}\nnamespace {{ int go = system("true");', "a kernel cannot call system", None),
        ('FILE* file = fopen("{solution}", "r");', "a kernel cannot call fopen", None),
        ("}}\n#include <unistd.h>\nnamespace {{ int go = fork();", "#include", 2),
        ('FILE* file = popen("true", "r");', "a kernel cannot call popen", None),
    ],
)
def test_a_kernel_reads_no_file_and_calls_nothing(source, words, line):
    text = source.format(solution=find_exercise(27).folder / "solution.cu", command=COMMAND)
    done = verdict(f"{text}\n{RIGHT}")
    assert not done.passed and done.seen.error["type"] == "Refused", done.seen
    assert done.seen.error["message"].startswith(words) and done.seen.error["line"] == line
    assert "solve it without that" in done.mistake


@compiles
@pytest.mark.parametrize(
    "lines",
    [
        "// #include <cmath>\n/* asm\n## %: ?? é 'tis */\n#pragma unroll 4",
        '#define MOST \\\n  25\n#ifdef MOST\n#undef MOST\n#else\n#error "none"\n#endif',
        'const char* text = "#include asm ## é";\nconstexpr int large = 1\'000;',
        '__device__ float root(float x) { printf("%g\\n", x); return sqrtf(x) + expf(x) + fmaxf(x, 1); }',
        "__device__ float sum;\n__device__ void add(float x) { atomicAdd(&sum, x); }",
        'extern "C" {}\nextern __shared__ float room[];',
    ],
)
def test_what_a_kernel_may_hold(lines):
    done = verdict(f"{lines}\n{RIGHT}")
    assert done.passed, (done.mistake, done.seen)


@compiles
def test_nothing_runs_before_the_kernel_does():
    done = verdict("float two = 2 + threadIdx.x;\n" + RIGHT.replace("2 *", "two *"))
    assert "begin with a constant" in done.seen.sentence and done.seen.error["type"] == "CompileError"


@compiles
def test_other_parameters_are_refused():
    done = verdict(RIGHT.replace("int count", "long long count"))
    assert not done.passed
    assert "parameters have to stay" in done.seen.sentence and done.seen.error["line"] is None


@compiles
def test_a_todo_is_told_apart_from_a_mistake():
    assert "TODO" in verdict(TWICE.format(body='#error "the TODO is still there"')).mistake


@compiles
def test_an_endless_loop_is_ended():
    done = verdict(TWICE.format(body="while (y) y[0] = i;"), limits=Limits(call_seconds=1.5))
    assert not done.passed and done.seen.kind == "ended"


def test_without_a_compiler_the_check_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(build, "_compiler", build._compiler.__wrapped__)
    with pytest.raises(PackageError, match=r"g\+\+"):
        verdict(RIGHT)
    entry = find_exercise("27")
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / entry.file_name).write_text(entry.solution)
    (result,) = check_class(tmp_path, [entry], jobs=1)
    assert result.outcome == UNREADABLE and "g++" in result.mistake


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (("  ", "\t"), True),
        (("{\n", "{ // here it begins\n /* and\n goes on */\n"), True),
        (("count", "size"), False),
        (("2 *", "2.0f *"), False),
    ],
)
def test_the_same_kernel_but_for_comments_and_spaces(change, same):
    assert is_same_program(RIGHT.replace(*change), RIGHT, ".cu") is same


def test_a_kernel_is_started_as_a_cu_file():
    entry = find_exercise(27)
    assert entry.file_name == "27_cuda_kernel.cu" and entry.title == "27. A CUDA kernel"
    assert re.search(r"#error .*TODO", entry.stub)
