"""Job-Lock: which firing of a job that disallows concurrent execution has the job to itself."""

from __future__ import annotations

import msgspec

from gridsched.stores.record import Store


class JobLock(msgspec.Struct, frozen=True, omit_defaults=True):
    """Held from claim to finish by the firing of that key.

    `round` is the firing's when it took the lock: a lock that was given back and taken again is
    another, so that nobody who saw the first removes the second. `waiting` is the firing that has
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
