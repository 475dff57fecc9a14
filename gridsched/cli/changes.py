"""Changing what is there: `pause`, `resume`, `cancel`, `discard`, `delete`,
`fire`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from gridsched.cli.options import data_option, wait_option
from gridsched.cli.remote import remote
from gridsched.cli.submit import print_run
from gridsched.client.blocking import Scheduler

_chosen_by_group = (
    click.argument("key", required=False),
    click.option("--group", metavar="GLOB", help="All triggers whose group matches."),
    click.option("--job-group", metavar="GLOB", help="All triggers whose job's group matches."),
    click.option("--all", "every", is_flag=True, help="All triggers."),
)


def by_key_or_group(command: Callable[..., None]) -> Callable[..., None]:
    """Adds KEY, --group, --job-group and --all to a command; `chosen` tells which was given."""
    for option in reversed(_chosen_by_group):
        command = option(command)
    return command


@click.command()
@by_key_or_group
@remote
def pause(
    scheduler: Scheduler, *, key: str | None, group: str | None, job_group: str | None, every: bool
) -> None:
    """Pause the trigger of KEY, or all triggers of the job of KEY. What runs goes on.

    A group stays paused until it is resumed: triggers that are added to it meanwhile start paused.
    """
    match chosen(key, group, job_group, every=every):
        case "key", name:
            scheduler.pause(name)
        case "all", name:
            scheduler.pause_all()
        case "group", name:
            scheduler.pause_group(name)
        case _, name:
            scheduler.pause_group(name, of="jobs")
    click.echo(f"paused {name}")


@click.command()
@by_key_or_group
@remote
def resume(
    scheduler: Scheduler, *, key: str | None, group: str | None, job_group: str | None, every: bool
) -> None:
    """Resume the trigger of KEY, or all triggers of the job of KEY."""
    match chosen(key, group, job_group, every=every):
        case "key", name:
            scheduler.resume(name)
        case "all", name:
            scheduler.resume_all()
        case "group", name:
            scheduler.resume_group(name)
        case _, name:
            scheduler.resume_group(name, of="jobs")
    click.echo(f"resumed {name}")


def chosen(
    key: str | None, group: str | None, job_group: str | None, *, every: bool
) -> tuple[str, str]:
    """By what triggers are chosen, and its text; a usage error unless it is one thing."""
    said = {
        "key": key,
        "group": group,
        "job-group": job_group,
        "all": "everything" if every else None,
    }
    given = [(way, text) for way, text in said.items() if text is not None]
    if len(given) != 1:
        raise click.UsageError("say one of KEY, --group, --job-group and --all")
    return given[0]


@click.command()
@click.argument("key")
@remote
def cancel(scheduler: Scheduler, *, key: str) -> None:
    """Cancel the firing of KEY, though it runs; or the next one of a trigger, before it is due.

    KEY is the trigger's key with @ and the scheduled instant in epoch ms.
    """
    scheduler.cancel(key)
    click.echo(f"cancelled {key}")


@click.command()
@click.argument("key")
@remote
def discard(scheduler: Scheduler, *, key: str) -> None:
    """Remove the record and the result of the firing of KEY; one that has not ended is cancelled."""
    scheduler.discard(key)
    click.echo(f"discarded {key}")


@click.command()
@click.argument("key")
@remote
def delete(scheduler: Scheduler, *, key: str) -> None:
    """Delete the job of KEY with its triggers, or the trigger of KEY."""
    scheduler.delete(key)
    click.echo(f"deleted {key}")


@click.command()
@click.argument("key")
@data_option
@wait_option
@remote
def fire(
    scheduler: Scheduler, *, key: str, data: tuple[tuple[str, Any], ...], wait: float | None
) -> None:
    """Fire the job of KEY once, now; of a trigger's KEY, with that trigger's data.

    Prints the firing's key.
    """
    print_run(scheduler.fire(key, dict(data)), wait)
