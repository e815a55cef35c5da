"""The results of a class as a CSV file, and as a page for the browser."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path

from tinyconv.course.exercises.classroom import MISSING, RIGHT, UNREADABLE, WRONG, Result
from tinyconv.errors import StorageError

COLUMNS = ("student", "exercise", "outcome", "mistake", "seconds", "note")
SIGNS = {RIGHT: "✓", WRONG: "✗", MISSING: "–", UNREADABLE: "?"}
CLASSES = {RIGHT: "right", WRONG: "wrong", MISSING: "missing", UNREADABLE: "wrong"}
STYLE = """
:root { color-scheme: light dark; --good: #0072b2; --bad: #d55e00; --line: #8884; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem; text-align: center; }
th:first-child, td:first-child { text-align: left; white-space: nowrap; }
thead th { vertical-align: bottom; }
.right { color: var(--good); font-weight: bold; }
.wrong a { color: var(--bad); font-weight: bold; text-decoration: none; }
.missing { opacity: .5; }
pre { background: #8881; overflow-x: auto; padding: .8rem; }
""".strip()


def write_reports(results: Sequence[Result], folder: Path) -> tuple[Path, Path]:
    """Write ``report.csv`` and ``report.html``.

    Parameters
    ----------
    results : sequence of Result
    folder : Path
        It is made if it is not there.

    Raises
    ------
    StorageError
        If they cannot be written.
    """
    ordered = sorted(results, key=lambda result: (result.student, result.exercise))
    table, page = folder / "report.csv", folder / "report.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        table.write_text(csv_text(ordered), encoding="utf-8", newline="")
        page.write_text(html_text(ordered), encoding="utf-8")
    except OSError as error:
        raise StorageError("class", "folder", folder, f"a folder that can be written to ({error})") from error
    return table, page


def csv_text(results: Sequence[Result]) -> str:
    """One line for each exercise of each student."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(getattr(result, column)) for column in COLUMNS] for result in results)
    return stream.getvalue()


def _cell(value: object) -> str:
    """Text that no spreadsheet takes for a formula."""
    text = str(value)
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def html_text(results: Sequence[Result]) -> str:
    """The commonest mistakes, a table of students and exercises, and each report."""
    body = [_commonest(results), _table(results)]
    failed = [(n, result) for n, result in enumerate(results) if result.outcome in (WRONG, UNREADABLE)]
    body += [_details(n, result) for n, result in failed]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Exercises of the class</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n"
        "<h1>Exercises of the class</h1>\n" + "\n".join(body) + "\n</body>\n</html>\n"
    )


def _table(results: Sequence[Result]) -> str:
    exercises = sorted({result.exercise for result in results})
    cells = {(r.student, r.exercise): (n, r) for n, r in enumerate(results)}
    rows = []
    for student in sorted({result.student for result in results}):
        own = [cells[student, name] for name in exercises]
        right = sum(result.outcome == RIGHT for _, result in own)
        rows.append(
            f"<tr><td>{escape(student)}</td>{''.join(_table_cell(*item) for item in own)}"
            f"<td>{right} of {len(exercises)}</td></tr>"
        )
    heads = "".join(f'<th title="{escape(name)}">{escape(name[:2])}</th>' for name in exercises)
    return (
        f'<div class="wide"><table>\n<thead><tr><th>student</th>{heads}<th>right</th></tr></thead>\n<tbody>\n'
        + "\n".join(rows)
        + "\n</tbody></table></div>\n<p>✓ right, ✗ not right (click for the reason), – missing, "
        "? cannot be read, * look closer: the solution that comes with the course, or a file of another "
        "name</p>"
    )


def _table_cell(number: int, result: Result) -> str:
    sign = SIGNS[result.outcome] + ("*" if result.note else "")
    title = escape(f"{result.exercise}: {result.outcome}. {result.mistake or result.note}", quote=True)
    if result.outcome in (WRONG, UNREADABLE):
        sign = f'<a href="#r{number}">{sign}</a>'
    return f'<td class="{CLASSES[result.outcome]}" title="{title}">{sign}</td>'


def _commonest(results: Sequence[Result]) -> str:
    """What to talk about in class."""
    counts = Counter((r.exercise, r.mistake) for r in results if r.outcome == WRONG and r.mistake)
    if not counts:
        return ""
    items = [
        f"<li>{count}× {escape(name)}: {escape(told)}</li>" for (name, told), count in counts.most_common(10)
    ]
    return "<h2>The commonest mistakes</h2>\n<ul>\n" + "\n".join(items) + "\n</ul>"


def _details(number: int, result: Result) -> str:
    return (
        f'<h2 id="r{number}">{escape(result.student)}: {escape(result.exercise)}</h2>\n'
        f"<pre>{escape(result.report or result.mistake)}</pre>"
    )
