"""The types of the protocol's fields: how each is read from frames and written to them.

Fixed-size fields share the initial frame of their message or structure. Every other field is a
frame of its own or a run of frames between a begin and an end frame. The names are those of the
protocol's definitions: `List_String`, `EntryList_Data_Data`, `Data?` for what may be null.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from gridsched.grid.wire.frames import (
    BEGIN_STRUCTURE,
    END_STRUCTURE,
    NULL,
    Frame,
    MalformedMessage,
)

FIXED: Final = {"boolean": "?", "byte": "b", "int": "i", "long": "q", "UUID": "?QQ"}
"""The fixed-size types as `struct` formats. A UUID is: is null, most and least significant bits."""

STRUCTURES: Final = {
    "Address": "host:String port:int",
    "AnchorDataListHolder": "anchorPageList:List_Integer anchorDataList:EntryList_Data_Data",
    "BitmapIndexOptions": "uniqueKey:String uniqueKeyTransformation:int",
    "DistributedObjectInfo": "serviceName:String name:String",
    "EndpointQualifier": "type:int identifier:String?",
    "ErrorHolder": "errorCode:int className:String message:String? "
    "stackTraceElements:List_StackTraceElement",
    "FieldDescriptor": "fieldName:String kind:int",
    "IndexConfig": "name:String? type:int attributes:List_String "
    "bitmapIndexOptions:BitmapIndexOptions?",
    "MemberInfo": "address:Address uuid:UUID attributes:Map_String_String liteMember:boolean "
    "version:MemberVersion addressMap:Map_EndpointQualifier_Address",
    "MemberVersion": "major:byte minor:byte patch:byte",
    "PagingPredicateHolder": "anchorDataListHolder:AnchorDataListHolder predicateData:Data? "
    "comparatorData:Data? pageSize:int page:int iterationTypeId:byte partitionKeyData:Data?",
    "Schema": "typeName:String fields:List_FieldDescriptor",
    "SimpleEntryView": "key:Data value:Data cost:long creationTime:long expirationTime:long "
    "hits:long lastAccessTime:long lastStoredTime:long lastUpdateTime:long version:long ttl:long "
    "maxIdle:long",
    "StackTraceElement": "className:String methodName:String fileName:String? lineNumber:int",
}
"""The structured types by their fields. A value is the tuple of its fields, in this order."""

_BEGIN: Final[Frame] = (BEGIN_STRUCTURE, b"")
_END: Final[Frame] = (END_STRUCTURE, b"")
_NULL: Final[Frame] = (NULL, b"")
_PACKED_NAMES: Final = {"Integer": "int", "Long": "long", "UUID": "UUID"}
_MSB: Final = 64
_LSB: Final = 2**64 - 1


class Frames:
    """Reads frames one after the other. MalformedMessage where there are no more."""

    __slots__ = ("_at", "_frames")

    def __init__(self, frames: Sequence[Frame], at: int = 0) -> None:
        self._frames = frames
        self._at = at

    def next(self) -> bytes:
        """The payload of the next frame."""
        try:
            payload = self._frames[self._at][1]
        except IndexError:
            raise MalformedMessage("a message ends too early") from None
        self._at += 1
        return payload

    def take_if(self, flag: int) -> bool:
        """Whether the next frame has this flag; then it is read."""
        try:
            found = self._frames[self._at][0] & flag
        except IndexError:
            raise MalformedMessage("a message ends too early") from None
        if found:
            self._at += 1
        return bool(found)

    def begin(self) -> None:
        """Read the begin frame of a structure."""
        if not self.take_if(BEGIN_STRUCTURE):
            raise MalformedMessage("a structure does not begin where it should")

    def skip_to_end(self) -> None:
        """Read past the end of a structure, over the fields of later versions."""
        depth = 1
        while depth:
            if self.take_if(BEGIN_STRUCTURE):
                depth += 1
            elif self.take_if(END_STRUCTURE):
                depth -= 1
            else:
                self.next()


Read = Callable[[Frames], Any]
Write = Callable[[list[Frame], Any], None]


class Type(NamedTuple):
    """A variable-size type: `read` takes its frames, `write` appends them."""

    read: Read
    write: Write


class Fixed:
    """Fixed-size fields side by side in one frame.

    Fields missing at the end are those of later versions of the protocol: they are None.
    """

    def __init__(self, names: Sequence[str], prefix: str = "<") -> None:
        self._formats = [FIXED[name] for name in names]
        self._uuids = [name == "UUID" for name in names]
        self._plain = not any(self._uuids)
        self._struct = struct.Struct(prefix + "".join(self._formats))
        self._prefix = prefix

    def unpack(self, payload: bytes, offset: int) -> tuple[Any, ...]:
        if len(payload) - offset < self._struct.size:
            return self._unpack_some(payload, offset)
        values = self._struct.unpack_from(payload, offset)
        return values if self._plain else self._joined(values)

    def pack(self, *values: Any) -> bytes:
        """Prefix fields and then the values of the fields."""
        if self._plain:
            return self._struct.pack(*values)
        prefix = len(values) - len(self._uuids)
        flat: list[Any] = list(values[:prefix])
        for is_uuid, value in zip(self._uuids, values[prefix:], strict=True):
            flat += _split(value) if is_uuid else (value,)
        return self._struct.pack(*flat)

    def _joined(self, values: Sequence[Any]) -> tuple[Any, ...]:
        left = iter(values)
        return tuple(
            _join(next(left), next(left), next(left)) if is_uuid else next(left)
            for is_uuid in self._uuids
        )

    def _unpack_some(self, payload: bytes, offset: int) -> tuple[Any, ...]:
        values: list[Any] = []
        for format, is_uuid in zip(self._formats, self._uuids, strict=True):
            field = struct.Struct("<" + format)
            if len(payload) - offset < field.size:
                break
            found = field.unpack_from(payload, offset)
            values.append(_join(*found) if is_uuid else found[0])
            offset += field.size
        return (*values, *[None] * (len(self._formats) - len(values)))


def fields_of(spec: str) -> list[tuple[str, str]]:
    """The (name, type) pairs of fields written `name:type name:type …`.

    A fixed-size type that may be null is the same type: only a UUID may, and it says so itself.
    """
    pairs = [(name, kind) for name, _, kind in (field.partition(":") for field in spec.split())]
    return [(name, kind[:-1] if kind[:-1] in FIXED else kind) for name, kind in pairs]


@cache
def type_of(name: str) -> Type:
    """The variable-size type of that name."""
    if name.endswith("?"):
        return _nullable(type_of(name[:-1]))
    if name in _SIMPLE:
        return _SIMPLE[name]
    if name in STRUCTURES:
        return _structure(fields_of(STRUCTURES[name]))
    kind, _, items = name.partition("_")
    return _COLLECTIONS[kind](items)


def _list_of(item: str) -> Type:
    packed = _PACKED_NAMES.get(item)
    return _packed_list(packed) if packed else _list(type_of(item))


def _map_of(items: str) -> Type:
    key, _, value = items.partition("_")
    return _map(type_of(key), type_of(value))


def _entries_of(items: str) -> Type:
    key, _, value = items.partition("_")
    if key not in _PACKED_NAMES:
        return _entries(type_of(key), type_of(value))
    if value in _PACKED_NAMES:
        return _packed_entries(_PACKED_NAMES[key], _PACKED_NAMES[value])
    return _keyed_lists(_packed_list(_PACKED_NAMES[key]), type_of(value))


_COLLECTIONS: Final[dict[str, Callable[[str], Type]]] = {
    "List": _list_of,
    "Set": _list_of,
    "ListCN": lambda item: _list(_nullable(type_of(item))),
    "Map": _map_of,
    "EntryList": _entries_of,
}
"""What makes the type of a collection of the items named."""


def _join(is_null: bool, high: int, low: int) -> UUID | None:
    return None if is_null else UUID(int=high << _MSB | low)


def _split(value: UUID | None) -> tuple[bool, int, int]:
    return (True, 0, 0) if value is None else (False, value.int >> _MSB, value.int & _LSB)


def _text(frames: Frames) -> str:
    try:
        return frames.next().decode()
    except UnicodeDecodeError as error:
        raise MalformedMessage(f"text that is not UTF-8: {error}") from None


_SIMPLE: Final = {
    "Data": Type(Frames.next, lambda out, value: out.append((0, value))),
    "byteArray": Type(Frames.next, lambda out, value: out.append((0, value))),
    "String": Type(_text, lambda out, value: out.append((0, value.encode()))),
    "longArray": Type(
        lambda frames: _packed_list("long").read(frames),
        lambda out, value: _packed_list("long").write(out, value),
    ),
}


def _nullable(of: Type) -> Type:
    def read(frames: Frames) -> Any:
        return None if frames.take_if(NULL) else of.read(frames)

    def write(out: list[Frame], value: Any) -> None:
        if value is None:
            out.append(_NULL)
        else:
            of.write(out, value)

    return Type(read, write)


def _list(of: Type) -> Type:
    def read(frames: Frames) -> list[Any]:
        frames.begin()
        items = []
        while not frames.take_if(END_STRUCTURE):
            items.append(of.read(frames))
        return items

    def write(out: list[Frame], items: Sequence[Any]) -> None:
        out.append(_BEGIN)
        for item in items:
            of.write(out, item)
        out.append(_END)

    return Type(read, write)


def _entries(key: Type, value: Type) -> Type:
    def read(frames: Frames) -> list[tuple[Any, Any]]:
        frames.begin()
        items = []
        while not frames.take_if(END_STRUCTURE):
            items.append((key.read(frames), value.read(frames)))
        return items

    def write(out: list[Frame], items: Sequence[tuple[Any, Any]]) -> None:
        out.append(_BEGIN)
        for held, its in items:
            key.write(out, held)
            value.write(out, its)
        out.append(_END)

    return Type(read, write)


def _map(key: Type, value: Type) -> Type:
    entries = _entries(key, value)
    return Type(
        lambda frames: dict(entries.read(frames)),
        lambda out, value: entries.write(out, list(value.items())),
    )


def _packed_list(name: str) -> Type:
    item = Fixed([name])
    size = struct.calcsize("<" + FIXED[name])

    def read(frames: Frames) -> list[Any]:
        payload = frames.next()
        return [item.unpack(payload, at)[0] for at in range(0, len(payload) - size + 1, size)]

    def write(out: list[Frame], items: Sequence[Any]) -> None:
        out.append((0, b"".join([item.pack(value) for value in items])))

    return Type(read, write)


def _packed_entries(key: str, value: str) -> Type:
    pair = Fixed([key, value])
    size = struct.calcsize("<" + FIXED[key] + FIXED[value])

    def read(frames: Frames) -> list[tuple[Any, ...]]:
        payload = frames.next()
        return [pair.unpack(payload, at) for at in range(0, len(payload) - size + 1, size)]

    def write(out: list[Frame], items: Sequence[tuple[Any, Any]]) -> None:
        out.append((0, b"".join([pair.pack(*entry) for entry in items])))

    return Type(read, write)


def _keyed_lists(keys: Type, value: Type) -> Type:
    """Entries with packed keys: the values stand first, then all keys in one frame."""
    values = _list(value)

    def read(frames: Frames) -> list[tuple[Any, Any]]:
        found = values.read(frames)
        return list(zip(keys.read(frames), found, strict=False))

    def write(out: list[Frame], items: Sequence[tuple[Any, Any]]) -> None:
        values.write(out, [value for _, value in items])
        keys.write(out, [key for key, _ in items])

    return Type(read, write)


def _structure(fields: Sequence[tuple[str, str]]) -> Type:
    fixed = Fixed([kind for _, kind in fields if kind in FIXED])
    has_fixed = any(kind in FIXED for _, kind in fields)
    variable = [type_of(kind) for _, kind in fields if kind not in FIXED]
    is_fixed = [kind in FIXED for _, kind in fields]

    def read(frames: Frames) -> tuple[Any, ...]:
        frames.begin()
        first = iter(fixed.unpack(frames.next(), 0) if has_fixed else ())
        rest = iter([of.read(frames) for of in variable])
        frames.skip_to_end()
        return tuple(next(first) if here else next(rest) for here in is_fixed)

    def write(out: list[Frame], value: Sequence[Any]) -> None:
        out.append(_BEGIN)
        first = [held for held, here in zip(value, is_fixed, strict=True) if here]
        rest = [held for held, here in zip(value, is_fixed, strict=True) if not here]
        if has_fixed:
            out.append((0, fixed.pack(*first)))
        for of, held in zip(variable, rest, strict=True):
            of.write(out, held)
        out.append(_END)

    return Type(read, write)
