"""Days of the week as Quartz numbers and names them: 1=SUN..7=SAT."""

from __future__ import annotations

from typing import Final

from gridsched.errors import InvalidSchedule

ALL_DAYS: Final = (1, 2, 3, 4, 5, 6, 7)
DAY_NAMES: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


def day_name(day: int) -> str:
    """The name of a day."""
    return DAY_NAMES[day - 1]


def parse_day(written: int | str) -> int:
    """The day of a name, in either case, or of a number; InvalidSchedule for anything else."""
    name = str(written).strip().upper()
    if name in DAY_NAMES:
        return DAY_NAMES.index(name) + 1
    if name in map(str, ALL_DAYS):
        return int(name)
    raise InvalidSchedule(
        f"{written!r} is no day of the week: SUN, MON, TUE, WED, THU, FRI, SAT, or 1 (SUN) to 7 (SAT)"
    )
