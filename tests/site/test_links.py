"""Links of the Markdown pages, as they lie in the repository."""

from __future__ import annotations

import pytest

from tests.site.pages import EXTERNAL, PAGES, ROOT, anchors, links, name


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_of_a_page_lead_somewhere(page):
    for link in links(page):
        if "://" in link:
            assert EXTERNAL.fullmatch(link), link
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        generated = page.parent.name == "docs" and path.split("/")[0] in ("lessons", "reference")
        assert generated or target.exists(), f"{name(page)}: {link}"
        assert ROOT in target.parents, f"{name(page)}: {link} leaves the repository"
        assert not anchor or anchor in anchors(target), f"{name(page)}: {link}"


def test_anchors_are_made_as_the_sites_are():
    assert "a-kernel-to-be-read" not in anchors(ROOT / "docs" / "add-an-op.md")
    assert "1-the-kernel-to-be-read" in anchors(ROOT / "docs" / "add-an-op.md")
