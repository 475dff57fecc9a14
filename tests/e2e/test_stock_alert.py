"""The seed's example: an email when a data service says that the stock has fallen to a level."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from hazelcast_member import free_port
from http_service import HttpService
from mail_server import MailServer
from processes import NodeProcess, wait_for

import gridsched

REPOSITORY = Path(__file__).parents[2]
STOCK = (REPOSITORY / "examples" / "stock_alert" / "stock.xml").read_text("utf-8")


def test_the_example_shows_the_mail_and_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.stock_alert"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    assert said.index("7 left") < said.index("A mail has come") < said.index("EVENTS/low stock-")
    assert "| Subject: Stock is low" in said
    assert "| operation  getProductQuantity" in said
    assert "<quantity>7</quantity>" in said
    assert said.count("A mail has come") == 1


def test_a_node_mails_when_the_quantity_falls_and_waits_for_a_mail_server_that_is_down(
    tmp_path: Path,
) -> None:
    address, smtp = f"127.0.0.1:{free_port()}", free_port()
    with HttpService() as service:
        service.quantity = 30
        config = STOCK.replace(
            "127.0.0.1:18280/services/ProductService", f"127.0.0.1:{service.port}"
        )
        config = config.replace(">12525<", f">{smtp}<")
        (tmp_path / "stock.xml").write_text(config, "utf-8")
        node = NodeProcess(str(tmp_path / "stock.xml"), "--listen", address)
        try:
            node.wait_ready()
            with gridsched.connect(address) as scheduler:
                key = "shop/watch stock"
                wait_for(lambda: len(scheduler.firings(of=key, state="COMPLETE")) >= 2)
                assert scheduler.jobs(group="EVENTS") == []
                service.quantity = 9
                wait_for(lambda: scheduler.jobs(group="EVENTS"))
                delivery = scheduler.jobs(group="EVENTS")[0].key
                wait_for(lambda: any(f.attempt > 2 for f in scheduler.firings(of=delivery)))
                with MailServer(smtp) as server:
                    wait_for(lambda: server.mails)
                    wait_for(lambda: scheduler.firings(of=delivery)[0].state == "COMPLETE")
                    assert len(server.mails) == len(scheduler.jobs(group="EVENTS")) == 1
                assert server.mails[0]["Subject"] == "Stock is low"
                assert "<quantity>9</quantity>" in server.mails[0].get_content()
                published = [f for f in scheduler.firings(of=key) if f.events]
                assert [f.events for f in published] == [("low stock",)]
                shown = cli("jobs", key, "--json", "--grid", address)
                assert json.loads(shown)["events"][0]["name"] == "low stock"
                assert "events low stock" in cli("jobs", "--group", "shop", "--grid", address)
                listed = cli("jobs", "--group", "EVENTS", "--grid", address)
                assert "low stock of shop/watch stock to mailto:stock@shop.example" in listed
        finally:
            node.stop()


def cli(*arguments: str) -> str:
    """What a command of `gridsched` prints."""
    command = [sys.executable, "-m", "gridsched", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
