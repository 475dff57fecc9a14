"""How commands print: tables and details for people, JSON for programs.

On a terminal a table is fitted to its width; in a pipe it is aligned and never cut. What users wrote
is printed as it is: nothing in it is markup.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import click
import msgspec
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gridsched.cli import words
from gridsched.cli.options import ZONE
from gridsched.model.data_service import DataService
from gridsched.model.events import Delivery, EventTrigger
from gridsched.model.groups import GroupRule
from gridsched.model.http import HttpTask, redacted, shown
from gridsched.model.member import Member
from gridsched.policy.dispatch_forms import written

V = TypeVar("V", bound=msgspec.Struct)

Columns = Mapping[str, Callable[[V], str]]
"""What a table shows of a value: each column's heading, and how its cell is made."""

_STATE_STYLES: Final = {
    "NORMAL": "green",
    "ACTIVE": "green",
    "COMPLETE": "green",
    "EXECUTING": "cyan",
    "PAUSED": "yellow",
    "REJECTED": "yellow",
    "SKIPPED": "yellow",
    "CANCELLED": "yellow",
    "FAILED": "red",
    "LOST": "red",
    "ERROR": "red",
}
_WIDE: Final = 100
"""On a terminal this wide, only the first and the last column are folded where a table is wider."""

_INSTANTS: Final = frozenset(
    {
        "acquired_at",
        "beat_at",
        "created_at",
        "due",
        "finished_at",
        "fire_at",
        "forget_at",
        "next_fire",
        "previous_fire",
        "scheduled",
        "started_at",
        "submitted_at",
        "until",
    }
)


class Output(NamedTuple):
    """How the user wants to see it: as JSON or not, instants in which zone."""

    json: bool
    zone: ZoneInfo

    def moment(self, instant: int | None) -> str:
        """An instant; "" for none."""
        return "" if instant is None else words.moment(instant, self.zone)

    def many(self, values: Sequence[V], columns: Columns[V]) -> None:
        """A list of values of one kind."""
        if self.json:
            print_json([keyed(value) for value in values])
        else:
            print_table(
                [heading.upper() for heading in columns],
                [[cell(v) for cell in columns.values()] for v in values],
            )

    def one(self, value: msgspec.Struct) -> None:
        """All there is to say of one value."""
        if self.json:
            print_json(keyed(value))
        else:
            print_details(self._details(value))

    def _details(self, value: msgspec.Struct) -> dict[str, str]:
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        said = {
            name: self._said(name, field)
            for name, field in fields.items()
            if field is not None and field not in ("", {}, ())
        }
        return {"key": key_of(value), **said}

    def _said(self, name: str, field: Any) -> str:
        if name == "schedule":
            return words.schedule(field, self.zone)
        if name in _INSTANTS and field:
            return self.moment(field)
        if name == "dispatch":
            return written(field)
        return field if isinstance(field, str) else words.written(plain(field))


def output_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds --json and --zone to a command, which gets them as `output`."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON; instants in epoch ms.")
    @click.option(
        "--zone", type=ZONE, default="UTC", show_default=True, help="Show times in this zone."
    )
    @wraps(command)
    def chosen(*, as_json: bool, zone: ZoneInfo, **options: Any) -> None:
        command(output=Output(as_json, zone), **options)

    return chosen


limit_option = click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    metavar="N",
    help="List no more than N, the latest.",
)


def at_most(values: Sequence[V], limit: int, *, oldest: bool = False) -> Sequence[V]:
    """The last of them, or the first; says so where that is not all."""
    if len(values) > limit:
        which = "oldest" if oldest else "latest"
        click.echo(f"the {which} {limit} of {len(values)} (--limit)", err=True)
    return values[:limit] if oldest else values[-limit:]


def key_of(value: Any) -> str:
    """The key by which `show` finds a value."""
    match value:
        case Member(name):
            return name
        case GroupRule(pattern):
            return pattern
        case _:
            return str(getattr(value, "firing", None) or value.key)


def keyed(value: msgspec.Struct) -> dict[str, Any]:
    """A value as JSON knows it: its key, and every field of the model."""
    return {"key": key_of(value), **plain(value)}


def plain(value: Any) -> Any:
    """A value of plain JSON types, without passwords. Fields that have their default are there
    too, so that the names are always the same."""
    match value:
        case msgspec.Struct():
            listed = _without_passwords(value)
            fields = {name: plain(getattr(listed, name)) for name in value.__struct_fields__}
            tag = value.__struct_config__.tag
            return {"type": tag, **fields} if tag else fields
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return value


def _without_passwords(value: msgspec.Struct) -> msgspec.Struct:
    match value:
        case HttpTask():
            return shown(value)
        case DataService():
            return replace(value, endpoints=tuple(map(redacted, value.endpoints)))
        case EventTrigger():
            return replace(value, subscribers=tuple(map(redacted, value.subscribers)))
        case Delivery():
            return replace(value, subscriber=redacted(value.subscriber))
        case _:
            return value


def print_json(value: Any) -> None:
    """JSON, indented."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows below headings."""
    cells = [[words.printable(cell) for cell in row] for row in rows]
    console = Console(highlight=False)
    if not console.is_terminal:
        _print_aligned([headings, *cells])
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in zip(headings, *cells, strict=True):
        table.add_column(
            column[0],
            overflow="fold",
            no_wrap=console.width >= _WIDE and column[0] not in (headings[0], headings[-1]),
            justify="right" if all(map(str.isdecimal, column[1:])) else "left",
        )
    for row in cells:
        table.add_row(*(Text(cell, _STATE_STYLES.get(cell, "")) for cell in row))
    console.print(table)


def print_details(details: Mapping[str, str]) -> None:
    """Names with their values, one a line."""
    console = Console(highlight=False)
    width = max(map(len, details))
    for name, value in details.items():
        line = Text.assemble(
            (f"{name:<{width}}", "bold"),
            "  ",
            (words.printable(value), _STATE_STYLES.get(value, "")),
        )
        console.print(line, soft_wrap=True)


def _print_aligned(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = [
            cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        click.echo("  ".join(padded).rstrip())
