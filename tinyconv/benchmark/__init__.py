"""Races: the same work done by tinyconv and by others, in processes of their own that take turns.

    from tinyconv.benchmark import Layer, Settings, race
    from tinyconv.benchmark.engines import CONTENDERS

    names = {name: CONTENDERS[name] for name in ("pytorch nchw", "tinyconv")}
    for row in race([(Layer(4, 16, 16, (64, 64)), "forward")], names, Settings(threads=2)):
        print(row.label, row.ratio("tinyconv", "pytorch nchw"))

`tinyconv bench` is the short form; the folder `benchmarks/` of the repository builds the whole
comparison on this room. How it is measured is told in ``docs/benchmarks.md``.
"""

from tinyconv.benchmark.case import Case, Layer, Network
from tinyconv.benchmark.race import Entry, Row, Settings, race

__all__ = ["Case", "Entry", "Layer", "Network", "Row", "Settings", "race"]
