"""Claiming: from due triggers to firings on their way (design: the way of one firing, step 3).

For each instant the firing is put if absent, then the trigger is replaced if it is still the same.
A node that dies between the two leaves a firing that the next owner finds, adopts and sends.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final, NamedTuple

from msgspec.structs import replace

from gridsched.errors import GridschedError
from gridsched.model.firing import STARTABLE, Firing
from gridsched.model.job import Job
from gridsched.model.trigger import Trigger
from gridsched.node.core import Core
from gridsched.node.dispatcher import Dispatcher
from gridsched.node.hooks import Hook
from gridsched.node.lanes import Lane, Outgoing
from gridsched.node.locks import JobLocks
from gridsched.node.membership import Membership
from gridsched.policy import submissions as commands
from gridsched.policy.acquire import Acquisition, Destination, acquire
from gridsched.policy.calendars import ResolvedCalendar
from gridsched.policy.claim import MAX_INSTANTS, Claim, Instant, Window, adopt, claim
from gridsched.policy.misfire import misfired
from gridsched.policy.overlap import takes_turns
from gridsched.policy.transitions import waits
from gridsched.stores.record import Record

BATCH: Final = 64
"""Triggers claimed in one batch."""

_log = logging.getLogger("gridsched.claimer")


class _Due(NamedTuple):
    """A due trigger with what its claim needs."""

    trigger: Record[Trigger]
    job: Record[Job]
    calendar: ResolvedCalendar | None
    lane: Lane


class _Made(NamedTuple):
    """One trigger's claim with the records of its firings, those that were there before included;
    `met`: one of them was."""

    due: _Due
    advanced: Trigger
    firings: list[Record[Firing]]
    met: bool = False


class _Claiming(NamedTuple):
    """One call of `claim`: the standing in which its triggers were read, and those that met an instant
    which had been claimed before."""

    standing: int
    met: list[Record[Trigger]]


class Claimer:
    """Claims due triggers in batches."""

    def __init__(
        self, core: Core, dispatcher: Dispatcher, locks: JobLocks, membership: Membership
    ) -> None:
        self._core = core
        self._caches = core.caches
        self._clock = core.clock
        self._dispatcher = dispatcher
        self._locks = locks
        self._membership = membership

    @property
    def horizon(self) -> int:
        """The instant (epoch ms) up to which triggers are claimed now."""
        return self._clock.now() + self._core.settings.look_ahead_ms

    async def claim(self, due: Sequence[Record[Trigger]], standing: int) -> list[Record[Trigger]]:
        """Claim what is due of these triggers, which were read in this standing (see `Membership`),
        and send it on its way. Returns those that met an instant which had been claimed before, and
        may be due again: one scheduled anew, with a start in the past, is not to take a poll for each.
        """
        claiming = _Claiming(standing, [])
        jobs = await self._caches.jobs.get_all({record.value.job for record in due})
        names = {record.value.calendar for record in due if record.value.calendar}
        calendars = await self._caches.calendars.with_bases(names)
        plain: list[_Due] = []
        for record in due:
            job = jobs.get(record.value.job)
            try:
                calendar = commands.calendar_of(record.value, calendars)
            except GridschedError as error:
                await self._broken(record, str(error))
                continue
            if job is None:
                await self._broken(record, f"its job {record.value.job} is gone")
                continue
            each = _Due(record, job, calendar, self._dispatcher.lanes.of(job.value))
            if not takes_turns(record.value, job.value):
                plain.append(each)
            elif not self._must_wait(each):
                await self._claim_alone(each, claiming)
        plain.sort(key=_in_order)
        for start in range(0, len(plain), BATCH):
            batch = plain[start : start + BATCH]
            await self._claim_all([d for d in batch if not self._must_wait(d)], claiming)
            # A grid in this process never suspends: without this, a whole poll would hold up
            # every firing that is due meanwhile.
            await asyncio.sleep(0)
        return claiming.met

    def _must_wait(self, due: _Due) -> bool:
        """What its members have no room for stays due; so does what follows the one firing that
        shows that no member may run it. Both meet the misfire policy then."""
        if due.lane.reason:
            return bool(due.trigger.value.error)
        return self._dispatcher.lanes.is_full(due.lane)

    def _window(self) -> Window:
        now = self._clock.now()
        settings = self._core.settings
        return Window(now, now + settings.look_ahead_ms, settings.misfire_threshold_ms)

    async def _claim_all(self, due: Sequence[_Due], claiming: _Claiming) -> None:
        window = self._window()
        claims: list[tuple[_Due, Claim]] = []
        for each in due:
            claimed = await self._computed(each, window, 1 if each.lane.reason else MAX_INSTANTS)
            if claimed is not None and claimed.instants:
                claims.append((each, claimed))
        self._dispatcher.send(await self._fence(claims, window, claiming))

    async def _claim_alone(self, due: _Due, claiming: _Claiming) -> None:
        """One instant of a trigger that takes turns, once its job's lock is free. While
        it is not, the trigger stays due; what that makes late meets the misfire policy."""
        if not await self._locks.free(due.job.key):
            return
        window = self._window()
        claimed = await self._computed(due, window, 1)
        if claimed is None or not claimed.instants:
            return
        for outgoing in await self._fence([(due, claimed)], window, claiming):
            if await self._locks.take(due.job.key, outgoing.firing.value):
                self._dispatcher.send([await self._up_to_date(outgoing, due.job.value)])

    async def _computed(self, due: _Due, window: Window, most: int) -> Claim | None:
        """Its claim; None where it cannot be computed, as by an older node that does not know its
        time zone: it is to hold up no other."""
        try:
            return claim(due.trigger.value, window, most, due.calendar)
        except Exception as error:
            await self._broken(due.trigger, f"its schedule cannot be computed: {error}")
            return None

    async def _up_to_date(self, outgoing: Outgoing, job: Job) -> Outgoing:
        """With the data that the last run left: it may have ended since the job was read."""
        firing = outgoing.firing.value
        fresh = job.persist_data and await self._locks.job_data.fresh(firing.job, firing.trigger)
        return outgoing._replace(job=fresh[0], data=fresh[1]) if fresh else outgoing

    async def _fence(
        self, claims: Sequence[tuple[_Due, Claim]], window: Window, claiming: _Claiming
    ) -> list[Outgoing]:
        """Make the firings, advance the triggers; what is to be sent now."""
        made = await self._make_firings(claims, window, claiming.standing)
        triggers = self._caches.triggers
        advanced = await triggers.apply(
            [triggers.replaced(each.due.trigger, each.advanced) for each in made]
        )
        self._tell_nowhere([e for e, ok in zip(made, advanced, strict=True) if ok])
        outgoing: list[Outgoing] = []
        for each, applied in zip(made, advanced, strict=True):
            if applied:
                self._tell(each)
                if each.met:
                    claiming.met.append(triggers.written(each.advanced))
                outgoing += self._outgoing(each)
            else:
                await self._lost_race(each)
        outgoing.sort(key=_by_instant)
        return outgoing

    async def _make_firings(
        self, claims: Sequence[tuple[_Due, Claim]], window: Window, standing: int
    ) -> list[_Made]:
        """The firings of these claims, the first of each, then the second of each, and so on: one is
        made when it is certain what became of the instant before. What was made sooner could not be
        taken back, should another node have decided something else: others may count on it.
        Of what a node read before it slept, the others may have run all, and forgotten it."""
        acquisition = Acquisition(
            self._core.name,
            window.now,
            self._core.lease,
            self._core.settings.caches.firing_retention_ms,
        )
        members = self._choose(claims)
        made = [_Made(due, _shown(claimed.trigger, due.lane), []) for due, claimed in claims]
        over: set[int] = set()
        for turn in zip_longest(*(claimed.instants for _, claimed in claims)):
            new: dict[int, Record[Firing]] = {}
            for place, instant in enumerate(turn):
                if instant is not None and place not in over:
                    due = made[place].due
                    destination = Destination(next(members[due.lane], ""), due.lane.reason)
                    new[place] = self._acquired(due, instant, destination, acquisition)
            self._membership.check_standing(standing)
            there = await self._put(list(new.values()))
            for place, record in new.items():
                if record.key not in there:
                    made[place].firings.append(record)
                    continue
                before, made[place] = made[place], self._met(made[place], there[record.key], window)
                if made[place].advanced is not before.advanced:
                    over.add(place)
        return [each for each in made if each.firings]

    def _acquired(
        self, due: _Due, instant: Instant, destination: Destination, acquisition: Acquisition
    ) -> Record[Firing]:
        firing = acquire(
            due.trigger.key,
            due.trigger.value,
            due.job.value,
            instant,
            destination=destination,
            acquisition=acquisition,
        )
        return self._caches.firings.written(firing)

    async def _put(self, records: Sequence[Record[Firing]]) -> dict[str, Record[Firing] | None]:
        """Store what is not there; what stands in the place of the others, by key."""
        firings = self._caches.firings
        created = await firings.apply([firings.put(record) for record in records])
        if all(created):
            return {}
        there = [record.key for record, new in zip(records, created, strict=True) if not new]
        found = await firings.get_all(there)
        return {key: found.get(key) for key in there}

    def _met(self, made: _Made, firing: Record[Firing] | None, window: Window) -> _Made:
        """A claim that has met the firing of its next instant which another node made: it goes on as it
        would have, or ends with what that node decided. None: that has just been forgotten, and it ends
        before."""
        due, so_far = made.due, len(made.firings)
        trigger = due.trigger.value
        if so_far:
            trigger = claim(trigger, window, so_far, due.calendar).trigger
        if firing is None:
            return made._replace(advanced=_shown(trigger, due.lane))
        theirs = self._as_theirs(trigger, due, firing.value, window)
        advanced = made.advanced if theirs is None else _shown(theirs, due.lane)
        return made._replace(advanced=advanced, firings=[*made.firings, firing], met=True)

    @staticmethod
    def _as_theirs(trigger: Trigger, due: _Due, firing: Firing, window: Window) -> Trigger | None:
        """The trigger after another node's decision about its next instant; None where ours is the
        same. Clocks differ, and a misfire policy may start the schedule anew from the time it was
        applied at."""
        theirs = adopt(trigger, firing, window, due.calendar)
        ours = claim(trigger, window, 1, due.calendar).trigger
        return None if theirs == ours else theirs

    def _choose(self, claims: Sequence[tuple[_Due, Claim]]) -> dict[Lane, Iterator[str]]:
        """The members for all the firings of each lane."""
        counts: Counter[Lane] = Counter()
        for due, claimed in claims:
            counts[due.lane] += len(claimed.instants)
        lanes = self._dispatcher.lanes
        return {lane: iter(lanes.choose(lane, count)) for lane, count in counts.items()}

    def _outgoing(self, made: _Made) -> list[Outgoing]:
        if made.due.lane.reason:
            return []
        data = {**made.due.job.value.data, **made.due.trigger.value.data}
        return [
            Outgoing(firing, made.due.job, data)
            for firing in made.firings
            if firing.value.state in STARTABLE and not waits(firing.value)
        ]

    def _tell_nowhere(self, made: Sequence[_Made]) -> None:
        self._dispatcher.tell_nowhere(
            [(e.firings[0].key, e.due.lane.reason) for e in made if e.due.lane.reason]
        )

    def _tell(self, made: _Made) -> None:
        before, hooks = made.due.trigger.value, self._core.hooks
        if not hooks.any:
            return
        for firing in made.firings:
            hooks.call(Hook.on_claimed, firing.value)
        now, threshold = self._clock.now(), self._core.settings.misfire_threshold_ms
        late = misfired(before, now, threshold) and before.misfire != "IGNORE"
        if late or made.advanced.misfired > before.misfired:
            hooks.call(Hook.on_misfired, made.advanced)
        if made.advanced.state == "COMPLETE":
            hooks.call(Hook.on_finalized, made.advanced)

    async def _lost_race(self, made: _Made) -> None:
        """The trigger changed while it was claimed. Its firings stay where another owner adopted
        them; where it was paused, replaced, removed or put under another calendar meanwhile, they
        follow it."""
        trigger = await self._caches.triggers.get(made.due.trigger.key)
        by_now, firings = None if trigger is None else trigger.value, self._caches.firings
        for record in made.firings:
            changed = commands.follow(
                record.value, made.due.trigger.value, by_now, self._clock.now()
            )
            if changed is None:
                await firings.apply([firings.removed(record)])
            else:
                await firings.replace(record, changed)

    async def _broken(self, record: Record[Trigger], error: str) -> None:
        """A trigger that cannot be claimed, as its job or calendar is gone: shown as ERROR, and
        looked at no more."""
        _log.error("trigger %s: %s", record.key, error)
        broken = replace(record.value, state="ERROR", due=None, error=error)
        await self._caches.triggers.replace(record, broken)


def _shown(trigger: Trigger, lane: Lane) -> Trigger:
    """The trigger with the reason why no member may run it, which goes with that."""
    return trigger if trigger.error == lane.reason else replace(trigger, error=lane.reason)


def _in_order(due: _Due) -> tuple[int, int]:
    trigger, job = due.trigger.value, due.job.value
    priority = job.priority if trigger.priority is None else trigger.priority
    return trigger.next_fire or 0, -priority


def _by_instant(outgoing: Outgoing) -> tuple[int, int]:
    firing = outgoing.firing.value
    return firing.fire_at or firing.scheduled, -firing.priority
