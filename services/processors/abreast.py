"""Shares of a work, each in a process of its own: the first that fails says why, and takes the others with it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Mapping
from multiprocessing.connection import Connection, wait
from typing import TypeVar, cast

from kafka.errors import KafkaError

from services.database.lost import LOST
from services.local_problem import LocalProblem
from services.processors.errors import Again, Halt, named

TOLD = (Again, LocalProblem, KafkaError, *LOST)
"""What one sentence tells; of anything else the process shows its traceback."""

LOOK_SECONDS = 0.5

S = TypeVar("S")


async def abreast(work: Callable[[S], None], shares: Mapping[str, S], look: Callable[[], Awaitable[None]]) -> None:
    """Do shares, which go by what each is called in a sentence; `look` is awaited now and then while they are done.

    Raises Halt as soon as one fails or is ended. No process runs on afterwards, whatever happens.
    """
    children: list[_Child] = []
    try:
        for name, share in shares.items():
            children.append(_Child(name, work, share))
        running = {child.sentinel: child for child in children}
        while running:
            ended = await asyncio.to_thread(lambda: wait(running, LOOK_SECONDS))
            for one in ended:
                running.pop(cast(int, one)).judge()
            await look()
    finally:
        for child in children:
            child.end()


class _Child:
    """One process, and the pipe through which it says what is wrong."""

    def __init__(self, name: str, work: Callable[[S], None], share: S) -> None:
        context = multiprocessing.get_context("spawn")
        self.name = name
        self._said, saying = context.Pipe(duplex=False)
        self.process = context.Process(target=_do, args=(name, work, share, saying), daemon=True)
        self.process.start()
        saying.close()

    @property
    def sentinel(self) -> int:
        """What `wait` takes for its end."""
        return self.process.sentinel

    def judge(self) -> None:
        """Raise Halt unless it came to its end."""
        self.process.join()  # the sentinel rings a moment before there is a status
        status = self.process.exitcode or 0
        if status < 0:
            raise Halt(f"the process for {self.name} was ended by {signal.Signals(-status).name} before it was through")
        if self._said.poll():
            try:
                raise Halt(self._said.recv())
            except EOFError:
                pass
        if status:
            raise Halt(f"the process for {self.name} failed with status {status}")

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.process.close()
        self._said.close()


def _do(name: str, work: Callable[[S], None], share: S, saying: Connection[str, str]) -> None:
    """In the child. A keyboard's interruption is its parent's to heed, and it does not outlive that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        work(share)
    except Halt as error:
        saying.send(str(error))
    except Exception as error:
        saying.send(f"{name}: {named(error)}")
        if not isinstance(error, TOLD):
            raise


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
