"""What the adapter uses of the client's private parts is still there, and still means the same.

These tests need no member. Where one fails after an update of the client, the place to look at is
`gridsched/grid/hazelcast/client.py`, or `requests.py` for the bytes.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from conformance import PATIENCE
from hazelcast.config import Config
from hazelcast.errors import (
    HazelcastInstanceNotActiveError,
    MemberLeftError,
    TargetDisconnectedError,
    WrongTargetError,
)
from hazelcast.internal.asyncio_connection import ConnectionManager
from hazelcast.internal.asyncio_invocation import Invocation
from hazelcast.internal.asyncio_reactor import AsyncioConnection, HazelcastProtocol
from hazelcast.predicate import true
from hazelcast.protocol.codec import (
    map_put_if_absent_codec,
    map_remove_if_same_codec,
    map_replace_if_same_codec,
)
from hazelcast.serialization.data import Data

from gridsched.errors import GridError, GridUnavailable, UnknownOutcome
from gridsched.grid.data import json_value, partition_of, string_key
from gridsched.grid.hazelcast.client import Call, Client
from gridsched.grid.hazelcast.outcomes import grid_error, surely_unapplied
from gridsched.grid.hazelcast.pipeline import Window
from gridsched.grid.hazelcast.predicates import predicate
from gridsched.grid.hazelcast.requests import ChangeRequests
from gridsched.grid.port import Change

KEY, OLD, NEW = string_key("kéy", "owner"), json_value(b'{"n":1}'), json_value(b'{"n":22}')


def client() -> Client:
    return Client(Config(), 1.0)


async def test_bytes_cross_the_proxies_untouched() -> None:
    serialization = client().hazelcast._serialization_service
    assert serialization.to_data(KEY).buffer is KEY
    assert serialization.to_object(Data(NEW)) is NEW
    assert serialization.to_object(None) is None
    assert serialization.to_data(true()).get_type() == -2


async def test_a_call_is_a_whole_invocation() -> None:
    ours, theirs = Call("request", 7, repr), Invocation("request", 7, response_handler=repr)
    for name in Invocation.__slots__:
        if name != "future":
            assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.future is ours
    assert not ours.sent


async def test_the_client_takes_a_call_for_a_future() -> None:
    class Kept(Call):
        __slots__ = ("kept",)

        def set_exception(self, error: Exception) -> None:
            self.kept = error

    unstarted = client()
    request, decode = ChangeRequests("map").of(Change(KEY, None, NEW))
    call = Kept(request, 3, decode)
    unstarted.invoke(call)
    assert isinstance(call.kept, Exception)
    assert not call.sent


@pytest.mark.parametrize("error", [HazelcastInstanceNotActiveError(), MemberLeftError()])
async def test_only_calls_are_left_alone_where_a_member_goes(error: Exception) -> None:
    invocations = client().hazelcast._invocation_service
    request, decode = ChangeRequests("map").of(Change(KEY, None, NEW))
    assert not invocations._should_retry(Call(request, 3, decode), error)
    assert invocations._should_retry(Call(request, 3, decode), WrongTargetError())
    assert invocations._should_retry(Invocation(request), error)


async def test_nothing_is_written_to_a_closed_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first byte on: a server may close it before it has let the client in."""
    written: list[bytes] = []
    transport = SimpleNamespace(write=written.append, is_closing=lambda: False)
    connection: Any = MagicMock(_loop=asyncio.get_running_loop())
    connection._create_protocol = partial(AsyncioConnection._create_protocol, connection)
    monkeypatch.setattr(AsyncioConnection, "create_and_connect", lambda *_: connection)
    manager = client().hazelcast._connection_manager
    made = manager._reactor.connection_factory(manager, 1, None, None, None)
    protocol = made._create_protocol()
    protocol.connection_made(transport)
    await asyncio.sleep(0)
    transport.is_closing = lambda: True
    protocol.write(b"too late")
    await asyncio.sleep(0)
    assert written == [HazelcastProtocol.PROTOCOL_STARTER]


def test_the_client_connects_as_it_did() -> None:
    assert list(inspect.signature(ConnectionManager._on_auth).parameters) == [
        "self",
        "response",
        "connection",
    ]
    assert "self._on_auth(" in inspect.getsource(ConnectionManager)
    assert "self._wait_strategy.reset()" in inspect.getsource(ConnectionManager)


@pytest.mark.parametrize(
    ("change", "encoded"),
    [
        (
            Change(KEY, None, NEW),
            lambda: map_put_if_absent_codec.encode_request("map", Data(KEY), Data(NEW), 0, -1),
        ),
        (
            Change(KEY, OLD, NEW),
            lambda: map_replace_if_same_codec.encode_request(
                "map", Data(KEY), Data(OLD), Data(NEW), 0
            ),
        ),
        (
            Change(KEY, OLD, None),
            lambda: map_remove_if_same_codec.encode_request("map", Data(KEY), Data(OLD), 0),
        ),
    ],
)
def test_requests_are_what_the_codecs_write(change: Change, encoded: Callable[[], Any]) -> None:
    request, _ = ChangeRequests("map").of(change)
    assert request.buf == encoded().buf
    assert not request.retryable


def test_a_change_to_nothing_from_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="old value"):
        ChangeRequests("map").of(Change(KEY, None, None))


async def test_a_partition_is_named_by_a_key_that_lives_there() -> None:
    serialize = client().hazelcast._serialization_service.to_data
    some = serialize(predicate([], [5, 270, 5], 271)).buffer
    every = serialize(predicate([], None, 271)).buffer
    header, payload = some[:13], some[13:]
    assert header[4:] == b"\xff\xff\xff\xfe\x01\xff\xff\xff\xec"
    assert payload[:12] == b"\x00\x00\x00\x15\xff\xff\xff\xdb\x00\x00\x00\x02"
    assert payload.endswith(every[4:])
    keys, partitions = payload[12 : -len(every[4:])], set()
    while keys:
        size = 8 + int.from_bytes(keys[4:8], "big")
        partitions.add(partition_of(b"\x00" * 4 + keys[:size]))
        keys = keys[size:]
    assert partitions == {5, 270}


def test_what_an_error_says_about_its_call() -> None:
    lost = TargetDisconnectedError("gone\n\tat a.stack.Trace")
    assert not surely_unapplied(lost, sent=True)
    assert surely_unapplied(OSError("no connection"), sent=False)
    assert isinstance(grid_error(lost, write=True), UnknownOutcome)
    assert isinstance(grid_error(lost, write=False), GridUnavailable)
    assert "stack" not in str(grid_error(lost, write=True))
    both = ExceptionGroup("one of them wrote", [OSError("no connection")])
    assert isinstance(grid_error(both, write=True), UnknownOutcome)
    assert type(grid_error(ValueError("odd"), write=True)) is GridError


async def test_a_full_window_lets_waiters_in_when_half_of_it_is_free() -> None:
    window = Window(limit=4, timeout=PATIENCE)
    window.in_flight = 4
    waiting = [asyncio.ensure_future(window.room()) for _ in range(2)]
    await asyncio.sleep(0)
    window.leave()
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    window.leave()
    await asyncio.gather(waiting[0])
    assert not waiting[1].done()
    window.leave()
    await waiting[1]


async def test_a_cancelled_waiter_passes_its_turn_on() -> None:
    window = Window(limit=1, timeout=PATIENCE)
    window.in_flight = 1
    first, second = (asyncio.ensure_future(window.room()) for _ in range(2))
    await asyncio.sleep(0)
    window.leave()
    first.cancel()
    async with asyncio.timeout(PATIENCE / 2):
        await second


async def test_a_window_that_stays_full_times_out() -> None:
    window = Window(limit=1, timeout=0.01)
    window.in_flight = 1
    with pytest.raises(TimeoutError):
        await window.room()
