"""docs/configuration.md names every element as the loader knows it, and its examples load."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from config_documents import REPOSITORY

from gridsched.config import cache_config, durations, kinds
from gridsched.config.schema import Branch, Leaf, Part, Unused

PAGE = (REPOSITORY / "docs" / "configuration.md").read_text("utf-8")
EXAMPLES = re.findall(r"```xml\n(.*?)```", PAGE, re.DOTALL)


def branches(branch: Branch) -> Iterator[Branch]:
    yield branch
    for part in branch.parts:
        if isinstance(part, Branch):
            yield from branches(part)


def row(part: Part) -> str:
    """The part's line in its branch's table."""
    if isinstance(part, Unused):
        return f"| `{part.name}` | – | – | Accepted and ignored: {part.doc}. | – |"
    unit, default = (
        ("elements", "none") if isinstance(part, Branch) else (part.kind.unit, part.default)
    )
    aliases = ", ".join(f"`{alias}`" for alias in part.aliases) or "–"
    return f"| `{part.name}` | {unit} | {'required' if part.required else default} | {part.doc} | {aliases} |"


@pytest.mark.parametrize("branch", list(branches(cache_config.ROOT)), ids=lambda b: b.name)
def test_every_element_is_in_its_table(branch: Branch) -> None:
    _, heading, section = PAGE.partition(f"\n### `{branch.name}`\n")
    assert heading, f"no section on {branch.name}"
    table = re.split(r"\n##", section)[0]
    assert branch.doc in table
    for part in branch.parts:
        assert row(part) in table.splitlines()


def test_every_attribute_unit_and_data_type_is_named() -> None:
    leaves = [
        part for b in branches(cache_config.ROOT) for part in b.parts if isinstance(part, Leaf)
    ]
    attributes = {name for leaf in leaves for name in leaf.attributes}
    for word in attributes | set(durations.UNITS) | set(kinds.DATA_TYPES):
        assert f"`{word}`" in PAGE, word


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_loads(example: str) -> None:
    loaded = cache_config.loads(example.encode())
    assert (loaded.ignored, loaded.aliases) == ((), ())


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3
