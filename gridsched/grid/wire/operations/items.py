"""The requests that lists and sets have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from gridsched.grid.embedded.structures import ItemStructure
from gridsched.grid.wire.answers import answers
from gridsched.grid.wire.messages import event
from gridsched.grid.wire.operations.listening import listen_to_items

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint


Find = Callable[["Endpoint", str], ItemStructure]
"""Finds a structure of the service by its name."""


def answer_common(service: str, of: Find) -> None:
    """Answer them for a service."""
    _answer_questions(service, of)
    _answer_changes(service, of)
    _answer_listening(service, of)


def _answer_questions(service: str, of: Find) -> None:
    @answers(f"{service}.size")
    def size(endpoint: Endpoint, name: str) -> int:
        return len(of(endpoint, name).items)

    @answers(f"{service}.isEmpty")
    def is_empty(endpoint: Endpoint, name: str) -> bool:
        return not of(endpoint, name).items

    @answers(f"{service}.contains")
    def contains(endpoint: Endpoint, name: str, item: bytes) -> bool:
        return item in of(endpoint, name).items

    @answers(f"{service}.containsAll")
    def contains_all(endpoint: Endpoint, name: str, items: Sequence[bytes]) -> bool:
        return {*items} <= {*of(endpoint, name).items}

    @answers(f"{service}.getAll")
    def get_all(endpoint: Endpoint, name: str) -> list[bytes]:
        return list(of(endpoint, name).items)


def _answer_changes(service: str, of: Find) -> None:
    @answers(f"{service}.compareAndRemoveAll", backs_up=True)
    def remove_all(endpoint: Endpoint, name: str, items: Sequence[bytes]) -> bool:
        return of(endpoint, name).keep(lambda item: item not in items)

    @answers(f"{service}.compareAndRetainAll", backs_up=True)
    def retain_all(endpoint: Endpoint, name: str, items: Sequence[bytes]) -> bool:
        return of(endpoint, name).keep(lambda item: item in items)

    @answers(f"{service}.clear", backs_up=True)
    def clear(endpoint: Endpoint, name: str) -> None:
        of(endpoint, name).keep(lambda item: False)


def _answer_listening(service: str, of: Find) -> None:
    item_event = event(f"{service}.addListener", "Item")

    @answers(f"{service}.addListener")
    def add_listener(endpoint: Endpoint, name: str, include_value: bool, local_only: bool) -> UUID:
        return listen_to_items(
            endpoint,
            of(endpoint, name),
            item_event,
            include_value=include_value,
            local_only=local_only,
        )

    @answers(f"{service}.removeListener")
    def remove_listener(endpoint: Endpoint, _name: str, registration: UUID | None) -> bool:
        return endpoint.deregister(registration)
