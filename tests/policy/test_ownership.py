"""Ownership: one owner of each partition."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gridsched.policy.ownership import assign, owned, slices

PARTITIONS = 271
names = st.sets(st.text("abcdefgh-0123456789", min_size=1, max_size=6), min_size=1, max_size=8)


@st.composite
def clusters(draw: st.DrawFn) -> tuple[dict[str, str], list[str | None]]:
    """Nodes, some beside a grid member, and the member of each partition's primary."""
    members = ["m1", "m2", "m3", None]
    beside = st.sampled_from(["", "m1", "m2"])
    nodes = {name: draw(beside) for name in sorted(draw(names))}
    shift = draw(st.integers(0, 3))
    return nodes, [members[(partition + shift) % 4] for partition in range(PARTITIONS)]


@given(clusters())
def test_every_partition_has_one_owner(cluster: tuple[dict[str, str], list[str | None]]) -> None:
    nodes, holders = cluster
    shares = [partition for node in nodes for partition in owned(node, holders, nodes)]
    assert sorted(shares) == list(range(PARTITIONS))


@given(clusters())
def test_nodes_beside_the_primary_come_first(
    cluster: tuple[dict[str, str], list[str | None]],
) -> None:
    nodes, holders = cluster
    for partition, holder in enumerate(holders):
        owner = assign(partition, holder, nodes)
        assert owner is not None
        if holder is not None and holder in nodes.values():
            assert nodes[owner] == holder


@given(clusters(), st.data())
def test_a_node_that_goes_moves_only_its_own_share(
    cluster: tuple[dict[str, str], list[str | None]], data: st.DataObject
) -> None:
    """And so does one that comes: it is the same, read backwards."""
    nodes, holders = cluster
    gone = data.draw(st.sampled_from(sorted(nodes)))
    rest = {name: beside for name, beside in nodes.items() if name != gone}
    for partition, holder in enumerate(holders):
        before = assign(partition, holder, nodes)
        after = assign(partition, holder, rest)
        assert after == (before if before != gone else after)
        assert after != gone
        assert (after is None) == (not rest)


def test_shares_are_even() -> None:
    nodes = {f"node-{n}": "" for n in range(4)}
    shares = Counter(assign(partition, None, nodes) for partition in range(PARTITIONS))
    assert all(40 <= share <= 100 for share in shares.values())


@given(st.lists(st.integers()), st.integers(1, 40))
def test_slices_hold_everything_in_order(partitions: list[int], size: int) -> None:
    parts = slices(partitions, size)
    assert [partition for part in parts for partition in part] == partitions
    assert all(0 < len(part) <= size for part in parts)
