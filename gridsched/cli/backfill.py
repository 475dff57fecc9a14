"""`backfill`: the instants of a trigger in a range of the past, run now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args
from zoneinfo import ZoneInfo

import click

from gridsched.cli.options import MOMENT, ZONE, instant
from gridsched.cli.remote import remote
from gridsched.client.blocking import Scheduler
from gridsched.model.job import Overlap


@click.command()
@click.argument("key")
@click.option("--from", "start", type=MOMENT, required=True, help="The first instant of the range.")
@click.option("--to", "end", type=MOMENT, required=True, help="Where it ends, not included.")
@click.option("--zone", type=ZONE, help="The zone of these times, where they have no offset.")
@click.option(
    "--overlap",
    type=click.Choice(get_args(Overlap)),
    metavar="POLICY",
    help=f"Of these runs: {', '.join(get_args(Overlap))}; default: one after the other.",
)
@remote
def backfill(
    scheduler: Scheduler,
    *,
    key: str,
    start: datetime,
    end: datetime,
    zone: ZoneInfo | None,
    overlap: Overlap | None,
) -> None:
    """Run every instant of the trigger of KEY in a range of the past.

    Each run has the scheduled time of then. Prints the key of the trigger that runs them.
    """
    click.echo(scheduler.backfill(key, _aware(start, zone), _aware(end, zone), overlap=overlap).key)


def _aware(moment: datetime, zone: ZoneInfo | None) -> datetime:
    return datetime.fromtimestamp(instant(moment, zone) / 1000, UTC)
