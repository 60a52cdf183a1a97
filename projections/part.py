"""One projection over one partition, in memory: loads nothing and commits nothing, it only folds.

Who runs it gives it the states it `wants`, folds a batch, and commits the page. Where that fails, the part is thrown
away and made anew from the rows. A key that cannot be folded is named by `Poisoned`; the batch is then folded again by
a new part in which that key is parked from that position on.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from events.reference import EngineAdopted, RulesAdopted
from events.vocabulary import EVERY_HOME
from projections.projection import NEVER, Fold, Page
from projections.taken import DERIVED, Taken

S = TypeVar("S")
H = TypeVar("H")

COUNTED = "actual"
"""The mode that projections count; an exercise has its own."""

CALLS = (EngineAdopted.name, RulesAdopted.name)
"""Broadcasts that keys with a due heed also where a fold is not whole."""


class Poisoned(Exception):
    """One key's state cannot take an event: park the key from this position on.

    Where it is not `exact`, it could not be drawn after several events of which `position` is the first: which of them
    it cannot take is found by folding them one by one.
    """

    def __init__(self, key: str, position: int, why: str, exact: bool = True) -> None:
        self.key, self.position, self.why, self.exact = key, position, why, exact
        super().__init__(f"{key} cannot take position {position}: {why}")


class Unfoldable(Exception):
    """A broadcast of ours cannot be folded: nothing after it would be right, so the worker stops."""


class Part(Generic[S, H]):
    """The states of the keys in memory, what broadcasts told, and what is due when.

    `parked` are keys that take nothing; `waived` says which positions a key passes over, `passed` which it has passed
    over in the last batch. `mode` is what is counted.
    """

    def __init__(
        self,
        fold: Fold[S, H],
        shared: Any | None = None,
        states: Mapping[str, S] | None = None,
        dues: Iterable[tuple[str, str]] = (),
        parked: Iterable[str] = (),
        waived: Iterable[tuple[str, int]] = (),
        mode: str = COUNTED,
    ) -> None:
        self.fold = fold
        self.shared = fold.shared(shared)
        self.states: dict[str, S] = dict(states or {})
        self.parked = set(parked)
        self.waived = set(waived)
        self.passed: list[tuple[str, int]] = []
        self.mode = mode
        self.shared_changed = False
        # What is due when, and the same as a heap, in which what a key has no more stays until it is met.
        self._due = {key: due for due, key in dues if key not in self.parked}
        self._heap: list[tuple[str, str]] = []
        self._pile()
        self._dirty: dict[str, int] = {}  # with the position at which each was first touched

    # --- before a batch -------------------------------------------------------------------------------------------

    def wants(self, events: Sequence[Taken]) -> set[str]:
        """Keys whose states this batch needs and that are not in memory; a stream that begins in it has none yet."""
        if self.fold.whole or self.fold.stateless:
            return set()
        key_of, mode, missing, begun = self.fold.key, self.mode, set(), set()
        until, called = "", False
        for event in events:
            if event.home == EVERY_HOME:
                until = max(until, event.time)
                called = called or event.type in CALLS
            elif event.mode == mode and event.type not in DERIVED:
                key = key_of(event)
                if key is None or key in self.states:
                    continue
                if _begins(key, event) and (key, event.position) not in self.waived:
                    begun.add(key)
                else:
                    missing.add(key)
        if until:
            missing.update(key for key, due in self._due.items() if (called or due <= until) and key not in self.states)
        return missing - begun - self.parked

    def hold(self, wanted: Iterable[str], loaded: Mapping[str, S]) -> None:
        """Take the states that were asked for; a key that was not found begins anew."""
        for key in wanted:
            self.states[key] = loaded[key] if key in loaded else self.fold.initial(key)

    def let_go(self, keys: Iterable[str]) -> None:
        """Forget states whose rows are committed."""
        for key in keys:
            if key not in self._dirty:
                self.states.pop(key, None)

    def set_aside(self, key: str) -> None:
        """Park a key that this part has folded nothing of since its rows were read."""
        self.parked.add(key)
        self.states.pop(key, None)
        self._due.pop(key, None)

    def take_back(self, key: str, other: Part[S, H]) -> None:
        """A parked key goes on, with the state that it has come to in a part of its own."""
        self.parked.discard(key)
        if (state := other.states.get(key)) is not None and not self.fold.stateless:
            self.states[key] = state
            self._falls_due(key, self.fold.due(state))

    # --- a batch --------------------------------------------------------------------------------------------------

    def take(self, events: Iterable[Taken]) -> tuple[Page, tuple[str, ...]]:
        """Fold events in order; returns what to write, and the keys that changed.

        Raises Poisoned or Unfoldable; the part is of no use afterwards.
        """
        page = Page()
        self.shared_changed = False
        self.passed = []
        fold, mode = self.fold, self.mode
        key_of, apply, due_of = fold.key, fold.apply, fold.due
        stateless, waived = fold.stateless, self.waived
        for event in events:
            if event.mode != mode or event.type in DERIVED:
                continue
            if event.home == EVERY_HOME:
                self._broadcast(event, page)
                continue
            key = key_of(event)
            if key is None or key in self.parked:
                continue
            if waived and (key, event.position) in waived:
                self.passed.append((key, event.position))
                continue
            try:
                if event.fault is not None:
                    raise ValueError(event.fault)
                if stateless:
                    apply(self.shared, None, event, page)  # type: ignore[arg-type]
                    continue
                state = self._state(key, event)
                due = due_of(state)
                if due is not None and due <= event.time:
                    fold.roll(self.shared, state, event.time, page)
                apply(self.shared, state, event, page)
                self._dirty.setdefault(key, event.position)
                after = due_of(state)
                if after != due:
                    self._falls_due(key, after)
            except Exception as error:
                raise Poisoned(key, event.position, _why(error)) from error
        for key, first in self._dirty.items():
            try:
                fold.draw(self.states[key], page)
            except Exception as error:
                raise Poisoned(key, first, _why(error), exact=False) from error
        changed = tuple(self._dirty)
        self._dirty = {}
        return page, changed

    def _state(self, key: str, event: Taken) -> S:
        state = self.states.get(key)
        if state is None:
            if not self.fold.whole and not _begins(key, event):
                raise KeyError(f"the state of {key} was not loaded")
            state = self.states[key] = self.fold.initial(key)
        return state

    def _broadcast(self, event: Taken, page: Page) -> None:
        if event.fault is not None:
            raise Unfoldable(f"position {event.position}, a {event.type} to every partition: {event.fault}")
        self.roll(event, page)
        try:
            heeded = self.fold.broadcast(self.shared, event)
        except Exception as error:
            raise Unfoldable(f"position {event.position}, a {event.type} to every partition: {_why(error)}") from error
        if not heeded:
            return
        self.shared_changed = True
        keys: Iterable[str] = ()
        if self.fold.whole:
            keys = self.states
        elif event.type in CALLS:
            keys = self._due  # `wants` asked for them
        already = len(page.derived)
        for key in sorted(keys):
            if (key, event.position) in self.waived:
                self.passed.append((key, event.position))
            elif key not in self.parked:
                self._touch(key, event, page, self.fold.heed)
        page.derived[already:] = sorted(page.derived[already:], key=lambda one: one.order)

    def roll(self, event: Taken, page: Page) -> None:
        """Fire what is due at or before a broadcast, for every key."""
        already = len(page.derived)
        passed_over = []
        while self._heap and self._heap[0][0] <= event.time:
            due, key = heapq.heappop(self._heap)
            if self._due.get(key) != due:
                continue
            if (key, event.position) in self.waived:
                self.passed.append((key, event.position))
                passed_over.append((due, key))
                continue
            state = self.states[key]  # `wants` asked for it
            try:
                self.fold.roll(self.shared, state, event.time, page)
                after = self.fold.due(state)
                if after is not None and after <= event.time:
                    raise ValueError(f"something due at {after} was not fired at {event.time}")
            except Exception as error:
                raise Poisoned(key, event.position, _why(error)) from error
            self._dirty.setdefault(key, event.position)
            self._falls_due(key, after)
        for one in passed_over:
            heapq.heappush(self._heap, one)
        page.derived[already:] = sorted(page.derived[already:], key=lambda one: one.order)

    def _touch(self, key: str, event: Taken, page: Page, change: Any) -> None:
        state = self.states[key]
        before = self.fold.due(state)
        try:
            change(self.shared, state, event, page)
        except Exception as error:
            raise Poisoned(key, event.position, _why(error)) from error
        self._dirty.setdefault(key, event.position)
        after = self.fold.due(state)
        if after != before:
            self._falls_due(key, after)

    def _falls_due(self, key: str, due: str | None) -> None:
        if due is None:
            self._due.pop(key, None)
            return
        self._due[key] = due
        if due != NEVER:
            heapq.heappush(self._heap, (due, key))
            if len(self._heap) > 2 * len(self._due) + 1_000:
                self._pile()

    def _pile(self) -> None:
        self._heap = [(due, key) for key, due in self._due.items() if due != NEVER]
        heapq.heapify(self._heap)

    @property
    def next_due(self) -> str | None:
        """The earliest moment at which something falls due in this partition."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None


def _begins(key: str, event: Taken) -> bool:
    """Whether this is the first event of the stream whose state it is."""
    return event.version == 1 and key == event.stream


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]
