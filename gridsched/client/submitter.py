"""Giving commands to the cluster and waiting for its answers.

The client puts submissions, the owners of their partitions apply them, and the client reads the
answer. It asks in ever longer intervals, for all that is pending at once, and listens to nothing:
every event would go to every client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from gridsched.clock import Clock, Ids
from gridsched.errors import InvalidJob, SubmissionRejected, SubmissionTimeout
from gridsched.model.keys import job_of
from gridsched.model.submission import Command, Submission
from gridsched.stores.record import Record
from gridsched.stores.submissions import SubmissionStore

CHUNK: Final = 1000
"""Submissions put or asked for in one call."""

WINDOW: Final = 10 * CHUNK
"""Submissions under way at once: an answer must be read before its retention is over."""

_FIRST_WAIT: Final = 0.002
_LONGEST_WAIT: Final = 0.1

_PATIENCE: Final = 0.1
"""The share of the time waited so far that the next wait may last, where that is longer: who has waited
for ten seconds does not mind a second more."""


class Submitter:
    """Submits commands. `timeout` in seconds is how long an answer may take."""

    def __init__(self, store: SubmissionStore, clock: Clock, ids: Ids, timeout: float) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._timeout = timeout

    def make(self, key: str, command: Command | None) -> Submission:
        """The submission of a command about the job of a written key."""
        return Submission(self._ids(), job_of(key), command, created_at=self._clock.now())

    async def submit(self, submissions: Sequence[Submission]) -> None:
        """Submit commands and wait until each is applied.

        SubmissionRejected with the first reason where some are refused (the others are applied);
        SubmissionTimeout where no node answers.
        """
        records = self._written(submissions)
        answers: list[Record[Submission]] = []
        for start in range(0, len(records), WINDOW):
            answers += await self._submit_window(records[start : start + WINDOW])
        self._raise_rejection([answer.value for answer in answers])

    async def _submit_window(
        self, records: Sequence[Record[Submission]]
    ) -> list[Record[Submission]]:
        await self._put(records)
        return [answer for chunk in _chunks(records) for answer in await self.answers(chunk)]

    async def give(self, submissions: Sequence[Submission]) -> None:
        """Submit commands, and do not wait until they are applied."""
        await self._put(self._written(submissions))

    def _written(self, submissions: Sequence[Submission]) -> list[Record[Submission]]:
        """InvalidJob where a value is of another type than its field, or no Unicode: no node could
        read it."""
        return [self._checked(submission) for submission in submissions]

    def _checked(self, submission: Submission) -> Record[Submission]:
        try:
            record = self._store.written(submission)
            self._store.decode(record.raw)
        except msgspec.ValidationError as error:
            raise InvalidJob(f"{submission.job}: a value is of the wrong type: {error}") from None
        except UnicodeEncodeError as error:
            raise InvalidJob(
                f"{submission.job}: a value is no text that UTF-8 holds: {error}"
            ) from None
        return record

    async def _put(self, records: Sequence[Record[Submission]]) -> None:
        for chunk in _chunks(records):
            await self._store.map.put_all({record.data_key: record.raw for record in chunk})

    async def answers(self, records: Sequence[Record[Submission]]) -> list[Record[Submission]]:
        """Wait until each of these is applied or refused; SubmissionTimeout where no node answers."""
        pending = {record.key for record in records}
        answers: list[Record[Submission]] = []
        since = self._clock.monotonic()
        until = since + self._timeout
        wait = _FIRST_WAIT
        while pending:
            await asyncio.sleep(wait)
            found = await self._store.get_all(pending)
            answered = [record for record in found.values() if record.value.state != "NEW"]
            pending.difference_update(record.key for record in answered)
            answers += answered
            if answered:
                until = self._clock.monotonic() + self._timeout
            elif self._clock.monotonic() > until:
                raise SubmissionTimeout(
                    f"{len(pending)} of {len(records)} submissions have no answer after "
                    f"{self._timeout:g} s: is a node active? (gridsched members)"
                )
            waited = self._clock.monotonic() - since
            wait = max(min(wait * 2, _LONGEST_WAIT), waited * _PATIENCE)
        return answers

    @staticmethod
    def _raise_rejection(answers: Sequence[Submission]) -> None:
        reasons = [answer.error for answer in answers if answer.state == "REJECTED"]
        if reasons:
            others = f" (and {len(reasons) - 1} more were refused)" if len(reasons) > 1 else ""
            raise SubmissionRejected(reasons[0] + others)


def _chunks(records: Sequence[Record[Submission]]) -> list[Sequence[Record[Submission]]]:
    return [records[start : start + CHUNK] for start in range(0, len(records), CHUNK)]
