"""One frozen, validated value that says all that a node is built from."""

from __future__ import annotations

from typing import Final

import msgspec

from gridsched.config.smtp import Smtp
from gridsched.errors import ConfigurationError, InvalidPolicy
from gridsched.model.caches import CacheSettings
from gridsched.model.calendar import Calendar
from gridsched.model.data_service import DataService
from gridsched.model.dispatch import DispatchPolicy, RoundRobin, check_attributes, check_policy
from gridsched.model.job import Job
from gridsched.model.trigger import Trigger
from gridsched.policy.allowed_hosts import allowed_hosts

DEFAULT_QUEUE_CAPACITY: Final = 1000


class StartupCalendar(msgspec.Struct, frozen=True):
    """A calendar with its name, stored when the cluster first starts."""

    name: str
    calendar: Calendar


class StartupJob(msgspec.Struct, frozen=True):
    """A job with its triggers, submitted once when the cluster first starts."""

    job: Job
    triggers: tuple[Trigger, ...] = ()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a node is built from. Durations are in milliseconds.

    name                     of the scheduler: nodes of one config share it
    max_threads              threads that run jobs; as many processes, and threads that deliver events
    queue_capacity           bound of the node's execution queue, and of what it has in hand
    poll_interval_ms         how often the timer looks for due triggers
    look_ahead_ms            how far ahead of its instant a trigger is claimed; above the poll's
    session_timeout_ms       a node whose beat stands still for so long is gone
    misfire_threshold_ms     an instant later than this meets its trigger's misfire policy
    dispatch_timeout_ms      a firing that no member takes for so long is marked REJECTED
    grace_period_ms          how long a stopping node lets running jobs finish
    server_count             no node's timer starts until so many nodes live at the same time
    timer_delay_ms           the timer starts so long after activation, or later by the above
    shell_delay_ms           so does the execution shell
    single_server_mode       this node is the only one, and waits for no other
    dispatcher_policy        on which nodes the jobs run that have no policy of their own
    attributes               of this node, for the policies that match them
    allowed_jobs             patterns ("shop.tasks:*") that a job's target must match
    allowed_hosts            to which HTTP tasks may go: see `policy.allowed_hosts`
    allowed_secrets          patterns of environment variables that HTTP tasks may name
    http_max_body            bytes that an answer to an HTTP task may have
    services                 the catalogue of data services, whose operations jobs may name
    calendars                startup calendars; bases stand before those that name them
    jobs                     startup jobs
    smtp                     where the mail of events goes; None: this node sends none
    """

    name: str = "gridsched"
    max_threads: int = 10
    queue_capacity: int = DEFAULT_QUEUE_CAPACITY
    poll_interval_ms: int = 500
    look_ahead_ms: int = 1000
    session_timeout_ms: int = 5000
    misfire_threshold_ms: int = 60_000
    dispatch_timeout_ms: int = 5000
    grace_period_ms: int = 10_000
    server_count: int = 1
    timer_delay_ms: int = 0
    shell_delay_ms: int = 0
    single_server_mode: bool = False
    dispatcher_policy: DispatchPolicy = RoundRobin()
    attributes: dict[str, str] = {}
    allowed_jobs: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ("*",)
    allowed_secrets: tuple[str, ...] = ()
    http_max_body: int = 1_000_000
    caches: CacheSettings = CacheSettings()
    services: tuple[DataService, ...] = ()
    calendars: tuple[StartupCalendar, ...] = ()
    jobs: tuple[StartupJob, ...] = ()
    smtp: Smtp | None = None

    def __post_init__(self) -> None:
        """ConfigurationError naming the first setting that cannot be."""
        for field, least in LEAST.items():
            value = getattr(self, field)
            if value < least:
                raise ConfigurationError(f"{field} is {value}; it must be at least {least}")
        if self.look_ahead_ms <= self.poll_interval_ms:
            raise ConfigurationError(
                f"look_ahead_ms is {self.look_ahead_ms}; it must be above poll_interval_ms "
                f"({self.poll_interval_ms}), or instants between two polls are claimed late"
            )
        if self.single_server_mode and self.server_count > 1:
            raise ConfigurationError(
                f"single_server_mode says that this node is the only one, and server_count is "
                f"{self.server_count}: give one of the two"
            )
        try:
            allowed_hosts(self.allowed_hosts)
        except ValueError as error:
            raise ConfigurationError(f"allowed_hosts: {error}") from None
        try:
            check_policy(self.dispatcher_policy)
            check_attributes(self.attributes)
        except InvalidPolicy as error:
            raise ConfigurationError(str(error)) from None


LEAST: Final = {
    "max_threads": 1,
    "queue_capacity": 1,
    "poll_interval_ms": 10,
    "session_timeout_ms": 100,
    "misfire_threshold_ms": 1,
    "dispatch_timeout_ms": 100,
    "grace_period_ms": 0,
    "server_count": 1,
    "timer_delay_ms": 0,
    "shell_delay_ms": 0,
    "http_max_body": 1,
}
"""The least that each numeric setting may be."""
