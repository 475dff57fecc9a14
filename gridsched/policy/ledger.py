"""The ledger, judged: every instant that a trigger's schedule implies, against what is recorded of it.

A trigger is replayed from its acceptance by the same pure functions that claimed it, each at the time
that its firing says it was acquired. So a record must stand under every instant that the replay names,
it must hold what the misfire policy answers for that time, and no record may be left over (law 4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec.structs import replace

from gridsched.model.firing import Firing
from gridsched.model.trigger import Trigger
from gridsched.policy.calendars import MAX_MOVES, ResolvedCalendar, included
from gridsched.policy.claim import Instant, Window, adopt, claim
from gridsched.policy.fire_times import done_until, following

Versions = Sequence[ResolvedCalendar | None]
"""The calendars that a trigger may have been claimed by; one None where it names none."""


class Rules(NamedTuple):
    """By what the cluster claims (ms): see `Settings`."""

    look_ahead: int
    threshold: int


class Finding(NamedTuple):
    """An instant (epoch ms) that is not accounted for as it should be."""

    scheduled: int
    problem: str


class Replay(NamedTuple):
    """What a replay has found. `trigger` is as it should stand now; `visited` are the instants whose
    records it went by."""

    findings: tuple[Finding, ...]
    trigger: Trigger
    visited: frozenset[int]


def replay(
    accepted: Trigger, ledger: Mapping[int, Firing], versions: Versions, rules: Rules
) -> Replay:
    """Go through a trigger's records, by scheduled instant, from its acceptance on.

    Ends at the first instant that nothing is recorded of: whether that one should be recorded by
    now depends on what became of the trigger, which `unaccounted` knows.
    """
    findings: list[Finding] = []
    visited: set[int] = set()
    trigger = accepted
    while steps := _next_steps(trigger, ledger, versions):
        step, problem = _taken(steps, rules)
        visited.add(step.firing.scheduled)
        if problem:
            findings.append(Finding(step.firing.scheduled, problem))
        claimed = _as_claimed(step, rules)
        trigger = adopt(step.trigger, claimed, _window(claimed, rules), step.calendar)
    left = sorted(set(ledger) - visited)
    findings += [
        Finding(instant, "is recorded, but the schedule does not name it") for instant in left
    ]
    return Replay(tuple(findings), trigger, frozenset(visited))


class _Step(NamedTuple):
    """A record, with the trigger and calendar that it may have been claimed from."""

    trigger: Trigger
    firing: Firing
    calendar: ResolvedCalendar | None


def _taken(steps: Sequence[_Step], rules: Rules) -> tuple[_Step, str]:
    """The step that explains the record, with ""; where none does, the first, with what is wrong."""
    problem = ""
    for step in steps:
        found = _judge(step, rules)
        if not found:
            return step, ""
        problem = problem or found
    return steps[0], problem


def _as_claimed(step: _Step, rules: Rules) -> Firing:
    """The record as it was made. What was to run may have been skipped later, when it was resumed too
    late or overlapped with another run; the trigger went on from it as from a run all the same."""
    decided = claim(step.trigger, _window(step.firing, rules), 1, step.calendar).instants
    runs = bool(decided) and not decided[0].skipped
    later = step.firing.state == "SKIPPED" and runs
    return replace(step.firing, state="ACQUIRED") if later else step.firing


def unaccounted(replayed: Trigger, stored: Trigger, versions: Versions) -> Finding | None:
    """The instant at which the records end although the trigger as it is stored has gone past it."""
    scheduled = replayed.next_fire
    if len(versions) > 1:
        scheduled = next(_open(replayed, {}, versions), None)
    if scheduled is None or (stored.next_fire is not None and stored.next_fire <= scheduled):
        return None
    return Finding(scheduled, "has no record, and its trigger has gone on")


def surplus(ended: Sequence[Firing], kept: int, until: int) -> frozenset[int]:
    """The instants of those final firings of a trigger that go, so that the latest `kept` stay: such
    as ended by `until`, and are not to be kept until somebody discards them. One that was cancelled
    ahead stays until its instant is over, or its trigger would make it anew."""
    counted = sorted(
        (firing for firing in ended if firing.retention is not None),
        key=lambda firing: firing.scheduled,
    )
    return frozenset(
        firing.scheduled
        for firing in counted[: max(0, len(counted) - kept)]
        if firing.finished_at is not None and max(firing.finished_at, firing.scheduled) <= until
    )


def _window(firing: Firing, rules: Rules) -> Window:
    at = firing.acquired_at
    return Window(at, at + rules.look_ahead, rules.threshold)


def _next_steps(trigger: Trigger, ledger: Mapping[int, Firing], versions: Versions) -> list[_Step]:
    """The record of the next instant, with each calendar by which it may have been claimed."""
    if len(versions) > 1:
        first = next(_open(trigger, ledger, versions), None)
        trigger = trigger if first is None else _moved(trigger, first)
    else:
        first = trigger.next_fire
    if first is None or first not in ledger:
        return []
    return [_Step(trigger, ledger[first], calendar) for calendar in versions or (None,)]


def _open(trigger: Trigger, ledger: Mapping[int, Firing], versions: Versions) -> Iterator[int]:
    """The instants after those that are accounted for which have a record, or should have one: every
    calendar includes them. What one of the calendars leaves out may be without."""
    runs = trigger.fired - trigger.misfired
    fire = following(trigger, done_until(trigger), runs)
    for _ in range(MAX_MOVES):
        if fire is None:
            return
        includes = [calendar is None or included(calendar, fire) for calendar in versions]
        if all(includes) or (any(includes) and fire in ledger):
            yield fire
        fire = following(trigger, fire, runs)


def _moved(trigger: Trigger, to: int) -> Trigger:
    """As a change of its calendar moved it. Where it had ended by one, it went on by another."""
    return replace(trigger, state="NORMAL", next_fire=to, due=to, finished_at=None)


def _judge(step: _Step, rules: Rules) -> str:
    """ "" where the record is what the policy answers for its time; else what it should be."""
    firing = step.firing
    if firing.state == "CANCELLED" and firing.finished_at == firing.acquired_at:
        return ""  # by a user, before anybody claimed it
    decided = claim(step.trigger, _window(firing, rules), 1, step.calendar)
    if not decided.instants:
        return "was claimed before its time"
    answer = replace(decided.instants[0], reason="")
    stands = Instant(firing.scheduled, firing.until, firing.count, answer.skipped)
    if stands == answer and (not answer.skipped or firing.state == "SKIPPED"):
        return ""
    return f"is recorded as {_words(stands)}, where the policy answers {_words(answer)}"


def _words(instant: Instant) -> str:
    what = "skipped" if instant.skipped else "one run"
    last = instant.until or instant.scheduled
    until = datetime.fromtimestamp(last / 1000, UTC).isoformat(timespec="milliseconds")
    return f"{what} for {instant.count} instant(s) up to {until}"
