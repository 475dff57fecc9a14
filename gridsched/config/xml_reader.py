"""XML files from a stranger's hand, as plain values with their lines.

No DTD, no entities but XML's own five, no network, and bounds on size, depth and count: whatever
the file holds, reading it costs little and ends in an `Element` or in a ConfigurationError.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lxml import etree

from gridsched.errors import ConfigurationError

MAX_BYTES: Final = 10_000_000
MAX_DEPTH: Final = 64
MAX_ELEMENTS: Final = 250_000

_CHUNK: Final = 65_536
"""Bytes parsed between two looks at the bounds."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element. `line` is where its start tag ends, 1-based.

    name        with its prefix as written ("scheduler:job", "cache-mapping")
    text        its own text, trimmed, comments left out
    attributes  names as those of elements; namespace declarations are none
    """

    name: str
    line: int
    text: str
    attributes: Mapping[str, str]
    children: tuple[Element, ...]


def read_file(path: str | Path) -> bytes:
    """The file's bytes; ConfigurationError where it is missing, unreadable or above MAX_BYTES."""
    try:
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(f"cannot be read: {reason}", source=str(path)) from error


def parse(data: bytes, source: str, prefixes: Mapping[str, str]) -> Element:
    """The root element of `data`; ConfigurationError, with its line, where it is not safe XML.

    `prefixes` gives for a namespace URI the prefix that its elements are named with, whatever
    prefix they are written with.
    """
    if len(data) > MAX_BYTES:
        raise ConfigurationError(f"is above {MAX_BYTES // 1_000_000} MB", source=source)
    if not data.strip():
        raise ConfigurationError("is empty; its root element is missing", source=source)
    return _element(_tree(data, source), prefixes)


def _tree(data: bytes, source: str) -> Any:
    parser = etree.XMLPullParser(
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    guard = _Guard(data, source)
    try:
        for start in range(0, len(data), _CHUNK):
            parser.feed(data[start : start + _CHUNK])
            guard.watch(parser.read_events())
        return parser.close()
    except etree.LxmlError as error:
        # What the parser stumbled over may be the bound that our own message explains better.
        guard.watch(parser.read_events())
        raise _malformed(error, parser.feed_error_log, source) from None


def _malformed(error: Exception, log: Any, source: str) -> ConfigurationError:
    """What was wrong first: lxml raises the last error, which may be a mere consequence."""
    first = next(iter(log.filter_from_errors()), None)
    message, line = (str(error), None) if first is None else (first.message, first.line)
    return ConfigurationError(f"is not well-formed XML: {message}", source=source, line=line)


class _Guard:
    """Stops the parse as soon as the document is one that no configuration is."""

    def __init__(self, data: bytes, source: str) -> None:
        self._data = data
        self._source = source
        self._depth = 0
        self._count = 0

    def watch(self, events: Iterable[tuple[str, Any]]) -> None:
        for event, node in events:
            if event == "end":
                self._depth -= 1
                continue
            if self._count == 0:
                self._refuse_doctype(node)
            self._depth += 1
            self._count += 1
            if self._depth > MAX_DEPTH:
                self._refuse(f"elements are nested deeper than {MAX_DEPTH}", node.sourceline)
            if self._count > MAX_ELEMENTS:
                self._refuse(f"there are more than {MAX_ELEMENTS} elements", node.sourceline)

    def _refuse_doctype(self, root: Any) -> None:
        if root.getroottree().docinfo.internalDTD is not None:
            # libxml2 keeps no line for it; in UTF-16 the search fails and the first line is said.
            before = self._data[: max(self._data.find(b"<!DOCTYPE"), 0)]
            self._refuse("a DOCTYPE is not allowed: remove it", before.count(b"\n") + 1)

    def _refuse(self, message: str, line: int) -> None:
        raise ConfigurationError(message, source=self._source, line=line)


def _element(node: Any, prefixes: Mapping[str, str]) -> Element:
    texts = [node.text or "", *(child.tail or "" for child in node)]
    tag = etree.QName(node)
    return Element(
        name=_named(prefixes.get(tag.namespace) or node.prefix, tag.localname),
        line=node.sourceline,
        text="".join(texts).strip(),
        attributes={_attribute(node, name, prefixes): value for name, value in node.items()},
        children=tuple(_element(child, prefixes) for child in node),
    )


def _attribute(node: Any, name: str, prefixes: Mapping[str, str]) -> str:
    tag = etree.QName(name)
    if tag.namespace is None:
        return str(tag.localname)
    written = (prefix for prefix, uri in node.nsmap.items() if prefix and uri == tag.namespace)
    return _named(prefixes.get(tag.namespace) or next(written, "xml"), tag.localname)


def _named(prefix: str | None, local: str) -> str:
    return f"{prefix}:{local}" if prefix else local
