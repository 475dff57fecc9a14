"""Records in the forms that Python clients serialize: Portable and Compact, alike in their fields."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hazelcast import predicate
from hazelcast.serialization.api import CompactSerializer, Portable


class City(Portable):
    def __init__(self, name: str | None = None) -> None:
        self.name = name

    def get_factory_id(self) -> int:
        return 1

    def get_class_id(self) -> int:
        return 2

    def write_portable(self, writer: Any) -> None:
        writer.write_string("name", self.name)

    def read_portable(self, reader: Any) -> None:
        self.name = reader.read_string("name")


class Person(Portable):
    def __init__(self, age: int = 0) -> None:
        self.age = age
        self.city = City(f"city{age}")

    def get_factory_id(self) -> int:
        return 1

    def get_class_id(self) -> int:
        return 1

    def write_portable(self, writer: Any) -> None:
        writer.write_string("name", f"n{self.age}")
        writer.write_int("age", self.age)
        writer.write_double("pay", self.age * 1.5)
        writer.write_boolean("active", self.age % 2 == 0)
        writer.write_portable("city", self.city)
        writer.write_int_array("scores", [self.age, self.age + 1])
        writer.write_portable_array("cities", [self.city, City("x")])
        writer.write_string_array("tags", [f"t{self.age}", "x"])
        writer.write_date("born", date(2020, 1, self.age))
        writer.write_decimal("exact", Decimal(self.age))

    def read_portable(self, reader: Any) -> None:
        self.age = reader.read_int("age")


class Place:
    def __init__(self, name: str) -> None:
        self.name = name


class Worker:
    def __init__(self, age: int) -> None:
        self.age = age


class PlaceSerializer(CompactSerializer[Place]):
    def read(self, reader: Any) -> Place:
        return Place(reader.read_string("name"))

    def write(self, writer: Any, obj: Place) -> None:
        writer.write_string("name", obj.name)

    def get_type_name(self) -> str:
        return "place"

    def get_class(self) -> type[Place]:
        return Place


class WorkerSerializer(CompactSerializer[Worker]):
    def read(self, reader: Any) -> Worker:
        return Worker(reader.read_int32("age"))

    def write(self, writer: Any, obj: Worker) -> None:
        city = Place(f"city{obj.age}")
        writer.write_string("name", f"n{obj.age}")
        writer.write_int32("age", obj.age)
        writer.write_float64("pay", obj.age * 1.5)
        writer.write_boolean("active", obj.age % 2 == 0)
        writer.write_boolean("always", True)
        writer.write_compact("city", city)
        writer.write_array_of_int32("scores", [obj.age, obj.age + 1])
        writer.write_array_of_compact("cities", [city, None, Place("x")])
        writer.write_array_of_string("tags", [f"t{obj.age}", "x"])
        writer.write_date("born", date(2020, 1, obj.age))
        writer.write_decimal("exact", Decimal(obj.age))
        writer.write_nullable_int64("perhaps", None if obj.age == 2 else obj.age)
        writer.write_array_of_boolean("bits", [True, False, obj.age == 1])

    def get_type_name(self) -> str:
        return "worker"

    def get_class(self) -> type[Worker]:
        return Worker


OPTIONS: dict[str, Any] = {
    "portable_factories": {1: {1: Person, 2: City}},
    "compact_serializers": [WorkerSerializer(), PlaceSerializer()],
}
"""What a client needs to know of them."""

KINDS = [Person, Worker]

FOUND = [
    (predicate.equal("name", "n2"), [2]),
    (predicate.greater("age", 2), [3, 4]),
    (predicate.equal("age", "3"), [3]),
    (predicate.between("pay", 2, 5), [2, 3]),
    (predicate.equal("pay", "3.0"), [2]),
    (predicate.equal("active", True), [2, 4]),
    (predicate.equal("city.name", "city3"), [3]),
    (predicate.like("city.name", "%1"), [1]),
    (predicate.equal("scores[0]", 3), [3]),
    (predicate.equal("scores[any]", 3), [2, 3]),
    (predicate.equal("scores[9]", None), [1, 2, 3, 4]),
    (predicate.equal("cities[any].name", "city1"), [1]),
    (predicate.equal("cities[0].name", "city2"), [2]),
    (predicate.equal("tags[any]", "t4"), [4]),
    (predicate.equal("born", date(2020, 1, 3)), [3]),
    (predicate.equal("exact", Decimal(2)), [2]),
    (predicate.in_("age", 1, 4), [1, 4]),
    (predicate.sql("age > 2 and name like 'n%'"), [3, 4]),
    (predicate.equal("nothing", None), [1, 2, 3, 4]),
]
"""Predicates, and the ages of the four records that match."""

COMPACT_ONLY = [
    (predicate.equal("perhaps", None), [2]),
    (predicate.equal("always", True), [1, 2, 3, 4]),
    (predicate.equal("bits[2]", True), [1]),
]

ADDRESSES = {
    "five": {"zip": "5", "n": 1},
    "ten": {"zip": "10", "n": 2},
    "seven": {"zip": "7", "n": 3},
    "none": {"n": 4},
}
"""Records with numbers written as text."""
OF_ADDRESSES: list[tuple[Any, list[str]]] = [
    (predicate.equal("zip", 5), ["five"]),
    (predicate.equal("zip", "5"), ["five"]),
    (predicate.equal("n", "2"), ["ten"]),
    (predicate.in_("zip", 5, 10), ["five", "ten"]),
    (predicate.between("zip", 5, 7), ["five", "seven"]),
    (predicate.between("n", "2", "3"), ["seven", "ten"]),
    (predicate.greater("zip", 5), ["seven"]),
    (predicate.less_or_equal("zip", 10), ["ten"]),
    (predicate.less("n", "3"), ["five", "ten"]),
    (predicate.and_(predicate.equal("zip", 7), predicate.equal("n", 3)), ["seven"]),
    (predicate.and_(predicate.equal("zip", "7"), predicate.equal("n", "3")), ["seven"]),
]
"""Questions of them with literals of the other type, and the keys found."""
