"""Time zones as the Java had them in which Quartz answered: tzdata 2025a.

Later editions may differ from what it answered. Of the tables' zones one does, Africa/Casablanca from
2026 on; its rules of then are kept here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from gridsched.policy import localtime

_RULES = Path(__file__).parent / "zoneinfo"
_ours: Callable[[str], ZoneInfo] = localtime.zone


@lru_cache
def zone_then(name: str) -> ZoneInfo:
    """In the place of `localtime.zone`."""
    rules = _RULES / name
    if not rules.is_file():
        return _ours(name)
    with rules.open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
