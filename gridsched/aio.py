"""gridsched with `await`: `connect` to a cluster, `start` a node on the running loop."""

from gridsched.client.entry import NodeHandle, connect, start
from gridsched.client.handle import AsyncHandle
from gridsched.client.outcome import AsyncOutcome
from gridsched.client.results import AsyncResults
from gridsched.client.scheduler import AsyncScheduler
from gridsched.client.session import AsyncSession

__all__ = [
    "AsyncHandle",
    "AsyncOutcome",
    "AsyncResults",
    "AsyncScheduler",
    "AsyncSession",
    "NodeHandle",
    "connect",
    "start",
]
