"""A local HTTP service, in a process of its own: `python -m benchmarks.service`.

Prints its port, and answers every request at once with the moment at which it came (epoch seconds).
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import uvloop

_END = b"\r\n\r\n"
_ANSWER = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
)


class _Connection(asyncio.Protocol):
    """Requests without a body, one after the other."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        came = time.time()
        self._received += data
        while _END in self._received:
            self._received = self._received.partition(_END)[2]
            body = f'{{"came": {came:.6f}}}'
            self._transport.write(_ANSWER.format(length=len(body), body=body).encode())


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Service:
    """The service, from `start` to `stop`."""

    async def start(self) -> str:
        """Start it; its URL."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.service", stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout is not None
        return f"http://127.0.0.1:{int(await self._process.stdout.readline())}/"

    async def stop(self) -> None:
        self._process.terminate()
        await self._process.wait()


if __name__ == "__main__":
    uvloop.run(serve())
