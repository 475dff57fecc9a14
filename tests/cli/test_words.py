"""Values in words, and numbers summed up."""

from __future__ import annotations

import io
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from gridsched.cli import words
from gridsched.cli.live import Live
from gridsched.cli.tally import Tally
from gridsched.config.settings import StartupJob
from gridsched.model.dst import DstPolicy
from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.model.trigger import (
    WHEN_SUBMITTED,
    CalendarInterval,
    Cron,
    DailyTimeInterval,
    Once,
    Schedule,
    Simple,
    TimeOfDay,
    Trigger,
)

LONDON = ZoneInfo("Europe/London")
NOON = 1_780_311_600_000
"""2026-06-01T12:00 in London."""


class TestWords:
    def test_a_moment_has_its_offset_and_milliseconds_where_it_has_any(self) -> None:
        assert words.moment(NOON, LONDON) == "2026-06-01T12:00:00+01:00"
        assert words.moment(NOON + 7, LONDON) == "2026-06-01T12:00:00.007+01:00"

    def test_a_moment_of_a_repeated_hour_has_the_offset_of_its_pass(self) -> None:
        first = 1_792_888_200_000
        assert words.moment(first, LONDON) == "2026-10-25T01:30:00+01:00"
        assert words.moment(first + 3_600_007, LONDON) == "2026-10-25T01:30:00.007+00:00"

    @pytest.mark.parametrize(
        ("ms", "said"),
        [(0, "0 ms"), (2000, "2 s"), (90_250, "1 min 30 s 250 ms"), (90_000_000, "1 d 1 h"), (-5, "-5 ms")],
    )  # fmt: skip
    def test_a_duration(self, ms: int, said: str) -> None:
        assert words.duration(ms) == said

    @pytest.mark.parametrize(
        ("schedule", "said"),
        [
            (Cron("0 0 9 * * ?", "Asia/Tokyo"), "cron 0 0 9 * * ? (Asia/Tokyo)"),
            (Cron("0 9 * * *", dialect="unix"), "unix cron 0 9 * * * (UTC)"),
            (Simple(NOON, 2000), "every 2 s"),
            (Simple(NOON, 2000, 4), "every 2 s, 5 times"),
            (
                Simple(WHEN_SUBMITTED, 2000, end=NOON),
                "every 2 s until 2026-06-01T12:00:00+01:00",
            ),
            (Simple(NOON, 0, 0), "once 2026-06-01T12:00:00+01:00"),
            (Once(WHEN_SUBMITTED), "once when submitted"),
            (
                Cron("0 0 9 * * ?", "Asia/Tokyo", dst=DstPolicy("skip", "both")),
                "cron 0 0 9 * * ? (Asia/Tokyo; skip,both)",
            ),
            (
                CalendarInterval(NOON, 1, "MONTH", "Europe/London"),
                "every 1 month from 2026-06-01T12:00:00+01:00 (Europe/London)",
            ),
            (
                DailyTimeInterval(15, "MINUTE", TimeOfDay(9), TimeOfDay(17, 30), (2, 6)),
                "every 15 minutes 09:00:00–17:30:00 MON,FRI (UTC)",
            ),
        ],
    )
    def test_a_schedule(self, schedule: Schedule, said: str) -> None:
        assert words.schedule(schedule, LONDON) == said

    def test_nothing_that_a_terminal_would_obey(self) -> None:
        assert words.printable("é\x1b[2J\n") == "é\\x1b[2J\\n"

    def test_shortened(self) -> None:
        assert words.shorten("abcde", 5) == "abcde"
        assert words.shorten("abcdef", 5) == "abcd…"


def started(late: int = 0, *, job: str = "shop/restock", fire_at: int | None = None) -> Firing:
    at = (fire_at or NOON) + late
    trigger = f"{job}:DEFAULT/daily"
    return Firing(
        trigger, NOON, "EXECUTING", job=job, fire_at=fire_at, started_at=at, returned=True
    )


def ended(firing: Firing, state: str, *, error: str = "") -> Firing:
    changed = {"state": state, "error": error, "returned": not error}
    if state == "ACQUIRED":
        changed |= {"started_at": None, "fire_at": NOON + 5000}
    else:
        changed |= {"finished_at": (firing.started_at or 0) + 30}
    return Firing(**{n: getattr(firing, n) for n in firing.__struct_fields__} | changed)


class TestTally:
    def test_nothing_fired(self) -> None:
        assert list(Tally().summary()) == ["fired 0, failed 0, retried 0, misfired 0"]

    def test_sums_up_by_job(self) -> None:
        tally = Tally()
        for late in range(100):
            tally.on_started(started(late))
        tally.on_started(started(700, job="a/b", fire_at=NOON + 1000))
        tally.on_finished(ended(started(), "FAILED", error="no"), None)
        tally.on_finished(ended(started(), "ACQUIRED", error="no"), None)
        tally.on_finished(ended(started(), "COMPLETE"), 1)
        tally.on_claimed(Firing("a/b:c/d", NOON, "SKIPPED", count=4))
        tally.on_claimed(Firing("a/b:c/d", NOON, count=3))
        assert list(tally.summary()) == [
            "fired 101, failed 1, retried 1, misfired 6",
            "lateness p50 50 ms, p99 99 ms, max 700 ms",
            "  a/b           fired      1, p50 700 ms, p99 700 ms, max 700 ms",
            "  shop/restock  fired    100, p50 49 ms, p99 98 ms, max 99 ms",
        ]

    def test_jobs_without_end_are_counted_together(self) -> None:
        tally = Tally()
        for number in range(5000):
            tally.on_started(started(1, job=f"DEFAULT/add-{number}"))
        first, _, *jobs, last = tally.summary()
        assert first == "fired 5000, failed 0, retried 0, misfired 0"
        assert len(jobs) == 100
        assert last.startswith("  (all other jobs)  fired   4900, ")


class TestLive:
    @pytest.fixture
    def output(self) -> io.StringIO:
        return io.StringIO()

    @pytest.fixture
    def live(self, output: io.StringIO) -> Live:
        job = StartupJob(Job("a:b", "restock", "shop"), (Trigger(Once(0), "daily"),))
        return Live(Console(file=output, width=20), [job])

    def test_a_line_for_each_run(self, live: Live, output: io.StringIO) -> None:
        for outcome, error, value in (
            ("COMPLETE", "", ["[red]a"]),
            ("ACQUIRED", "E: no", None),
            ("FAILED", "E: no\nmore", None),
        ):
            live.on_started(started(4))
            live.on_finished(ended(started(4), outcome, error=error), value)
        missed = Firing("shop/restock:DEFAULT/daily", NOON, "SKIPPED", job="shop/restock", count=9)
        live.on_claimed(missed)
        assert output.getvalue().splitlines() == [
            "DUE                LATE      TOOK             JOB           TRIGGER  RESULT",
            '11:00:00.000Z      4 ms     30 ms  done       shop/restock  daily    ["[red]a"]',
            "11:00:00.000Z      4 ms            retry      shop/restock  daily    E: no",
            "11:00:00.000Z      4 ms     30 ms  failed     shop/restock  daily    E: no\\nmore",
            "11:00:00.000Z                      skipped    shop/restock  daily    9 missed",
        ]

    def test_a_retry_is_late_from_its_own_time(self, live: Live, output: io.StringIO) -> None:
        live.on_started(started(20_000, fire_at=NOON + 1000))
        live.on_finished(ended(started(20_000, fire_at=NOON + 1000), "COMPLETE"), None)
        assert output.getvalue().splitlines()[1].startswith("11:00:01.000Z    20.0 s     30 ms")
