"""`scheduler:service-config`: what a node is, as keyword arguments of `Settings`."""

from __future__ import annotations

from typing import Any, Final

from gridsched.config.event_elements import SMTP
from gridsched.config.kinds import ATTRIBUTE, POLICY, SWITCH, TEXT, whole, written
from gridsched.config.schema import Branch, Fields, Leaf, Reading, Unused
from gridsched.config.settings import LEAST, Settings
from gridsched.policy import dispatch_forms
from gridsched.policy.allowed_hosts import allowed_hosts

_DEFAULTS: Final = Settings()


def _setting(
    name: str, into: str, doc: str, *, unit: str = "ms", aliases: tuple[str, ...] = ()
) -> Leaf:
    """A number of `Settings`, with the default and the bound that it has there."""
    default = str(getattr(_DEFAULTS, into))
    return Leaf(name, into, whole(unit, LEAST.get(into, 0)), doc, default, aliases)


def _service(fields: Fields, reading: Reading) -> dict[str, Any]:
    """A poll above half the look-ahead raises the look-ahead with it, unless the file names one."""
    values = fields.values
    poll = values.get("poll_interval_ms", _DEFAULTS.poll_interval_ms)
    look_ahead = values.setdefault("look_ahead_ms", max(_DEFAULTS.look_ahead_ms, 2 * poll))
    if look_ahead <= poll:
        raise reading.error(
            fields.place("look_ahead_ms"),
            f"scheduler:lookaheadinmillis is {look_ahead}; it must be above "
            f"scheduler:idlewaittimeinmillis ({poll}), or instants between two polls are late",
        )
    count = values.get("server_count", _DEFAULTS.server_count)
    if values.get("single_server_mode") and count > 1:
        raise reading.error(
            fields.place("single_server_mode"),
            "scheduler:singleServerMode says that this node is the only one, and "
            f"scheduler:taskservercount is {count}: remove one of the two",
        )
    if "attributes" in values:
        values["attributes"] = _attributes(fields, reading)
    return values


def _attributes(fields: Fields, reading: Reading) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for (name, value), place in fields.each("attributes"):
        if name in attributes:
            raise reading.error(place, f"attribute {name!r} stands twice")
        attributes[name] = value
    return attributes


def _only_service(fields: Fields, _reading: Reading) -> dict[str, Any]:
    service: dict[str, Any] = fields.values.get("service", {})
    return service


def _host(text: str) -> str:
    allowed_hosts([text])
    return text


_HOST: Final = written("host, pattern or network", _host)

SERVICE: Final = Branch(
    "scheduler:schedulerservice",
    "service",
    _service,
    (
        Leaf(
            "scheduler:name",
            "name",
            TEXT,
            "Name of the scheduler; the nodes of one config share it.",
            _DEFAULTS.name,
        ),
        _setting(
            "scheduler:maxthreadcount",
            "max_threads",
            "Threads that run jobs; as many processes, and threads that deliver events.",
            unit="number",
            aliases=("scheduler:maxthreacount",),
        ),
        _setting(
            "scheduler:queuecapacity",
            "queue_capacity",
            "Bound of the node's execution queue, and of what it has in hand.",
            unit="number",
        ),
        _setting(
            "scheduler:idlewaittimeinmillis",
            "poll_interval_ms",
            "How often the timer looks for due triggers.",
        ),
        _setting(
            "scheduler:lookaheadinmillis",
            "look_ahead_ms",
            "How far ahead of its instant a trigger is claimed; above the poll interval, and twice "
            "as long when that is raised and this not given.",
        ),
        _setting(
            "scheduler:sessiontimeoutinmillis",
            "session_timeout_ms",
            "A node whose beat stands still for so long is gone.",
        ),
        _setting(
            "scheduler:misfirethresholdinmillis",
            "misfire_threshold_ms",
            "An instant later than this meets its trigger's misfire policy.",
        ),
        _setting(
            "scheduler:dispatchtimeoutinmillis",
            "dispatch_timeout_ms",
            "A firing that no node takes for so long is marked REJECTED, and offered again.",
        ),
        _setting(
            "scheduler:graceperiodinmillis",
            "grace_period_ms",
            "How long a stopping node lets running jobs finish.",
        ),
        _setting(
            "scheduler:taskservercount",
            "server_count",
            "No node's timer starts until so many nodes live at the same time (`task.server.count`).",
            unit="number",
        ),
        _setting(
            "scheduler:timerdelayinmillis",
            "timer_delay_ms",
            "The timer starts so long after the node is active, or later by the count above.",
        ),
        _setting(
            "scheduler:shelldelayinmillis",
            "shell_delay_ms",
            "The execution shell starts so long after the node is active.",
        ),
        Leaf(
            "scheduler:dispatcherpolicy",
            "dispatcher_policy",
            POLICY,
            "On which nodes the jobs run that have no policy of their own.",
            dispatch_forms.written(_DEFAULTS.dispatcher_policy),
        ),
        Leaf(
            "scheduler:attribute",
            "attributes",
            ATTRIBUTE,
            "An attribute of this node, by the attribute `name`, for policies that match it; may "
            "stand several times.",
            "none",
            many=True,
        ),
        Leaf(
            "scheduler:singleServerMode",
            "single_server_mode",
            SWITCH,
            "This node is the only one, and waits for no other.",
            "false",
        ),
        Leaf(
            "scheduler:allowedjobs",
            "allowed_jobs",
            TEXT,
            "Pattern that a job's target must match, such as `shop.tasks:*`; may stand several "
            "times. Without one no job is allowed.",
            "none",
            many=True,
        ),
        Leaf(
            "scheduler:allowedhosts",
            "allowed_hosts",
            _HOST,
            "To which HTTP tasks may go, such as `*.example.com` or "
            "`10.1.0.0/16`; may stand several times. Private, loopback and link-local addresses "
            "only where they are named.",
            "`*`",
            many=True,
        ),
        Leaf(
            "scheduler:allowedsecrets",
            "allowed_secrets",
            TEXT,
            "Pattern of environment variables that HTTP tasks may name, such as `SHOP_*`; may "
            "stand several times. Without one no variable is given.",
            "none",
            many=True,
        ),
        _setting(
            "scheduler:httpmaxbody",
            "http_max_body",
            "Longest answer to an HTTP task that is taken.",
            unit="bytes",
        ),
        SMTP,
        Unused("scheduler:minthreadcount", "threads are started as they are needed"),
        Unused("scheduler:keepAliveTime", "idle threads are kept"),
    ),
    "What this node is.",
)

SERVICE_CONFIG: Final = Branch(
    "scheduler:service-config",
    "service",
    _only_service,
    (SERVICE,),
    "Holds the service.",
)
