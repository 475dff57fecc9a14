"""Explanations of what a cluster did: each scenario is made to happen, and must be told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gridsched import Job, cron, every, once
from gridsched.calendars import HolidayCalendar
from gridsched.cli.explain import _text
from gridsched.cli.output import Output
from gridsched.errors import InvalidKey, NotFound
from gridsched.model.dispatch import AttributeMatch
from gridsched.model.firing import Firing
from gridsched.model.keys import firing_key
from gridsched.model.retry import Retry
from gridsched.policy.localtime import zone

OUTPUT = Output(False, zone("UTC"))


def job(function: str = "echo", **fields) -> Job:
    data = fields.pop("data", {"value": 1})
    return Job(f"jobs_under_test:{function}", data=data, **fields)


async def told(client, key: str) -> str:
    """The explanation, a sentence a line, with the instants of its steps."""
    return "\n".join(
        f"{OUTPUT.moment(sentence.at)} {_text(sentence, OUTPUT)}".strip()
        for sentence in await client.explain(key)
    )


def at(instant: int) -> str:
    return OUTPUT.moment(instant)


async def only(client, key: str) -> Firing:
    (firing,) = await client.firings(of=key)
    return firing


async def test_a_trigger_that_is_well(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    key = (await client.schedule(job(name="j"), every(60))).key
    await c.pass_time(5)
    trigger, last = await client.trigger(key), await only(client, key)
    text = await told(client, key)
    assert text.startswith("All is well with it.\n")
    assert f"{at(trigger.created_at)} It was accepted, to fire every 1 min." in text
    assert "a looks after it." in text
    first, second = trigger.next_fire, trigger.next_fire + 60_000
    assert f"It fires next: {at(first)}, {at(second)}, " in text
    assert f"Its last firing on record, {last.key}:\nIt ran, and ended well." in text
    assert f"{at(last.started_at)} a started attempt 1, " in text
    assert f"{at(last.finished_at)} It ended well after " in text


async def test_what_has_not_fired_yet_and_an_instant_that_is_to_come(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    start = datetime.fromtimestamp(c.clock.now() / 1000 + 600, UTC)
    key = (await client.schedule(job(name="j"), every(60, start=start))).key
    assert "It has not fired yet." in await told(client, key)
    instant = (await client.trigger(key)).next_fire
    text = await told(client, firing_key(key, instant + 60_000))
    assert f"{at(instant + 60_000)} It is not due yet, in 11 min" in text
    assert f"Its trigger fires next: {at(instant)}, " in text
    text = await told(client, firing_key(key, instant - 60_000))
    assert f"It lies before the schedule's start, {at(instant)}." in text
    text = await told(client, firing_key(key, instant + 1))
    assert "Its schedule does not name that instant: every 1 min." in text
    assert f"The next one is {at(instant + 60_000)}." in text


async def test_a_paused_trigger_and_what_was_parked(cluster):
    c = cluster(look_ahead_ms=20_000)
    await c.node("a")
    client = await c.client()
    key = (await client.schedule(job(name="j"), every(15, misfire="SMART"))).key
    await c.pass_time(5)
    await client.pause(key)
    parked = (await client.firings(of=key, state="PAUSED"))[0]
    text = await told(client, key)
    assert text.startswith(
        "It is paused.\nUntil it is resumed nothing of it starts: gridsched resume"
    )
    assert "It would fire next (it is paused): " in text
    assert "It waits: its trigger was paused before it started." in await told(client, parked.key)
    await c.pass_time(60)
    text = await told(client, key)
    assert "What it missed meets RESCHEDULE_NEXT_WITH_REMAINING_COUNT then." in text


async def test_a_paused_group(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    key = (await client.schedule(job(name="j", group="shop"), every(15))).key
    await client.pause_group("sh*", of="jobs")
    text = await told(client, key)
    assert "The group of jobs 'sh*' is paused: gridsched resume --job-group 'sh*'" in text


async def test_an_excluded_day(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    day = datetime.fromtimestamp(c.clock.now() / 1000, UTC).date() + timedelta(days=1)
    await client.store_calendar("free", HolidayCalendar((day,)))
    key = (await client.schedule(job(name="j"), cron("0 0 12 * * ?", calendar="free"))).key
    noon = round(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp() * 1000)
    until = noon + 12 * 3_600_000
    text = await told(client, firing_key(key, noon))
    assert f"{at(noon)} It did not fire: its calendar 'free' excludes it until {at(until)}." in text


async def test_an_instant_of_a_calendar_that_has_changed_since(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    today = datetime.fromtimestamp(c.clock.now() / 1000, UTC).date()
    await client.store_calendar("free", HolidayCalendar((today,)))
    start = datetime(today.year, today.month, today.day, tzinfo=UTC)
    key = (await client.schedule(job(name="j"), every(60, start=start, calendar="free"))).key
    missed = round(start.timestamp() * 1000) + 3_600_000
    assert "its calendar 'free' excludes it until" in await told(client, firing_key(key, missed))
    await client.store_calendar("free", HolidayCalendar(()), override=True)
    await c.pass_time(200)
    for record in await client.firings(of=key, state="SKIPPED"):
        await client.caches.firings.map.remove(client.caches.firings.data_key(record.key))
    text = await told(client, firing_key(key, missed))
    assert f"{at(missed)} It has no record. Its calendar has changed since, and may" in text


async def test_a_run_that_was_lost_and_one_that_was_recovered(cluster):
    c = cluster()
    await c.node("a")
    b = await c.node("b")
    client = await c.client()
    data = {"seconds": 3600}
    # One of several runs, as the dispatcher goes round.
    names = [("lost", False), ("lost-2", False), ("again", True), ("again-2", True)]
    for name, recovers in names:
        await client.schedule(job("take", name=name, data=data, requests_recovery=recovers), once())
    await c.pass_time(2)
    of_b = [firing for firing in await client.firings() if firing.member == "b"]
    lost = next(firing for firing in of_b if "lost" in firing.job)
    again = next(firing for firing in of_b if "again" in firing.job)
    assert "It has been running for " in await told(client, lost.key)
    await c.crash(b)
    await c.pass_time(4)
    text = await told(client, lost.key)
    await c.pass_time(20)
    text = await told(client, lost.key)
    assert "Its run is lost: its node died meanwhile." in text
    assert "member b was gone while it ran. Its job does not request recovery" in text
    text = await told(client, again.key)
    assert "This is attempt 2, after attempt 1: member b was gone while it ran." in text
    assert "a started attempt 2, " in text


async def test_retries(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    failing = job("fail", name="j", retry=Retry(2, delay=60), data={})
    key = (await client.schedule(failing, once())).key
    await c.pass_time(5)
    firing = await only(client, key)
    text = await told(client, firing.key)
    assert "This is attempt 2, after attempt 1: ValueError: it fails" in text
    assert f"{at(firing.fire_at)} Its next attempt starts in " in text
    await c.pass_time(70)
    text = await told(client, firing.key)
    assert "It ran, and failed." in text
    assert "It was the last of its 2 attempts." in text
    assert "Its trigger will not fire again." in text


async def test_a_job_that_is_taken(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    alone = job("take", name="j", data={"seconds": 20}, disallow_concurrent=True)
    first = (await client.schedule(alone, once(name="first"))).key
    await c.pass_time(2)
    second = (await client.schedule("DEFAULT/j", once(name="second"))).key
    await c.pass_time(3)
    holder = await only(client, first)
    instant = (await client.trigger(second)).next_fire
    for key in (second, firing_key(second, instant)):
        text = await told(client, key)
        assert "and nobody has claimed it." in text
        assert f"It waits for {holder.key}, which has its job to itself and runs on a" in text
    await c.pass_time(25)
    text = await told(client, firing_key(second, instant))
    ended = (await only(client, first)).finished_at
    assert (
        f"It had to wait for {holder.key}, which had its job to itself until {at(ended)}." in text
    )


async def test_full_queues_and_no_node_that_may(cluster):
    c = cluster(max_threads=1, queue_capacity=1, dispatch_timeout_ms=500)
    await c.node("a")
    client = await c.client()
    for number in range(8):
        await client.schedule(job("blocking", name=f"j{number}", data={}), once())
        await client.schedule(job("take", name=f"t{number}", data={"seconds": 60}), once())
    await c.pass_time(10)
    rejected = await client.firings(state="REJECTED")
    text = await told(client, rejected[0].key)
    assert "It waits: there is no node for it." in text
    assert "The queues of all nodes that may run it were full" in text
    picky = job(name="picky", dispatch=AttributeMatch({"gpu": "yes"}))
    key = (await client.schedule(picky, every(5))).key
    await c.pass_time(5)
    firing = (await client.firings(of=key))[0]
    assert f"No node may run it: {firing.error}" in await told(client, firing.key)
    await c.pass_time(20)
    assert "No node may run it: " in await told(client, key)


@pytest.mark.parametrize("misfire", ["DO_NOTHING", "FIRE_ONCE_NOW"])
async def test_instants_that_were_missed_together(cluster, misfire):
    c = cluster()
    a = await c.node("a")
    client = await c.client()
    key = (await client.schedule(job(name="j"), cron("0/10 * * * * ?", misfire=misfire))).key
    await c.pass_time(15)
    await c.crash(a)
    await c.pass_time(300)
    overdue = await told(client, key)
    assert overdue.startswith("It is overdue.\n")
    assert "No node is active: start one" in overdue or "silent for" in overdue
    await c.node("b")
    await c.pass_time(20)
    record = next(firing for firing in await client.firings(of=key) if firing.count > 1)
    text = await told(client, record.key)
    ranged = f"It is one record for {record.count} instants that were missed together, up to"
    assert f"{ranged} {at(record.until)}: " in text
    assert "Every node that is here now was started after it was due, the first, b, at " in text
    inside = await told(client, firing_key(key, record.scheduled + 10_000))
    assert f"missed together with others, in one record, {record.key}." in inside
    if misfire == "DO_NOTHING":
        assert text.startswith("It did not run: it was skipped.")
        assert "It was left out: skipped by DO_NOTHING." in text
        assert inside.startswith(f"{at(record.scheduled + 10_000)} It was skipped: ")
    else:
        assert text.startswith("It ran, and ended well.")
        assert "one run stands for all of them." in text


async def test_the_start_gate_and_a_cluster_without_nodes(cluster):
    c = cluster(server_count=2)
    await c.node("a")
    client = await c.client()
    key = (await client.schedule(job(name="j"), every(5))).key
    await c.pass_time(10)
    text = await told(client, key)
    assert "The start gate is shut: waiting for 2 nodes, 1 is here, says a." in text


async def test_what_was_cancelled_ahead_and_in_a_run(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    key = (await client.schedule(job("take", name="j", data={"seconds": 30}), every(60))).key
    await c.pass_time(2)
    running = (await only(client, key)).key
    await client.cancel(running)
    assert "It was cancelled while it ran: cancelled by request." in await told(client, running)
    coming = firing_key(key, (await client.trigger(key)).next_fire)
    await client.cancel(coming)
    text = await told(client, coming)
    assert "a recorded that it shall not run." in text
    assert "It was cancelled before it started: cancelled by request." in text


async def test_what_waits_after_a_yield_says_so(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    key = (await client.schedule(job("in_turns", name="j", data={}), once())).key
    await c.pass_time(2)
    text = await told(client, (await only(client, key)).key)
    assert "Its run yielded; it goes on from its checkpoint in " in text


async def test_a_broken_trigger_and_keys_that_name_nothing(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    key = (await client.schedule(job(name="j", durable=True), every(5))).key
    await client.caches.jobs.map.remove(client.caches.jobs.data_key("DEFAULT/j"))
    await c.pass_time(10)
    assert "ERROR and fires no more: its job DEFAULT/j is gone" in await told(client, key)
    with pytest.raises(
        NotFound, match="there is no trigger DEFAULT/j:DEFAULT/x, nor a record of it"
    ):
        await client.explain("DEFAULT/j:DEFAULT/x")
    with pytest.raises(NotFound, match="DEFAULT/j is a job: explain one of its triggers"):
        await client.explain("DEFAULT/j")
    with pytest.raises(InvalidKey):
        await client.explain("DEFAULT/j:DEFAULT/j@noon")


async def test_a_record_that_retention_removed_and_one_that_nobody_explains(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    key = (await client.schedule(job(name="j", retention=60), every(10))).key
    first = (await client.trigger(key)).created_at
    await c.pass_time(400)
    text = await told(client, firing_key(key, first))
    assert "Its record is there no more: retention removes the records of what is over." in text
    records = await client.firings(of=key, state="COMPLETE")
    gone = records[-3]
    await client.caches.firings.map.remove(client.caches.firings.data_key(gone.key))
    text = await told(client, gone.key)
    assert f"it is unaccounted for (gridsched audit '{key}')." in text


async def test_after_the_end(cluster):
    c = cluster()
    await c.node("a")
    client = await c.client()
    end = datetime.fromtimestamp(c.clock.now() / 1000 + 25, UTC)
    key = (await client.schedule(job(name="j"), every(10, end=end))).key
    await c.pass_time(40)
    text = await told(client, key)
    assert text.startswith("It has fired for the last time: its schedule has no instant left.")
    assert "It will not fire again." in text
    created = (await client.trigger(key)).created_at
    text = await told(client, firing_key(key, created + 30_000))
    assert "It lies after the schedule's end, " in text


async def test_claims_that_came_late_because_another_node_was_away(cluster):
    c = cluster()
    nodes = [await c.node("a"), await c.node("b")]
    client = await c.client()
    key = (await client.schedule(job(name="j"), every(2))).key
    await c.pass_time(5)
    owner = "a" if "\na looks after it." in await told(client, key) else "b"
    other = "b" if owner == "a" else "a"
    await c.crash(next(node for node in nodes if node.parts.membership.me.name == owner))
    await c.pass_time(4)
    text = await told(client, key)
    assert text.startswith("It is overdue.\n")
    await c.pass_time(20)
    late = [f for f in await client.firings(of=key) if f.acquired_at - f.scheduled > 2000]
    text = await told(client, late[0].key)
    assert f"{other} claimed it, " in text
    assert f"{owner}, which claimed the instant before, is not there any more: {other} took" in text
