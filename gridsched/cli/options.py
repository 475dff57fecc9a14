"""How values are written on the command line; one that cannot be is a usage error."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import click
import msgspec

from gridsched.client.grids import EMBEDDED, parse_addresses
from gridsched.config import durations
from gridsched.errors import ConfigurationError
from gridsched.model.dst import DstPolicy
from gridsched.policy import localtime
from gridsched.policy.cron_parse import FIRST_YEAR, LAST_YEAR
from gridsched.policy.dispatch_forms import parse_policy

_ONE_INSTANT: Final = localtime.DstPolicy("skip", "first")
"""Of a local time that clocks show twice the first is meant; one that they skip is refused."""


class Written(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.2
    """A value that `read` makes of text. `read` raises ValueError with what is wrong."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ConfigurationError as error:
            self.fail(error.message, param, ctx)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _duration(text: str) -> int:
    return durations.parse(text, bare=None)


def _interval(text: str) -> int:
    if (interval := _duration(text)) > 0:
        return interval
    raise ValueError(f"{text!r} is no interval: it must be above 0")


def _grid(text: str) -> str | list[str]:
    if text == EMBEDDED:
        return EMBEDDED
    try:
        return parse_addresses(text)
    except ConfigurationError as error:
        raise ValueError(f"{error.message}; or {EMBEDDED}, for a grid in this process") from None


def _listen(text: str) -> str:
    if text != NOWHERE:
        parse_addresses(text)
    return text


def _entry(text: str) -> tuple[str, Any]:
    name, equals, written = text.partition("=")
    if not (name and equals):
        raise ValueError(f"{text!r} is not written name=value")
    try:
        return name, msgspec.json.decode(written)
    except msgspec.DecodeError:
        return name, written


def _server_count(text: str) -> int:
    name, value = _entry(text)
    if name != SERVER_COUNT_PROPERTY:
        raise ValueError(f"{name} is not known; there is {SERVER_COUNT_PROPERTY}")
    if type(value) is not int or value < 1:
        raise ValueError(f"{name} is {value}; it must be a whole number of at least 1")
    return value


def read_moment(text: str) -> datetime:
    """A time in ISO 8601, in the years that schedules know; ValueError for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a time in ISO 8601, such as 2026-12-24T18:00:00+01:00"
        ) from None
    return _schedulable(moment, text)


def _schedulable(moment: datetime, text: str) -> datetime:
    if FIRST_YEAR <= moment.year <= LAST_YEAR:
        return moment
    raise ValueError(f"{text!r} is not in the years {FIRST_YEAR} to {LAST_YEAR}")


def _when(text: str) -> datetime | int:
    """A time, or so many ms before now."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        pass
    else:
        return _schedulable(moment, text)
    try:
        return durations.parse(text, bare=None)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither a time in ISO 8601, such as 2026-12-24T18:00, nor how long ago it "
            "was, such as 2H"
        ) from None


def _attribute(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ValueError(f"{text!r} is not written name=value")
    return name, value


NOWHERE: Final = "none"
SERVER_COUNT_PROPERTY: Final = "task.server.count"
ADDRESSES: Final = Written("host:port,…", parse_addresses)
GRID: Final = Written("embedded|host:port,…", _grid)
LISTEN: Final = Written("host:port|none", _listen)
DURATION: Final = Written("duration", _duration)
INTERVAL: Final = Written("duration", _interval)
ENTRY: Final = Written("name=value", _entry)
ATTRIBUTE: Final = Written("name=value", _attribute)
POLICY: Final = Written("policy", parse_policy)
ZONE: Final = Written("zone", localtime.zone)
DST: Final = Written("gap,overlap", DstPolicy.parse)
SERVER_COUNT: Final = Written("name=value", _server_count)
MOMENT: Final = Written("iso", read_moment)
WHEN: Final = Written("iso|duration", _when)
SECONDS: Final = click.FloatRange(min=0, min_open=True)

data_option = click.option(
    "--data",
    type=ENTRY,
    multiple=True,
    help="An entry of the job's data; the value is JSON where it reads as such, else text. "
    "May be repeated.",
)
dst_option = click.option(
    "--dst",
    type=DST,
    help="What becomes of a time that the clocks skip (skip, after) and of one that they repeat "
    "(first, second, both); Quartz's way is skip,second.",
)
allow_option = click.option(
    "--allow",
    multiple=True,
    envvar="GRIDSCHED_ALLOW",
    show_envvar=True,
    metavar="PATTERN",
    help="Targets that may run here (shop.tasks:*), besides the config's. May be repeated; in the "
    "environment blanks stand between patterns.",
)
cluster_name_option = click.option(
    "--cluster-name",
    envvar="GRIDSCHED_CLUSTER_NAME",
    show_envvar=True,
    metavar="NAME",
    help="The grid's cluster name; default: dev, then gridsched.",
)
coordination_option = click.option(
    "--coordination",
    type=click.Path(),
    metavar="FILE",
    help="The servers of the cluster; default: coordination-client-config.xml beside CONFIG.xml, "
    "where there is one.",
)
jobclasses_option = click.option(
    "--jobclasses",
    type=click.Path(),
    metavar="FILE",
    help="The Python targets of class names, a line `class = package.module:function` each; "
    "default: jobclasses.properties beside CONFIG.xml, where there is one.",
)
wait_option = click.option(
    "--wait",
    type=SECONDS,
    metavar="SECONDS",
    help="Wait so long for the run to end, and print what it returned, as JSON.",
)


def aware(when: datetime | int | None, zone: ZoneInfo, now: int) -> datetime | None:
    """What `WHEN` reads, as a time with an offset; local times are those of `zone`."""
    if when is None:
        return None
    at = now - when if isinstance(when, int) else instant(when, zone)
    return datetime.fromtimestamp(at / 1000, UTC)


def instant(moment: datetime, zone: ZoneInfo | None) -> int:
    """Epoch ms of a time with an offset, or of local time in `zone`."""
    if moment.tzinfo is not None:
        return round(moment.timestamp() * 1000)
    if zone is None:
        raise click.UsageError(
            f"{moment.isoformat()} may be anywhere in the world: "
            "add an offset, such as +01:00 or Z, or --zone"
        )
    instants = localtime.to_instants(moment, zone, _ONE_INSTANT)
    if not instants:
        raise click.UsageError(
            f"{moment.isoformat()} does not exist in {zone.key}: its clocks skip it"
        )
    return instants[0]
