"""Changing what is there: `pause`, `resume`, `delete`, `fire`."""

from __future__ import annotations

from typing import Any

import click

from gridsched.cli.options import data_option, wait_option
from gridsched.cli.remote import remote
from gridsched.cli.submit import print_run
from gridsched.client.blocking import Scheduler


@click.command()
@click.argument("key")
@remote
def pause(scheduler: Scheduler, *, key: str) -> None:
    """Pause the trigger of KEY, or all triggers of the job of KEY. What runs goes on."""
    scheduler.pause(key)
    click.echo(f"paused {key}")


@click.command()
@click.argument("key")
@remote
def resume(scheduler: Scheduler, *, key: str) -> None:
    """Resume the trigger of KEY, or all triggers of the job of KEY."""
    scheduler.resume(key)
    click.echo(f"resumed {key}")


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
