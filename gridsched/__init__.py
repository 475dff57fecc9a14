"""A distributed job scheduler that keeps everything it knows in an in-memory data grid.

with gridsched.connect("127.0.0.1:5701") as scheduler:
    scheduler.schedule(Job("shop.tasks:restock"), cron("0 0/5 8-18 ? * MON-FRI"))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from gridsched.client.blocking import Handle, Outcome, Results, Scheduler, Session
    from gridsched.client.events import event, expression, jmespath, xpath
    from gridsched.client.outcome import OutcomeListener
    from gridsched.client.start import LocalNode, connect, start
    from gridsched.client.triggers import (
        calendar_interval,
        cron,
        daily_time_interval,
        every,
        once,
    )
    from gridsched.errors import GridschedError
    from gridsched.jobs.context import JobContext, Yield
    from gridsched.model.dst import DstPolicy
    from gridsched.model.http import HttpTask, ServiceOperation
    from gridsched.model.job import Job
    from gridsched.model.retry import Retry
    from gridsched.model.trigger import Trigger
    from gridsched.node.hooks import Hook
    from gridsched.node.listeners import JobListener, SchedulerListener, TriggerListener

__version__ = "0.1.0"

__all__ = [
    "DstPolicy",
    "GridschedError",
    "Handle",
    "Hook",
    "HttpTask",
    "Job",
    "JobContext",
    "JobListener",
    "LocalNode",
    "Outcome",
    "OutcomeListener",
    "Results",
    "Retry",
    "Scheduler",
    "SchedulerListener",
    "ServiceOperation",
    "Session",
    "Trigger",
    "TriggerListener",
    "Yield",
    "calendar_interval",
    "connect",
    "cron",
    "daily_time_interval",
    "event",
    "every",
    "expression",
    "jmespath",
    "once",
    "start",
    "xpath",
]

_HOMES: Final = {
    "gridsched.client.blocking": ("Handle", "Outcome", "Results", "Scheduler", "Session"),
    "gridsched.client.events": ("event", "expression", "jmespath", "xpath"),
    "gridsched.client.outcome": ("OutcomeListener",),
    "gridsched.client.start": ("LocalNode", "connect", "start"),
    "gridsched.client.triggers": (
        "calendar_interval",
        "cron",
        "daily_time_interval",
        "every",
        "once",
    ),
    "gridsched.errors": ("GridschedError",),
    "gridsched.jobs.context": ("JobContext", "Yield"),
    "gridsched.model.dst": ("DstPolicy",),
    "gridsched.model.http": ("HttpTask", "ServiceOperation"),
    "gridsched.model.job": ("Job",),
    "gridsched.model.retry": ("Retry",),
    "gridsched.model.trigger": ("Trigger",),
    "gridsched.node.hooks": ("Hook",),
    "gridsched.node.listeners": ("JobListener", "SchedulerListener", "TriggerListener"),
}
_HOME: Final = {name: module for module, names in _HOMES.items() for name in names}
_MODULES: Final = ("aio", "calendars", "dispatch", "errors", "matchers", "testing")


def __getattr__(name: str) -> Any:
    """Load what is asked for: a grid alone, or a test's fixture, needs no scheduler."""
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
