"""Lanes: firings for the same nodes wait together, apart from those for other nodes.

So what waits for nodes that have no room holds up nothing else, and each lane has turns of its own.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from gridsched.grid.data import json_value, text_of
from gridsched.model.dispatch import LeastLoaded, LocalFirst, Random, RoundRobin, Spread
from gridsched.model.firing import Firing, Payload
from gridsched.model.job import Job
from gridsched.model.member import Member
from gridsched.node.core import Core
from gridsched.node.membership import Membership
from gridsched.policy.dispatch import Load, at_random, by_load, in_turn, narrow
from gridsched.stores.record import Record

BACKLOG_QUEUES: Final = 10
"""A lane's bound, in execution queues."""

_encode = msgspec.json.Encoder().encode


class Outgoing(NamedTuple):
    """A firing on its way: its record, its job's, and the merged data."""

    firing: Record[Firing]
    job: Record[Job]
    data: dict[str, object]

    def payload(self) -> bytes:
        raw = msgspec.Raw(text_of(self.firing.raw))
        return json_value(_encode(Payload(raw, msgspec.Raw(text_of(self.job.raw)), self.data)))


class Lane:
    """What waits for the same nodes, in order.

    members  names of those nodes, in order; none where no node may run it, for the `reason`
    turn     which of them is next
    resumes  monotonic seconds before which it is not offered again: they had no room
    """

    __slots__ = ("members", "reason", "resumes", "spread", "turn", "waiting")

    def __init__(self, members: Sequence[str], spread: Spread, reason: str = "") -> None:
        self.members = members
        self.spread = spread
        self.reason = reason
        self.turn = 0
        self.resumes = float("-inf")
        self.waiting: deque[Outgoing] = deque()


class _Sent(NamedTuple):
    """How many firings were sent to a node since its beat of that number."""

    beat: int
    firings: int


class Lanes:
    """The lanes to the nodes that are active now; others are opened whenever those change."""

    def __init__(self, core: Core, membership: Membership) -> None:
        self._me = core.name
        self._policy = core.settings.dispatcher_policy
        self._bound = BACKLOG_QUEUES * core.settings.queue_capacity
        self._membership = membership
        self._draw = random.Random(core.incarnation).randrange
        self._epoch = -1
        self._members: tuple[Member, ...] = ()
        self._everybody: Lane | None = None
        self._lanes: dict[tuple[tuple[str, ...], Spread], Lane] = {}
        self._displaced: list[Outgoing] = []
        self._sent: dict[str, _Sent] = {}

    @property
    def full(self) -> bool:
        """Is the lane to every node above its bound, or else every lane? Then nobody has room, and
        nothing more is to be claimed."""
        self._refresh()
        if self._everybody is not None:
            return self.is_full(self._everybody)
        return bool(self._lanes) and all(map(self.is_full, self._lanes.values()))

    def is_full(self, lane: Lane) -> bool:
        """Is a lane above its bound? Then nothing more is to be claimed for it."""
        return len(lane.waiting) >= self._bound

    def waiting(self) -> list[Lane]:
        """The lanes in which something waits."""
        return [lane for lane in self._lanes.values() if lane.waiting]

    def of(self, job: Job) -> Lane:
        """The lane for the firings of a job, by its dispatcher policy or the scheduler's."""
        self._refresh()
        if job.dispatch is None and self._everybody is not None:
            return self._everybody
        eligible = narrow(job.dispatch or self._policy, job, self._members)
        spread = eligible.spread or RoundRobin()
        if eligible.reason:
            return Lane((), spread, eligible.reason)
        return self._lane(eligible.members, spread)

    def choose(self, lane: Lane, count: int) -> list[str]:
        """The nodes for the next `count` firings of a lane; none where it has no nodes."""
        if not lane.members:
            return []
        match lane.spread:
            case Random():
                return at_random(lane.members, count, self._draw)
            case LeastLoaded():
                return self._least_loaded(lane, count)
            case LocalFirst() if self._me in lane.members:
                return [self._me] * count
            case _:
                chosen, lane.turn = in_turn(lane.members, count, lane.turn)
                return chosen

    def take_displaced(self) -> list[Outgoing]:
        """What waited in lanes that are no more."""
        self._refresh()
        displaced, self._displaced = self._displaced, []
        return displaced

    def clear(self) -> list[Outgoing]:
        """Everything that waits, which waits no more."""
        return [*self.take_displaced(), *self._drained()]

    def _drained(self) -> list[Outgoing]:
        drained: list[Outgoing] = []
        for lane in self.waiting():
            drained += lane.waiting
            lane.waiting.clear()
        return drained

    def _refresh(self) -> None:
        if self._epoch == self._membership.epoch:
            return
        self._epoch = self._membership.epoch
        self._displaced += self._drained()
        self._lanes.clear()
        self._members = self._membership.active()
        active = {member.name for member in self._members}
        self._sent = {name: sent for name, sent in self._sent.items() if name in active}
        self._everybody = None
        if self._members and isinstance(self._policy, Spread):
            self._everybody = self._lane(self._members, self._policy)

    def _lane(self, members: Iterable[Member], spread: Spread) -> Lane:
        names = tuple(member.name for member in members)
        lane = self._lanes.get((names, spread))
        if lane is None:
            lane = self._lanes[names, spread] = Lane(names, spread)
        return lane

    def _least_loaded(self, lane: Lane, count: int) -> list[str]:
        """By what each node said at its last beat that it has in hand, and was sent since. In a lane
        from before some went, these are none of its nodes; where all did, they are sent anew."""
        latest = {m.name: m for m in (*self._members, *self._membership.active())}
        members = [latest[name] for name in lane.members if name in latest]
        if not members:
            return [lane.members[0]] * count
        loads = [
            Load(member.name, member.in_hand + self._sent_since(member), member.threads)
            for member in members
        ]
        chosen = by_load(loads, count, lane.turn)
        lane.turn = (lane.turn + count) % len(lane.members)
        shares = Counter(chosen)
        for member in members:
            self._sent[member.name] = _Sent(
                member.beat, self._sent_since(member) + shares[member.name]
            )
        return chosen

    def _sent_since(self, member: Member) -> int:
        sent = self._sent.get(member.name)
        return sent.firings if sent is not None and sent.beat == member.beat else 0
