"""Loads a coordination-client-config: the servers by which nodes find each other, as in WSO2.

<CoordinationClientConfiguration enabled="true">
  <Servers><Server host="10.0.0.1" port="5701"/></Servers>
  <SessionTimeout>5000</SessionTimeout>
</CoordinationClientConfiguration>
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from gridsched.config import xml_reader
from gridsched.config.kinds import whole
from gridsched.config.schema import Branch, Fields, Kind, Leaf, Reading
from gridsched.config.settings import LEAST
from gridsched.config.xml_reader import Element
from gridsched.errors import ConfigurationError

FILE_NAME: Final = "coordination-client-config.xml"
"""Looked for beside a node's config."""

_FLAGS: Final = {"true": True, "false": False, "": False}
_BLANKS: Final = b" \t\r\n\xc2\xa0"
"""Bytes of blanks, the no-break one included: XML allows only its own after the root element."""

_MISREAD_BLANK: Final = "Â"
"""A no-break space (C2 A0 in UTF-8) that somebody's browser or editor read as Latin-1."""


class Coordination(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says.

    enabled             the grid is the cluster at `servers`; else the node's own, embedded one
    servers             HOST:PORT, tried in turn
    session_timeout_ms  of the settings; None: not said
    """

    source: str
    enabled: bool = False
    servers: tuple[str, ...] = ()
    session_timeout_ms: int | None = None


def load(path: str | Path) -> Coordination:
    """What the file says; ConfigurationError, with its line, where something is wrong."""
    return loads(xml_reader.read_file(path), source=str(path))


def loads(data: bytes, source: str = "<text>") -> Coordination:
    """`load` of a file's bytes; errors name `source`."""
    try:
        root = xml_reader.parse(data.rstrip(_BLANKS), source, {})
        if root.name != ROOT.name:
            raise ConfigurationError(
                f"the root element is {root.name}; it must be {ROOT.name}",
                source=source,
                line=root.line,
            )
        values: dict[str, Any] = Reading(source, prefix="").branch(root, ROOT)
    except ConfigurationError as error:
        raise _copied(error, data) from error
    return Coordination(source=source, **values)


def describes(data: bytes) -> bool:
    """Whether this is meant as such a file, whatever may be wrong in it."""
    return f"<{ROOT.name}".encode() in data


def _copied(error: ConfigurationError, data: bytes) -> ConfigurationError:
    """The error, with what a copy from a web page has done to the file where that is to be seen."""
    lines = data.decode("utf-8", "replace").splitlines()
    spoilt = [n for n, line in enumerate(lines, start=1) if _MISREAD_BLANK in line]
    if not spoilt:
        return error
    return ConfigurationError(
        f"{error.message}; the {_MISREAD_BLANK!r} in line {', '.join(map(str, spoilt))} is what is "
        "left of a blank that was copied from a web page: remove it",
        source=error.source,
        line=error.line,
    )


def _coordination(fields: Fields, reading: Reading) -> dict[str, Any]:
    written = fields.element.attributes.get("enabled", "").strip()
    if written.lower() not in _FLAGS:
        raise ValueError(f"enabled is {written!r}; true or false")
    values = {"enabled": _FLAGS[written.lower()], **fields.values}
    if values["enabled"] and not values.get("servers"):
        raise reading.error(
            fields.place("servers"),
            "coordination is enabled, and no server is given: add to Servers "
            '<Server host="HOST" port="5701"/> for each member of the cluster',
        )
    return values


def _servers(fields: Fields, _reading: Reading) -> tuple[str, ...]:
    return tuple(dict.fromkeys(fields.values.get("servers", ())))


def _server(element: Element) -> str:
    host, port = (element.attributes.get(name, "").strip() for name in ("host", "port"))
    if element.text:
        raise ValueError(f"text {element.text[:40]!r} is not for it")
    if not host or ("/" in host or len(host.split()) != 1):
        raise ValueError(
            f'host is {host!r}; write the name or address of a machine: host="10.0.0.1"'
        )
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"port is {port!r}; write a number from 1 to 65535, such as 5701")
    return f"[{host}]:{port}" if ":" in host.strip("[]") and host[0] != "[" else f"{host}:{port}"


SERVERS: Final = Branch(
    "Servers",
    "servers",
    _servers,
    (
        Leaf(
            "Server",
            "servers",
            Kind("attributes host and port", _server, True, ("host", "port")),
            "One member of the Hazelcast cluster; may stand several times. They are tried in turn.",
            "none",
            many=True,
        ),
    ),
    "The servers of the cluster.",
)

ROOT: Final = Branch(
    "CoordinationClientConfiguration",
    "",
    _coordination,
    (
        SERVERS,
        Leaf(
            "SessionTimeout",
            "session_timeout_ms",
            whole("ms", LEAST["session_timeout_ms"]),
            "A node whose beat stands still for so long is gone.",
            "as in the node's XML: 5000",
        ),
    ),
    "The root element. Its attribute `enabled` is true or false (the default).",
    attributes=("enabled",),
)
