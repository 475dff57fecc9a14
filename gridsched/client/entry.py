"""The entry points, async: `connect` to a cluster, `start` a node on the running loop."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, get_type_hints

import msgspec
from msgspec.structs import replace

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
from gridsched.config.cache_config import load
from gridsched.config.settings import Settings
from gridsched.errors import ConfigurationError, InvalidPolicy
from gridsched.grid.port import Grid
from gridsched.model.caches import CacheSettings
from gridsched.node.assembly import assemble
from gridsched.node.hooks import Hook
from gridsched.node.node import Node
from gridsched.policy.dispatch_forms import parse_policy
from gridsched.stores.caches import open_caches

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
    def address(self) -> str | None:
        """HOST:PORT at which the node's embedded grid serves others; None where it does not."""
        return self._grid.address if isinstance(self._grid, ServedGrid) else None

    async def stop(self) -> None:
        """Leave the cluster in order: see `Node.stop`. May be called twice."""
        await self.node.stop()
        await self._grid.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()


async def start(
    config: str | Path | Settings | None = None,
    *,
    grid: Addresses = EMBEDDED,
    listen: str | None = None,
    name: str = "",
    cluster_name: str | None = None,
    hooks: Sequence[Hook] = (),
    **settings: Any,
) -> NodeHandle:
    """Start a node on the running loop.

    config    an XML file, or settings; None: the defaults
    grid      "embedded", or HOST:PORT[,HOST:PORT…] of a cluster
    listen    HOST:PORT at which the embedded grid serves other processes; None: it does not
    settings  fields of `Settings` by keyword, over the config's
    """
    clock, ids = SystemClock(), system_ids()
    chosen = resolve_settings(config, settings)
    if listen is not None and grid != EMBEDDED:
        raise ConfigurationError(
            "listen is for the embedded grid; a cluster has addresses of its own"
        )
    if grid == EMBEDDED:
        opened: Grid = ServedGrid(clock, ids, listen, grid_config(chosen, cluster_name))
        await opened.open()
    else:
        opened = await open_cluster(grid, cluster_name, name or f"{chosen.name}-{os.getpid()}")
    try:
        address = f"{socket.gethostname()}:{os.getpid()}"
        scheduler = await _scheduler(opened, chosen, SUBMISSION_TIMEOUT, clock, ids, owned=False)
        ip = ip_towards(DEFAULT_ADDRESS if grid == EMBEDDED else grid)
        node = await assemble(
            chosen, opened, clock, ids, name=name, address=address, ip=ip, hooks=hooks
        )
        await node.start()
    except BaseException:
        await opened.close()
        raise
    return NodeHandle(node, opened, scheduler)


def resolve_settings(config: str | Path | Settings | None, changes: dict[str, Any]) -> Settings:
    """The settings of a config with changes by keyword; ConfigurationError for what is wrong."""
    match config:
        case None:
            base = Settings()
        case Settings():
            base = config
        case _:
            base = load(config).settings
    unknown = set(changes) - set(Settings.__struct_fields__)
    if unknown:
        raise ConfigurationError(
            f"no such setting: {', '.join(sorted(unknown))}; "
            f"there are {', '.join(Settings.__struct_fields__)}"
        )
    return replace(base, **{name: _typed(name, value) for name, value in changes.items()})


def _typed(name: str, value: Any) -> Any:
    """The value of a setting; ConfigurationError where it is of another type."""
    if name.startswith("allowed_") and isinstance(value, str):
        return (value,)
    try:
        if name == "dispatcher_policy" and isinstance(value, str):
            return parse_policy(value)
        return msgspec.convert(value, get_type_hints(Settings)[name], from_attributes=True)
    except (msgspec.ValidationError, InvalidPolicy) as error:
        raise ConfigurationError(f"{name} is {value!r}: {error}") from error
