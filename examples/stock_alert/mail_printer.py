"""A mail server in miniature: it takes every mail, and prints it."""

from __future__ import annotations

import threading
from socketserver import StreamRequestHandler, ThreadingTCPServer


class MailPrinter(ThreadingTCPServer):
    """Speaks as much SMTP as a client needs, on a port of this machine."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Session)
        self.got_mail = threading.Event()


class _Session(StreamRequestHandler):
    server: MailPrinter

    def handle(self) -> None:
        self._say("220 mail printer")
        while line := self.rfile.readline():
            word = line[:4].upper().strip()
            if word == b"DATA":
                self._say("354 go on")
                self._print_mail()
                self._say("250 taken")
                self.server.got_mail.set()
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _print_mail(self) -> None:
        """The lines until one that is a dot alone."""
        print("\n  A mail has come:\n")
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            print(f"  | {line}")
        print(flush=True)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
