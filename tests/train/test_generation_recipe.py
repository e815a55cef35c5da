"""Images with noise, and without."""

from __future__ import annotations

import numpy as np

from tinyconv.train.generation_recipe import Pairs

CLEAN = [(np.full((1, 40, 40), place / 10, np.float32), place) for place in range(5)]


def test_noise_has_the_deviation_that_was_asked_for_and_differs_from_epoch_to_epoch():
    pairs = Pairs(CLEAN, noise=0.2, seed=3)
    noises = []
    for epoch in (0, 1):
        for place in range(5):
            given, clean = pairs.at_epoch(epoch)[place]
            assert (clean == CLEAN[place][0]).all() and given.dtype == np.float32
            noises.append(given - clean)
            assert (pairs.at_epoch(epoch)[place][0] == given).all()
    drawn = np.stack(noises)
    assert abs(drawn.std() - 0.2) < 5 * 0.2 / np.sqrt(2 * drawn.size)
    assert abs(drawn.mean()) < 5 * 0.2 / np.sqrt(drawn.size)
    different = {one.tobytes() for one in drawn}
    assert len(different) == 10
    assert (Pairs(CLEAN, noise=0.2, seed=4)[0][0] != pairs[0][0]).any()


def test_without_noise_images_are_given_as_they_are():
    given, clean = Pairs(CLEAN)[2]
    assert (given == clean).all() and Pairs(CLEAN).name(2) == "item 2"
