"""`scheduler:services`, the catalogue of data services, and what a job has of HTTP instead of a
`scheduler:jobclass`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gridsched.config.dbs import SERVICE as SERVICE_NAME
from gridsched.config.dbs import data_services
from gridsched.config.kinds import SECONDS, TEXT, one_of, whole
from gridsched.config.schema import Branch, Fields, Kind, Leaf, Reading
from gridsched.config.xml_reader import Element
from gridsched.model.data_service import DataService, Operation
from gridsched.model.http import METHODS, HttpTask, ServiceOperation, check_http, split_url


def _url(element: Element) -> str:
    split_url(element.text)
    return element.text


def _endpoint(element: Element) -> str:
    if element.text.lower().startswith("http"):
        split_url(element.text)
    return element.text


def _header(element: Element) -> tuple[str, str]:
    name = element.attributes.get("name")
    if not name:
        raise ValueError("the attribute name is missing")
    return name, " ".join(element.text.split())


def _distinct(fields: Fields, into: str, what: str, reading: Reading) -> None:
    lines: dict[str, int] = {}
    for each, place in fields.each(into):
        name = each[0] if isinstance(each, tuple) else each.name
        if name in lines:
            raise reading.error(place, f"{what} {name} stands twice; first in line {lines[name]}")
        lines[name] = place.line


def _http_task(fields: Fields, reading: Reading) -> HttpTask:
    values = fields.values
    _distinct(fields, "headers", "header", reading)
    task = HttpTask(**{**values, "headers": dict(values.get("headers", ()))})
    check_http(task)
    return task


def _operation_of_job(fields: Fields, _reading: Reading) -> ServiceOperation:
    return ServiceOperation(**fields.values)


def _operation(fields: Fields, _reading: Reading) -> Operation:
    return Operation(**fields.values)


def _service(fields: Fields, reading: Reading) -> DataService:
    _distinct(fields, "operations", "operation", reading)
    return DataService(**fields.values)


def _dbs(fields: Fields, reading: Reading) -> tuple[DataService, ...]:
    """Paths are of the config's folder."""
    url, path = fields.values["url"], fields.values["path"]
    return tuple(data_services(Path(reading.source).parent / path, url))


def _services(fields: Fields, reading: Reading) -> tuple[DataService, ...]:
    found: dict[str, DataService] = {}
    for service, place in _each_service(fields):
        if service.name in found:
            raise reading.error(place, f"data service {service.name} stands twice")
        found[service.name] = service
    return tuple(found.values())


def _each_service(fields: Fields) -> Iterable[tuple[DataService, Element]]:
    yield from fields.each("services")
    for services, place in fields.each("dbs"):
        yield from ((service, place) for service in services)


_URL: Final = Kind("URL of http or https", _url)
_HEADER: Final = Kind("text", _header, keeps_empty=True, attributes=("name",))
_AS_IT_IS: Final = Kind("text, as it is", lambda element: element.text)
_STATUS: Final = whole("number", 200)

HTTP_TASK: Final = Branch(
    "scheduler:httptask",
    "task",
    _http_task,
    (
        Leaf("scheduler:url", "url", _URL, "Where the request goes.", required=True),
        Leaf("scheduler:method", "method", one_of(METHODS), "Its method.", "GET"),
        Leaf(
            "scheduler:header",
            "headers",
            _HEADER,
            "A header, named by the attribute `name`; may stand several times.",
            "none",
            many=True,
        ),
        Leaf("scheduler:body", "body", _AS_IT_IS, "Its body.", "none"),
        Leaf(
            "scheduler:expect",
            "expect",
            _STATUS,
            "A status that is a success; may stand several times.",
            "200 to 299",
            many=True,
        ),
        Leaf(
            "scheduler:keepheader",
            "keep_headers",
            TEXT,
            "A header of the answer that stands in the result; may stand several times.",
            "a few",
            many=True,
        ),
        Leaf(
            "scheduler:connecttimeout",
            "connect_timeout",
            SECONDS,
            "Time until a connection stands.",
            "5S",
        ),
        Leaf(
            "scheduler:readtimeout",
            "read_timeout",
            SECONDS,
            "Time without a byte from the service.",
            "30S",
        ),
    ),
    "A request, instead of a function.",
)

OPERATION: Final = Branch(
    "scheduler:operation",
    "task",
    _operation_of_job,
    (
        Leaf(
            "scheduler:servicename", "service", TEXT, "A service of the catalogue.", required=True
        ),
        Leaf(
            "scheduler:operationname",
            "operation",
            TEXT,
            "One of its operations, that takes no input.",
            required=True,
        ),
    ),
    "An operation of a data service, instead of a function.",
)

SERVICE_OPERATION: Final = Branch(
    "scheduler:serviceoperation",
    "operations",
    _operation,
    (
        Leaf("scheduler:operationname", "name", TEXT, "Its name.", required=True),
        Leaf(
            "scheduler:parameter",
            "parameters",
            TEXT,
            "Something that it takes as input; may stand several times.",
            "none",
            many=True,
        ),
        Leaf("scheduler:method", "method", one_of(METHODS), "How it is called.", "GET"),
        Leaf("scheduler:path", "path", TEXT, "Where, below the endpoint.", "the name"),
    ),
    "What a service does.",
    many=True,
)

SERVICE: Final = Branch(
    "scheduler:service",
    "services",
    _service,
    (
        Leaf("scheduler:servicename", "name", TEXT, "Its name.", required=True),
        Leaf(
            "scheduler:endpoint",
            "endpoints",
            Kind("URL", _endpoint),
            "URL below which its operations are called; may stand several times.",
            "none",
            many=True,
        ),
        Leaf(
            "scheduler:transport",
            "transports",
            TEXT,
            "By which it may be called, such as `https`; may stand several times.",
            "http and https",
            many=True,
        ),
        SERVICE_OPERATION,
    ),
    "One data service.",
    many=True,
)

DBS: Final = Branch(
    "scheduler:dbs",
    "dbs",
    _dbs,
    (
        Leaf(
            "scheduler:path",
            "path",
            TEXT,
            "A `.dbs` file, or a folder of them, from this file's folder.",
            required=True,
        ),
        Leaf(
            "scheduler:url",
            "url",
            TEXT,
            f"Where a service is, with `{SERVICE_NAME}` for its name.",
            required=True,
        ),
    ),
    "Data services of WSO2's files.",
    many=True,
)

SERVICES: Final = Branch(
    "scheduler:services",
    "services",
    _services,
    (SERVICE, DBS),
    "The catalogue of data services.",
)
