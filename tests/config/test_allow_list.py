from __future__ import annotations

import pytest

from gridsched.policy.allow_list import allowed


@pytest.mark.parametrize(
    ("target", "patterns"),
    [
        ("shop.tasks:restock", ("shop.tasks:*",)),
        ("shop.tasks:restock", ("shop.tasks:restock",)),
        ("shop.tasks:Stock.refill", ("shop.tasks:*",)),
        ("shop.tasks:restock", ("shop.*",)),
        ("shop.tasks:restock", ("bank:*", "shop.task?:re*")),
    ],
)
def test_allowed(target: str, patterns: tuple[str, ...]) -> None:
    assert allowed(target, patterns)


@pytest.mark.parametrize(
    ("target", "patterns"),
    [
        ("shop.tasks:restock", ()),
        ("os:system", ("shop.tasks:*",)),
        ("shop.tasks.evil:restock", ("shop.tasks:*",)),
        ("my.shop.tasks:restock", ("shop.tasks:*",)),
        ("Shop.tasks:restock", ("shop.tasks:*",)),
        ("shop.tasks:restock", ("shop.tasks",)),
    ],
)
def test_not_allowed(target: str, patterns: tuple[str, ...]) -> None:
    assert not allowed(target, patterns)
