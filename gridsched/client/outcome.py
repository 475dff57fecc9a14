"""The outcome of what was submitted through a session, as far as its session has seen it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from gridsched.client.handle import failure_of
from gridsched.errors import NotFound, ResultTimeout, SubmissionRejected
from gridsched.jobs.context import aware
from gridsched.model.firing import Firing
from gridsched.model.submission import Submission
from gridsched.policy.processing import ENDED, ProcessingState, state


class OutcomeListener:
    """What a session may tell of an outcome (Coherence's SubmissionOutcomeListener): a class of no-op
    methods, of which one overrides what one wants.

    They are called on the session's event loop, and should return soon; one that raises is logged, and
    hurts nothing. Steps that follow each other within moments may be told as one.
    """

    def on_started(self, outcome: Any) -> None:
        """A run has started: the first, or one after a yield, a retry or a crash."""

    def on_progress(self, outcome: Any) -> None:
        """The job said something new of its progress."""

    def on_suspended(self, outcome: Any) -> None:
        """The job yielded, or was paused before it started."""

    def on_done(self, outcome: Any, value: Any) -> None:
        """It is DONE; `value` is what the job returned."""

    def on_failed(self, outcome: Any, error: Exception) -> None:
        """It is FAILED or CANCELLED; `error` is what `get` raises."""


class AsyncOutcome:
    """What became of one submission. What it says without `await` is what its session saw last: a
    quarter of a second ago at most, while it follows no more than some hundreds.

    id  the key of its firing: any session acquires the outcome by it
    """

    def __init__(self, firing_key: str, submission: Submission, listener: OutcomeListener) -> None:
        self.id = firing_key
        self.submission = submission
        self.listener = listener
        self.firing: Firing | None = None
        self.seen_complete_at: float | None = None
        self.settled = asyncio.Event()
        self._value: Any = None
        self._error: Exception | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}: {self.state}>"

    @property
    def state(self) -> ProcessingState:
        """SUBMITTED, ASSIGNED, EXECUTING, SUSPENDED, RETRY, DONE, FAILED or CANCELLED."""
        return state(self.submission, self.firing)

    @property
    def progress(self) -> float | None:
        """How far it has come, from 0 to 1; None where the job has not said."""
        return None if self.firing is None else self.firing.progress

    @property
    def message(self) -> str:
        """What the job said with its progress."""
        return "" if self.firing is None else self.firing.message

    @property
    def submission_time(self) -> datetime:
        """When it was submitted; aware, UTC."""
        return aware(self.submission.created_at)

    @property
    def start_time(self) -> datetime | None:
        """When its last run started; None while none has, or it waits for another."""
        return _time(None if self.firing is None else self.firing.started_at)

    @property
    def finish_time(self) -> datetime | None:
        """When it ended."""
        return _time(None if self.firing is None else self.firing.finished_at)

    async def get(self, timeout: float | None = None) -> Any:
        """What the job returned, once it has.

        JobCancelled or JobFailed where it ended otherwise, SubmissionRejected where it was refused,
        ResultTimeout where it has not ended in `timeout` seconds, NotFound where its records are gone
        or it was released.
        """
        try:
            if not self.settled.is_set():
                await asyncio.wait_for(self.settled.wait(), timeout)
        except TimeoutError:
            raise ResultTimeout(
                f"{self.id} has not ended in {timeout:g} s: it is {self.state}"
            ) from None
        if self._error is not None:
            raise self._error
        return self._value

    # What the session does with it

    @property
    def error(self) -> Exception | None:
        """What `get` raises; None while it has not ended, and where it is DONE."""
        return self._error

    @property
    def value(self) -> Any:
        """What the job returned; None until it is DONE."""
        return self._value

    def settle(self, value: Any = None, error: Exception | None = None) -> None:
        """Nothing will change any more: `get` returns or raises from now on."""
        if not self.settled.is_set():
            self._value, self._error = value, error
            self.settled.set()

    def settle_by_record(self, value: Any) -> None:
        """Settle it where its records say that it has ended."""
        if self.state not in ENDED:
            return
        if self.firing is None:
            self.settle(error=SubmissionRejected(self.submission.error))
        else:
            self.settle(value, failure_of(self.firing))

    def release(self) -> None:
        """Nobody follows it any more."""
        self.settle(error=NotFound(f"{self.id} was released: acquire it again"))


def _time(instant: int | None) -> datetime | None:
    return None if instant is None else aware(instant)
