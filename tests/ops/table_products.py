"""Rows of the tables: products of matrices and vectors, and einsum."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

import tinyconv as tc
from tests.ops.cases import Case, Values, orders, seeds
from tests.ops.op import Op, method
from tinyconv.errors import ArgumentError, DtypeError, ShapeError

EQUATIONS = (
    "ij,jk->ik", "ij,jk", "bij,bjk->bki", "ij->ji", "ii->i", "ii", "ij->", "ij->j", "i,j->ij", "ij,ij->",
    "iij,j->i", "aba->b", "aab,ac->bc", ",ij->ij", "ij,k->k", "ijk,ikj->i", "ij,ij->i",
)  # fmt: skip
CHAINS = ("bn,anm,bm->ba", "i,i,i->i", "abc,cd,de->abe", "ij,jk,kl->li", "ab,bc,ca", "ai,bi,ci->abc")
ELLIPSES = (
    ("...ij,...jk->...ik", (2,), (2,)),
    ("...ij,...jk", (3, 1), (2,)),
    ("i...,i...->...", (2, 1), (1, 3)),
    ("...i->...", (2, 3), ()),
    ("...,i->i...", (2, 3), ()),
)


@st.composite
def einsums(draw: Any, equations: tuple[str, ...], ellipses: tuple[Any, ...] = ()) -> Case:
    """One of the equations; sizes 1 sometimes broadcast."""
    equation, *dots = draw(st.sampled_from((*((e,) for e in equations), *ellipses)))
    letters = sorted({c for c in equation if c.isalpha()})
    sizes = {letter: draw(st.integers(1, 3)) for letter in letters}
    inputs = []
    for term in equation.partition("->")[0].split(","):
        before, here, after = term.partition("...")
        middle = dots[len(inputs)] if here else ()
        once = not dots and len(set(term)) == len(term)
        shape = [1 if once and draw(st.integers(0, 9)) == 0 else sizes[c] for c in before]
        inputs.append(Values((*shape, *middle, *(sizes[c] for c in after)), order=draw(orders)))
    return Case(tuple(inputs), {"equation": equation}, seed=draw(seeds))


@st.composite
def products(draw: Any, first: str, second: str) -> Case:
    """Two inputs whose dimensions have the sizes of these letters."""
    sizes = {letter: draw(st.integers(1, 4)) for letter in "bnmp"}
    shapes = [tuple(sizes[letter] for letter in letters) for letters in (first, second)]
    return Case(tuple(Values(shape, order=draw(orders)) for shape in shapes), seed=draw(seeds))


OPS = (
    Op("bmm", tc.bmm, products("bnm", "bmp"), method("bmm")),
    Op("mm", tc.mm, products("nm", "mp"), method("mm")),
    Op("mv", tc.mv, products("nm", "m"), method("mv")),
    Op("dot", tc.dot, products("n", "n"), method("dot")),
    Op("outer", tc.outer, products("n", "m"), method("outer")),
    *(
        Op(
            "einsum",
            lambda *xs, equation: tc.einsum(equation, *xs),
            einsums(*equations),
            lambda torch, *xs, equation: torch.einsum(equation, *xs),
        )
        for equations in ((EQUATIONS, ELLIPSES), (CHAINS,))
    ),
)

ROWS, STACK, VECTOR = tc.ones(3, 4), tc.ones(2, 3, 4), tc.ones(4)

WRONG = [
    ("bmm", ShapeError, "input (3, 4) (B, n, m)", lambda: tc.bmm(ROWS, STACK)),
    ("bmm", ShapeError, "(2, 3, 4) and (1, 4, 2)", lambda: STACK.bmm(tc.ones(1, 4, 2))),
    ("bmm", ShapeError, "(2, 3, 4) and (2, 3, 4)", lambda: STACK.bmm(STACK)),
    ("mm", ShapeError, "mat2 (4,)", lambda: ROWS.mm(VECTOR)),
    ("mm", ShapeError, "(3, 4) and (3, 4)", lambda: ROWS.mm(ROWS)),
    ("mm", DtypeError, "mat2 list", lambda: ROWS.mm([[1.0]])),
    ("mv", ShapeError, "vec (3, 4)", lambda: ROWS.mv(ROWS)),
    ("mv", DtypeError, "float32 vec float64", lambda: ROWS.mv(VECTOR.double())),
    ("dot", ShapeError, "input (3, 4)", lambda: ROWS.dot(VECTOR)),
    ("dot", ShapeError, "(4,) and (3,)", lambda: VECTOR.dot(tc.ones(3))),
    ("outer", ShapeError, "vec2 (3, 4)", lambda: VECTOR.outer(ROWS)),
    ("outer", DtypeError, "input int64", lambda: tc.arange(3).outer(VECTOR)),
    ("einsum", ArgumentError, "equation 3", lambda: tc.einsum(3, ROWS)),
    ("einsum", ArgumentError, "equation 'ij' 2 operands", lambda: tc.einsum("ij", ROWS, ROWS)),
    ("einsum", ArgumentError, "equation 'i1->i'", lambda: tc.einsum("i1->i", ROWS)),
    ("einsum", ArgumentError, "'ij->ik' '->'", lambda: tc.einsum("ij->ik", ROWS)),
    ("einsum", ArgumentError, "'ij->ii' once", lambda: tc.einsum("ij->ii", ROWS)),
    ("einsum", ShapeError, "'ijk' (3, 4)", lambda: tc.einsum("ijk->i", ROWS)),
    ("einsum", ShapeError, "'i' (3, 4)", lambda: tc.einsum("i->i", ROWS)),
    ("einsum", ShapeError, "'j' 4 and 3", lambda: tc.einsum("ij,jk->ik", ROWS, ROWS)),
    ("einsum", ShapeError, "'i' 3 and 4", lambda: tc.einsum("ii->i", ROWS)),
    ("einsum", ShapeError, "'...' 4 and 3", lambda: tc.einsum("...,...->...", ROWS, tc.ones(3))),
    ("einsum", DtypeError, "operands[1] list", lambda: tc.einsum("i,i->", VECTOR, [1.0])),
    ("einsum", DtypeError, "float32 float64", lambda: tc.einsum("i,i->", VECTOR, VECTOR.double())),
    ("einsum", ArgumentError, "equation 0", lambda: tc.einsum("ij->i")),
]
