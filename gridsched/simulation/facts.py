"""A history, arranged for the rules that judge it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container
from typing import Final, Literal, NamedTuple

from gridsched.model.events import EVENTS_GROUP
from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.model.keys import job_of, parse_key
from gridsched.simulation.history import Command, CommandKind, History, Run, Trouble

Rule = Literal["accounted", "twice", "overlap", "started", "late", "stuck", "events", "defect"]

UNFENCED: Final = ("crash", "stall", "restart", "cut", "buried")
"""Troubles of a host under which the others may take it for gone."""


SCHEDULING: Final[tuple[CommandKind, ...]] = ("schedule", "replace")
"""Commands that give a trigger its schedule."""


class Violation(NamedTuple):
    """A rule that was broken, the key it is about, and how."""

    rule: Rule
    key: str
    problem: str


def is_delivery(job: str) -> bool:
    """Does the job of this key tell a subscriber of an event?"""
    return parse_key(job).group == EVENTS_GROUP


def may_follow_on(command: Command, other: Command, until: int) -> bool:
    """May a command have been applied after another one, and before an instant? One that was not
    answered may have been at any time after it was sent."""
    before = command.answer == "accepted" and command.answered < other.sent
    return not before and command.sent <= until


class Facts:
    """A history, arranged for its rules. `firings` are all that there were: those that users discarded
    as they were read before, where they have gone."""

    def __init__(self, history: History) -> None:
        self.history = history
        given = history.record.commands
        discarded = [c.firing for c in given if c.firing is not None and c.answer != "rejected"]
        self.firings = {firing.key: firing for firing in (*discarded, *history.firings)}
        self.by_trigger: defaultdict[str, dict[int, Firing]] = defaultdict(dict)
        for firing in self.firings.values():
            self.by_trigger[firing.trigger][firing.scheduled] = firing
        self.by_firing: defaultdict[str, list[Run]] = defaultdict(list)
        for run in history.record.runs:
            self.by_firing[run.firing].append(run)
        self.commands: defaultdict[str, list[Command]] = defaultdict(list)
        self.jobs: dict[str, Job] = dict(history.jobs)
        for command in history.record.commands:
            self.commands[command.key].append(command)
            if command.job is not None:
                self.jobs.setdefault(command.job.key, command.job)

    def runs(self, firing: str) -> list[Run]:
        """The runs of a firing, in the order in which they started."""
        return self.by_firing.get(firing, [])

    def about(self, key: str, kinds: Container[str]) -> list[Command]:
        """The commands of these kinds about a trigger, about its job or the group of either."""
        found = [*self.commands[key]]
        if ":" in key:
            parts = parse_key(key)
            for about in (job_of(key), parts.group, parts.trigger_group or ""):
                found += self.commands[about]
        return [command for command in found if command.kind in kinds]

    def troubled(self, host: str, since: int, until: int) -> list[Trouble]:
        """The times at which a host was out of reach of the others, between two instants. They may
        still take it for gone a session timeout later."""
        name = host.partition("#")[0]
        return [
            trouble
            for trouble in self.history.record.troubles
            if trouble.host == name
            and trouble.kind in UNFENCED
            and trouble.since <= until
            and trouble.until + self.history.bounds.session_timeout >= since
        ]

    @property
    def settled(self) -> int:
        """From when on everything is right again."""
        return self.history.calm_since + self.history.bounds.settle

    @property
    def overdue(self) -> int:
        """What was to happen by then has happened at the end."""
        return self.history.ended_at - self.history.bounds.settle

    def died(self, run: Run) -> bool:
        """Has the host of a run crashed since it started?"""
        name = run.host.partition("#")[0]
        return any(
            trouble.host == name and trouble.kind == "crash" and trouble.since >= run.started
            for trouble in self.history.record.troubles
        )
