"""The catalogue of data services: from an operation's name to the request that calls it.

As in WSO2's data services server, only a service with an HTTP endpoint can be scheduled, and only an
operation without input.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from gridsched.errors import InvalidJob
from gridsched.model.data_service import DataService, Operation
from gridsched.model.http import HttpTask, ServiceOperation, redacted


def as_request(task: HttpTask | ServiceOperation, services: Mapping[str, DataService]) -> HttpTask:
    """The request that a task makes."""
    return task if isinstance(task, HttpTask) else request(services, task)


def request(services: Mapping[str, DataService], task: ServiceOperation) -> HttpTask:
    """The request by which an operation is called; InvalidJob, with the reason, where it cannot be.
    `services` are the catalogue's, by name."""
    service = services.get(task.service)
    if service is None:
        raise InvalidJob(
            f"there is no data service {task.service!r} in this node's catalogue; "
            f"there {_listed(services)}"
        )
    operations = {operation.name: operation for operation in service.operations}
    operation = operations.get(task.operation)
    if operation is None:
        raise InvalidJob(
            f"data service {service.name} has no operation {task.operation!r}; "
            f"there {_listed(operations)}"
        )
    if operation.parameters:
        raise InvalidJob(
            f"operation {operation.name} of data service {service.name} takes input "
            f"({', '.join(operation.parameters)}); only one without can be scheduled"
        )
    return HttpTask(_url(service, operation), operation.method)


def _url(service: DataService, operation: Operation) -> str:
    for endpoint in service.endpoints:
        scheme = endpoint.partition("://")[0].lower()
        if scheme in ("http", "https") and scheme in service.transports:
            path = operation.path.strip("/") or operation.name
            return f"{endpoint.rstrip('/')}/{quote(path, safe='/')}"
    endpoints = ", ".join(map(redacted, service.endpoints)) or "none"
    raise InvalidJob(
        f"data service {service.name} has no HTTP endpoint: its endpoints are {endpoints}, its "
        f"transports {', '.join(service.transports) or 'none'}"
    )


def _listed(names: Iterable[str]) -> str:
    found = sorted(names)
    return f"are {', '.join(found)}" if found else "is none"
