"""Judges conditions in a process of their own, which is started when the first one is judged."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any

import msgspec

from gridsched.jobs.judge import SECONDS, Answer, Question
from gridsched.model.events import Condition
from gridsched.node.shell.processes import spawn

_decode = msgspec.json.Decoder(Answer).decode


class ProcessJudge:
    """Asks one question after the other."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self.busy = False

    async def judge(self, condition: Condition, value: Any) -> Answer:
        """Whether a condition holds on a value (JSON). A process that ends over it is replaced."""
        self.busy = True
        try:
            if self._process is None:
                self._process = await spawn("gridsched.jobs.judge")
            line = await _ask(self._process, msgspec.json.encode(Question(condition, value)))
            return _decode(line) if line else Answer(error=await self._ended())
        except BaseException:
            await self.close()
            raise
        finally:
            self.busy = False

    async def _ended(self) -> str:
        """Why there is no answer."""
        assert self._process is not None
        code = await self._process.wait()
        self._process = None
        if code == -signal.SIGPROF:
            return f"judging it takes more than {SECONDS:g} s"
        return f"the process that judges it ended with exit code {code}"

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


async def _ask(process: asyncio.subprocess.Process, question: bytes) -> bytes:
    """The line that it answers; none where it ends instead."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(question + b"\n")
        await process.stdin.drain()
    return await process.stdout.readline()
