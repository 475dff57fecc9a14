"""What a running job may know of its own run."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from gridsched.jobs.plain import plain
from gridsched.model.firing import Firing

MAX_CHECKPOINT: Final = 65_536
"""Bytes of JSON that a checkpoint may take: it travels with the firing."""


def aware(instant: int) -> datetime:
    """The datetime (UTC, aware) of an instant in epoch ms."""
    return datetime.fromtimestamp(instant / 1000, UTC)


class Progress(msgspec.Struct, frozen=True, omit_defaults=True, tag="progress"):
    """How far a run has come: from 0 to 1, and what it does now."""

    fraction: float
    message: str = ""


class Checkpoint(msgspec.Struct, frozen=True, tag="checkpoint"):
    """What a run leaves for the next run of its firing."""

    value: Any


Word = Progress | Checkpoint
"""What a job says of its run."""


class Yield(BaseException):
    """Raised by a job to give its place to others: the same attempt goes on in `seconds`, on any
    node, from the last checkpoint. No Exception, so that a job's own `except` lets it pass."""

    def __init__(self, seconds: float = 0.0) -> None:
        if not 0 <= seconds < math.inf:
            raise ValueError(f"a job yields for 0 seconds or more, not {seconds!r}")
        super().__init__(seconds)
        self.seconds = seconds


class JobContext:
    """Given to a job's function as `context` where it names such a parameter (Quartz's
    JobExecutionContext).

    job_key, trigger_key  written keys
    scheduled_time        the instant this run is for; aware, UTC
    fire_time             when it started; aware, UTC
    attempt               1 for the first run, counted up by retries and recovery
    data                  the job's data with the trigger's over it; where the job's `persist_data`
                          says so, what a run changes here is stored to the job when it ends well
    """

    def __init__(
        self, firing: Firing, data: dict[str, Any], report: Callable[[Word], None]
    ) -> None:
        self.job_key = firing.job
        self.trigger_key = firing.trigger
        self.attempt = firing.attempt
        self.data = data
        self._firing = firing
        self._report = report
        self._checkpoint = firing.checkpoint
        self._cancelled = False
        self._on_cancel: Callable[[], None] = lambda: None

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
        self._report(Progress(float(fraction), plain(message)))

    def checkpoint(self, value: Any) -> None:
        """Leave something (JSON, at most 64 KiB) for the next run of this firing: after a yield, a
        retry, or a crash of this node where the job requests recovery. It stands in the firing's
        record within a second or so, and at once when the run yields or fails; only the latest
        counts. ValueError where it is too big or not JSON."""
        try:
            written = msgspec.json.encode(value)
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"a checkpoint is JSON: {error}") from error
        if len(written) > MAX_CHECKPOINT:
            raise ValueError(
                f"a checkpoint of {len(written)} bytes of JSON is too big: at most {MAX_CHECKPOINT}; "
                "keep the bulk elsewhere, and here where it is"
            )
        self._checkpoint = msgspec.json.decode(written)
        self._report(Checkpoint(self._checkpoint))

    @property
    def last_checkpoint(self) -> Any:
        """What this run, or else the one before it, left last; None where there is nothing."""
        return copy.deepcopy(self._checkpoint)

    @property
    def cancelled(self) -> bool:
        """True once nobody waits for this run any more: it timed out, its firing was cancelled or
        given to another node, or its node is stopping.

        A thread cannot be stopped from outside: a long job looks here now and then, and returns.
        """
        return self._cancelled

    def on_cancel(self, callback: Callable[[], None]) -> None:
        """Have `callback` called, in another thread, once nobody waits for this run any more: to
        close what the job waits for, say. Only the latest is; it may be called more than once."""
        self._on_cancel = callback
        if self._cancelled:
            callback()

    def cancel(self) -> None:
        """Tell the job that nobody waits for it any more."""
        self._cancelled = True
        self._on_cancel()
