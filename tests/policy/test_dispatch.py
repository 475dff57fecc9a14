"""Dispatcher policies: which nodes may run a job's firings, and which of those each goes to."""

from __future__ import annotations

import random
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsched.errors import InvalidJob, InvalidPolicy
from gridsched.model.dispatch import (
    DEEPEST,
    AttributeMatch,
    Composite,
    DispatchPolicy,
    FirstOf,
    LeastLoaded,
    LocalFirst,
    Random,
    RoundRobin,
    Rule,
    RuleBased,
    check_policy,
)
from gridsched.model.job import Job, check_job
from gridsched.model.member import Member
from gridsched.policy.dispatch import Load, at_random, by_load, in_turn, narrow, others_first
from gridsched.policy.dispatch_forms import parse_policy, written

names = st.sets(st.text("abcdefgh-0123456789", min_size=1, max_size=6), min_size=1, max_size=8)

MEMBERS = (
    Member("a", "i", address="alpha:71", ip="10.0.1.5", attributes={"gpu": "yes", "zone": "eu"}),
    Member("b", "i", address="beta:72", ip="10.0.2.6", attributes={"gpu": "no", "zone": "eu"}),
    Member("c", "i", address="gamma:73", ip="10.0.2.7", attributes={"zone": "us"}),
)
JOB = Job("shop.tasks:restock", name="restock", group="shop")

spreads = st.sampled_from([RoundRobin(), Random(), LeastLoaded(), LocalFirst()])
texts = st.text("abcxyz.*\\d", min_size=1, max_size=4).filter(lambda text: text[-1] != "\\")
attributes = st.dictionaries(
    st.sampled_from(["gpu", "zone"]), st.sampled_from(["yes", "eu"]), min_size=1
)
rules = st.builds(
    Rule,
    st.sampled_from(["shop", ".*"]),
    st.sampled_from(["re.*", "x|(y)"]),
    st.sampled_from(["a", "b|c", r"10\.0\.2\..*", "nowhere"]),
)
policies: st.SearchStrategy[DispatchPolicy] = st.recursive(
    st.one_of(
        spreads,
        st.builds(AttributeMatch, attributes),
        st.builds(RuleBased, st.lists(rules, min_size=1, max_size=3).map(tuple)),
    ),
    lambda inner: st.one_of(
        st.builds(Composite, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(FirstOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)


def left(policy: DispatchPolicy, job: Job = JOB) -> str:
    """The names of the nodes that a policy leaves, in a row."""
    return "".join(member.name for member in narrow(policy, job, MEMBERS).members)


def rule_based(*written_rules: str) -> RuleBased:
    return RuleBased(tuple(Rule(*rule.split(",")) for rule in written_rules))


# --- Which nodes


@pytest.mark.parametrize("policy", [RoundRobin(), Random(), LeastLoaded(), LocalFirst()])
def test_those_that_only_spread_leave_every_node(policy: DispatchPolicy) -> None:
    assert left(policy) == "abc"
    assert narrow(policy, JOB, MEMBERS).spread == policy


def test_all_attributes_must_match() -> None:
    assert left(AttributeMatch({"zone": "eu"})) == "ab"
    assert left(AttributeMatch({"gpu": "no", "zone": "eu"})) == "b"
    nobody = narrow(AttributeMatch({"gpu": "yes", "zone": "us"}), JOB, MEMBERS)
    assert nobody.members == ()
    assert nobody.reason == "no node has gpu=yes, zone=us (looked at a, b, c)"


def test_the_first_rule_for_the_job_that_has_a_node_decides() -> None:
    """By the type's, the name's and the address's whole text."""
    assert left(rule_based("bank,.*,a", "shop,re,b", "shop,re.*,c", ".*,.*,a")) == "c"
    assert left(rule_based("shop,.*,nowhere", ".*,.*,a|b")) == "ab"


@pytest.mark.parametrize("address", ["b", "beta:72", "beta", r"10\.0\.2\.6", "be.*"])
def test_a_rules_address_is_a_nodes_name_host_address_or_ip(address: str) -> None:
    assert left(rule_based(f".*,.*,{address}")) == "b"


def test_a_rule_that_leaves_no_node_says_which_and_who_was_looked_at() -> None:
    nobody = narrow(rule_based("bank,.*,a", "shop,.*,d", "shop,.*,e"), JOB, MEMBERS)
    assert nobody.reason == "rule 2 has no node at d, rule 3 has no node at e (looked at a, b, c)"
    nobody = narrow(rule_based("bank,.*,.*"), JOB, MEMBERS)
    assert nobody.reason == "none of 1 rules is for shop/restock"


def test_a_composite_chooses_among_what_the_one_before_left() -> None:
    policy = Composite((AttributeMatch({"zone": "eu"}), LeastLoaded()))
    assert left(policy) == "ab"
    assert narrow(policy, JOB, MEMBERS).spread == LeastLoaded()
    turned = Composite((LeastLoaded(), AttributeMatch({"zone": "eu"})))
    assert narrow(turned, JOB, MEMBERS) == narrow(policy, JOB, MEMBERS)
    nobody = Composite((AttributeMatch({"zone": "us"}), AttributeMatch({"gpu": "yes"})))
    assert narrow(nobody, JOB, MEMBERS).reason == "no node has gpu=yes (looked at c)"


def test_of_several_the_first_that_leaves_a_node_decides() -> None:
    nowhere = AttributeMatch({"zone": "mars"})
    assert left(FirstOf((nowhere, AttributeMatch({"gpu": "yes"}), RoundRobin()))) == "a"
    nobody = narrow(FirstOf((nowhere, rule_based("x,y,z"))), JOB, MEMBERS)
    assert nobody.reason.split("; ")[1] == "none of 1 rules is for shop/restock"


def test_without_nodes_there_is_nobody() -> None:
    assert narrow(RoundRobin(), JOB, ()).reason == "no node is active"


def test_a_reason_names_few_nodes_of_many() -> None:
    many = [Member(f"n{number}", "i") for number in range(30)]
    reason = narrow(AttributeMatch({"gpu": "yes"}), JOB, many).reason
    assert "n9 and 20 more" in reason
    assert "n10" not in reason


@given(policies)
def test_every_policy_leaves_some_of_the_nodes_in_order_or_says_why_none(
    policy: DispatchPolicy,
) -> None:
    eligible = narrow(policy, JOB, MEMBERS)
    assert [member for member in MEMBERS if member in eligible.members] == list(eligible.members)
    assert bool(eligible.members) != bool(eligible.reason)
    assert narrow(Composite((policy, policy)), JOB, MEMBERS).members == eligible.members
    assert left(FirstOf((policy, RoundRobin()))) == (left(policy) or "abc")


# --- Which of them


@given(names, st.lists(st.integers(0, 50), max_size=10))
def test_shares_of_those_who_take_turns_differ_by_at_most_one(
    members: set[str], batches: list[int]
) -> None:
    """Within each batch, and over all of them; each batch is made of runs of neighbours."""
    order, turn, chosen = sorted(members), 0, list[str]()
    for count in batches:
        batch, turn = in_turn(order, count, turn)
        assert len(batch) == count
        runs = [name for name, before in zip(batch, [None, *batch], strict=False) if name != before]
        assert len(runs) == len(set(runs))
        chosen += batch
        shares = Counter(dict.fromkeys(order, 0))
        shares.update(chosen)
        assert max(shares.values()) - min(shares.values()) <= 1


def test_draws_choose_at_random() -> None:
    draw = random.Random(5).randrange
    shares = Counter(at_random(("a", "b", "c"), 3000, draw))
    assert all(900 < shares[name] < 1100 for name in "abc")


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 8)), min_size=1, max_size=6),
    st.integers(0, 100),
    st.integers(0, 20),
)
def test_the_least_loaded_is_filled_up_first(
    loads: list[tuple[int, int]], count: int, turn: int
) -> None:
    """Whoever got a firing would have more than the others had they got it."""
    nodes = [Load(str(index), *load) for index, load in enumerate(loads)]
    shares = Counter(by_load(nodes, count, turn))
    assert shares.total() == count

    def after(load: Load, more: int) -> float:
        return (load.in_hand + shares[load.member] + more) / max(1, load.threads)

    for node in nodes:
        if shares[node.member]:
            assert all(after(node, 0) <= after(other, 1) for other in nodes)


def test_equally_loaded_nodes_take_turns() -> None:
    idle = [Load("a", 0, 4), Load("b", 0, 4), Load("c", 0, 4)]
    assert [by_load(idle, 1, turn) for turn in range(4)] == [["a"], ["b"], ["c"], ["a"]]
    assert by_load([Load("a", 0, 1), Load("b", 0, 3)], 4, 0) == ["a", "b", "b", "b"]


@given(names, st.data())
def test_the_others_are_tried_in_turn_and_the_full_one_is_not(
    members: set[str], data: st.DataObject
) -> None:
    order = sorted(members)
    full = data.draw(st.sampled_from(order))
    others = others_first(full, order)
    assert sorted([*others, full]) == order
    assert others_first("somebody else", order) == order


# --- What a policy may be


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (AttributeMatch({}), "names no attribute"),
        (AttributeMatch({"gpu": 1}), "attribute 'gpu' is 1"),  # type: ignore[dict-item]
        (RuleBased(()), "RuleBased has 0 rules; 1 to 100"),
        (rule_based("a,b,c", "a,(,c"), r"rule 2: task_name '\(' is not a regular expression"),
        (rule_based(f"a,b,{'c' * 201}"), "longer than 200"),
        (Composite(()), "Composite has 0 policies"),
        (FirstOf((RoundRobin(), AttributeMatch({}))), "names no attribute"),
        ("RoundRobin", "'RoundRobin' is no dispatcher policy"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(policy: DispatchPolicy, reason: str) -> None:
    with pytest.raises(InvalidPolicy, match=reason):
        check_policy(policy)
    with pytest.raises(InvalidJob, match=f"job shop/restock: dispatch: .*{reason}"):
        check_job(msgspec.structs.replace(JOB, dispatch=policy))


def test_policies_are_not_nested_without_bound() -> None:
    policy: DispatchPolicy = RoundRobin()
    for _ in range(DEEPEST):
        policy = Composite((policy,))
    check_policy(policy)
    with pytest.raises(InvalidPolicy, match="8 levels"):
        check_policy(FirstOf((policy,)))


@given(policies)
def test_a_policy_is_the_same_behind_the_grid_and_as_text(policy: DispatchPolicy) -> None:
    check_policy(policy)
    job = msgspec.structs.replace(JOB, dispatch=policy)
    assert msgspec.json.decode(msgspec.json.encode(job), type=Job) == job
    assert left(parse_policy(written(policy))) == left(policy)


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("LeastLoaded", LeastLoaded()),
        ("AttributeMatch( gpu = yes ,zone=eu )", AttributeMatch({"gpu": "yes", "zone": "eu"})),
        (r"RuleBased(shop,.*,10\.0\.(1|2)\..*; .*,x\),b)",
         RuleBased((Rule("shop", ".*", r"10\.0\.(1|2)\..*"), Rule(".*", r"x\)", "b")))),
        ("Random then LocalFirst else RoundRobin",
         FirstOf((Composite((Random(), LocalFirst())), RoundRobin()))),
        ("Random then (LocalFirst else RoundRobin)",
         Composite((Random(), FirstOf((LocalFirst(), RoundRobin()))))),
    ],
)  # fmt: skip
def test_a_policy_is_read_from_text(text: str, policy: DispatchPolicy) -> None:
    assert parse_policy(text) == policy
    assert parse_policy(written(policy)) == policy


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "character 1: its end stands where one of RoundRobin, .* is expected"),
        ("RoundRobbin", "character 1: 'RoundRobbin' stands where RoundRobin is expected"),
        ("Random Random", "character 8: 'Random' stands where then, else or its end"),
        ("Random then", "character 12: its end stands where one of"),
        ("(Random", r"its end stands where \) is expected"),
        ("Random)", r"'\)' stands where then, else or its end"),
        ("AttributeMatch", r"its end stands where \( is expected"),
        ("AttributeMatch(gpu)", "'gpu' is not name=value"),
        ("RuleBased(a,b)", "'a,b' is no rule"),
        ("RuleBased(a,[,c)", r"task_name '\[' is not a regular expression"),
    ],
)
def test_text_that_is_no_policy_is_refused_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(InvalidPolicy, match=reason):
        parse_policy(text)
