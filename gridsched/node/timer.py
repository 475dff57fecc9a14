"""The timer (the seed's TimerServiceThread): polls the due triggers of owned partitions."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from gridsched.model.member import TimerState
from gridsched.model.trigger import Trigger
from gridsched.node.claimer import Claimer
from gridsched.node.core import Core
from gridsched.node.dispatcher import Dispatcher
from gridsched.node.membership import Membership
from gridsched.node.service import Service
from gridsched.node.zones import Zones
from gridsched.policy.gate import waiting
from gridsched.policy.ownership import slices
from gridsched.stores.record import Record

SLICE: Final = 64
"""Partitions asked in one query."""

REMINDER: Final = 30.0
"""Seconds after which a shut gate says again that it waits, though nobody came or went."""


class Timer(Service):
    """Claims what is due. Starts once its delay is over and the start gate is open."""

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
        self._standing = 0
        self._next_poll = float("-inf")
        self._first = 0  # the slice that a poll begins with: where the last one had no room
        self.opened = asyncio.Event()
        self._delayed = self._settings.timer_delay_ms > 0

    @property
    def open(self) -> bool:
        """Does it run? Nothing is claimed, and nothing sent again, before."""
        return self.opened.is_set()

    @property
    def state(self) -> TimerState:
        return "RUNNING" if self.open else "DELAYED" if self._delayed else "WAITING"

    def offer(self, triggers: Sequence[Record[Trigger]], standing: int) -> None:
        """Triggers just accepted, or that may be due again: those due now are claimed without waiting
        for the next poll. Of what was read before this node slept, in another `standing`, the others may
        have claimed all: it is found by the poll, as it is now."""
        horizon = self._claimer.horizon
        soon = [t for t in triggers if t.value.due is not None and t.value.due <= horizon]
        if soon and self.open and standing == self._standing:
            self._offered += soon
            self.wake()

    async def step(self) -> None:
        if not self.open:
            await self._pass_gate()
        standing = self._membership.standing()
        if standing != self._standing:  # what was offered before is found by the poll, as it is now
            self._standing = standing
            self._offered.clear()
        offered, self._offered = self._offered, []
        await self._claim(offered)
        now = self._clock.monotonic()
        if now >= self._next_poll:
            await self._poll()
            self._next_poll = now + self._settings.poll_interval_ms / 1000
        if not self._offered:
            await self.rest(self._next_poll - self._clock.monotonic())

    async def _pass_gate(self) -> None:
        if self._delayed:
            await self.rest(self._settings.timer_delay_ms / 1000)
            self._delayed = False
        await self._wait_for_nodes()
        self.opened.set()
        self._membership.wake()  # the others are to see it
        self.log.info("the timer runs: %d node(s) active", len(self._membership.active()))

    async def _wait_for_nodes(self) -> None:
        """Until enough live at the same time; says who is there when that changes, and now and then."""
        needed, said, again = self._settings.server_count, [""], float("-inf")
        while len(live := self._membership.live()) < needed:
            names = [member.name for member in live]
            now = self._clock.monotonic()
            if names != said or now >= again:
                self.log.info("%s: %s", waiting(needed, len(live)), ", ".join(names))
                said, again = names, now + REMINDER
            await self._membership.change()

    async def _poll(self) -> None:
        owned = self._membership.owned()
        await self._zones.look(owned)
        parts = deque(slices(owned, SLICE))
        parts.rotate(-self._first)
        for number, part in enumerate(parts):
            if self._dispatcher.lanes.full:
                self._first = (self._first + number) % len(parts)
                return
            due = await self._triggers.due(self._claimer.horizon, part)
            await self._claim(due)

    async def _claim(self, due: list[Record[Trigger]]) -> None:
        if due:
            due.sort(key=lambda record: record.value.next_fire or 0)
            standing = self._standing
            self.offer(await self._claimer.claim(due, standing), standing)
