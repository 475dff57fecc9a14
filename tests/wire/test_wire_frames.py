"""Bytes to messages: whatever the chunks, fragments put together, limits kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsched.grid.wire.frames import (
    BEGIN_FRAGMENT,
    END_FRAGMENT,
    FINAL,
    REQUEST,
    UNFRAGMENTED,
    Frame,
    MalformedMessage,
    MessageReader,
    pack,
)

LIMIT = 1 << 16


def request(correlation: int, *payloads: bytes) -> bytes:
    head: Frame = (UNFRAGMENTED, REQUEST.pack(0x010200, correlation, 7))
    return pack([head, *((0, payload) for payload in payloads)])


def fragment(flags: int, id: int, *payloads: bytes) -> bytes:
    head: Frame = (flags, id.to_bytes(8, "little"))
    return pack([head, *((0, payload) for payload in payloads)])


def payloads_of(reader: MessageReader, chunk: bytes) -> list[tuple[int, list[bytes]]]:
    return [
        (message.correlation, [payload for _, payload in message.frames[1:]])
        for message in reader.feed(chunk)
    ]


@given(
    st.lists(st.lists(st.binary(max_size=200), max_size=4), min_size=1, max_size=5),
    st.integers(1, 64),
)
def test_messages_come_out_whatever_the_chunks(messages: list[list[bytes]], size: int) -> None:
    stream = b"".join(request(n, *payloads) for n, payloads in enumerate(messages))
    reader = MessageReader(LIMIT)
    found = []
    for at in range(0, len(stream), size):
        found += payloads_of(reader, stream[at : at + size])
    assert found == list(enumerate(messages))


def test_the_header_is_read() -> None:
    (message,) = MessageReader(LIMIT).feed(request(5, b"x"))
    assert (message.type, message.correlation, message.partition) == (0x010200, 5, 7)
    assert message.frames[1] == (FINAL, b"x")


def test_fragments_are_put_together() -> None:
    head = REQUEST.pack(0x010200, 9, 1)
    reader = MessageReader(LIMIT)
    assert payloads_of(reader, fragment(BEGIN_FRAGMENT, 1, head, b"a")) == []
    assert payloads_of(reader, request(2, b"between")) == [(2, [b"between"])]
    assert payloads_of(reader, fragment(0, 1, b"b")) == []
    assert payloads_of(reader, fragment(END_FRAGMENT, 1, b"c")) == [(9, [b"a", b"b", b"c"])]


@pytest.mark.parametrize(
    "stream",
    [
        b"\x05\x00\x00\x00\x00\x00",
        b"\xff\xff\xff\xff\x00\x00",
        b"\xff\xff\xff\x7f\x00\x00",
        pack([(UNFRAGMENTED, b"short")]),
        fragment(0, 3, b"no beginning"),
        pack([(BEGIN_FRAGMENT, b"no id")]),
        fragment(BEGIN_FRAGMENT, 4) + fragment(END_FRAGMENT, 4),
        b"".join(fragment(BEGIN_FRAGMENT, n, b"x") for n in range(100)),
    ],
)
def test_what_is_no_message_is_refused(stream: bytes) -> None:
    with pytest.raises(MalformedMessage):
        list(MessageReader(LIMIT).feed(stream))


def test_a_message_may_not_exceed_the_limit() -> None:
    reader = MessageReader(100)
    list(reader.feed(request(1, b"x" * 50)))
    with pytest.raises(MalformedMessage):
        list(reader.feed(request(2, b"x" * 60, b"x" * 60)))


def test_fragments_may_not_exceed_the_limit_together() -> None:
    reader = MessageReader(100)
    stream = b"".join(fragment(BEGIN_FRAGMENT, n, b"x" * 40) for n in range(10))
    with pytest.raises(MalformedMessage):
        list(reader.feed(stream))


@given(st.binary(max_size=300))
def test_no_bytes_do_harm(stream: bytes) -> None:
    reader = MessageReader(LIMIT)
    try:
        list(reader.feed(stream))
    except MalformedMessage:
        return
