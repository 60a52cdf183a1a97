"""That somebody asked for the end, said in a way that a signal's handler may say it."""

from __future__ import annotations

from queue import Empty, SimpleQueue


class Stopping:
    """Whether the end was asked for; once it was, it stays so.

    Not a threading.Event: a handler runs between any two steps of the main thread, also while that holds the lock of
    the event that it is about to wait for, and would then wait in `set` for itself, for ever. What a SimpleQueue is
    given may come from there (https://docs.python.org/3/library/queue.html#queue.SimpleQueue.put).
    """

    def __init__(self) -> None:
        self._asked: SimpleQueue[None] = SimpleQueue()

    def ask(self) -> None:
        """Ask for the end."""
        self._asked.put(None)

    def is_asked(self) -> bool:
        """Whether anybody has asked."""
        return not self._asked.empty()

    def wait(self, seconds: float) -> bool:
        """Wait until somebody asks, at most so long; returns whether anybody has."""
        try:
            self._asked.get(timeout=seconds)
        except Empty:
            return False
        self.ask()
        return True
