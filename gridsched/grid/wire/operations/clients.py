"""Authentication, the cluster's views, proxies, schemas: the requests of the Client service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from gridsched.grid.data import PARTITION_COUNT
from gridsched.grid.embedded.cluster import PartitionLost
from gridsched.grid.wire.answers import answers
from gridsched.grid.wire.messages import event
from gridsched.grid.wire.operations.listening import listen_to_losses
from gridsched.grid.wire.schemas import schema_id
from gridsched.grid.wire.views import VERSION

if TYPE_CHECKING:
    from gridsched.grid.wire.endpoint import Endpoint

SERIALIZATION_VERSION: Final = 1

AUTHENTICATED: Final = 0
CREDENTIALS_FAILED: Final = 1
SERIALIZATION_VERSION_MISMATCH: Final = 2

_NO_TPC: Final = (None, None)
_MEMBERS_VIEW = event("Client.addClusterViewListener", "MembersView")
_PARTITIONS_VIEW = event("Client.addClusterViewListener", "PartitionsView")
_DISTRIBUTED_OBJECT = event("Client.addDistributedObjectListener", "DistributedObject")
_PARTITION_LOST = event("Client.addPartitionLostListener", "PartitionLost")
_BACKUP = event("Client.localBackupListener", "backup")


@answers("Client.authentication", is_open=True)
def authenticate(
    endpoint: Endpoint,
    cluster_name: str,
    _username: str | None,
    _password: str | None,
    _client_type: str,
    _client_version: str,
    _client_name: str,
    _labels: Sequence[str],
    client: UUID | None,
    serialization_version: int,
    _routing_mode: int | None,
    _cp_direct: bool | None,
) -> tuple[Any, ...]:
    """Name and password are not looked at: a member without security refuses none."""
    if cluster_name != endpoint.services.config.cluster_name:
        return _refused(endpoint, CREDENTIALS_FAILED)
    if serialization_version != SERIALIZATION_VERSION:
        return _refused(endpoint, SERIALIZATION_VERSION_MISMATCH)
    endpoint.admit(client or endpoint.services.new_uuid())
    view = endpoint.services.view
    host, port = next(row[0] for row in view.members if str(row[1]) == endpoint.member)
    return (
        (host, port),
        ".".join(map(str, VERSION)),
        *_NO_TPC,
        view.members,
        view.partitions,
        {},
        AUTHENTICATED,
        UUID(endpoint.member),
        SERIALIZATION_VERSION,
        PARTITION_COUNT,
        endpoint.services.cluster_id,
        False,
        view.members_version,
        view.partitions_version,
    )


def _refused(endpoint: Endpoint, status: int) -> tuple[Any, ...]:
    version = ".".join(map(str, VERSION))
    fixed = (status, None, SERIALIZATION_VERSION, -1, endpoint.services.cluster_id, False, -1, -1)
    return (None, version, *_NO_TPC, [], [], {}, *fixed)


@answers("Client.ping", "Client.statistics", "Client.triggerPartitionAssignment")
def accept(_endpoint: Endpoint, *_fields: object) -> None:
    """Nothing has to be done: partitions are always assigned, and statistics not kept."""


@answers("Client.addClusterViewListener")
def add_cluster_view_listener(endpoint: Endpoint) -> None:
    view, correlation = endpoint.services.view, endpoint.correlation

    def tell() -> None:
        members = _MEMBERS_VIEW.encode(correlation, view.members, view.members_version)
        endpoint.send(members)
        table = _PARTITIONS_VIEW.encode(correlation, view.partitions, view.partitions_version)
        endpoint.send(table)

    view.changed.append(tell)
    endpoint.register(lambda: view.changed.remove(tell))
    tell()


@answers("Client.createProxy")
def create_proxy(endpoint: Endpoint, name: str, service: str) -> None:
    endpoint.services.create(service, name, endpoint.member)


@answers("Client.createProxies")
def create_proxies(endpoint: Endpoint, proxies: Sequence[tuple[str, str]]) -> None:
    for name, service in proxies:
        endpoint.services.create(service, name, endpoint.member)


@answers("Client.destroyProxy")
def destroy_proxy(endpoint: Endpoint, name: str, service: str) -> None:
    endpoint.services.destroy(service, name, endpoint.member)


@answers("Client.getDistributedObjects")
def distributed_objects(endpoint: Endpoint) -> list[tuple[str, str]]:
    return endpoint.services.distributed_objects()


@answers("Client.addDistributedObjectListener")
def add_distributed_object_listener(endpoint: Endpoint, local_only: bool) -> UUID:
    """Local events are those of the member on which the object was made or destroyed."""
    correlation, listeners = endpoint.correlation, endpoint.services.object_listeners

    def tell(service: str, name: str, kind: str, member: str) -> None:
        if not local_only or member == endpoint.member:
            source = UUID(member)
            endpoint.send(_DISTRIBUTED_OBJECT.encode(correlation, name, service, kind, source))

    listeners.append(tell)
    return endpoint.register(lambda: listeners.remove(tell))


@answers("Client.addPartitionLostListener")
def add_partition_lost_listener(endpoint: Endpoint, local_only: bool) -> UUID:
    correlation = endpoint.correlation

    def send(loss: PartitionLost) -> None:
        fields = (loss.partition, loss.lost_backups, UUID(loss.source))
        endpoint.send(_PARTITION_LOST.encode(correlation, *fields))

    return listen_to_losses(endpoint, send, local_only=local_only)


@answers("Client.removeDistributedObjectListener", "Client.removePartitionLostListener")
def remove_listener(endpoint: Endpoint, registration: UUID | None) -> bool:
    return endpoint.deregister(registration)


@answers("Client.localBackupListener")
def local_backup_listener(endpoint: Endpoint) -> UUID:
    """From now on this member tells the client of the backups it has made."""
    correlation, listeners = endpoint.correlation, endpoint.services.backup_listeners
    assert endpoint.client is not None
    place = (endpoint.client, endpoint.member)

    def tell(source: int) -> None:
        endpoint.send(_BACKUP.encode(correlation, source))

    listeners[place] = tell

    def cancel() -> None:
        if listeners.get(place) is tell:
            del listeners[place]

    return endpoint.register(cancel)


@answers("Client.sendSchema")
def send_schema(endpoint: Endpoint, schema: tuple[Any, ...]) -> list[UUID]:
    """Every member has it then."""
    services = endpoint.services
    services.schemas[schema_id(schema)] = schema
    return [UUID(member.uuid) for member in services.cluster.members]


@answers("Client.sendAllSchemas")
def send_all_schemas(endpoint: Endpoint, schemas: Sequence[tuple[Any, ...]]) -> None:
    for schema in schemas:
        endpoint.services.schemas[schema_id(schema)] = schema


@answers("Client.fetchSchema")
def fetch_schema(endpoint: Endpoint, id: int) -> tuple[Any, ...] | None:
    return endpoint.services.schemas.get(id)
