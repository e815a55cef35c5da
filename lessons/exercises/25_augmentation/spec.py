"""What the judge knows about exercise 25."""

import numpy as np

from tinyconv.course.exercises import Check, Exercise, Mistake, call, get

MOST = 0.1
MANY = 64
"""Images in the check of chance: so many that right answers fail it less than once in 10,000 times."""


def windows(image, size):
    """All ways to cut and mirror, as (row, column, mirrored) and the window of the last two axes."""
    (height, width), (rows, columns) = size, image.shape[-2:]
    for top in range(rows - height + 1):
        for left in range(columns - width + 1):
            window = image[..., top : top + height, left : left + width]
            yield (top, left, False), window
            yield (top, left, True), window[..., ::-1]


def found(new, image, size):
    """How the new image was made, or None; the numbers of an image are distinct and far apart."""
    for way, window in windows(image, size):
        added = new - window
        if np.ptp(added) < 1e-3 and abs(added.flat[0]) < 0.2:
            return way, float(added.flat[0])
    return None


def is_pair(got):
    """Whether two arrays have come back."""
    return isinstance(got, tuple | list) and len(got) == 2 and all(isinstance(a, np.ndarray) for a in got)


def is_augmented(got, images, masks, size, rng):
    """What is wrong with the new images and masks, or nothing."""
    if not is_pair(got):
        return "two arrays are expected, the images and the masks"
    new_images, new_masks = got
    for name, new, shape in (
        ("images", new_images, (*images.shape[:2], *size)),
        ("masks", new_masks, (len(masks), *size)),
    ):
        if new.shape != shape:
            return f"the new {name} have shape {new.shape}, expected {shape}"
    if new_masks.dtype.kind not in "iu":
        return f"the new masks have dtype {new_masks.dtype}, and were integers"
    for n in range(len(images)):
        if sentence := wrong_with(new_images[n], new_masks[n], images[n], masks[n], size):
            return f"image {n}: {sentence}"
    return ""


def wrong_with(new, new_mask, image, mask, size):
    """What is wrong with one image, or nothing."""
    made = found(new, image, size)
    if made is None:
        return "it is no window of the image, mirrored or not, with one number added"
    (top, left, mirrored), added = made
    if abs(added) > MOST + 1e-3:
        return f"{added:.3g} was added, which is beyond {MOST}"
    ways = [way for way, window in windows(mask, size) if np.array_equal(window, new_mask)]
    if made[0] not in ways:
        seen = f"row {top}, column {left}{', mirrored' if mirrored else ''}"
        if not ways:
            return f"it was cut at {seen}, but its mask is no window of the mask"
        how = f"row {ways[0][0]}, column {ways[0][1]}{', mirrored' if ways[0][2] else ''}"
        return f"it was cut at {seen}, its mask at {how}"
    return ""


def is_random(got, images, masks, size, rng):
    """What is wrong with the chances, or nothing."""
    if sentence := is_augmented(got, images, masks, size, rng):
        return sentence
    made = [found(new, image, size) for new, image in zip(got[0], images, strict=True)]
    mirrored = sum(way[2] for way, _ in made)
    if not MANY / 5 < mirrored < 4 * MANY / 5:
        return f"{mirrored} of {MANY} images are mirrored"
    for axis, name in enumerate(("row", "column")):
        last = images.shape[2 + axis] - size[axis]
        counts = [sum(way[axis] == place for way, _ in made) for place in range(last + 1)]
        for place, count in enumerate(counts):
            if not 0.3 * MANY / (last + 1) < count < 2.5 * MANY / (last + 1):
                return f"{count} of {MANY} windows begin at {name} {place}; there are {last + 1} places"
    added = [number for _, number in made]
    if min(added) > -MOST / 2 or max(added) < MOST / 2 or len({round(a, 4) for a in added}) < MANY / 2:
        return f"what was added lies between {min(added):.3g} and {max(added):.3g}"
    return ""


def pictures(d, count, room, dtype=None):
    """Images with distinct numbers, masks that no window shares with another, and the size of windows."""
    height, width = d.integer(2, 3), d.integer(2, 3)
    rows, columns = height + room(), width + room()
    images = d.array(count, d.integer(1, 2), rows, columns, scale=8.0, dtype=dtype)
    rng = d.rng()
    order = [rng.permutation(rows * columns) for _ in range(count)]
    masks = np.array(order, np.int64).reshape(count, rows, columns)
    return {"images": images, "masks": d.lay(masks), "size": (height, width), "rng": d.seed()}


def draw(d):
    """A few images; windows may be as large as the image."""
    return pictures(d, d.batch(3), lambda: d.integer(0, 2))


def draw_many(d):
    """So many that chance can be seen."""
    return pictures(d, MANY, lambda: d.integer(1, 2))


def draw_float32(d):
    """Images of float32."""
    return pictures(d, d.integer(1, 2), lambda: d.integer(0, 1), "float32")


def use_dtype(**case):
    """Augment, and look at the dtype of the new images."""
    return (
        call("augment", *case.values(), keep="pair"),
        call("pair.__getitem__", 0, keep="images"),
        get("images.dtype.name"),
    )


def says(*parts):
    """Whether the sentence has one of these parts."""
    return lambda seen: any(part in seen.sentence for part in parts)


def ways_of(seen):
    """For each image the ways in which it and its mask were made: pairs, None where there is no way."""
    size, pairs = seen.case["size"], []
    masks = zip(seen.got[1], seen.case["masks"], strict=True)
    for new, image, (new_mask, mask) in zip(seen.got[0], seen.case["images"], masks, strict=True):
        made = found(new.astype(float), image.astype(float), size)
        equal = [way for way, window in windows(mask, size) if np.array_equal(window, new_mask)]
        pairs.append((made[0] if made else None, equal[0] if equal else None))
    return pairs


def mirrored_only_image(seen):
    """Whether image and mask differ in being mirrored, and in nothing else."""
    pairs = ways_of(seen)
    return all(a[:2] == b[:2] for a, b in pairs) and not any(b[2] for _, b in pairs)


def cut_elsewhere(seen):
    """Whether image and mask are windows of different places."""
    pairs = ways_of(seen)
    return all(a and b for a, b in pairs) and any(a[:2] != b[:2] for a, b in pairs)


def upside_down(new, old, size):
    """Whether this is a window that was mirrored top to bottom."""
    return any(np.ptp(new[..., ::-1, :] - window) < 1e-3 for _, window in windows(old, size))


def all_explained(ways, news, olds, size):
    """Whether those for which there is no way are upside down."""
    triples = zip(ways, news, olds, strict=True)
    return all(way or upside_down(new.astype(float), old.astype(float), size) for way, new, old in triples)


def mask_upside_down(seen):
    """Whether a mask is mirrored along the other axis."""
    ways = [way for _, way in ways_of(seen)]
    return None in ways and all_explained(ways, seen.got[1], seen.case["masks"], seen.case["size"])


def images_upside_down(seen):
    """Whether images and masks are mirrored top to bottom."""
    ways = [way for way, _ in ways_of(seen)]
    return None in ways and all_explained(ways, seen.got[0], seen.case["images"], seen.case["size"])


def near(new, old, size):
    """Whether a window differs by little at each number."""
    ways = windows(old.astype(float), size)
    return any(np.abs(new.astype(float) - window).max() < 0.2 for _, window in ways)


def noise(seen):
    """Whether each number got one of its own, of the right size."""
    pairs = zip(seen.got[0], seen.case["images"], strict=True)
    close = all(near(new, old, seen.case["size"]) for new, old in pairs)
    return close and "it is no window" in seen.sentence


ALIGNED = (
    Mistake("the mask is not mirrored when its image is: both or neither", when=mirrored_only_image),
    Mistake(
        "image and mask are cut at different places: draw row and column once, and use them for both",
        when=cut_elsewhere,
    ),
    Mistake("both are mirrored top to bottom: left to right reverses the last axis", when=images_upside_down),
    Mistake(
        "the image is mirrored left to right, the mask top to bottom: a mask has no axis of channels, so "
        "its columns are axis 1",
        when=mask_upside_down,
    ),
    Mistake(
        "each number of an image got a number of its own: one for the whole image is asked for", when=noise
    ),
    Mistake(
        "the mask has become an array of floats, or brighter: it stays what it is, integers",
        when=says("dtype"),
    ),
    Mistake(
        "the size of the window is (height, width), and the channels of an image come before them",
        when=lambda seen: len(set(seen.case["size"])) == 2 and (says("have shape")(seen) or seen.error),
    ),
    Mistake(
        "a window as large as the image has one place: rng.integers leaves its upper end out, so it needs "
        "the + 1",
        when=lambda seen: seen.raised("ValueError"),
    ),
    Mistake(
        "use the generator that is handed to you: with numpy.random's own functions nobody can repeat this",
        when=lambda seen: seen.raised("Refused"),
    ),
)

CHANCES = (
    Mistake(
        "all images get the same: draw row, column, mirroring and brightness for each image anew",
        when=lambda seen: len({way for way, _ in ways_of(seen)}) == 1,
    ),
    Mistake(
        "all or none are mirrored, or far from half of them: rng.random() < 0.5",
        when=says("images are mirrored"),
    ),
    Mistake(
        "not every place of the window is as likely as any other: rng.integers(0, H - height + 1), and W "
        "- width + 1",
        when=says("windows begin at"),
    ),
    Mistake(
        "the brightness changes both ways: a random number from -0.1 to 0.1", when=says("what was added lies")
    ),
)

SPEC = Exercise(
    function="augment",
    checks=[
        Check("image and mask are aligned", draw=draw, accept=is_augmented, mistakes=ALIGNED, examples=50),
        Check("the chances", draw=draw_many, accept=is_random, mistakes=CHANCES, examples=8, stages=()),
        Check(
            "the dtype",
            draw=draw_float32,
            expect=lambda **case: "float32",
            use=use_dtype,
            mistakes=[
                Mistake(
                    "the new images have lost the dtype of the images: make them with dtype=images.dtype",
                    when=lambda seen: seen.kind == "type",
                )
            ],
            examples=5,
            stages=(),
        ),
    ],
    forbidden=[
        f"numpy.random.{name}" for name in ("rand", "randint", "random", "uniform", "choice", "normal")
    ],
)
