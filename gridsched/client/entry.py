"""The entry points, async: `connect` to a cluster, `start` a node on the running loop."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gridsched.client.grids import (
    DEFAULT_ADDRESS,
    EMBEDDED,
    Addresses,
    ServedGrid,
    grid_config,
    ip_towards,
    open_cluster,
)
from gridsched.client.scheduler import AsyncScheduler
from gridsched.clock import SystemClock, system_ids
from gridsched.config.settings import Settings
from gridsched.errors import ConfigurationError
from gridsched.grid.port import Grid
from gridsched.model.caches import CacheSettings
from gridsched.model.keys import MAX_NAME
from gridsched.stores.caches import open_caches

if TYPE_CHECKING:
    from gridsched.node.hooks import Hook
    from gridsched.node.listeners import Listeners
    from gridsched.node.node import Node

SUBMISSION_TIMEOUT = 10.0
"""Seconds that an answer of the cluster may take."""


async def connect(
    addresses: Addresses = DEFAULT_ADDRESS,
    *,
    cluster_name: str | None = None,
    timeout: float = SUBMISSION_TIMEOUT,
    caches: CacheSettings | None = None,
) -> AsyncScheduler:
    """Connect to the cluster at HOST:PORT[,HOST:PORT…], tried in turn.

    `timeout` (seconds) is how long the cluster may take to answer a submission; `caches` names the
    maps where the cluster's config renames them. GridUnavailable where nothing answers.
    """
    clock, ids = SystemClock(), system_ids()
    grid = await open_cluster(addresses, cluster_name, f"gridsched-client-{os.getpid()}")
    return await _scheduler(grid, Settings(caches=caches or CacheSettings()), timeout, clock, ids)


async def _scheduler(
    grid: Grid, settings: Settings, timeout: float, clock: Any, ids: Any, *, owned: bool = True
) -> AsyncScheduler:
    caches = await open_caches(grid, settings.caches, settings.queue_capacity)
    return AsyncScheduler(grid, caches, clock, ids, timeout, owned=owned)


class NodeHandle:
    """A node that runs in this process, with a client of its cluster in `scheduler`."""

    def __init__(self, node: Node, grid: Grid, scheduler: AsyncScheduler) -> None:
        self.node = node
        self.scheduler = scheduler
        self._grid = grid

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def listeners(self) -> Listeners:
        """The trigger, job and scheduler listeners of this node, by name."""
        return self.node.listeners

    @property
    def address(self) -> str | None:
        """HOST:PORT at which the node's embedded grid serves others; None where it does not."""
        return self._grid.address if isinstance(self._grid, ServedGrid) else None

    async def stop(self) -> None:
        """Leave the cluster in order: see `Node.stop`. May be called twice."""
        await self.scheduler.close()
        await self.node.stop()
        await self._grid.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()


async def start(
    config: str | Path | Settings | None = None,
    *,
    grid: Addresses | None = None,
    coordination: str | Path | None = None,
    jobclasses: str | Path | None = None,
    listen: str | None = None,
    name: str = "",
    cluster_name: str | None = None,
    hooks: Sequence[Hook] = (),
    **settings: Any,
) -> NodeHandle:
    """Start a node on the running loop.

    config        an XML file, or settings; None: the defaults
    grid          "embedded", or HOST:PORT[,HOST:PORT…] of a cluster; None: as the coordination
                  file says, else embedded
    coordination  a coordination-client-config.xml; None: the one beside the config, if any
    jobclasses    the table that maps the config's class names to Python targets; None: the
                  jobclasses.properties beside the config, if any
    listen        HOST:PORT at which the embedded grid serves other processes; None: it does not
    settings      fields of `Settings` by keyword, over the files'
    """
    # Here, as they bring all that a node is made of: a client starts sooner without them.
    from gridsched.client.resolve import resolve
    from gridsched.node.assembly import assemble
    from gridsched.node.system_machine import SystemMachine

    clock, ids = SystemClock(), system_ids()
    resolved = resolve(
        config, settings, grid=grid, coordination=coordination, jobclasses=jobclasses
    )
    chosen, servers = resolved.settings, resolved.grid
    if name and not (isinstance(name, str) and name.isprintable() and len(name) <= MAX_NAME):
        raise ConfigurationError(
            f"{name!r} cannot be a node's name: it is at most {MAX_NAME} printable characters"
        )
    if listen is not None and servers != EMBEDDED:
        raise ConfigurationError(
            "listen is for the embedded grid; a cluster has addresses of its own"
        )
    if servers == EMBEDDED:
        opened: Grid = ServedGrid(clock, ids, listen, grid_config(chosen, cluster_name))
        await opened.open()
    else:
        opened = await open_cluster(servers, cluster_name, name or f"{chosen.name}-{os.getpid()}")
    try:
        address = f"{socket.gethostname()}:{os.getpid()}"
        scheduler = await _scheduler(opened, chosen, SUBMISSION_TIMEOUT, clock, ids, owned=False)
        ip = ip_towards(DEFAULT_ADDRESS if servers == EMBEDDED else servers)
        node = await assemble(
            chosen,
            opened,
            clock,
            ids,
            SystemMachine(),
            name=name,
            address=address,
            ip=ip,
            hooks=hooks,
        )
        await node.start()
    except BaseException:
        await opened.close()
        raise
    return NodeHandle(node, opened, scheduler)
