"""Local time: zones, and what becomes of local times that a clock change skips or repeats.

Instants are epoch milliseconds, UTC. Local times are naive `datetime`s as a clock on the wall shows
them; where a clock shows one twice, `fold` tells the passes apart (PEP 495).

Turning local times into instants is monotone under any policy with one pass: a later local time never
has an earlier instant. So searching for the next fire is searching for the next local time, from
`earliest_local` on. A policy of both passes is the union of the two policies with one.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import tzdata

from gridsched.errors import InvalidSchedule
from gridsched.model.dst import DstPolicy as DstPolicy  # noqa: PLC0414  a word of this room too

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  local times are naive here
_MS: Final = timedelta(milliseconds=1)
_SECOND: Final = timedelta(seconds=1)

QUARTZ: Final = DstPolicy("skip", "second")
"""Quartz's own way: a skipped time is left out, a repeated one fires in its second pass only."""

WALL_CLOCK: Final = DstPolicy("after", "first")
"""Once on every day, whatever the clocks do: for times of day."""

ELAPSED: Final = DstPolicy("skip", "both")
"""As if the clocks never changed: for schedules that repeat through the hours."""


class Shift(NamedTuple):
    """A clock change, as seen from a local time that it skips or repeats.

    `instant` is that of the change. The local times from `start` up to, not including, `end` do not
    exist (`is_gap`), or exist twice.
    """

    instant: int
    start: datetime
    end: datetime
    is_gap: bool


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name; InvalidSchedule, with the closest names, if there is none.

    Always of the package tzdata, never of the system, so that nodes with the same packages agree.
    """
    if name not in _names():
        raise InvalidSchedule(f"no such time zone {name!r}{_did_you_mean(name)}")
    with files(tzdata).joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    """Every zone that there is."""
    return frozenset(files(tzdata).joinpath("zones").read_text("utf-8").split())


def edition_name(edition: int) -> str:
    """An edition of the time zone data as IANA writes it: 202602 is "2026b"."""
    year, letter = divmod(edition, 100)
    return f"{year}{chr(ord('a') + letter - 1)}"


def edition_of(name: str) -> int:
    """The number of an edition; those of later ones are higher."""
    return int(name[:4]) * 100 + ord(name[4]) - ord("a") + 1


EDITION: Final = edition_of(tzdata.IANA_VERSION)
"""The edition of the time zone data by which instants are computed here."""


def _did_you_mean(name: str) -> str:
    """The zones whose names, or whose last parts (the city), are closest."""
    written: dict[str, str] = {}
    for known in sorted(_names()):
        written[known.lower()] = known
        written.setdefault(known.lower().rpartition("/")[2], known)
    wanted = name.strip().lower().replace(" ", "_")
    close = dict.fromkeys(written[match] for match in get_close_matches(wanted, written))
    return f": did you mean {' or '.join(close)}?" if close else ""


@lru_cache(maxsize=16)
def single_passes(dst: DstPolicy) -> tuple[DstPolicy, ...]:
    """The policies with one pass whose instants together are those of `dst`."""
    if dst.overlap != "both":
        return (dst,)
    return (DstPolicy(dst.gap, "first"), DstPolicy(dst.gap, "second"))


def to_local(instant: int, tz: ZoneInfo) -> datetime:
    """The local time at an instant; its `fold` is 1 in the second pass of a repeated hour."""
    seconds, ms = divmod(instant, 1000)
    return datetime.fromtimestamp(seconds, tz).replace(tzinfo=None, microsecond=ms * 1000)


def to_instants(local: datetime, tz: ZoneInfo, dst: DstPolicy) -> tuple[int, ...]:
    """The instants at which the policy lets a local time happen: none, one or two, in order."""
    early, late = _offsets(local, tz)
    if early == late:
        return (_instant(local, early),)
    if early > late:
        both = (_instant(local, early), _instant(local, late))
        return {"first": both[:1], "second": both[1:], "both": both}[dst.overlap]
    if dst.gap == "skip":
        return ()
    return (_shift(local, tz, early, late).instant,)


def shift_at(local: datetime, tz: ZoneInfo) -> Shift | None:
    """The clock change that skips or repeats a local time; None for a time that happens once."""
    early, late = _offsets(local, tz)
    return None if early == late else _shift(local, tz, early, late)


def earliest_local(instant: int, tz: ZoneInfo, dst: DstPolicy) -> datetime:
    """The earliest local time that happens at or after an instant, by a policy with one pass."""
    local = to_local(instant, tz)
    shift = shift_at(local, tz)
    if shift is not None:
        if _pass_of(dst) == local.fold:
            return local
        return shift.end if local.fold else shift.start
    if dst.gap == "after":
        # At the very end of a gap, the times that the gap skipped are still to happen.
        skipped = shift_at(local - _MS, tz)
        if skipped is not None and skipped.is_gap and skipped.instant == instant:
            return skipped.start
    return local


def latest_local(instant: int, tz: ZoneInfo, dst: DstPolicy) -> datetime:
    """The latest local time that happens at or before an instant, by a policy with one pass."""
    local = to_local(instant, tz)
    shift = shift_at(local, tz)
    if shift is None or _pass_of(dst) == local.fold:
        return local
    return (shift.end if local.fold else shift.start) - _MS


def _pass_of(dst: DstPolicy) -> int:
    """The `fold` of the one pass that counts."""
    return 0 if dst.overlap == "first" else 1


def _offsets(local: datetime, tz: ZoneInfo) -> tuple[timedelta, timedelta]:
    """A local time's UTC offsets before and after the clock change near it; equal where none is."""
    other = tz.utcoffset(local.replace(fold=1 - local.fold))
    early, late = tz.utcoffset(local), other
    if local.fold:
        early, late = late, early
    assert early is not None
    assert late is not None
    return early, late


def _instant(local: datetime, offset: timedelta) -> int:
    return (local - offset - _EPOCH) // _MS


def _shift(local: datetime, tz: ZoneInfo, early: timedelta, late: timedelta) -> Shift:
    """The change between two offsets that both are thinkable at a local time."""
    seconds = range(
        (local - max(early, late) - _EPOCH) // _SECOND,
        (local - min(early, late) - _EPOCH) // _SECOND + 1,
    )
    place = bisect_left(
        seconds, True, key=lambda second: datetime.fromtimestamp(second, tz).utcoffset() == late
    )
    change = datetime.fromtimestamp(seconds[place], UTC).replace(tzinfo=None)
    return Shift(
        instant=seconds[place] * 1000,
        start=change + min(early, late),
        end=change + max(early, late),
        is_gap=early < late,
    )
