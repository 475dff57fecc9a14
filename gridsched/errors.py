"""The errors that gridsched raises, all under one root.

GridschedError
├── ConfigurationError          a config file or a setting is wrong; names file, line and element
├── InvalidJob                  a job cannot be accepted: target, name or data
│   ├── TargetNotAllowed        the target does not match the node's allow-list
│   ├── InvalidCondition        an event's condition does not compile; names the position
│   └── HostNotAllowed          an HTTP task would go to a host that the node does not allow
├── InvalidSchedule             a trigger cannot be accepted: times, intervals, zone, misfire policy
│   └── InvalidCron             a cron expression is wrong; names the field and the position
├── InvalidPolicy               a dispatcher policy, or a node's attributes, cannot be accepted
├── InvalidKey                  a job, trigger or firing key is not written as one
├── SubmissionRejected          the cluster refused a submission; holds its reason
├── SubmissionTimeout           no node has answered a submission in time; it may still be applied
├── NotFound                    no such job, trigger, calendar or firing
├── JobFailed                   the awaited firing ended without success; holds its outcome
│   └── JobCancelled            it was cancelled, or its trigger was removed before it started
├── ResultTimeout               the awaited firing has not ended in time
├── DeliveryFailed              a subscriber could not be told of an event; it is tried again
├── RequestFailed               the request of an HTTP task did not succeed; fails its run
├── NodeNameTaken               an active node of that name is already in the cluster
└── GridError                   the data grid did not do what was asked
    ├── GridUnavailable         nothing answers at the addresses given, or the connection is gone
    ├── GridRefused             the grid is there but refuses this client (cluster name, credentials)
    ├── GridMisconfigured       the grid lacks a setting that gridsched needs; says which
    └── UnknownOutcome          the call may or may not have been applied: read it back
"""

from __future__ import annotations


class GridschedError(Exception):
    """Root of every error that gridsched raises on purpose."""


class ConfigurationError(GridschedError, ValueError):
    """A config file or setting is wrong.

    `source` is the file (or "settings"), `line` its 1-based line where known.
    """

    def __init__(self, message: str, *, source: str = "settings", line: int | None = None) -> None:
        where = source if line is None else f"{source}:{line}"
        super().__init__(f"{where}: {message}")
        self.message = message
        self.source = source
        self.line = line


class InvalidJob(GridschedError, ValueError):
    """A job cannot be accepted."""


class TargetNotAllowed(InvalidJob):
    """The job's target does not match any pattern of the node's allow-list."""


class InvalidCondition(InvalidJob):
    """The condition of an event does not compile.

    `position` is the 0-based offset in its text of what is wrong.
    """

    def __init__(self, text: str, message: str, *, position: int = 0) -> None:
        shown = text if len(text) <= 200 else f"{text[:200]}…"
        super().__init__(f"condition {shown!r}, at character {position + 1}: {message}")
        self.text = text
        self.position = position


class HostNotAllowed(InvalidJob):
    """An HTTP task would go, or was redirected, to a host that is not on the node's allow-list."""


class InvalidSchedule(GridschedError, ValueError):
    """A trigger's schedule cannot be accepted."""


class InvalidCron(InvalidSchedule):
    """A cron expression is wrong.

    `field` is the field's name ("hours", "day-of-month", …) or None when the whole expression
    is at fault; `position` is the 0-based offset in the expression of the offending text.
    """

    def __init__(
        self, expression: str, message: str, *, field: str | None = None, position: int = 0
    ) -> None:
        place = f", {field}" if field else ""
        super().__init__(f"cron expression {expression!r}{place}: {message}")
        self.expression = expression
        self.field = field
        self.position = position


class InvalidPolicy(GridschedError, ValueError):
    """A dispatcher policy, or a node's attributes, cannot be accepted."""


class InvalidKey(GridschedError, ValueError):
    """Text that should be a written key is not one."""


class SubmissionRejected(GridschedError):
    """The cluster refused a submission. `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SubmissionTimeout(GridschedError, TimeoutError):
    """No node has answered the submission in time. It stays in the grid and may still be applied."""


class NotFound(GridschedError, LookupError):
    """No such job, trigger, calendar or firing."""


class JobFailed(GridschedError):
    """The awaited firing ended without success. `state` is its final state, `error` the job's error text."""

    def __init__(self, message: str, *, state: str, error: str | None = None) -> None:
        super().__init__(message)
        self.state = state
        self.error = error


class JobCancelled(JobFailed):
    """The awaited firing was cancelled, or its trigger was removed before it started."""


class ResultTimeout(GridschedError, TimeoutError):
    """The awaited firing has not ended in time."""


class DeliveryFailed(GridschedError):
    """A subscriber could not be told of an event."""


class RequestFailed(GridschedError):
    """The request of an HTTP task did not succeed: no connection, no answer in time, an unexpected
    status, a body above the limit."""


class NodeNameTaken(GridschedError):
    """An active node of that name is already in the cluster."""


class GridError(GridschedError):
    """The data grid did not do what was asked."""


class GridUnavailable(GridError, ConnectionError):
    """Nothing answers at the addresses given, or the connection is gone."""


class GridRefused(GridError):
    """The grid is there but refuses this client."""


class GridMisconfigured(GridError):
    """The grid lacks a setting that gridsched needs; the message says which and how to add it."""


class UnknownOutcome(GridError):
    """The call may or may not have been applied: read it back, never assume."""
