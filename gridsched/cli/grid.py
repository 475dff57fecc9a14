"""`gridsched grid`: an embedded grid alone, for any Hazelcast client."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import Final

import click
import msgspec

from gridsched.client.grids import cannot_listen
from gridsched.clock import SystemClock, system_ids
from gridsched.config.settings import DEFAULT_QUEUE_CAPACITY
from gridsched.grid.embedded.cluster import EmbeddedCluster, uuids
from gridsched.grid.wire.config import GridConfig, QueueConfig
from gridsched.grid.wire.server import WireServer
from gridsched.runtime import new_event_loop

_LAST_PORT: Final = 65535


class _Address(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.2
    name = "HOST:PORT"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        host, _, port = str(value).rpartition(":")
        if not host or not port.isdigit() or int(port) > _LAST_PORT:
            self.fail(f"{value!r} is not written HOST:PORT", param, ctx)
        return host, int(port)


@click.command()
@click.option(
    "--members",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="How many members the grid has.",
)
@click.option(
    "--listen",
    default="127.0.0.1:5701",
    show_default=True,
    type=_Address(),
    help="The first member's address; the others listen at the ports after it. Port 0 is any.",
)
@click.option("--cluster-name", help="What clients must name.  [default: the file's, else dev]")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A hazelcast.xml; what has no effect here is warned of.",
)
def grid(
    members: int, listen: tuple[str, int], cluster_name: str | None, config: Path | None
) -> None:
    """Start an embedded grid alone, for any Hazelcast client.

    It prints READY HOST:PORT when clients may connect, and runs until SIGTERM or SIGINT. What it
    holds ends with it.
    """
    if listen[1] + members - 1 > _LAST_PORT:
        raise click.UsageError(
            f"--members {members} from port {listen[1]} on: the last port is {_LAST_PORT}"
        )
    _show_warnings()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(members, listen, _config(cluster_name, config)))


def _config(cluster_name: str | None, path: Path | None) -> GridConfig:
    # Nodes of gridsched ask for bounded execution queues, and are to find them without a file.
    found = GridConfig(queues={"Execution-*": QueueConfig(DEFAULT_QUEUE_CAPACITY)})
    if path is not None:
        from gridsched.grid.wire.hazelcast_xml import read_hazelcast_xml

        found = read_hazelcast_xml(path)
    if cluster_name is not None:
        found = msgspec.structs.replace(found, cluster_name=cluster_name)
    return found


async def _serve(members: int, listen: tuple[str, int], config: GridConfig) -> None:
    host, port = listen
    ids = uuids(system_ids())
    cluster = EmbeddedCluster(SystemClock().now, ids, members=members)
    server = WireServer(cluster, ids, config)
    try:
        await server.start(host, [port + place if port else 0 for place in range(members)])
    except OSError as error:
        raise cannot_listen(f"{host}:{port}", error) from error
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    click.echo(f"READY {server.addresses[0]}")
    await asked.wait()
    await server.stop()


def _show_warnings() -> None:
    """A server alone has nothing else to say, so its log goes to the standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logging.getLogger("gridsched").addHandler(handler)
