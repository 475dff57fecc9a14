"""The projections that clients send: what is answered of each entry.

Class ids are those of ProjectionDataSerializerHook.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gridsched.grid.wire.errors import SerializationFailed
from gridsched.grid.wire.query.aggregators import entry_object
from gridsched.grid.wire.query.attributes import Entry, attribute
from gridsched.grid.wire.query.input import NO_HASH, Input, Schemas, content
from gridsched.grid.wire.query.serialized import IDENTIFIED, written

FACTORY: Final = -30


Project = Callable[[Entry], bytes | None]


def projection(data: bytes, schemas: Schemas) -> Project:
    """The projection that `data` holds. SerializationFailed for anything else."""
    source = content(data, schemas)
    known = source.int() == IDENTIFIED and source.boolean() and source.int() == FACTORY
    read = _PROJECTIONS.get(source.int()) if known else None
    if read is None:
        raise SerializationFailed("a projection of a class that is not known here")
    return read(source)


def _single(source: Input) -> Project:
    extract = attribute(source.text() or "")

    def project(entry: Entry) -> bytes | None:
        value = extract(entry)
        return None if value is None else written(value)

    return project


def _multi(source: Input) -> Project:
    extracts = [attribute(path) for path in source.array(Input.text) or ()]
    return lambda entry: written([extract(entry) for extract in extracts])


def _identity(_source: Input) -> Project:
    return lambda entry: NO_HASH + entry_object(entry.key_data, entry.value_data)


_PROJECTIONS: Final[dict[int, Callable[[Input], Project]]] = {0: _single, 1: _multi, 2: _identity}
