"""Job-Store: the jobs of the cluster, by job key."""

from __future__ import annotations

from gridsched.grid.port import IndexSpec
from gridsched.model.job import Job
from gridsched.stores.record import Store


class JobStore(Store[Job]):
    type = Job
    indexes = (IndexSpec("group", "HASH"),)

    def key_of(self, value: Job) -> str:
        return value.key
