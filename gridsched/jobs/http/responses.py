"""What a service answered, as the result of a run; and the tree of one that is XML.

    {"status": 200, "headers": {"content-type": "application/json"}, "media": "json", "json": {…}}

`media` is "json", "xml" or "text", and the content stands under that name; or "binary", of which only
the `size` is kept. A body that is not what its content type says is kept as text, and `problem` says
what is wrong with it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from email.message import Message
from functools import lru_cache
from typing import Any, Final

import msgspec
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from lxml import etree

_TEXTUAL: Final = re.compile(r"|text/(?!(xml|json)$).*|application/(javascript|x-ndjson|yaml)")
_XML: Final = re.compile(r"(application|text)/xml|[^;]+\+xml")
_JSON: Final = re.compile(r"(application|text)/json|[^;]+\+json")
_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]*\?>")


def result(
    status: int, kept: Mapping[str, str], headers: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    """The result of a run that was answered so; of all `headers` those `kept` stand in it."""
    return {"status": status, "headers": dict(kept), **_content(headers, body)}


def tree(value: Mapping[str, Any]) -> Any:
    """The root element (lxml) of a result whose `media` is "xml"; ValueError for any other."""
    if value.get("media") != "xml":
        raise ValueError(f"the response is {value.get('media', 'no response')}, not xml")
    return etree.fromstring(value["xml"].encode(), _parser())


def _content(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    if headers.get("content-encoding", "identity") != "identity":
        return _binary(body, f"its encoding {headers['content-encoding']} was not asked for")
    kind, charset = _type(headers.get("content-type", ""))
    if not body or _TEXTUAL.fullmatch(kind):
        return _text(body, charset, "")
    try:
        if _JSON.fullmatch(kind):
            return {"media": "json", "json": _json(body, charset)}
        if _XML.fullmatch(kind):
            return {"media": "xml", "xml": _xml(body, charset)}
    except ValueError as error:
        return _text(body, charset, f"the content type is {kind}, but {error}")
    return _binary(body, "")


@lru_cache(maxsize=256)
def _type(written: str) -> tuple[str, str]:
    """The type and the charset ("" for none that is known) of a Content-Type header."""
    message = Message()
    message["content-type"] = written
    charset = message.get_content_charset("")
    try:
        codecs.lookup(charset or "utf-8")
    except LookupError:
        charset = ""
    return (message.get_content_type() if written else ""), charset


def _text(body: bytes, charset: str, problem: str) -> dict[str, Any]:
    try:
        text = body.decode(charset or "utf-8")
        text.encode()
    except ValueError:
        return _binary(body, problem or f"it is not text in {charset or 'utf-8'}")
    return {"media": "text", "text": text, **({"problem": problem} if problem else {})}


def _binary(body: bytes, problem: str) -> dict[str, Any]:
    return {
        "media": "binary",
        "size": len(body),
        **({"problem": problem} if problem else {}),
    }


def _json(body: bytes, charset: str) -> Any:
    text = body.removeprefix(codecs.BOM_UTF8)
    if charset not in ("", "utf-8", "us-ascii"):
        text = body.decode(charset).encode()
    try:
        value = msgspec.json.decode(text)
        msgspec.json.encode(value)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the body is not JSON: {error}") from None
    return value


def _xml(body: bytes, charset: str) -> str:
    """XML in its canonical form (C14N, without comments): no DTD, no entities of its own, and not
    deeper than lxml takes."""
    document = body
    if charset not in ("", "utf-8", "us-ascii"):
        document = _DECLARATION.sub("", body.decode(charset)).encode()
    try:
        ElementTree.fromstring(document, forbid_dtd=True)
        root = etree.fromstring(document, _parser())
    except DefusedXmlException:
        raise ValueError("it has a DTD or entities of its own, which are not read") from None
    except (ElementTree.ParseError, etree.LxmlError, ValueError, LookupError) as error:
        raise ValueError(f"the body is not XML: {error}") from None
    canonical: bytes = etree.tostring(root, method="c14n", with_comments=False)
    return canonical.decode()


def _parser() -> Any:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True
    )
