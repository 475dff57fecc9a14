"""The subscribers of events: an HTTP service outside the cluster, which writes down what it answers."""

from __future__ import annotations

import contextlib
import threading
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks.chaos.record import WrittenRecord
from gridsched.simulation.jobs import REFUSALS


class Subscribers:
    """Each has a path at `url`, and takes events or not as those of a simulation do. They serve from
    `start` to `close`, and write to this record of runs."""

    def __init__(self, runs: Path) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, WrittenRecord(runs)))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """A POST to /NAME?run=…&attempt=…"""

    def __init__(self, record: WrittenRecord, *arguments: Any) -> None:
        self._record = record
        super().__init__(*arguments)

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        name, query = url.path.removeprefix("/"), parse_qs(url.query)
        (run,), attempt = query["run"], int(query["attempt"][0])
        length = int(self.headers["Content-Length"])
        if len(self.rfile.read(length)) < length:
            return  # its caller died while it sent
        if name == "hung" and attempt == 1:
            self._hang()
            self._record.ended(run, "cancelled")
        elif attempt <= REFUSALS[name]:
            self._record.ended(run, "failed")
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            self._record.ended(run, "ok")
            self._answer(HTTPStatus.NO_CONTENT)

    def _hang(self) -> None:
        """Until the caller gives up."""
        with contextlib.suppress(ConnectionError):
            self.connection.recv(1)

    def _answer(self, status: HTTPStatus) -> None:
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass
