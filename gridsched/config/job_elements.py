"""`scheduler:jobs`: startup jobs with their triggers."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

from gridsched.config.kinds import (
    CRON,
    DURATION,
    ENTRY,
    FLAG,
    INSTANT,
    MISFIRE_OF_OTHERS,
    MISFIRE_OF_SIMPLE,
    NUMBER,
    SECONDS,
    TEXT,
    ZONE,
    one_of,
    whole,
)
from gridsched.config.schema import Branch, Fields, Kind, Leaf, Reading, Unused
from gridsched.config.settings import StartupJob
from gridsched.config.xml_reader import Element
from gridsched.model.job import DEFAULT_PRIORITY, Job, Retry, check_job
from gridsched.model.keys import DEFAULT_GROUP
from gridsched.model.trigger import WHEN_SUBMITTED, Cron, Once, Schedule, Simple, Trigger
from gridsched.policy.checks import check_trigger


class PlacedJob(NamedTuple):
    """A startup job and its element, for what can only be checked beside the service."""

    startup: StartupJob
    element: Element


def _data(fields: Fields, reading: Reading) -> dict[str, Any]:
    lines: dict[str, int] = {}
    for (key, _), place in fields.each("entries"):
        if key in lines:
            raise reading.error(place, f"the key {key!r} stands twice; first in line {lines[key]}")
        lines[key] = place.line
    return dict(fields.values.get("entries", ()))


def _retry(fields: Fields, _reading: Reading) -> Retry:
    return Retry(**fields.values)


def _once(fields: Fields, _reading: Reading) -> dict[str, Any]:
    return {"schedule": Once(fields.values.pop("at", WHEN_SUBMITTED)), **fields.values}


def _simple(fields: Fields, reading: Reading) -> dict[str, Any]:
    """A count of 0 is one fire, so it needs no interval."""
    values = fields.values
    start, end = values.pop("start", WHEN_SUBMITTED), values.pop("end", None)
    count, interval = values.pop("repeat_count", 0), values.pop("interval", None)
    if end is not None and end < start:
        raise reading.error(fields.place("end"), "scheduler:endtime is before scheduler:starttime")
    if interval is None and count != 0:
        raise reading.error(
            fields.element,
            f"scheduler:repeatcount is {count} and scheduler:repeatinterval is missing",
        )
    schedule = Simple(start, interval, count, end) if count else Once(start)
    return {"schedule": schedule, **values}


def _cron(fields: Fields, _reading: Reading) -> dict[str, Any]:
    misfire = {"misfire": fields.values.pop("misfire")} if "misfire" in fields.values else {}
    return {"schedule": Cron(**fields.values), **misfire}


def _trigger(fields: Fields, reading: Reading) -> Trigger:
    values = fields.values
    written = [values.pop(kind.into) for kind in SCHEDULES if kind.into in values]
    if len(written) != 1:
        names = ", ".join(kind.name for kind in SCHEDULES)
        raise reading.error(fields.element, f"a trigger has exactly one of {names}")
    schedule: Schedule = written[0].pop("schedule")
    trigger = Trigger(schedule, **written[0], **values)
    check_trigger(trigger)
    return trigger


def _triggers(fields: Fields, reading: Reading) -> tuple[Trigger, ...]:
    lines: dict[tuple[str, str], int] = {}
    for trigger, place in fields.each("triggers"):
        name = (trigger.group, trigger.name)
        if name in lines:
            raise reading.error(
                place, f"trigger {trigger.name!r} stands twice; first in line {lines[name]}"
            )
        lines[name] = place.line
    return tuple(trigger for trigger, _ in fields.each("triggers"))


def _job(fields: Fields, reading: Reading) -> StartupJob:
    triggers: tuple[Trigger, ...] = fields.values.pop("triggers", ())
    job = Job(**fields.values)
    check_job(job)
    if not triggers and not job.durable:
        raise reading.error(
            fields.element,
            f"job {job.key} has no trigger and is not durable, so nothing would keep it: "
            "add scheduler:triggers, or <scheduler:durable>true</scheduler:durable>",
        )
    return StartupJob(job, tuple(_of_job(trigger, job.key) for trigger in triggers))


def _of_job(trigger: Trigger, job: str) -> Trigger:
    return msgspec.structs.replace(trigger, job=job)


def _jobs(fields: Fields, reading: Reading) -> tuple[PlacedJob, ...]:
    lines: dict[str, int] = {}
    for startup, place in fields.each("jobs"):
        key = startup.job.key
        if key in lines:
            raise reading.error(place, f"job {key} stands twice; first in line {lines[key]}")
        lines[key] = place.line
    return tuple(PlacedJob(startup, place) for startup, place in fields.each("jobs"))


def _data_map(name: str, doc: str, *aliases: str) -> Branch:
    entry = Leaf("scheduler:data", "entries", ENTRY, "One entry.", "none", many=True)
    return Branch(name, "data", _data, (entry,), doc, aliases)


START: Final = Leaf(
    "scheduler:starttime", "start", INSTANT, "When the schedule begins.", "when submitted"
)
END: Final = Leaf("scheduler:endtime", "end", INSTANT, "When it ends.", "never")


def _misfire_policy(kind: Kind) -> Leaf:
    return Leaf(
        "scheduler:misfirepolicy",
        "misfire",
        kind,
        "What becomes of instants that nobody claimed in time; Quartz's full names are taken too.",
        "SMART",
    )


SIMPLE: Final = Branch(
    "scheduler:simpletrigger",
    "simple",
    _simple,
    (
        START,
        END,
        Leaf(
            "scheduler:repeatcount",
            "repeat_count",
            whole("number"),
            "How often it fires after the first time; -1 for ever.",
            "0",
        ),
        Leaf(
            "scheduler:repeatinterval",
            "interval",
            DURATION,
            "Time between two fires; needed unless it fires once.",
            "none",
        ),
        _misfire_policy(MISFIRE_OF_SIMPLE),
    ),
    "Fires at its start, and then at an interval.",
)
CRON_TRIGGER: Final = Branch(
    "scheduler:crontrigger",
    "cron",
    _cron,
    (
        Leaf(
            "scheduler:cronexpression",
            "expression",
            CRON,
            "The local times at which it fires.",
            required=True,
        ),
        Leaf("scheduler:zone", "zone", ZONE, "Where those local times are read.", "UTC"),
        START,
        END,
        _misfire_policy(MISFIRE_OF_OTHERS),
    ),
    "Fires at the local times that match an expression.",
)
ONCE: Final = Branch(
    "scheduler:oncetrigger",
    "once",
    _once,
    (
        Leaf("scheduler:at", "at", INSTANT, "The instant.", "when submitted"),
        _misfire_policy(MISFIRE_OF_SIMPLE),
    ),
    "Fires once.",
)
SCHEDULES: Final = (SIMPLE, CRON_TRIGGER, ONCE)

TRIGGER: Final = Branch(
    "scheduler:trigger",
    "triggers",
    _trigger,
    (
        Leaf(
            "scheduler:triggername",
            "name",
            TEXT,
            "Its name; together with its group unlike any other of the job.",
            required=True,
        ),
        Leaf("scheduler:triggergroup", "group", TEXT, "Its group.", DEFAULT_GROUP),
        Leaf("scheduler:description", "description", TEXT, "What it is for.", "none"),
        Leaf(
            "scheduler:priority",
            "priority",
            whole("number"),
            "Among those due at the same instant; higher first.",
            "the job's",
        ),
        *SCHEDULES,
        _data_map(
            "scheduler:triggerdatamap",
            "Arguments for the function, over those of the job.",
            "scheduler:tiggerdatamap",
        ),
        Unused("scheduler:triggertype", "the trigger's own element says its kind"),
    ),
    "One trigger: exactly one of the three schedules, and what goes with it.",
    many=True,
)
TRIGGERS: Final = Branch(
    "scheduler:triggers", "triggers", _triggers, (TRIGGER,), "The job's triggers."
)

RETRY: Final = Branch(
    "scheduler:retry",
    "retry",
    _retry,
    (
        Leaf("scheduler:attempts", "attempts", whole("number"), "Runs in all.", required=True),
        Leaf("scheduler:delay", "delay", SECONDS, "Before the second run.", "1S"),
        Leaf("scheduler:backoff", "backoff", NUMBER, "Factor of each later delay.", "2"),
        Leaf("scheduler:maxdelay", "max_delay", SECONDS, "Bound of the delays.", "1H"),
    ),
    "When a failed run is tried again; without it, never.",
)

JOB: Final = Branch(
    "scheduler:job",
    "jobs",
    _job,
    (
        Leaf(
            "scheduler:jobname",
            "name",
            TEXT,
            "Its name; together with its group unlike any other.",
            required=True,
        ),
        Leaf("scheduler:jobgroup", "group", TEXT, "Its group.", DEFAULT_GROUP),
        Leaf("scheduler:description", "description", TEXT, "What it is for.", "none"),
        Leaf(
            "scheduler:jobclass",
            "target",
            TEXT,
            "The Python function, `package.module:function`.",
            required=True,
        ),
        Leaf("scheduler:durable", "durable", FLAG, "Kept when its last trigger is gone.", "false"),
        Leaf(
            "scheduler:recoverable",
            "requests_recovery",
            FLAG,
            "Run again when the node that ran it died.",
            "false",
        ),
        Leaf(
            "scheduler:disallowconcurrent",
            "disallow_concurrent",
            FLAG,
            "Never two runs at once in the whole cluster.",
            "false",
        ),
        Leaf("scheduler:timeout", "timeout", SECONDS, "Time that a run may take.", "none"),
        Leaf(
            "scheduler:priority",
            "priority",
            whole("number"),
            "Of its triggers among those due at the same instant; higher first.",
            str(DEFAULT_PRIORITY),
        ),
        Leaf(
            "scheduler:executor",
            "executor",
            one_of(("thread", "process")),
            "Where it runs; an `async def` function runs on the node's event loop.",
            "thread",
        ),
        RETRY,
        _data_map("scheduler:jobdatamap", "Arguments for the function."),
        TRIGGERS,
    ),
    "One job, submitted when the cluster first starts.",
    many=True,
)
JOBS: Final = Branch("scheduler:jobs", "jobs", _jobs, (JOB,), "Startup jobs.")
