"""The finisher: records how runs ended, as many at once as have ended meanwhile.

A completion that meets another record than its own EXECUTING one is stale: the firing was given to
somebody else. It is counted, never recorded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from gridsched.errors import InvalidJob
from gridsched.model.events import Delivery
from gridsched.model.firing import Firing, Result
from gridsched.node.core import Core
from gridsched.node.hooks import Hook
from gridsched.node.locks import JobLocks
from gridsched.node.run import Ended, Run
from gridsched.node.service import Service
from gridsched.policy import transitions
from gridsched.policy.acquire import retention
from gridsched.policy.overlap import runs_alone
from gridsched.stores.record import Record

BATCH: Final = 128

_SHOWN_EVENT: Final = 2000
"""Characters of an event that nobody was told of: its job goes soon after its last attempt."""


class Finisher(Service):
    """Takes ended runs to their final record, their result to Job-Result, their lock back."""

    def __init__(
        self, core: Core, locks: JobLocks, recorded: Callable[[list[Ended]], None]
    ) -> None:
        super().__init__("finisher")
        self._caches = core.caches
        self._clock = core.clock
        self._retention_ms = core.settings.caches.result_retention_ms
        self._counters = core.counters
        self._hooks = core.hooks
        self._locks = locks
        self._recorded = recorded
        self._ended: deque[Ended] = deque()

    def finish(self, ended: Ended) -> None:
        """Take the end of a run."""
        self._ended.append(ended)
        self.wake()

    async def flush(self) -> None:
        """Stop the loop and record every end that was taken."""
        await self.stop()
        while self._ended:
            await self._record_next()

    async def step(self) -> None:
        if self._ended:
            await self._record_next()
        else:
            await self.rest(None)

    async def _record_next(self) -> None:
        batch = [self._ended[index] for index in range(min(BATCH, len(self._ended)))]
        await self._record(batch)
        for _ in batch:
            self._ended.popleft()
        self._recorded(batch)

    async def _record(self, batch: list[Ended]) -> None:
        firings = self._caches.firings
        outcomes = [self._outcome(ended, ended.run.firing.value) for ended in batch]
        done = await firings.apply(
            [
                firings.replaced(ended.run.firing, outcome)
                for ended, outcome in zip(batch, outcomes, strict=True)
            ]
        )
        fresh: list[Record[Result]] = []
        repeated: list[Record[Result]] = []
        for ended, outcome, applied in zip(batch, outcomes, done, strict=True):
            final = outcome if applied else await self._again(ended)
            if final is not None:
                await self._settled(ended, final, fresh if applied else repeated)
        results = self._caches.results
        if fresh:
            await results.map.put_all({r.data_key: r.raw for r in fresh})
        # What was put before may have been drained: it must not come back.
        await results.apply([results.put(record) for record in repeated])

    async def _again(self, ended: Ended) -> Firing | None:
        """The record was renewed under us, or it is not ours any more."""
        ours = ended.run.firing.value
        for _ in range(3):
            record = await self._caches.firings.get(ended.run.firing.key)
            if record is not None and _ended_by(record.value, ours):
                return record.value
            if record is None or not same_run(record.value, ours):
                break
            outcome = self._outcome(ended, record.value)
            if await self._caches.firings.replace(record, outcome):
                return outcome
        self._counters.stale += 1
        self.log.warning("%s: a stale completion, not recorded", ended.run.firing.key)
        return None

    def _outcome(self, ended: Ended, firing: Firing) -> Firing:
        now = self._clock.now()
        firing = ended.run.noted(firing)
        if ended.yielded is not None:
            return transitions.suspend(firing, ended.yielded, now)
        if ended.error:
            return transitions.fail(firing, ended.run.job, ended.error, now)
        returned = ended.value is not None
        return transitions.complete(
            firing, now, returned=returned, judged=ended.judged, leaves=ended.leaves
        )

    async def _settled(self, ended: Ended, final: Firing, results: list[Record[Result]]) -> None:
        run = ended.run
        if final.state == "COMPLETE":
            self._counters.completed += 1
        elif final.state in ("CANCELLED", "LOST"):  # by somebody else, while it ran
            self._counters.stale += 1
        elif not final.suspended:
            self._counters.failed += 1
        if final.returned:
            results.append(self._caches.results.written(self._result(run, final, ended.value)))
        if final.leaves is not None:
            await self._locks.job_data.store(final.job, run.firing.key)
        if final.state == "FAILED" and isinstance(run.job.task, Delivery):
            event = msgspec.json.encode(run.job.task.event).decode()[:_SHOWN_EVENT]
            what = run.job.description
            self.log.error("%s: %s: given up; the event: %s", run.firing.key, what, event)
        if runs_alone(final, run.job) and final.finished_at is not None:
            await self._locks.give_back(final)
        if self._hooks.any:
            self._hooks.call(Hook.on_finished, final, ended.value)

    def _result(self, run: Run, final: Firing, value: Any) -> Result:
        """A job that says how long its firings stay says it of its results too."""
        at = final.finished_at or 0
        kept = retention(run.job, self._retention_ms)
        forget_at = None if kept is None else at + kept
        return Result(final.job, run.firing.key, final.scheduled, at, value, forget_at)


def _ended_by(there: Firing, ours: Firing) -> bool:
    """Is this run over by its record: cancelled or LOST meanwhile, or ended by a call of ours whose
    answer was lost?"""
    return there.finished_at is not None and (
        (there.incarnation, there.round, there.started_at)
        == (ours.incarnation, ours.round, ours.started_at)
    )


def same_run(there: Firing, ours: Firing) -> bool:
    """Is `there` the same run as `ours`, looked at or renewed meanwhile?"""
    return there.state == "EXECUTING" and _bare(there) == _bare(ours)


def _bare(firing: Firing) -> Firing:
    """A run's record without what changes while it runs."""
    return replace(firing, due=None, progress=None, message="", checkpoint=None)


def ended_well(run: Run, value: Any) -> Ended:
    """The end of a run that raised nothing: failed all the same where what it gives is not JSON."""
    try:
        return Ended(run, value, json_or_error(value), leaves=run.leaves())
    except InvalidJob as wrong:
        return Ended(run, value, str(wrong))


def json_or_error(value: Any) -> str:
    """ "" where a value is JSON, else what is wrong with it."""
    try:
        msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        return f"what it returned is not JSON: {error}"
    return ""
