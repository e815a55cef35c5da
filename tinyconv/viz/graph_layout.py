"""Where the boxes of a graph go: rows by distance to the output, columns that keep chains straight.

A small relative of the layered drawing of Sugiyama, Tagawa and Toda (1981): every op has a row
below all ops it depends on; leaves that only one op uses, the parameters, stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyconv.graph import Graph


@dataclass(frozen=True)
class Layout:
    """Positions, in units of a row and a column.

    Attributes
    ----------
    row, column : dict
        Of each node that has a place of its own; columns may be fractions.
    beside : dict
        The parameters of an op, which stand to its left.
    lanes : dict
        For each edge that skips rows and would cross a box: how far right of all boxes it runs.
    """

    row: dict[int, int]
    column: dict[int, float]
    beside: dict[int, list[int]]
    lanes: dict[tuple[int, int], int]


def layered(graph: Graph) -> Layout:
    """Place the nodes of `graph`."""
    users: dict[int, list[int]] = {node: [] for node in range(len(graph.nodes))}
    for maker, user in graph.edges:
        if user not in users[maker]:
            users[maker].append(user)
    makers: dict[int, list[int]] = {}
    for maker, user in dict.fromkeys(graph.edges):
        makers.setdefault(user, []).append(maker)
    beside: dict[int, list[int]] = {}
    for user, several in makers.items():
        alone = [m for m in several if graph.nodes[m].is_leaf and len(users[m]) == 1]
        if alone and len(several) > 1:
            beside[user] = alone
    attached = {leaf for leaves in beside.values() for leaf in leaves}
    placed = [node for node in users if node not in attached]
    row = _rows(placed, users)
    column = _columns(placed, users, row)
    return Layout(row, column, beside, _lanes(placed, users, row, column))


def _rows(placed: list[int], users: dict[int, list[int]]) -> dict[int, int]:
    """The longest way to an output, counted from the top."""
    height: dict[int, int] = {}
    for node in reversed(placed):
        height[node] = 1 + max((height[user] for user in users[node]), default=-1)
    top = max(height.values(), default=0)
    return {node: top - height[node] for node in placed}


def _columns(placed: list[int], users: dict[int, list[int]], row: dict[int, int]) -> dict[int, float]:
    """From the output upwards: each node above its users, neighbours at least one column apart."""
    column: dict[int, float] = {}
    rows: dict[int, list[int]] = {}
    for node in placed:
        rows.setdefault(row[node], []).append(node)
    for r in sorted(rows, reverse=True):
        wish = {node: _wish(node, users, row, column) for node in rows[r]}
        ordered = sorted(rows[r], key=lambda node: (wish[node], node))
        position: list[float] = []
        for node in ordered:
            position.append(max(wish[node], position[-1] + 1) if position else wish[node])
        shift = sum(wish[node] - x for node, x in zip(ordered, position, strict=True)) / len(ordered)
        column.update((node, x + shift) for node, x in zip(ordered, position, strict=True))
    return column


def _wish(node: int, users: dict[int, list[int]], row: dict[int, int], column: dict[int, float]) -> float:
    """Above the nearest user, or between the nearest ones."""
    if not users[node]:
        return 0.0
    nearest = min(row[user] for user in users[node])
    near = [column[user] for user in users[node] if row[user] == nearest]
    return sum(near) / len(near)


def _lanes(
    placed: list[int], users: dict[int, list[int]], row: dict[int, int], column: dict[int, float]
) -> dict[tuple[int, int], int]:
    """Short skips run inside, long ones outside; two that share rows never share a lane."""
    skips = [
        (maker, user) for maker in placed for user in users[maker] if _is_blocked(maker, user, row, column)
    ]
    lanes: dict[tuple[int, int], int] = {}
    for skip in sorted(skips, key=lambda edge: row[edge[1]] - row[edge[0]]):
        taken = {lane for other, lane in lanes.items() if _overlap(skip, other, row)}
        lanes[skip] = next(lane for lane in range(len(taken) + 1) if lane not in taken)
    return lanes


def _is_blocked(maker: int, user: int, row: dict[int, int], column: dict[int, float]) -> bool:
    """Whether the straight line from one to the other passes through a box."""
    first, last = row[maker], row[user]
    for node, r in row.items():
        if first < r < last:
            share = (r - first) / (last - first)
            if abs(column[maker] + share * (column[user] - column[maker]) - column[node]) < 0.6:
                return True
    return False


def _overlap(one: tuple[int, int], other: tuple[int, int], row: dict[int, int]) -> bool:
    return row[one[0]] <= row[other[1]] and row[other[0]] <= row[one[1]]
