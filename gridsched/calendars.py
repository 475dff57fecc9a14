"""The calendars that `Scheduler.store_calendar` takes, and public holidays by country as one."""

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
from gridsched.policy.holiday_calendars import public_holidays

__all__ = [
    "AnnualCalendar",
    "Calendar",
    "CronCalendar",
    "DailyCalendar",
    "HolidayCalendar",
    "MonthDay",
    "MonthlyCalendar",
    "WeeklyCalendar",
    "public_holidays",
]
