"""`gridsched grid` as a process."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hazelcast import HazelcastClient

TIMEOUT = 30


@contextmanager
def grid(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the address that it says is ready."""
    command = [sys.executable, "-m", "gridsched", "grid", "--listen", "127.0.0.1:0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            word, _, address = process.stdout.readline().strip().partition(" ")
            assert word == "READY"
            yield process, address
        finally:
            process.kill()


def test_clients_connect_when_it_says_ready(tmp_path: Path) -> None:
    config = tmp_path / "hazelcast.xml"
    config.write_text("<hazelcast><cluster-name>shop</cluster-name><wan/></hazelcast>")
    with grid("--members", "2", "--config", str(config)) as (process, address):
        client = HazelcastClient(cluster_name="shop", cluster_members=[address])
        assert len(client.cluster_service.get_members()) == 2
        client.get_map("m").blocking().put(1, 1)
        client.shutdown()
        process.send_signal(signal.SIGTERM)
        _, warnings = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 0
        assert "hazelcast/wan" in warnings


def test_an_address_that_is_taken_is_said() -> None:
    with grid() as (_, address):
        command = [sys.executable, "-m", "gridsched", "grid", "--listen", address]
        found = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    assert found.returncode == 5
    assert f"cannot listen at {address}: another node or grid runs there" in found.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--listen", "nowhere"],
        ["--members", "0"],
        ["--listen", "127.0.0.1:65535", "--members", "2"],
        ["--config", "absent.xml"],
    ],
)
def test_wrong_options_are_refused(options: list[str]) -> None:
    command = [sys.executable, "-m", "gridsched", "grid", *options]
    found = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert found.returncode not in (0, 1)
    assert "Traceback" not in found.stderr
