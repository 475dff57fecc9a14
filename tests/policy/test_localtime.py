"""Zones and clock changes, checked against a walk over every half hour around them."""

# ruff: noqa: DTZ001  (local times are naive)

from __future__ import annotations

import importlib.resources
from datetime import UTC, datetime, timedelta

import pytest
import tzdata
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsched.errors import InvalidSchedule
from gridsched.policy.localtime import (
    EDITION,
    ELAPSED,
    QUARTZ,
    WALL_CLOCK,
    DstPolicy,
    earliest_local,
    edition_name,
    edition_of,
    latest_local,
    shift_at,
    single_passes,
    to_instants,
    to_local,
    zone,
)

HALF_HOUR = 1_800_000
ONE_PASS = [DstPolicy(gap, overlap) for gap in ("skip", "after") for overlap in ("first", "second")]
CHANGES = [
    ("America/New_York", "2024-03-10T07:00"),
    ("America/New_York", "2024-11-03T06:00"),
    ("Australia/Lord_Howe", "2024-10-05T15:30"),
    ("Australia/Lord_Howe", "2024-04-06T15:00"),
    ("America/Sao_Paulo", "2018-11-04T03:00"),
    ("America/Sao_Paulo", "2018-02-18T02:00"),
    ("Africa/Casablanca", "2024-03-10T02:00"),
    ("Africa/Casablanca", "2024-04-14T02:00"),
    ("Pacific/Apia", "2011-12-30T10:00"),
]


def ms(utc: str) -> int:
    return int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()) * 1000


def test_a_zone_is_found_by_its_name() -> None:
    assert zone("Europe/London") is zone("Europe/London")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Europe/Londn", "did you mean Europe/London"),
        ("new york", "America/New_York"),
        ("kolkatta", "Asia/Kolkata"),
        ("", "no such time zone ''"),
        ("America", "no such time zone 'America'"),
        ("../../etc/passwd", "no such time zone"),
        ("/etc/localtime", "no such time zone"),
    ],
)
def test_an_unknown_zone_is_refused_with_the_closest_names(name: str, hint: str) -> None:
    with pytest.raises(InvalidSchedule, match="no such time zone") as refusal:
        zone(name)
    assert hint in str(refusal.value)


@pytest.mark.parametrize(
    ("dst", "skipped", "repeated"),
    [
        (QUARTZ, [], ["2024-11-03T06:30"]),
        (WALL_CLOCK, ["2024-03-10T07:00"], ["2024-11-03T05:30"]),
        (ELAPSED, [], ["2024-11-03T05:30", "2024-11-03T06:30"]),
    ],
)
def test_policies(dst: DstPolicy, skipped: list[str], repeated: list[str]) -> None:
    new_york = zone("America/New_York")
    assert to_instants(datetime(2024, 3, 10, 2, 30), new_york, dst) == tuple(map(ms, skipped))
    assert to_instants(datetime(2024, 11, 3, 1, 30), new_york, dst) == tuple(map(ms, repeated))
    assert to_instants(datetime(2024, 6, 1, 12), new_york, dst) == (ms("2024-06-01T16:00"),)


def test_a_whole_day_may_be_skipped() -> None:
    shift = shift_at(datetime(2011, 12, 30, 12), zone("Pacific/Apia"))
    assert shift is not None
    assert shift.is_gap
    assert (shift.start, shift.end) == (datetime(2011, 12, 30), datetime(2011, 12, 31))
    assert shift.instant == ms("2011-12-30T10:00")


@pytest.mark.parametrize(("name", "change"), CHANGES)
def test_a_shift_is_the_times_it_skips_or_repeats(name: str, change: str) -> None:
    tz, instant = zone(name), ms(change)
    before, after = to_local(instant - 1, tz) + timedelta(milliseconds=1), to_local(instant, tz)
    shift = shift_at(min(before, after), tz)
    assert shift is not None
    assert shift.instant == instant
    assert (shift.start, shift.end) == (min(before, after), max(before, after))
    assert shift.is_gap == (after > before)
    assert shift_at(shift.end, tz) is None
    assert shift_at(shift.start - timedelta(milliseconds=1), tz) is None


@settings(deadline=None)
@given(st.sampled_from(CHANGES), st.integers(-100, 100), st.sampled_from(ONE_PASS))
def test_local_times_from_an_instant_on(
    change: tuple[str, str], half_hours: int, dst: DstPolicy
) -> None:
    tz = zone(change[0])
    instant = ms(change[1]) + half_hours * HALF_HOUR
    start = to_local(instant, tz).replace(fold=0) - timedelta(days=2)
    walk = [start + timedelta(minutes=30 * step) for step in range(4 * 48)]
    happens = [(local, at) for local in walk for at in to_instants(local, tz, dst)]
    assert [at for _, at in happens] == sorted(at for _, at in happens)

    # Skipped times may lie between the bound and the first that happens, so bounds are compared by
    # what they let through.
    from_bound = [local for local, _ in happens if local >= earliest_local(instant, tz, dst)]
    assert from_bound == [local for local, at in happens if at >= instant]
    up_to_bound = [local for local, _ in happens if local <= latest_local(instant, tz, dst)]
    assert up_to_bound == [local for local, at in happens if at <= instant]


@settings(deadline=None)
@given(st.sampled_from(CHANGES), st.integers(-200_000_000, 200_000_000))
def test_there_and_back(change: tuple[str, str], offset: int) -> None:
    tz, instant = zone(change[0]), ms(change[1]) + offset
    assert instant in to_instants(to_local(instant, tz), tz, ELAPSED)


def test_both_passes_are_the_union_of_each() -> None:
    assert single_passes(ELAPSED) == (DstPolicy("skip", "first"), DstPolicy("skip", "second"))
    assert single_passes(QUARTZ) == (QUARTZ,)


def test_zones_are_those_of_the_package_whatever_the_system_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    zone.cache_clear()
    monkeypatch.setenv("PYTHONTZPATH", "/nowhere")
    every = importlib.resources.files("tzdata").joinpath("zones").read_text().split()
    assert [zone(name).key for name in every] == every


@pytest.mark.parametrize(
    "name", ["localtime", "../zones", "/etc/localtime", "Europe", "", "posix/UTC"]
)
def test_what_only_a_system_would_take_for_a_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidSchedule, match="no such time zone"):
        zone(name)


def test_editions_are_in_order() -> None:
    names = ["2025b", "2025c", "2026a"]
    editions = [edition_of(name) for name in names]
    assert editions == sorted(editions)
    assert [edition_name(edition) for edition in editions] == names
    assert edition_name(EDITION) == tzdata.IANA_VERSION
