"""Values of the model in words: instants, durations, schedules, data."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from gridsched.model.trigger import FOREVER, WHEN_SUBMITTED, Cron, Once, Schedule, Simple

_UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1))


def moment(instant: int, zone: ZoneInfo) -> str:
    """An instant (epoch ms) in ISO 8601, as local time of a zone with its offset."""
    seconds, ms = divmod(instant, 1000)
    local = datetime.fromtimestamp(seconds, zone) + timedelta(milliseconds=ms)
    return local.isoformat(timespec="milliseconds" if ms else "seconds")


def duration(ms: int) -> str:
    """Milliseconds in the largest units that say them exactly: "1 min 30 s"."""
    if ms < 0:
        return f"-{duration(-ms)}"
    parts: list[str] = []
    for unit, size in _UNITS:
        number, ms = divmod(ms, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts) or "0 ms"


def schedule(value: Schedule, zone: ZoneInfo) -> str:
    """A schedule in words."""
    match value:
        case Cron():
            unix = "" if value.dialect == "quartz" else f"{value.dialect} "
            return f"{unix}cron {value.expression} ({value.zone}){_until(value.end, zone)}"
        case Once(at) | Simple(at, repeat_count=0):
            return f"once{_at(at, zone)}"
        case Simple(_, interval, count, end):
            times = "" if count == FOREVER else f", {count + 1} times"
            return f"every {duration(interval)}{times}{_until(end, zone)}"
        case _:
            fields = msgspec.to_builtins(value)
            return f"{fields.pop('type')} {', '.join(f'{n} {v}' for n, v in fields.items())}"


def _at(instant: int, zone: ZoneInfo) -> str:
    return " when submitted" if instant == WHEN_SUBMITTED else f" at {moment(instant, zone)}"


def _until(end: int | None, zone: ZoneInfo) -> str:
    return "" if end is None else f" until {moment(end, zone)}"


def written(value: Any) -> str:
    """A value as JSON on one line."""
    return msgspec.json.encode(value).decode()


def printable(text: str) -> str:
    """Text on one line without anything that a terminal would obey."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def shorten(text: str, most: int) -> str:
    """Text of at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
