"""gridsched with `await`: `connect` to a cluster, `start` a node on the running loop."""

from gridsched.client.entry import NodeHandle, connect, start
from gridsched.client.handle import AsyncHandle
from gridsched.client.results import AsyncResults
from gridsched.client.scheduler import AsyncScheduler

__all__ = ["AsyncHandle", "AsyncResults", "AsyncScheduler", "NodeHandle", "connect", "start"]
