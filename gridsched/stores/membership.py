"""Membership: the nodes of the cluster, by name."""

from __future__ import annotations

from gridsched.model.member import Member
from gridsched.stores.record import Store


class MembershipStore(Store[Member]):
    type = Member

    def key_of(self, value: Member) -> str:
        return value.name

    def partition_key(self, key: str) -> str:
        """A node's record lives anywhere: its name may hold what separates the parts of a key."""
        return key
