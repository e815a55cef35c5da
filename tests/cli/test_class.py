"""`tinyconv class` on a folder of good, wrong and hostile submissions."""

from __future__ import annotations

import csv
import os
from html.parser import HTMLParser

import pytest

from tests.cli.command import ROOT, refused, tinyconv_command
from tests.course.answers import answers
from tinyconv.course.exercises import Limits, find_exercise
from tinyconv.course.exercises.classroom import Result, check_one
from tinyconv.course.exercises.classroom_report import csv_text, html_text

ENTRY = find_exercise("01")
HOSTILE = {
    "endless": "while True: pass\n",
    "exits": "import random\nrandom._os._exit(0)\n",
    "huge": "import numpy as np\ndef neuron(x, w, b):\n    return np.ones(1 << 40)\n",
    "writes": "open('OUTSIDE', 'w').write('x')\n" + ENTRY.solution,
    "reads": f"exec(open({str(ENTRY.folder / 'solution.py')!r}).read())\n",
    "imports": "from tinyconv.course.exercises import find_exercise\nexec(find_exercise('01').solution)\n",
    "prints": "print('right')\ndef neuron(x, w, b):\n    print('01_neuron,right')\n    return x[:, 0]\n",
    "binary": "\udcff\udcfe",
}


@pytest.fixture
def handed_in(tmp_path):
    folder = tmp_path / "handed_in"
    outside = str(tmp_path / "was-here.txt")
    files = {
        name: text.replace("OUTSIDE", outside).encode("utf-8", "surrogateescape")
        for name, text in HOSTILE.items()
    }
    files["anna"] = answers("right", "01_neuron")[0].read_bytes()
    files["=1+1"] = answers("wrong", "01_neuron")[0].read_bytes()
    files["copied"] = b"# my own work\n" + ENTRY.solution.encode()
    for name, data in files.items():
        (folder / name).mkdir(parents=True)
        (folder / name / ENTRY.file_name).write_bytes(data)
    (folder / "absent").mkdir()
    (folder / "linked").mkdir()
    os.symlink(ENTRY.folder / "solution.py", folder / "linked" / ENTRY.file_name)
    (folder / "piped").mkdir()
    os.mkfifo(folder / "piped" / ENTRY.file_name)
    (folder / "notes.txt").write_text("no student")
    return folder


class Links(HTMLParser):
    """Targets of links, and ids."""

    def __init__(self):
        super().__init__()
        self.targets, self.ids, self.open = set(), set(), []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.targets.add(values.get("href", "#")[1:])
        self.ids.add(values.get("id"))
        assert tag != "script"


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of Unix")
def test_a_class_with_every_kind_of_submission(handed_in, tmp_path):
    done = tinyconv_command("class", handed_in, "--only", "01", "--out", tmp_path / "out", "--jobs", "2")
    assert done.exit_code == 0, (done.output, done.exception)
    with open(tmp_path / "out" / "report.csv", encoding="utf-8", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    outcomes = {name: row["outcome"] for name, row in rows.items()}
    expected = dict.fromkeys(HOSTILE, "not right") | {
        "binary": "cannot be read",
        "anna": "right",
        "copied": "right",
    }
    expected |= {
        "'=1+1": "not right",
        "absent": "missing",
        "linked": "cannot be read",
        "piped": "cannot be read",
    }
    assert outcomes == expected, rows
    assert "loop that never ends" in rows["endless"]["mistake"]
    assert rows["copied"]["note"] and not rows["anna"]["note"]
    assert not (tmp_path / "was-here.txt").exists()
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    links = Links()
    links.feed(page)
    assert links.targets - {""} <= links.ids and len(links.targets) > 8
    assert "2 of 14" not in page and 0 < page.index("The commonest mistakes") < page.index("<table")


def test_a_file_of_nearly_the_right_name_is_named(tmp_path):
    for student, name in (
        ("a", "01_neuron (1).py"),
        ("b", "1 neuron.py"),
        ("c", "11_neurons.txt"),
        ("d", "10_x.py"),
    ):
        (tmp_path / student).mkdir()
        (tmp_path / student / name).write_bytes(answers("right", "01_neuron")[0].read_bytes())
    notes = {s: check_one(tmp_path / s, ENTRY, Limits()).note for s in "abcd"}
    assert notes["a"] == "there is 01_neuron (1).py: rename it to 01_neuron.py"
    assert "1 neuron.py" in notes["b"] and "11_neurons.txt" in notes["c"] and notes["d"] == ""


def test_one_at_a_time_gives_the_same(tmp_path):
    for name, path in (("a", answers("right", "01_neuron")[0]), ("b", answers("wrong", "01_neuron")[0])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "01_neuron.py").write_bytes(path.read_bytes())
    texts = []
    for jobs in (1, 2):
        done = tinyconv_command("class", tmp_path, "--only", "1", "--jobs", jobs)
        assert done.exit_code == 0 and "2 students, 1 of 2 exercises right" in done.stdout
        with open(tmp_path / "report.csv", encoding="utf-8", newline="") as file:
            texts.append([{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)])
    assert texts[0] == texts[1]


def test_a_folder_without_students_is_refused(tmp_path):
    refused(tinyconv_command("class", tmp_path), str(tmp_path), "a folder for each student")
    refused(tinyconv_command("class", tmp_path / "none"), "none")


def test_names_and_reports_are_only_text():
    result = Result("<script>alert(1)</script>", "01_neuron", "not right", "<b>", "<i>&", 0.1, "")
    page = html_text([result])
    assert "<script" not in page and "<b>" not in page and "<i>" not in page
    assert csv_text([Result("@x", "01_neuron", "right")]).splitlines()[1].startswith("'@x,")
    assert str(ROOT) not in page
