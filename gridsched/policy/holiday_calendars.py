"""Public holidays as calendars, from the `holidays` library."""

from __future__ import annotations

from collections.abc import Iterable

from gridsched.errors import InvalidSchedule
from gridsched.model.calendar import HolidayCalendar


def public_holidays(
    country: str,
    years: Iterable[int],
    *,
    subdivision: str | None = None,
    zone: str = "UTC",
    base: str = "",
) -> HolidayCalendar:
    """A calendar that excludes the public holidays of a country (ISO 3166-1 code: "DE") or of a part
    of it (ISO 3166-2, without the country: "BY") in these years. `zone` is where its days begin.

    The dates are those that the installed version of the library knows. InvalidSchedule where it
    knows no such country or subdivision.
    """
    import holidays  # a library of all countries: loaded where one is asked for

    place = country if subdivision is None else f"{country}-{subdivision}"
    try:
        found = holidays.country_holidays(country, subdiv=subdivision, years=years)
    except NotImplementedError as error:
        raise InvalidSchedule(f"no public holidays of {place!r} are known: {error}") from None
    return HolidayCalendar(
        dates=tuple(sorted(found)), zone=zone, base=base, description=f"public holidays of {place}"
    )
