"""Pausing and resuming by group.

The rule is stored first, then the triggers that are there follow it. Who accepts a trigger stores it
first, then reads the rules. So at least one of the two sees the other, and no trigger of a paused
group goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence, Set
from typing import Final

from gridsched.grid.data import PARTITION_COUNT, partition_of
from gridsched.grid.port import Equal
from gridsched.model.firing import Firing
from gridsched.model.groups import GroupRule, PausedGroups
from gridsched.model.submission import PauseGroup, ResumeGroup
from gridsched.model.trigger import Trigger
from gridsched.node.core import Core
from gridsched.node.hooks import Hook
from gridsched.node.locks import JobLocks
from gridsched.node.long_work import each
from gridsched.policy.groups import check_group, is_literal, is_of, is_paused, with_rule
from gridsched.policy.ownership import slices
from gridsched.policy.submissions import (
    pause_firing,
    pause_trigger,
    resume_firing,
    resume_trigger,
)
from gridsched.stores.record import Record, change

_SLICES: Final = slices(range(PARTITION_COUNT), 32)
"""All partitions, by as many as one query asks."""

BATCH: Final = 64
"""Triggers changed as one batch; then the loop has its turn, which a grid in this process never gives it."""


class Groups:
    """Applies commands about groups to the triggers of all partitions: any node may change any."""

    def __init__(self, core: Core, locks: JobLocks) -> None:
        self._caches = core.caches
        self._clock = core.clock
        self._threshold = core.settings.misfire_threshold_ms
        self._locks = locks
        self._hooks = core.hooks

    async def apply(self, command: PauseGroup | ResumeGroup) -> list[Record[Trigger]]:
        """The triggers that go on."""
        if isinstance(command, ResumeGroup):
            resumed = await self.resume(command)
            self._hooks.call(Hook.on_group_resumed, command.pattern, command.of)
            return resumed
        await self.pause(command)
        self._hooks.call(Hook.on_group_paused, command.pattern, command.of)
        return []

    async def pause(self, command: PauseGroup) -> None:
        """Nothing of those groups starts once this has returned."""
        rule = GroupRule(command.pattern, command.of)
        await self._add(rule)
        for part in _SLICES:
            found = await self._found(rule, part)
            await self._step(found, pause_trigger)
            await self._pause_firings({record.key for record in found}, part)

    async def resume(self, command: ResumeGroup) -> list[Record[Trigger]]:
        """The triggers that go on: all of those groups that no other rule pauses."""
        rule = GroupRule(command.pattern, command.of, paused=False)
        paused = await self._add(rule)
        resumed: list[Record[Trigger]] = []
        for part in _SLICES:
            found = await self._found(rule, part)
            free = [record for record in found if not is_paused(paused, record.value)]
            # The triggers first: the sweep parks again what is sent out while one is PAUSED.
            resumed += await self._step(free, resume_trigger)
            await each(free, self._resume_firings)
        return resumed

    async def settle(self, stored: Sequence[Record[Trigger]]) -> list[Record[Trigger]]:
        """Bring triggers that were just stored in line with what is paused by now; as they are then."""
        paused = await self._caches.groups.paused()
        held = [record for record in stored if is_paused(paused, record.value)]
        free = [record for record in stored if not is_paused(paused, record.value)]
        return [*await self._step(held, pause_trigger), *await self._step(free, resume_trigger)]

    async def _add(self, rule: GroupRule) -> PausedGroups:
        """Store a rule; all rules with it."""
        check_group(rule.pattern, rule.of)
        store = self._caches.groups
        while True:
            there = await store.there()
            rules = with_rule(PausedGroups() if there is None else there.value, rule)
            change_of_it = store.stored(rules, there)
            if change_of_it.old == change_of_it.new or (await store.apply([change_of_it]))[0]:
                return rules

    async def _found(self, rule: GroupRule, part: Sequence[int]) -> list[Record[Trigger]]:
        """The triggers in some partitions that a rule is about."""
        literal = rule.of == "triggers" and is_literal(rule.pattern)
        where = [Equal("group", rule.pattern)] if literal else []
        found = await self._caches.triggers.find(where, part)
        return [record for record in found if is_of(rule, record.value)]

    async def _step(
        self, records: Sequence[Record[Trigger]], step: Callable[[Trigger], Trigger]
    ) -> list[Record[Trigger]]:
        """Take triggers one step, in batches; as they are then, without those that went."""
        result: list[Record[Trigger]] = []
        for start in range(0, len(records), BATCH):
            result += await self._step_batch(records[start : start + BATCH], step)
            await asyncio.sleep(0)
        return result

    async def _step_batch(
        self, records: Sequence[Record[Trigger]], step: Callable[[Trigger], Trigger]
    ) -> list[Record[Trigger]]:
        triggers = self._caches.triggers
        stepped = [triggers.written(step(record.value)) for record in records]
        pairs = list(zip(records, stepped, strict=True))
        moved = [(before, after) for before, after in pairs if before.raw != after.raw]
        done = await triggers.apply([triggers.replaced(b, a.value) for b, a in moved])
        refused = {before.key for (before, _), ok in zip(moved, done, strict=True) if not ok}
        result: list[Record[Trigger]] = []
        for before, after in pairs:
            record = await change(triggers, before, step) if before.key in refused else after
            result += [] if record is None else [record]
        return result

    async def _pause_firings(self, triggers: Set[str], part: Sequence[int]) -> None:
        """Of these triggers, which are all in these partitions."""
        unfinished = await self._caches.firings.unfinished(part)
        of_them = [firing for firing in unfinished if firing.value.trigger in triggers]
        await each(of_them, lambda firing: self._locks.step(firing, pause_firing))

    async def _resume_firings(self, record: Record[Trigger]) -> None:
        now = self._clock.now()

        def resumed(firing: Firing) -> Firing:
            return resume_firing(firing, record.value, now, self._threshold)

        partition = partition_of(record.data_key)
        for firing in await self._caches.firings.unfinished_of_trigger(record.key, partition):
            await self._locks.step(firing, resumed)
