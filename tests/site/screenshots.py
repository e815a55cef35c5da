"""The README's screenshots: `python -m tests.site.screenshots docs/_build/html` takes them anew."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IMAGES = Path(__file__).parents[2] / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
COLOURS = 128
NAMES = ".navbar-nav a, .bd-sidebar-primary a, .bd-sidebar-secondary a, article h1, article h2"
NOTES = "Names"
"""Under which name a screenshot notes what the elements `NAMES` of its page say."""


@dataclass(frozen=True)
class Shot:
    """A page, the place that is scrolled to, the screen, and whether an animation is brought to its end."""

    name: str
    page: str
    place: str
    size: tuple[int, int]
    scheme: str = "light"
    plays: bool = False

    @property
    def kept(self) -> Path:
        """Where the README's copy lies."""
        return IMAGES / f"{self.name}.png"


POOLING = "#max-pooling-the-strongest-answer-in-each-2x2-square"
SHOTS = (
    Shot("site_start", "index.html", "body", (1200, 760), plays=True),
    Shot("site_lesson", "lessons/04_convolution.html", POOLING, (1200, 760), "dark"),
)


@contextlib.contextmanager
def open_browser() -> Iterator[Any]:
    """Start Chromium; give it, or a text that says what is missing."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        yield "pip install -e '.[docs]' brings Playwright"
        return
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        yield "no Chromium is installed (Debian: apt-get install chromium)"
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


def take(browser: Any, site: Path, shot: Shot, folder: Path) -> Path:
    """Take a screenshot, in few colours, so that the file is small; it notes what menus and headings say."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    width, height = shot.size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=shot.scheme)
    page = context.new_page()
    page.goto((site / shot.page).as_uri())
    page.evaluate("place => document.querySelector(place).scrollIntoView()", shot.place)
    if shot.plays:
        page.frame_locator("iframe.animation").locator('button[title="Last frame"]').click()
    page.wait_for_timeout(500)  # a frame's picture, and what unfolds
    path = folder / f"{shot.name}.png"
    page.screenshot(path=path)
    notes = PngInfo()
    notes.add_itxt(NOTES, "\n".join(map(str.strip, page.locator(NAMES).all_text_contents())))
    context.close()
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(COLOURS)
    small.save(path, optimize=True, pnginfo=notes)
    return path


def main() -> None:
    """Write the screenshots into docs/images."""
    with open_browser() as browser:
        if isinstance(browser, str):
            sys.exit(browser)
        for shot in SHOTS:
            print(take(browser, Path(sys.argv[1]).resolve(), shot, IMAGES))


if __name__ == "__main__":
    main()
