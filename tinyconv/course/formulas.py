"""A formula in LaTeX as a line for the terminal: what the lessons write, in letters of Unicode."""

from __future__ import annotations

import re

MATH = re.compile(r"^\.\. math::(.*(?:\n(?:[ ]+\S.*|(?=\n[ ]+\S)))*)", re.MULTILINE)
"""A formula of its own: the rest of the line, and the indented lines that follow, with empty ones between."""

_NAMES = {
    "sigma": "σ", "alpha": "α", "eta": "η", "sum": "Σ", "le": "≤", "leftarrow": "←", "cdot": "·",
    "dots": "…", "langle": "⟨", "rangle": "⟩", "qquad": "\t", ",": "", "left": "", "right": "",
}  # fmt: skip
_LOW = str.maketrans("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_HIGH = str.maketrans("0123456789+-=()Tijknxyz", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵀⁱʲᵏⁿˣʸᶻ")
_GROUP = r"(?:\{([^{}]*)\}|(\w))"
_COMMAND = re.compile(r"\\(?!frac|bar|begin|end)([A-Za-z]+|,)")


def readable(formula: str) -> str:
    """Write a formula so that it can be read without being typeset.

    Examples
    --------
    >>> readable(r"y = \\sigma(w_1 x + b) \\le \\frac{1}{1 + e^{-z}}")
    'y = σ(w₁ x + b) ≤ 1 / (1 + e⁻ᶻ)'
    """
    formula = re.sub(r"\s+", " ", formula.strip())
    formula = re.sub(r"\\(?:mathrm|text)\{((?:[^{}\\]|\\_)*)\}", r"\1", formula).replace(r"\partial ", "∂")
    formula = _COMMAND.sub(lambda found: _NAMES.get(found[1], found[1]), formula)
    formula = re.sub(r"\\begin\{cases\}(.*?)\\end\{cases\}", _cases, formula)
    before = None
    while formula != before:  # from the innermost braces outwards
        before = formula
        formula = re.sub(rf"(?<!\\)([_^]){_GROUP}", _raised, formula)
        formula = re.sub(rf"\\frac\s*{_GROUP}{_GROUP}", _fraction, formula)
        formula = re.sub(r"\\bar\s*(\w)", "\\1\N{COMBINING MACRON}", formula)
    rows = formula.replace(r"\_", "_").replace("&", "").split("\\\\")
    return "\n".join(re.sub(r" *\t *", "    ", re.sub(" +", " ", row)).strip() for row in rows)


def _raised(found: re.Match[str]) -> str:
    text = found[2] or found[3] or ""
    letters = text.translate(_LOW if found[1] == "_" else _HIGH)
    if "\\" not in text and all(a != b for a, b in zip(text, letters, strict=True)):
        return letters
    return found[1] + (text if len(text) == 1 else f"({text})")


def _fraction(found: re.Match[str]) -> str:
    parts = [found[1] or found[2], found[3] or found[4]]
    if max(map(len, parts)) == 1:
        return "/".join(parts)
    return " / ".join(f"({part})" if " " in part.strip() else part for part in parts)


def _cases(found: re.Match[str]) -> str:
    return ", ".join(part.strip().replace("&", "if") for part in found[1].split("\\\\"))
