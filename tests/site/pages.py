"""The pages that people read: Markdown files, their links, their blocks of code, their commands."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXTERNAL = re.compile(r"https://[a-z0-9.-]+\.[a-z]{2,}(/[^\s<>\"]*)?(#\S+)?")
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(path for path in DOCS.rglob("*.md") if "_build" not in path.relative_to(DOCS).parts),
    ]
)
FENCE = re.compile(r"^(`{3,}|:{3,})")


def name(path: Path) -> str:
    """A page's path as a reader would write it."""
    return path.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(
        rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def without_code(text: str) -> str:
    """Markdown without its blocks and pieces of code."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^(    .*\n?)+", "", text, flags=re.MULTILINE)
    return re.sub(r"`[^`\n]+`", "", text)


def links(page: Path) -> list[str]:
    """Where the links and images of a page lead."""
    return re.findall(r"\]\(([^()\s]+)\)", without_code(page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """The names that headings have as places to jump to, made as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.+)$", without_code(page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def commands(page: Path) -> list[str]:
    """The command lines of a page: indented lines, and blocks of a console, without remarks and prompts."""
    text = page.read_text(encoding="utf-8")
    lines = [line for block in blocks(page, "console") for line in block.splitlines()]
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    lines += [line[4:] for line in outside.splitlines() if re.match(r"    \S", line)]
    starts = r"(\.venv[\\/](bin|Scripts)[\\/])?(tinyconv|make|python3?|py|pip|jupytext|pre-commit|git)\b"
    cut = [re.sub(r"\s+#.*", "", line.removeprefix("$ ")).strip() for line in lines]
    return [line for line in cut if re.match(starts, line) and not re.search(r" = |\w\(.*\)$", line)]
