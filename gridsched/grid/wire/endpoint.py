"""One client's connection to one member."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from types import CoroutineType
from typing import Any, Final, cast
from uuid import UUID

from gridsched.errors import GridUnavailable
from gridsched.grid.wire.answers import Answer, find
from gridsched.grid.wire.codec import encode_errors
from gridsched.grid.wire.errors import (
    AuthenticationFailed,
    ServerError,
    UnsupportedOperation,
    holders_of,
)
from gridsched.grid.wire.frames import BACKUP_AWARE, MalformedMessage, Message, MessageReader
from gridsched.grid.wire.services import Services
from gridsched.grid.wire.unsupported import explain

GREETING: Final = b"CP2"
"""What a client of the binary protocol sends first."""

MAX_UNKNOWN_MESSAGE: Final = 1 << 16
"""Bytes of a message of a client that is not authenticated yet."""
MAX_MESSAGE: Final = 1 << 28
MAX_BACKLOG: Final = 1 << 26
"""Bytes that may wait for a client that does not read them, before it is dropped."""
PAUSE_ABOVE: Final = 1 << 20
"""Bytes that may wait for a client before no more of its requests are read."""

LINGER: Final = 0.2
"""Seconds that a client has to notice that a member is gone."""

_log = logging.getLogger(__name__)


class Endpoint(asyncio.Protocol):
    """Reads requests, has them answered in the order they came, and sends answers and events.

    Only an answer that waits for something (a lock, an item) comes out of order. `correlation` and
    `partition` are those of the request which is being answered. `connected` are the endpoints of all
    clients and members: this one is among them while its connection lasts.
    """

    def __init__(self, services: Services, member: str, connected: set[Endpoint]) -> None:
        self.services = services
        self.member = member
        self.client: UUID | None = None
        self.correlation = 0
        self.partition = -1
        self.last_read = 0.0
        self.authenticated = False
        self.closed = asyncio.Event()
        self._connected = connected
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._greeting = b""
        self._reader = MessageReader(MAX_UNKNOWN_MESSAGE)
        self._out: list[bytes] = []
        self._flushing = False
        self._gone = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._registrations: dict[UUID, Callable[[], None]] = {}
        self._peer = "?"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(PAUSE_ABOVE)
        self._peer = _written(transport.get_extra_info("peername"))
        self.last_read = self._loop.time()
        self._connected.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connected.discard(self)
        self._transport = None
        self.closed.set()
        self._give_up()
        elsewhere = any(other.client == self.client for other in self._connected)
        if self.client is not None and not elsewhere:
            self.services.release_locks(self.client)

    def data_received(self, data: bytes) -> None:
        if self._gone:
            return
        self.last_read = self._loop.time()
        self._flushing = True
        try:
            if len(self._greeting) < len(GREETING):
                data = self._greet(data)
            for message in self._reader.feed(data):
                self._answer(message)
        except MalformedMessage as error:
            self.drop(f"what it sent is no message: {error}")
        finally:
            self._flush()

    def pause_writing(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def admit(self, client: UUID) -> None:
        """The client has authenticated."""
        self.client = client
        self.authenticated = True
        self._reader.limit = MAX_MESSAGE

    def send(self, message: bytes) -> None:
        """Send an answer or event, together with all others of this turn of the loop."""
        self._out.append(message)
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def tell(self, event: bytes) -> None:
        """Send an event of an entry, item or message."""
        if not self.services.faults.lose_events:
            self.send(event)

    def loop_time(self) -> float:
        """Seconds on the loop's clock."""
        return self._loop.time()

    def register(self, cancel: Callable[[], None]) -> UUID:
        """A new registration, which ends with the connection; `cancel` ends what it stands for."""
        id = self.services.new_uuid()
        self._registrations[id] = cancel
        return id

    def deregister(self, id: UUID | None) -> bool:
        """End a registration; False where there is none."""
        cancel = self._registrations.pop(id, None) if id is not None else None
        if cancel is not None:
            cancel()
        return cancel is not None

    def drop(self, reason: str) -> None:
        """Close the connection at once, and say so in the log."""
        if self._transport is not None:
            _log.warning("the connection of client %s is closed: %s", self._peer, reason)
            self.abort()

    def abort(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def hang_up(self) -> None:
        """End as the connection to a member does that is gone: nothing is answered any more.

        The client is given `LINGER` seconds to notice and to close its end.
        """
        self._gone = True
        self._give_up()
        if self._transport is not None:
            self._transport.write_eof()
            self._loop.call_later(LINGER, self.abort)

    def _give_up(self) -> None:
        """End the registrations, and all that waits for an answer."""
        for cancel in tuple(self._registrations.values()):
            cancel()
        self._registrations.clear()
        for task in tuple(self._tasks):
            task.cancel()

    def _greet(self, data: bytes) -> bytes:
        """Take the greeting from the start of the stream; return what follows it."""
        missing = len(GREETING) - len(self._greeting)
        self._greeting += data[:missing]
        if not GREETING.startswith(self._greeting):
            raise MalformedMessage(f"it begins with {self._greeting!r}")
        return data[missing:]

    def _answer(self, message: Message) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self.correlation, self.partition = message.correlation, message.partition
        try:
            answer = find(message.type)
            if answer is None:
                raise UnsupportedOperation(explain(message.type))
            if not self.authenticated and not answer.is_open:
                raise AuthenticationFailed("a client must authenticate before any operation")
            found = answer.handle(self, *answer.decode(message))
        except Exception as error:
            self._fail(message, error)
            return
        if type(found) is CoroutineType:
            self._await(message, answer, found)
        else:
            self._respond(message, answer, found)

    def _respond(self, message: Message, answer: Answer, values: Any) -> None:
        acks = 0
        if answer.backs_up and message.frames[0][0] & BACKUP_AWARE:
            acks = self.services.acknowledge(self.client, message.partition, message.correlation)
        self._reply(answer.response.encode(message.correlation, values, acks))

    def _reply(self, response: bytes) -> None:
        delay = self.services.faults.answer_delay
        if delay and self.authenticated:
            self._loop.call_later(delay, self.send, response)
        else:
            self.send(response)

    def _await(
        self, message: Message, answer: Answer, waiting: CoroutineType[Any, Any, Any]
    ) -> None:
        async def answered() -> None:
            try:
                self._respond(message, answer, await waiting)
            except Exception as error:
                self._fail(message, error)

        task = self._loop.create_task(answered())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _fail(self, message: Message, error: Exception) -> None:
        expected = isinstance(error, ServerError | GridUnavailable | MalformedMessage)
        if not expected:
            _log.error("request 0x%06x fails: %s: %s", message.type, type(error).__name__, error)
            _log.debug("it failed here", exc_info=error)
        self._reply(encode_errors(message.correlation, holders_of(error)))
        if isinstance(error, AuthenticationFailed):
            self._flush()
            self.close()

    def close(self) -> None:
        """Close the connection after what is sent."""
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        self._flushing = False
        out, self._out = self._out, []
        if self._transport is None or self._gone or not out:
            return
        if self._transport.get_write_buffer_size() > MAX_BACKLOG:
            self.drop(f"{MAX_BACKLOG >> 20} MB wait for it, and it does not read them")
            return
        self._transport.write(out[0] if len(out) == 1 else b"".join(out))


def _written(peer: object) -> str:
    return f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else str(peer)
