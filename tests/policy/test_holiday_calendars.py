"""Public holidays by country."""

from __future__ import annotations

from datetime import date

import pytest

from gridsched.errors import InvalidSchedule
from gridsched.policy.holiday_calendars import public_holidays


def test_public_holidays_of_a_country_and_of_a_part_of_it() -> None:
    germany = public_holidays("DE", [2026], zone="Europe/Berlin")
    bavaria = public_holidays("DE", [2026, 2027], subdivision="BY", zone="Europe/Berlin")
    assert date(2026, 10, 3) in germany.dates
    assert date(2026, 1, 6) not in germany.dates
    assert {date(2026, 1, 6), date(2027, 1, 6)} <= set(bavaria.dates)
    assert bavaria.dates == tuple(sorted(bavaria.dates))
    assert (bavaria.zone, bavaria.description) == ("Europe/Berlin", "public holidays of DE-BY")


@pytest.mark.parametrize(("country", "subdivision"), [("XX", None), ("DE", "QQ")])
def test_an_unknown_place_is_refused(country: str, subdivision: str | None) -> None:
    with pytest.raises(InvalidSchedule, match="no public holidays of"):
        public_holidays(country, [2026], subdivision=subdivision)
