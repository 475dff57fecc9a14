"""What the client's errors mean: was the call applied, was it not, or does nobody know?"""

# mypy: allow-untyped-calls
from __future__ import annotations

from typing import Final

from hazelcast.errors import (
    AccessControlError,
    AuthenticationError,
    ClientNotAllowedInClusterError,
    ClientOfflineError,
    HazelcastClientNotActiveError,
    HazelcastError,
    HazelcastInstanceNotActiveError,
    IndeterminateOperationStateError,
    NoDataMemberInClusterError,
    OperationTimeoutError,
    SecurityError,
    SplitBrainProtectionError,
    TargetDisconnectedError,
    is_retryable_error,
)

from gridsched.errors import GridError, GridRefused, GridUnavailable, UnknownOutcome

_NOT_APPLIED = (ClientOfflineError, NoDataMemberInClusterError, SplitBrainProtectionError)
_REFUSED = (AccessControlError, AuthenticationError, ClientNotAllowedInClusterError, SecurityError)
_LOST = (
    HazelcastClientNotActiveError,
    HazelcastInstanceNotActiveError,
    IndeterminateOperationStateError,
    OperationTimeoutError,
    TargetDisconnectedError,
    OSError,  # the client's own "no connection", and every timeout
)

_REASON_LENGTH: Final = 300


def surely_unapplied(error: Exception, sent: bool) -> bool:
    """Whether a call that failed so, `sent` or not, has changed nothing."""
    return not sent or isinstance(error, _NOT_APPLIED)


def none_applied(error: Exception) -> GridUnavailable:
    """For calls that surely changed nothing, the last of which failed so."""
    if isinstance(error, SplitBrainProtectionError):
        return GridUnavailable(
            f"split-brain protection: the grid has too few members: {reason(error)}"
        )
    return GridUnavailable(f"no connection to the grid: {reason(error)}")


def no_answer(limit: float) -> TimeoutError:
    return TimeoutError(f"no answer within {limit:g} s")


def reason(error: Exception) -> str:
    """What happened, without the member's stack trace."""
    lines = str(error).splitlines()
    text = lines[0][:_REASON_LENGTH].strip() if lines else ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def grid_error(error: Exception, *, write: bool) -> GridError:
    """The port's error for one of the client's, met in a call that does or does not write."""
    if isinstance(error, ExceptionGroup):
        return _of_many(error, write)
    if isinstance(error, _NOT_APPLIED):
        return none_applied(error)
    if isinstance(error, _REFUSED):
        return GridRefused(reason(error))
    if _is_lost(error):
        return UnknownOutcome(reason(error)) if write else GridUnavailable(reason(error))
    return GridError(reason(error))


def _is_lost(error: Exception) -> bool:
    # The bare root is what the client raises where a connection went while it added a listener.
    bare = type(error) is HazelcastError
    return bare or isinstance(error, _LOST) or is_retryable_error(error)


def _of_many(errors: ExceptionGroup[Exception], write: bool) -> GridError:
    """One call a partition: where a write failed in one, it may have been applied in another."""
    found = grid_error(errors.exceptions[0], write=write)
    return UnknownOutcome(str(found)) if write and isinstance(found, GridUnavailable) else found
