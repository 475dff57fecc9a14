"""The requests of a set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gridsched.grid.embedded.queues import ItemEventType
from gridsched.grid.embedded.structures import SetStructure
from gridsched.grid.wire.answers import answers
from gridsched.grid.wire.operations.items import answer_common

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

SERVICE: Final = "hz:impl:setService"


def _set(endpoint: Endpoint, name: str) -> SetStructure:
    return endpoint.services.cluster.other(SERVICE, name, SetStructure)


answer_common("Set", _set)


@answers("Set.add", backs_up=True)
def add(endpoint: Endpoint, name: str, item: bytes) -> bool:
    return add_all(endpoint, name, [item])


@answers("Set.addAll", backs_up=True)
def add_all(endpoint: Endpoint, name: str, items: Sequence[bytes]) -> bool:
    """Whether any was new."""
    held = _set(endpoint, name)
    new = [item for item in dict.fromkeys(items) if item not in held.items]
    held.items |= dict.fromkeys(new)
    held.tell(ItemEventType.ADDED, new)
    return bool(new)


@answers("Set.remove", backs_up=True)
def remove(endpoint: Endpoint, name: str, item: bytes) -> bool:
    held = _set(endpoint, name)
    if item not in held.items:
        return False
    del held.items[item]
    held.tell(ItemEventType.REMOVED, [item])
    return True
