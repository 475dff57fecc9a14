"""A client that speaks the protocol byte by byte, and may speak it badly."""

from __future__ import annotations

import socket
import struct
from typing import Self

from hazelcast.protocol.codec import client_authentication_codec, client_ping_codec
from wire_clients import PATIENCE

GREETING = b"CP2"
_HEADER = struct.Struct("<iH")
_FINAL = 1 << 13
TIMEOUT = PATIENCE


class RawClient:
    """A socket to a member."""

    def __init__(self, address: str, greeting: bytes = GREETING) -> None:
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), TIMEOUT)
        self.socket.sendall(greeting)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes; the other side may have closed."""
        try:
            self.socket.sendall(data)
        except OSError:
            return

    def message(self) -> bytes:
        """The next message; b"" where the connection is closed."""
        found = b""
        while True:
            header = self._exactly(_HEADER.size)
            if not header:
                return b""
            length, flags = _HEADER.unpack(header)
            found += header + self._exactly(length - _HEADER.size)
            if flags & _FINAL:
                return found

    def is_closed(self) -> bool:
        """Whether the member closes the connection; reads until it does."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True

    def authenticate(self, cluster_name: str = "dev", version: int = 1) -> int:
        """The status with which the member answers."""
        request = client_authentication_codec.encode_request(
            cluster_name, None, None, None, "PYH", version, "5.7.0", "raw", []
        )
        self.send(bytes(request.buf))
        return self.message()[_HEADER.size + 13]

    def ping(self) -> bytes:
        """The member's answer to a ping."""
        self.send(bytes(client_ping_codec.encode_request().buf))
        return self.message()

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            chunk = self.socket.recv(size - len(found))
            if not chunk:
                return b""
            found += chunk
        return found
