"""The dispatcher: payloads into members' bounded queues.

What finds no room waits in a backlog, in order, and is offered again as room appears. While the
backlog is above its bound the timer claims nothing: what is due stays due, so a herd becomes late,
never lost, and memory stays bounded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from gridsched.grid.data import json_value, text_of
from gridsched.model.firing import Firing, Payload
from gridsched.node.core import Core
from gridsched.node.membership import Membership
from gridsched.node.service import Service
from gridsched.policy.dispatch import RoundRobin, others_first
from gridsched.policy.transitions import reject
from gridsched.stores.record import Record

BATCH: Final = 128
BACKLOG_QUEUES: Final = 10
"""The backlog's bound, in execution queues."""

_FULL_PAUSE: Final = 0.02

_encode = msgspec.json.Encoder().encode


class Outgoing(NamedTuple):
    """A firing on its way: its record, its job's JSON, and the merged data."""

    firing: Record[Firing]
    job: bytes
    data: dict[str, object]

    def payload(self) -> bytes:
        raw = msgspec.Raw(text_of(self.firing.raw))
        return json_value(_encode(Payload(raw, msgspec.Raw(text_of(self.job)), self.data)))


class Dispatcher(Service):
    """Sends firings to members; its loop offers again what found no room."""

    def __init__(self, core: Core, membership: Membership) -> None:
        super().__init__("dispatcher")
        self._caches = core.caches
        self._clock = core.clock
        self._timeout = core.settings.dispatch_timeout_ms
        self._bound = BACKLOG_QUEUES * core.settings.queue_capacity
        self._membership = membership
        self._policy = RoundRobin()
        self._backlog: deque[Outgoing] = deque()
        self._waiting: set[str] = set()

    @property
    def full(self) -> bool:
        """Is the backlog above its bound? Then nothing more is to be claimed."""
        return len(self._backlog) >= self._bound

    def holds(self, key: str) -> bool:
        """Does that firing wait in the backlog?"""
        return key in self._waiting

    def release(self) -> list[Record[Firing]]:
        """Let go of everything that waits in the backlog."""
        released = [outgoing.firing for outgoing in self._backlog]
        self._backlog.clear()
        self._waiting.clear()
        return released

    def choose(self, count: int) -> list[str]:
        """The members for the next `count` firings, by the dispatcher policy."""
        names = [member.name for member in self._membership.active()]
        chosen, self._policy = self._policy.choose(names, count)
        return chosen

    def send(self, firings: Iterable[Outgoing]) -> None:
        """Take firings to their members, behind what waits already."""
        for outgoing in firings:
            if outgoing.firing.key not in self._waiting:
                self._waiting.add(outgoing.firing.key)
                self._backlog.append(outgoing)
        self.wake()

    async def step(self) -> None:
        if not self._backlog:
            await self.rest(None)
        if await self._offer_round() == 0:
            await self._mark_rejected()
            await self.rest(_FULL_PAUSE)

    async def _offer_round(self) -> int:
        """Offer the head of the backlog, one batch a member; how many found room."""
        head = [self._backlog.popleft() for _ in range(min(BATCH, len(self._backlog)))]
        groups: dict[str, list[Outgoing]] = {}
        for outgoing in head:
            groups.setdefault(outgoing.firing.value.member, []).append(outgoing)
        refused: list[Outgoing] = []
        try:
            for member, group in groups.items():
                refused += await self._offer(member, group)
                group.clear()
        finally:
            left = refused + [outgoing for group in groups.values() for outgoing in group]
            self._backlog.extendleft(reversed(left))
            self._waiting.difference_update(outgoing.firing.key for outgoing in head)
            self._waiting.update(outgoing.firing.key for outgoing in left)
        return len(head) - len(left)

    async def _offer(self, member: str, group: Sequence[Outgoing]) -> list[Outgoing]:
        """Offer to the member, then to the others in turn; what is left found no room anywhere."""
        names = [active.name for active in self._membership.active()]
        order = [member, *others_first(member, names)] if member in names else names
        left = list(group)
        for name in dict.fromkeys(order):
            if left:
                left = left[await self._fill(name, left) :]
        return left

    async def _fill(self, member: str, group: Sequence[Outgoing]) -> int:
        """Put as many as fit into a member's queue; how many that were."""
        queue = await self._caches.queues.of(member)
        payloads = [outgoing.payload() for outgoing in group]
        if await queue.offer_all(payloads):
            return len(payloads)
        room = min(await queue.remaining_capacity(), len(payloads))
        return room if room > 0 and await queue.offer_all(payloads[:room]) else 0

    async def _mark_rejected(self) -> None:
        """Show what has waited past the dispatch timeout as REJECTED. It is still offered."""
        now, firings = self._clock.now(), self._caches.firings
        late = [
            (index, outgoing)
            for index, outgoing in enumerate(islice(self._backlog, BATCH))
            if outgoing.firing.value.state == "ACQUIRED"
            and now - _instant(outgoing.firing.value) >= self._timeout
        ]
        rejected = [firings.written(reject(outgoing.firing.value)) for _, outgoing in late]
        done = await firings.apply(
            [
                firings.replaced(outgoing.firing, record.value)
                for (_, outgoing), record in zip(late, rejected, strict=True)
            ]
        )
        for (index, outgoing), record, applied in zip(late, rejected, done, strict=True):
            if applied:
                self._backlog[index] = outgoing._replace(firing=record)
        if late:
            self.log.warning(
                "no member has room for %d firings: REJECTED, offered again; %s is the first",
                len(late),
                late[0][1].firing.key,
            )


def _instant(firing: Firing) -> int:
    """When it is to start."""
    return firing.fire_at or firing.scheduled
