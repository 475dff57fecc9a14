"""Which member holds which replica: a pure function from one partition table to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

Row = tuple[str, ...]
"""The members of one partition's replicas: the primary first, then the backups."""


def arrange(table: Iterable[Row], members: Sequence[str], replica_count: int) -> list[Row]:
    """The table for these members: as it was, but without the others, filled up and level.

    Each partition has `replica_count` replicas on different members, or one on every member where
    there are fewer. The members' numbers of primaries differ by at most one, with as few primaries
    moved as that takes; backups are level as far as the primaries leave them room.
    """
    rows = [[member for member in row if member in members] for row in table]
    width = min(replica_count, len(members))
    for column in range(width):
        _fill(rows, column, members)
        _level(rows, column, members)
    return [tuple(row[:width]) for row in rows]


def _fill(rows: list[list[str]], column: int, members: Sequence[str]) -> None:
    """Give each row that ends before this column the member with the fewest replicas in it."""
    load = Counter(row[column] for row in rows if len(row) > column)
    for row in rows:
        if len(row) == column:
            row.append(min((m for m in members if m not in row), key=load.__getitem__))
            load[row[column]] += 1


def _level(rows: list[list[str]], column: int, members: Sequence[str]) -> None:
    """Move replicas of this column from members above their quota to members below it.

    First to members that hold another replica of the row already, as that copies nothing. The one
    moved from keeps its replica, one column later, where there is room.
    """
    load = Counter(row[column] for row in rows)
    quota = _quotas(load, len(rows), members)
    for copying in (False, True):
        for row in rows:
            giver = row[column]
            if load[giver] <= quota[giver]:
                continue
            takers = [m for m in members if m not in row] if copying else row[column + 1 :]
            taker = next((m for m in takers if load[m] < quota[m]), None)
            if taker is None:
                continue
            if taker in row:
                row.remove(taker)
            row.insert(column, taker)
            load[giver] -= 1
            load[taker] += 1


def _quotas(load: Counter[str], total: int, members: Sequence[str]) -> dict[str, int]:
    """An even share each; what is left over goes to those that hold most, as it is there now."""
    share, left = divmod(total, len(members))
    heaviest_first = sorted(members, key=lambda member: -load[member])
    return {member: share + (rank < left) for rank, member in enumerate(heaviest_first)}
