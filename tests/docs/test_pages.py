"""What the pages say of the repository is so: links, files, names of tests, states, errors, logs."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pages import PAGES, REPOSITORY, anchors, blocks_of, links, prose

from gridsched import errors
from gridsched.config import cache_config
from gridsched.model.firing import Firing, FiringState
from gridsched.model.job import Job
from gridsched.model.retry import Retry
from gridsched.model.trigger import WHEN_SUBMITTED, Once, Simple, Trigger, TriggerState
from gridsched.node.node import NodeState
from gridsched.policy import submissions, transitions
from gridsched.policy.acquire import Acquisition, Destination, acquire
from gridsched.policy.claim import Instant

ARCHITECTURE = REPOSITORY / "docs" / "architecture.md"
TROUBLESHOOTING = REPOSITORY / "docs" / "troubleshooting.md"


def of_page(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


@pytest.mark.parametrize("page", PAGES, ids=of_page)
def test_every_local_link_resolves(page: Path) -> None:
    for link in links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{of_page(page)} links to {link}"
        if anchor:
            assert anchor in anchors(target), f"{of_page(page)} links to {link}"


@pytest.mark.parametrize("page", PAGES, ids=of_page)
def test_every_file_that_is_named_exists(page: Path) -> None:
    """`docs/…`, `gridsched/….py` and their like, in backquotes."""
    folders = "benchmarks|cache_config|docs|gridsched|tests"
    for name in re.findall(rf"`((?:{folders})/[\w./-]*)`", prose(page)):
        if not name.startswith("benchmarks/results"):
            assert (REPOSITORY / name).exists(), f"{of_page(page)} names {name}"


@pytest.mark.parametrize("page", PAGES, ids=of_page)
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"`(test_\w+)`", page.read_text("utf-8")))
    tests = "".join(path.read_text("utf-8") for path in (REPOSITORY / "tests").rglob("test_*.py"))
    tests += (REPOSITORY / "tests" / "grid" / "conformance.py").read_text("utf-8")
    assert named <= set(re.findall(r"def (test_\w+)\(", tests))


def test_every_dependency_is_accounted_for() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [each for extra in project["optional-dependencies"].values() for each in extra]
    wanted = {re.split(r"[^\w-]", each)[0] for each in [*project["dependencies"], *extras]}
    _, _, section = ARCHITECTURE.read_text("utf-8").partition("\n## Dependencies\n")
    assert set(re.findall(r"^\| ([\w-]+)", section, re.MULTILINE)) == wanted


@pytest.mark.parametrize("block", blocks_of("xml"), ids=str)
def test_every_xml_example_loads_with_nothing_to_note(block) -> None:
    if "<cache-config" not in block.text:
        pytest.skip("not a cache-config: a part of one, or another grid's XML")
    if "class://" in block.text:
        pytest.skip("written for another scheduler: what is noted is what its page shows")
    loaded = cache_config.loads(block.text.encode(), str(block))
    assert (loaded.ignored, loaded.aliases) == ((), ())


@pytest.mark.parametrize("page", PAGES, ids=of_page)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    for target in re.findall(r"\bmake ([a-z]+)\b", "\n".join(re.findall(r"`[^`]+`", prose(page)))):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


# --- The state machines that architecture.md draws


def drawn(title: str) -> set[tuple[str, str]]:
    """The arrows of the diagram under a heading of architecture.md."""
    _, _, section = ARCHITECTURE.read_text("utf-8").partition(f"\n### {title}\n")
    diagram = section.partition("```mermaid\n")[2].partition("```")[0]
    assert diagram, f"no diagram under {title}"
    return set(re.findall(r"^\s*(\S+) --> (\S+?)(?: ?:.*)?$", diagram, re.MULTILINE))


def in_state(state: FiringState) -> Firing:
    return Firing("g/j:g/t", 1000, state=state, job="g/j", member="a")


def firing_steps() -> Iterator[tuple[str, str]]:
    """Every step that the policy takes of a firing, by trying them all from every state where the
    node takes them."""
    job = Job("m:f", name="j", group="g")
    eager = Job("m:f", name="j", group="g", requests_recovery=True, retry=Retry(3))
    forever = Trigger(Once(1000), name="t", job="g/j", misfire="SMART")
    by = Acquisition("a", 0, 10)
    for skipped, reason in ((False, ""), (True, ""), (False, "no node")):
        instant = Instant(1000, skipped=skipped)
        to = Destination("" if reason else "a", reason)
        made = acquire("g/j:g/t", forever, job, instant, destination=to, acquisition=by)
        yield "[*]", made.state
    for state in ("ACQUIRED", "REJECTED"):
        firing = in_state(state)
        yield state, transitions.start(firing, "a", "i", 0, 10).state
        yield state, transitions.wait_for_turn(firing, 0).state
        yield state, transitions.put_off(firing, 0).state
        yield state, transitions.skip(firing, 0, "overlap").state
        yield state, submissions.pause_firing(firing).state
        yield state, submissions.cancel_firing(firing, "", 0).state
    yield "ACQUIRED", transitions.reject(in_state("ACQUIRED")).state
    unplaced = transitions.unplaced(in_state("ACQUIRED"), "no node", 0, 10)
    yield "ACQUIRED", unplaced.state
    yield unplaced.state, transitions.send_again(unplaced, "a", 0, 10).state
    running = in_state("EXECUTING")
    yield "EXECUTING", transitions.complete(running, 0, returned=False).state
    for each in (job, eager):
        yield "EXECUTING", transitions.fail(running, each, "", 0).state
        yield "EXECUTING", transitions.orphan(running, each, 0).state
    yield "EXECUTING", transitions.suspend(running, 1, 0).state
    yield "EXECUTING", submissions.cancel_unfinished(running, "", 0).state
    paused = in_state("PAUSED")
    yield "PAUSED", submissions.cancel_firing(paused, "", 0).state
    yield "PAUSED", submissions.resume_firing(paused, forever, 0, 10).state
    repeats = Trigger(Simple(1000, 1000), name="t", job="g/j")
    yield "PAUSED", submissions.resume_firing(paused, repeats, 9_000_000, 10).state


def test_the_firings_diagram_is_what_the_policy_does() -> None:
    arrows = drawn("A firing")
    steps = set(firing_steps())
    ends = {(state, "[*]") for state in ("COMPLETE", "FAILED", "CANCELLED", "SKIPPED", "LOST")}
    assert arrows == steps | ends
    assert {state for arrow in arrows for state in arrow} - {"[*]"} == set(get_args(FiringState))


def test_the_other_diagrams_name_every_state() -> None:
    for title, states in (
        ("A trigger", set(get_args(TriggerState))),
        ("A submission", {"NEW", "ACCEPTED", "REJECTED"}),
        ("A node", {state.name for state in NodeState}),
    ):
        assert {state for arrow in drawn(title) for state in arrow} - {"[*]"} == states, title


def test_pausing_and_resuming_a_trigger_are_as_drawn() -> None:
    trigger = Trigger(Once(WHEN_SUBMITTED), name="t", job="g/j")
    paused = submissions.pause_trigger(trigger)
    arrows = drawn("A trigger")
    assert (trigger.state, paused.state) in arrows
    assert (paused.state, submissions.resume_trigger(paused).state) in arrows


# --- What a user may meet


def test_every_error_is_in_the_troubleshooting_page() -> None:
    page = TROUBLESHOOTING.read_text("utf-8")
    raised = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.GridschedError)
    } - {"GridschedError", "GridError"}
    assert {name for name in raised if f"`{name}`" not in page} == set()


def warnings_of(path: Path) -> Iterator[str]:
    """The format strings of what a module logs as a warning or worse."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"warning", "error", "exception"}
            and "log" in ast.unparse(node.func.value)
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield str(node.args[0].value)


def test_every_warning_of_a_node_is_in_the_troubleshooting_page() -> None:
    page = TROUBLESHOOTING.read_text("utf-8")
    logged = {
        re.sub(r"%[\d.]*[a-z]", "…", text)
        for path in (REPOSITORY / "gridsched").rglob("*.py")
        for text in warnings_of(path)
        if re.search(r"(?<!%)[a-z]{2}", text)
    }
    assert {text for text in logged if f"`{text}`" not in page} == set(), "say what it means"
