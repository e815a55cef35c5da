"""The drawing has a box for each stack of maps, at its level, and a line for each copy."""

from __future__ import annotations

import pytest

from tinyconv import models, nn
from tinyconv.errors import ArgumentError
from tinyconv.viz import plot_architecture
from tinyconv.viz.architecture import stacks


def shapes(model, size):
    return [
        (stack.channels, stack.size[-1] if stack.size else 0, stack.level) for stack in stacks(model, size)
    ]


def test_the_u_net_of_the_slides_is_a_u():
    found = stacks(models.create("unet_slides"), (3, 64, 64))
    down = [(3, 64, 0), (16, 64, 0), (32, 32, 1), (64, 16, 2), (128, 8, 3), (256, 4, 4)]
    up = [
        (128, 8, 3),
        (128, 8, 3),
        (64, 16, 2),
        (64, 16, 2),
        (32, 32, 1),
        (32, 32, 1),
        (16, 64, 0),
        (16, 64, 0),
    ]
    assert [(s.channels, s.size[0], s.level) for s in found] == [*down, *up, (1, 64, 0)]
    links = {place: s.link for place, s in enumerate(found) if s.link is not None}
    assert links == {7: 4, 9: 3, 11: 2, 13: 1}  # each way up starts with what it gets from the same level
    assert {s.kind for s in found} == {"", "copy"}


def test_without_padding_a_level_is_still_a_level():
    found = stacks(models.create("unet", widths=(2, 4, 8)), (1, 44, 44))  # to 4x4
    assert [s.level for s in found] == [0, 0, 1, 2, 1, 1, 0, 0]
    assert [s.size[0] for s in found] == [44, 40, 16, 4, 8, 4, 8, 4]
    assert sum(s.kind == "copy" for s in found) == 2


def test_segnet_gets_places_and_volumes_have_levels_too():
    found = stacks(models.create("segnet", widths=(4, 6, 8)), (3, 32, 32))
    assert [s.kind for s in found if s.kind] == ["places"] * 3
    assert max(s.level for s in found) == 3
    volume = stacks(models.create("unet3d", widths=(4, 8), padding=1), (3, 8, 8, 8))
    assert [s.kind for s in volume if s.kind] == ["copy"] and len(volume[0].size) == 3


def test_a_net_that_only_goes_down_has_no_lines_across():
    lenet = models.create("lenet5")
    assert shapes(lenet, (1, 28, 28)) == [
        (1, 28, 0), (6, 28, 0), (16, 10, 1), (16, 5, 2), (120, 0, 2), (84, 0, 2), (10, 0, 2),
    ]  # fmt: skip
    assert not any(stack.kind for stack in stacks(lenet, (1, 28, 28)))


def test_the_figure_names_maps_and_sizes(tmp_path):
    net = models.create("unet_bn", widths=(2, 4))
    figure = plot_architecture(net, (1, 16, 16), "small", tmp_path / "u.png")
    (axis,) = figure.axes
    boxes = stacks(net, (1, 16, 16))
    assert len(axis.patches) == len(boxes)
    written = [text.get_text() for text in axis.texts if text.get_text()]
    assert written == [part for box in boxes for part in (str(box.channels), f"{box.size[0]}²")]
    assert axis.get_title() == "small"
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["copy"]
    heights = {round(patch.get_y() + patch.get_height() / 2, 3) for patch in axis.patches}
    assert len(heights) == 2
    assert (tmp_path / "u.png").read_bytes().startswith(b"\x89PNG")
    wide = plot_architecture(models.create("lenet5"), (1, 28, 28))
    assert wide.axes[0].get_legend() is None


def test_rows_are_no_images():
    with pytest.raises(ArgumentError, match="images"):
        plot_architecture(nn.Sequential(nn.Linear(4, 2)), (4,))
