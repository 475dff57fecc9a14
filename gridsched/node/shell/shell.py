"""The shell: holds firings until their instant, starts them through the fence, runs them.

A firing starts when its record is replaced, if it is still the same as it was sent, by EXECUTING.
If it is not, somebody paused, deleted, cancelled or started it, and it is dropped here.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from gridsched.errors import DeliveryFailed, GridError, GridschedError, InvalidJob, RequestFailed
from gridsched.jobs.context import Yield
from gridsched.jobs.plain import plain, words_of
from gridsched.jobs.runnable import Place
from gridsched.model.firing import STARTABLE, Firing
from gridsched.node.core import Core
from gridsched.node.hooks import Hook
from gridsched.node.membership import Membership
from gridsched.node.run import Ended, Held, Run, Runs
from gridsched.node.service import Service
from gridsched.node.shell.admission import Admission
from gridsched.node.shell.finisher import Finisher, ended_well
from gridsched.node.shell.processes import ProcessFailed
from gridsched.node.shell.publisher import Publisher
from gridsched.policy import transitions
from gridsched.stores.record import Record

BATCH: Final = 128
"""Firings started as one batch."""

_LONGEST_START: Final = 10.0


class Shell(Service):
    """Holds, starts and runs firings of this node."""

    def __init__(self, core: Core, membership: Membership, admission: Admission) -> None:
        super().__init__("shell")
        self._core = core
        self._membership = membership
        self._admission = admission
        self._me = (core.name, core.incarnation)
        self._firings = core.caches.firings
        self._runnables = core.runnables
        self._clock = core.clock
        self._held: list[Held] = []
        self.runs = Runs()
        self._executors = core.machine.executors(core.settings.max_threads, self._ended)
        self._ready: dict[Place, deque[Held]] = {place: deque() for place in self._executors}
        self._finisher: Finisher
        self._publisher: Publisher
        self._room_appeared: Callable[[], None]
        self._spoke: Callable[[Run], None]
        self._starting = 0
        self._hand: dict[str, int] = {}

    def wire(
        self,
        finisher: Finisher,
        publisher: Publisher,
        spoke: Callable[[Run], None],
        room_appeared: Callable[[], None],
    ) -> None:
        """Join the shell to what comes after and before it. `spoke` is told of runs that say
        something, from any thread."""
        self._finisher = finisher
        self._publisher = publisher
        self._spoke = spoke
        self._room_appeared = room_appeared

    @property
    def in_hand(self) -> int:
        """Firings held, running, or ended and not recorded yet."""
        return len(self._hand)

    @property
    def in_threads(self) -> int:
        """Runs that threads have now."""
        places = [run.runnable.place for run in self.runs if run.runnable is not None]
        return places.count("thread") + places.count("delivery")

    def room(self) -> int:
        """How many more firings fit into this node's hand."""
        return self._core.settings.queue_capacity - self.in_hand

    def hold(self, held: list[Held]) -> None:
        """Take firings in hand until their instant; of one delivered twice, the latest round."""
        for each in held:
            firing = each.firing.value
            if self._hand.get(each.firing.key, -1) >= firing.round:
                self._core.counters.dropped += 1
            else:
                self._hand[each.firing.key] = firing.round
                heapq.heappush(self._held, each)
        self.wake()

    def recorded(self, batch: list[Ended]) -> None:
        """The ends of these runs were recorded."""
        for ended in batch:
            self._let_go(ended.run.firing)

    def _let_go(self, firing: Record[Firing]) -> None:
        """No longer in hand, unless a later round of it is."""
        if self._hand.get(firing.key) == firing.value.round:
            del self._hand[firing.key]
            self._room_appeared()

    async def stop(self) -> None:
        """Starts under way are carried through: a firing must not be EXECUTING and not run."""
        if self.running:
            await self.wind_down(_LONGEST_START)

    async def step(self) -> None:
        self._take_due()
        if any(self._ready.values()):
            # Where the others have taken over, they would take what starts now for an orphan.
            self._membership.check_fresh()
        await self._put_off()
        batch = self._startable()
        if batch:
            await self._start(batch)
            await asyncio.sleep(0)
        else:
            await self.rest(self._until_next())

    def _until_next(self) -> float | None:
        if not self._held:
            return None
        return max(0.0, self._held[0].deadline - self._clock.monotonic())

    def _take_due(self) -> None:
        now = self._clock.monotonic()
        while self._held and self._held[0].deadline <= now:
            held = heapq.heappop(self._held)
            if self._hand.get(held.firing.key) == held.firing.value.round:
                self._ready[self._place(held)].append(held)

    def _place(self, held: Held) -> Place:
        """Where a job runs. One that this node cannot run fails at its start, on the loop."""
        try:
            return self._runnables.of(held.job).place
        except GridschedError:
            return "loop"

    async def _put_off(self) -> None:
        """Deliveries have half of this node's hand, or what their threads need, so that subscribers who
        do not answer hold up no job. Those that would wait for a thread beyond that do so in their
        records."""
        waiting, free = self._ready["delivery"], self._executors["delivery"].free
        settings = self._core.settings
        most = max(free, settings.queue_capacity // 2 - (settings.max_threads - free))
        surplus = [waiting.pop() for _ in range(min(BATCH, len(waiting) - most))]
        if not surplus:
            return
        now, firings = self._clock.now(), self._firings
        try:
            await firings.apply(
                [
                    firings.replaced(held.firing, transitions.put_off(held.firing.value, now))
                    for held in surplus
                ]
            )
        except GridError:
            waiting.extend(reversed(surplus))
            raise
        for held in surplus:
            self._let_go(held.firing)

    def _startable(self) -> list[Held]:
        batch: list[Held] = []
        for place, queue in self._ready.items():
            for _ in range(min(self._executors[place].free, BATCH, len(queue))):
                batch.append(queue.popleft())
        return batch

    async def _start(self, batch: list[Held]) -> None:
        """Through the fence, then run what passed."""
        batch = await self._admitted(batch)
        now, lease = self._clock.now(), self._core.lease
        name, incarnation = self._me
        started = [
            self._firings.written(
                transitions.start(held.firing.value, name, incarnation, now, lease)
            )
            for held in batch
        ]
        changes = [
            self._firings.replaced(held.firing, record.value)
            for held, record in zip(batch, started, strict=True)
        ]
        self._starting = len(batch)
        try:
            standing = self._membership.standing()
            passed = await self._firings.apply(changes)
            for held, record, ok in zip(batch, started, passed, strict=True):
                ours = record if ok else await self._start_renewed(held)
                # A node that slept over the answer is fenced off by now.
                self._membership.check_standing(standing)
                self._starting -= 1
                if ours is None:
                    self._core.counters.dropped += 1
                    self._let_go(held.firing)
                else:
                    self._run(Run(ours, held.job, held.data, self._spoke))
        except GridError:
            # What of it was started is not known, or not ours any more: it is read back.
            self._put_back(batch[len(batch) - self._starting :])
            raise
        finally:
            self._starting = 0

    async def _admitted(self, batch: list[Held]) -> list[Held]:
        """Those that may start: the others are skipped, or wait for their turn elsewhere."""
        if not any(map(self._admission.asks, batch)):
            return batch
        admitted: list[Held] = []
        for index, held in enumerate(batch):
            try:
                may_start = await self._admission.admit(held)
            except GridError:
                self._put_back([*admitted, *batch[index:]])
                raise
            if may_start is None:
                self._let_go(held.firing)
            else:
                admitted.append(may_start)
        return admitted

    def _put_back(self, batch: list[Held]) -> None:
        for held in reversed(batch):
            self._ready[self._place(held)].appendleft(held)

    async def _start_renewed(self, held: Held) -> Record[Firing] | None:
        """The record is not what was sent. Renewed or marked meanwhile, or started by a call of
        ours whose answer was lost, it runs all the same; sent out anew in another round, paused or
        final, it does not."""
        record = await self._firings.get(held.firing.key)
        if record is None or record.value.round != held.firing.value.round:
            return None
        firing = record.value
        name, incarnation = self._me
        if firing.state == "EXECUTING" and (firing.member, firing.incarnation) == self._me:
            return record
        if firing.state not in STARTABLE:
            return None
        now, lease = self._clock.now(), self._core.lease
        started = self._firings.written(transitions.start(firing, name, incarnation, now, lease))
        return started if await self._firings.replace(record, started.value) else None

    def _run(self, run: Run) -> None:
        self.runs.add(run)
        self._core.counters.started += 1
        if self._core.hooks.any:
            self._core.hooks.call(Hook.on_started, run.firing.value)
        try:
            runnable = self._runnables.of(run.job)
            self._executors[runnable.place].submit(run, runnable)
        except Exception as error:
            self._ended(run, None, error)
            return
        run.runnable = runnable
        if runnable.timeout is not None:
            loop = asyncio.get_running_loop()
            run.timer = loop.call_later(runnable.timeout, self._time_out, run, runnable.timeout)

    def _time_out(self, run: Run, seconds: float) -> None:
        """Nobody waits for the run any more."""
        if run.over:
            return
        self._stop_waiting(run)
        self._ended(run, None, TimeoutError(f"it ran longer than {seconds} s"))

    def _stop_waiting(self, run: Run) -> None:
        run.context.cancel()
        if run.runnable is not None:
            self._executors[run.runnable.place].abandon(run)

    def _ended(self, run: Run, value: Any, error: BaseException | None) -> None:
        """A run ended, or nobody waits for it any more; only the first end counts."""
        if run.over:
            return
        if isinstance(error, Yield):
            self._over(Ended(run, None, "", error.seconds))
            return
        if error is None:
            self._over(ended_well(run, value))
        else:
            self._over(Ended(run, value, self._describe(run, error)))

    def give_up(self, run: Run, reason: str) -> None:
        """Its record is not this run's any more: nobody waits for it."""
        if run.over:
            return
        self.log.info("%s is ended while it runs: %s", run.firing.key, reason)
        self._stop_waiting(run)
        self._over(Ended(run, None, reason))

    def _over(self, ended: Ended) -> None:
        run = ended.run
        run.over = True
        if run.timer is not None:
            run.timer.cancel()
        self.runs.discard(run)
        if run.job.events and ended.well:
            self._publisher.publish(ended)
        else:
            self._finisher.finish(ended)
        if any(self._ready.values()):
            self.wake()

    def _describe(self, run: Run, error: BaseException) -> str:
        """One line for the record; the whole trace goes to the log."""
        if isinstance(error, ProcessFailed):
            self.log.warning("%s failed: %s", run.firing.key, error.trace or error)
            return str(error)
        if isinstance(
            error, RequestFailed | DeliveryFailed | InvalidJob
        ):  # says it all: no code of the user's raised it
            self.log.warning("%s failed: %s", run.firing.key, error)
            return f"{type(error).__name__}: {words_of(error)}"
        self.log.warning("%s failed", run.firing.key, exc_info=error)
        frames = traceback.extract_tb(error.__traceback__)
        where = f" ({plain(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
        return f"{type(error).__name__}: {words_of(error)}{where}"

    async def drain(self, seconds: float) -> None:
        """Let running jobs finish for so long; then mark what remains."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.runs.none.wait(), seconds)
        for run in self.runs:
            self._stop_waiting(run)
            self._ended(run, None, TimeoutError("its node stopped before it had finished"))

    def release(self) -> list[Record[Firing]]:
        """Let go of everything that has not started; the records as they were sent."""
        waiting = [held for queue in self._ready.values() for held in queue]
        released = [held.firing for held in (*self._held, *waiting)]
        for firing in released:
            self._let_go(firing)
        self._held.clear()
        for queue in self._ready.values():
            queue.clear()
        return released

    async def close(self) -> None:
        """End the threads and processes."""
        for executor in self._executors.values():
            await executor.close()
