"""The story of a violation: what happened to its key, line by line, and to the hosts concerned."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, NamedTuple

from msgspec import json

from gridsched.model.firing import Firing
from gridsched.model.keys import job_of, trigger_of
from gridsched.simulation.facts import Violation
from gridsched.simulation.history import History, Written

_AROUND: Final = 30_000
"""What is written (ms) before and after what concerns a firing, of its trigger and job, is told too."""

_LONG_AGO: Final = 1_000_000_000_000


class Line(NamedTuple):
    """Something that happened at an instant (epoch ms, the true clock's)."""

    at: int
    text: str

    def __str__(self) -> str:
        return f"{_time(self.at)}  {self.text}"


def story(violation: Violation, history: History) -> list[Line]:
    """What was asked and run of the violation's key, what the ledger and, where it was written down,
    what each node wrote, with the troubles of its hosts meanwhile."""
    key, record = violation.key, history.record
    asked, runs, ledger = _commands(key, history), _runs(key, history), _ledger(key, history)
    own = [*runs, *ledger] or asked or [Line(history.ended_at, "")]
    if "@" not in key:
        own += asked
    first, last = min(own).at - _AROUND, max(own).at + _AROUND
    near = [each for each in record.written if first <= each.at <= last and is_about(key, each.key)]
    hosts = {run.host.partition("#")[0] for run in record.runs if _concerns(key, run.firing)}
    hosts |= {change.host.partition("#")[0] for change in near}
    troubles: list[Line] = []
    for trouble in record.troubles:
        if trouble.host in hosts | {""} and trouble.until >= first and trouble.since <= last:
            whose = trouble.host or "a grid member"
            troubles.append(Line(trouble.since, f"{trouble.kind} of {whose}"))
            troubles.append(Line(trouble.until, f"{whose}: the {trouble.kind} is over"))
    lines = [*troubles, *asked, *runs, *map(_change, near), *ledger]
    return sorted(lines, key=lambda line: line.at)  # each of a moment's kinds as it happened


def is_about(key: str, other: str) -> bool:
    """Is the other the violation's key, what its key names, or the trigger, job or lock it is of?"""
    return other in {trigger_of(key), job_of(key)} or _concerns(key, other)


def _concerns(key: str, other: str) -> bool:
    """Is the other the same key, or one of the job, trigger or firing that the key names?"""
    return not key or other == key or other.startswith((f"{key}:", f"{key}@"))


def _change(change: Written) -> Line:
    host = change.host or "a user"
    if not change.new:
        return Line(change.at, f"{host} removes {change.key} from {change.map}")
    before, after = (json.decode(value) if value else {} for value in (change.old, change.new))
    told = [f"{name} {_told(value)}" for name, value in after.items() if value != before.get(name)]
    told += [f"no {name}" for name in before if name not in after]
    return Line(change.at, f"{host} writes {change.key} in {change.map}: {', '.join(told)}")


def _told(value: object) -> str:
    """Epoch milliseconds as the time of the day."""
    if isinstance(value, int) and value > _LONG_AGO:
        return _time(value)
    return value if isinstance(value, str) else json.encode(value).decode()


def _time(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%H:%M:%S}.{at % 1000:03}"


def _commands(key: str, history: History) -> list[Line]:
    """About the key, or about the group that its trigger is in."""
    commands = history.record.commands
    about = [command for command in commands if is_about(key, command.key)]
    groups = {command.trigger.group for command in about if command.trigger is not None}
    about += [command for command in commands if command.key in groups]
    lines: list[Line] = []
    for command in about:
        lines.append(Line(command.sent, f"{command.kind} of {command.key} is asked for"))
        lines.append(Line(command.answered, f"{command.kind} of {command.key}: {command.answer}"))
    return lines


def _runs(key: str, history: History) -> list[Line]:
    lines: list[Line] = []
    for run in history.record.runs:
        if _concerns(key, run.firing):
            what = f"attempt {run.attempt} of {run.firing} on {run.host}"
            lines.append(Line(run.started, f"{what} starts"))
            if run.ended is not None:
                lines.append(Line(run.ended, f"{what} ends: {run.outcome}"))
    return lines


def _ledger(key: str, history: History) -> list[Line]:
    lines: list[Line] = []
    for firing in history.firings:
        if _concerns(key, firing.key):
            lines.append(Line(firing.scheduled, f"{firing.key} is scheduled"))
            by = firing.acquired_by
            lines.append(Line(firing.acquired_at, f"{firing.key} is acquired by {by}"))
            stands = f"{firing.key} stands at {firing.state} {firing.error}".rstrip()
            lines.append(Line(_last(firing), stands))
    return lines


def _last(firing: Firing) -> int:
    return firing.finished_at or firing.started_at or firing.acquired_at
