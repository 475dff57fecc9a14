"""Membership: joining, beating, seeing who is there, leaving.

Liveness is observed, not told: a node is gone when its beat counter has not changed for the session
timeout on this observer's monotonic clock, so clock skew kills nobody. A node that could not beat
for so long treats itself as gone: it owns nothing until it has beaten again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from msgspec.structs import replace

from gridsched.errors import GridUnavailable, NodeNameTaken
from gridsched.grid.port import Cancel, Grid
from gridsched.model.member import Member
from gridsched.node.core import Core
from gridsched.node.service import Service
from gridsched.policy.gate import keepers
from gridsched.policy.ownership import owned
from gridsched.policy.roster import Roster, Sighting, roster, sightings
from gridsched.stores.record import Record

BEATS_PER_TIMEOUT: Final = 5

_LOOKED: Final = 1.25
"""Beats, and some time for the calls, after which every node has looked at the others."""


class Arrangement(NamedTuple):
    """What ownership follows from: the holders of the partitions' primaries, and the active nodes
    by name with the grid member that each is beside."""

    grid_members: tuple[str | None, ...]
    nodes: dict[str, str]


class _Known(NamedTuple):
    """A roster, and what it was made of: both are replaced whole, never changed."""

    seen: dict[str, Sighting]
    me: Member
    roster: Roster


class Membership(Service):
    """This node's place among the nodes. `describe` gives its own record's changing fields; `epoch`
    is another whenever other nodes are active."""

    def __init__(
        self,
        core: Core,
        me: Member,
        grid: Grid,
    ) -> None:
        super().__init__("membership")
        self.me = me
        self._store = core.caches.membership
        self._clock = core.clock
        self._timeout = core.settings.session_timeout_ms / 1000
        self._grid = grid
        self._seen: dict[str, Sighting] = {}
        self._known: _Known | None = None
        self._record: Record[Member] | None = None
        self._beaten_at = float("-inf")
        self._lapses = 0
        self._owned: tuple[int, ...] | None = None
        self._assignment: tuple[Arrangement, tuple[int, ...]] | None = None
        self._unlisten: Cancel = lambda: None
        self._changed = asyncio.Event()
        self._beating = asyncio.Lock()
        self._were_active: list[tuple[str, str]] = []
        self.epoch = 0
        self.describe: Callable[[Member], Member] = lambda member: member
        self.on_gone: Callable[[Member], None] = lambda _member: None
        self.on_changed: Callable[[], None] = lambda: None
        self.on_replaced: Callable[[], None] = lambda: None
        self.on_emptied: Callable[[], None] = lambda: None

    async def join(self) -> None:
        """Enter the cluster under this name. NodeNameTaken where a living node has it."""
        self._unlisten = self._grid.listen_membership(self._forget_owned)
        me = self._stamped()
        while not await self._store.create(me):
            there = await self._store.get(me.name)
            if there is not None and await self._take_over(there, me):
                break
        self._beaten_at = self._clock.monotonic()
        await self._look()

    async def _take_over(self, there: Record[Member], me: Member) -> bool:
        """Replace the record of an earlier start of this node, once it is sure to be dead; False
        where the others, who have watched it for longer, have removed it, or another start has."""
        self.log.info(
            "a node named %s is on record: watching for %g s whether it lives",
            me.name,
            self._timeout,
        )
        until = self._clock.monotonic() + self._timeout
        while self._clock.monotonic() < until:
            await asyncio.sleep(self._timeout / BEATS_PER_TIMEOUT)
            now = await self._store.get(me.name)
            if now is None:
                return False
            if now.value.beat != there.value.beat:
                raise NodeNameTaken(
                    f"a node named {me.name!r} is already active at {now.value.address}; "
                    "give this one another --name"
                )
        return await self._store.replace(there, me)

    async def leave(self) -> None:
        """Leave the cluster: the others see it at once. A beat that was cut short may have written
        what this node has not read, so what stands there is what goes."""
        self._unlisten()
        self._record = None
        while (there := await self._store.get(self.me.name)) is not None:
            if there.value.incarnation != self.me.incarnation:
                return
            await self._store.apply([self._store.removed(there)])

    async def step(self) -> None:
        await self.beat()
        await self.rest(self._timeout / BEATS_PER_TIMEOUT)

    async def beat(self) -> None:
        """Show that this node lives, and look who else does. One at a time: it also beats when it
        becomes active and when it leaves."""
        async with self._beating:
            started = self._clock.monotonic()
            if self._record is not None and not await self._renew(self._record):
                return
            if started - self._beaten_at > self._timeout:
                self._lapses += 1
            self._beaten_at = started
            await self._look()

    async def _renew(self, record: Record[Member]) -> bool:
        if await self._store.replace(record, self._stamped()):
            return True
        there = await self._store.get(self.me.name)
        if there is None:
            return await self._join_again()
        if there.value.incarnation != self.me.incarnation:
            self.log.error("another start of node %s has taken its place", self.me.name)
            self.on_replaced()
            return False
        return await self._store.replace(there, self._stamped())

    async def _join_again(self) -> bool:
        """Its record is gone. Where there is none at all, nobody can have taken this node for gone:
        the whole grid has ended and come back."""
        emptied = not await self._store.find()
        if emptied:
            self.log.warning("the grid has come back empty; this node joins again")
        else:
            self.log.warning(
                "this node is no member any more: the others took it for gone, or the grid came "
                "back empty; it joins again"
            )
        self._lapses += 1
        joined = await self._store.create(self._stamped())
        if joined and emptied:
            self.on_emptied()
        return joined

    def _stamped(self) -> Member:
        self.me = replace(self.describe(self.me), beat=self.me.beat + 1, beat_at=self._clock.now())
        return self.me

    async def activate(self) -> None:
        """From JOINING to ACTIVE: partitions come to this node from now on."""
        self.me = replace(self.me, state="ACTIVE")
        await self.beat()

    async def retire(self) -> None:
        """To LEAVING: partitions go to the others, nothing more is sent here."""
        self.me = replace(self.me, state="LEAVING")
        await self.beat()

    async def seen_leaving(self) -> None:
        """After `retire`: wait until the others have looked, and so send nothing here any more."""
        if self.active():
            await asyncio.sleep(_LOOKED * self._timeout / BEATS_PER_TIMEOUT)

    async def _look(self) -> None:
        # A beat is as young as when the answer came, and stands still only up to when it was asked
        # for: a node that is slow, or was frozen in between, must not bury others for that.
        asked = self._clock.monotonic()
        records = {record.key: record for record in await self._store.find()}
        now = self._clock.monotonic()
        before = self._seen
        self._seen = sightings(before, (record.value for record in records.values()), now)
        mine = records.get(self.me.name)
        if mine is not None and mine.value.incarnation == self.me.incarnation:
            self._record = mine
        await self._bury(records, asked)
        for name, sighting in before.items():
            if not self.alive(name, sighting.member.incarnation):
                self._gone(sighting.member)
        self._forget_owned()
        self._compare_active()

    async def _bury(self, records: dict[str, Record[Member]], now: float) -> None:
        """Remove the records of those whose beat has stood still for the session timeout."""
        for name, sighting in list(self._seen.items()):
            if name != self.me.name and now - sighting.changed_at > self._timeout:
                await self._store.apply([self._store.removed(records[name])])
                self._seen = {n: sighting for n, sighting in self._seen.items() if n != name}

    def _gone(self, member: Member) -> None:
        if member.name != self.me.name:
            self.log.info("node %s is gone", member.name)
            self.on_gone(member)

    def _compare_active(self) -> None:
        """Count up `epoch` when other nodes are active than before."""
        now_active = [(member.name, member.incarnation) for member in self.active()]
        if now_active != self._were_active:
            self._were_active = now_active
            self.epoch += 1
            self.on_changed()

    def _forget_owned(self) -> None:
        self._owned = None
        self._changed.set()

    @property
    def fresh(self) -> bool:
        """Has this node beaten within the session timeout? If not, the others took over."""
        return self._clock.monotonic() - self._beaten_at <= self._timeout

    def check_fresh(self) -> None:
        """GridUnavailable where it is not fresh."""
        if not self.fresh:
            raise GridUnavailable(
                f"no beat reached it for {self._timeout:g} s, so nothing is owned"
            )

    def standing(self) -> int:
        """What `check_standing` is to be given later. GridUnavailable where it is not fresh."""
        self.check_fresh()
        return self._lapses

    def check_standing(self, standing: int) -> None:
        """GridUnavailable where this node has not been fresh all the time since: though it has beaten
        again, the others may have taken over what it had."""
        self.check_fresh()
        if self._lapses != standing:
            raise GridUnavailable(
                f"no beat reached it for {self._timeout:g} s, so what it had may be another's"
            )

    def alive(self, name: str, incarnation: str) -> bool:
        """Is that very start of the node seen alive?"""
        if name == self.me.name:
            return incarnation == self.me.incarnation
        sighting = self._seen.get(name)
        return sighting is not None and sighting.member.incarnation == incarnation

    def on_record(self, name: str) -> bool:
        """Was a node of that name there at the last look?"""
        return name in self._seen

    async def gone(self, name: str, incarnation: str) -> bool:
        """Is that very start of the node certainly over? One that is not seen alive may have started
        since this node last looked; but its record was there before it ran anything, so where it is
        not there now, it has been removed or replaced."""
        if self.alive(name, incarnation):
            return False
        there = await self._store.get(name)
        return there is None or there.value.incarnation != incarnation

    def _roster(self) -> Roster:
        """Everything asks all the time, and only a beat makes it another."""
        known = self._known
        if known is None or known.seen is not self._seen or known.me is not self.me:
            known = self._known = _Known(self._seen, self.me, roster(self._seen, self.me))
        return known.roster

    def active(self) -> tuple[Member, ...]:
        """The active nodes, this one included, by name."""
        return self._roster().active

    def live(self) -> tuple[Member, ...]:
        """The active nodes that are seen to live at the same time, this one included, by name; none
        while not fresh."""
        return self._roster().live if self.fresh else ()

    def owned(self) -> tuple[int, ...]:
        """The partitions that this node looks after now. GridUnavailable while it is not fresh."""
        self.check_fresh()
        if self._owned is None:
            among = keepers(self.active(), len(self.live()))
            nodes = {member.name: member.beside for member in among}
            self._owned = self._assigned(Arrangement(self._grid.partition_owners(), nodes))
        return self._owned

    def _assigned(self, now: Arrangement) -> tuple[int, ...]:
        """Every beat asks, and seldom has anything moved."""
        if self._assignment is None or self._assignment[0] != now:
            self._assignment = now, owned(self.me.name, *now)
        return self._assignment[1]

    async def at_least(self, count: int) -> None:
        """Wait until so many nodes live at the same time."""
        while len(self.live()) < count:
            await self.change()

    async def change(self) -> None:
        """Wait for the next look at who is there, at a beat's distance or before."""
        self._changed.clear()
        await self._changed.wait()
