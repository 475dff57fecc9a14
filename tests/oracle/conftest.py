"""The oracle's rows are compared by the time zone rules that Quartz had."""

from __future__ import annotations

import pytest
from oracle_zones import zone_then

from gridsched.policy import localtime


@pytest.fixture(autouse=True)
def zones_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(localtime, "zone", zone_then)
