"""`explain`: why it fired, did not, or was late."""

from __future__ import annotations

from typing import Any, Final

import click

from gridsched.cli import words
from gridsched.cli.options import instant, read_moment
from gridsched.cli.output import Output, output_options, print_json
from gridsched.cli.remote import remote
from gridsched.client.blocking import Scheduler
from gridsched.errors import InvalidKey
from gridsched.policy.explanation import Moment, Part, Sentence, Span

_GAP: Final = "  "
_TO_THE_MS: Final = 10_000
"""Longer spans (ms) are told in seconds."""


@click.command()
@click.argument("key")
@output_options
@remote
def explain(scheduler: Scheduler, *, key: str, output: Output) -> None:
    """Tell in words why the trigger or firing of KEY fired, did not, or was late.

    KEY is a trigger's key; with @ and an instant, that of a firing: epoch ms, or ISO 8601 as local
    time of --zone. An instant that nothing is recorded of is explained too.
    """
    found = scheduler.explain(_in_epoch(key, output))
    if output.json:
        print_json([_plain(sentence, output) for sentence in found])
    else:
        _print(found, output)


def _in_epoch(key: str, output: Output) -> str:
    """The key with its instant in epoch ms, however that was written."""
    trigger, at, written = key.partition("@")
    if not at or written.isdecimal():
        return key
    try:
        moment = read_moment(written)
    except ValueError as error:
        raise InvalidKey(f"{key!r}: its instant is epoch ms, or ISO 8601: {error}") from None
    return f"{trigger}@{instant(moment, output.zone)}"


def _print(sentences: tuple[Sentence, ...], output: Output) -> None:
    stamps = [output.moment(sentence.at) for sentence in sentences]
    width = max(map(len, stamps), default=0)
    for stamp, sentence in zip(stamps, sentences, strict=True):
        click.echo(words.printable(f"{stamp:<{width}}{_GAP}{_text(sentence, output)}").rstrip())


def _plain(sentence: Sentence, output: Output) -> dict[str, Any]:
    return {"at": sentence.at, "text": _text(sentence, output)}


def _text(sentence: Sentence, output: Output) -> str:
    return "".join(_part(part, output) for part in sentence.parts)


def _part(part: Part, output: Output) -> str:
    match part:
        case str():
            return part
        case Moment(at):
            return output.moment(at)
        case Span(ms):
            return words.duration(ms if ms < _TO_THE_MS else round(ms, -3))
        case schedule:
            return words.schedule(schedule, output.zone)
