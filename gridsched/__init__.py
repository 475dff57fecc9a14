"""A distributed job scheduler that keeps everything it knows in an in-memory data grid.

with gridsched.connect("127.0.0.1:5701") as scheduler:
    scheduler.schedule(Job("shop.tasks:restock"), cron("0 0/5 8-18 ? * MON-FRI"))
"""

from gridsched.client.blocking import Handle, Scheduler
from gridsched.client.start import LocalNode, connect, start
from gridsched.client.triggers import (
    calendar_interval,
    cron,
    daily_time_interval,
    every,
    once,
)
from gridsched.errors import GridschedError
from gridsched.jobs.context import JobContext
from gridsched.model.dst import DstPolicy
from gridsched.model.job import Job, Retry
from gridsched.model.trigger import Trigger
from gridsched.node.hooks import Hook

__version__ = "0.1.0"

__all__ = [
    "DstPolicy",
    "GridschedError",
    "Handle",
    "Hook",
    "Job",
    "JobContext",
    "LocalNode",
    "Retry",
    "Scheduler",
    "Trigger",
    "calendar_interval",
    "connect",
    "cron",
    "daily_time_interval",
    "every",
    "once",
    "start",
]
