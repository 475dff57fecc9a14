"""Paused groups: which triggers are, and that the rules stay few."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsched.errors import InvalidKey
from gridsched.model.groups import GroupKind, GroupRule, PausedGroups
from gridsched.model.keys import job_key
from gridsched.model.trigger import Once, Trigger
from gridsched.policy.groups import check_group, is_of, is_paused, starting_paused, with_rule

GROUPS = ["shop", "shop-a", "shop-b", "bank", "the shop", "[x]"]
PATTERNS = [*GROUPS, "shop*", "*shop", "*shop*", "*", "shop-?"]
KINDS: list[GroupKind] = ["triggers", "jobs"]

rules = st.builds(
    GroupRule, st.sampled_from(PATTERNS), of=st.sampled_from(KINDS), paused=st.booleans()
)


def trigger(group: str, job_group: str = "j") -> Trigger:
    return Trigger(Once(0), name="t", group=group, job=job_key(job_group, "j"))


def given_in_turn(*asked: GroupRule) -> PausedGroups:
    groups = PausedGroups()
    for rule in asked:
        groups = with_rule(groups, rule)
    return groups


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("shop", {"shop"}),
        ("shop*", {"shop", "shop-a", "shop-b"}),
        ("*shop", {"shop", "the shop"}),
        ("*shop*", {"shop", "shop-a", "shop-b", "the shop"}),
        ("*", set(GROUPS)),
        ("[x]", {"[x]"}),
        ("SHOP", set()),
    ],
)
def test_a_glob_covers_what_quartz_matches_groups_by(pattern: str, matched: set[str]) -> None:
    assert {group for group in GROUPS if is_of(GroupRule(pattern), trigger(group))} == matched
    of_jobs = GroupRule(pattern, "jobs")
    assert {group for group in GROUPS if is_of(of_jobs, trigger("g", group))} == matched


@given(st.lists(rules, max_size=12), st.sampled_from(GROUPS), st.sampled_from(GROUPS))
def test_the_last_rule_that_matches_counts(
    asked: list[GroupRule], group: str, job_group: str
) -> None:
    """Whatever was left out as meaningless: each kind of group is as it was last asked for."""
    one = trigger(group, job_group)
    expected = dict.fromkeys(KINDS, False)
    for rule in asked:
        if is_of(rule, one):
            expected[rule.of] = rule.paused
    assert is_paused(given_in_turn(*asked), one) == any(expected.values())


@given(st.lists(rules, max_size=60))
def test_the_rules_are_no_more_than_the_patterns_in_use(asked: list[GroupRule]) -> None:
    groups = given_in_turn(*asked)
    assert len({(rule.of, rule.pattern) for rule in groups.rules}) == len(groups.rules)
    for of in KINDS:
        groups = with_rule(groups, GroupRule("*", of, paused=False))
    assert groups == PausedGroups()


@given(st.lists(rules, max_size=12), rules)
def test_a_rule_given_again_changes_nothing(asked: list[GroupRule], rule: GroupRule) -> None:
    once = given_in_turn(*asked, rule)
    assert with_rule(once, rule) == once


def test_a_group_is_resumed_though_the_others_of_its_pattern_are_not() -> None:
    groups = given_in_turn(GroupRule("shop*"), GroupRule("shop-a", paused=False))
    assert is_paused(groups, trigger("shop-b"))
    assert not is_paused(groups, trigger("shop-a"))


def test_new_triggers_of_a_paused_group_start_paused() -> None:
    groups = given_in_turn(GroupRule("shop"), GroupRule("bank", "jobs"))
    made = (trigger("shop"), trigger("x", "bank"), trigger("bank", "shop"))
    states = [t.state for t in starting_paused(made, groups)]
    assert states == ["PAUSED", "PAUSED", "NORMAL"]


@pytest.mark.parametrize(("pattern", "of"), [("", "jobs"), ("x" * 201, "jobs"), ("x", "nodes")])
def test_what_could_be_no_group_is_refused(pattern: str, of: str) -> None:
    with pytest.raises(InvalidKey, match="group"):
        check_group(pattern, of)
