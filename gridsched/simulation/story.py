"""The story of a violation: what happened to its key, line by line, and to the hosts concerned."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from gridsched.model.firing import Firing
from gridsched.model.keys import job_of, trigger_of
from gridsched.simulation.facts import Violation
from gridsched.simulation.history import History


class Line(NamedTuple):
    """Something that happened at an instant (epoch ms, the true clock's)."""

    at: int
    text: str

    def __str__(self) -> str:
        moment = datetime.fromtimestamp(self.at / 1000, UTC)
        return f"{moment:%H:%M:%S}.{self.at % 1000:03}  {self.text}"


def story(violation: Violation, history: History) -> list[Line]:
    """What was asked, recorded and run of the violation's key, with the troubles of its
    hosts meanwhile."""
    key = violation.key
    lines = [*_commands(key, history), *_runs(key, history), *_ledger(key, history)]
    hosts = {
        run.host.partition("#")[0] for run in history.record.runs if _concerns(key, run.firing)
    }
    first = min((line.at for line in lines), default=0)
    last = max((line.at for line in lines), default=history.ended_at)
    for trouble in history.record.troubles:
        if trouble.host in hosts | {""} and trouble.until >= first and trouble.since <= last:
            whose = trouble.host or "a grid member"
            lines.append(Line(trouble.since, f"{trouble.kind} of {whose}"))
            lines.append(Line(trouble.until, f"{whose}: the {trouble.kind} is over"))
    return sorted(lines)


def _concerns(key: str, other: str) -> bool:
    """Is the other the same key, or one of the job, trigger or firing that the key names?"""
    return other == key or other.startswith((f"{key}:", f"{key}@"))


def _commands(key: str, history: History) -> Iterator[Line]:
    about = {key, trigger_of(key), job_of(key)}
    for command in history.record.commands:
        if command.key in about:
            yield Line(command.sent, f"{command.kind} of {command.key} is asked for")
            yield Line(command.answered, f"{command.kind} of {command.key}: {command.answer}")


def _runs(key: str, history: History) -> Iterator[Line]:
    for run in history.record.runs:
        if _concerns(key, run.firing):
            what = f"attempt {run.attempt} of {run.firing} on {run.host}"
            yield Line(run.started, f"{what} starts")
            if run.ended is not None:
                yield Line(run.ended, f"{what} ends: {run.outcome}")


def _ledger(key: str, history: History) -> Iterator[Line]:
    for firing in history.firings:
        if _concerns(key, firing.key):
            yield Line(firing.scheduled, f"{firing.key} is scheduled")
            yield Line(firing.acquired_at, f"{firing.key} is acquired by {firing.acquired_by}")
            yield Line(_last(firing), f"{firing.key} stands at {firing.state} {firing.error}")


def _last(firing: Firing) -> int:
    return firing.finished_at or firing.started_at or firing.acquired_at
