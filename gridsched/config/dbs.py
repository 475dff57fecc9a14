"""WSO2's `.dbs` files, as entries of the catalogue of data services.

Of a file only what a call needs is read: the service's name and transports, its operations and
resources, and what each takes as input. Where the service is, no such file says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gridsched.config import xml_reader
from gridsched.config.xml_reader import Element
from gridsched.errors import ConfigurationError
from gridsched.model.data_service import DataService, Operation

SERVICE: Final = "{service}"
"""Stands for a service's name in the URL of services."""

_IN_PATH: Final = re.compile(r"\{([^}]*)\}")


def data_services(path: Path, url: str) -> list[DataService]:
    """The services of a `.dbs` file, or of each that a folder holds. `url` is where a service is,
    with `SERVICE` for its name. ConfigurationError names file and line."""
    files = sorted(path.glob("*.dbs")) if path.is_dir() else [path]
    if not files:
        raise ConfigurationError("holds no .dbs file", source=str(path))
    return [_service(file, url) for file in files]


def _service(file: Path, url: str) -> DataService:
    source = str(file)
    root = xml_reader.parse(xml_reader.read_file(file), source, {})
    if root.name != "data":
        raise ConfigurationError(
            f"the root element is {root.name}; that of a .dbs file is data",
            source=source,
            line=root.line,
        )
    name = _attribute(root, "name", source)
    transports = root.attributes.get("transports", "http https").split()
    operations = [_operation(each, source) for each in root.children if each.name == "operation"]
    resources = [_resource(each, source) for each in root.children if each.name == "resource"]
    return DataService(
        name, (url.replace(SERVICE, name),), tuple(transports), (*operations, *resources)
    )


def _operation(element: Element, source: str) -> Operation:
    return Operation(_attribute(element, "name", source), _inputs(element))


def _resource(element: Element, source: str) -> Operation:
    """A REST resource is called by its method and path, and so it is named."""
    path = _attribute(element, "path", source).strip("/")
    method = element.attributes.get("method", "GET").upper()
    inputs = dict.fromkeys([*_IN_PATH.findall(path), *_inputs(element)])
    return Operation(f"{method} /{path}", tuple(inputs), method, path)


def _inputs(element: Element) -> tuple[str, ...]:
    """What the queries that are called get from the caller."""
    names = (
        given.attributes["query-param"]
        for call in _calls(element)
        for given in call.children
        if given.name == "with-param" and "query-param" in given.attributes
    )
    return tuple(dict.fromkeys(names))


def _calls(element: Element) -> Iterator[Element]:
    for child in element.children:
        if child.name == "call-query":
            yield child
        elif child.name == "call-query-group":
            yield from _calls(child)


def _attribute(element: Element, name: str, source: str) -> str:
    value = element.attributes.get(name, "").strip()
    if not value:
        raise ConfigurationError(
            f"{element.name} has no attribute {name}", source=source, line=element.line
        )
    return value
