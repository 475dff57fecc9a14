"""A data service in miniature: each time it is asked, three more were sold."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = (
    '<Products xmlns="http://ws.wso2.org/dataservice">'
    "<Product><name>Blue jug</name><quantity>{}</quantity></Product></Products>"
)


class ProductService(ThreadingHTTPServer):
    """Has the operation getProductQuantity, on a port of this machine."""

    def __init__(self, port: int, quantity: int = 19) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.quantity = quantity

    def sell(self) -> int:
        """How many are left, after three more were sold."""
        self.quantity = max(0, self.quantity - 3)
        return self.quantity


class _Handler(BaseHTTPRequestHandler):
    server: ProductService

    def do_GET(self) -> None:
        if not self.path.endswith("/getProductQuantity"):
            self.send_error(404)
            return
        left = self.server.sell()
        print(f"  getProductQuantity: {left} left", flush=True)
        body = ANSWER.format(left).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what it answers is printed above."""
