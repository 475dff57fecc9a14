"""`scheduler:triggers`: the triggers of a job, and the data maps of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, get_args

from gridsched.config.kinds import (
    CRON,
    DAYS_OF_WEEK,
    DST,
    DURATION,
    ENTRY,
    INSTANT,
    MISFIRE_OF_OTHERS,
    MISFIRE_OF_SIMPLE,
    SECONDS,
    TEXT,
    TIME_OF_DAY,
    ZONE,
    one_of,
    whole,
)
from gridsched.config.schema import Branch, Fields, Kind, Leaf, Reading, Unused
from gridsched.model.keys import DEFAULT_GROUP
from gridsched.model.trigger import (
    WHEN_SUBMITTED,
    CalendarInterval,
    Cron,
    DailyTimeInterval,
    Dialect,
    IntervalUnit,
    Once,
    Schedule,
    Simple,
    TimeUnit,
    Trigger,
)
from gridsched.policy import cron_parse
from gridsched.policy.checks import check_trigger


def _data(fields: Fields, reading: Reading) -> dict[str, Any]:
    lines: dict[str, int] = {}
    for (key, _), place in fields.each("entries"):
        if key in lines:
            raise reading.error(place, f"the key {key!r} stands twice; first in line {lines[key]}")
        lines[key] = place.line
    return dict(fields.values.get("entries", ()))


def _once(fields: Fields, _reading: Reading) -> dict[str, Any]:
    return {"schedule": Once(fields.values.pop("at", WHEN_SUBMITTED)), **fields.values}


def _simple(fields: Fields, reading: Reading) -> dict[str, Any]:
    """A count of 0 is one fire, so it needs no interval."""
    values = fields.values
    start, end = values.pop("start", WHEN_SUBMITTED), values.pop("end", None)
    count, interval = values.pop("repeat_count", 0), values.pop("interval", None)
    if end is not None and end < start:
        raise reading.error(fields.place("end"), "scheduler:endtime is before scheduler:starttime")
    if interval is None and count != 0:
        raise reading.error(
            fields.element,
            f"scheduler:repeatcount is {count} and scheduler:repeatinterval is missing",
        )
    schedule = Simple(start, interval, count, end) if count else Once(start)
    return {"schedule": schedule, **values}


def _cron(fields: Fields, reading: Reading) -> dict[str, Any]:
    with reading.at(fields.place("expression")):
        cron_parse.parse(fields.values["expression"], fields.values.get("dialect", "quartz"))
    return _of_kind(Cron, fields)


def _calendar_interval(fields: Fields, _reading: Reading) -> dict[str, Any]:
    fields.values.setdefault("start", WHEN_SUBMITTED)
    return _of_kind(CalendarInterval, fields)


def _daily_time_interval(fields: Fields, _reading: Reading) -> dict[str, Any]:
    return _of_kind(DailyTimeInterval, fields)


def _of_kind(kind: Callable[..., Schedule], fields: Fields) -> dict[str, Any]:
    """The schedule of a kind whose fields the elements set by name, beside the misfire policy."""
    misfire = {"misfire": fields.values.pop("misfire")} if "misfire" in fields.values else {}
    return {"schedule": kind(**fields.values), **misfire}


def _trigger(fields: Fields, reading: Reading) -> Trigger:
    values = fields.values
    written = [values.pop(kind.into) for kind in SCHEDULES if kind.into in values]
    if len(written) != 1:
        names = ", ".join(kind.name for kind in SCHEDULES)
        raise reading.error(fields.element, f"a trigger has exactly one of {names}")
    schedule: Schedule = written[0].pop("schedule")
    trigger = Trigger(schedule, **written[0], **values)
    check_trigger(trigger)
    return trigger


def _triggers(fields: Fields, reading: Reading) -> tuple[Trigger, ...]:
    lines: dict[tuple[str, str], int] = {}
    for trigger, place in fields.each("triggers"):
        name = (trigger.group, trigger.name)
        if name in lines:
            raise reading.error(
                place, f"trigger {trigger.name!r} stands twice; first in line {lines[name]}"
            )
        lines[name] = place.line
    return tuple(trigger for trigger, _ in fields.each("triggers"))


def data_map(name: str, doc: str, *aliases: str) -> Branch:
    """The table of a data map."""
    entry = Leaf("scheduler:data", "entries", ENTRY, "One entry.", "none", many=True)
    return Branch(name, "data", _data, (entry,), doc, aliases)


START: Final = Leaf(
    "scheduler:starttime", "start", INSTANT, "When the schedule begins.", "when submitted"
)
END: Final = Leaf("scheduler:endtime", "end", INSTANT, "When it ends.", "never")
ZONE_OF_IT: Final = Leaf("scheduler:zone", "zone", ZONE, "Where those local times are read.", "UTC")


def _dst(default: str) -> Leaf:
    return Leaf(
        "scheduler:dst",
        "dst",
        DST,
        "What becomes of a local time that the clocks skip, and of one that they repeat.",
        default,
    )


def _unit(units: object, default: str) -> Leaf:
    words = one_of(get_args(units), str.upper)
    return Leaf("scheduler:repeatintervalunit", "unit", words, "Its unit.", default)


def _misfire_policy(kind: Kind) -> Leaf:
    return Leaf(
        "scheduler:misfirepolicy",
        "misfire",
        kind,
        "What becomes of instants that nobody claimed in time; Quartz's full names are taken too.",
        "SMART",
    )


UNITS_BETWEEN: Final = Leaf(
    "scheduler:repeatinterval",
    "interval",
    whole("number"),
    "Units between two fires.",
    required=True,
)
SIMPLE: Final = Branch(
    "scheduler:simpletrigger",
    "simple",
    _simple,
    (
        START,
        END,
        Leaf(
            "scheduler:repeatcount",
            "repeat_count",
            whole("number"),
            "How often it fires after the first time; -1 for ever.",
            "0",
        ),
        Leaf(
            "scheduler:repeatinterval",
            "interval",
            DURATION,
            "Time between two fires; needed unless it fires once.",
            "none",
        ),
        _misfire_policy(MISFIRE_OF_SIMPLE),
    ),
    "Fires at its start, and then at an interval.",
)
CRON_TRIGGER: Final = Branch(
    "scheduler:crontrigger",
    "cron",
    _cron,
    (
        Leaf(
            "scheduler:cronexpression",
            "expression",
            CRON,
            "The local times at which it fires.",
            required=True,
        ),
        Leaf(
            "scheduler:dialect",
            "dialect",
            one_of(get_args(Dialect)),
            "How the expression is written: Quartz's six or seven fields, or crontab's five.",
            "quartz",
        ),
        ZONE_OF_IT,
        START,
        END,
        _dst("after,first; if it repeats through the hours skip,both"),
        _misfire_policy(MISFIRE_OF_OTHERS),
    ),
    "Fires at the local times that match an expression.",
)
ONCE: Final = Branch(
    "scheduler:oncetrigger",
    "once",
    _once,
    (
        Leaf("scheduler:at", "at", INSTANT, "The instant.", "when submitted"),
        _misfire_policy(MISFIRE_OF_SIMPLE),
    ),
    "Fires once.",
)
CALENDAR_INTERVAL: Final = Branch(
    "scheduler:calendarintervaltrigger",
    "calendar_interval",
    _calendar_interval,
    (
        UNITS_BETWEEN,
        _unit(IntervalUnit, "DAY"),
        ZONE_OF_IT,
        START,
        END,
        _dst("after,first"),
        _misfire_policy(MISFIRE_OF_OTHERS),
    ),
    "Fires at its start and every so many units of the calendar after it, at the same local time.",
)
DAILY_TIME_INTERVAL: Final = Branch(
    "scheduler:dailytimeintervaltrigger",
    "daily_time_interval",
    _daily_time_interval,
    (
        UNITS_BETWEEN,
        _unit(TimeUnit, "MINUTE"),
        Leaf(
            "scheduler:starttimeofday",
            "start_time_of_day",
            TIME_OF_DAY,
            "When it first fires on a day.",
            "00:00:00",
        ),
        Leaf(
            "scheduler:endtimeofday",
            "end_time_of_day",
            TIME_OF_DAY,
            "When it may last fire on a day.",
            "23:59:59",
        ),
        Leaf(
            "scheduler:daysofweek",
            "days_of_week",
            DAYS_OF_WEEK,
            "The days on which it fires.",
            "all",
        ),
        Leaf(
            "scheduler:repeatcount",
            "repeat_count",
            whole("number"),
            "How often it runs after the first time; -1 for ever.",
            "-1",
        ),
        ZONE_OF_IT,
        START,
        END,
        _dst("after,both"),
        _misfire_policy(MISFIRE_OF_OTHERS),
    ),
    "Fires every so often between two times of day, on some days of the week.",
)
SCHEDULES: Final = (SIMPLE, CRON_TRIGGER, CALENDAR_INTERVAL, DAILY_TIME_INTERVAL, ONCE)

TRIGGER: Final = Branch(
    "scheduler:trigger",
    "triggers",
    _trigger,
    (
        Leaf(
            "scheduler:triggername",
            "name",
            TEXT,
            "Its name; together with its group unlike any other of the job.",
            required=True,
        ),
        Leaf("scheduler:triggergroup", "group", TEXT, "Its group.", DEFAULT_GROUP),
        Leaf("scheduler:description", "description", TEXT, "What it is for.", "none"),
        Leaf(
            "scheduler:priority",
            "priority",
            whole("number"),
            "Among those due at the same instant; higher first.",
            "the job's",
        ),
        Leaf(
            "scheduler:calendarname",
            "calendar",
            TEXT,
            "Name of a calendar that excludes some of its instants.",
            "none",
        ),
        Leaf(
            "scheduler:jitter",
            "jitter",
            SECONDS,
            "Each run starts at some time within this after its instant, up to a day.",
            "0",
        ),
        Leaf(
            "scheduler:catchup",
            "catch_up",
            SECONDS,
            "Missed instants that are older than this are skipped.",
            "none",
        ),
        *SCHEDULES,
        data_map(
            "scheduler:triggerdatamap",
            "Arguments for the function, over those of the job.",
            "scheduler:tiggerdatamap",
        ),
        Unused("scheduler:triggertype", "the trigger's own element says its kind"),
    ),
    "One trigger: exactly one of the five schedules, and what goes with it.",
    many=True,
)
TRIGGERS: Final = Branch(
    "scheduler:triggers", "triggers", _triggers, (TRIGGER,), "The job's triggers."
)
