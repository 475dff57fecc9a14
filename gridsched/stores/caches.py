"""All the caches of one cluster, opened together."""

from __future__ import annotations

from typing import NamedTuple

from gridsched.grid.port import Grid
from gridsched.model.caches import CacheSettings
from gridsched.stores.calendars import CalendarStore
from gridsched.stores.events import EventStore
from gridsched.stores.execution import ExecutionQueues
from gridsched.stores.firings import FiringStore
from gridsched.stores.groups import GroupStore
from gridsched.stores.jobs import JobStore
from gridsched.stores.locks import LockStore
from gridsched.stores.membership import MembershipStore
from gridsched.stores.record import open_store
from gridsched.stores.results import ResultStore
from gridsched.stores.submissions import SubmissionStore
from gridsched.stores.triggers import TriggerStore


class Caches(NamedTuple):
    """The stores, each on its map."""

    submissions: SubmissionStore
    jobs: JobStore
    triggers: TriggerStore
    calendars: CalendarStore
    firings: FiringStore
    membership: MembershipStore
    locks: LockStore
    groups: GroupStore
    events: EventStore
    results: ResultStore
    queues: ExecutionQueues


async def open_caches(grid: Grid, settings: CacheSettings, queue_capacity: int) -> Caches:
    """Make sure of every map with its indexes. GridUnavailable where the grid is not there."""
    names, backups = settings.names, settings.backup_count
    return Caches(
        await open_store(SubmissionStore, grid, names.submissions, backups),
        await open_store(JobStore, grid, names.jobs, backups),
        await open_store(TriggerStore, grid, names.triggers, backups),
        await open_store(CalendarStore, grid, names.calendars, backups),
        await open_store(FiringStore, grid, names.firings, backups),
        await open_store(MembershipStore, grid, names.membership, backups),
        await open_store(LockStore, grid, names.locks, backups),
        await open_store(GroupStore, grid, names.groups, backups),
        await open_store(EventStore, grid, names.events, backups),
        await open_store(ResultStore, grid, names.results, backups),
        ExecutionQueues(grid, names.execution_prefix, queue_capacity),
    )
