"""A real HTTP service for tests: its paths are what a task may meet."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

BOMB = b"""<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>
<b>&b;</b>"""
STOCK = b'<?xml version="1.0"?><p:stock xmlns:p="urn:shop"><p:quantity>7</p:quantity></p:stock>'


class HttpService:
    """Serves on 127.0.0.1 until its end.

    requests     what was asked: method, path, headers, body
    connections  how many were made
    failures     how many requests of /flaky are yet to fail
    quantity     what getProductQuantity answers
    released     set at the end: what hangs ends with it
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.connections = 0
        self.cut = 0
        self.failures = 0
        self.quantity = 7
        self.released = threading.Event()
        service = self

        class Handler(_Handler):
            serves = service

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    serves: HttpService
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.serves.connections += 1
        super().setup()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _serve(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.serves.requests.append((self.command, self.path, dict(self.headers.items()), body))
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        try:
            getattr(self, f"_{url.path.strip('/').partition('/')[0]}")(query)
        except OSError:
            self.serves.cut += 1

    def answer(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _json(self, _query: dict[str, str]) -> None:
        self.answer(200, "application/json", b'{"quantity": 7}', ETag="1", X_Other="2")

    def _xml(self, _query: dict[str, str]) -> None:
        self.answer(200, "application/xml", STOCK)

    def _getProductQuantity(self, _query: dict[str, str]) -> None:  # noqa: N802
        body = (
            '<Products xmlns="http://ws.wso2.org/dataservice"><Product>'
            f"<quantity>{self.serves.quantity}</quantity></Product></Products>"
        )
        self.answer(200, "application/xml", body.encode())

    def _bomb(self, _query: dict[str, str]) -> None:
        self.answer(200, "application/xml", BOMB)

    def _lie(self, _query: dict[str, str]) -> None:
        self.answer(200, "application/json", b"<html>no</html>")

    def _huge(self, _query: dict[str, str]) -> None:
        self.answer(200, "text/plain", b"x" * 2_000_000)

    def _echo(self, _query: dict[str, str]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        sent = {"path": self.path, "headers": headers}
        self.answer(200, "application/json", json.dumps(sent).encode(), Location=self.path)

    def _status(self, query: dict[str, str]) -> None:
        body = f"no: {self.headers.get('Authorization', 'nobody')} {self.path}\n\x00".encode()
        self.answer(int(query["of"]), "text/plain", body)

    def _flaky(self, _query: dict[str, str]) -> None:
        self.serves.failures -= 1
        if self.serves.failures >= 0:
            self.answer(500, "text/plain", b"not yet")
        else:
            self.answer(200, "text/plain", b"at last")

    def _redirect(self, query: dict[str, str]) -> None:
        self.answer(int(query.get("status", 302)), "", b"", Location=query["to"])

    def _ring(self, _query: dict[str, str]) -> None:
        self.answer(302, "", b"", Location="/ring")

    def _hang(self, _query: dict[str, str]) -> None:
        self.serves.released.wait(30)

    def _drip(self, query: dict[str, str]) -> None:
        """A byte now and then, for ever: of the header, or of the body."""
        self.close_connection = True
        if "header" in query:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        else:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while not self.serves.released.wait(0.02):
            self.wfile.write(b"x")

    def _flood(self, _query: dict[str, str]) -> None:
        """As much as it can, for ever."""
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while not self.serves.released.is_set():
            self.wfile.write(b"x" * 65_536)

    def _broken(self, _query: dict[str, str]) -> None:
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    def _nothing(self, _query: dict[str, str]) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


for _method in ("GET", "HEAD", "POST"):
    setattr(_Handler, f"do_{_method}", _Handler._serve)


def refusing_port() -> int:
    """A port of 127.0.0.1 where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
