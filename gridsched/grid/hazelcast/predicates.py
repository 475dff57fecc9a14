"""The port's conditions as Hazelcast predicates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, Final

from hazelcast.predicate import Predicate, and_, between, equal, true
from hazelcast.serialization.api import IdentifiedDataSerializable

from gridsched.grid.data import partition_of, string_key
from gridsched.grid.port import Condition, Equal

_PREDICATE_FACTORY: Final = -20
_MULTI_PARTITION: Final = 21
_HASH_SET: Final = -37
_PARTITION_HASH: Final = 4


class _InPartitions(IdentifiedDataSerializable, Predicate):
    """Hazelcast's MultiPartitionPredicate, for which the client has no API.

    It names each partition by a key that lives there.
    """

    def __init__(self, keys: Sequence[bytes], target: Any) -> None:
        self._keys = keys
        self._target = target

    def get_factory_id(self) -> int:
        return _PREDICATE_FACTORY

    def get_class_id(self) -> int:
        return _MULTI_PARTITION

    def write_data(self, object_data_output: Any) -> None:
        object_data_output.write_int(_HASH_SET)
        object_data_output.write_int(len(self._keys))
        object_data_output.write_from(b"".join(self._keys))
        object_data_output.write_object(self._target)

    def read_data(self, object_data_input: Any) -> None:
        raise NotImplementedError("a query only ever travels to the member")


def predicate(
    where: Sequence[Condition], partitions: Iterable[int] | None, partition_count: int
) -> Any:
    """Every condition, in the given partitions (None: in all)."""
    target = _all_of(where)
    if partitions is None:
        return target
    keys = _partition_keys(partition_count)
    return _InPartitions([keys[partition] for partition in set(partitions)], target)


def _all_of(where: Sequence[Condition]) -> Any:
    predicates = [_single(condition) for condition in where]
    if not predicates:
        return true()
    return predicates[0] if len(predicates) == 1 else and_(*predicates)


def _single(condition: Condition) -> Any:
    if isinstance(condition, Equal):
        return equal(condition.attribute, condition.value)
    return between(condition.attribute, condition.low, condition.high)


@lru_cache(maxsize=4)
def _partition_keys(partition_count: int) -> tuple[bytes, ...]:
    """A key that lives in each partition, as `write_object` writes it: type id and text."""
    found: dict[int, bytes] = {}
    for number in count():
        text = str(number)
        data = string_key(text, text)
        found.setdefault(partition_of(data, partition_count), data[_PARTITION_HASH:])
        if len(found) == partition_count:
            break
    return tuple(found[partition] for partition in range(partition_count))
