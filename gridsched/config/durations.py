"""Durations as Coherence writes them: a whole number and a unit."""

from __future__ import annotations

import re
from typing import Final

UNITS: Final = {"MS": 1, "S": 1000, "M": 60_000, "H": 3_600_000, "D": 86_400_000}
"""Milliseconds in each unit. M is minutes, as in Coherence."""

MAX_MS: Final = 36_500 * UNITS["D"]
"""A hundred years: what is longer is a slip of the pen, and would leave the calendar."""

_WRITTEN: Final = re.compile(r"([0-9]{1,15})\s*(MS|S|M|H|D)?", re.IGNORECASE)


def parse(text: str, bare: str | None = "MS") -> int:
    """Milliseconds of "500", "40S", "1M", "1H", "2D"; the unit in either case.

    `bare` is the unit of a number without one; None: only 0 may stand alone. ValueError says what
    is wrong and how a duration is written.
    """
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text!r} is not a duration: write a whole number and MS, S, M (minutes), H or D, "
            "such as 40S"
        )
    number, unit = int(match[1]), (match[2] or bare or "").upper()
    if not unit and number:
        raise ValueError(f"{text!r} has no unit: write {number}S for seconds or {number}MS")
    milliseconds = number * UNITS.get(unit, 0)
    if milliseconds > MAX_MS:
        raise ValueError(f"{text!r} is longer than 100 years")
    return milliseconds
