"""What the cluster holds: `jobs`, `triggers`, `groups`, `firings`; a list, or one by its key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, get_args

import click

from gridsched.cli import words
from gridsched.cli.options import WHEN, aware
from gridsched.cli.output import Output, at_most, limit_option, output_options
from gridsched.cli.remote import remote
from gridsched.client.blocking import Scheduler
from gridsched.clock import SystemClock
from gridsched.model.firing import Firing, FiringState
from gridsched.model.job import Job
from gridsched.model.trigger import TriggerState
from gridsched.policy.dispatch_forms import written

_ERROR_WIDTH: Final = 60


def _check_alone(key: str | None, *narrowing: object) -> None:
    """A usage error where a KEY, which names one, comes with what a list is narrowed by."""
    if key is not None and any(given is not None for given in narrowing):
        raise click.UsageError("KEY names one: leave out what a list is narrowed by")


def _state(states: object) -> Callable[..., Any]:
    return click.option(
        "--state",
        type=click.Choice(get_args(states), case_sensitive=False),
        metavar="STATE",
        help=f"Only those in this state: {', '.join(get_args(states))}.",
    )


@click.command()
@click.argument("key", required=False)
@click.option("--group", metavar="GROUP", help="Only the jobs of this group.")
@output_options
@remote
def jobs(scheduler: Scheduler, *, key: str | None, group: str | None, output: Output) -> None:
    """List the jobs, or show the one of KEY, written group/name."""
    _check_alone(key, group)
    if key is not None:
        output.one(scheduler.job(key))
        return
    output.many(
        scheduler.jobs(group=group),
        {
            "job": lambda job: job.key,
            "target": lambda job: job.target if job.task is None else words.task(job.task),
            "options": _job_options,
            "data": lambda job: words.written(job.data) if job.data else "",
        },
    )


def _job_options(job: Job) -> str:
    said = {
        "durable": job.durable,
        "recovery": job.requests_recovery,
        "alone": job.disallow_concurrent,
        f"overlap {job.overlap}": job.overlap != "allow_all",
        "persists data": job.persist_data,
        "process": job.executor == "process",
        f"timeout {job.timeout:g} s" if job.timeout else "": job.timeout,
        f"{job.retry.attempts} attempts" if job.retry else "": job.retry,
        f"events {', '.join(event.name for event in job.events)}": job.events,
        f"on {written(job.dispatch)}" if job.dispatch else "": job.dispatch,
    }
    return ", ".join(option for option, chosen in said.items() if chosen)


@click.command()
@click.argument("key", required=False)
@click.option("--job", metavar="KEY", help="Only the triggers of this job.")
@_state(TriggerState)
@output_options
@remote
def triggers(
    scheduler: Scheduler, *, key: str | None, job: str | None, state: str | None, output: Output
) -> None:
    """List the triggers, or show the one of KEY.

    KEY is written group/name:trigger-group/trigger-name.
    """
    _check_alone(key, job, state)
    if key is not None:
        output.one(scheduler.trigger(key))
        return
    output.many(
        scheduler.triggers(job=job, state=state),
        {
            "trigger": lambda trigger: trigger.key,
            "state": lambda trigger: trigger.state,
            "next": lambda trigger: output.moment(trigger.next_fire),
            "calendar": lambda trigger: trigger.calendar,
            "misfire": lambda trigger: trigger.misfire,
            "fired": lambda trigger: str(trigger.fired),
            "misfired": lambda trigger: str(trigger.misfired),
            "error": lambda trigger: words.shorten(trigger.error, _ERROR_WIDTH),
            "schedule": lambda trigger: words.schedule(trigger.schedule, output.zone),
        },
    )


@click.command()
@output_options
@remote
def groups(scheduler: Scheduler, *, output: Output) -> None:
    """List what is paused by group: of the lines that match a group the last one counts."""
    output.many(
        scheduler.paused_groups().rules,
        {
            "of": lambda rule: rule.of,
            "group": lambda rule: rule.pattern,
            "state": lambda rule: "PAUSED" if rule.paused else "RESUMED",
        },
    )


@click.command()
@click.argument("key", required=False)
@click.option("--job", metavar="KEY", help="Only the firings of this job, or of this trigger.")
@_state(FiringState)
@click.option("--node", metavar="NAME", help="Only those that this node has, runs or ran.")
@click.option(
    "--from", "start", type=WHEN, help="Only those scheduled since then: a time, or how long ago."
)
@click.option("--to", "end", type=WHEN, help="Only those scheduled until then.")
@click.option("--oldest", is_flag=True, help="List the oldest N, not the latest.")
@limit_option
@output_options
@remote
def firings(
    scheduler: Scheduler,
    *,
    key: str | None,
    job: str | None,
    state: str | None,
    node: str | None,
    start: datetime | int | None,
    end: datetime | int | None,
    oldest: bool,
    limit: int,
    output: Output,
) -> None:
    """List the firings on record, or show the one of KEY.

    KEY is the trigger's key with @ and the scheduled instant in epoch ms. Times are local ones of
    --zone, or ISO 8601 with an offset, or how long ago: 90M, 2H, 1D.
    """
    _check_alone(key, job, state, node, start, end, oldest or None)
    if key is not None:
        output.one(scheduler.firing(key))
        return
    now = SystemClock().now()
    found = scheduler.firings(
        of=job,
        state=state,
        node=node,
        start=aware(start, output.zone, now),
        end=aware(end, output.zone, now),
    )
    output.many(
        at_most(found, limit, oldest=oldest),
        {
            "firing": lambda firing: firing.key,
            "state": lambda firing: firing.state,
            "scheduled": lambda firing: output.moment(firing.scheduled),
            "late": _late,
            "took": _took,
            "attempt": lambda firing: str(firing.attempt),
            "member": lambda firing: firing.member,
            "error": lambda firing: (
                _range(firing, output)
                + words.shorten(firing.error or firing.event_error, _ERROR_WIDTH)
            ),
        },
    )


def _range(firing: Firing, output: Output) -> str:
    """Which instants one record stands for, where these are several."""
    if firing.until is None:
        return ""
    instants = f"{firing.count} instants to {output.moment(firing.until)}"
    return f"{instants} " if firing.state == "SKIPPED" else f"{instants} in one run; "


def _late(firing: Firing) -> str:
    if firing.started_at is None:
        return ""
    return words.duration(firing.started_at - (firing.fire_at or firing.scheduled))


def _took(firing: Firing) -> str:
    if firing.started_at is None or firing.finished_at is None:
        return ""
    return words.duration(firing.finished_at - firing.started_at)
