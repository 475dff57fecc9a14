"""What the caches are called, how often they are backed up and how long entries stay."""

from __future__ import annotations

from typing import Final

import msgspec

RETENTION_MS: Final = 3_600_000
"""How long firings and results stay where neither the config nor their job says."""


class CacheNames(msgspec.Struct, frozen=True):
    """The names of the grid's maps, and what the execution queues' names begin with."""

    submissions: str = "Job-Submission"
    jobs: str = "Job-Store"
    triggers: str = "Trigger-Store"
    calendars: str = "Calendar-Store"
    firings: str = "Firing-Store"
    membership: str = "Membership"
    locks: str = "Job-Lock"
    groups: str = "Paused-Group"
    events: str = "Job-Event"
    results: str = "Job-Result"
    execution_prefix: str = "Execution-"


class CacheSettings(msgspec.Struct, frozen=True):
    """Names, backups and retention. Retentions are in milliseconds after an entry is finished.

    `firings_kept` is how many final firings of a trigger are kept, the latest; None: all of them, until
    their retention is over.
    `backup_count` is what the embedded grid keeps; on a real cluster its own XML decides.
    """

    names: CacheNames = CacheNames()
    backup_count: int = 1
    firing_retention_ms: int = RETENTION_MS
    result_retention_ms: int = RETENTION_MS
    submission_retention_ms: int = 60_000
    trigger_retention_ms: int = 300_000
    firings_kept: int | None = None
