"""`validate`: what a node would take from a cache-config."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypedDict
from zoneinfo import ZoneInfo

import click
import msgspec

from gridsched.cli import words
from gridsched.cli.options import allow_option, coordination_option, jobclasses_option
from gridsched.cli.output import keyed, plain, print_details, print_json, print_table
from gridsched.client.resolve import Resolved, resolve
from gridsched.clock import SystemClock
from gridsched.config import coordination
from gridsched.config.coordination import Coordination
from gridsched.config.schema import Note
from gridsched.config.settings import Settings, StartupCalendar, StartupJob
from gridsched.config.smtp import Smtp
from gridsched.config.xml_reader import read_file
from gridsched.errors import ConfigurationError
from gridsched.model.caches import CacheSettings
from gridsched.model.data_service import DataService
from gridsched.model.trigger import WHEN_SUBMITTED, Schedule
from gridsched.policy.dispatch_forms import written
from gridsched.policy.fire_times import fire_after

_UTC: Final = ZoneInfo("UTC")
_SHOWN_FIRES: Final = 3


class Fires(TypedDict):
    """When a trigger fires, were it submitted now. Instants are epoch ms."""

    when_submitted: bool
    next_fires: list[int]


@click.command()
@click.argument("config", type=click.Path(), metavar="CONFIG.xml")
@coordination_option
@jobclasses_option
@allow_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, of errors too.")
def validate(config: str, as_json: bool, **beside: Any) -> None:
    """Check a cache-config, and say what a node takes from it and from the files beside it.

    CONFIG.xml may be a coordination-client-config too. The code of jobs is not imported: a target
    that is not there is told by the node that is to run it.
    """
    if as_json:
        _validate_as_json(config, beside)
        return
    checked = _check(config, beside)
    click.echo(f"{config} is valid")
    if isinstance(checked, Coordination):
        _section("coordination", _coordination(checked))
        return
    loaded, settings = checked.loaded, checked.settings
    _section("settings", _settings(settings))
    if checked.coordination is not None:
        _section("coordination", _coordination(checked.coordination))
    _section("caches other than by default", _caches(settings.caches))
    _section("mail server", _smtp(settings.smtp))
    _section("data services", _services(settings.services))
    _section("startup calendars", _calendars(settings.calendars))
    _print_jobs(settings.jobs)
    _print_events(settings.jobs)
    _print_notes("mapped to a Python target", loaded.mapped, ("CLASS", "TARGET"))
    _print_notes("read by another name", loaded.aliases)
    _print_notes("ignored", loaded.ignored)


def _check(config: str, beside: dict[str, Any]) -> Coordination | Resolved:
    data = read_file(config)
    if coordination.describes(data):
        return coordination.loads(data, config)
    return resolve(config, {}, **beside)


def _validate_as_json(config: str, beside: dict[str, Any]) -> None:
    try:
        checked = _check(config, beside)
    except ConfigurationError as error:
        print_json(
            {"valid": False, "source": error.source, "line": error.line, "error": error.message}
        )
        raise
    if isinstance(checked, Coordination):
        print_json({"valid": True, "source": config, "coordination": plain(checked)})
    else:
        print_json(_as_json(checked))


def _as_json(checked: Resolved) -> dict[str, Any]:
    loaded = checked.loaded
    settings = plain(checked.settings)
    del settings["calendars"], settings["jobs"]
    return {
        "valid": True,
        "source": loaded.source,
        "coordination": plain(checked.coordination),
        "settings": settings,
        "calendars": {
            startup.name: plain(startup.calendar) for startup in checked.settings.calendars
        },
        "jobs": [_job_as_json(startup) for startup in checked.settings.jobs],
        "mapped": [
            {"class": note.name, "line": note.line, "target": note.remark} for note in loaded.mapped
        ],
        "aliases": [note._asdict() for note in loaded.aliases],
        "ignored": [note._asdict() for note in loaded.ignored],
    }


def _job_as_json(startup: StartupJob) -> dict[str, Any]:
    key = startup.job.key
    return {
        **keyed(startup.job),
        "triggers": [
            {**keyed(msgspec.structs.replace(trigger, job=key)), **_fires(trigger.schedule)}
            for trigger in startup.triggers
        ],
    }


def _fires(schedule: Schedule) -> Fires:
    """The next fire times; none where only the submission says when the schedule begins."""
    if WHEN_SUBMITTED in (getattr(schedule, "at", None), getattr(schedule, "start", None)):
        return {"when_submitted": True, "next_fires": []}
    fires: list[int] = []
    after: int | None = SystemClock().now()
    while after is not None and len(fires) < _SHOWN_FIRES:
        after = fire_after(schedule, after)
        fires += [] if after is None else [after]
    return {"when_submitted": False, "next_fires": fires}


def _settings(settings: Settings) -> dict[str, str]:
    said = {
        name: _value(getattr(settings, name))
        for name in settings.__struct_fields__
        if name not in ("caches", "services", "calendars", "jobs", "smtp")
    }
    return {**said, "dispatcher_policy": written(settings.dispatcher_policy)}


def _smtp(smtp: Smtp | None) -> dict[str, str]:
    return {} if smtp is None else {n: _value(v) for n, v in plain(smtp).items() if v}


def _caches(caches: CacheSettings) -> dict[str, str]:
    default = CacheSettings()
    pairs = [(caches, default), (caches.names, default.names)]
    return {
        name: _value(getattr(given, name))
        for given, usual in pairs
        for name in given.__struct_fields__
        if name != "names" and getattr(given, name) != getattr(usual, name)
    }


def _services(services: Sequence[DataService]) -> dict[str, str]:
    """The operations of each, with what they take."""
    return {
        service.name: ", ".join(
            f"{operation.name}({', '.join(operation.parameters)})"
            for operation in service.operations
        )
        for service in services
    }


def _calendars(calendars: Sequence[StartupCalendar]) -> dict[str, str]:
    return {startup.name: words.calendar(startup.calendar) for startup in calendars}


def _value(value: Any) -> str:
    match value:
        case tuple():
            return ", ".join(value)
        case dict():
            return ", ".join(f"{name}={each}" for name, each in value.items())
        case _:
            return str(value)


def _section(title: str, details: dict[str, str]) -> None:
    if details:
        click.echo(f"\n{title}")
        print_details(details)


def _print_jobs(jobs: Sequence[StartupJob]) -> None:
    rows = [
        [startup.job.key, trigger.name, words.schedule(trigger.schedule, _UTC), fires]
        for startup in jobs
        for trigger in startup.triggers
        for fires in [_fires_in_words(trigger.schedule)]
    ]
    rows += [[s.job.key, "", "none", ""] for s in jobs if not s.triggers]
    click.echo(f"\n{len(jobs)} startup job{'' if len(jobs) == 1 else 's'}")
    if rows:
        print_table(["JOB", "TRIGGER", "SCHEDULE", "NEXT FIRES"], rows)


def _print_events(jobs: Sequence[StartupJob]) -> None:
    rows = [
        [
            startup.job.key,
            event.name,
            event.when,
            event.condition.text,
            ", ".join(event.subscribers),
        ]
        for startup in jobs
        for event in startup.job.events
    ]
    if rows:
        click.echo("\nevents")
        print_table(["JOB", "EVENT", "WHEN", "CONDITION", "TO"], rows)


def _fires_in_words(schedule: Schedule) -> str:
    fires = _fires(schedule)
    if fires["when_submitted"]:
        return "when submitted"
    return ", ".join(words.moment(fire, _UTC) for fire in fires["next_fires"]) or "never again"


def _coordination(file: Coordination) -> dict[str, str]:
    timeout = file.session_timeout_ms
    return {
        "file": file.source,
        "enabled": _value(file.enabled),
        "grid": f"{', '.join(file.servers)}, tried in turn" if file.enabled else "embedded",
        **({} if timeout is None else {"session_timeout_ms": str(timeout)}),
    }


def _print_notes(
    title: str, notes: Sequence[Note], headings: tuple[str, str] = ("ELEMENT", "WHY")
) -> None:
    if notes:
        click.echo(f"\n{title}")
        print_table(["LINE", *headings], [[str(n.line), n.name, n.remark] for n in notes])
