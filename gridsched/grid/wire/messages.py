"""Every request that the server answers, with its response and events: the one table.

    ID Service.request field:type … -> response field:type …
      event Name field:type …

The id is the request's message type; the response's is one more, the events' follow in order. The
types are those of `types`. Source: the protocol's definitions (hazelcast-client-protocol, 2.8);
fields that later versions added may be absent and then are None.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from gridsched.grid.wire.codec import Decode, Event, Response, request_decoder

_TABLE: Final = """\
# Client
000100 Client.authentication clusterName:String username:String? password:String? uuid:UUID?
    clientType:String serializationVersion:byte clientHazelcastVersion:String clientName:String
    labels:List_String routingMode:byte cpDirectToLeaderRouting:boolean -> status:byte
    address:Address? memberUuid:UUID? serializationVersion:byte serverHazelcastVersion:String
    partitionCount:int clusterId:UUID failoverSupported:boolean tpcPorts:List_Integer?
    tpcToken:byteArray? memberListVersion:int memberInfos:List_MemberInfo partitionListVersion:int
    partitions:EntryList_UUID_List_Integer keyValuePairs:Map_String_String
000300 Client.addClusterViewListener
  event MembersView version:int memberInfos:List_MemberInfo
  event PartitionsView version:int partitions:EntryList_UUID_List_Integer
000400 Client.createProxy name:String serviceName:String
000500 Client.destroyProxy name:String serviceName:String
000600 Client.addPartitionLostListener localOnly:boolean -> response:UUID
  event PartitionLost partitionId:int lostBackupCount:int source:UUID?
000700 Client.removePartitionLostListener registrationId:UUID -> response:boolean
000800 Client.getDistributedObjects -> response:List_DistributedObjectInfo
000900 Client.addDistributedObjectListener localOnly:boolean -> response:UUID
  event DistributedObject name:String serviceName:String eventType:String source:UUID
000a00 Client.removeDistributedObjectListener registrationId:UUID -> response:boolean
000b00 Client.ping
000c00 Client.statistics timestamp:long clientAttributes:String metricsBlob:byteArray
000e00 Client.createProxies proxies:EntryList_String_String
000f00 Client.localBackupListener -> response:UUID
  event backup sourceInvocationCorrelationId:long
001000 Client.triggerPartitionAssignment
001300 Client.sendSchema schema:Schema -> replicatedMembers:Set_UUID
001400 Client.fetchSchema schemaId:long -> schema:Schema?
001500 Client.sendAllSchemas schemas:List_Schema

# Map
010100 Map.put name:String key:Data value:Data threadId:long ttl:long -> response:Data?
010200 Map.get name:String key:Data threadId:long -> response:Data?
010300 Map.remove name:String key:Data threadId:long -> response:Data?
010400 Map.replace name:String key:Data value:Data threadId:long -> response:Data?
010500 Map.replaceIfSame name:String key:Data testValue:Data value:Data threadId:long ->
    response:boolean
010600 Map.containsKey name:String key:Data threadId:long -> response:boolean
010700 Map.containsValue name:String value:Data -> response:boolean
010800 Map.removeIfSame name:String key:Data value:Data threadId:long -> response:boolean
010900 Map.delete name:String key:Data threadId:long -> response:boolean
010a00 Map.flush name:String
010b00 Map.tryRemove name:String key:Data threadId:long timeout:long -> response:boolean
010c00 Map.tryPut name:String key:Data value:Data threadId:long timeout:long -> response:boolean
010d00 Map.putTransient name:String key:Data value:Data threadId:long ttl:long
010e00 Map.putIfAbsent name:String key:Data value:Data threadId:long ttl:long -> response:Data?
010f00 Map.set name:String key:Data value:Data threadId:long ttl:long
011000 Map.lock name:String key:Data threadId:long ttl:long referenceId:long
011100 Map.tryLock name:String key:Data threadId:long lease:long timeout:long referenceId:long ->
    response:boolean
011200 Map.isLocked name:String key:Data -> response:boolean
011300 Map.unlock name:String key:Data threadId:long referenceId:long
011600 Map.addEntryListenerToKeyWithPredicate name:String key:Data predicate:Data
    includeValue:boolean listenerFlags:int localOnly:boolean -> response:UUID
  event Entry key:Data? value:Data? oldValue:Data? mergingValue:Data? eventType:int uuid:UUID
    numberOfAffectedEntries:int
011700 Map.addEntryListenerWithPredicate name:String predicate:Data includeValue:boolean
    listenerFlags:int localOnly:boolean -> response:UUID
  event Entry key:Data? value:Data? oldValue:Data? mergingValue:Data? eventType:int uuid:UUID
    numberOfAffectedEntries:int
011800 Map.addEntryListenerToKey name:String key:Data includeValue:boolean listenerFlags:int
    localOnly:boolean -> response:UUID
  event Entry key:Data? value:Data? oldValue:Data? mergingValue:Data? eventType:int uuid:UUID
    numberOfAffectedEntries:int
011900 Map.addEntryListener name:String includeValue:boolean listenerFlags:int localOnly:boolean ->
    response:UUID
  event Entry key:Data? value:Data? oldValue:Data? mergingValue:Data? eventType:int uuid:UUID
    numberOfAffectedEntries:int
011a00 Map.removeEntryListener name:String registrationId:UUID -> response:boolean
011b00 Map.addPartitionLostListener name:String localOnly:boolean -> response:UUID
  event MapPartitionLost partitionId:int uuid:UUID
011c00 Map.removePartitionLostListener name:String registrationId:UUID -> response:boolean
011d00 Map.getEntryView name:String key:Data threadId:long -> response:SimpleEntryView? maxIdle:long
011e00 Map.evict name:String key:Data threadId:long -> response:boolean
011f00 Map.evictAll name:String
012200 Map.keySet name:String -> response:List_Data
012300 Map.getAll name:String keys:List_Data -> response:EntryList_Data_Data
012400 Map.values name:String -> response:List_Data
012500 Map.entrySet name:String -> response:EntryList_Data_Data
012600 Map.keySetWithPredicate name:String predicate:Data -> response:List_Data
012700 Map.valuesWithPredicate name:String predicate:Data -> response:List_Data
012800 Map.entriesWithPredicate name:String predicate:Data -> response:EntryList_Data_Data
012900 Map.addIndex name:String indexConfig:IndexConfig
012a00 Map.size name:String -> response:int
012b00 Map.isEmpty name:String -> response:boolean
012c00 Map.putAll name:String entries:EntryList_Data_Data triggerMapLoader:boolean
012d00 Map.clear name:String
013300 Map.forceUnlock name:String key:Data referenceId:long
013400 Map.keySetWithPagingPredicate name:String predicate:PagingPredicateHolder ->
    response:List_Data anchorDataList:AnchorDataListHolder
013500 Map.valuesWithPagingPredicate name:String predicate:PagingPredicateHolder ->
    response:List_Data anchorDataList:AnchorDataListHolder
013600 Map.entriesWithPagingPredicate name:String predicate:PagingPredicateHolder ->
    response:EntryList_Data_Data anchorDataList:AnchorDataListHolder
013700 Map.fetchKeys name:String iterationPointers:EntryList_Integer_Integer batch:int ->
    iterationPointers:EntryList_Integer_Integer keys:List_Data
013800 Map.fetchEntries name:String iterationPointers:EntryList_Integer_Integer batch:int ->
    iterationPointers:EntryList_Integer_Integer entries:EntryList_Data_Data
013900 Map.aggregate name:String aggregator:Data -> response:Data?
013a00 Map.aggregateWithPredicate name:String aggregator:Data predicate:Data -> response:Data?
013b00 Map.project name:String projection:Data -> response:ListCN_Data
013c00 Map.projectWithPredicate name:String projection:Data predicate:Data -> response:ListCN_Data
013d00 Map.fetchNearCacheInvalidationMetadata names:List_String uuid:UUID ->
    namePartitionSequenceList:EntryList_String_EntryList_Integer_Long
    partitionUuidList:EntryList_Integer_UUID
013e00 Map.removeAll name:String predicate:Data
013f00 Map.addNearCacheInvalidationListener name:String listenerFlags:int localOnly:boolean ->
    response:UUID
  event IMapInvalidation key:Data? sourceUuid:UUID partitionUuid:UUID sequence:long
  event IMapBatchInvalidation keys:List_Data sourceUuids:List_UUID partitionUuids:List_UUID
    sequences:List_Long
014300 Map.setTtl name:String key:Data ttl:long -> response:boolean
014400 Map.putWithMaxIdle name:String key:Data value:Data threadId:long ttl:long maxIdle:long ->
    response:Data?
014500 Map.putTransientWithMaxIdle name:String key:Data value:Data threadId:long ttl:long
    maxIdle:long -> response:Data?
014600 Map.putIfAbsentWithMaxIdle name:String key:Data value:Data threadId:long ttl:long
    maxIdle:long -> response:Data?
014700 Map.setWithMaxIdle name:String key:Data value:Data threadId:long ttl:long maxIdle:long ->
    response:Data?

# Queue
030100 Queue.offer name:String value:Data timeoutMillis:long -> response:boolean
030200 Queue.put name:String value:Data
030300 Queue.size name:String -> response:int
030400 Queue.remove name:String value:Data -> response:boolean
030500 Queue.poll name:String timeoutMillis:long -> response:Data?
030600 Queue.take name:String -> response:Data?
030700 Queue.peek name:String -> response:Data?
030800 Queue.iterator name:String -> response:List_Data
030900 Queue.drainTo name:String -> response:List_Data
030a00 Queue.drainToMaxSize name:String maxSize:int -> response:List_Data
030b00 Queue.contains name:String value:Data -> response:boolean
030c00 Queue.containsAll name:String dataList:List_Data -> response:boolean
030d00 Queue.compareAndRemoveAll name:String dataList:List_Data -> response:boolean
030e00 Queue.compareAndRetainAll name:String dataList:List_Data -> response:boolean
030f00 Queue.clear name:String
031000 Queue.addAll name:String dataList:List_Data -> response:boolean
031100 Queue.addListener name:String includeValue:boolean localOnly:boolean -> response:UUID
  event Item item:Data? uuid:UUID eventType:int
031200 Queue.removeListener name:String registrationId:UUID -> response:boolean
031300 Queue.remainingCapacity name:String -> response:int
031400 Queue.isEmpty name:String -> response:boolean

# Topic
040100 Topic.publish name:String message:Data
040200 Topic.addMessageListener name:String localOnly:boolean -> response:UUID
  event Topic item:Data publishTime:long uuid:UUID
040300 Topic.removeMessageListener name:String registrationId:UUID -> response:boolean
040400 Topic.publishAll name:String messages:List_Data

# List
050100 List.size name:String -> response:int
050200 List.contains name:String value:Data -> response:boolean
050300 List.containsAll name:String values:List_Data -> response:boolean
050400 List.add name:String value:Data -> response:boolean
050500 List.remove name:String value:Data -> response:boolean
050600 List.addAll name:String valueList:List_Data -> response:boolean
050700 List.compareAndRemoveAll name:String values:List_Data -> response:boolean
050800 List.compareAndRetainAll name:String values:List_Data -> response:boolean
050900 List.clear name:String
050a00 List.getAll name:String -> response:List_Data
050b00 List.addListener name:String includeValue:boolean localOnly:boolean -> response:UUID
  event Item item:Data? uuid:UUID eventType:int
050c00 List.removeListener name:String registrationId:UUID -> response:boolean
050d00 List.isEmpty name:String -> response:boolean
050e00 List.addAllWithIndex name:String index:int valueList:List_Data -> response:boolean
050f00 List.get name:String index:int -> response:Data?
051000 List.set name:String index:int value:Data -> response:Data?
051100 List.addWithIndex name:String index:int value:Data
051200 List.removeWithIndex name:String index:int -> response:Data?
051300 List.lastIndexOf name:String value:Data -> response:int
051400 List.indexOf name:String value:Data -> response:int
051500 List.sub name:String from:int to:int -> response:List_Data
051600 List.iterator name:String -> response:List_Data
051700 List.listIterator name:String index:int -> response:List_Data

# Set
060100 Set.size name:String -> response:int
060200 Set.contains name:String value:Data -> response:boolean
060300 Set.containsAll name:String items:List_Data -> response:boolean
060400 Set.add name:String value:Data -> response:boolean
060500 Set.remove name:String value:Data -> response:boolean
060600 Set.addAll name:String valueList:List_Data -> response:boolean
060700 Set.compareAndRemoveAll name:String values:List_Data -> response:boolean
060800 Set.compareAndRetainAll name:String values:List_Data -> response:boolean
060900 Set.clear name:String
060a00 Set.getAll name:String -> response:List_Data
060b00 Set.addListener name:String includeValue:boolean localOnly:boolean -> response:UUID
  event Item item:Data? uuid:UUID eventType:int
060c00 Set.removeListener name:String registrationId:UUID -> response:boolean
060d00 Set.isEmpty name:String -> response:boolean

# MultiMap
020100 MultiMap.put name:String key:Data value:Data threadId:long -> response:boolean
020200 MultiMap.get name:String key:Data threadId:long -> response:List_Data
020300 MultiMap.remove name:String key:Data threadId:long -> response:List_Data
020400 MultiMap.keySet name:String -> response:List_Data
020500 MultiMap.values name:String -> response:List_Data
020600 MultiMap.entrySet name:String -> response:EntryList_Data_Data
020700 MultiMap.containsKey name:String key:Data threadId:long -> response:boolean
020800 MultiMap.containsValue name:String value:Data -> response:boolean
020900 MultiMap.containsEntry name:String key:Data value:Data threadId:long -> response:boolean
020a00 MultiMap.size name:String -> response:int
020b00 MultiMap.clear name:String
020c00 MultiMap.valueCount name:String key:Data threadId:long -> response:int
020d00 MultiMap.addEntryListenerToKey name:String key:Data includeValue:boolean localOnly:boolean ->
    response:UUID
  event Entry key:Data? value:Data? oldValue:Data? mergingValue:Data? eventType:int uuid:UUID
    numberOfAffectedEntries:int
020e00 MultiMap.addEntryListener name:String includeValue:boolean localOnly:boolean -> response:UUID
  event Entry key:Data? value:Data? oldValue:Data? mergingValue:Data? eventType:int uuid:UUID
    numberOfAffectedEntries:int
020f00 MultiMap.removeEntryListener name:String registrationId:UUID -> response:boolean
021000 MultiMap.lock name:String key:Data threadId:long ttl:long referenceId:long
021100 MultiMap.tryLock name:String key:Data threadId:long lease:long timeout:long referenceId:long
    -> response:boolean
021200 MultiMap.isLocked name:String key:Data -> response:boolean
021300 MultiMap.unlock name:String key:Data threadId:long referenceId:long
021400 MultiMap.forceUnlock name:String key:Data referenceId:long
021500 MultiMap.removeEntry name:String key:Data value:Data threadId:long -> response:boolean
021600 MultiMap.delete name:String key:Data threadId:long
021700 MultiMap.putAll name:String entries:EntryList_Data_List_Data

# ReplicatedMap
0d0100 ReplicatedMap.put name:String key:Data value:Data ttl:long -> response:Data?
0d0200 ReplicatedMap.size name:String -> response:int
0d0300 ReplicatedMap.isEmpty name:String -> response:boolean
0d0400 ReplicatedMap.containsKey name:String key:Data -> response:boolean
0d0500 ReplicatedMap.containsValue name:String value:Data -> response:boolean
0d0600 ReplicatedMap.get name:String key:Data -> response:Data?
0d0700 ReplicatedMap.remove name:String key:Data -> response:Data?
0d0800 ReplicatedMap.putAll name:String entries:EntryList_Data_Data
0d0900 ReplicatedMap.clear name:String
0d0a00 ReplicatedMap.addEntryListenerToKeyWithPredicate name:String key:Data predicate:Data
    localOnly:boolean -> response:UUID
  event Entry key:Data? value:Data? oldValue:Data? mergingValue:Data? eventType:int uuid:UUID
    numberOfAffectedEntries:int
0d0b00 ReplicatedMap.addEntryListenerWithPredicate name:String predicate:Data localOnly:boolean ->
    response:UUID
  event Entry key:Data? value:Data? oldValue:Data? mergingValue:Data? eventType:int uuid:UUID
    numberOfAffectedEntries:int
0d0c00 ReplicatedMap.addEntryListenerToKey name:String key:Data localOnly:boolean -> response:UUID
  event Entry key:Data? value:Data? oldValue:Data? mergingValue:Data? eventType:int uuid:UUID
    numberOfAffectedEntries:int
0d0d00 ReplicatedMap.addEntryListener name:String localOnly:boolean -> response:UUID
  event Entry key:Data? value:Data? oldValue:Data? mergingValue:Data? eventType:int uuid:UUID
    numberOfAffectedEntries:int
0d0e00 ReplicatedMap.removeEntryListener name:String registrationId:UUID -> response:boolean
0d0f00 ReplicatedMap.keySet name:String -> response:List_Data
0d1000 ReplicatedMap.values name:String -> response:List_Data
0d1100 ReplicatedMap.entrySet name:String -> response:EntryList_Data_Data

# Ringbuffer
170100 Ringbuffer.size name:String -> response:long
170200 Ringbuffer.tailSequence name:String -> response:long
170300 Ringbuffer.headSequence name:String -> response:long
170400 Ringbuffer.capacity name:String -> response:long
170500 Ringbuffer.remainingCapacity name:String -> response:long
170600 Ringbuffer.add name:String overflowPolicy:int value:Data -> response:long
170700 Ringbuffer.readOne name:String sequence:long -> response:Data?
170800 Ringbuffer.addAll name:String valueList:List_Data overflowPolicy:int -> response:long
170900 Ringbuffer.readMany name:String startSequence:long minCount:int maxCount:int filter:Data? ->
    readCount:int items:List_Data itemSeqs:longArray? nextSeq:long

# PNCounter
1d0100 PNCounter.get name:String replicaTimestamps:EntryList_UUID_Long targetReplicaUUID:UUID ->
    value:long replicaTimestamps:EntryList_UUID_Long replicaCount:int
1d0200 PNCounter.add name:String delta:long getBeforeUpdate:boolean
    replicaTimestamps:EntryList_UUID_Long targetReplicaUUID:UUID -> value:long
    replicaTimestamps:EntryList_UUID_Long replicaCount:int
1d0300 PNCounter.getConfiguredReplicaCount name:String -> response:int

# FlakeIdGenerator
1c0100 FlakeIdGenerator.newIdBatch name:String batchSize:int -> base:long increment:long
    batchSize:int
"""

_ID_STEP: Final = 1


class Definition(NamedTuple):
    """One request as the table has it; the fields are written as there."""

    id: int
    name: str
    request: str
    response: str
    events: tuple[tuple[str, str], ...]


class Operation(NamedTuple):
    """How one request is read and answered."""

    decode: Decode
    response: Response


def _lines() -> Iterator[str]:
    """The lines of the table, each joined with those that continue it."""
    held = ""
    for line in _TABLE.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("    "):
            held += " " + line.strip()
            continue
        if held:
            yield held
        held = line
    yield held


def _definitions() -> Iterator[Definition]:
    head: str | None = None
    events: list[tuple[str, str]] = []
    for line in _lines():
        if line.startswith("  event "):
            name, _, fields = line.removeprefix("  event ").partition(" ")
            events.append((name, fields))
            continue
        if head is not None:
            yield _definition(head, events)
        head, events = line, []
    if head is not None:
        yield _definition(head, events)


def _definition(head: str, events: list[tuple[str, str]]) -> Definition:
    request, _, response = head.partition("->")
    id, name, *fields = request.split()
    return Definition(int(id, 16), name, " ".join(fields), response.strip(), tuple(events))


DEFINITIONS: Final = {definition.name: definition for definition in _definitions()}
"""The table, by name."""


def operation(definition: Definition) -> Operation:
    """The codec of a request."""
    return Operation(
        request_decoder(definition.request),
        Response(definition.id + _ID_STEP, definition.response),
    )


def event(request: str, name: str) -> Event:
    """The codec of an event that the listeners registered by `request` are sent."""
    definition = DEFINITIONS[request]
    names = [event_name for event_name, _ in definition.events]
    place = names.index(name)
    id = definition.id + 2 * _ID_STEP + place * _ID_STEP
    return Event(id, definition.events[place][1], backup=name == "backup")
