"""Keywords that NumPy's functions take and CuPy's do not; the stand-in refuses them, as CuPy does."""

from __future__ import annotations

from collections.abc import Iterable

_LACKING = {
    ("where",): "all any mean nanmean",
    ("initial", "where"): "amax amin max min nanmax nanmin nanprod nansum prod sum",
    ("where", "mean", "correction"): "nanstd nanvar std var",
    ("kind", "order"): "argpartition partition",
    ("order", "stable"): "argsort sort",
    ("device",): "arange eye linspace",
    ("subok",): "broadcast_arrays broadcast_to copy",
    ("arrays",): "concat concatenate stack",
    ("keepdims",): "count_nonzero",
    ("sparse",): "indices",
    ("kind",): "isin",
    ("axis",): "lexsort trim_zeros",
    ("weights",): "percentile quantile",
    ("shape",): "reshape unravel_index",
    ("mode",): "show_config take",
    ("sorted",): "unique",
    ("count",): "unpackbits",
}
"""Keywords, and the functions that lack them: of NumPy 2.4 and CuPy 14.2."""

LACKING = {name: frozenset(keywords) for keywords, names in _LACKING.items() for name in names.split()}
"""By the function's name; also for an array's methods."""

OF_UFUNCS = {
    "__call__": frozenset(("casting", "dtype", "out")),
    "reduce": frozenset(("axis", "dtype", "keepdims", "out")),
    "accumulate": frozenset(("axis", "dtype", "out")),
    "reduceat": frozenset(("axis", "dtype", "out")),
    "outer": frozenset(("casting", "dtype", "out")),
    "at": frozenset(()),
}
"""All that CuPy's ufuncs and their methods take."""


def refuse(name: str, given: Iterable[str]) -> None:
    """A TypeError if one of these keywords is none of the function's, or method's, in CuPy."""
    for keyword in LACKING.get(name, frozenset()).intersection(given):
        raise TypeError(f"{name}() got an unexpected keyword argument {keyword!r}")


def refuse_of_ufunc(method: str, given: Iterable[str]) -> None:
    """A TypeError if a ufunc, or the method `method` of one, does not take one of these in CuPy."""
    wrong = sorted(set(given) - OF_UFUNCS[method])
    if wrong:
        raise TypeError(f"Wrong arguments {wrong}")
