"""`audit`: is every instant accounted for?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from gridsched.cli.changes import by_key_or_group, chosen
from gridsched.cli.exits import UNACCOUNTED
from gridsched.cli.output import Output, output_options, plain, print_json
from gridsched.cli.remote import remote
from gridsched.cli.words import printable
from gridsched.client.blocking import Scheduler
from gridsched.policy.audit import Audited, Tally, Unaccounted, total

_NAMES: Final = {
    "ran": "ran",
    "failed": "failed",
    "coalesced": "coalesced",
    "skipped": "skipped",
    "cancelled": "cancelled",
    "lost": "lost",
    "to_come": "still to come",
}
"""What may become of an instant, in words."""


@click.command()
@by_key_or_group
@output_options
@remote
def audit(
    scheduler: Scheduler,
    *,
    key: str | None,
    group: str | None,
    job_group: str | None,
    every: bool,
    output: Output,
) -> None:
    """Check that every instant is accounted for: of the trigger of KEY, or the triggers of the job
    of KEY.

    Every instant that a trigger's schedule names since it was accepted, or since the oldest record
    that retention has kept, is held against the firings on record. Ends with code 6 where one is not
    accounted for.
    """
    match chosen(key, group, job_group, every=every):
        case "key", name:
            found = scheduler.audit(name)
        case "all", _:
            found = scheduler.audit()
        case "group", name:
            found = scheduler.audit(group=name)
        case _, name:
            found = scheduler.audit(group=name, of="jobs")
    _print(found, output)
    if any(audited.unaccounted for audited in found):
        raise click.exceptions.Exit(UNACCOUNTED)


def _print(found: Sequence[Audited], output: Output) -> None:
    if output.json:
        print_json({"triggers": [plain(each) for each in found], "total": plain(total(found))})
        return
    for audited in found:
        _print_one(audited, output)
    if not found:
        click.echo("no trigger is chosen: there is nothing to account for")
        return
    triggers = "1 trigger" if len(found) == 1 else f"{len(found)} triggers"
    click.echo(f"{triggers}: {_in_words(total(found))}")


def _print_one(audited: Audited, output: Output) -> None:
    since = "accepted" if audited.whole else output.moment(audited.since)
    click.echo(printable(f"{audited.trigger}, since {since}: {_in_words(audited.tally)}"))
    for each in audited.unaccounted:
        click.echo(printable(f"  {_instants(each, output)}: {each.problem}"))
    for note in audited.notes:
        click.echo(printable(f"  note: {note}"))


def _instants(each: Unaccounted, output: Output) -> str:
    said = output.moment(each.scheduled)
    return said if each.until is None else f"{said} to {output.moment(each.until)} ({each.count})"


def _in_words(tally: Tally) -> str:
    """Such as "12 instants: 10 ran, 2 skipped; all accounted for"."""
    instants = "1 instant" if tally.instants == 1 else f"{tally.instants} instants"
    parts = [
        f"{number} {said}" for name, said in _NAMES.items() if (number := getattr(tally, name))
    ]
    verdict = f"{tally.unaccounted} unaccounted for" if tally.unaccounted else "all accounted for"
    return f"{instants}{': ' if parts else ''}{', '.join(parts)}; {verdict}"
