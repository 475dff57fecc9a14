"""What the client's errors mean: was the call applied, was it not, or does nobody know?"""

# mypy: allow-untyped-calls
from __future__ import annotations

from hazelcast.errors import (
    AccessControlError,
    AuthenticationError,
    ClientNotAllowedInClusterError,
    ClientOfflineError,
    HazelcastClientNotActiveError,
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


def surely_unapplied(error: Exception, sent: bool) -> bool:
    """Whether a call that failed so, `sent` or not, has changed nothing."""
    return not sent or isinstance(error, _NOT_APPLIED)


def grid_error(error: Exception, *, write: bool) -> GridError:
    """The port's error for one of the client's, met in a call that does or does not write."""
    if isinstance(error, ExceptionGroup):
        return _of_many(error, write)
    if isinstance(error, SplitBrainProtectionError):
        return GridUnavailable(f"split-brain protection: the grid has too few members: {error}")
    if isinstance(error, _NOT_APPLIED):
        return GridUnavailable(f"no connection to the grid: {error}")
    if isinstance(error, _REFUSED):
        return GridRefused(str(error))
    if isinstance(error, _LOST) or is_retryable_error(error):
        reason = f"{type(error).__name__}: {error}"
        return UnknownOutcome(reason) if write else GridUnavailable(reason)
    return GridError(f"{type(error).__name__}: {error}")


def _of_many(errors: ExceptionGroup[Exception], write: bool) -> GridError:
    """One call a partition: where a write failed in one, it may have been applied in another."""
    found = grid_error(errors.exceptions[0], write=write)
    return UnknownOutcome(str(found)) if write and isinstance(found, GridUnavailable) else found
