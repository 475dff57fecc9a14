"""What a run leaves in its job's data (Quartz's PersistJobDataAfterExecution)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from gridsched.model.firing import Firing, Leaves
from gridsched.model.job import Job


def leaves(before: Mapping[str, Any], after: Mapping[str, Any]) -> Leaves | None:
    """What a run changed in the data it was given; None where nothing. An entry that the run did not
    touch is not stored, so that a trigger's data do not become the job's."""
    kept = {name: value for name, value in after.items() if not _same(name, value, before)}
    removed = tuple(name for name in before if name not in after)
    return Leaves(kept, removed) if kept or removed else None


def with_leaves(job: Job, firing: Firing) -> Job:
    """The job with what the run of a firing left."""
    if firing.leaves is None:
        return job
    data = {n: value for n, value in job.data.items() if n not in firing.leaves.removed}
    return replace(job, data={**data, **firing.leaves.data}, left_by=firing.key)


def _same(name: str, value: Any, before: Mapping[str, Any]) -> bool:
    """1, 1.0 and True are equal in Python, and not the same data."""
    return name in before and _typed(before[name]) == _typed(value)


def _typed(value: Any) -> Any:
    match value:
        case dict():
            return {name: _typed(item) for name, item in value.items()}
        case list() | tuple():
            return [_typed(item) for item in value]
        case _:
            return type(value), value
