from __future__ import annotations

import pytest
from config_documents import document, loaded, of_service, refused, settings

from gridsched.config.schema import Leaf, Note
from gridsched.config.service_elements import SERVICE
from gridsched.config.settings import Settings
from gridsched.model.dispatch import AttributeMatch, Composite, LeastLoaded

NUMBERS = [
    part
    for part in SERVICE.parts
    if isinstance(part, Leaf) and type(getattr(Settings(), part.into)) is int
]


def test_an_empty_configuration_is_the_defaults() -> None:
    assert settings(document("")) == settings(of_service("")) == Settings()


@pytest.mark.parametrize("leaf", NUMBERS, ids=lambda leaf: leaf.into)
def test_every_number_sets_its_setting(leaf: Leaf) -> None:
    assert leaf.default == str(getattr(Settings(), leaf.into))
    number = getattr(Settings(), leaf.into) + 7
    written = settings(of_service(f"<{leaf.name}> {number}\n </{leaf.name}>"))
    assert getattr(written, leaf.into) == number


@pytest.mark.parametrize("leaf", NUMBERS, ids=lambda leaf: leaf.into)
def test_every_number_has_its_bound(leaf: Leaf) -> None:
    refused(of_service(f"<{leaf.name}>-1</{leaf.name}>"), 3, f"{leaf.name}: is -1; it must be at")


def test_all_numeric_settings_can_be_configured() -> None:
    numbers = {
        name for name in Settings.__struct_fields__ if type(getattr(Settings(), name)) is int
    }
    assert {leaf.into for leaf in NUMBERS} == numbers


def test_names_policies_and_patterns() -> None:
    written = settings(
        of_service(
            "<scheduler:name>the shop's</scheduler:name>"
            "<scheduler:dispatcherpolicy>RoundRobin</scheduler:dispatcherpolicy>"
            "<scheduler:singleServerMode>true</scheduler:singleServerMode>"
            "<scheduler:allowedjobs>shop.tasks:*</scheduler:allowedjobs>"
            "<scheduler:allowedjobs/>"
            "<scheduler:allowedjobs>bank:*</scheduler:allowedjobs>"
        )
    )
    assert written == Settings(
        name="the shop's", single_server_mode=True, allowed_jobs=("shop.tasks:*", "bank:*")
    )


def test_attributes_and_a_policy_that_matches_them() -> None:
    written = settings(
        of_service(
            "<scheduler:attribute name='gpu'>yes</scheduler:attribute>"
            "<scheduler:attribute name='zone'/>"
            "<scheduler:dispatcherpolicy>AttributeMatch(gpu=yes)\n then LeastLoaded"
            "</scheduler:dispatcherpolicy>"
        )
    )
    policy = Composite((AttributeMatch({"gpu": "yes"}), LeastLoaded()))
    assert written == Settings(attributes={"gpu": "yes", "zone": ""}, dispatcher_policy=policy)


def test_a_longer_poll_raises_the_look_ahead_with_it() -> None:
    poll = "<scheduler:idlewaittimeinmillis>{}</scheduler:idlewaittimeinmillis>"
    look = "<scheduler:lookaheadinmillis>{}</scheduler:lookaheadinmillis>"
    assert settings(of_service(poll.format(200))).look_ahead_ms == 1000
    assert settings(of_service(poll.format(501))).look_ahead_ms == 1002
    assert settings(of_service(poll.format(30_000))).look_ahead_ms == 60_000
    both = settings(of_service(poll.format(30_000) + look.format(30_001)))
    assert (both.poll_interval_ms, both.look_ahead_ms) == (30_000, 30_001)
    refused(
        of_service(poll.format(30_000) + "\n" + look.format(30_000)),
        4,
        "scheduler:lookaheadinmillis is 30000; it must be above scheduler:idlewaittimeinmillis",
    )


def test_an_empty_element_is_as_if_it_were_not_there() -> None:
    assert (
        settings(of_service("<scheduler:maxthreadcount> </scheduler:maxthreadcount>")) == Settings()
    )


@pytest.mark.parametrize("written", ["", "true"])
def test_single_server_mode_is_on_when_it_is_there(written: str) -> None:
    text = f"<scheduler:singleServerMode>{written}</scheduler:singleServerMode>"
    assert settings(of_service(text)).single_server_mode


def test_the_seed_s_spellings_are_taken_and_noted() -> None:
    written = loaded(
        of_service(
            "<scheduler:minthreadcount>3</scheduler:minthreadcount>\n"
            "<scheduler:maxthreacount>5</scheduler:maxthreacount>"
        )
    )
    assert written.settings == Settings(max_threads=5)
    assert written.aliases == (
        Note("scheduler:maxthreacount", 4, "alias of scheduler:maxthreadcount"),
    )
    assert [(note.name, note.line) for note in written.ignored] == [("scheduler:minthreadcount", 3)]


@pytest.mark.parametrize(
    ("inner", "line", "parts"),
    [
        (
            "\n<scheduler:maxthreads>5</scheduler:maxthreads>",
            4,
            ["scheduler:maxthreads is not known in scheduler:schedulerservice", "Allowed there:"],
        ),
        (
            "<scheduler:singleservermode/>",
            3,
            ["did you mean scheduler:singleServerMode?", "scheduler:taskservercount"],
        ),
        ("<scheduler:maxthreadcount>ten</scheduler:maxthreadcount>", 3, ["'ten' is not a whole"]),
        ("<scheduler:maxthreadcount>1_0</scheduler:maxthreadcount>", 3, ["'1_0' is not a whole"]),
        ("<scheduler:maxthreadcount>1.5</scheduler:maxthreadcount>", 3, ["'1.5' is not a whole"]),
        (
            "<scheduler:queuecapacity>" + "9" * 5000 + "</scheduler:queuecapacity>",
            3,
            ["not a whole"],
        ),
        ("<scheduler:idlewaittimeinmillis>9</scheduler:idlewaittimeinmillis>", 3, ["at least 10"]),
        ("<scheduler:lookaheadinmillis>500</scheduler:lookaheadinmillis>", 3, ["must be above"]),
        ("<scheduler:singleServerMode>yes</scheduler:singleServerMode>", 3, ["neither true nor"]),
        (
            "<scheduler:taskservercount>3</scheduler:taskservercount>\n"
            "<scheduler:singleServerMode/>",
            4,
            ["this node is the only one, and scheduler:taskservercount is 3"],
        ),
        ("<scheduler:taskservercount>0</scheduler:taskservercount>", 3, ["must be at least 1"]),
        ("<scheduler:dispatcherpolicy>Lottery</scheduler:dispatcherpolicy>", 3, ["RoundRobin"]),
        ("<scheduler:attribute>yes</scheduler:attribute>", 3, ["the attribute name is missing"]),
        (
            "<scheduler:attribute name='a'>1</scheduler:attribute>"
            "<scheduler:attribute name='a'>2</scheduler:attribute>",
            3,
            ["attribute 'a' stands twice"],
        ),
        (
            "<scheduler:name>a</scheduler:name>\n<scheduler:name>b</scheduler:name>",
            4,
            ["scheduler:name stands twice; scheduler:name is in line 3"],
        ),
        (
            "<scheduler:maxthreacount>1</scheduler:maxthreacount>\n"
            "<scheduler:maxthreadcount>2</scheduler:maxthreadcount>",
            4,
            ["scheduler:maxthreadcount stands twice; scheduler:maxthreacount is in line 3"],
        ),
        ("<name>shop</name>", 3, ["name has no prefix: write scheduler:name"]),
        ("<scheduler:name><b/></scheduler:name>", 3, ["holds text only; b is not for it"]),
        ("<scheduler:name nmae='x'>a</scheduler:name>", 3, ["attribute nmae", "there: none"]),
        ("<scheduler:name scheduler:k='x'>a</scheduler:name>", 3, ["attribute scheduler:k"]),
        ("shop", 2, ["scheduler:schedulerservice holds elements; text 'shop' is not for it"]),
    ],
)
def test_what_is_wrong_is_said_with_its_line(inner: str, line: int, parts: list[str]) -> None:
    refused(of_service(inner), line, *parts)


def test_foreign_elements_are_skipped_and_noted() -> None:
    written = loaded(
        document(
            "<defaults><serializer>pof</serializer></defaults>\n"
            "<o:more xmlns:o='urn:other'/>\n<scheduler:service-config xmlns:o='urn:other' o:k='1'/>"
        )
    )
    assert written.settings == Settings()
    assert [(note.name, note.line) for note in written.ignored] == [
        ("defaults", 2),
        ("o:more", 3),
        ("scheduler:service-config/@o:k", 4),
    ]


def test_our_elements_inside_foreign_ones_are_not_lost_silently() -> None:
    refused(
        document("<defaults>\n<scheduler:jobs/></defaults>"),
        3,
        "scheduler:jobs stands inside defaults, which is not read",
    )


def test_the_prefix_decides_whatever_its_uri() -> None:
    text = of_service("<scheduler:name>a</scheduler:name>")
    assert settings(text.replace("urn:gridsched:scheduler", "class://org.example.H")).name == "a"
    assert settings(_with_prefix_s(text, "urn:other")) == Settings()


def test_our_uri_under_another_prefix_is_ours_too() -> None:
    text = of_service("<scheduler:name>a</scheduler:name>")
    assert settings(_with_prefix_s(text, "urn:gridsched:scheduler")).name == "a"


def _with_prefix_s(text: str, uri: str) -> str:
    text = text.replace('xmlns:scheduler="urn:gridsched:scheduler"', f'xmlns:s="{uri}"')
    return text.replace("<scheduler:", "<s:").replace("</scheduler:", "</s:")
