"""The table of messages agrees with the official client's own codecs."""

from __future__ import annotations

import importlib
import pkgutil
import re
from types import ModuleType
from typing import Any

import hazelcast.protocol.codec
import pytest

from gridsched.grid.wire.answers import find
from gridsched.grid.wire.messages import DEFINITIONS, event, operation
from gridsched.grid.wire.operations import load

CODECS = {
    module.name.removesuffix("_codec"): module.name
    for module in pkgutil.iter_modules(hazelcast.protocol.codec.__path__)
}
NAMES = {
    re.sub(r"(?<=[a-z])(?=[A-Z])|\.", "_", name).lower(): definition
    for name, definition in DEFINITIONS.items()
}
SHARED = sorted(NAMES.keys() & CODECS.keys())


def codec_of(name: str) -> ModuleType:
    return importlib.import_module(f"hazelcast.protocol.codec.{CODECS[name]}")


def test_most_of_the_table_is_known_to_the_client() -> None:
    assert len(SHARED) > 150


@pytest.mark.parametrize("name", SHARED)
def test_the_ids_are_the_clients(name: str) -> None:
    codec: Any = codec_of(name)
    definition = NAMES[name]
    ids = (codec._REQUEST_MESSAGE_TYPE, codec._RESPONSE_MESSAGE_TYPE)
    assert ids == (definition.id, definition.id + 1)
    for place, (event_name, _) in enumerate(definition.events):
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", event_name).upper()
        known = getattr(codec, f"_EVENT_{words}_MESSAGE_TYPE", definition.id + 2 + place)
        assert known == definition.id + 2 + place


def test_every_definition_makes_codecs() -> None:
    for definition in DEFINITIONS.values():
        operation(definition)
        for name, _ in definition.events:
            event(definition.name, name)


def test_every_request_of_the_table_is_answered() -> None:
    load()
    assert [name for name, definition in DEFINITIONS.items() if find(definition.id) is None] == []
