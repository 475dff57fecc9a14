"""What an explanation is made from, and of: a scene that was read from the grid, and sentences.

Sentences hold their instants and spans as such, so that whoever prints them chooses the zone.
"""

from __future__ import annotations

import msgspec

from gridsched.model.firing import Firing
from gridsched.model.groups import PausedGroups
from gridsched.model.job import Job
from gridsched.model.member import LedgerRules, Member
from gridsched.model.trigger import Schedule, Trigger
from gridsched.policy.calendars import ResolvedCalendar
from gridsched.policy.gate import waiting, waits
from gridsched.policy.groups import is_of
from gridsched.policy.overlap import runs_alone, takes_turns


class Moment(msgspec.Struct, frozen=True, tag="moment"):
    """An instant (epoch ms)."""

    at: int


class Span(msgspec.Struct, frozen=True, tag="span"):
    """A length of time (ms)."""

    ms: int


Part = str | Moment | Span | Schedule


class Sentence(msgspec.Struct, frozen=True):
    """One thing that is so, or that happened `at` an instant (epoch ms)."""

    parts: tuple[Part, ...]
    at: int | None = None


Sentences = list[Sentence]


def say(*parts: Part, at: int | None = None) -> Sentence:
    """A sentence of these parts."""
    return Sentence(parts, at)


class Scene(msgspec.Struct, frozen=True):
    """A trigger, or one instant of it, with all that may have to do with it, as read at `now`.

    instant   the scheduled instant (epoch ms) that is asked about; None: the trigger
    firing    its record, where there is one
    records   the records of the whole job, by scheduled instant
    holder    key of the firing that has the job to itself; "": none
    owner     the node that looks after them; None where none is active
    calendar  the trigger's, with its bases; None where it names none, or `broken` says what is wrong
    changed_at  when that, or one of its bases, was last changed (epoch ms); 0: never
    """

    now: int
    trigger: Trigger | None
    job: Job | None = None
    instant: int | None = None
    firing: Firing | None = None
    records: tuple[Firing, ...] = ()
    holder: str = ""
    owner: str | None = None
    members: tuple[Member, ...] = ()
    calendar: ResolvedCalendar | None = None
    changed_at: int = 0
    broken: str = ""
    groups: PausedGroups = PausedGroups()
    rules: LedgerRules = LedgerRules()

    def of_trigger(self) -> list[Firing]:
        """The records of the trigger itself, by scheduled instant."""
        key = "" if self.trigger is None else self.trigger.key
        return [firing for firing in self.records if firing.trigger == key]

    def member(self, name: str) -> Member | None:
        """The node of that name, where it is in the cluster."""
        return next((member for member in self.members if member.name == name), None)

    def silent(self, member: Member) -> bool:
        """Has its last beat, by its own clock, been longer ago than the session timeout?"""
        return self.now - member.beat_at > 2 * self.rules.session_timeout


def why_paused(scene: Scene, trigger: Trigger) -> Sentences:
    """Why a trigger is PAUSED, and what lets it go on."""
    rules = [rule for rule in scene.groups.rules if rule.paused and is_of(rule, trigger)]
    if not rules:
        return [say(f"Until it is resumed nothing of it starts: gridsched resume '{trigger.key}'.")]
    rule = rules[-1]
    of = "triggers" if rule.of == "triggers" else "jobs"
    option = "--group" if rule.of == "triggers" else "--job-group"
    return [
        say(
            f"The group of {of} {rule.pattern!r} is paused: gridsched resume {option} "
            f"'{rule.pattern}', or resume the trigger alone."
        )
    ]


def why_nobody_claims(scene: Scene) -> Sentences:
    """What keeps the cluster from claiming an instant that is due."""
    active = [member for member in scene.members if member.state == "ACTIVE"]
    if not active:
        return [
            say("No node is active: start one (gridsched start). It then meets its misfire policy.")
        ]
    if all(waits(member, member.live) for member in active):
        shut = waiting(active[0].server_count, active[0].live)
        return [say(f"The start gate is shut: {shut}, says {active[0].name}.")]
    found = _why_not_run(scene)
    owner = None if scene.owner is None else scene.member(scene.owner)
    if owner is None:
        return found
    return [*found, *_why_owner_waits(scene, owner)] or [
        say(
            f"{owner.name} looks after it and lives: it claims within a poll, unless the queues of "
            "all nodes are full (gridsched members shows what they have in hand)."
        )
    ]


def _why_not_run(scene: Scene) -> Sentences:
    """What keeps it from running, whoever would claim it."""
    trigger = scene.trigger
    found: Sentences = []
    if trigger is not None and trigger.error:
        found.append(say(f"No node may run it: {trigger.error}."))
    if scene.holder and trigger is not None and scene.job and takes_turns(trigger, scene.job):
        found += why_held(scene)
    return found


def _why_owner_waits(scene: Scene, owner: Member) -> Sentences:
    if scene.silent(owner):
        return [
            say(
                f"{owner.name}, which looks after it, has been silent for ",
                Span(scene.now - owner.beat_at),
                ": once it is taken for gone, another node takes over.",
            )
        ]
    if owner.timer != "RUNNING":
        return [say(f"{owner.name}, which looks after it, does not fire yet: its timer waits.")]
    return []


def why_held(scene: Scene) -> Sentences:
    """Which firing has the job to itself, since when, and where."""
    holder = next((each for each in scene.records if each.key == scene.holder), None)
    if holder is None:
        return [say(f"Its job is taken by {scene.holder}, of which there is no record any more.")]
    if holder.state == "EXECUTING":
        return [
            say(
                f"It waits for {holder.key}, which has its job to itself and runs on "
                f"{holder.member} since ",
                Moment(holder.started_at or 0),
                ".",
            )
        ]
    return [say(f"It waits for {holder.key}, which has its job to itself and is {holder.state}.")]


def ran_then(scene: Scene, firing: Firing) -> Firing | None:
    """Another run of the job that went on when this one was due, and kept it waiting."""
    if scene.job is None or not (runs_alone(firing, scene.job)):
        return None
    others = (
        other
        for other in scene.records
        if other.key != firing.key
        and other.started_at is not None
        and other.started_at <= firing.scheduled < (other.finished_at or scene.now)
    )
    return next(others, None)
