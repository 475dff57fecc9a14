"""Job-Lock: which firing has its job to itself, of jobs whose runs are not to overlap."""

from __future__ import annotations

import msgspec

from gridsched.stores.record import Store


class JobLock(msgspec.Struct, frozen=True, omit_defaults=True):
    """Held until its end by the firing of that key: from its claim on where the job disallows concurrent
    execution, from its start on where an overlap policy lets it wait for others.

    `round` is the firing's when it took the lock, or was sent out anew with it: a lock that was given
    back and taken again, or held on to after a pause, is another, so that nobody who saw the first
    removes the second. `waiting` is the firing that has
    the lock next, with its round: the first that asked for it while it was held.
    """

    job: str
    firing: str
    round: int
    waiting: tuple[str, int] | None = None


class LockStore(Store[JobLock]):
    type = JobLock

    def key_of(self, value: JobLock) -> str:
        return value.job
