"""Job-Event: what is remembered of the event triggers of jobs that publish on a change."""

from __future__ import annotations

from gridsched.model.events import JobEvents
from gridsched.stores.record import Store


class EventStore(Store[JobEvents]):
    type = JobEvents

    def key_of(self, value: JobEvents) -> str:
        return value.job
