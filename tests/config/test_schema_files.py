"""The XSD files say what the loader does, as far as an XSD can."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from config_documents import (
    DURABLE,
    HEAD,
    NAMED,
    ONCE,
    REPOSITORY,
    TARGET,
    document,
    of_job,
    of_jobs,
    of_service,
    of_trigger,
)
from lxml import etree

from gridsched.config import cache_config, kinds
from gridsched.config.cache_elements import DEFAULT_NAMES
from gridsched.config.schema import Branch
from gridsched.errors import ConfigurationError
from gridsched.model.trigger import Misfire

FOLDER = REPOSITORY / "gridsched" / "config"
XS = {"xs": "http://www.w3.org/2001/XMLSchema"}
SCHEMAS = {
    "": etree.parse(str(FOLDER / "cache-config.xsd")),
    "scheduler:": etree.parse(str(FOLDER / "scheduler.xsd")),
}
VALIDATOR = etree.XMLSchema(SCHEMAS[""])

REQUIRED = f"<scheduler:job>{NAMED}{TARGET}{DURABLE}</scheduler:job>"


def branches(branch: Branch) -> Iterator[Branch]:
    yield branch
    for part in branch.parts:
        if isinstance(part, Branch):
            yield from branches(part)


def children(branch: Branch) -> set[str]:
    """The names of the elements that the XSD knows in the branch's type."""
    prefix = "scheduler:" if branch.name.startswith("scheduler:") else ""
    local = branch.name.removeprefix(prefix)
    kind = "datamap" if local.endswith("datamap") else local
    found: list[Any] = SCHEMAS[prefix].xpath(
        "//xs:complexType[@name=$kind]//xs:element", kind=kind, namespaces=XS
    )
    return {element.get("ref") or prefix + element.get("name") for element in found}


def enumerated(kind: str) -> set[str]:
    found = SCHEMAS["scheduler:"].xpath(
        "//xs:simpleType[@name=$kind]//xs:enumeration/@value", kind=kind, namespaces=XS
    )
    return {str(value) for value in found}


@pytest.mark.parametrize("branch", list(branches(cache_config.ROOT)), ids=lambda b: b.name)
def test_both_know_the_same_elements(branch: Branch) -> None:
    assert children(branch) == set(branch.known)


def test_both_know_the_same_words() -> None:
    misfires = {""}
    for name in get_args(Misfire):
        long = {"SMART": "SMART_POLICY", "IGNORE": "IGNORE_MISFIRE_POLICY"}.get(name, name)
        misfires |= {name, long, f"MISFIRE_INSTRUCTION_{long}"}
    assert enumerated("misfire") == misfires
    assert enumerated("cache") == set(DEFAULT_NAMES)
    types = SCHEMAS["scheduler:"].xpath(
        "//xs:complexType[@name='data']//xs:enumeration/@value", namespaces=XS
    )
    assert set(types) == set(kinds.DATA_TYPES)


def data(text: str, attributes: str) -> str:
    return of_job(
        f"<scheduler:jobdatamap><scheduler:data {attributes}>{text}</scheduler:data>"
        "</scheduler:jobdatamap>"
    )


def leaf(name: str, text: str) -> str:
    return f"<scheduler:{name}>{text}</scheduler:{name}>"


def at(text: str) -> str:
    return of_trigger(f"<scheduler:oncetrigger>{leaf('at', text)}</scheduler:oncetrigger>")


def scheme(inner: str) -> str:
    return document(
        f"<caching-schemes><distributed-scheme>{inner}</distributed-scheme></caching-schemes>"
    )


def cron(inner: str) -> str:
    return f"<scheduler:crontrigger>{inner}</scheduler:crontrigger>"


def smtp(inner: str) -> str:
    return f"<scheduler:smtp>{inner}</scheduler:smtp>"


def of_events(inner: str) -> str:
    return of_job(
        f"<scheduler:events><scheduler:event>{inner}</scheduler:event></scheduler:events>"
    )


EVENT = (
    leaf("eventname", "low")
    + leaf("condition", "//quantity")
    + leaf("subscriber", "https://shop.example/hook")
)


def calendar_interval(interval: str, unit: str) -> str:
    inner = leaf("repeatinterval", interval) + leaf("repeatintervalunit", unit)
    return f"<scheduler:calendarintervaltrigger>{inner}</scheduler:calendarintervaltrigger>"


def daily_time_interval(inner: str) -> str:
    inner = leaf("repeatinterval", "90") + inner
    return f"<scheduler:dailytimeintervaltrigger>{inner}</scheduler:dailytimeintervaltrigger>"


def calendar(inner: str) -> str:
    inner = leaf("calendarname", "free days") + inner
    return document(
        f"<scheduler:calendars><scheduler:calendar>{inner}</scheduler:calendar></scheduler:calendars>"
    )


URL = leaf("url", "https://shop.example/stock")


def http(inner: str) -> str:
    return f"<scheduler:httptask>{inner}</scheduler:httptask>"


def task(inner: str) -> str:
    return of_jobs(REQUIRED.replace(TARGET, inner))


def catalogue(inner: str) -> str:
    return document(
        f"<scheduler:services><scheduler:service>{inner}</scheduler:service></scheduler:services>"
    )


ACCEPTED = [
    document(""),
    document("<scheduler:jobs/><caching-schemes/><caching-scheme-mapping/>"),
    of_service(
        leaf("maxthreacount", "5") + leaf("allowedjobs", "a:*") + leaf("allowedjobs", "b:*")
    ),
    of_service(leaf("maxthreadcount", " 5 \n ") + leaf("queuecapacity", "")),
    of_service("<scheduler:singleServerMode/>" + leaf("minthreadcount", "3")),
    of_service(leaf("dispatcherpolicy", "AttributeMatch(gpu=yes) then LeastLoaded else Random")),
    of_service("<scheduler:attribute name='gpu'>yes</scheduler:attribute>"),
    of_job(leaf("dispatcherpolicy", "RuleBased(shop,.*,10\\.0\\..*; .*,.*,node-(1|2))")),
    of_job(leaf("dispatcherpolicy", "(Random else LocalFirst) then RoundRobin")),
    of_jobs(REQUIRED),
    of_service(smtp(leaf("host", "h") + leaf("sender", "a@b"))),
    of_service(
        smtp(
            leaf("host", "h")
            + leaf("sender", "a@b")
            + leaf("security", "tls")
            + leaf("username", "u")
            + leaf("password", "${env:P}")
            + leaf("timeout", "5S")
        )
    ),
    of_events(EVENT),
    of_events(
        leaf("eventname", "low")
        + "<scheduler:condition language='jmespath'>quantity</scheduler:condition>"
        + leaf("subscriber", "https://shop.example/hook")
        + leaf("subscriber", "http://shop.example/else")
        + leaf("when", "change")
        + "<scheduler:retry><scheduler:attempts>3</scheduler:attempts></scheduler:retry>"
    ),
    of_job(leaf("timeout", "5M") + leaf("executor", "process") + leaf("priority", "-3")),
    task(http(URL)),
    task(
        http(
            URL
            + leaf("method", "POST")
            + "<scheduler:header name='A'>1</scheduler:header>"
            + "<scheduler:header name='B'/>"
            + leaf("body", "{ }")
            + leaf("expect", "200")
            + leaf("expect", "404")
            + leaf("keepheader", "ETag")
            + leaf("connecttimeout", "500MS")
        )
    ),
    catalogue(leaf("servicename", "S")),
    catalogue(
        leaf("endpoint", "http://shop.example/s")
        + leaf("servicename", "S")
        + leaf("transport", "http")
        + "<scheduler:serviceoperation>"
        + leaf("parameter", "code")
        + leaf("operationname", "one")
        + leaf("path", "products/all")
        + "</scheduler:serviceoperation>"
    ),
    of_job(leaf("retention", "2H")),
    of_job(leaf("retention", " keep until discarded ")),
    of_job(leaf("timeout", "250 ms") + leaf("recoverable", "")),
    of_job(
        "<scheduler:retry>" + leaf("attempts", "3") + leaf("backoff", "1.5") + "</scheduler:retry>"
    ),
    data("[1]", "key='k' type='json'"),
    data("", "key='k'"),
    of_trigger(ONCE),
    of_trigger(ONCE + "<scheduler:tiggerdatamap/>" + leaf("triggertype", "Simple")),
    at("01/31/2030 08:00:00:000"),
    at("2030-01-31T08:00:00.5+01:00"),
    at("2030-01-31T08:00Z"),
    of_trigger(f"<scheduler:simpletrigger>{leaf('misfirepolicy', '')}</scheduler:simpletrigger>"),
    of_trigger(leaf("calendarname", "free days") + ONCE),
    of_trigger(leaf("jitter", "30S") + leaf("catchup", "1H") + ONCE),
    of_job(leaf("overlap", "cancel_other") + leaf("persistjobdata", "true")),
    of_trigger(cron(leaf("cronexpression", "0 8 * * *") + leaf("dialect", "unix"))),
    of_trigger(cron(leaf("cronexpression", "0 0 8 * * ?") + leaf("dst", "skip, second"))),
    of_trigger(calendar_interval("2", "month")),
    of_trigger(calendar_interval("1", "")),
    of_trigger(daily_time_interval(leaf("starttimeofday", "08") + leaf("endtimeofday", "17:30"))),
    of_trigger(daily_time_interval(leaf("daysofweek", "MON, tue,7") + leaf("repeatcount", "3"))),
    calendar(leaf("weekly", "SAT,1")),
    calendar(leaf("holidays", "2026-12-25, 2027-01-01") + leaf("zone", "Europe/London")),
    calendar(leaf("country", "GB") + leaf("years", "2026-2028,2030") + leaf("subdivision", "ENG")),
    calendar(leaf("daily", "00:00-08:30:15.250") + leaf("invert", "true")),
    calendar(leaf("annual", "12-25") + leaf("description", "") + leaf("base", "")),
    scheme("<scheme-name>s</scheme-name><expiry-delay>90</expiry-delay>"),
    scheme("<scheme-name>s</scheme-name><high-units>100</high-units>"),
    document(
        "<caching-scheme-mapping><cache-mapping scheduler:cache='triggers'>"
        "<cache-name>T</cache-name></cache-mapping></caching-scheme-mapping>"
    ),
]

REFUSED = [
    task("<scheduler:httptask/>"),
    task(http(leaf("url", "ftp://shop.example/"))),
    task(http(URL + leaf("method", "FETCH"))),
    task(http(URL + leaf("header", "x"))),
    task(http(URL + leaf("expect", "ok"))),
    task(http(URL + leaf("readtimeout", "30"))),
    task(f"<scheduler:operation>{leaf('servicename', 'S')}</scheduler:operation>"),
    document("<scheduler:services><scheduler:dbs/></scheduler:services>"),
    catalogue(leaf("servicename", "")),
    catalogue(leaf("servicename", "S") + leaf("quantity", "1")),
    HEAD.replace("cache-config ", "config ", 1) + "</config>",
    document("<scheduler:job/>"),
    document("<scheduler:jobs/><scheduler:jobs/>"),
    of_service(leaf("threads", "5")),
    of_service(leaf("maxthreadcount", "five")),
    of_service(leaf("maxthreadcount", "-5")),
    of_service(leaf("singleServerMode", "yes")),
    of_service(leaf("dispatcherpolicy", "Lottery")),
    of_service(leaf("attribute", "yes")),
    of_job(leaf("dispatcherpolicy", "AttributeMatch")),
    of_service("<name>a</name>"),
    of_service("text"),
    of_jobs(REQUIRED.replace(NAMED, "")),
    of_jobs(REQUIRED.replace("shop.tasks:restock", "org.example.DummyJob")),
    of_job(leaf("durabel", "true")),
    of_job(leaf("durable", "true")),
    of_job(leaf("timeout", "30")),
    of_job(leaf("retention", "keep")),
    of_job(leaf("executor", "fork")),
    of_job(leaf("overlap", "wait")),
    of_trigger(leaf("jitter", "30") + ONCE),
    of_job("<scheduler:retry/>"),
    data("x", ""),
    data("x", "key='k' type='date'"),
    data("x", "key='k' kind='int'"),
    of_trigger(ONCE).replace("{T 1}", ""),
    of_trigger(ONCE + ONCE),
    of_trigger("<scheduler:crontrigger/>"),
    at("tomorrow"),
    at("2030-01-31T08:00:00"),
    of_trigger(
        f"<scheduler:simpletrigger>{leaf('repeatinterval', '1W')}</scheduler:simpletrigger>"
    ),
    of_trigger(f"<scheduler:simpletrigger>{leaf('misfirepolicy', 'X')}</scheduler:simpletrigger>"),
    of_trigger(cron(leaf("cronexpression", "0 0 8 * * ?") + leaf("dst", "second"))),
    of_trigger(cron(leaf("cronexpression", "0 0 8 * * ?") + leaf("dialect", "java"))),
    of_trigger(calendar_interval("0", "DAY")),
    of_trigger(calendar_interval("1", "DAYS")),
    of_trigger(daily_time_interval(leaf("starttimeofday", "24:00"))),
    of_trigger(daily_time_interval(leaf("daysofweek", "MONDAY"))),
    of_trigger(daily_time_interval(leaf("repeatintervalunit", "DAY"))),
    calendar(leaf("weekly", "8")),
    calendar(leaf("holidays", "Christmas")),
    calendar(leaf("daily", "08:00")),
    calendar(leaf("weekly", "SAT")).replace("free days", ""),
    document("<scheduler:calendar/>"),
    of_service(smtp(leaf("host", "h"))),
    of_service(smtp(leaf("host", "h") + leaf("sender", "a@b") + leaf("security", "ssl"))),
    of_service(smtp(leaf("host", "h") + leaf("sender", "a@b") + leaf("password", "hunter2"))),
    of_events(EVENT.replace("https://", "ftp://")),
    of_events(EVENT + leaf("when", "never")),
    of_events(EVENT.replace("<scheduler:condition>", "<scheduler:condition language='sql'>")),
    of_events(EVENT + "<scheduler:namespace>urn:shop</scheduler:namespace>"),
    scheme("<backup-count>1</backup-count>"),
    scheme("<scheme-name>s</scheme-name><expiry-delay>0</expiry-delay>"),
    scheme("<scheme-name>s</scheme-name><high-units>0</high-units>"),
    scheme("<scheme-name>s</scheme-name><backup-count>-1</backup-count>"),
    document(
        "<caching-scheme-mapping><cache-mapping scheduler:cache='all'>"
        "<cache-name>T</cache-name></cache-mapping></caching-scheme-mapping>"
    ),
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_both_accept(text: str) -> None:
    cache_config.loads(text.encode())
    VALIDATOR.assertValid(etree.fromstring(text))


@pytest.mark.parametrize("text", REFUSED)
def test_both_refuse(text: str) -> None:
    with pytest.raises(ConfigurationError):
        cache_config.loads(text.encode())
    assert not VALIDATOR.validate(etree.fromstring(text))


@pytest.mark.parametrize("name", ["demo", "node", "cluster"])
def test_the_samples_are_valid(name: str) -> None:
    VALIDATOR.assertValid(etree.parse(str(REPOSITORY / "cache_config" / f"{name}.xml")))
