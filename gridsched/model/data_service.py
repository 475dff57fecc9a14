"""Data services, as a node's catalogue has them: where they are called, and with what."""

from __future__ import annotations

import msgspec


class Operation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that a data service does.

    parameters  names of what it takes as input
    method      GET or POST, without a body; of a REST resource its own
    path        below the endpoint; "": the name
    """

    name: str
    parameters: tuple[str, ...] = ()
    method: str = "GET"
    path: str = ""


class DataService(msgspec.Struct, frozen=True, omit_defaults=True):
    """A service with its operations.

    endpoints   URLs below which operations are called; the first that is of a transport is used
    transports  by which it may be called: "http", "https", and such as "local" that are of no use
                to a node
    """

    name: str
    endpoints: tuple[str, ...] = ()
    transports: tuple[str, ...] = ("http", "https")
    operations: tuple[Operation, ...] = ()
