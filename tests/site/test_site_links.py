"""Links of the built site: all that stay in it lead somewhere, and nothing is loaded from elsewhere."""

from __future__ import annotations

import urllib.parse
from html.parser import HTMLParser

import pytest

from tests.site.pages import EXTERNAL


class Reader(HTMLParser):
    """Collects what a built page refers to, and the places in it that can be referred to."""

    def __init__(self, text):
        super().__init__()
        self.references, self.loaded, self.places = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.places |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and "href" in given:
            self.references.append(given["href"])
        elif tag in ("img", "script", "iframe", "source") and given.get("src"):
            self.loaded.append(given["src"])
        elif tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload", "modulepreload"):
            self.loaded.append(given["href"])


@pytest.fixture(scope="module")
def built(site):
    """Every built page by its path."""
    pages = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    ours = [path for path in pages if not path.name.endswith("_animation.html")]
    return {path: Reader(path.read_text(encoding="utf-8")) for path in ours}


def test_links_of_the_site_lead_somewhere(site, built):
    broken = []
    for page, reader in built.items():
        for link in reader.references + reader.loaded:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme in ("http", "https", "data", "mailto"):
                assert parts.scheme != "http" or not parts.netloc, link
                continue
            path = urllib.parse.unquote(parts.path)
            target = (page.parent / path).resolve() if path else page
            place = urllib.parse.unquote(parts.fragment)
            if not target.is_file() or (place and target in built and place not in built[target].places):
                broken.append(f"{page.relative_to(site)}: {link}")
    assert len(built) > 150
    assert broken == []


def test_external_links_have_the_form_of_links(built):
    found = {link for reader in built.values() for link in reader.references if "://" in link}
    assert [link for link in found if not EXTERNAL.fullmatch(link)] == []


def test_pages_load_nothing_from_elsewhere(built):
    loaded = {link for reader in built.values() for link in reader.loaded}
    assert [link for link in loaded if "://" in link or link.startswith("//")] == []


def test_every_page_is_reached_from_the_start_page(site, built):
    reached, waiting = set(), [site / "index.html"]
    while waiting:
        page = waiting.pop()
        if page in reached or page not in built:
            continue
        reached.add(page)
        paths = [urllib.parse.unquote(urllib.parse.urlsplit(link).path) for link in built[page].references]
        waiting += [(page.parent / path).resolve() for path in paths if path]
    left = {path.relative_to(site).as_posix() for path in set(built) - reached}
    assert left <= {"search.html", "genindex.html", "py-modindex.html"}
