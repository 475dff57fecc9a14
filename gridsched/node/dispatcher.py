"""The dispatcher: payloads into members' bounded queues.

What finds no room waits in the lane of its members, in order, and is offered again as room appears.
For a lane that is above its bound nothing is claimed: what is due stays due, so a herd becomes late,
never lost, and memory stays bounded. What no member may run waits nowhere: its record says why, and
the sweep offers it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from gridsched.model.firing import Firing
from gridsched.node.core import Core
from gridsched.node.lanes import Lane, Lanes, Outgoing
from gridsched.node.membership import Membership
from gridsched.node.service import Service
from gridsched.policy.dispatch import others_first
from gridsched.policy.transitions import reject, unplaced
from gridsched.stores.record import Record

BATCH: Final = 128

_FULL_PAUSE: Final = 0.02


class Dispatcher(Service):
    """Sends firings to members; its loop offers again what found no room."""

    def __init__(self, core: Core, membership: Membership) -> None:
        super().__init__("dispatcher")
        self._caches = core.caches
        self._clock = core.clock
        self._lease = core.lease
        self._timeout = core.settings.dispatch_timeout_ms
        self.lanes = Lanes(core, membership)
        self._waiting: set[str] = set()
        self._nowhere: list[tuple[Outgoing, str]] = []

    def holds(self, key: str) -> bool:
        """Does that firing wait here?"""
        return key in self._waiting

    def release(self) -> list[Record[Firing]]:
        """Let go of everything that waits here."""
        self._waiting.clear()
        return [outgoing.firing for outgoing in self.lanes.clear()]

    def send(self, firings: Iterable[Outgoing]) -> None:
        """Take firings to their members, behind what waits for these already."""
        for outgoing in firings:
            if outgoing.firing.key not in self._waiting:
                self._waiting.add(outgoing.firing.key)
                self._line_up([outgoing])
        self.wake()

    def _line_up(self, firings: Sequence[Outgoing], *, first: bool = False) -> None:
        """Into their lanes, in order; `first`: before all that waits there."""
        for outgoing in reversed(firings) if first else firings:
            lane = self.lanes.of(outgoing.job.value)
            if lane.reason:
                self._nowhere.append((outgoing, lane.reason))
            elif first:
                lane.waiting.appendleft(outgoing)
            else:
                lane.waiting.append(outgoing)

    async def step(self) -> None:
        self._line_up(self.lanes.take_displaced(), first=True)
        if self._nowhere:
            await self._let_go()
        now = self._clock.monotonic()
        lanes = self.lanes.waiting()
        ready = [lane for lane in lanes if lane.resumes <= now]
        for lane in ready:
            if await self._offer_round(lane) == 0:
                await self._mark_rejected(lane)
                lane.resumes = self._clock.monotonic() + _FULL_PAUSE
        if not ready:
            await self.rest(min((lane.resumes - now for lane in lanes), default=None))

    async def _offer_round(self, lane: Lane) -> int:
        """Offer the head of a lane, one batch a member; how many found room."""
        head = [lane.waiting.popleft() for _ in range(min(BATCH, len(lane.waiting)))]
        groups: dict[str, list[Outgoing]] = {}
        for outgoing in head:
            groups.setdefault(outgoing.firing.value.member, []).append(outgoing)
        refused: list[Outgoing] = []
        try:
            for member, group in groups.items():
                refused += await self._offer(member, lane, group)
                group.clear()
        finally:
            left = refused + [outgoing for group in groups.values() for outgoing in group]
            self._waiting.difference_update(outgoing.firing.key for outgoing in head)
            self._waiting.update(outgoing.firing.key for outgoing in left)
            self._line_up(left, first=True)
        return len(head) - len(left)

    async def _offer(self, member: str, lane: Lane, group: Sequence[Outgoing]) -> list[Outgoing]:
        """Offer to the member, then to the others of the lane; what is left found no room."""
        order = others_first(member, lane.members)
        if member in lane.members:
            order.insert(0, member)
        left = list(group)
        for name in order:
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

    async def _mark_rejected(self, lane: Lane) -> None:
        """Show what has waited past the dispatch timeout as REJECTED. It is still offered."""
        now, firings = self._clock.now(), self._caches.firings
        late = [
            outgoing.firing
            for outgoing in islice(lane.waiting, BATCH)
            if outgoing.firing.value.state == "ACQUIRED"
            and now - _instant(outgoing.firing.value) >= self._timeout
        ]
        if not late:
            return
        rejected = [firings.written(reject(firing.value)) for firing in late]
        done = await firings.apply(
            [
                firings.replaced(firing, record.value)
                for firing, record in zip(late, rejected, strict=True)
            ]
        )
        marked = {r.key: r for r, applied in zip(rejected, done, strict=True) if applied}
        for index, outgoing in enumerate(islice(tuple(lane.waiting), BATCH)):
            record = marked.get(outgoing.firing.key, outgoing.firing)
            lane.waiting[index] = outgoing._replace(firing=record)
        self.log.warning(
            "no member has room for %d firings: REJECTED, offered again; %s is the first",
            len(late),
            late[0].key,
        )

    async def _let_go(self) -> None:
        """Since these were sent their members went: the sweep offers them again."""
        nowhere, self._nowhere = self._nowhere, []
        now, firings = self._clock.now(), self._caches.firings
        self._waiting.difference_update(outgoing.firing.key for outgoing, _ in nowhere)
        await firings.apply(
            [
                firings.replaced(
                    outgoing.firing, unplaced(outgoing.firing.value, reason, now, self._lease)
                )
                for outgoing, reason in nowhere
            ]
        )
        self.tell_nowhere([(outgoing.firing.key, reason) for outgoing, reason in nowhere])

    def tell_nowhere(self, firings: Sequence[tuple[str, str]]) -> None:
        """Say once of firings, by key and reason, that no member may run them."""
        if firings:
            key, reason = firings[0]
            self.log.warning(
                "no member may run %d firings: REJECTED, offered again when members change; "
                "%s is the first: %s",
                len(firings),
                key,
                reason,
            )


def _instant(firing: Firing) -> int:
    """When it is to start."""
    return firing.fire_at or firing.scheduled
