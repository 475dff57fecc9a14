"""Explanations, over scenes of every kind: each says something, and nothing that contradicts it."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gridsched.model.dispatch import AttributeMatch
from gridsched.model.firing import FINAL, Firing, FiringState
from gridsched.model.groups import GroupRule, PausedGroups
from gridsched.model.job import Job
from gridsched.model.member import Member
from gridsched.model.retry import Retry
from gridsched.model.trigger import Cron, Once, Simple, Trigger, TriggerState
from gridsched.policy.explain import explain
from gridsched.policy.explanation import Moment, Scene, Sentence
from gridsched.policy.submissions import as_accepted

NOW = 1_790_000_000_000
DAY = 86_400_000
KEY = "g/j:DEFAULT/t"

instants = st.integers(NOW - DAY, NOW + DAY)
maybe = st.one_of(st.none(), instants)
schedules = st.one_of(
    st.builds(Once, instants),
    st.builds(Simple, instants, st.integers(1000, DAY), st.integers(-1, 5), maybe),
    st.just(Cron("0 0/7 * * * ?", start=NOW - DAY)),
)
triggers = st.builds(
    lambda schedule, state, fire, error: replace(
        as_accepted(Trigger(schedule, name="t", job="g/j", created_at=NOW - DAY), None),
        state=state,
        next_fire=None if state == "COMPLETE" else fire,
        error=error,
    ),
    schedules,
    st.sampled_from(get_args(TriggerState)),
    instants,
    st.sampled_from(["", "no node has gpu=yes"]),
)
firings = st.builds(
    Firing,
    trigger=st.just(KEY),
    scheduled=instants,
    state=st.sampled_from(get_args(FiringState)),
    fire_at=maybe,
    job=st.just("g/j"),
    attempt=st.integers(1, 3),
    round=st.integers(0, 2),
    member=st.sampled_from(["", "a", "b"]),
    acquired_at=instants,
    acquired_by=st.sampled_from(["", "a", "b"]),
    started_at=maybe,
    finished_at=maybe,
    error=st.sampled_from(["", "it fails"]),
    progress=st.one_of(st.none(), st.floats(0, 1)),
    suspended=st.booleans(),
    in_turn=st.booleans(),
    overlap=st.sampled_from(["allow_all", "buffer_one"]),
    until=maybe,
    count=st.integers(1, 9),
)
members = st.lists(
    st.builds(
        Member,
        name=st.sampled_from(["a", "b"]),
        incarnation=st.just("i"),
        state=st.sampled_from(["ACTIVE", "LEAVING"]),
        started_at=instants,
        beat_at=instants,
        server_count=st.integers(1, 3),
    ),
    max_size=2,
    unique_by=lambda member: member.name,
)
jobs = st.sampled_from(
    [
        None,
        Job("m:f", name="j", group="g"),
        Job("m:f", name="j", group="g", disallow_concurrent=True, retry=Retry(3)),
        Job("m:f", name="j", group="g", dispatch=AttributeMatch({"gpu": "yes"})),
    ]
)
scenes = st.builds(
    Scene,
    now=st.just(NOW),
    trigger=triggers,
    job=jobs,
    instant=maybe,
    records=st.lists(firings, max_size=4).map(lambda found: tuple(sorted(found, key=scheduled))),
    holder=st.sampled_from(["", f"{KEY}@{NOW}", "g/j:DEFAULT/gone@1"]),
    owner=st.sampled_from([None, "a", "b"]),
    members=members.map(tuple),
    groups=st.sampled_from([PausedGroups(), PausedGroups((GroupRule("g", "jobs"),))]),
)


def scheduled(firing: Firing) -> int:
    return firing.scheduled


def words(sentences: tuple[Sentence, ...]) -> str:
    return " ".join(part for each in sentences for part in each.parts if isinstance(part, str))


@given(scenes)
def test_every_trigger_and_every_instant_is_explained(scene: Scene) -> None:
    said = explain(scene)
    assert said
    assert scene.trigger is not None
    if scene.instant is None and scene.trigger.state == "PAUSED":
        assert "It is paused." in words(said)
    if scene.trigger.state == "COMPLETE":
        assert "will not fire again" in words(said)


@given(scenes, firings)
def test_every_record_is_explained_with_its_instants(scene: Scene, firing: Firing) -> None:
    shown = replace(scene, instant=firing.scheduled, firing=firing)
    for each in (shown, replace(shown, trigger=None)):
        said = explain(each)
        assert firing.scheduled in [sentence.at for sentence in said]
        if firing.started_at is not None:
            assert firing.started_at in [sentence.at for sentence in said]
        if firing.until is not None:
            assert Moment(firing.until) in [part for each in said for part in each.parts]
        assert ("Its record stays" in words(said)) == (firing.state in FINAL)
