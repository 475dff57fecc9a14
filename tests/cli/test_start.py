"""`gridsched start` as a process: what it prints, how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import pytest
from running import NodeProcess, Run, until

DEMO = Path(__file__).parents[2] / "cache_config" / "demo.xml"
JOB = """
import pathlib, time

def ran(file):
    pathlib.Path(file).write_text("ran")

def stuck():
    print("STUCK", flush=True)
    time.sleep(600)
"""
CONFIG = """
<cache-config xmlns:scheduler="urn:gridsched:scheduler">
  <scheduler:service-config>
    <scheduler:schedulerservice>
      <scheduler:graceperiodinmillis>{grace}</scheduler:graceperiodinmillis>
      <scheduler:allowedjobs>my_jobs:*</scheduler:allowedjobs>
    </scheduler:schedulerservice>
  </scheduler:service-config>
  <scheduler:jobs>
    <scheduler:job>
      <scheduler:jobname>job</scheduler:jobname>
      <scheduler:jobclass>my_jobs:stuck</scheduler:jobclass>
      <scheduler:triggers>
        <scheduler:trigger>
          <scheduler:triggername>now</scheduler:triggername>
          <scheduler:oncetrigger/>
        </scheduler:trigger>
      </scheduler:triggers>
    </scheduler:job>
  </scheduler:jobs>
</cache-config>
"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[NodeProcess]:
    """A node that starts in an empty folder."""
    process = NodeProcess(tmp_path)
    yield process
    process.stop()


def test_the_demo_shows_what_fires_and_sums_up(node: NodeProcess) -> None:
    node.start(str(DEMO), "--name", "demo-1", "--live")
    assert node.line_with("READY") == "READY demo-1"
    heading = node.line_with("DUE")
    assert heading.split() == ["DUE", "LATE", "TOOK", "JOB", "TRIGGER", "RESULT"]
    hello = node.line_with("every second ")
    assert hello[:14].endswith("Z ")
    assert hello.index("demo/say hello") == heading.index("JOB")
    assert hello.endswith('"hello, grid"')
    node.signal(signal.SIGTERM)
    output = node.end(expected_code=0)
    assert "fired " in output
    assert "lateness p50 " in output
    assert "demo/say hello  fired " in output
    assert "Traceback" not in output


def test_it_goes_on_when_nobody_reads_any_more() -> None:
    command = [sys.executable, "-m", "gridsched", "start", str(DEMO), "--live", "--for", "2S"]
    command += ["--listen", "none"]
    with subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith("READY")
        process.stdout.close()
        log = process.stderr.read()
    assert process.returncode == 0
    assert "has stopped" in log
    assert "Traceback" not in log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_order(node: NodeProcess, number: signal.Signals) -> None:
    node.start("--name", "alone")
    assert node.line_with("READY") == "READY alone"
    node.signal(number)
    output = node.end(expected_code=0)
    assert f"{number.name}: stopping in order" in output
    assert "node alone has stopped" in output
    assert "fired 0, failed 0, retried 0, misfired 0" in output


def test_a_second_signal_ends_it_at_once(node: NodeProcess, tmp_path: Path) -> None:
    (tmp_path / "my_jobs.py").write_text(JOB)
    (tmp_path / "config.xml").write_text(CONFIG.format(grace=600_000))
    node.start("config.xml")
    node.line_with("STUCK")
    node.signal(signal.SIGTERM)
    node.line_with("is stopping")
    node.signal(signal.SIGTERM)
    node.end(expected_code=128 + signal.SIGTERM)


def test_a_job_that_outlives_the_grace_period_does_not_keep_it(
    node: NodeProcess, tmp_path: Path
) -> None:
    (tmp_path / "my_jobs.py").write_text(JOB)
    (tmp_path / "config.xml").write_text(CONFIG.format(grace=100))
    node.start("config.xml")
    node.line_with("STUCK")
    node.signal(signal.SIGTERM)
    assert "fired 1, failed 1" in node.end(expected_code=0)


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["nowhere.xml"], 5, "nowhere.xml: cannot be read"),
        (
            ["--grid", "127.0.0.1:1", "--listen", "127.0.0.1:0"],
            5,
            "listen is for the embedded grid",
        ),
        (["--grid", "127.0.0.1:1"], 3, "no grid answers at 127.0.0.1:1"),
    ],
)
def test_what_keeps_it_from_starting(
    node: NodeProcess, arguments: list[str], code: int, reason: str
) -> None:
    node.start(*arguments)
    output = node.end(expected_code=code)
    assert output.splitlines()[-1].startswith("error: ")
    assert reason in output.splitlines()[-1]
    assert "Traceback" not in output
    assert "READY" not in output


def test_an_address_that_is_taken_is_said(node: NodeProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        node.start("--listen", f"127.0.0.1:{port}")
        output = node.end(expected_code=5)
    assert f"cannot listen at 127.0.0.1:{port}: " in output
    assert "--listen" in output
    assert "Traceback" not in output


def test_other_nodes_and_commands_join_a_node_with_an_embedded_grid(
    node: NodeProcess, tmp_path: Path, cli: Run
) -> None:
    node.start("--name", "first", "--listen", "127.0.0.1:0", "--allow", "gridsched.jobs.samples:*")
    address = node.line_with("READY").split()[1]
    second = NodeProcess(tmp_path)
    try:
        second.start("--name", "second", "--grid", address, "--allow", "gridsched.jobs.samples:*")
        second.line_with("READY")
        members = json.loads(cli("members", "--json", "--grid", address).stdout)
        assert [member["name"] for member in members] == ["first", "second"]
        asked = ["gridsched.jobs.samples:add", "--data", "a=1", "--data", "b=2", "--wait", "30"]

        def run_on_both() -> bool:
            assert "3" in cli("submit", *asked, "--grid", address).stdout
            firings = json.loads(cli("firings", "--json", "--grid", address).stdout)
            return {firing["member"] for firing in firings} == {"first", "second"}

        until(run_on_both)  # the first node sees the second at its next beat
        shares = json.loads(cli("cluster", "--json", "--grid", address).stdout)["partitions"]
        assert shares.keys() == {"first", "second"}
        assert min(shares.values()) > 271 // 4
    finally:
        second.stop()


def test_a_grid_is_an_address_or_embedded(cli: Run) -> None:
    assert cli("start", "--grid", "somewhere").exit_code == 2
