"""What the text of a CUDA kernel must not hold: other files, and assembler."""

from __future__ import annotations

import re
from collections.abc import Iterator

DIRECTIVES = frozenset(
    {"define", "undef", "if", "ifdef", "ifndef", "elif", "else", "endif", "error", "warning"}
)
WORDS = frozenset(
    {
        *("asm", "__asm", "__asm__", "__attribute", "__attribute__", "gnu", "__gnu__"),
        *("_Pragma", "__has_include", "__has_embed"),
    }
)
SIGNS = frozenset({"##", "%:", "??", "\\"})
"""They make one name of two, or spell # and letters in another way."""

TOKEN = re.compile(
    r"""(?P<space>[ \t]+|//[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<end>\n)
    |(?P<raw>(?:u8|[uUL])?R")
    |(?P<quoted>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<number>\.?\d(?:[eEpP][+-]|'?\w|\.)*)
    |(?P<word>[A-Za-z_$][\w$]*)
    |(?P<sign>\#\#|%:|\?\?|.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


def refusal(source: str) -> str:
    """The first thing that a kernel must not hold, told as g++ would; ``""`` if there is none.

    The text is read as a compiler reads it: a line that ends in a backslash goes on in the next one, and
    neither comments nor texts between quotes count.

    Examples
    --------
    >>> refusal('// #include "x"\\n#include "x"')
    'kernel.cu:2: error: refused: #include'
    """
    for tokens in _lines(_joined(source.replace("\r\n", "\n"))):
        for number, reason in _reasons(tokens):
            return f"kernel.cu:{number}: error: refused: {reason}"
    return ""


def _joined(source: str) -> str:
    """Lines that go on in the next ones as one line, with empty ones behind it to keep the numbers."""
    ends = r"\\[ \t\f\v\r]*\n"
    return re.sub(
        rf"(?:[^\n]*{ends})+[^\n]*",
        lambda found: re.sub(ends, "", found[0]) + "\n" * len(re.findall(ends, found[0])),
        source,
    )


def _lines(source: str) -> Iterator[list[tuple[int, str, str]]]:
    """The tokens of each line: the line's number, kind, and text."""
    number, tokens = 1, list[tuple[int, str, str]]()
    for found in TOKEN.finditer(source):
        kind, text = str(found.lastgroup), found[0]
        if kind == "end":
            yield tokens
            tokens = []
        elif kind != "space":
            tokens.append((number, kind, text))
        number += text.count("\n")
    yield tokens


def _reasons(tokens: list[tuple[int, str, str]]) -> Iterator[tuple[int, str]]:
    """Where there is something that must not be, and what."""
    texts = [text for _, _, text in tokens]
    allowed = len(texts) < 2 or texts[1] in DIRECTIVES or texts[1:3] == ["pragma", "unroll"]
    if texts[:1] == ["#"] and not allowed:
        yield tokens[0][0], f"#{texts[1]}"
    for number, kind, text in tokens:
        if kind == "raw" or text in WORDS or text in SIGNS:
            yield number, text
        if kind == "sign" and (text in "'\"" or not text.isascii() or not text.isprintable()):
            yield number, f"the character {text!r}"
