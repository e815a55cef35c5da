"""New images, by the network of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyconv.data import write_png
from tinyconv.data.seeding import check_seed
from tinyconv.generator import Generator
from tinyconv.io import storage_error
from tinyconv.nn import Module


def write_samples(
    model: Module, method: Any, classes: list[str], label: str | None, count: int, seed: int, out: Path
) -> list[Path]:
    """Write ``sample_0001.png`` and so on; the first ones are the same for every `count`.

    Parameters
    ----------
    model, method
        The network, and how it is trained, of `models.generation`.
    classes : list of str
        What can be asked for, where the network takes such a wish; then the class is in the files' names.
    label : str, optional
        One of them; else they take turns.
    count, seed : int
    out : Path
        A folder, made if it is not there.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    source = Generator().manual_seed(check_seed("predict", seed))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(out, error) from error
    named = getattr(method, "names_classes", False)
    asked = classes if label is None else [label]
    files = []
    for number in range(count):
        if named:
            name = asked[number % len(asked)]
            image = method.sample(model, 1, source, classes.index(name))
        else:
            name, image = "", method.sample(model, 1, source)
        files.append(out / f"sample_{number + 1:04}{'_' + safe(name) if name else ''}.png")
        write_png(files[-1], image.cpu().array[0])
    return files


def safe(name: str) -> str:
    """A name without what separates folders."""
    return "".join("_" if letter in '/\\:*?"<>|' else letter for letter in name)
