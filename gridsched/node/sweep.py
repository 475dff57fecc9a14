"""The sweep: what hints missed and crashes left (design: the way of one firing, step 7).

Every firing that is not final has a `due`, at which the owner of its partition looks at it: one that
is to be sent again is sent, one whose member died is recovered or LOST, any other is left for longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from gridsched.model.firing import STARTABLE, Firing
from gridsched.model.job import Job
from gridsched.model.member import Member
from gridsched.model.trigger import Trigger
from gridsched.node.core import Core
from gridsched.node.dispatcher import Dispatcher
from gridsched.node.lanes import Lane, Outgoing
from gridsched.node.locks import JobLocks
from gridsched.node.membership import Membership
from gridsched.node.service import Service
from gridsched.node.turns import Turns
from gridsched.policy import submissions as commands
from gridsched.policy import transitions
from gridsched.policy.overlap import runs_alone
from gridsched.policy.ownership import slices
from gridsched.stores.record import Record

SLICE = 64


class Sweep(Service):
    """Looks at the due firings of owned partitions, once `opened` says that the timer runs."""

    def __init__(
        self,
        core: Core,
        dispatcher: Dispatcher,
        locks: JobLocks,
        membership: Membership,
        opened: asyncio.Event,
    ) -> None:
        super().__init__("sweep")
        self._caches = core.caches
        self._clock = core.clock
        self._lease = core.lease
        self._settings = core.settings
        self._dispatcher = dispatcher
        self._locks = locks
        self._turns = Turns(core, locks)
        self._membership = membership
        self._opened = opened
        self._gone: set[str] = set()
        self._members_changed = False

    def member_gone(self, member: Member) -> None:
        """What a member that is gone had in hand is looked at now, not at its lease's end; its queue
        is emptied, for nobody else would."""
        self._gone.add(member.name)
        self.wake()

    def members_changed(self) -> None:
        """What no member could run is looked at now: one that has come may."""
        self._members_changed = True
        self.wake()

    async def step(self) -> None:
        await self._opened.wait()
        owned = self._membership.owned()
        for name in sorted(self._gone):  # the same order in every process
            await self._look(await self._caches.firings.unfinished_of_member(name, owned))
            if not self._membership.on_record(name):  # else its queue is that of its next start
                await self._caches.queues.empty(name)
            self._gone.discard(name)
        if self._members_changed:
            self._members_changed = False
            await self._look(await self._caches.firings.unplaced(owned))
        horizon = self._clock.now() + self._settings.look_ahead_ms
        for part in slices(owned, SLICE):
            due = await self._caches.firings.due(horizon, part)
            in_turn = [record for record in due if record.value.in_turn]
            next_ones = await self._turns.choose(in_turn) if in_turn else []
            await self._look([*(r for r in due if not r.value.in_turn), *next_ones])
        await self.rest(self._settings.poll_interval_ms / 1000)

    async def _look(self, found: Sequence[Record[Firing]]) -> None:
        for start in range(0, len(found), 128):
            batch = found[start : start + 128]
            jobs = await self._caches.jobs.get_all({record.value.job for record in batch})
            triggers = await self._caches.triggers.get_all({r.value.trigger for r in batch})
            for record in batch:
                job = jobs.get(record.value.job)
                trigger = triggers.get(record.value.trigger)
                if record.value.state in STARTABLE:
                    await self._waiting(record, job, trigger)
                elif record.value.state == "PAUSED":
                    await self._parked(record, trigger)
                elif record.value.state == "EXECUTING":
                    await self._running(record, job)
                elif record.value.leaves is not None:
                    await self._locks.job_data.store(record.value.job, record.key)
            await asyncio.sleep(0)

    async def _waiting(
        self, record: Record[Firing], job: Record[Job] | None, trigger: Record[Trigger] | None
    ) -> None:
        """ACQUIRED or REJECTED: follow what became of its trigger, or send it (again). One that
        has its job's lock to wait for stays due: it has it as soon as it is free."""
        now = self._clock.now()
        if job is None or trigger is None:
            reason = "its trigger was removed" if trigger is None else "its job was removed"
            await self._caches.firings.replace(
                record, commands.cancel_firing(record.value, reason, now)
            )
        elif trigger.value.state == "PAUSED":
            await self._caches.firings.replace(record, commands.pause_firing(record.value))
        elif self._dispatcher.holds(record.key):
            await self._renew(record)
        elif (left := commands.left_over(record.value, trigger.value, now)) is not record.value:
            await self._caches.firings.replace(record, left)
        elif (lane := self._dispatcher.lanes.of(job.value)).reason:
            await self._show_unplaced(record, lane)
        elif not job.value.disallow_concurrent or await self._locks.take_or_wait(
            job.key, record.value
        ):
            await self._send(record, job, trigger, lane)

    async def _show_unplaced(self, record: Record[Firing], lane: Lane) -> None:
        now = self._clock.now()
        shown = transitions.unplaced(record.value, lane.reason, now, self._lease)
        if await self._caches.firings.replace(record, shown) and not transitions.is_unplaced(
            record.value
        ):
            self._dispatcher.tell_nowhere([(record.key, lane.reason)])

    async def _parked(self, record: Record[Firing], trigger: Record[Trigger] | None) -> None:
        """PAUSED: whoever resumed or removed its trigger may have died before it came to this."""
        now = self._clock.now()
        if trigger is None:
            gone = commands.cancel_firing(record.value, "its trigger was removed", now)
            await self._caches.firings.replace(record, gone)
        elif trigger.value.state == "PAUSED":
            await self._renew(record)
        else:
            threshold = self._settings.misfire_threshold_ms
            resumed = commands.resume_firing(record.value, trigger.value, now, threshold)
            await self._caches.firings.replace(record, resumed)

    async def _send(
        self, record: Record[Firing], job: Record[Job], trigger: Record[Trigger], lane: Lane
    ) -> None:
        firings = self._caches.firings
        (member,) = self._dispatcher.lanes.choose(lane, 1)
        sent = firings.written(
            transitions.send_again(record.value, member, self._clock.now(), self._lease)
        )
        if not await firings.replace(record, sent.value):
            return
        data = {**job.value.data, **trigger.value.data}
        if job.value.persist_data:  # what the last run left may have come after the job was read
            job, data = await self._locks.job_data.fresh(job.key, trigger.key) or (job, data)
        self._dispatcher.send([Outgoing(sent, job, data)])
        if trigger.value.error:
            await self._caches.triggers.replace(trigger, replace(trigger.value, error=""))

    async def _running(self, record: Record[Firing], job: Record[Job] | None) -> None:
        firing = record.value
        if not await self._membership.gone(firing.member, firing.incarnation):
            await self._renew(record)
            return
        orphan = transitions.orphan(firing, None if job is None else job.value, self._clock.now())
        if not await self._caches.firings.replace(record, orphan):
            return
        self.log.warning("%s: %s: %s", record.key, orphan.error, orphan.state)
        if orphan.state == "LOST" and job is not None and runs_alone(orphan, job.value):
            await self._locks.give_back(orphan)

    async def _renew(self, record: Record[Firing]) -> None:
        renewed = transitions.renew(record.value, self._clock.now(), self._lease)
        await self._caches.firings.replace(record, renewed)
