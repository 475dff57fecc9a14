"""Runs a data service, a mail server and a node with stock.xml, until the mail has come."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from socketserver import BaseServer
from urllib.parse import urlsplit

import gridsched
from examples.stock_alert.mail_printer import MailPrinter
from examples.stock_alert.product_service import ProductService
from gridsched.config.cache_config import load

CONFIG = Path(__file__).with_name("stock.xml")
PATIENCE = 60.0
"""Seconds until it is given up."""


def main() -> int:
    settings = load(CONFIG).settings
    port = urlsplit(settings.services[0].endpoints[0]).port
    if port is None or settings.smtp is None:
        raise SystemExit(f"{CONFIG} has no port of the service, or no mail server")
    try:
        service, mail = ProductService(port), MailPrinter(settings.smtp.port)
    except OSError as error:
        print(f"ports {port} and {settings.smtp.port} must be free: {error}", file=sys.stderr)
        return 1
    for server in (service, mail):
        serve(server)
    print("A mail is to come when fewer than 10 are left.\n", flush=True)
    with gridsched.start(settings) as node:
        came = mail.got_mail.wait(PATIENCE)
        for event in node.scheduler.jobs(group="EVENTS"):
            print(f"  {event.key}: {event.description}")
    for server in (service, mail):
        server.shutdown()
    return 0 if came else 1


def serve(server: BaseServer) -> None:
    """Serve from a thread of its own."""
    threading.Thread(target=server.serve_forever, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
