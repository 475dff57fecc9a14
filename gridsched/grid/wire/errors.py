"""What a member answers where it cannot do what was asked: Hazelcast's error holders.

Clients map the code to an exception of their own. Codes and class names are those of
ClientProtocolErrorCodes and ClientExceptionFactory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from gridsched.errors import GridUnavailable
from gridsched.grid.wire.frames import MalformedMessage

Holder = tuple[int, str, str | None, Sequence[Any]]
"""Error code, class name, message, stack trace elements."""


class ServerError(Exception):
    """A request fails, and its client is told so."""

    code: ClassVar[int] = 48
    class_name: ClassVar[str] = "java.lang.RuntimeException"


class AuthenticationFailed(ServerError):
    code = 3
    class_name = "com.hazelcast.client.AuthenticationException"


class ClassCast(ServerError):
    code = 10
    class_name = "java.lang.ClassCastException"


class DistributedObjectDestroyed(ServerError):
    code = 14
    class_name = "com.hazelcast.spi.exception.DistributedObjectDestroyedException"


class SerializationFailed(ServerError):
    code = 21
    class_name = "com.hazelcast.nio.serialization.HazelcastSerializationException"


class InstanceNotActive(ServerError):
    code = 19
    class_name = "com.hazelcast.core.HazelcastInstanceNotActiveException"


class IllegalArgument(ServerError):
    code = 23
    class_name = "java.lang.IllegalArgumentException"


class IllegalMonitorState(ServerError):
    code = 26
    class_name = "java.lang.IllegalMonitorStateException"


class IllegalState(ServerError):
    code = 27
    class_name = "java.lang.IllegalStateException"


class IndexOutOfBounds(ServerError):
    code = 29
    class_name = "java.lang.IndexOutOfBoundsException"


class NumberFormat(ServerError):
    """Without a code of its own: clients know it by its name."""

    code = 0
    class_name = "java.lang.NumberFormatException"


class NullPointer(ServerError):
    code = 37
    class_name = "java.lang.NullPointerException"


class QueryFailed(ServerError):
    code = 40
    class_name = "com.hazelcast.query.QueryException"


class StaleSequence(ServerError):
    code = 51
    class_name = "com.hazelcast.ringbuffer.StaleSequenceException"


class UnsupportedOperation(ServerError):
    code = 61
    class_name = "java.lang.UnsupportedOperationException"


def holders_of(error: Exception) -> list[Holder]:
    """The error as a client is told of it."""
    if isinstance(error, ServerError):
        return [(error.code, error.class_name, str(error), ())]
    if isinstance(error, GridUnavailable):
        return [(InstanceNotActive.code, InstanceNotActive.class_name, str(error), ())]
    if isinstance(error, MalformedMessage):
        return [(SerializationFailed.code, SerializationFailed.class_name, str(error), ())]
    text = f"{type(error).__name__}: {error}"
    return [(ServerError.code, ServerError.class_name, text, ())]
