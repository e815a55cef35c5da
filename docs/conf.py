"""How Sphinx makes the site; `docs/build.py` calls it on a copy of this folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_extensions"))

import tinyconv  # noqa: E402

project = "tinyconv"
author = "the tinyconv authors"
version = release = tinyconv.__version__
copyright = author
language = "en"

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "formulas",
    "repairs",
    "reference_pages",
]
exclude_patterns = ["build.py", "conf.py", "_extensions", "scripts", "lessons/*.ipynb", "lessons/*.py"]
nitpicky = True
default_role = "py:obj"  # a word in single backticks is a link where there is something to link to
highlight_language = "none"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autosummary_generate = False  # reference_pages writes the pages
autodoc_typehints = "none"  # the docstrings say what an argument is, and of which shape
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

QUICK = os.environ.get("TINYCONV_QUICK") == "1"
LESSONS = os.environ.get("TINYCONV_SITE_LESSONS", "").replace(",", "|") or r"\d\d"
sphinx_gallery_conf = {
    "examples_dirs": "scripts",
    "gallery_dirs": "lessons",
    "filename_pattern": rf"[\\/]({LESSONS})_",
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": ("lesson_figures.figures_of_cell",),
    "reset_modules": ("lesson_figures.reset_settings",),
    "capture_repr": (),
    "remove_config_comments": True,
    "write_computation_times": False,
    "show_signature": False,
    "min_reported_time": 1,
    "backreferences_dir": "lessons/uses",
    "doc_module": ("tinyconv",),
    "inspect_global_variables": False,
    "abort_on_example_error": False,
    "only_warn_on_example_error": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "tinyconv"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["animations"]
html_show_sourcelink = False
html_copy_source = False
html_math_renderer = "mathml"
html_sidebars = {"index": []}
html_theme_options = {
    "logo": {"text": "tinyconv"},
    "navbar_align": "left",
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
(HERE / "animations").mkdir(exist_ok=True)
