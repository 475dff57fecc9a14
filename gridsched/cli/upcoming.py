"""`next`: when a cron expression fires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, get_args
from zoneinfo import ZoneInfo

import click

from gridsched.cli import words
from gridsched.cli.options import MOMENT, ZONE, dst_option, instant
from gridsched.cli.output import print_json, print_table
from gridsched.clock import SystemClock
from gridsched.model.dst import DstPolicy
from gridsched.model.trigger import Cron, Dialect
from gridsched.policy import cron_parse, localtime
from gridsched.policy.cron_parse import LAST_YEAR
from gridsched.policy.cron_words import describe
from gridsched.policy.fire_times import fire_after

_UTC: Final = ZoneInfo("UTC")
_MS: Final = timedelta(milliseconds=1)


@click.command("next")
@click.argument("expression", metavar="EXPR")
@click.option("--zone", type=ZONE, help="The zone whose local time EXPR means; default: UTC.")
@click.option(
    "--count",
    type=click.IntRange(1, 1000),
    default=5,
    show_default=True,
    metavar="N",
    help="Print so many.",
)
@click.option("--from", "start", type=MOMENT, help="From this time on; default: now.")
@click.option(
    "--dialect",
    type=click.Choice(get_args(Dialect)),
    default="quartz",
    show_default=True,
    help="How EXPR is written.",
)
@dst_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def upcoming(
    *,
    expression: str,
    zone: ZoneInfo | None,
    count: int,
    start: datetime | None,
    dialect: Dialect,
    dst: DstPolicy | None,
    as_json: bool,
) -> None:
    """Print the next fire times of the cron expression EXPR, and what it means in words."""
    first = SystemClock().now() if start is None else instant(start, zone)
    local = zone or _UTC
    fires = _fires(Cron(expression, local.key, dialect=dialect, dst=dst), first, count)
    if as_json:
        print_json([_as_json(fire, local) for fire in fires])
    elif fires:
        if meaning := describe(cron_parse.parse(expression, dialect)):
            click.echo(meaning)
        print_table(
            [local.key, "UTC", "CLOCK CHANGE"],
            [[words.moment(f, local), _in_utc(f), _clock_change(f, local)] for f in fires],
        )
    if len(fires) < count:
        click.echo(f"no {'more' if fires else 'fire'} until the end of {LAST_YEAR}", err=True)


def _fires(schedule: Cron, first: int, count: int) -> list[int]:
    fires: list[int] = []
    after = first - 1
    while len(fires) < count and (fire := fire_after(schedule, after)) is not None:
        fires.append(fire)
        after = fire
    return fires


def _as_json(fire: int, zone: ZoneInfo) -> dict[str, object]:
    return {
        "instant": fire,
        "local": words.moment(fire, zone),
        "utc": _in_utc(fire),
        "clock_change": _clock_change(fire, zone),
    }


def _in_utc(fire: int) -> str:
    return datetime.fromtimestamp(fire / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _clock_change(fire: int, zone: ZoneInfo) -> str:
    """What a fire has to do with a change of the clocks: it is in a repeated hour, or the first
    instant after a skipped one."""
    local = localtime.to_local(fire, zone)
    if shift := localtime.shift_at(local, zone):
        return f"back: {'second' if local.fold else 'first'} {shift.start:%H:%M}–{shift.end:%H:%M}"
    shift = localtime.shift_at(local - _MS, zone)
    if shift and shift.is_gap and shift.instant == fire:
        return f"forward: no {shift.start:%H:%M}–{shift.end:%H:%M}"
    return ""
