"""The course: list the lessons, run one, and keep the figures that a lesson draws."""

from __future__ import annotations

from tinyconv.course.catalogue import Lesson, find_lesson, lessons
from tinyconv.course.figures import Picture, figure_path, show
from tinyconv.course.listing import print_lessons
from tinyconv.course.notebook import write_notebook
from tinyconv.course.runner import is_quick, run_lesson

__all__ = [
    "Lesson",
    "Picture",
    "figure_path",
    "find_lesson",
    "is_quick",
    "lessons",
    "print_lessons",
    "run_lesson",
    "show",
    "write_notebook",
]
