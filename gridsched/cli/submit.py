"""`submit`: a job to run now, or on a schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import click

from gridsched.cli import words
from gridsched.cli.options import (
    DURATION,
    INTERVAL,
    MOMENT,
    POLICY,
    ZONE,
    data_option,
    dst_option,
    instant,
    wait_option,
)
from gridsched.cli.remote import remote
from gridsched.cli.task_options import task_options
from gridsched.client.blocking import Handle, Scheduler
from gridsched.client.triggers import TriggerOptions, cron, every, once
from gridsched.model.dispatch import DispatchPolicy
from gridsched.model.dst import DstPolicy
from gridsched.model.http import HttpTask, ServiceOperation
from gridsched.model.job import Job, Overlap
from gridsched.model.keys import DEFAULT_GROUP
from gridsched.model.trigger import Trigger


@click.command()
@task_options
@click.option(
    "--name",
    default="",
    metavar="NAME",
    help="The job's name; default: its function's, operation's or host's; without a schedule a new "
    "one.",
)
@click.option(
    "--group", default=DEFAULT_GROUP, show_default=True, metavar="GROUP", help="The job's group."
)
@data_option
@click.option("--cron", "expression", metavar="EXPR", help="Fire by a Quartz cron expression.")
@click.option("--every", "interval", type=INTERVAL, help="Fire now and every 2s, 5m, 1h …")
@click.option("--at", type=MOMENT, help="Fire once, at this time.")
@click.option("--zone", type=ZONE, help="The zone of --cron (default: UTC) or --at.")
@dst_option
@click.option(
    "--calendar", default="", metavar="NAME", help="Leave out what this calendar excludes."
)
@click.option(
    "--dispatch", type=POLICY, help="On which nodes it runs, such as AttributeMatch(gpu=yes)."
)
@click.option("--jitter", type=DURATION, help="Each run starts within this after its instant.")
@click.option("--catch-up", type=DURATION, help="Missed instants that are older are skipped.")
@click.option(
    "--overlap",
    type=click.Choice(get_args(Overlap)),
    default="allow_all",
    show_default=True,
    metavar="POLICY",
    help="What becomes of a run whose instant comes while another goes on: "
    f"{', '.join(get_args(Overlap))}.",
)
@click.option(
    "--persist-data", is_flag=True, help="What a run leaves in its data becomes the job's data."
)
@wait_option
@remote
def submit(
    scheduler: Scheduler,
    *,
    target: str,
    task: HttpTask | ServiceOperation | None,
    name: str,
    group: str,
    data: tuple[tuple[str, Any], ...],
    expression: str | None,
    interval: int | None,
    at: datetime | None,
    zone: ZoneInfo | None,
    dst: DstPolicy | None,
    calendar: str,
    dispatch: DispatchPolicy | None,
    jitter: int | None,
    catch_up: int | None,
    overlap: Overlap,
    persist_data: bool,
    wait: float | None,
) -> None:
    """Submit the job TARGET (package.module:function), a request or an operation.

    Without a schedule it runs once, now, and its firing's key is printed; with one, its trigger's.
    """
    job = Job(
        target,
        name=name,
        group=group,
        data=dict(data),
        overlap=overlap,
        persist_data=persist_data,
        dispatch=dispatch,
        task=task,
    )
    options = _options(calendar, jitter, catch_up)
    trigger = _trigger(expression, interval, at, zone, dst=dst, options=options)
    if trigger is None and options:
        given = ", ".join(f"--{name.replace('_', '-')}" for name in options)
        raise click.UsageError(f"{given} is for --cron, --every or --at")
    if trigger is None:
        print_run(scheduler.submit(job), wait)
    elif wait is not None:
        raise click.UsageError("--wait is for a job that runs now: leave its schedule out")
    else:
        click.echo(scheduler.schedule(job, trigger).key)


def _options(calendar: str, jitter: int | None, catch_up: int | None) -> TriggerOptions:
    """Those that were given; durations are in milliseconds."""
    options: TriggerOptions = {}
    if calendar:
        options["calendar"] = calendar
    if jitter is not None:
        options["jitter"] = jitter / 1000
    if catch_up is not None:
        options["catch_up"] = catch_up / 1000
    return options


def _trigger(
    expression: str | None,
    interval: int | None,
    at: datetime | None,
    zone: ZoneInfo | None,
    *,
    dst: DstPolicy | None,
    options: TriggerOptions,
) -> Trigger | None:
    chosen = [option for option in (expression, interval, at) if option is not None]
    if len(chosen) > 1:
        raise click.UsageError("--cron, --every and --at exclude each other")
    if zone is not None and (not chosen or interval is not None):
        raise click.UsageError("--zone is for --cron or --at")
    if dst is not None and expression is None:
        raise click.UsageError("--dst is for --cron")
    if expression is not None:
        return cron(expression, zone.key if zone else "UTC", dst=dst, **options)
    if interval is not None:
        return every(timedelta(milliseconds=interval), **options)
    if at is not None:
        return once(datetime.fromtimestamp(instant(at, zone) / 1000, UTC), **options)
    return None


def print_run(handle: Handle, wait: float | None) -> None:
    """The key of a firing, or, where the user waits for it, what it returned."""
    if wait is None:
        click.echo(handle.key)
    else:
        click.echo(words.written(handle.result(wait)))
