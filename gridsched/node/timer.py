"""The timer (the seed's TimerServiceThread): polls the due triggers of owned partitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gridsched.model.trigger import Trigger
from gridsched.node.claimer import Claimer
from gridsched.node.core import Core
from gridsched.node.dispatcher import Dispatcher
from gridsched.node.membership import Membership
from gridsched.node.service import Service
from gridsched.node.zones import Zones
from gridsched.policy.ownership import slices
from gridsched.stores.record import Record

SLICE: Final = 32
"""Partitions asked in one query."""


class Timer(Service):
    """Claims what is due. Starts once the start gate is open and its delay is over."""

    def __init__(
        self, core: Core, claimer: Claimer, dispatcher: Dispatcher, membership: Membership
    ) -> None:
        super().__init__("timer")
        self._triggers = core.caches.triggers
        self._settings = core.settings
        self._clock = core.clock
        self._claimer = claimer
        self._dispatcher = dispatcher
        self._membership = membership
        self._zones = Zones(core)
        self._offered: list[Record[Trigger]] = []
        self._next_poll = float("-inf")
        self.open = False

    def offer(self, triggers: Sequence[Record[Trigger]]) -> None:
        """Triggers just accepted: those due now are claimed without waiting for the next poll."""
        horizon = self._claimer.horizon
        soon = [t for t in triggers if t.value.due is not None and t.value.due <= horizon]
        if soon and self.open:
            self._offered += soon
            self.wake()

    async def step(self) -> None:
        if not self.open:
            await self._pass_gate()
        offered, self._offered = self._offered, []
        await self._claim(offered)
        now = self._clock.monotonic()
        if now >= self._next_poll:
            await self._poll()
            self._next_poll = now + self._settings.poll_interval_ms / 1000
        if not self._offered:
            await self.rest(self._next_poll - self._clock.monotonic())

    async def _pass_gate(self) -> None:
        count = self._settings.server_count
        if len(self._membership.active()) < count:
            self.log.info("waiting until %d nodes are active at once", count)
        await self._membership.at_least(count)
        await self.rest(self._settings.timer_delay_ms / 1000)
        self.open = True
        self.log.info("the timer runs: %d node(s) active", len(self._membership.active()))

    async def _poll(self) -> None:
        owned = self._membership.owned()
        await self._zones.look(owned)
        for part in slices(owned, SLICE):
            if self._dispatcher.full:
                return
            due = await self._triggers.due(self._claimer.horizon, part)
            await self._claim(due)

    async def _claim(self, due: list[Record[Trigger]]) -> None:
        if due:
            due.sort(key=lambda record: record.value.next_fire or 0)
            await self._claimer.claim(due)
