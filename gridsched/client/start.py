"""A node for an application without an event loop, on a daemon thread."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gridsched.client import entry
from gridsched.client.blocking import Scheduler
from gridsched.client.grids import DEFAULT_ADDRESS, Addresses
from gridsched.client.portal import Portal
from gridsched.config.settings import Settings

if TYPE_CHECKING:
    from gridsched.node.listeners import Listeners


class LocalNode:
    """A node that runs on a thread of this process, with a client of its cluster."""

    def __init__(self, portal: Portal, inner: entry.NodeHandle) -> None:
        self._portal = portal
        self._inner = inner
        self._stopped = False
        self.scheduler = Scheduler(portal, inner.scheduler, owns_portal=False)

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def listeners(self) -> Listeners:
        """The trigger, job and scheduler listeners of this node, by name. They are called on the
        node's own thread."""
        return self._inner.listeners

    @property
    def address(self) -> str | None:
        """HOST:PORT at which the node's embedded grid serves others; None where it does not."""
        return self._inner.address

    def stop(self) -> None:
        """Leave the cluster in order, and end the thread. May be called twice."""
        if not self._stopped:
            self._stopped = True
            self._portal.run(self._inner.stop())
            self._portal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()


def start(
    config: str | Path | Settings | None = None,
    *,
    grid: Addresses | None = None,
    **options: Any,
) -> LocalNode:
    """Start a node on a daemon thread. See `gridsched.aio.start` for what it takes."""
    portal = Portal("gridsched-node")
    try:
        return LocalNode(portal, portal.run(entry.start(config, grid=grid, **options)))
    except BaseException:
        portal.close()
        raise


def connect(addresses: Addresses = DEFAULT_ADDRESS, **options: Any) -> Scheduler:
    """Connect to a cluster. See `gridsched.aio.connect` for what it takes."""
    portal = Portal("gridsched-client")
    try:
        return Scheduler(portal, portal.run(entry.connect(addresses, **options)))
    except BaseException:
        portal.close()
        raise
