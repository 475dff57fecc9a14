"""What a running job may know of its own run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from gridsched.model.firing import Firing


def aware(instant: int) -> datetime:
    """The datetime (UTC, aware) of an instant in epoch ms."""
    return datetime.fromtimestamp(instant / 1000, UTC)


class Progress(msgspec.Struct, frozen=True, omit_defaults=True, tag="progress"):
    """How far a run has come: from 0 to 1, and what it does now."""

    fraction: float
    message: str = ""


class JobContext:
    """Given to a job's function as `context` where it names such a parameter (Quartz's
    JobExecutionContext).

    job_key, trigger_key  written keys
    scheduled_time        the instant this run is for; aware, UTC
    fire_time             when it started; aware, UTC
    attempt               1 for the first run, counted up by retries and recovery
    data                  the job's data with the trigger's over it
    """

    def __init__(
        self, firing: Firing, data: Mapping[str, Any], report: Callable[[Progress], None]
    ) -> None:
        self.job_key = firing.job
        self.trigger_key = firing.trigger
        self.attempt = firing.attempt
        self.data = data
        self._firing = firing
        self._report = report
        self._cancelled = False

    @property
    def scheduled_time(self) -> datetime:
        return aware(self._firing.scheduled)

    @property
    def fire_time(self) -> datetime:
        return aware(self._firing.started_at or self._firing.scheduled)

    def progress(self, fraction: float, message: str = "") -> None:
        """Say how far the run has come (0 to 1). It stands in the firing's record within a second
        or so; only the latest counts. ValueError outside 0 to 1."""
        if not 0 <= fraction <= 1:
            raise ValueError(f"progress is {fraction!r}; it goes from 0 to 1")
        self._report(Progress(fraction, message))

    @property
    def cancelled(self) -> bool:
        """True once nobody waits for this run any more: it timed out, or its node is stopping.

        A thread cannot be stopped from outside: a long job looks here now and then, and returns.
        """
        return self._cancelled

    def cancel(self) -> None:
        """Tell the job that nobody waits for it any more."""
        self._cancelled = True
