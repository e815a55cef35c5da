"""With which code a run was made."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path

from tinyconv._version import __version__

PACKAGES = ("numpy", "numba", "scipy", "pillow")
SECONDS = 10
LENGTH = 40
"""Of the name of a commit."""


def find_versions() -> dict[str, str]:
    """The versions of Python, tinyconv and the packages that numbers depend on.

    Where tinyconv is a checkout, ``commit`` is its git commit, with ``-dirty`` behind it if files differ
    from it.

    Examples
    --------
    >>> sorted(find_versions().keys() - {"commit"})
    ['numba', 'numpy', 'pillow', 'python', 'scipy', 'tinyconv']
    """
    found = {"python": platform.python_version(), "tinyconv": __version__}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "unknown"
    commit = find_commit(Path(__file__).parents[2])
    return found | ({"commit": commit} if commit else {})


def find_commit(folder: Path) -> str:
    """The git commit of a checkout; empty if `folder` is none, or git does not say."""
    if not (folder / ".git").exists():  # a package in somebody's repository is not that repository's
        return ""
    command = ["git", "describe", "--always", "--dirty", f"--abbrev={LENGTH}", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=True, timeout=SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
