"""`scheduler:jobs`: startup jobs."""

from __future__ import annotations

from typing import Final, NamedTuple, get_args

import msgspec

from gridsched.config.event_elements import EVENTS
from gridsched.config.http_elements import HTTP_TASK, OPERATION
from gridsched.config.kinds import FLAG, POLICY, RETENTION, SECONDS, TEXT, one_of, whole
from gridsched.config.retry_elements import RETRY
from gridsched.config.schema import Branch, Fields, Leaf, Note, Reading
from gridsched.config.settings import StartupJob
from gridsched.config.trigger_elements import TRIGGERS, data_map
from gridsched.config.xml_reader import Element
from gridsched.model.job import DEFAULT_PRIORITY, Job, Overlap, check_job
from gridsched.model.keys import DEFAULT_GROUP
from gridsched.model.trigger import Trigger
from gridsched.policy.event_checks import check_events


class PlacedJob(NamedTuple):
    """A startup job and its element, for what can only be checked beside the service."""

    startup: StartupJob
    element: Element


def _job(fields: Fields, reading: Reading) -> StartupJob:
    triggers: tuple[Trigger, ...] = fields.values.pop("triggers", ())
    if "target" not in fields.values and "task" not in fields.values:
        raise reading.error(
            fields.element,
            "scheduler:job has no scheduler:jobclass, scheduler:httptask or scheduler:operation; it "
            "must have one",
        )
    if "target" in fields.values:
        fields.values["target"] = _target(fields.values["target"], fields.place("target"), reading)
    job = Job(**fields.values)
    check_job(job)
    check_events(job)
    if not triggers and not job.durable:
        raise reading.error(
            fields.element,
            f"job {job.key} has no trigger and is not durable, so nothing would keep it: "
            "add scheduler:triggers, or <scheduler:durable>true</scheduler:durable>",
        )
    return StartupJob(job, tuple(_of_job(trigger, job.key) for trigger in triggers))


def _target(written: str, place: Element, reading: Reading) -> str:
    """The Python target of a jobclass: itself, or what the table has for a class name."""
    if ":" in written:
        return written
    target = reading.jobclasses.targets.get(written)
    if target is None:
        raise reading.error(
            place,
            f"scheduler:jobclass {written} is not written package.module:function; if it is a "
            f"class, map it to a Python function: add the line "
            f"{written} = package.module:function to {reading.jobclasses.source}",
        )
    reading.mapped.append(Note(written, place.line, target))
    return target


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
            "none",
        ),
        HTTP_TASK,
        OPERATION,
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
        Leaf(
            "scheduler:overlap",
            "overlap",
            one_of(get_args(Overlap)),
            "What becomes of a run whose instant comes while another goes on.",
            "allow_all",
        ),
        Leaf(
            "scheduler:persistjobdata",
            "persist_data",
            FLAG,
            "What a run that ends well leaves in its data becomes the job's data.",
            "false",
        ),
        Leaf(
            "scheduler:timeout",
            "timeout",
            SECONDS,
            "Time that a run may take.",
            "none; 60S of a request",
        ),
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
        Leaf(
            "scheduler:retention",
            "retention",
            RETENTION,
            "Time that its firings and results stay once they are final.",
            "that of the caches",
        ),
        Leaf(
            "scheduler:dispatcherpolicy",
            "dispatch",
            POLICY,
            "On which nodes it runs.",
            "the service's",
        ),
        RETRY,
        EVENTS,
        data_map("scheduler:jobdatamap", "Arguments for the function."),
        TRIGGERS,
    ),
    "One job, submitted when the cluster first starts.",
    many=True,
)
JOBS: Final = Branch("scheduler:jobs", "jobs", _jobs, (JOB,), "Startup jobs.")
