"""Admission: which of the firings whose moment has come may start, by their overlap policies and by
what hooks say.

What may not start here is skipped or cancelled, or waits in its record for its turn, which its
owner's sweep gives it (`node.turns`).
"""

from __future__ import annotations

from gridsched.model.firing import Firing
from gridsched.node.core import Core
from gridsched.node.hooks import Hook
from gridsched.node.locks import JobLocks
from gridsched.node.run import Held
from gridsched.policy import transitions
from gridsched.policy.overlap import IN_TURN, order


class Admission:
    """Takes the locks of jobs for firings that are about to start."""

    def __init__(self, core: Core, locks: JobLocks) -> None:
        self._firings = core.caches.firings
        self._clock = core.clock
        self._locks = locks
        self._hooks = core.hooks

    def asks(self, held: Held) -> bool:
        """Has it to be asked about the firing at all?"""
        return self._hooks.any or held.firing.value.overlap != "allow_all"

    async def admit(self, held: Held) -> Held | None:
        """What may start, with its job's data as the last run left them; None where it may not."""
        firing = held.firing.value
        overlaps = firing.overlap != "allow_all"
        if overlaps and not await self._has_its_turn(firing):
            return None
        if self._hooks.any and (reason := self._hooks.veto(firing)):
            await self._vetoed(firing, reason)
            return None
        if not (overlaps and held.job.persist_data):
            return held
        fresh = await self._locks.job_data.fresh(firing.job, firing.trigger)
        return held._replace(job=fresh[0].value, data=fresh[1]) if fresh else held

    async def _has_its_turn(self, firing: Firing) -> bool:
        holder = await self._locks.holder(firing.job)
        is_next = holder is None and not await self._would_overtake(firing)
        if is_next or (holder is not None and holder.key == firing.key):
            if await self._locks.take(firing.job, firing):
                return True
            holder = await self._locks.holder(firing.job)
        now = self._clock.now()
        record = await self._firings.get(firing.key)
        if record is None or record.value.round != firing.round or not record.value.startable:
            return False
        if firing.overlap == "skip" and not firing.has_run:
            other = "another run" if holder is None else holder.key
            stays = transitions.skip(record.value, now, f"overlap: {other} had not ended")
        else:
            stays = transitions.wait_for_turn(record.value, now)
        await self._firings.replace(record, stays)
        return False

    async def _vetoed(self, firing: Firing, reason: str) -> None:
        record = await self._firings.get(firing.key)
        if record is None or record.value.round != firing.round or not record.value.startable:
            return
        vetoed = transitions.cancel(record.value, reason, self._clock.now())
        if await self._firings.replace(record, vetoed):
            await self._locks.give_back(vetoed)
            self._hooks.call(Hook.on_vetoed, vetoed)

    async def _would_overtake(self, firing: Firing) -> bool:
        """Does another run of the job wait, which is to go first?"""
        if firing.overlap not in IN_TURN:
            return False
        waiting = await self._firings.waiting_for_turn(firing.job, self._clock.now())
        return any(order(record.value) < order(firing) for record in waiting)
