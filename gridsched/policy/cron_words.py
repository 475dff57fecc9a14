"""A cron expression in words, by the library cron-descriptor."""

from __future__ import annotations

from typing import Final
from warnings import catch_warnings

from cron_descriptor import ExpressionDescriptor, Options

from gridsched.policy.cron_parse import CronExpression


def _options(*, sunday_is_zero: bool) -> Options:
    with catch_warnings(action="ignore"):  # without a locale it says that it takes English
        options = Options()
    options.locale_code = "en_US"
    options.use_24hour_time_format = True
    options.day_of_week_start_index_zero = sunday_is_zero
    return options


_OPTIONS: Final = {
    "quartz": _options(sunday_is_zero=False),
    "unix": _options(sunday_is_zero=True),
}


def describe(expression: CronExpression) -> str:
    """Such as "At 18:00, on the last weekday of the month"; "" where the library has no words."""
    try:
        return str(
            ExpressionDescriptor(expression.text, _OPTIONS[expression.dialect]).get_description()
        )
    except Exception:  # it reads expressions its own way, and raises what it likes
        return ""
