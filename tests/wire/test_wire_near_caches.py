"""Near caches of clients, which are told of what others change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from wire_clients import Clients, eventually

from gridsched.testing import GridServer

NEAR = {"near": {"invalidate_on_change": True}}


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda held: held.remove("k1"), {"k0", "k2"}),
        (lambda held: held.put("k1", "new"), {"k0", "k2"}),
        (lambda held: held.evict("k2"), {"k0", "k1"}),
        (lambda held: held.clear(), set()),
    ],
    ids=["remove", "put", "evict", "clear"],
)
def test_what_another_client_changes_is_served_no_longer(
    connect: Clients, change: Callable[[Any], object], left: set[str]
) -> None:
    with GridServer(members=2) as server:
        near = connect(server, near_caches=NEAR).get_map("near").blocking()
        other = connect(server).get_map("near").blocking()
        near.put_all({f"k{n}": "old" for n in range(3)})
        for n in range(3):
            near.get(f"k{n}")
        assert cached(near) == {"k0", "k1", "k2"}
        change(other)
        eventually(lambda: cached(near) == left)


def cached(near: Any) -> set[str]:
    to_object = near._wrapped._to_object
    return {to_object(key) for key in list(near._wrapped._near_cache)}
