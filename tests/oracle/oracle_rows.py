"""The tables' rows, and those that are not answered as Quartz did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from adapter import ANSWERS
from compare import same, split_row

TABLES = Path(__file__).parent / "tables"


class Difference(NamedTuple):
    """A row, the output fields in which the answer differs, and the answer."""

    row: dict[str, Any]
    fields: tuple[str, ...]
    got: dict[str, Any]


def rows(table: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (TABLES / f"{table}.jsonl").read_text().splitlines()]


def differences(table: str) -> list[Difference]:
    """Every row that is not answered as Quartz did, with our answer."""
    found = []
    for row in rows(table):
        inputs, want = split_row(table, row)
        got = ANSWERS[table](inputs)
        fields = tuple(field for field in want if not same(want[field], got.get(field)))
        if fields:
            found.append(Difference(row, fields, got))
    return found


def reaches(table: str, differing: list[Difference], plain: float, dst: float) -> bool:
    """Whether so many percent of the rows are equal: those not near a clock change, those near."""
    for near, percent in ((False, plain), (True, dst)):
        of = [row for row in rows(table) if row.get("dst", False) is near]
        bad = [each for each in differing if each.row.get("dst", False) is near]
        if len(bad) * 100 > (100 - percent) * len(of):
            return False
    return True
