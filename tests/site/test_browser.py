"""The site as a browser shows it: the animation, on a phone, in the dark, without a network."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.coarse import distances, mosaic
from tests.site.pages import ROOT
from tests.site.screenshots import NOTES, SHOTS, open_browser, take

PHONE = {"width": 390, "height": 844}
PHONE_PAGES = 40
ALIKE = 30  # of 255: other fonts move a line by some pixels, which a mosaic of 6x8 hardly shows
RETAKE = "build the site, and take the screenshots anew: python -m tests.site.screenshots docs/_build/html"


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        if isinstance(browser, str):
            pytest.skip(f"the pages are looked at in a browser: {browser}")
        yield browser


@pytest.fixture
def opened(browser, site):
    """Opens a page of the site, with the options given; notes what it asks for and complains of."""
    contexts = []

    def open_page(name, **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto((site / name).as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


def test_the_animation_on_the_start_page_plays_to_its_end(opened):
    from playwright.sync_api import expect

    page = opened("index.html")
    assert page.title().startswith("tinyconv")
    player = page.frame_locator("iframe.animation")
    picture, slider = player.locator(".animation img"), player.locator(".animation input[type=range]")
    picture.scroll_into_view_if_needed()
    first = picture.get_attribute("src")
    assert picture.get_attribute("alt").startswith("The filter slides over the input")
    for _ in range(8):  # each click makes it a little quicker
        player.locator('button[title="Increase speed"]').click()
    player.locator('button[title="First frame"]').click()
    player.locator('button[title="Play"]').click()
    expect(slider).to_have_value("21", timeout=60_000)
    spoken = picture.get_attribute("alt")
    assert spoken.startswith("max(") and " = 52.5. " in spoken
    assert spoken.endswith("max pool 2×2: 104, 224; 217.5, 52.5")
    assert picture.get_attribute("src") != first
    assert picture.evaluate("picture => picture.complete && picture.naturalWidth") > 600
    assert page.complaints == []


def test_it_stands_on_the_lessons_page_too(opened):
    page = opened("lessons/04_convolution.html")
    player = page.frame_locator("iframe.animation")
    page.locator("iframe.animation").scroll_into_view_if_needed()
    player.locator('button[title="Last frame"]').click()
    assert "217.5" in player.locator(".animation img").get_attribute("alt")
    assert page.locator(".sphx-glr-single-img").count() >= 5
    for kind in ("ipynb", "py"):
        assert page.locator(f'a[href$="04_convolution.{kind}"]').count()


def test_the_player_fits_on_a_phone(opened):
    page = opened("lessons/04_convolution.html", viewport=PHONE)
    player = page.locator("iframe.animation")
    player.scroll_into_view_if_needed()
    frame = player.element_handle().content_frame()
    frame.wait_for_selector(".animation img")
    assert frame.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert frame.evaluate("document.documentElement.scrollHeight - innerHeight") <= 0


def widest(page):
    return page.evaluate("document.documentElement.scrollWidth")


def test_no_page_is_wider_than_a_phone(opened, site):
    names = [path.relative_to(site).as_posix() for path in sorted(site.rglob("*.html"))]
    ours = [name for name in names if not name.startswith("_") and not name.endswith("_animation.html")]
    shown = [name for name in ours if not name.startswith("reference/") or name.endswith("index.html")]
    assert len(shown) >= PHONE_PAGES
    page = opened("index.html", viewport=PHONE)
    too_wide = {}
    for name in shown:
        page.goto((site / name).as_uri(), wait_until="domcontentloaded")
        if widest(page) > PHONE["width"]:
            too_wide[name] = widest(page)
    assert too_wide == {}


def test_a_phone_reaches_the_menu(opened):
    page = opened("lessons/04_convolution.html", viewport=PHONE)
    menu = page.locator("#pst-primary-sidebar-modal")
    assert not menu.is_visible()
    page.locator("button.primary-toggle").click()
    menu.get_by_role("link", name="Reference", exact=True).first.wait_for(state="visible")


def contrast(page, selector):
    """The ratio of luminances of an element's text and what lies behind it (WCAG 2)."""
    colours = page.locator(selector).first.evaluate("""element => {
        let behind = element;
        while (behind.parentElement && /, 0\\)$|transparent/.test(getComputedStyle(behind).backgroundColor))
            behind = behind.parentElement;
        return [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor];
    }""")
    light, dark = sorted((luminance(colour) for colour in colours), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * p for weight, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(scheme, opened):
    page = opened("lessons/04_convolution.html", color_scheme=scheme)
    assert page.locator("html").get_attribute("data-theme") == scheme
    background = page.locator("body").evaluate("element => getComputedStyle(element).backgroundColor")
    assert (luminance(background) < 0.1) == (scheme == "dark")
    for selector in ("article p", "article h1", "article pre", "article p code", "article p a"):
        assert contrast(page, selector) >= 4.5, selector


def test_nothing_is_asked_of_a_network(opened):
    for name in ("index.html", "lessons/04_convolution.html", "reference/tinyconv.nn/nn-conv.html"):
        page = opened(name)
        page.wait_for_load_state("networkidle")
        assert page.complaints == []
        assert [url for url in page.asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_formulas_are_drawn(opened):
    page = opened("lessons/07_activations.html")
    formulas = page.locator("article math")
    assert formulas.count() >= 3
    assert all(formulas.nth(i).bounding_box()["height"] > 5 for i in range(3))


def test_search_finds_a_function(opened):
    page = opened("search.html")
    page.goto(page.url + "?q=max_pool2d")
    page.locator("#search-results li a").first.wait_for(timeout=30_000)
    assert "max_pool2d" in page.locator("#search-results").inner_text()


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
def test_screenshots_of_the_readme_are_those_of_this_site(shot, browser, site, tmp_path):
    from PIL import Image

    path = take(browser, site, shot, tmp_path)
    with Image.open(path) as taken, Image.open(shot.kept) as kept:
        assert taken.size == kept.size
        assert taken.text[NOTES].split("\n") == kept.text[NOTES].split("\n"), RETAKE
        now, then = (mosaic(picture.convert("RGB"), 6, 8) for picture in (taken, kept))
        assert max(distances(now, then)) < ALIKE, RETAKE
        assert min(distances(now, 255 - then)[0], distances(now, np.flip(then, 1))[0]) > ALIKE
    assert shot.kept.stat().st_size < 150_000
    assert f"(docs/images/{shot.kept.name})" in (ROOT / "README.md").read_text(encoding="utf-8")
