"""Animations as files: matplotlib's own HTML player, made to work without a network, and GIF."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from tinyconv.errors import ArgumentError
from tinyconv.viz.style import save_bytes, style

_PAGE = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{title}</title></head>
<body>{player}
{fit}</body></html>
"""
# A projector shows fewer pixels than a desk: picture and buttons fit into the window together.
_FIT = """<style>
body { margin: 0; text-align: center; font-family: sans-serif; }
.animation img { max-width: 98vw; max-height: calc(100vh - 130px); }
.animation .anim-buttons button { width: min(48px, 9vw); height: 34px; padding: 0; font-size: 18px; }
.animation input[type=range].anim-slider { max-width: 94vw; }
</style>
<script>
document.addEventListener("keydown", function (event) {
  const titles = {ArrowLeft: "Previous", ArrowRight: "Next", Home: "First", End: "Last"};
  if (!(event.key in titles)) return;
  event.preventDefault();
  document.querySelector(`button[title="${titles[event.key]} frame"]`).click();
});
</script>
"""
# Those who hear a page are told what each frame shows; the player shows a frame by its number in the slider.
_SPOKEN = """<script>
(function () {{
  const words = {words};
  const picture = document.querySelector(".animation img");
  const slider = document.querySelector(".animation input[type=range]");
  const tell = () => {{ picture.alt = words[slider.value]; }};
  new MutationObserver(tell).observe(picture, {{ attributeFilter: ["src"] }});
  tell();
}})();
</script>
"""
_ICONS = {
    "fa-minus": "−",
    "fa-plus": "+",
    "fa-fast-backward": "|‹",
    "fa-fast-forward": "›|",
    "fa-step-backward": "‹",
    "fa-step-forward": "›",
    "fa-play": "▶",
    "fa-play fa-flip-horizontal": "◀",
    "fa-pause": "||",
}


def animation_html(animation: Any, frames_per_second: float = 1.5) -> str:
    """Give matplotlib's player for `animation` as HTML that needs no network.

    matplotlib takes the icons of the buttons from a server; here they are characters.
    """
    with style():
        html = animation.to_jshtml(fps=frames_per_second, default_mode="once")
    return re.sub(r"<link[^>]*font-awesome[^>]*>", lambda _: _icon_style(), html)


def save_animation(animation: Any, path: str | os.PathLike[str], frames_per_second: float = 1.5) -> Path:
    """Write `animation` to `path`: .html (the player, which the arrow keys step too) or .gif.

    Raises
    ------
    ArgumentError
        When the suffix is another.
    StorageError
        When the file cannot be written; an earlier file of that name stays as it was.
    """
    path = Path(path)
    if path.suffix == ".html":
        content = _page(animation, path.stem, frames_per_second).encode()
    elif path.suffix == ".gif":
        content = _gif(animation, frames_per_second)
    else:
        raise ArgumentError("save_animation", "path", path, "a name that ends in .html or .gif")
    return save_bytes(content, path)


def _page(animation: Any, title: str, frames_per_second: float) -> str:
    words = getattr(animation, "descriptions", None)
    spoken = _SPOKEN.format(words=json.dumps(words)) if words else ""
    return _PAGE.format(title=title, player=animation_html(animation, frames_per_second), fit=_FIT + spoken)


def _gif(animation: Any, frames_per_second: float) -> bytes:
    from matplotlib.animation import PillowWriter

    with tempfile.TemporaryDirectory() as folder, style():
        file = Path(folder) / "animation.gif"
        animation.save(file, writer=PillowWriter(fps=frames_per_second))
        return file.read_bytes()


def _icon_style() -> str:
    rules = ["<style>", ".fa { font-style: normal; font-family: sans-serif; }"]
    for names, icon in _ICONS.items():
        selector = "." + names.replace(" ", ".")
        rules.append(f'.fa{selector}::before {{ content: "{icon}"; }}')
    return "\n".join([*rules, "</style>"])
