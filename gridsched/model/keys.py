"""Written keys of jobs, triggers and firings.

    group/name                                          a job
    group/name:trigger-group/trigger-name               a trigger of it
    group/name:trigger-group/trigger-name@1790000000000 one scheduled instant of that trigger

Names hold any printable text: the separators ``/ : @`` and ``%`` itself are percent-encoded in the
written form, so a key splits in one way only. Everything on the grid uses the written form; these
functions are the only place that knows it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from gridsched.errors import InvalidKey

DEFAULT_GROUP = "DEFAULT"
"""The group of whatever names none (Quartz's word)."""

MAX_NAME = 200
"""Longest name or group, in characters."""

_ENCODE = str.maketrans({"%": "%25", "/": "%2F", ":": "%3A", "@": "%40"})
_INSTANT = re.compile(r"0|[1-9][0-9]{0,18}")
_DECODE = (("%2F", "/"), ("%3A", ":"), ("%40", "@"), ("%25", "%"))


class KeyParts(NamedTuple):
    """What a written key holds; the parts that its kind does not have are None."""

    group: str
    name: str
    trigger_group: str | None = None
    trigger_name: str | None = None
    scheduled: int | None = None


@lru_cache(maxsize=65536)
def encode_name(name: str) -> str:
    """The written form of one name; InvalidKey where it cannot be one."""
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidKey(
            f"{name!r} cannot be a name or group: it needs 1 to {MAX_NAME} printable characters"
        )
    return name.translate(_ENCODE)


def decode_name(written: str) -> str:
    """The name that `encode_name` wrote."""
    if "%" in written:
        for code, char in _DECODE:
            written = written.replace(code, char)
    return written


@lru_cache(maxsize=65536)
def job_key(group: str, name: str) -> str:
    """The written key of a job."""
    return f"{encode_name(group)}/{encode_name(name)}"


def trigger_key(job: str, group: str, name: str) -> str:
    """The written key of a trigger of the job whose written key is `job`."""
    return f"{job}:{encode_name(group)}/{encode_name(name)}"


def calendar_key(name: str) -> str:
    """What commands about a calendar are partitioned by: one node applies them in order."""
    return job_key("CALENDAR", name)


def groups_key() -> str:
    """What commands about groups are partitioned by: one node applies them in order."""
    return job_key("GROUP", "paused")


def firing_key(trigger: str, scheduled: int) -> str:
    """The written key of the instant `scheduled` (epoch ms) of the trigger."""
    return f"{trigger}@{scheduled}"


def job_of(key: str) -> str:
    """The job part of any written key: what it is partitioned by."""
    return key.partition(":")[0]


def trigger_of(key: str) -> str:
    """The trigger part of a written trigger or firing key."""
    return key.partition("@")[0]


def parse_key(written: str) -> KeyParts:
    """Split a written key of any kind; InvalidKey says what is wrong with it."""
    path, at, instant = written.partition("@")
    job, colon, trigger = path.partition(":")
    group, name = _pair(job, written)
    if not colon:
        if at:
            raise InvalidKey(f"{written!r}: an instant (@…) belongs behind a trigger")
        return KeyParts(group, name)
    trigger_group, trigger_name = _pair(trigger, written)
    if not at:
        return KeyParts(group, name, trigger_group, trigger_name)
    if not _INSTANT.fullmatch(instant):
        raise InvalidKey(f"{written!r}: {instant!r} is not an instant in epoch milliseconds")
    return KeyParts(group, name, trigger_group, trigger_name, int(instant))


def _pair(text: str, whole: str) -> tuple[str, str]:
    group, slash, name = text.partition("/")
    if not (slash and group and name) or "/" in name:
        raise InvalidKey(f"{whole!r}: {text!r} is not written group/name")
    pair = decode_name(group), decode_name(name)
    if (encode_name(pair[0]), encode_name(pair[1])) != (group, name):
        raise InvalidKey(f"{whole!r}: in {text!r} a % is written %25; the codes are in capitals")
    return pair
