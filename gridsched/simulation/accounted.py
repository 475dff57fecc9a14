"""The rule `accounted`: every instant of an accepted trigger has its record, and no record is left over.

A trigger that was replaced had several schedules, one after the other. Each of them is replayed on all of
the records, and those are held against it that were claimed while it was in force for certain. Whether
anything is missing at the end, only the last one says: what is due and not claimed yet when a trigger is
replaced has no record.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

from gridsched.model.firing import Firing
from gridsched.model.trigger import Trigger
from gridsched.policy.calendars import resolve
from gridsched.policy.ledger import Replay, Rules, Versions, replay, unaccounted
from gridsched.policy.submissions import as_accepted
from gridsched.simulation.facts import SCHEDULING, Facts, Violation, may_follow_on
from gridsched.simulation.history import Command

_CLAIM: Final = 20_000
"""The longest (ms) that a claim takes from reading a calendar or trigger to its last write."""


class _InForce(NamedTuple):
    """A trigger as it was accepted once; what was claimed between the two instants (epoch ms) was
    claimed by it for certain."""

    trigger: Trigger
    since: float = -math.inf
    until: float = math.inf


def accounted(facts: Facts) -> Iterator[Violation]:
    """Every trigger's records are what the policy answers, each for its time, and none is missing."""
    for key, accepted in _accepted(facts).items():
        stored = facts.history.triggers.get(key)
        deleted = any(c.answer != "rejected" for c in facts.about(key, ["delete"]))
        if stored is None and not deleted:
            yield Violation("accounted", key, "was accepted, and is gone")
            continue
        last = _replayed(accepted, facts)
        for version in _versions(accepted, facts):
            is_last = version.trigger is accepted
            replayed = last if is_last else _replayed(version.trigger, facts)
            yield from _judge(version, replayed, facts)
        if stored is not None:
            gap = unaccounted(last.trigger, stored, _calendars(stored, facts))
            if gap is not None:
                yield Violation("accounted", f"{key}@{gap.scheduled}", gap.problem)


def _accepted(facts: Facts) -> dict[str, Trigger]:
    """Every trigger that the cluster accepted, as it is stored, or was acknowledged last."""
    found = {
        command.key: command.trigger
        for command in facts.history.record.commands
        if command.answer == "accepted" and command.trigger and command.trigger.created_at
    }
    return found | dict(facts.history.triggers)


def _versions(last: Trigger, facts: Facts) -> list[_InForce]:
    """All that a trigger has been, as far as it is known, to what it was last."""
    given = [c for c in facts.about(last.key, SCHEDULING) if c.answer != "rejected"]
    if len(given) < 2:
        return [_InForce(last)]
    found = [_in_force(command, given, last, facts) for command in given]
    return [version for version in found if version is not None]


def _in_force(
    command: Command, given: list[Command], last: Trigger, facts: Facts
) -> _InForce | None:
    """What a command made of its trigger; None where that is not known for certain."""
    made = next((t for t in (last, command.trigger) if t is not None and command.made(t)), None)
    if made is None or sum(each.made(made) for each in given) > 1:
        return None
    history = facts.history
    margin = history.bounds.skew + _CLAIM
    others = [other for other in given if other is not command]
    later = [o.sent for o in others if may_follow_on(o, command, history.ended_at)]
    first = len(later) == len(others)
    applied_by = command.answered if command.answer == "accepted" else history.ended_at
    since = -math.inf if first else applied_by + margin
    return _InForce(made, since, min(later, default=math.inf) - margin)


def _judge(version: _InForce, replayed: Replay, facts: Facts) -> Iterator[Violation]:
    key = version.trigger.key
    for finding in replayed.findings:
        firing = facts.by_trigger[key][finding.scheduled]
        certain = version.since < firing.acquired_at < version.until
        if certain and not _by_the_calendar_before(firing, facts):
            yield Violation("accounted", f"{key}@{finding.scheduled}", finding.problem)


def _replayed(trigger: Trigger, facts: Facts) -> Replay:
    bounds, calendars = facts.history.bounds, _calendars(trigger, facts)
    accepted = as_accepted(trigger, calendars[0] if calendars else None)
    rules = Rules(bounds.look_ahead, bounds.threshold)
    return replay(accepted, facts.by_trigger[trigger.key], calendars, rules)


def _by_the_calendar_before(firing: Firing, facts: Facts) -> bool:
    """Was it claimed while a calendar was changed? Whoever claimed it had the one before, and the
    trigger may since name other instants."""
    skew = facts.history.bounds.skew
    return any(
        command.sent - skew <= firing.acquired_at <= command.answered + skew + _CLAIM
        for command in facts.history.record.commands
        if command.kind == "calendar"
    )


def _calendars(trigger: Trigger, facts: Facts) -> Versions:
    """Those that it may have been claimed by."""
    if not trigger.calendar:
        return (None,)
    given = [
        command.calendar
        for command in facts.history.record.commands
        if command.kind == "calendar" and command.answer != "rejected" and command.calendar
    ]
    return [resolve(trigger.calendar, {trigger.calendar: calendar}) for calendar in given]
