"""A node: its services, started and stopped in order.

    INITIAL -> STARTING -> ACTIVE -> DISPOSING -> STOPPED

`docs/architecture.md` draws it. Everything a node is made of is built in `node.assembly`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from enum import Enum

from msgspec.structs import replace

from gridsched.errors import GridError, GridMisconfigured, NodeNameTaken
from gridsched.grid.port import Grid, GridQueue
from gridsched.model.firing import Firing
from gridsched.model.member import Member
from gridsched.node.core import Core
from gridsched.node.dispatcher import Dispatcher
from gridsched.node.hooks import Hook
from gridsched.node.listeners import Listeners
from gridsched.node.membership import Membership
from gridsched.node.retention import Retention
from gridsched.node.self_check import SelfCheck
from gridsched.node.service import Service
from gridsched.node.shell.finisher import Finisher
from gridsched.node.shell.publisher import Publisher
from gridsched.node.shell.receiver import Receiver
from gridsched.node.shell.reporter import Reporter
from gridsched.node.shell.shell import Shell
from gridsched.node.shell.watcher import Watcher
from gridsched.node.startup import submit_startup
from gridsched.node.submissions import SubmissionsListener
from gridsched.node.sweep import Sweep
from gridsched.node.timer import Timer
from gridsched.policy.transitions import hand_back
from gridsched.stores.record import Record

_log = logging.getLogger("gridsched.node")


class NodeState(Enum):
    """Where a node is in its life."""

    INITIAL = "INITIAL"
    STARTING = "STARTING"
    ACTIVE = "ACTIVE"
    DISPOSING = "DISPOSING"
    STOPPED = "STOPPED"


class Parts:
    """The services of a node, as `node.assembly` builds them."""

    queue: GridQueue
    membership: Membership
    dispatcher: Dispatcher
    timer: Timer
    sweep: Sweep
    retention: Retention
    self_check: SelfCheck
    submissions: SubmissionsListener
    receiver: Receiver
    shell: Shell
    publisher: Publisher
    finisher: Finisher
    reporter: Reporter
    watcher: Watcher


class Node:
    """One node of the scheduler on a grid that is open."""

    def __init__(
        self,
        core: Core,
        grid: Grid,
        parts: Parts,
    ) -> None:
        self.core = core
        self.grid = grid
        self.parts = parts
        self.settings = core.settings
        self.hooks = core.hooks
        self.listeners = Listeners(core.hooks)
        self.state = NodeState.INITIAL
        self.stopped = asyncio.Event()
        self._clock = core.clock
        self._startup: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._has_successor = False

    @property
    def name(self) -> str:
        return self.core.name

    async def start(self) -> None:
        """INITIAL to ACTIVE. NodeNameTaken, GridMisconfigured or GridUnavailable where it cannot."""
        if self.state is not NodeState.INITIAL:
            return
        self.state = NodeState.STARTING
        parts = self.parts
        try:
            await self._check_queue()
            parts.membership.describe = self._describe
            parts.membership.on_gone = self._member_gone
            parts.membership.on_changed = parts.sweep.members_changed
            parts.membership.on_replaced = self._replaced
            parts.membership.on_emptied = self._emptied
            await parts.membership.join()
            await parts.submissions.listen()
            for service in self.services():
                service.start()
            await parts.membership.activate()
        except BaseException:
            await self._end_services()
            self.state = NodeState.STOPPED
            raise
        self.state = NodeState.ACTIVE
        self._startup = asyncio.get_running_loop().create_task(self._submit_startup())
        _log.info("node %s is active", self.name)
        self.hooks.call(Hook.on_activated, self.name)

    async def stop(self) -> None:
        """To STOPPED: no more claims, payloads given back, running jobs finish within the grace
        period. May be called more than once; every caller waits for the end."""
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._stop())
        await asyncio.shield(self._ending)

    async def _stop(self) -> None:
        if self.state is NodeState.ACTIVE:
            self.state = NodeState.DISPOSING
            _log.info("node %s is stopping", self.name)
            self.hooks.call(Hook.on_disposing, self.name)
            try:
                await self._dispose()
            except GridError as error:
                _log.warning("node %s could not leave in order: %s", self.name, error)
        await self._end_services()
        self.state = NodeState.STOPPED
        self.stopped.set()
        _log.info("node %s has stopped", self.name)
        self.hooks.call(Hook.on_stopped, self.name)

    async def _dispose(self) -> None:
        parts = self.parts
        if self._startup is not None:
            self._startup.cancel()
        for service in (
            parts.timer,
            parts.sweep,
            parts.retention,
            parts.self_check,
            parts.submissions,
        ):
            await service.stop()
        await parts.membership.retire()
        await parts.shell.stop()
        # What is given back before the others have seen that it leaves, they would send here again.
        await asyncio.gather(parts.membership.seen_leaving(), parts.receiver.stop())
        await parts.dispatcher.stop()
        await self._give_back()
        await parts.shell.drain(self.settings.grace_period_ms / 1000)
        await self._give_back()
        await parts.publisher.flush()
        await parts.finisher.flush()
        await parts.membership.stop()
        if not self._has_successor:  # the queue of that name is its own by now
            await parts.queue.destroy()
        await parts.membership.leave()

    async def _give_back(self) -> None:
        """What this node has and has not started is due at once for whoever owns it now."""
        parts, firings = self.parts, self.core.caches.firings
        records: list[Record[Firing]] = [*parts.shell.release(), *parts.dispatcher.release()]
        while not self._has_successor and (payloads := await parts.queue.drain(128)):
            records += [parts.receiver.held(payload).firing for payload in payloads]
        now = self._clock.now()
        for start in range(0, len(records), 128):
            batch = records[start : start + 128]
            await firings.apply([firings.replaced(r, hand_back(r.value, now)) for r in batch])
        if records:
            _log.info("node %s gave %d firings back", self.name, len(records))

    async def _end_services(self) -> None:
        for service in reversed(self.services()):
            await service.stop()
        await self.parts.shell.close()

    def services(self) -> Sequence[Service]:
        """Its services, in the order in which they start."""
        parts = self.parts
        return (
            parts.membership,
            parts.finisher,
            parts.publisher,
            parts.reporter,
            parts.watcher,
            parts.shell,
            parts.receiver,
            parts.dispatcher,
            parts.submissions,
            parts.sweep,
            parts.retention,
            parts.self_check,
            parts.timer,
        )

    async def _check_queue(self) -> None:
        """GridMisconfigured where the grid does not bound the node's execution queue."""
        queue, capacity = self.parts.queue, self.settings.queue_capacity
        bound = await queue.remaining_capacity() + await queue.size()
        if bound != capacity:
            prefix = self.settings.caches.names.execution_prefix
            found = "does not bound it" if bound > 2**30 else f"bounds it to {bound}"
            raise GridMisconfigured(
                f"execution queue {queue.name} should hold {capacity} payloads, but the grid "
                f"{found}; put into the XML of every grid member, before its first start: "
                f'<queue name="{prefix}*"><max-size>{capacity}</max-size></queue> '
                f"(or set queuecapacity to what the grid has)"
            )

    async def _submit_startup(self) -> None:
        """Once enough nodes are there."""
        settings = self.settings
        await self.parts.membership.at_least(settings.server_count)
        while True:
            try:
                await submit_startup(self.core.caches.submissions, settings, self._clock)
                return
            except GridError as error:
                _log.warning("startup calendars and jobs are not submitted yet: %s", error)
            except Exception:
                _log.exception("startup calendars and jobs could not be submitted; trying again")
            await asyncio.sleep(settings.poll_interval_ms / 1000)

    def _describe(self, member: Member) -> Member:
        counters = self.core.counters
        return replace(
            member,
            timer=self.parts.timer.state,
            live=len(self.parts.membership.live()),
            in_hand=self.parts.shell.in_hand,
            started=counters.started,
            completed=counters.completed,
            failed=counters.failed,
            stale=counters.stale,
            mended=counters.mended,
            unexplained=self.parts.self_check.unexplained,
        )

    def _member_gone(self, member: Member) -> None:
        self.parts.sweep.member_gone(member)
        self.hooks.call(Hook.on_member_gone, member.name)

    def _emptied(self) -> None:
        """All that was submitted is gone, as before the first node: so the startup jobs come again.
        They are submitted once even where several nodes do this."""
        if self._startup is not None and self._startup.done() and self.state is NodeState.ACTIVE:
            self._startup = asyncio.get_running_loop().create_task(self._submit_startup())

    def _replaced(self) -> None:
        """Another start of this node has its name: this one must not go on."""
        self._has_successor = True
        _log.error("%s", NodeNameTaken(f"node {self.name!r} was started again elsewhere"))
        self._ending = self._ending or asyncio.get_running_loop().create_task(self._stop())
