"""The requests of a topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from gridsched.grid.embedded.structures import TopicStructure
from gridsched.grid.wire.answers import answers
from gridsched.grid.wire.messages import event

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

SERVICE: Final = "hz:impl:topicService"

_MESSAGE = event("Topic.addMessageListener", "Topic")


def _topic(endpoint: Endpoint, name: str) -> TopicStructure:
    return endpoint.services.cluster.other(SERVICE, name, TopicStructure)


@answers("Topic.publish")
def publish(endpoint: Endpoint, name: str, message: bytes) -> None:
    for listener in tuple(_topic(endpoint, name).listeners):
        listener(message)


@answers("Topic.publishAll")
def publish_all(endpoint: Endpoint, name: str, messages: Sequence[bytes]) -> None:
    for message in messages:
        publish(endpoint, name, message)


@answers("Topic.addMessageListener")
def add_message_listener(endpoint: Endpoint, name: str, local_only: bool) -> UUID:
    topic, correlation = _topic(endpoint, name), endpoint.correlation
    cluster, member = endpoint.services.cluster, UUID(endpoint.member)

    def tell(message: bytes) -> None:
        if not local_only or cluster.owner_of(topic.partition) == endpoint.member:
            endpoint.tell(_MESSAGE.encode(correlation, message, cluster.now_ms(), member))

    topic.listeners.append(tell)
    return endpoint.register(lambda: topic.listeners.remove(tell))


@answers("Topic.removeMessageListener")
def remove_message_listener(endpoint: Endpoint, _name: str, registration: UUID | None) -> bool:
    return endpoint.deregister(registration)
