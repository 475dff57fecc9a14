"""The publisher: from a run that ended well to the events of its job.

It stands between the shell and the finisher, for runs of jobs that have event triggers. The deliveries
are in the grid before the run's end is recorded: a node that dies between the two leaves a run to be
made or judged again, and deliveries that are recognised by their names.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from gridsched.model.events import EventTrigger, JobEvents
from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.model.submission import Submission
from gridsched.node.core import Core
from gridsched.node.run import Ended
from gridsched.node.service import Service
from gridsched.node.shell.finisher import Finisher
from gridsched.policy.events import content_of, decide, deliveries
from gridsched.policy.transitions import Judged

BATCH: Final = 64


class _Judged(NamedTuple):
    """A run with what its result makes of each condition."""

    ended: Ended
    job: Job
    firing: Firing
    content: Any
    held: tuple[tuple[EventTrigger, bool], ...]
    error: str


class Publisher(Service):
    """Judges the conditions of a run's job, publishes the events, and hands the run on."""

    def __init__(self, core: Core, finisher: Finisher) -> None:
        super().__init__("publisher")
        self._submissions = core.caches.submissions
        self._events = core.caches.events
        self._clock = core.clock
        self._finisher = finisher
        self._judge = core.machine.judge()
        self._ended: deque[Ended] = deque()

    @property
    def judging(self) -> bool:
        """Does another process judge a condition now?"""
        return self._judge.busy

    def publish(self, ended: Ended) -> None:
        """Take the end of a run of a job that has event triggers."""
        self._ended.append(ended)
        self.wake()

    async def stop(self) -> None:
        await super().stop()
        await self._judge.close()

    async def flush(self) -> None:
        """Stop the loop and publish what every end that was taken makes."""
        await super().stop()
        while self._ended:
            await self._publish_next()
        await self._judge.close()

    async def step(self) -> None:
        if self._ended:
            await self._publish_next()
        else:
            await self.rest(None)

    async def _publish_next(self) -> None:
        batch = [self._ended[index] for index in range(min(BATCH, len(self._ended)))]
        judged = [await self._judged(ended) for ended in batch]
        judged.sort(key=lambda each: (each.job.key, each.firing.scheduled))
        done = await asyncio.gather(
            *(self._publish_each(list(runs)) for _, runs in groupby(judged, lambda e: e.job.key))
        )
        for _ in batch:
            self._ended.popleft()
        for runs in done:
            for ended in runs:
                self._finisher.finish(ended)

    async def _judged(self, ended: Ended) -> _Judged:
        job, firing = ended.run.job, ended.run.firing.value
        content = content_of(job, ended.value)
        held: list[tuple[EventTrigger, bool]] = []
        errors: list[str] = []
        for trigger in job.events:
            answer = await self._judge.judge(trigger.condition, content)
            if answer.error:
                self.log.warning("%s: event %s: %s", firing.key, trigger.name, answer.error)
                errors.append(f"event {trigger.name}: {answer.error}")
            else:
                held.append((trigger, answer.holds))
        return _Judged(ended, job, firing, content, tuple(held), "; ".join(errors))

    async def _publish_each(self, runs: Sequence[_Judged]) -> list[Ended]:
        """Runs of one job, one after the other: each may change what the next is compared with."""
        return [await self._publish(judged) for judged in runs]

    async def _publish(self, judged: _Judged) -> Ended:
        """Deliveries first, what is remembered then: where a node dies between the two, the run is
        judged again as before, and its deliveries are there already."""
        job, firing = judged.job, judged.firing
        remembers = any(trigger.when == "change" for trigger in job.events)
        while True:
            record = await self._events.get(job.key) if remembers else None
            seen = {} if record is None else record.value.seen
            decision = decide(firing, judged.held, seen)
            now = self._clock.now()
            made = deliveries(decision.publish, job, firing, judged.content, now)
            await self._submit(made)
            changed = JobEvents(job.key, decision.seen)
            if decision.seen == seen or all(
                await self._events.apply([self._events.stored(changed, record)])
            ):
                names = tuple(trigger.name for trigger in decision.publish)
                return judged.ended._replace(judged=Judged(names, judged.error))

    async def _submit(self, made: Sequence[Submission]) -> None:
        """Put what is not there yet."""
        store = self._submissions
        await store.apply([store.created(submission) for submission in made])
