"""Cron against the real Quartz: the tables' rows, and a name for every difference.

The names are those of docs/quartz-compatibility.md.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from adapter import answer_cron_invalid
from compare import split_row
from oracle_rows import differences, reaches, rows

from gridsched.errors import InvalidCron
from gridsched.policy.cron_parse import parse
from gridsched.policy.localtime import shift_at, to_local, zone

NAMED_STEP = "a step on names steps"
NEAREST_WEEKDAY = "nW is found from any instant alike"
FIRST_PASS = "asked within the first pass"

REFUSED = {
    "values and steps outside the field are refused": re.compile(r"[0-9] is not [0-9]"),
    "text beside a value is refused": re.compile(r"cannot stand here|is not known"),
}
"""What Quartz accepts by accident, by what our refusal says."""


def cron_class(row: dict[str, Any]) -> str | None:
    """The documented difference that a row of the cron table belongs to."""
    if re.search(r"[A-Z]/", row["expr"]):
        return NAMED_STEP
    if "W" in row["expr"].upper().split()[3]:
        return NEAREST_WEEKDAY
    tz = zone(row["zone"])
    local = to_local(row["start"], tz)
    if local.fold == 0 and shift_at(local, tz) is not None:
        return FIRST_PASS
    return None


def test_cron_fires_as_quartz_does() -> None:
    assert reaches("cron", differences("cron"), plain=98, dst=95)


def test_every_difference_is_documented() -> None:
    for row, _, _ in differences("cron"):
        assert cron_class(row) is not None, row


def test_asked_in_the_first_pass_only_the_second_is_added() -> None:
    """Of the rows that begin in a first pass, what Quartz answers is all there, and in order."""
    for row, _, got in differences("cron"):
        if cron_class(row) == FIRST_PASS:
            added = [fire for fire in got["fires"] if fire not in row["fires"]]
            hour = timedelta(hours=1) // timedelta(milliseconds=1)
            assert added
            assert all(row["start"] < fire <= row["start"] + hour for fire in added)
            assert got["fires"][len(added) :] == row["fires"][: -len(added)]


def test_what_quartz_refuses_is_refused() -> None:
    for row in rows("cron_invalid"):
        if not row["valid"]:
            inputs, want = split_row("cron_invalid", row)
            assert answer_cron_invalid(inputs) == want, row["quartz_says"]


def test_what_quartz_accepts_by_accident_is_documented() -> None:
    for row, _, got in differences("cron_invalid"):
        if got["valid"]:
            assert cron_class(row) == NAMED_STEP, row
        else:
            with pytest.raises(InvalidCron) as refusal:
                parse(row["expr"])
            assert any(says.search(str(refusal.value)) for says in REFUSED.values()), row
