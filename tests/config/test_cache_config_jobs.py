from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from config_documents import (
    ALLOWED,
    DURABLE,
    NAMED,
    ONCE,
    TARGET,
    document,
    loaded,
    of_job,
    of_jobs,
    of_service,
    of_trigger,
    refused,
    settings,
    the_job,
    the_trigger,
)

from gridsched.config.schema import Note
from gridsched.config.settings import StartupJob
from gridsched.model.dst import DstPolicy
from gridsched.model.job import Job
from gridsched.model.retry import Retry
from gridsched.model.trigger import (
    WHEN_SUBMITTED,
    CalendarInterval,
    Cron,
    DailyTimeInterval,
    Misfire,
    Once,
    Simple,
    TimeOfDay,
    Trigger,
)
from gridsched.policy.misfire import OF_OTHERS, OF_SIMPLE

EVERY_40_S = "<scheduler:repeatinterval>40S</scheduler:repeatinterval>"
CRON = "<scheduler:cronexpression>0 0 8 ? * MON-FRI</scheduler:cronexpression>"
FOR_EVER = "<scheduler:repeatcount>-1</scheduler:repeatcount>"


def ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]


def simple(inner: str) -> str:
    """In a trigger, `inner` begins in line 5."""
    return f"<scheduler:simpletrigger>{inner}</scheduler:simpletrigger>"


def once(inner: str) -> str:
    return f"<scheduler:oncetrigger>{inner}</scheduler:oncetrigger>"


def cron(inner: str) -> str:
    """In a trigger, `inner` begins in line 5."""
    return f"<scheduler:crontrigger>{inner}</scheduler:crontrigger>"


def calendar_interval(inner: str) -> str:
    """In a trigger, `inner` begins in line 5."""
    return (
        "<scheduler:calendarintervaltrigger><scheduler:repeatinterval>2</scheduler:repeatinterval>"
        f"{inner}</scheduler:calendarintervaltrigger>"
    )


def daily_time_interval(inner: str) -> str:
    """In a trigger, `inner` begins in line 5."""
    return (
        "<scheduler:dailytimeintervaltrigger><scheduler:repeatinterval>90"
        f"</scheduler:repeatinterval>{inner}</scheduler:dailytimeintervaltrigger>"
    )


def data(value: str, attributes: str = "") -> str:
    return (
        "<scheduler:jobdatamap>"
        f"<scheduler:data key='limit' {attributes}>{value}</scheduler:data></scheduler:jobdatamap>"
    )


def test_every_element_of_a_job() -> None:
    job = """<scheduler:job>
      <scheduler:jobname>{Job 1}: a/b@c</scheduler:jobname>
      <scheduler:jobgroup>the shop</scheduler:jobgroup>
      <scheduler:description>Orders
        what is missing</scheduler:description>
      <scheduler:jobclass>shop.tasks:restock
      </scheduler:jobclass>
      <scheduler:durable>true</scheduler:durable>
      <scheduler:recoverable>true</scheduler:recoverable>
      <scheduler:disallowconcurrent>true</scheduler:disallowconcurrent>
      <scheduler:timeout>1500MS</scheduler:timeout>
      <scheduler:priority>7</scheduler:priority>
      <scheduler:executor>process</scheduler:executor>
      <scheduler:retention>2H</scheduler:retention>
      <scheduler:retry><scheduler:attempts>3</scheduler:attempts><scheduler:delay>2S</scheduler:delay>
        <scheduler:backoff>1.5</scheduler:backoff><scheduler:maxdelay>1M</scheduler:maxdelay>
      </scheduler:retry>
      <scheduler:jobdatamap><scheduler:data key="limit">20</scheduler:data></scheduler:jobdatamap>
    </scheduler:job>"""
    assert settings(of_jobs(job)).jobs == (
        StartupJob(
            Job(
                "shop.tasks:restock",
                name="{Job 1}: a/b@c",
                group="the shop",
                data={"limit": 20},
                description="Orders what is missing",
                durable=True,
                requests_recovery=True,
                disallow_concurrent=True,
                timeout=1.5,
                priority=7,
                retry=Retry(3, delay=2, backoff=1.5, max_delay=60),
                executor="process",
                retention=7200,
            )
        ),
    )


def test_the_life_around_a_job() -> None:
    job = the_job(
        "<scheduler:overlap>buffer_one</scheduler:overlap>"
        "<scheduler:persistjobdata>true</scheduler:persistjobdata>"
        "<scheduler:retry><scheduler:attempts>2</scheduler:attempts>"
        "<scheduler:jitter>0.25</scheduler:jitter></scheduler:retry>"
    )
    assert (job.overlap, job.persist_data) == ("buffer_one", True)
    assert job.retry == Retry(2, jitter=0.25)


def test_a_job_s_defaults_are_the_model_s() -> None:
    assert the_job("") == Job("shop.tasks:restock", name="restock", durable=True)
    retry = "<scheduler:retry><scheduler:attempts>2</scheduler:attempts></scheduler:retry>"
    assert the_job(retry).retry == Retry(2)


@pytest.mark.parametrize(
    ("attributes", "text", "value"),
    [
        ("", "20", 20),
        ("", " -2.5e3\n", -2500.0),
        ("", "true", True),
        ("", "null", None),
        ("", "True", "True"),
        ("", "020", "020"),
        ("", ".5", ".5"),
        ("", "NaN", "NaN"),
        ("", "[1]", "[1]"),
        ("", "", ""),
        ("", "JobValue2 ", "JobValue2"),
        ("", "two\n lines", "two\n lines"),
        ("type='string'", "20", "20"),
        ("type='string'", "", ""),
        ("type='int'", "020", 20),
        ("type='float'", "20", 20.0),
        ("type='bool'", "false", False),
        ("type='json'", '{"a": [1, null]}', {"a": [1, None]}),
        ("type='json'", '"20"', "20"),
        ("type='auto'", "20", 20),
    ],
)
def test_data_is_read_by_its_type(attributes: str, text: str, value: object) -> None:
    read = the_job(data(text, attributes)).data
    assert read == {"limit": value}
    assert type(read["limit"]) is type(value)


def test_every_element_of_a_trigger() -> None:
    trigger = """<scheduler:triggergroup>the shop</scheduler:triggergroup>
      <scheduler:description>Every
        40 seconds</scheduler:description>
      <scheduler:priority>9</scheduler:priority>
      <scheduler:calendarname>free days</scheduler:calendarname>
      <scheduler:simpletrigger>
        <scheduler:starttime>01/31/2030 08:00:00:250</scheduler:starttime>
        <scheduler:endtime>2030-02-01T00:00:00+01:00</scheduler:endtime>
        <scheduler:repeatcount>3</scheduler:repeatcount>
        <scheduler:repeatinterval>40S</scheduler:repeatinterval>
        <scheduler:misfirepolicy>IGNORE</scheduler:misfirepolicy>
      </scheduler:simpletrigger>
      <scheduler:triggerdatamap><scheduler:data key="limit">x</scheduler:data></scheduler:triggerdatamap>
    """
    assert the_trigger(trigger) == Trigger(
        Simple(ms(2030, 1, 31, 8) + 250, 40_000, 3, ms(2030, 1, 31, 23)),
        name="{T 1}",
        group="the shop",
        job="DEFAULT/restock",
        description="Every 40 seconds",
        data={"limit": "x"},
        misfire="IGNORE",
        calendar="free days",
        priority=9,
    )


@pytest.mark.parametrize(
    ("inner", "schedule"),
    [
        (ONCE, Once(WHEN_SUBMITTED)),
        (
            "<scheduler:oncetrigger><scheduler:at>2030-01-31T08:00Z</scheduler:at></scheduler:oncetrigger>",
            Once(ms(2030, 1, 31, 8)),
        ),
        (simple(""), Once(WHEN_SUBMITTED)),
        (simple(EVERY_40_S), Once(WHEN_SUBMITTED)),
        (simple(FOR_EVER + EVERY_40_S), Simple(WHEN_SUBMITTED, 40_000)),
        (
            simple(
                FOR_EVER + EVERY_40_S + "<scheduler:endtime>2001-01-01T00:00Z</scheduler:endtime>"
            ),
            Simple(WHEN_SUBMITTED, 40_000, end=ms(2001, 1, 1)),
        ),
        (simple(FOR_EVER + EVERY_40_S.replace("40S", "500")), Simple(WHEN_SUBMITTED, 500)),
        (cron(CRON), Cron("0 0 8 ? * MON-FRI")),
        (
            cron(CRON.replace("0 8", "0\n  8") + "<scheduler:zone>Europe/London</scheduler:zone>"),
            Cron("0 0 8 ? * MON-FRI", "Europe/London"),
        ),
        (
            cron(CRON + "<scheduler:starttime>2030-01-01T00:00Z</scheduler:starttime>"),
            Cron("0 0 8 ? * MON-FRI", start=ms(2030, 1, 1)),
        ),
        (
            cron(CRON + "<scheduler:endtime>2030-01-01T00:00Z</scheduler:endtime>"),
            Cron("0 0 8 ? * MON-FRI", end=ms(2030, 1, 1)),
        ),
        (
            cron(
                "<scheduler:cronexpression>0 8 * * 1-5</scheduler:cronexpression>"
                "<scheduler:dialect>unix</scheduler:dialect>"
                "<scheduler:dst>skip,second</scheduler:dst>"
            ),
            Cron("0 8 * * 1-5", dialect="unix", dst=DstPolicy("skip", "second")),
        ),
        (calendar_interval(""), CalendarInterval(WHEN_SUBMITTED, 2)),
        (
            calendar_interval(
                "<scheduler:repeatintervalunit>month</scheduler:repeatintervalunit>"
                "<scheduler:zone>Asia/Tokyo</scheduler:zone>"
                "<scheduler:starttime zone='Asia/Tokyo'>01/31/2030 08:00:00:000</scheduler:starttime>"
                "<scheduler:endtime>2031-01-01T00:00Z</scheduler:endtime>"
                "<scheduler:dst>after, first</scheduler:dst>"
            ),
            CalendarInterval(
                ms(2030, 1, 30, 23),
                2,
                "MONTH",
                "Asia/Tokyo",
                ms(2031, 1, 1),
                DstPolicy("after", "first"),
            ),
        ),
        (daily_time_interval(""), DailyTimeInterval(90)),
        (
            daily_time_interval(
                "<scheduler:repeatintervalunit>SECOND</scheduler:repeatintervalunit>"
                "<scheduler:starttimeofday>08:30</scheduler:starttimeofday>"
                "<scheduler:endtimeofday>17:00:30</scheduler:endtimeofday>"
                "<scheduler:daysofweek>MON, 6</scheduler:daysofweek>"
                "<scheduler:repeatcount>4</scheduler:repeatcount>"
                "<scheduler:zone>Asia/Tokyo</scheduler:zone>"
                "<scheduler:starttime>2030-01-01T00:00Z</scheduler:starttime>"
                "<scheduler:endtime>2031-01-01T00:00Z</scheduler:endtime>"
                "<scheduler:dst>skip,both</scheduler:dst>"
            ),
            DailyTimeInterval(
                90,
                "SECOND",
                TimeOfDay(8, 30),
                TimeOfDay(17, 0, 30),
                (2, 6),
                "Asia/Tokyo",
                ms(2030, 1, 1),
                ms(2031, 1, 1),
                4,
                DstPolicy("skip", "both"),
            ),
        ),
    ],
)
def test_schedules(inner: str, schedule: object) -> None:
    trigger = the_trigger(inner)
    assert trigger.schedule == schedule
    assert trigger.misfire == "SMART"
    assert trigger.key == "DEFAULT/restock:DEFAULT/{T 1}"


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("01/31/2030 08:00:00:000", "", ms(2030, 1, 31, 8)),
        ("01/31/2030 08:00:00:000", "Europe/Berlin", ms(2030, 1, 31, 7)),
        ("07/31/2030 08:00:00:000", "Europe/Berlin", ms(2030, 7, 31, 6)),
        ("10/27/2030 02:30:00:000", "Europe/Berlin", ms(2030, 10, 27, 0, 30)),
        ("2030-01-31T08:00:00.250-05:00", "", ms(2030, 1, 31, 13) + 250),
        ("20300131T080000Z", "", ms(2030, 1, 31, 8)),
    ],
)
def test_instants(text: str, zone: str, instant: int) -> None:
    attribute = f" zone='{zone}'" if zone else ""
    at = f"<scheduler:oncetrigger><scheduler:at{attribute}>{text}</scheduler:at></scheduler:oncetrigger>"
    assert the_trigger(at).schedule == Once(instant)


@pytest.mark.parametrize(
    ("text", "attribute", "part"),
    [
        ("tomorrow", "", "is not an instant: write MM/dd/yyyy HH:mm:ss:SSS"),
        ("01/31/2030 08:00:00", "", "is not an instant"),
        ("01/31/2030 08:00:00:5", "", "is not an instant"),
        ("2030-01-31T08:00:00", "", "ISO 8601 with an offset"),
        ("02/30/2030 08:00:00:000", "", "scheduler:at: "),
        ("03/31/2030 02:30:00:000", "zone='Europe/Berlin'", "does not exist in Europe/Berlin"),
        ("01/31/2030 08:00:00:000", "zone='Berlin'", "did you mean Europe/Berlin"),
        ("2030-01-31T08:00:00Z", "zone='UTC'", "remove the attribute zone"),
        ("2030-01-31T08:00:00Z", "tz='UTC'", "attribute tz is not known on scheduler:at"),
    ],
)
def test_what_is_no_instant_is_refused(text: str, attribute: str, part: str) -> None:
    at = f"<scheduler:oncetrigger>\n<scheduler:at {attribute}>{text}</scheduler:at></scheduler:oncetrigger>"
    refused(of_trigger(at), 6, part)


@pytest.mark.parametrize("name", get_args(Misfire))
def test_misfire_policies_have_quartz_s_names_too(name: str) -> None:
    of_kind = {
        simple: OF_SIMPLE,
        once: OF_SIMPLE,
        cron: OF_OTHERS,
        calendar_interval: OF_OTHERS,
        daily_time_interval: OF_OTHERS,
    }
    for text in (
        name,
        name.lower(),
        f"MISFIRE_INSTRUCTION_{name}_POLICY",
        f"{name}_MISFIRE_POLICY",
    ):
        policy = f"<scheduler:misfirepolicy>{text}</scheduler:misfirepolicy>"
        for schedule in [kind for kind, names in of_kind.items() if name in names]:
            before = CRON if schedule is cron else ""
            assert the_trigger(schedule(before + policy)).misfire == name


def test_a_misfire_policy_of_another_kind_is_refused() -> None:
    fire_once = "<scheduler:misfirepolicy>FIRE_ONCE_NOW</scheduler:misfirepolicy>"
    refused(of_trigger(simple(fire_once)), 5, "'FIRE_ONCE_NOW' is not known; one of SMART")


def test_the_seed_s_trigger_spellings_are_taken_and_noted() -> None:
    written = loaded(
        of_trigger(
            "<scheduler:triggertype>SimpleTrigger</scheduler:triggertype>\n"
            "<scheduler:tiggerdatamap><scheduler:data key='k'>v</scheduler:data>"
            f"</scheduler:tiggerdatamap>{ONCE}"
        )
    )
    assert written.settings.jobs[0].triggers[0].data == {"k": "v"}
    assert written.aliases == (
        Note("scheduler:tiggerdatamap", 6, "alias of scheduler:triggerdatamap"),
    )
    assert [(note.name, note.line) for note in written.ignored] == [("scheduler:triggertype", 5)]


@pytest.mark.parametrize(
    ("inner", "line", "parts"),
    [
        (f"<scheduler:job>{TARGET}{DURABLE}</scheduler:job>", 3, ["has no scheduler:jobname"]),
        (f"<scheduler:job>{NAMED}{DURABLE}</scheduler:job>", 3, ["has no scheduler:jobclass"]),
        (f"<scheduler:job>{NAMED}{TARGET}</scheduler:job>", 3, ["no trigger and is not durable"]),
        (
            f"<scheduler:job>{NAMED}{TARGET}{DURABLE}</scheduler:job>\n" * 2,
            4,
            ["job DEFAULT/restock stands twice; first in line 3"],
        ),
        (
            f"\n<scheduler:job>{NAMED}{DURABLE}"
            "<scheduler:jobclass>org.example.jobs.DummyJob</scheduler:jobclass></scheduler:job>",
            4,
            ["org.example.jobs.DummyJob is not written package.module:function", "add the line"],
        ),
        (
            f"\n<scheduler:job>{NAMED}{DURABLE}"
            "<scheduler:jobclass>os:system</scheduler:jobclass></scheduler:job>",
            4,
            ["job DEFAULT/restock", "os:system matches no", "<scheduler:allowedjobs>os:*<"],
        ),
        ("<scheduler:jbo/>", 3, ["scheduler:jbo is not known in scheduler:jobs; did you mean"]),
        ("<job/>", 3, ["job has no prefix: write scheduler:job"]),
    ],
)
def test_what_is_wrong_with_jobs(inner: str, line: int, parts: list[str]) -> None:
    refused(of_jobs(inner), line, *parts)


def test_without_patterns_no_job_is_allowed() -> None:
    refused(of_job("").replace(ALLOWED, ""), 3, "matches no scheduler:allowedjobs")
    assert settings(of_service("")).allowed_jobs == ()


@pytest.mark.parametrize(
    ("inner", "line", "parts"),
    [
        (
            "<scheduler:jobgroup>" + "g" * 201 + "</scheduler:jobgroup>",
            3,
            ["scheduler:job: ", "200"],
        ),
        ("<scheduler:overlap>wait</scheduler:overlap>", 4, ["'wait'", "buffer_one"]),
        (
            "<scheduler:overlap>skip</scheduler:overlap>"
            "<scheduler:disallowconcurrent>true</scheduler:disallowconcurrent>",
            3,
            ["disallow_concurrent and overlap 'skip'", "choose one"],
        ),
        ("<scheduler:timeout>30</scheduler:timeout>", 4, ["scheduler:timeout: '30' has no unit"]),
        ("<scheduler:retention>keep</scheduler:retention>", 4, ["scheduler:retention: 'keep'"]),
        ("<scheduler:timeout>0</scheduler:timeout>", 3, ["timeout is 0.0; it must be above 0"]),
        ("<scheduler:durabel>true</scheduler:durabel>", 4, ["did you mean scheduler:durable?"]),
        ("<durable>true</durable>", 4, ["durable has no prefix"]),
        ("<scheduler:recoverable>1</scheduler:recoverable>", 4, ["neither true nor false"]),
        ("<scheduler:executor>fork</scheduler:executor>", 4, ["one of thread, process"]),
        ("<scheduler:priority>high</scheduler:priority>", 4, ["'high' is not a whole number"]),
        ("<scheduler:retry/>", 4, ["scheduler:retry has no scheduler:attempts"]),
        (
            "<scheduler:retry><scheduler:attempts>0</scheduler:attempts></scheduler:retry>",
            3,
            ["retry.attempts is 0; at least 1"],
        ),
        (
            "<scheduler:retry><scheduler:attempts>1</scheduler:attempts>\n"
            "<scheduler:backoff>nan</scheduler:backoff></scheduler:retry>",
            5,
            ["'nan' is not a number"],
        ),
        (data("x").replace("key='limit'", ""), 4, ["attribute key is missing"]),
        (data("x", "tpye='int'"), 4, ["attribute tpye", "did you mean type?", "key, type"]),
        (data("x", "type='date'"), 4, ["type 'date' is not known; one of auto, string, int"]),
        (data("x", "type='int'"), 4, ["'x' is not a whole number"]),
        (data("1e999"), 4, ["JSON has no such number"]),
        (data("1" * 30), 4, ["outside the 64 bits"]),
        (data("{", "type='json'"), 4, ["is not JSON"]),
        (data("NaN", "type='json'"), 4, ["JSON has no NaN"]),
        (data("[" * 100_000, "type='json'"), 4, ["nested too deeply"]),
        (data("<b/>"), 4, ["holds text only"]),
        (
            data("x</scheduler:data>\n<scheduler:data key='limit'>y"),
            5,
            ["the key 'limit' stands twice; first in line 4"],
        ),
        ("<scheduler:jobdatamap/>\n<scheduler:jobdatamap/>", 5, ["stands twice", "in line 4"]),
    ],
)
def test_what_is_wrong_with_a_job(inner: str, line: int, parts: list[str]) -> None:
    refused(of_job(inner), line, *parts)


@pytest.mark.parametrize(
    ("inner", "line", "parts"),
    [
        ("", 4, ["a trigger has exactly one of scheduler:simpletrigger, scheduler:crontrigger"]),
        (ONCE + simple(""), 4, ["a trigger has exactly one of"]),
        (cron(""), 5, ["scheduler:crontrigger has no scheduler:cronexpression"]),
        (
            cron("\n<scheduler:cronexpression>0 0 25 * * ?</scheduler:cronexpression>"),
            6,
            ["scheduler:cronexpression: cron expression '0 0 25 * * ?', hours"],
        ),
        (cron("<scheduler:cronexpression>0 0 0 30 2 ?</scheduler:cronexpression>"), 4, ["instant"]),
        (cron(CRON + "\n<scheduler:zone>Europe/Londn</scheduler:zone>"), 6, ["Europe/London"]),
        (simple(FOR_EVER), 5, ["repeatcount is -1 and scheduler:repeatinterval is missing"]),
        (
            simple("<scheduler:repeatcount>-2</scheduler:repeatcount>" + EVERY_40_S),
            4,
            ["repeat count is -2; 0 or more, or -1 for ever"],
        ),
        (
            simple(FOR_EVER + "<scheduler:repeatinterval>0</scheduler:repeatinterval>"),
            4,
            ["repeat interval is 0 ms; it must be above 0"],
        ),
        (
            simple(FOR_EVER + "\n<scheduler:repeatinterval>40 sec</scheduler:repeatinterval>"),
            6,
            ["scheduler:repeatinterval: '40 sec' is not a duration"],
        ),
        (
            simple(
                "<scheduler:starttime>2030-01-02T00:00Z</scheduler:starttime>\n"
                "<scheduler:endtime>2030-01-01T00:00Z</scheduler:endtime>"
            ),
            6,
            ["scheduler:endtime is before scheduler:starttime"],
        ),
        (
            simple("<scheduler:misfirepolicy>FIRE_NEVER</scheduler:misfirepolicy>"),
            5,
            ["'FIRE_NEVER' is not known; one of SMART, IGNORE"],
        ),
        (CRON, 5, ["scheduler:cronexpression is not known in scheduler:trigger"]),
        (
            cron(CRON + "\n<scheduler:dialect>unix</scheduler:dialect>"),
            5,
            ["scheduler:cronexpression: cron expression"],
        ),
        (cron(CRON + "\n<scheduler:dialect>java</scheduler:dialect>"), 6, ["quartz, unix"]),
        (cron(CRON + "\n<scheduler:dst>second</scheduler:dst>"), 6, ["such as skip,second"]),
        (
            calendar_interval(
                "\n<scheduler:repeatintervalunit>DAYS</scheduler:repeatintervalunit>"
            ),
            6,
            ["'DAYS' is not known; one of SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, YEAR"],
        ),
        (
            calendar_interval("").replace(">2<", ">0<"),
            4,
            ["interval is 0 DAY; it must be 1 or more"],
        ),
        (
            "<scheduler:calendarintervaltrigger/>",
            5,
            ["scheduler:calendarintervaltrigger has no scheduler:repeatinterval"],
        ),
        (
            daily_time_interval("\n<scheduler:starttimeofday>8 am</scheduler:starttimeofday>"),
            6,
            ["'8 am' is not a time of day, such as 08:30"],
        ),
        (
            daily_time_interval("\n<scheduler:endtimeofday>08:00:00.5</scheduler:endtimeofday>"),
            6,
            ["is not in whole seconds"],
        ),
        (
            daily_time_interval("\n<scheduler:daysofweek>MONDAY</scheduler:daysofweek>"),
            6,
            ["'MONDAY' is no day of the week"],
        ),
        (
            daily_time_interval("").replace(">90<", ">1441<"),
            4,
            ["interval is 1441 MINUTE; from 1 to 1440 (24 hours)"],
        ),
    ],
)
def test_what_is_wrong_with_a_trigger(inner: str, line: int, parts: list[str]) -> None:
    refused(of_trigger(inner), line, *parts)


def test_triggers_of_one_job_have_names_unlike_each_other() -> None:
    trigger = (
        "<scheduler:trigger><scheduler:triggername>T</scheduler:triggername>{}"
        + ONCE
        + "</scheduler:trigger>\n"
    )
    group = "<scheduler:triggergroup>other</scheduler:triggergroup>"
    triggers = "<scheduler:triggers>{}</scheduler:triggers>"
    same = triggers.format(trigger.format("") * 2)
    refused(of_job(same), 5, "trigger 'T' stands twice; first in line 4")
    unlike = triggers.format(trigger.format("") + trigger.format(group))
    assert len(settings(of_job(unlike)).jobs[0].triggers) == 2


def test_a_trigger_needs_a_name() -> None:
    nameless = of_trigger(ONCE).replace("{T 1}", " ")
    refused(nameless, 4, "scheduler:trigger has no scheduler:triggername")


def test_the_example_of_the_facade_and_that_of_the_file_are_the_same() -> None:
    expected: dict[str, Any] = {"limit": 20}
    assert settings(document(ALLOWED)).jobs == ()
    assert the_job(data("20")).data == expected
