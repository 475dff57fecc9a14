"""Cron expressions in words."""

from __future__ import annotations

import pytest

from gridsched.policy.cron_parse import parse
from gridsched.policy.cron_words import describe


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "0 0/5 8-18 ? * MON-FRI",
            "Every 5 minutes, between 08:00 and 18:59, Monday through Friday",
        ),
        ("0 0 18 LW * ?", "At 18:00, on the last weekday of the month"),
        ("0 0 8 ? * 1", "At 08:00, only on Sunday"),
        ("0 30 2 ? * 6L", "At 02:30, on the last Friday of the month"),
    ],
)
def test_quartz_in_words(text: str, words: str) -> None:
    assert describe(parse(text)) == words


def test_unix_numbers_weekdays_from_sunday_as_zero() -> None:
    assert describe(parse("0 8 * * 1", "unix")) == "At 08:00, only on Monday"
