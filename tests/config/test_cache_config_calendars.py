"""`scheduler:calendars`: what each element makes, and what is refused in which line."""

from __future__ import annotations

from datetime import date, time

import pytest
from config_documents import document, refused, settings

from gridsched.config.settings import StartupCalendar
from gridsched.model.calendar import (
    AnnualCalendar,
    Calendar,
    CronCalendar,
    DailyCalendar,
    HolidayCalendar,
    MonthDay,
    MonthlyCalendar,
    WeeklyCalendar,
)


def of_calendars(*inner: str) -> str:
    """The first calendar begins in line 2, and what it holds; each other one in the line after."""
    each = "\n".join(f"<scheduler:calendar>{one}</scheduler:calendar>" for one in inner)
    return document(f"<scheduler:calendars>{each}</scheduler:calendars>")


def leaf(name: str, text: str) -> str:
    return f"<scheduler:{name}>{text}</scheduler:{name}>"


FREE = leaf("calendarname", "free days")
WEEKEND = leaf("weekly", "SAT,SUN")


def the_calendar(inner: str) -> Calendar:
    (startup,) = settings(of_calendars(FREE + inner)).calendars
    assert startup.name == "free days"
    return startup.calendar


@pytest.mark.parametrize(
    ("inner", "calendar"),
    [
        (leaf("weekly", "SAT, sun,2"), WeeklyCalendar(days=(7, 1, 2))),
        (leaf("monthly", "1,\n 15"), MonthlyCalendar(days=(1, 15))),
        (leaf("annual", "12-25,2-29"), AnnualCalendar(days=(MonthDay(12, 25), MonthDay(2, 29)))),
        (
            leaf("holidays", "2026-12-25, 2027-01-01"),
            HolidayCalendar(dates=(date(2026, 12, 25), date(2027, 1, 1))),
        ),
        (
            leaf("daily", "22:30 - 23:59:59.999") + leaf("invert", "true"),
            DailyCalendar(starting=time(22, 30), ending=time(23, 59, 59, 999000), invert=True),
        ),
        (leaf("cron", "* * 12\n * * ?"), CronCalendar(expression="* * 12 * * ?")),
    ],
)
def test_each_way_to_exclude(inner: str, calendar: Calendar) -> None:
    assert the_calendar(inner) == calendar


def test_public_holidays_of_a_country() -> None:
    inner = leaf("country", "GB") + leaf("years", "2026-2027,2029") + leaf("subdivision", "ENG")
    calendar = the_calendar(inner + leaf("zone", "Europe/London"))
    assert isinstance(calendar, HolidayCalendar)
    assert {day.year for day in calendar.dates} == {2026, 2027, 2029}
    assert date(2026, 12, 25) in calendar.dates
    assert calendar.zone == "Europe/London"
    assert calendar.description == "public holidays of GB-ENG"


def test_what_every_calendar_may_have() -> None:
    base = leaf("calendarname", "base") + leaf("monthly", "1")
    named = FREE + WEEKEND + leaf("base", "base") + leaf("zone", "Asia/Tokyo")
    described = named + leaf("description", "no work")
    assert settings(of_calendars(base, described)).calendars == (
        StartupCalendar("base", MonthlyCalendar(days=(1,))),
        StartupCalendar(
            "free days",
            WeeklyCalendar(days=(7, 1), zone="Asia/Tokyo", base="base", description="no work"),
        ),
    )


def test_a_base_may_be_one_that_the_grid_holds() -> None:
    assert the_calendar(WEEKEND + leaf("base", "elsewhere")).base == "elsewhere"


@pytest.mark.parametrize(
    ("inner", "line", "part"),
    [
        (WEEKEND, 2, "scheduler:calendar has no scheduler:calendarname"),
        (FREE, 2, "a calendar has exactly one of weekly, monthly, annual, holidays, country"),
        (FREE + WEEKEND + leaf("monthly", "1"), 2, "exactly one of"),
        (FREE + "\n" + leaf("weekly", "SAT,8"), 3, "'8' is no day of the week"),
        (FREE + leaf("monthly", "32"), 2, "32 is not a day of this calendar"),
        (FREE + "\n" + leaf("monthly", "first"), 3, "'first' is not a day of the month"),
        (FREE + leaf("annual", "2-30"), 2, "no day 30 of month 2"),
        (FREE + "\n" + leaf("annual", "25"), 3, "'25' is not a day of the year"),
        (FREE + "\n" + leaf("holidays", "2026-02-30"), 3, "'2026-02-30' is not a date"),
        (FREE + leaf("country", "GB"), 2, "country needs years"),
        (FREE + leaf("country", "XX") + leaf("years", "2026"), 2, "no public holidays of 'XX'"),
        (FREE + "\n" + leaf("years", "2028-2026"), 3, "is not 1 to 200 years"),
        (FREE + "\n" + leaf("years", "1-999999999"), 3, "is not a year or years"),
        (FREE + "\n" + leaf("years", "1-999"), 3, "is not 1 to 200 years"),
        (FREE + WEEKEND + leaf("years", "2026"), 2, "years goes with country, not with weekly"),
        (FREE + WEEKEND + leaf("invert", "true"), 2, "invert goes with daily, not with weekly"),
        (FREE + "\n" + leaf("daily", "08:00"), 3, "not two times of day"),
        (FREE + "\n" + leaf("daily", "08:00-25:00"), 3, "'25:00' is not a time of day"),
        (FREE + "\n" + leaf("daily", "08:00Z-09:00"), 3, "it is local time"),
        (FREE + leaf("daily", "22:00-06:00"), 2, "for a range over midnight"),
        (FREE + leaf("cron", "* * *"), 2, "cron expression '* * *'"),
        (FREE + WEEKEND + "\n" + leaf("zone", "Europe/Londn"), 3, "Europe/London"),
        (FREE + WEEKEND + leaf("base", "free days"), 2, "must stand before it"),
        (leaf("calendarname", "x" * 201) + WEEKEND, 2, "200"),
    ],
)
def test_what_is_wrong_with_a_calendar(inner: str, line: int, part: str) -> None:
    refused(of_calendars(inner), line, part)


def test_what_is_wrong_between_calendars() -> None:
    refused(of_calendars(FREE + WEEKEND, FREE + WEEKEND), 3, "'free days' stands twice")
    base = leaf("calendarname", "base") + WEEKEND
    late = of_calendars(FREE + WEEKEND + leaf("base", "base"), base)
    refused(late, 2, "its base 'base' must stand before it")
