"""The audit of one trigger: its ledger is replayed, and what is missing or wrong is told.

What retention may have removed is not missed: judged is from the first instant on whose record must
still be there. A trigger's calendar is known only as it is today, so nothing is judged from before it
last changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from gridsched.model.firing import FINAL, Firing
from gridsched.model.member import LedgerRules, Member
from gridsched.model.trigger import Schedule, Trigger
from gridsched.policy.calendars import ResolvedCalendar
from gridsched.policy.claim import MAX_COUNTED
from gridsched.policy.fire_times import count_until, edition, fire_after
from gridsched.policy.ledger import Replay, Rules, replay
from gridsched.policy.submissions import as_accepted

SETTLED_MS: Final = 10_000
"""So long after a calendar changed, triggers may still have been claimed by the one before."""


class Seen(msgspec.Struct, frozen=True):
    """A trigger as it was read, at `now`, with all of its records.

    changed_at   when its calendar, or one of that one's bases, was last changed (epoch ms); 0: never
    retention    how long (ms) its job's firings stay; None: until they are discarded
    """

    trigger: Trigger
    firings: tuple[Firing, ...]
    now: int
    rules: LedgerRules
    retention: int | None
    calendar: ResolvedCalendar | None = None
    changed_at: int = 0


class Unaccounted(msgspec.Struct, frozen=True):
    """An instant (epoch ms), or `count` of them up to `until`, that is not accounted for."""

    scheduled: int
    problem: str
    until: int | None = None
    count: int = 1


class Tally(msgspec.Struct, frozen=True):
    """How many instants came to what. `coalesced` are those that another one's run stands for;
    `to_come` are under way, or due and not claimed yet."""

    instants: int = 0
    ran: int = 0
    failed: int = 0
    coalesced: int = 0
    skipped: int = 0
    cancelled: int = 0
    lost: int = 0
    to_come: int = 0
    unaccounted: int = 0

    def plus(self, other: Tally) -> Tally:
        """The two together."""
        names = self.__struct_fields__
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in names})


class Audited(msgspec.Struct, frozen=True):
    """What the audit of a trigger found. Every instant since `since` (epoch ms) was judged; `whole`:
    that is since the trigger was accepted. `notes` say what limits the judgement."""

    trigger: str
    since: int
    whole: bool
    tally: Tally
    unaccounted: tuple[Unaccounted, ...] = ()
    notes: tuple[str, ...] = ()


class _Walk(NamedTuple):
    """How far the records account for a trigger: where judging began, and what was found."""

    since: int
    replayed: Trigger
    judged: tuple[Firing, ...]
    found: tuple[Unaccounted, ...]


def audit(seen: Seen) -> Audited:
    """Judge every instant that the trigger's schedule names and retention has kept the record of."""
    stored = seen.trigger
    notes = tuple(_notes(seen))
    if _is_of_other_tzdata(stored):
        return Audited(stored.key, seen.now, whole=False, tally=Tally(), notes=notes)
    certain = _certain_from(seen)
    walk = _walk(seen, certain)
    gap = _gone_past(seen, walk.replayed, certain)
    found = (*walk.found, gap) if gap is not None else walk.found
    if certain and not walk.judged:
        walk = walk._replace(since=max(walk.since, certain))
    tally = _tally(seen, walk.judged, found)
    first = as_accepted(stored, seen.calendar).next_fire
    whole = first is None or walk.since <= first
    return Audited(stored.key, walk.since, whole, tally, found, notes)


def common_rules(members: Iterable[Member]) -> LedgerRules:
    """By what a cluster of these nodes claims and forgets. Where they differ, what is the most careful
    to judge by, and the misfire threshold of the first."""
    rules = [member.rules for member in sorted(members, key=lambda member: member.name)]
    if not rules:
        return LedgerRules()
    return LedgerRules(
        max(each.look_ahead for each in rules),
        rules[0].misfire_threshold,
        max(each.session_timeout for each in rules),
        min(each.retention for each in rules),
        min((each.kept for each in rules if each.kept is not None), default=None),
    )


def total(audits: Iterable[Audited]) -> Tally:
    """The tallies of several triggers together."""
    added = Tally()
    for each in audits:
        added = added.plus(each.tally)
    return added


def _certain_from(seen: Seen) -> int:
    """The instant from which on every record must still be there, and today's calendar was known."""
    return max(_kept_by_age(seen), _kept_by_number(seen), _calendar_known(seen))


def _kept_by_age(seen: Seen) -> int:
    """A record goes its retention after its end, which is not before its instant was in sight."""
    kept = [firing.retention for firing in seen.firings] + [seen.retention]
    shortest = min((each for each in kept if each is not None), default=None)
    if seen.retention is None or shortest is None:
        return seen.now + seen.rules.look_ahead
    return max(0, seen.now - shortest + seen.rules.look_ahead)


def _kept_by_number(seen: Seen) -> int:
    kept = seen.rules.kept
    final = sorted(
        f.scheduled for f in seen.firings if f.state in FINAL and f.retention is not None
    )
    return 0 if kept is None or len(final) < kept else final[-kept]


def _calendar_known(seen: Seen) -> int:
    """After its calendar last changed, and after what was claimed in one piece by the one before."""
    if not _calendar_has_changed(seen):
        return 0
    settled = seen.changed_at + SETTLED_MS
    claimed = [f.until or f.scheduled for f in seen.firings if f.scheduled < settled]
    return max([settled, *(last + 1 for last in claimed)])


def _calendar_has_changed(seen: Seen) -> bool:
    return seen.calendar is not None and seen.changed_at > seen.trigger.created_at


def _is_of_other_tzdata(trigger: Trigger) -> bool:
    here = edition(trigger.schedule, trigger.calendar)
    return bool(here and trigger.tzdata) and here != trigger.tzdata


def _notes(seen: Seen) -> Iterable[str]:
    stored = seen.trigger
    if _is_of_other_tzdata(stored):
        yield (
            "not judged: its instants are computed by another edition of the time zone data "
            f"({stored.tzdata}) than there is here ({edition(stored.schedule, stored.calendar)})"
        )
    if _calendar_has_changed(seen):
        yield (
            f"calendar {stored.calendar!r} has changed since it was accepted: judged from then on"
        )
    if seen.retention is None:
        yield "its records stay until they are discarded: one that is missing is taken for discarded"
    if stored.state == "ERROR":
        yield f"in state ERROR, so nothing is claimed: {stored.error}"


def _walk(seen: Seen, certain: int) -> _Walk:
    """Replay the records; where one is missing, go on with the next that the schedule names."""
    rules = Rules(seen.rules.look_ahead, seen.rules.misfire_threshold)
    floor = _calendar_known(seen)
    ledger = {f.scheduled: f for f in seen.firings if f.scheduled >= floor}
    trigger = as_accepted(seen.trigger, seen.calendar)
    since = trigger.next_fire or 0
    left, judged, found = dict(ledger), [], []
    while True:
        replayed = replay(trigger, left, (seen.calendar,), rules)
        found += _problems(replayed, left)
        judged += [left[at] for at in sorted(replayed.visited)]
        left = {at: firing for at, firing in left.items() if at not in replayed.visited}
        after = _next_recorded(seen, replayed.trigger, left)
        if after is None:
            break
        expected = replayed.trigger.next_fire or 0
        trigger = _resumed(seen, replayed.trigger, after, ledger)
        if expected < certain:
            since, judged, found = after, [], []
        # What retention removed may hold the record by which a misfire policy shifted the schedule.
        schedule = trigger.schedule if expected < certain else replayed.trigger.schedule
        missing = _missing(seen, schedule, (max(expected, certain), after - 1))
        found += [missing] if missing is not None else []
    if (replayed.trigger.next_fire or certain) < certain:
        since = max(since, _shifted_at(seen))  # by what schedule it went before, nobody knows
    found += [
        Unaccounted(at, "is recorded, but the schedule does not name it")
        for at, firing in sorted(left.items())
        if at >= since and not _is_of_an_earlier(firing, seen)
    ]
    return _Walk(since, replayed.trigger, tuple(judged), tuple(sorted(found, key=_instant)))


def _problems(replayed: Replay, ledger: Mapping[int, Firing]) -> list[Unaccounted]:
    """What is wrong with the records that the replay went by."""
    return [
        Unaccounted(at, problem, ledger[at].until, ledger[at].count)
        for at, problem in replayed.findings
        if at in replayed.visited
    ]


def _is_of_an_earlier(firing: Firing, seen: Seen) -> bool:
    """Is it a record of the trigger that had this key before?"""
    return firing.acquired_at <= seen.trigger.created_at + seen.rules.look_ahead


def _next_recorded(seen: Seen, replayed: Trigger, left: Mapping[int, Firing]) -> int | None:
    """The first record behind the missing one that the schedule names."""
    expected = replayed.next_fire
    if expected is None:
        return None
    schedules = _schedules(seen, replayed)
    return next(
        (at for at in sorted(left) if at > expected and _names(schedules, at, seen.calendar)), None
    )


def _schedules(seen: Seen, replayed: Trigger) -> tuple[Schedule, ...]:
    """Those that it may have gone by: a misfire policy may have shifted it since."""
    return (replayed.schedule, seen.trigger.schedule)


def _names(schedules: Iterable[Schedule], at: int, calendar: ResolvedCalendar | None) -> bool:
    return any(fire_after(schedule, at - 1, calendar) == at for schedule in schedules)


def _resumed(seen: Seen, replayed: Trigger, at: int, ledger: Mapping[int, Firing]) -> Trigger:
    """The trigger as it stood when the record of `at` was claimed, told from how it stands now."""
    stored = seen.trigger
    there = [firing for instant, firing in ledger.items() if instant >= at]
    fired = stored.fired - sum(firing.count for firing in there)
    misfired = stored.misfired - sum(firing.count - (firing.state != "SKIPPED") for firing in there)
    named = next(s for s in _schedules(seen, replayed) if _names([s], at, seen.calendar))
    return replace(
        replayed,
        schedule=named,
        next_fire=at,
        due=at,
        fired=max(0, fired),
        misfired=max(0, misfired),
    )


def _missing(seen: Seen, schedule: Schedule, between: tuple[int, int]) -> Unaccounted | None:
    """The instants of a range, all of whose records must be there, that have none."""
    begin = (
        max(between[0], _shifted_at(seen) + 1) if schedule == seen.trigger.schedule else between[0]
    )
    first = fire_after(schedule, begin - 1, seen.calendar)
    if first is None or first > between[1]:
        return None
    count, last = count_until(schedule, first, between[1], MAX_COUNTED, seen.calendar)
    problem = "has no record, and its trigger has gone on"
    return Unaccounted(first, problem, last if count > 1 else None, count)


def _gone_past(seen: Seen, replayed: Trigger, certain: int) -> Unaccounted | None:
    """The instants behind the last record that the trigger, as it is stored, has gone past."""
    stored, expected = seen.trigger, replayed.next_fire
    if expected is None or stored.next_fire == expected:
        return None
    if stored.next_fire is not None:
        last = stored.next_fire - 1
    elif stored.state == "COMPLETE" and not _ended_by_calendar(seen):
        last = max(expected, stored.previous_fire or 0)
    else:
        return None
    schedule = replayed.schedule if expected >= certain else stored.schedule
    return _missing(seen, schedule, (max(expected, certain), last))


def _shifted_at(seen: Seen) -> int:
    """When a misfire policy last started the schedule anew, -1: never. The run of that instant is
    recorded under the missed one that it stands for."""
    start: int = getattr(seen.trigger.schedule, "start", -1)
    return -1 if seen.trigger.accepted is None else start


def _ended_by_calendar(seen: Seen) -> bool:
    """May it have ended by a calendar that excluded all that was left, and has changed since?"""
    return (seen.trigger.finished_at or 0) < _calendar_known(seen)


def _tally(seen: Seen, judged: Iterable[Firing], found: Iterable[Unaccounted]) -> Tally:
    wrong = {each.scheduled for each in found}
    tally = Tally(to_come=_due(seen), unaccounted=sum(each.count for each in found))
    for firing in judged:
        if firing.scheduled not in wrong:
            tally = tally.plus(_of(firing))
    names = ("ran", "failed", "coalesced", "skipped", "cancelled", "lost", "to_come", "unaccounted")
    return replace(tally, instants=sum(getattr(tally, name) for name in names))


def _of(firing: Firing) -> Tally:
    others = firing.count - 1
    match firing.state:
        case "COMPLETE":
            return Tally(ran=1, coalesced=others)
        case "FAILED":
            return Tally(failed=1, coalesced=others)
        case "SKIPPED":
            return Tally(skipped=firing.count)
        case "CANCELLED":
            return Tally(cancelled=1, coalesced=others)
        case "LOST":
            return Tally(lost=1, coalesced=others)
        case _:
            return Tally(to_come=1, coalesced=others)


def _due(seen: Seen) -> int:
    """The instants that are due and not claimed yet."""
    stored, first = seen.trigger, seen.trigger.next_fire
    if first is None or first > seen.now or stored.state == "ERROR":
        return 0
    if any(firing.scheduled == first for firing in seen.firings):
        return 0
    return count_until(stored.schedule, first, seen.now, MAX_COUNTED, seen.calendar)[0]


def _instant(found: Unaccounted) -> int:
    return found.scheduled
