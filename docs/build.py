"""Build the site: the pages of this folder, the lessons as they run, and the reference of the API.

    python docs/build.py            # docs/_build/html
    python docs/build.py --quick    # lessons as short as they can be: docs/_build/quick/html

Sphinx reads a copy of the pages, beside which lessons and reference are written: a checkout stays as
it is, and a quick build never takes the figures of a full one, nor the other way round.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
HEADER = "lessons_header.rst"
SUFFIXES = (".md", ".rst", ".py", ".png", ".svg", ".css", ".html", ".json")


def main() -> int:
    """Build what the command line says; 0 if nothing is wrong, not even a warning."""
    options = read_options()
    source, html = options.out / "source", options.out / "html"
    copy_pages(source)
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "-b", "html"]
    command += ["-d", str(options.out / "doctrees"), str(source), str(html)]
    done = subprocess.run(command, env=environment(options), check=False)
    if done.returncode == 0:
        print(f"\nThe site: {html / 'index.html'}")
    return done.returncode


def read_options() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description="Build the site; warnings are errors.")
    parser.add_argument("--quick", action="store_true", help="lessons as short as they can be")
    parser.add_argument("--lessons", default="", help="run these only, such as 04,16; show others as text")
    parser.add_argument("--out", type=Path, help="where html/ is made; default docs/_build")
    options = parser.parse_args()
    options.out = (options.out or DOCS / "_build" / ("quick" if options.quick else "")).resolve()
    return options


def environment(options: argparse.Namespace) -> dict[str, str]:
    """The variables under which Sphinx runs: this checkout's tinyconv, and what the lessons are to do."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    variables = {"PYTHONPATH": path, "TINYCONV_FIGURES": "figures", "TINYCONV_SITE_LESSONS": options.lessons}
    return {**os.environ, **variables, "TINYCONV_QUICK": "1" if options.quick else "0"}


def copy_pages(source: Path) -> None:
    """Bring `source` to the state of docs/ and lessons/; what has not changed keeps its time."""
    wanted = {}
    for path in sorted(DOCS.rglob("*")):
        name = path.relative_to(DOCS)
        if path.suffix in SUFFIXES and not {"_build", "__pycache__"} & set(name.parts):
            wanted[name] = path
    wanted[Path("scripts") / "GALLERY_HEADER.rst"] = wanted.pop(Path(HEADER))
    wanted |= {Path("scripts") / path.name: path for path in sorted((ROOT / "lessons").glob("[0-9]*.py"))}
    for name in pages_copied_before(source) - set(wanted):
        (source / name).unlink(missing_ok=True)
    for name, path in wanted.items():
        target = source / name
        if not target.exists() or not filecmp.cmp(path, target, shallow=False):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
    listing = "".join(f"{name.as_posix()}\n" for name in sorted(wanted))
    (source / "copied.txt").write_text(listing, encoding="utf-8")


def pages_copied_before(source: Path) -> set[Path]:
    """The files that an earlier build copied, as it noted them."""
    listing = source / "copied.txt"
    return set(map(Path, listing.read_text(encoding="utf-8").splitlines())) if listing.exists() else set()


if __name__ == "__main__":
    sys.exit(main())
