"""Gathering the scene of an explanation: a trigger, or one instant of it, with what is around it."""

from __future__ import annotations

from gridsched.client.audit import changed_at
from gridsched.clock import Clock
from gridsched.errors import GridschedError, NotFound
from gridsched.grid.data import partition_of
from gridsched.model.keys import job_of, parse_key, trigger_of
from gridsched.model.member import Member
from gridsched.model.trigger import Trigger
from gridsched.policy.audit import common_rules
from gridsched.policy.calendars import ResolvedCalendar, resolve
from gridsched.policy.explanation import Scene
from gridsched.stores.caches import Caches


async def scene_of(
    key: str,
    caches: Caches,
    clock: Clock,
    members: list[Member],
    owners: list[str | None],
) -> Scene:
    """What has to do with the trigger, or the firing, of that key. NotFound where there is neither."""
    parts = parse_key(key)
    if parts.trigger_name is None:
        raise NotFound(
            f"{key} is a job: explain one of its triggers (gridsched triggers --job {key})"
        )
    trigger = await caches.triggers.get(trigger_of(key))
    firing = None if parts.scheduled is None else await caches.firings.get(key)
    if trigger is None and firing is None:
        raise NotFound(
            f"there is no trigger {trigger_of(key)}, nor a record of it: it never was, was deleted, or "
            "went after its last fire"
        )
    job = await caches.jobs.get(job_of(key))
    lock = await caches.locks.get(job_of(key))
    records = [record.value for record in await caches.firings.of_job(job_of(key))]
    calendar, changed, broken = await _calendar(caches, None if trigger is None else trigger.value)
    if trigger is not None and job is None:
        broken = f"its job {job_of(key)} is gone"
    return Scene(
        now=clock.now(),
        trigger=None if trigger is None else trigger.value,
        job=None if job is None else job.value,
        instant=parts.scheduled,
        firing=None if firing is None else firing.value,
        records=tuple(sorted(records, key=lambda record: record.scheduled)),
        holder="" if lock is None else lock.value.firing,
        owner=owners[partition_of(caches.jobs.data_key(job_of(key)))],
        members=tuple(members),
        calendar=calendar,
        changed_at=changed,
        broken=broken,
        groups=await caches.groups.paused(),
        rules=common_rules(members),
    )


async def _calendar(
    caches: Caches, trigger: Trigger | None
) -> tuple[ResolvedCalendar | None, int, str]:
    """The trigger's calendar and when it last changed, or what is wrong with it."""
    if trigger is None or not trigger.calendar:
        return None, 0, ""
    chains = await caches.calendars.chains([trigger.calendar])
    by_name = {name: named.calendar for name, named in chains.items()}
    try:
        calendar = resolve(trigger.calendar, by_name)
    except GridschedError as error:
        return None, 0, str(error)
    return calendar, changed_at(trigger.calendar, chains), ""
