"""The Hazelcast client as gridsched needs it.

The client's public proxies serve every call but one. This file alone reaches below them, because
the client offers no other way to

- keep keys and values as `Data` bytes instead of deserialising them;
- tell a cluster that refuses this client from one that is not there, and not wait for ever for a
  server that accepts a connection and never answers;
- look for the cluster once when opening, and for ever after losing it;
- send a compare-and-set without an asyncio task and a future of its own (`Call`);
- leave a change alone whose outcome is unknown, instead of sending it twice;
- lose a server without a trace in the log.

`tests/grid/test_hazelcast_client.py` fails where a later client has moved what is used here.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from hazelcast.asyncio import HazelcastClient
from hazelcast.config import Config
from hazelcast.errors import (
    AuthenticationError,
    ClientNotAllowedInClusterError,
    HazelcastInstanceNotActiveError,
    MemberLeftError,
)
from hazelcast.internal.asyncio_invocation import Invocation
from hazelcast.serialization.data import Data

WITHOUT_LIMIT: Final = -1
"""A `cluster_connect_timeout` that never comes."""


class Call(Invocation):
    """An invocation that is its own future: the client hands it the answer, nothing awaits it.

    A subclass says in `set_result` and `set_exception` what becomes of the answer. They are
    called exactly once, on the loop.
    """

    __slots__ = ()

    def __init__(self, request: Any, partition_id: int, decode: Callable[[Any], object]) -> None:
        # The base makes an asyncio.Future here; all else is as it has it.
        self.request = request
        self.partition_id = partition_id
        self.response_handler = decode
        self.uuid = self.connection = self.event_handler = None
        self.timeout = self.sent_connection = self.pending_response = None
        self.urgent = False
        self.backup_acks_received = 0
        self.backup_acks_expected = self.pending_response_received_time = -1

    @property
    def future(self) -> Call:  # type: ignore[override]
        return self

    @property
    def sent(self) -> bool:
        """Whether the request is on its way, so that it may have been applied."""
        return self.sent_connection is not None

    def cancelled(self) -> bool:
        return False

    def done(self) -> bool:
        return False

    def set_result(self, result: Any) -> None:
        raise NotImplementedError

    def set_exception(self, error: Exception) -> None:
        raise NotImplementedError


class Client:
    """A Hazelcast client whose proxies take and give `Data` bytes.

    `refusal` is the last reason for which a server refused this client, None while none has.
    """

    def __init__(self, config: Config, answer_timeout: float) -> None:
        self.hazelcast: Any = HazelcastClient(config)
        self.refusal: Exception | None = None
        self.invoke: Callable[[Call], None] = self.hazelcast._invocation_service.invoke
        self._config = config
        self._answer_timeout = answer_timeout
        _keep_bytes(self.hazelcast._serialization_service)
        _never_repeat_calls(self.hazelcast._invocation_service)
        _drop_what_is_written_too_late(self.hazelcast._reactor)
        self._watch_authentication(self.hazelcast._connection_manager)

    async def start(self) -> None:
        """Try each address once; from then on look for a lost cluster for ever."""
        try:
            await self.hazelcast._start()
        except BaseException:
            await self.hazelcast.shutdown()
            raise
        manager = self.hazelcast._connection_manager
        self._config.cluster_connect_timeout = WITHOUT_LIMIT
        manager._wait_strategy = manager._init_wait_strategy(self._config)

    def _watch_authentication(self, manager: Any) -> None:
        """Bound the wait for each server's answer, and remember a refusal.

        The client waits for the answer without limit, and reports a refusal as any other failure.
        """
        authenticated = manager._on_auth

        async def on_auth(answer: Awaitable[object], connection: object) -> object:
            try:
                return await authenticated(
                    asyncio.wait_for(answer, self._answer_timeout), connection
                )
            except (AuthenticationError, ClientNotAllowedInClusterError) as refusal:
                self.refusal = refusal
                raise

        manager._on_auth = on_auth


def _keep_bytes(serialization: Any) -> None:
    """Let `bytes` through the proxies as `Data`, both ways; predicates are serialised as ever."""
    serialize = serialization.to_data

    def to_data(value: object, partitioning_strategy: object = None) -> Any:
        return Data(value) if type(value) is bytes else serialize(value, partitioning_strategy)

    def to_object(value: Any) -> Any:
        return value.buffer if isinstance(value, Data) else value

    serialization.to_data = to_data
    serialization.to_object = to_object


def _drop_what_is_written_too_late(reactor: Any) -> None:
    """Write nothing to a connection that its server has closed, were it before it let this client in.

    asyncio drops it silently, uvloop raises in a callback, which ends as a trace in the log. The
    calls fail all the same, once the client has noticed.
    """
    connect = reactor.connection_factory

    def connection_factory(*args: Any) -> Any:
        connection = connect(*args)
        create = connection._create_protocol
        connection._create_protocol = lambda: _while_open(create())
        return connection

    reactor.connection_factory = connection_factory


def _while_open(protocol: Any) -> Any:
    write = protocol._do_write

    def do_write() -> None:
        if not protocol._transport.is_closing():
            write()

    protocol._do_write = do_write
    return protocol


def _never_repeat_calls(invocations: Any) -> None:
    """Fail a `Call` where a member went away with it, though the client would send it again.

    The change may have been applied on a backup; sent again, it would be refused for what it had
    done itself.
    """
    should_retry = invocations._should_retry

    def retry_if_unapplied(invocation: object, error: Exception) -> bool:
        gone = isinstance(error, HazelcastInstanceNotActiveError | MemberLeftError)
        if gone and isinstance(invocation, Call):
            return False
        return bool(should_retry(invocation, error))

    invocations._should_retry = retry_if_unapplied
