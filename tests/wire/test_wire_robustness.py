"""Bad clients: each is answered or dropped, and everybody else goes on."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wire_clients import Clients, eventually
from wire_raw import RawClient

from gridsched.grid.wire import endpoint
from gridsched.grid.wire.frames import REQUEST, UNFRAGMENTED, Frame, pack
from gridsched.grid.wire.messages import DEFINITIONS
from gridsched.testing import GridServer

AUTHENTICATED, CREDENTIALS_FAILED, VERSION_MISMATCH = 0, 1, 2
IDS = sorted(definition.id for definition in DEFINITIONS.values())


@pytest.fixture
def well(client: Any, name: str) -> Iterator[None]:
    """A good client, whose work goes on whatever the test does."""
    held = client.get_map(name).blocking()
    held.put("before", 1)
    yield
    assert held.get("before") == 1


def of_the_grid(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What the grid has logged. A client of an earlier test may say yet that its server is gone."""
    return [record for record in caplog.records if record.name.startswith("gridsched")]


def request(type: int, *payloads: bytes, fixed: bytes = b"") -> bytes:
    head: Frame = (UNFRAGMENTED, REQUEST.pack(type, 1, -1) + fixed)
    return pack([head, *((0, payload) for payload in payloads)])


@pytest.mark.parametrize(
    "stream",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"CP1",
        b"HZC",
        b"CP2\x00\x00\x00\x00\x00\x00",
        b"CP2\xff\xff\xff\xff\xff\xff",
        b"CP2\xff\xff\xff\x7f\x00\xc0",
        b"CP2" + request(0x000B00)[:10] + b"\xff" * 40,
    ],
)
def test_garbage_closes_its_connection(
    server: GridServer, well: None, stream: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with RawClient(server.addresses[0], stream) as raw:
        assert raw.is_closed()
    assert [record.levelno for record in of_the_grid(caplog)] == [logging.WARNING]


def test_a_message_of_a_stranger_is_small(server: GridServer, well: None) -> None:
    with RawClient(server.addresses[0]) as raw:
        raw.send(request(0x000100, b"x" * (endpoint.MAX_UNKNOWN_MESSAGE + 1)))
        assert raw.is_closed()


def test_half_a_message_waits_for_the_rest(server: GridServer, well: None) -> None:
    with RawClient(server.addresses[0]) as raw:
        assert raw.authenticate() == AUTHENTICATED
        ping = request(0x000B00)
        raw.send(ping[:7])
        raw.send(ping[7:])
        assert raw.message()


def test_statuses_of_authentication(server: GridServer) -> None:
    for cluster_name, version, status in [
        ("dev", 1, AUTHENTICATED),
        ("another", 1, CREDENTIALS_FAILED),
        ("dev", 9, VERSION_MISMATCH),
    ]:
        with RawClient(server.addresses[0]) as raw:
            assert raw.authenticate(cluster_name, version) == status


def test_nothing_is_done_for_a_stranger(server: GridServer, well: None) -> None:
    with RawClient(server.addresses[0]) as raw:
        assert b"AuthenticationException" in raw.ping()
        assert raw.is_closed()


def test_an_unknown_request_is_answered_at_once(server: GridServer, well: None) -> None:
    with RawClient(server.addresses[0]) as raw:
        raw.authenticate()
        raw.send(request(0x7F0100))
        answer = raw.message()
        assert b"java.lang.UnsupportedOperationException" in answer
        assert b"0x7f0100" in answer
        assert raw.ping()


@pytest.mark.parametrize(
    ("type", "why"),
    [(0x012E00, b"Java code"), (0x150200, b"transactions"), (0x210400, b"SQL"), (0x1E0100, b"CP")],
)
def test_what_is_not_supported_says_why(server: GridServer, type: int, why: bytes) -> None:
    with RawClient(server.addresses[0]) as raw:
        raw.authenticate()
        raw.send(request(type))
        answer = raw.message()
        assert b"UnsupportedOperationException" in answer
        assert why in answer


def test_a_request_without_its_fields_is_answered(server: GridServer, well: None) -> None:
    with RawClient(server.addresses[0]) as raw:
        raw.authenticate()
        raw.send(request(0x010100, b"map"))
        assert b"HazelcastSerializationException" in raw.message()
        assert raw.ping()


def test_half_open_connections_cost_nobody_else(server: GridServer, well: None) -> None:
    silent = [RawClient(server.addresses[0], b"") for _ in range(50)]
    with RawClient(server.addresses[0]) as raw:
        assert raw.authenticate() == AUTHENTICATED
    for held in silent:
        held.socket.close()


def test_a_client_that_resets_costs_nobody_else(server: GridServer, well: None) -> None:
    for _ in range(10):
        raw = RawClient(server.addresses[0])
        raw.send(request(0x000100, b"x")[:20])
        linger = struct.pack("ii", 1, 0)
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        raw.socket.close()


def test_a_client_that_reads_nothing_is_dropped(
    connect: Clients, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(endpoint, "MAX_BACKLOG", 1 << 20)
    with GridServer(members=1) as server, RawClient(server.addresses[0]) as raw:
        raw.authenticate()
        raw.send(request(0x040200, b"news", fixed=b"\0"))
        assert raw.message()
        news = connect(server).get_topic("news").blocking()
        message = "x" * (1 << 18)

        def is_dropped() -> bool:
            news.publish(message)
            return "does not read" in caplog.text

        eventually(is_dropped)
        assert raw.is_closed()
        news.publish(message)


def test_there_is_an_end_to_connections(monkeypatch: pytest.MonkeyPatch, connect: Clients) -> None:
    monkeypatch.setattr("gridsched.grid.wire.server.MAX_CONNECTIONS", 3)
    with GridServer(members=1) as server:
        client = connect(server)
        held = [RawClient(server.addresses[0]) for _ in range(2)]
        assert all(raw.authenticate() == AUTHENTICATED for raw in held)
        with RawClient(server.addresses[0]) as raw:
            assert raw.is_closed()
        client.get_map("m").blocking().put(1, 1)
        for raw in held:
            raw.socket.close()


def test_it_warns_of_clients_from_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    with GridServer(host="0.0.0.0"):
        assert "whoever reaches that address" in caplog.text
    caplog.clear()
    with GridServer(host="localhost"):
        assert not of_the_grid(caplog)


def test_strangers_do_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridsched.grid.wire.server.AUTHENTICATION_TIMEOUT", 0.1)
    monkeypatch.setattr("gridsched.grid.wire.server.WATCH_INTERVAL", 0.05)
    with GridServer(members=1) as server, RawClient(server.addresses[0]) as raw:
        assert raw.is_closed()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(IDS), st.lists(st.binary(max_size=40), max_size=6), st.binary(max_size=60))
def test_no_request_does_harm(
    server: GridServer, well: None, id: int, payloads: list[bytes], fixed: bytes
) -> None:
    with RawClient(server.addresses[0]) as raw:
        raw.authenticate()
        raw.send(request(id, *payloads, fixed=fixed))
        raw.send(request(0x7F0100))
        while (answer := raw.message()) and b"0x7f0100" not in answer:
            pass


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(-140, 5), st.binary(max_size=80))
def test_no_predicate_does_harm(
    server: GridServer, client: Any, well: None, type: int, payload: bytes
) -> None:
    client.get_map("fuzzed").blocking().put("k", "v")
    predicate = bytes(4) + struct.pack(">i", type) + payload
    with RawClient(server.addresses[0]) as raw:
        raw.authenticate()
        raw.send(request(0x012800, b"fuzzed", predicate))
        assert raw.message()
