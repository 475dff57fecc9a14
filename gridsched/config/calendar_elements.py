"""`scheduler:calendars`: calendars that are stored when the cluster first starts."""

from __future__ import annotations

from typing import Final

from gridsched.config.kinds import FLAG, TEXT, ZONE, written
from gridsched.config.schema import Branch, Fields, Leaf, Reading
from gridsched.config.settings import StartupCalendar
from gridsched.model.keys import calendar_key
from gridsched.policy import calendar_forms as forms


def _calendar(fields: Fields, _reading: Reading) -> StartupCalendar:
    name: str = fields.values.pop("name")
    calendar_key(name)
    return StartupCalendar(name, forms.calendar_of(fields.values))


def _calendars(fields: Fields, reading: Reading) -> tuple[StartupCalendar, ...]:
    """A base that is in the file stands before the calendars that name it: so they are stored."""
    lines = {startup.name: place.line for startup, place in fields.each("calendars")}
    before: set[str] = set()
    for startup, place in fields.each("calendars"):
        name, base = startup.name, startup.calendar.base
        if name in before:
            raise reading.error(place, f"calendar {name!r} stands twice")
        if base in lines and base not in before:
            raise reading.error(
                place, f"calendar {name!r}: its base {base!r} must stand before it; it does not"
            )
        before.add(name)
    return tuple(startup for startup, _ in fields.each("calendars"))


CALENDAR: Final = Branch(
    "scheduler:calendar",
    "calendars",
    _calendar,
    (
        Leaf("scheduler:calendarname", "name", TEXT, "Its name.", required=True),
        Leaf("scheduler:description", "description", TEXT, "What it is for.", "none"),
        Leaf("scheduler:zone", "zone", ZONE, "Where its days and times are read.", "UTC"),
        Leaf(
            "scheduler:base",
            "base",
            TEXT,
            "Name of a calendar that must include an instant too; one of this file stands before.",
            "none",
        ),
        Leaf(
            "scheduler:weekly",
            "weekly",
            written("days of the week, such as SAT,SUN", forms.days_of_week),
            "Excludes these days of the week.",
            "none",
        ),
        Leaf(
            "scheduler:monthly",
            "monthly",
            written("days of the month, such as 1,15", forms.days_of_month),
            "Excludes these days of the month.",
            "none",
        ),
        Leaf(
            "scheduler:annual",
            "annual",
            written("days of the year, such as 12-25,12-26", forms.days_of_year),
            "Excludes these days of every year.",
            "none",
        ),
        Leaf(
            "scheduler:holidays",
            "holidays",
            written("dates, such as 2026-12-25,2027-01-01", forms.dates),
            "Excludes these dates.",
            "none",
        ),
        Leaf(
            "scheduler:country",
            "country",
            TEXT,
            "Excludes the public holidays of a country (ISO 3166: `GB`).",
            "none",
        ),
        Leaf(
            "scheduler:subdivision",
            "subdivision",
            TEXT,
            "With a country: those of this part of it (ISO 3166-2: `ENG`).",
            "none",
        ),
        Leaf(
            "scheduler:years",
            "years",
            written("years, such as 2026-2028", forms.years),
            "With a country, needed there: of which years.",
            "none",
        ),
        Leaf(
            "scheduler:daily",
            "daily",
            written("two times of day, such as 00:00-08:00", forms.time_range),
            "Excludes the times of day from the first to the second, both inclusive.",
            "none",
        ),
        Leaf(
            "scheduler:invert",
            "invert",
            FLAG,
            "With `scheduler:daily`: excludes all other times instead.",
            "false",
        ),
        Leaf(
            "scheduler:cron",
            "cron",
            TEXT,
            "Excludes the seconds that match this cron expression.",
            "none",
        ),
    ),
    "One calendar: its name, and what it excludes in exactly one of the ways below.",
    many=True,
)
CALENDARS: Final = Branch(
    "scheduler:calendars", "calendars", _calendars, (CALENDAR,), "Calendars that triggers may name."
)
