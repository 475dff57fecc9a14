"""docs/coordination.md names every element of the coordination file as the loader knows it."""

from __future__ import annotations

import re

import pytest
from config_documents import REPOSITORY
from test_documentation import row

from gridsched.config.coordination import ROOT, SERVERS
from gridsched.config.schema import Branch

PAGE = (REPOSITORY / "docs" / "coordination.md").read_text("utf-8")


@pytest.mark.parametrize("branch", [ROOT, SERVERS], ids=lambda b: b.name)
def test_every_element_is_in_its_table(branch: Branch) -> None:
    _, heading, section = PAGE.partition(f"\n### `{branch.name}`\n")
    assert heading
    table = re.split(r"\n##", section)[0]
    assert branch.doc in table
    assert all(row(part) in table.splitlines() for part in branch.parts)
