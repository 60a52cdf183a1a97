"""Asking for the end, also from where a signal's handler runs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from services.local.stopping import Stopping


@contextmanager
def asked_at_every_step(stopping: Stopping) -> Iterator[None]:
    """Ask at every call and return of what runs in this thread meanwhile: a handler may run at any of them."""

    def ask(frame: FrameType, event: str, argument: Any) -> None:
        sys.setprofile(None)
        stopping.ask()
        sys.setprofile(ask)

    sys.setprofile(ask)
    try:
        yield
    finally:
        sys.setprofile(None)


def test_who_waits_can_be_interrupted_anywhere_by_somebody_who_asks() -> None:
    stopping, found = Stopping(), []

    def wait() -> None:
        with asked_at_every_step(stopping):
            found.append(stopping.wait(0.01))

    waits = threading.Thread(target=wait, daemon=True)
    waits.start()
    waits.join(30)
    assert found == [True], "it waits for itself"


def test_once_asked_it_stays_asked() -> None:
    stopping = Stopping()
    assert (stopping.is_asked(), stopping.wait(0)) == (False, False)
    stopping.ask()
    assert [stopping.wait(0) for _ in range(3)] == [True] * 3
    assert stopping.is_asked()
