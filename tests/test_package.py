"""What is installed, what it needs, and what `import tinyconv` costs."""

from __future__ import annotations

import configparser
import fnmatch
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import tinyconv

ROOT = Path(__file__).parents[1]
RUNTIME = (
    "hypothesis",
    "matplotlib",
    "numba",
    "numpy",
    "pillow",
    "rich",
    "safetensors",
    "scikit-learn",
    "typer",
)
EXTRAS = {
    "test",
    "nvrtc",
    "lessons",
    "brain",
    "docs",
    "bench",
    "contenders",
    "gpu",
    "fast",
    "gpu12",
    "onnx",
    "medical",
    "mpi",
    "tensorboard",
}


@pytest.fixture(scope="module")
def setup_cfg():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


@pytest.fixture(scope="module")
def makefile():
    return (ROOT / "Makefile").read_text(encoding="utf-8")


def lines(text):
    return [line for line in text.strip().splitlines() if line and not line.startswith("#")]


def project_names(requirements):
    return sorted(re.split(r"[\[<>=!~ ;]", line)[0] for line in lines(requirements))


def test_every_folder_of_code_is_installed(setup_cfg):
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "tinyconv").rglob("*.py")}
    packages = {".".join(folder.parts) for folder in folders} | {"tinyconv.lessons"}
    assert set(lines(setup_cfg["options"]["packages"])) == packages


def test_every_installed_folder_is_a_package():
    folders = {path.parent for path in (ROOT / "tinyconv").rglob("*.py")} | {ROOT / "lessons"}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_files_that_are_not_python_are_installed(setup_cfg):
    listed = ",".join(setup_cfg["options.package_data"].values())
    patterns = [p.strip().rpartition("/")[2] for p in listed.split(",") if not p.strip().endswith(".py")]
    others = [
        path.relative_to(ROOT)
        for folder in ("tinyconv", "lessons")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc", ".nbi", ".nbc")
    ]
    assert others, "at least py.typed"
    missing = [p for p in others if not any(fnmatch.fnmatch(p.name, pattern) for pattern in patterns)]
    assert missing == []


def test_every_file_of_the_exercises_is_installed(setup_cfg):
    patterns = [p.strip() for p in setup_cfg["options.package_data"]["tinyconv.lessons"].split(",")]
    lessons = ROOT / "lessons"
    found = {path for pattern in patterns for path in lessons.glob(pattern)}
    files = {path for path in (lessons / "exercises").rglob("*") if path.suffix in (".py", ".cu", ".md")}
    assert len(files) >= 4 and files == found


def test_runtime_needs_nothing_heavier(setup_cfg):
    assert tuple(project_names(setup_cfg["options"]["install_requires"])) == RUNTIME
    assert setup_cfg["options"]["python_requires"] == ">=3.11"
    assert "numpy>=2" in lines(setup_cfg["options"]["install_requires"])


def test_extras(setup_cfg):
    extras = setup_cfg["options.extras_require"]
    assert set(extras) == EXTRAS
    assert {name for name in extras if "torch" in extras[name]} == {"bench"}


def test_metadata_stands_in_setup_cfg_alone(setup_cfg):
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(pyproject) == {"build-system", "tool"}
    assert set(pyproject["tool"]) == {"ruff", "mypy"}
    assert setup_cfg["metadata"]["version"] == "attr: tinyconv._version.__version__"
    assert re.fullmatch(r"\d+\.\d+\.\d+", tinyconv.__version__)
    assert f"## {tinyconv.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_command_exists(setup_cfg):
    import importlib

    name, _, target = setup_cfg["options.entry_points"]["console_scripts"].strip().partition(" = ")
    module, _, function = target.partition(":")
    assert name == "tinyconv" and module == setup_cfg["options"]["py_modules"]
    assert callable(getattr(importlib.import_module(module), function))
    plugin = setup_cfg["options.entry_points"]["pytest11"].strip().partition(" = ")[2]
    assert callable(importlib.import_module(plugin).pytest_collect_file)


def test_lessons_are_named_by_number():
    names = [path.name for path in (ROOT / "lessons").glob("*.py") if path.name != "__init__.py"]
    assert [name for name in names if not re.fullmatch(r"\d\d_[a-z0-9_]+\.py", name)] == []
    assert len({name[:2] for name in names}) == len(names)


def test_import_is_light():
    heavy = {"matplotlib", "cupy", "sklearn", "scipy", "PIL", "numba", "llvmlite", "rich", "typer", "torch"}
    code = f"import sys, tinyconv; print(*sorted({heavy!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.split() == []


def test_workflow_and_hooks_call_targets_that_exist(makefile):
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    assert {"course", "test", "lint", "format", "bench", "clean", "help"} <= targets
    called = set()
    for name in (".pre-commit-config.yaml", ".github/workflows/ci.yml", ".ci/run"):
        text = (ROOT / name).read_text(encoding="utf-8")
        called |= set(re.findall(r"\bmake (?:--no-print-directory )?([a-z]+)", text))
    assert {"course", "test", "lint"} <= called <= targets


def test_readme_begins_with_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [line.split("#")[0].strip() for line in text.splitlines() if line.startswith("    ")]
    assert commands[:2] == ["make course", "make test"]
