"""`calendars`: list, show, store and delete the calendars that triggers may name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from gridsched.cli import words
from gridsched.cli.options import ZONE, Written
from gridsched.cli.output import plain, print_details, print_json, print_table
from gridsched.cli.remote import remote
from gridsched.client.blocking import Scheduler
from gridsched.policy import calendar_forms as forms

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class _Listing(click.Group):
    """Without a command it lists, with a name it shows: as `jobs` and the others do."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else ""
        if first not in self.commands and first not in ctx.help_option_names:
            args = ["show" if first and not first.startswith("-") else "list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Listing)
def calendars() -> None:
    """What triggers do not fire at: list, show, store and delete calendars.

    Without a command it lists them, and with a NAME it shows that one.
    """


@calendars.command("list")
@_json
@remote
def list_all(scheduler: Scheduler, *, as_json: bool) -> None:
    """List the calendars."""
    found = scheduler.calendars()
    if as_json:
        print_json({name: plain(calendar) for name, calendar in found.items()})
    else:
        rows = [[name, words.calendar(each), each.description] for name, each in found.items()]
        print_table(["CALENDAR", "EXCLUDES", "DESCRIPTION"], rows)


@calendars.command()
@click.argument("name")
@_json
@remote
def show(scheduler: Scheduler, *, name: str, as_json: bool) -> None:
    """Show the calendar NAME."""
    fields = plain(scheduler.calendar(name))
    if as_json:
        print_json(fields)
        return
    said = {key: value for key, value in fields.items() if value not in ("", [])}
    print_details(
        {
            key: value if isinstance(value, str) else words.written(value)
            for key, value in said.items()
        }
    )


_OPTIONS: Final = (
    click.option(
        "--weekly",
        type=Written("SAT,SUN", forms.days_of_week),
        help="Exclude days of the week.",
    ),
    click.option(
        "--monthly", type=Written("1,15", forms.days_of_month), help="Exclude days of the month."
    ),
    click.option(
        "--annual",
        type=Written("12-25,12-26", forms.days_of_year),
        help="Exclude days of every year.",
    ),
    click.option("--holidays", type=Written("2026-12-25,…", forms.dates), help="Exclude dates."),
    click.option("--country", metavar="GB", help="Exclude a country's public holidays."),
    click.option("--subdivision", metavar="ENG", help="Those of this part of the country."),
    click.option("--years", type=Written("2026-2028", forms.years), help="Those of these years."),
    click.option(
        "--daily",
        type=Written("00:00-08:00", forms.time_range),
        help="Exclude times of day, both inclusive.",
    ),
    click.option("--invert", is_flag=True, default=None, help="Exclude all other times of day."),
    click.option("--cron", metavar="EXPR", help="Exclude the seconds that match EXPR."),
    click.option("--zone", type=ZONE, help="Where days and times are read; default: UTC."),
    click.option("--base", metavar="NAME", help="What this calendar excludes is excluded too."),
    click.option("--description", metavar="TEXT", help="What it is for."),
)


def _what_it_excludes(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@calendars.command()
@click.argument("name")
@_what_it_excludes
@click.option("--override", is_flag=True, help="Replace the one of that name.")
@remote
def store(scheduler: Scheduler, *, name: str, override: bool, **given: Any) -> None:
    """Store the calendar NAME, which excludes something in exactly one way.

    With --override one that is there is replaced, and the next fires of the triggers that use it are
    computed anew.
    """
    values = {option: value for option, value in given.items() if value is not None}
    if "zone" in values:
        values["zone"] = values["zone"].key
    scheduler.store_calendar(name, forms.calendar_of(values), override=override)
    click.echo(f"stored {name}")


@calendars.command()
@click.argument("name")
@remote
def delete(scheduler: Scheduler, *, name: str) -> None:
    """Delete the calendar NAME, which no trigger and no other calendar may use."""
    scheduler.delete_calendar(name)
    click.echo(f"deleted {name}")
