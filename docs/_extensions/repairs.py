"""Small repairs while pages are read: languages of code blocks, words in single backticks, lone stars."""

from __future__ import annotations

import ast
import re
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref

LITERAL = re.compile(r"(``.*?``|:math:`[^`]*`|^ *>>> [^\n]*)", re.DOTALL | re.MULTILINE)
EMPHASIS = re.compile(r"((?<![\w\\*])\*(?![\s*])[^*\n]*[^\s*\\]\*(?![\w*]))")
LONE = re.compile(r"(?<![\w\\*])(\*(?=[\w,)])|\|(?=[^\s|]))")


def setup(app: Any) -> dict[str, bool]:
    """Connect them to Sphinx."""
    app.connect("autodoc-process-docstring", keep_stars, priority=900)
    app.connect("doctree-read", name_language)
    app.connect("missing-reference", leave_words, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def name_language(app: Any, doctree: nodes.document) -> None:
    """An indented block that Python can read is Python; another, such as a command, has no colours."""
    for block in doctree.findall(nodes.literal_block):
        if block.get("language", "none") in ("none", "default") and is_python(block.astext()):
            block["language"] = "python"


def is_python(text: str) -> bool:
    """Whether `text` is a program, of more than names and numbers."""
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError):
        return False
    return not all(
        isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Call | ast.Await)
        for statement in statements
    )


def leave_words(
    app: Any, environment: Any, node: pending_xref, content: nodes.Element
) -> nodes.Element | None:
    """A word in single backticks may be an argument, and no link. What has a role of its own must be one."""
    return content if node.get("reftype") == "obj" else None


def keep_stars(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """A star as in (N, C, *size), or a bar as in ``|x|``, begins no emphasis and no substitution."""
    lines[:] = escaped("\n".join(lines)).split("\n")


def escaped(text: str) -> str:
    r"""Text with a backslash before each star and bar that markup would take for its own.

    >>> escaped("(N, *size), |x| and *this*, ``|y|``")
    '(N, \\*size), \\|x| and *this*, ``|y|``'
    """
    parts = LITERAL.split(text)
    for i in range(0, len(parts), 2):
        words = EMPHASIS.split(parts[i])
        words[::2] = [LONE.sub(r"\\\1", word) for word in words[::2]]
        parts[i] = "".join(words)
    return "".join(parts)
