"""A processing session: immediate work and its outcomes (Coherence's Processing Pattern)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, Protocol, Self

from msgspec.structs import replace

from gridsched.client.follower import Follower
from gridsched.client.immediate import check_is_job, firing_of, immediate, submission_of
from gridsched.client.outcome import AsyncOutcome, OutcomeListener
from gridsched.client.submitter import Submitter
from gridsched.clock import Clock, Ids
from gridsched.errors import InvalidJob, NotFound
from gridsched.model.job import UNTIL_DISCARDED, Job
from gridsched.model.keys import parse_key, trigger_of
from gridsched.model.submission import CancelFiring, Discard, Submission
from gridsched.stores.caches import Caches

RetentionPolicy = Literal["remove when final", "keep until discarded"]

_NOBODY: Final = OutcomeListener()
_RETENTION: Final[dict[RetentionPolicy, Literal["keep until discarded"] | float]] = {
    "remove when final": 0.0,
    "keep until discarded": UNTIL_DISCARDED,
}


class AsyncSession:
    """Submits immediate work, and follows its outcomes until it is closed. What was submitted goes
    on without the session. Any method may raise GridUnavailable."""

    def __init__(
        self,
        caches: Caches,
        clock: Clock,
        ids: Ids,
        submitter: Submitter,
        shown: Callable[[AsyncOutcome], Any],
    ) -> None:
        self._caches = caches
        self._clock = clock
        self._ids = ids
        self._submitter = submitter
        self._follower = Follower(caches, clock, shown)
        self.closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Release every outcome; nothing is submitted or acquired any more. May be called twice."""
        self.closed = True
        await self._follower.stop()

    async def submit(
        self,
        job: Job | str,
        *,
        retention: RetentionPolicy | None = None,
        listener: OutcomeListener = _NOBODY,
    ) -> AsyncOutcome:
        """Run a job, or a target ("package.module:function"), once, now. Does not wait until a node
        has accepted it: one that is refused is FAILED.

        retention  "remove when final": its records go a minute after it has ended; "keep until
                   discarded"; None: as the job says, or else the first

        InvalidJob where what is wrong shows here already.
        """
        (outcome,) = await self.submit_many([job], retention=retention, listener=listener)
        return outcome

    async def submit_many(
        self,
        jobs: Iterable[Job | str],
        *,
        retention: RetentionPolicy | None = None,
        listener: OutcomeListener = _NOBODY,
    ) -> list[AsyncOutcome]:
        """As `submit`, thousands at once; the outcomes are in the order of the jobs."""
        self._check_open()
        submissions = [
            immediate(_retained(job, retention), self._submitter, self._ids) for job in jobs
        ]
        outcomes = [AsyncOutcome(firing_of(each), each, listener) for each in submissions]
        await self._submitter.give(submissions)
        self._follower.follow(outcomes)
        return outcomes

    async def acquire(self, key: str, *, listener: OutcomeListener = _NOBODY) -> AsyncOutcome:
        """The outcome of an earlier submission by its id, whoever submitted it. NotFound where it
        never was, was discarded, or its retention is over."""
        self._check_open()
        if parse_key(key).scheduled is None:
            raise NotFound(f"there is no submission {key}: an id ends with @ and an instant")
        followed = self._follower.followed(key)
        if followed is not None:
            followed.listener = listener
            return followed
        submission = await self._found(key)
        if submission is None:
            raise NotFound(f"there is no submission {key}: its retention is over, or it never was")
        outcome = AsyncOutcome(key, submission, listener)
        self._follower.follow([outcome])
        await self._follower.look([outcome])
        return outcome

    async def release(self, outcome: Identified | str) -> None:
        """Follow an outcome no more; nothing else happens to it."""
        self._follower.release(_id(outcome))

    async def cancel(self, outcome: Identified | str) -> None:
        """Cancel it, though it runs: see `AsyncScheduler.cancel`. SubmissionRejected where it has
        ended."""
        key = await self._accepted(outcome)
        await self._submitter.submit([self._submitter.make(key, CancelFiring(key))])
        self._follower.soon()

    async def discard(self, outcome: Identified | str) -> None:
        """Release it, and remove its records; what has not ended is cancelled first. SubmissionRejected
        where there is nothing of it."""
        key = await self._accepted(outcome)
        await self._submitter.submit([self._submitter.make(key, Discard(key))])
        self._follower.release(key)

    def _check_open(self) -> None:
        if self.closed:
            raise RuntimeError("the session is closed")

    async def _accepted(self, outcome: Identified | str) -> str:
        """The id of an outcome, once what was submitted was looked at: commands about it come
        after it."""
        key = _id(outcome)
        followed = self._follower.followed(key)
        if followed is not None and followed.firing is None and followed.submission.state == "NEW":
            await self._submitter.answers([self._caches.submissions.written(followed.submission)])
        return key

    async def _found(self, key: str) -> Submission | None:
        """What was submitted, as far as there is something of it still."""
        made = submission_of(key)
        accepted = replace(made, state="ACCEPTED")
        firing = await self._caches.firings.get(key)
        if firing is not None:
            forget_at = firing.value.forget_at
            return None if forget_at is not None and forget_at <= self._clock.now() else accepted
        store = self._caches.submissions
        if await store.get(store.key_of(made)) is not None:
            return made  # the follower asks for the answer
        return accepted if await self._caches.triggers.get(trigger_of(key)) is not None else None


class Identified(Protocol):
    """An outcome, of this session or another."""

    id: str


def _retained(job: Job | str, retention: RetentionPolicy | None) -> Job:
    if isinstance(job, str):
        job = Job(job)
    check_is_job(job)
    if retention is None and job.retention is not None:
        return job
    chosen = retention or "remove when final"
    if chosen not in _RETENTION:
        raise InvalidJob(f"retention is {chosen!r}; one of {', '.join(map(repr, _RETENTION))}")
    return replace(job, retention=_RETENTION[chosen])


def _id(outcome: Identified | str) -> str:
    return outcome if isinstance(outcome, str) else outcome.id
