"""The wiring of a node: every object it is made of is built here, once, from one `Settings`."""

from __future__ import annotations

import os
from collections.abc import Sequence

from gridsched.clock import Clock, Ids
from gridsched.config.settings import Settings
from gridsched.grid.port import Grid
from gridsched.jobs.delivery.deliverer import Deliverer
from gridsched.jobs.http.sender import HttpSender
from gridsched.jobs.runnable import Runnables
from gridsched.jobs.targets import Targets
from gridsched.model.member import LedgerRules, Member
from gridsched.node.claimer import Claimer
from gridsched.node.commands import Commands
from gridsched.node.core import Core, Counters
from gridsched.node.dispatcher import Dispatcher
from gridsched.node.fence import Fence
from gridsched.node.groups import Groups
from gridsched.node.hooks import Hook, Hooks
from gridsched.node.locks import JobLocks
from gridsched.node.machine import Machine
from gridsched.node.membership import Membership
from gridsched.node.node import Node, Parts
from gridsched.node.retention import Retention
from gridsched.node.scheduling import Scheduling
from gridsched.node.self_check import SelfCheck
from gridsched.node.shell.admission import Admission
from gridsched.node.shell.finisher import Finisher
from gridsched.node.shell.publisher import Publisher
from gridsched.node.shell.receiver import Receiver
from gridsched.node.shell.reporter import Reporter
from gridsched.node.shell.shell import Shell
from gridsched.node.shell.watcher import Watcher
from gridsched.node.submissions import SubmissionsListener
from gridsched.node.sweep import Sweep
from gridsched.node.timer import Timer
from gridsched.stores.caches import open_caches


async def assemble(
    settings: Settings,
    grid: Grid,
    clock: Clock,
    ids: Ids,
    machine: Machine,
    *,
    name: str = "",
    address: str = "",
    ip: str = "",
    hooks: Sequence[Hook] = (),
) -> Node:
    """A node on a grid that is open; not started yet. `name` defaults to one made of the
    scheduler's and a new id."""
    incarnation = ids()
    name = name or f"{settings.name}-{incarnation[:6]}"
    me = Member(
        name,
        incarnation,
        address=address,
        ip=ip,
        beside=grid.local_member() or "",
        threads=settings.max_threads,
        queue_capacity=settings.queue_capacity,
        server_count=settings.server_count,
        attributes=settings.attributes,
        started_at=clock.now(),
        rules=LedgerRules(
            settings.look_ahead_ms,
            settings.misfire_threshold_ms,
            settings.session_timeout_ms,
            settings.caches.firing_retention_ms,
            settings.caches.firings_kept,
        ),
    )
    sender = HttpSender(settings, os.environ, clock)
    core = Core(
        name,
        incarnation,
        settings,
        await open_caches(grid, settings.caches, settings.queue_capacity),
        clock,
        machine,
        Runnables(
            Targets(settings.allowed_jobs),
            settings.services,
            sender,
            Deliverer(settings.smtp, sender, os.environ),
        ),
        Hooks(hooks),
        Counters(),
    )
    return Node(core, grid, await _build(core, grid, me))


async def _build(core: Core, grid: Grid, me: Member) -> Parts:
    parts = Parts()
    parts.queue = await core.caches.queues.of(core.name)
    parts.membership = Membership(core, me, grid)
    locks = JobLocks(core)
    parts.dispatcher = Dispatcher(core, parts.membership)
    claimer = Claimer(core, parts.dispatcher, locks, parts.membership)
    parts.timer = Timer(core, claimer, parts.dispatcher, parts.membership)
    parts.sweep = Sweep(core, parts.dispatcher, locks, parts.membership, parts.timer.opened)
    parts.retention = Retention(core, parts.membership, locks)
    parts.self_check = SelfCheck(core, parts.membership, parts.retention)
    parts.submissions = SubmissionsListener(
        core,
        parts.membership,
        Scheduling(core, Groups(core, locks), parts.membership, locks),
        _commands(core, parts.membership, parts.retention),
        parts.timer,
    )
    parts.shell = Shell(core, parts.membership, Admission(core, locks))
    parts.receiver = Receiver(core, parts.queue, parts.shell.room, parts.shell.hold)
    parts.finisher = Finisher(core, locks, parts.shell.recorded)
    parts.publisher = Publisher(core, parts.finisher)
    parts.reporter = Reporter(core)
    parts.watcher = Watcher(core, parts.shell)
    parts.shell.wire(parts.finisher, parts.publisher, parts.reporter.spoke, parts.receiver.wake)
    return parts


def _commands(core: Core, membership: Membership, retention: Retention) -> Commands:
    """What applies commands, behind the fence that stops it once another node has."""
    fence = Fence(core.caches.submissions, membership)
    fenced = core._replace(caches=fence.guarded(core.caches))
    locks = JobLocks(fenced)
    return Commands(fenced, locks, retention, Groups(fenced, locks), fence)
