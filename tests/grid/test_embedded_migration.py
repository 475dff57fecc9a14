"""Members come, leave and crash: the partition table stays whole, and what was held stays held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest
from conformance import V1, key
from embedding import embedded
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gridsched.grid.data import PARTITION_COUNT, partition_of
from gridsched.grid.embedded.arrangement import arrange
from gridsched.grid.embedded.cluster import EmbeddedCluster, PartitionLost
from gridsched.grid.embedded.index import HashIndex, Index, SortedIndex

INDEXES: dict[str, type[Index]] = {"v": SortedIndex, "state": HashIndex}
ITEMS = [b"one", b"two", b"three"]

STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "kill", "shutdown"]), st.integers(0, 100)), max_size=8
)


def fill(cluster: EmbeddedCluster, backup_count: int = 1) -> dict[bytes, bytes]:
    entries = {key(f"k{n}"): V1 for n in range(300)}
    held = cluster.map("m", INDEXES, backup_count)
    for entry in entries.items():
        held.put(*entry)
    cluster.queue("q").offer_all(ITEMS)
    return entries


def entries_of(cluster: EmbeddedCluster) -> dict[bytes, bytes]:
    return dict(cluster.map("m", INDEXES).query([]))


def primaries(table: Iterable[tuple[str, ...]]) -> Counter[str]:
    return Counter(row[0] for row in table)


def check_table(cluster: EmbeddedCluster, backup_count: int) -> None:
    members = [member.uuid for member in cluster.members]
    assert len(cluster.table) == PARTITION_COUNT
    for row in cluster.table:
        assert len(row) == len(set(row)) == min(backup_count + 1, len(members))
        assert set(row) <= set(members)
    counts = [primaries(cluster.table)[member] for member in members]
    assert max(counts) - min(counts) <= 1


def take_step(cluster: EmbeddedCluster, step: str, at: int) -> None:
    members = cluster.members
    if step == "add" or len(members) == 1:
        cluster.add_member()
        return
    leave = cluster.kill_member if step == "kill" else cluster.shutdown_member
    leave(members[at % len(members)].uuid)


@settings(deadline=None)
@given(steps=STEPS, members=st.integers(1, 4), backup_count=st.integers(1, 3))
def test_one_loss_at_a_time_loses_nothing(
    steps: list[tuple[str, int]], members: int, backup_count: int
) -> None:
    cluster = embedded(members)
    entries = fill(cluster, backup_count)
    check_table(cluster, backup_count)
    for step in steps:
        take_step(cluster, *step)
        check_table(cluster, backup_count)
        assert entries_of(cluster) == entries
    assert cluster.queue("q").pop(10) == ITEMS


@settings(deadline=None)
@given(steps=STEPS)
def test_backups_follow_writes_between_the_losses(steps: list[tuple[str, int]]) -> None:
    cluster = embedded(3)
    held = cluster.map("m", INDEXES)
    expected = {}
    for number, step in enumerate(steps):
        expected = {key(f"k{number}-{n}"): V1 for n in range(20)}
        held.remove_all([])
        assert all(held.compare_and_set([(k, None, v) for k, v in expected.items()]))
        take_step(cluster, *step)
    assert entries_of(cluster) == expected


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 7), min_size=1, max_size=7, unique=True),
    st.lists(st.integers(0, 7), min_size=1, max_size=7, unique=True),
    st.integers(1, 4),
)
def test_no_more_primaries_move_than_must(
    before: list[int], after: list[int], replica_count: int
) -> None:
    old_members, members = [f"m{n}" for n in before], [f"m{n}" for n in after]
    old = arrange([()] * PARTITION_COUNT, old_members, replica_count)
    new = arrange(old, members, replica_count)
    survived = [tuple(member for member in row if member in members) for row in old]
    promoted = [row[0] for row in survived if row]
    share, left = divmod(PARTITION_COUNT, len(members))
    heaviest = sorted((promoted.count(member) for member in members), reverse=True)
    excess = sum(max(0, n - share - (rank < left)) for rank, n in enumerate(heaviest))
    moved = sum(bool(was) and was[0] != now[0] for was, now in zip(survived, new, strict=True))
    assert moved == excess


def test_an_arrangement_that_fits_stays_as_it_is() -> None:
    members = ["a", "b", "c", "d"]
    table = arrange([()] * PARTITION_COUNT, members, 2)
    assert arrange(table, members, 2) == table


@pytest.mark.parametrize("members", [2, 3, 5])
def test_backups_are_shared_too(members: int) -> None:
    cluster = embedded(1)
    for _ in range(members - 1):
        cluster.add_member()
    backups = Counter(row[1] for row in cluster.table)
    assert len(backups) == members
    assert max(backups.values()) - min(backups.values()) <= PARTITION_COUNT // members // 2


def test_without_backups_a_crash_loses_its_part_and_a_shutdown_nothing() -> None:
    cluster = embedded(3)
    entries = fill(cluster, backup_count=0)
    cluster.shutdown_member("m1")
    assert entries_of(cluster) == entries
    cluster.kill_member("m2")
    left = entries_of(cluster)
    assert set(left.items()) < set(entries.items())
    assert 0 < len(left) < len(entries)


def test_two_backups_bear_two_losses() -> None:
    cluster = embedded(4)
    entries = fill(cluster, backup_count=2)
    cluster.kill_member("m1")
    cluster.kill_member("m3")
    assert entries_of(cluster) == entries


@settings(deadline=None)
@given(
    members=st.integers(2, 6),
    killed=st.sets(st.integers(0, 5), min_size=1, max_size=4),
    backup_count=st.integers(0, 3),
)
def test_what_is_killed_at_once_takes_what_only_it_held(
    members: int, killed: set[int], backup_count: int
) -> None:
    cluster = embedded(members)
    entries = fill(cluster, backup_count)
    told: list[PartitionLost] = []
    cluster.partition_lost_listeners.append(told.append)
    gone = [member.uuid for place, member in enumerate(cluster.members) if place in killed]
    assume(gone)
    before = cluster.table
    cluster.kill_member(*gone)
    kept = {
        partition
        for partition, row in enumerate(before)
        if not set(row[: backup_count + 1]) <= set(gone)
    }
    if len(gone) == members:
        assert not told
        return
    assert entries_of(cluster) == {
        key: value for key, value in entries.items() if partition_of(key) in kept
    }
    assert [loss.partition for loss in told] == [
        partition for partition, row in enumerate(before) if row[0] in gone
    ]
    for loss in told:
        assert (loss.lost_backups < backup_count) <= (loss.partition in kept)
        assert loss.source in {member.uuid for member in cluster.members}
    check_table(cluster, max(backup_count, 1))


def test_who_is_no_member_cannot_be_killed() -> None:
    cluster = embedded(2)
    with pytest.raises(KeyError):
        cluster.kill_member("m1", "nobody")
    assert len(cluster.members) == 2


def test_the_last_member_takes_everything_with_it() -> None:
    cluster = embedded(2)
    fill(cluster)
    cluster.kill_member("m1")
    cluster.shutdown_member("m2")
    assert cluster.members == ()
    cluster.add_member()
    assert entries_of(cluster) == {}
    assert len(cluster.queue("q")) == 0


def test_a_map_with_more_backups_than_any_before_is_spread_further() -> None:
    cluster = embedded(3)
    assert {len(row) for row in cluster.table} == {2}
    cluster.map("m", {}, 2)
    assert {len(row) for row in cluster.table} == {3}
