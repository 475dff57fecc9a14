"""Listeners for lost partitions, which the official Python client does not have."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from hazelcast.protocol.builtin import FixSizedTypesCodec, StringCodec
from hazelcast.protocol.client_message import (
    REQUEST_HEADER_SIZE,
    InboundMessage,
    OutboundMessage,
    create_initial_buffer,
)

_OF_PARTITIONS = 0x000600
_OF_MAP_PARTITIONS = 0x011B00
_EVENT_FIELDS = 16
_RESPONSE_FIELDS = 13
_INT = struct.Struct("<i")


class Loss(NamedTuple):
    """A lost partition as a client is told of it; of a map without the number of backups."""

    partition: int
    lost_backups: int | None
    source: str


def listen(client: Any, *, local_only: bool, map_name: str | None = None) -> list[Loss]:
    """Collects what a client hears: of a map's partitions where it is named, else of all."""
    heard: list[Loss] = []

    def handle(message: InboundMessage) -> None:
        fields = message.next_frame().buf[_EVENT_FIELDS:]
        (partition,) = _INT.unpack_from(fields)
        lost_backups = _INT.unpack_from(fields, _INT.size)[0] if map_name is None else None
        uuid_at = _INT.size * (2 if map_name is None else 1)
        source = str(FixSizedTypesCodec.decode_uuid(fields, uuid_at))
        heard.append(Loss(partition, lost_backups, source))

    client._listener_service.register_listener(
        _request(local_only, map_name),
        lambda response: FixSizedTypesCodec.decode_uuid(
            response.next_frame().buf, _RESPONSE_FIELDS
        ),
        lambda registration: None,
        handle,
    ).result()
    return heard


def _request(local_only: bool, map_name: str | None) -> OutboundMessage:
    type = _OF_PARTITIONS if map_name is None else _OF_MAP_PARTITIONS
    buffer = create_initial_buffer(REQUEST_HEADER_SIZE + 1, type, map_name is None)
    FixSizedTypesCodec.encode_boolean(buffer, REQUEST_HEADER_SIZE, local_only)
    if map_name is not None:
        StringCodec.encode(buffer, map_name, True)
    return OutboundMessage(buffer, False)
