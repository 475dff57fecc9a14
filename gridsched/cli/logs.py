"""The log of a node: a line a record, on standard error, in UTC."""

from __future__ import annotations

import logging
import time
from typing import Final

AGAIN_AFTER: Final = 60.0
"""Seconds after which the grid's client may say the same again."""


class Readable(logging.Formatter):
    """2026-01-01T12:00:00.123Z INFO    gridsched.node: node a is active"""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")


class ClientRarely(logging.Filter):
    """Lets through what the grid's client says once a minute: it says each try to connect, up to
    one a second while the grid is away. Numbers make no difference, addresses do."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, ...], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("hazelcast"):
            return True
        args = record.args if isinstance(record.args, tuple) else ()
        words = (str(record.msg), *(str(a) for a in args if not isinstance(a, int | float)))
        if record.created - self._said.get(words, float("-inf")) < AGAIN_AFTER:
            return False
        self._said[words] = record.created
        return True


def configure(level: str, *, runs_shown: bool) -> None:
    """Log from `level` on. `runs_shown`: how runs end stands elsewhere, and would only disturb."""
    handler = logging.StreamHandler()
    handler.setFormatter(Readable())
    if level != "debug":
        logging.getLogger("hazelcast").setLevel("WARNING")
        handler.addFilter(_without_clients_trace)
        handler.addFilter(ClientRarely())
    if runs_shown:
        handler.addFilter(lambda record: not (record.name == "gridsched.shell" and record.exc_info))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _without_clients_trace(record: logging.LogRecord) -> bool:
    """The grid's client gives the trace of every try to connect that failed."""
    if record.name.startswith("hazelcast"):
        record.exc_info = record.exc_text = None
    return True
