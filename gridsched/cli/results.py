"""`results`: what runs returned: a list, those of one job by time, or one by its firing's key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import click

from gridsched.cli import words
from gridsched.cli.options import MOMENT, instant
from gridsched.cli.output import Output, at_most, limit_option, output_options
from gridsched.cli.remote import remote
from gridsched.client.blocking import Results, Scheduler
from gridsched.model.firing import Result

_VALUE_WIDTH: Final = 100


@click.command()
@click.argument("key", required=False)
@click.option("--job", metavar="KEY", help="Only the results of this job, or of this trigger.")
@click.option("--latest", "which", flag_value="latest", help="Of --job: the latest one.")
@click.option("--oldest", "which", flag_value="oldest", help="Of --job: the oldest one.")
@click.option("--from", "low", type=MOMENT, help="Of --job: scheduled at this time or later.")
@click.option("--to", "high", type=MOMENT, help="Of --job: scheduled before this time.")
@click.option(
    "--drain",
    "which",
    flag_value="drain",
    help="Of --job: take all of them. Each is given once, whoever else drains.",
)
@limit_option
@output_options
@remote
def results(
    scheduler: Scheduler,
    *,
    key: str | None,
    job: str | None,
    which: str | None,
    low: datetime | None,
    high: datetime | None,
    limit: int,
    output: Output,
) -> None:
    """List what runs returned, or show what the run of the firing of KEY did.

    Times are of the scheduled instant; without an offset they are local time of --zone.
    """
    if job is None and (which or low or high):
        raise click.UsageError("--latest, --oldest, --from, --to and --drain need --job")
    if key is not None and job is not None:
        raise click.UsageError("KEY is of one firing: leave --job out")
    if which and (low or high):
        raise click.UsageError(f"--{which} goes without --from and --to")
    if key is not None:
        output.one(scheduler.result(key))
    elif job is None:
        _print(at_most(scheduler.results(), limit), output)
    elif which == "drain":
        _print(scheduler.results_of(job).drain(), output)
    elif which:
        _print(_one(scheduler.results_of(job), which), output)
    else:
        first, end = _aware(low, output), _aware(high, output)
        _print(at_most(_between(scheduler.results_of(job), first, end), limit), output)


def _one(results: Results, which: str) -> Sequence[Result]:
    found = results.latest() if which == "latest" else results.oldest()
    return [] if found is None else [found]


def _between(results: Results, low: datetime | None, high: datetime | None) -> Sequence[Result]:
    if low is not None:
        return results.from_(low) if high is None else results.between(low, high)
    return results.complete() if high is None else results.to(high)


def _aware(moment: datetime | None, output: Output) -> datetime | None:
    if moment is None:
        return None
    return datetime.fromtimestamp(instant(moment, output.zone) / 1000, UTC)


def _print(found: Sequence[Result], output: Output) -> None:
    output.many(
        found,
        {
            "firing": lambda result: result.firing,
            "scheduled": lambda result: output.moment(result.scheduled),
            "finished": lambda result: output.moment(result.finished_at),
            "value": lambda result: words.shorten(words.written(result.value), _VALUE_WIDTH),
        },
    )
