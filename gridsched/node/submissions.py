"""The submissions listener (the seed's SubmissionsListener): applies what clients submit.

Events tell of new submissions at once; a poll finds those whose event was lost. A submission stays
NEW until all of it is applied, so a node that dies half way leaves it for the next owner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from gridsched.errors import GridError
from gridsched.grid.data import partition_of
from gridsched.grid.port import Cancel, Change, EntryEvent, EntryKind
from gridsched.model.submission import ScheduleJob, Submission
from gridsched.model.trigger import Trigger
from gridsched.node.commands import Commands
from gridsched.node.core import Core
from gridsched.node.fence import Overtaken
from gridsched.node.hooks import Hook
from gridsched.node.membership import Membership
from gridsched.node.scheduling import Scheduling, Stored, refusal
from gridsched.node.service import Service
from gridsched.node.timer import Timer
from gridsched.stores.record import Record

LOOK_UP: Final = 1024
"""Schedule submissions whose jobs and triggers are looked up together: one call a partition."""

BATCH: Final = 64
"""Schedule submissions applied as one batch; then the loop has its turn."""


class SubmissionsListener(Service):
    """Applies the submissions of owned partitions."""

    def __init__(
        self,
        core: Core,
        membership: Membership,
        scheduling: Scheduling,
        commands: Commands,
        timer: Timer,
    ) -> None:
        super().__init__("submissions")
        self._core = core
        self._store = core.caches.submissions
        self._clock = core.clock
        self._poll_interval = core.settings.poll_interval_ms / 1000
        self._membership = membership
        self._scheduling = scheduling
        self._commands = commands
        self._timer = timer
        self._heard: dict[bytes, bytes] = {}
        self._applied: set[bytes] = set()
        self._cancel: Cancel | None = None
        self._next_poll = float("-inf")

    async def listen(self) -> None:
        """Start to hear of submissions as they are made."""
        self._cancel = await self._store.map.listen(self._hear, [EntryKind.ADDED])

    async def stop(self) -> None:
        if self._cancel is not None:
            self._cancel()
        await super().stop()

    def _hear(self, event: EntryEvent) -> None:
        if event.key not in self._applied and event.value is not None:
            self._heard[event.key] = event.value
            self.wake()

    async def step(self) -> None:
        now = self._clock.monotonic()
        owned = self._membership.owned()
        if now >= self._next_poll:
            self._applied.clear()
            found = await self._store.unanswered(owned)
            async with self._commands.applying:
                await self._apply(found)
            self._next_poll = now + self._poll_interval
        async with self._commands.applying:
            await self._apply(self._take_heard(frozenset(owned)))
        if not self._heard:
            await self.rest(max(0.0, self._next_poll - self._clock.monotonic()))

    def _take_heard(self, owned: frozenset[int]) -> list[Record[Submission]]:
        """What was heard of, but for what a poll found first: an event may come after it."""
        heard, self._heard = self._heard, {}
        return self._store.readable(
            (key, raw)
            for key, raw in heard.items()
            if key not in self._applied and partition_of(key) in owned
        )

    async def _apply(self, found: Sequence[Record[Submission]]) -> None:
        """Apply in the order they were made; neighbours that schedule different jobs as a batch."""
        new = [record for record in found if record.value.state == "NEW"]
        self._applied.update(record.data_key for record in new)
        new.sort(key=lambda record: (record.value.created_at, record.key))
        batch: dict[str, Record[Submission]] = {}
        for record in new:
            schedules = isinstance(record.value.command, ScheduleJob)
            if not schedules or record.value.job in batch or len(batch) == LOOK_UP:
                await self._schedule(list(batch.values()))
                batch = {}
            if schedules:
                batch[record.value.job] = record
            else:
                await self._command(record)
        await self._schedule(list(batch.values()))

    async def _schedule(self, records: Sequence[Record[Submission]]) -> None:
        if not records:
            return
        stored = await self._scheduling.look_up([record.value for record in records])
        for start in range(0, len(records), BATCH):
            await self._schedule_batch(records[start : start + BATCH], stored)
            await asyncio.sleep(0)

    async def _schedule_batch(self, batch: Sequence[Record[Submission]], stored: Stored) -> None:
        standing = self._membership.standing()
        batch = await self._unanswered(batch)
        applied = await self._scheduling.apply([record.value for record in batch], stored, standing)
        answered = [
            (record, each) for record, each in zip(batch, applied, strict=True) if each.settled
        ]
        triggers = [trigger for _, each in answered for trigger in each.triggers]
        # What is due at once need not wait for the answer: all of it is stored.
        self._timer.offer(triggers, standing)
        await self._store.apply([self._answer(record, each.error) for record, each in answered])
        self._accepted(triggers)

    async def _unanswered(
        self, batch: Sequence[Record[Submission]]
    ) -> Sequence[Record[Submission]]:
        """Those that no other node has applied since they were read: see `node.fence`."""
        there = await self._store.get_all([record.key for record in batch])
        return [r for r in batch if r.key in there and there[r.key].value.state == "NEW"]

    async def _command(self, record: Record[Submission]) -> None:
        standing = self._membership.standing()
        triggers: list[Record[Trigger]] = []
        error = ""
        try:
            triggers = await self._commands.apply(record)
        except GridError:
            raise
        except Overtaken:
            return
        except Exception as refused:
            error = refusal(record.value, refused)
        self._timer.offer(triggers, standing)
        await self._store.apply([self._answer(record, error)])
        made = [trigger for trigger in triggers if trigger.value.submission == record.value.id]
        self._accepted(made)

    def _answer(self, record: Record[Submission], error: str) -> Change:
        if error and record.value.keep:
            self.log.error("startup submission about %s is refused: %s", record.value.job, error)
        now = self._clock.now()
        retention = self._core.settings.caches.submission_retention_ms
        answered = replace(
            record.value,
            command=record.value.command if error else None,
            state="REJECTED" if error else "ACCEPTED",
            error=error,
            decided_at=now,
            forget_at=None if record.value.keep else now + retention,
            decided_by=self._core.name,
        )
        return self._store.replaced(record, answered)

    def _accepted(self, triggers: Sequence[Record[Trigger]]) -> None:
        if self._core.hooks.any:
            for trigger in triggers:
                self._core.hooks.call(Hook.on_scheduled, trigger.value)
