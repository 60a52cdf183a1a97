"""Somebody who reads `events.v1`, and nothing else, and would know which reporter sent which report.

A trick gives each reporter's stream a number for a report: the stream with the highest is the guess. Tricks use order,
time, ids, sizes and every attribute that stands in clear, whatever it is called; none knows what an event should look
like, so a new attribute that tells is found by those that compare them all.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import cached_property
from typing import Any
from uuid import UUID

Wire = Mapping[str, Any]
Trick = Callable[["Log", Wire, str], float]


@dataclass(frozen=True)
class Log:
    """The records of a topic, in order."""

    records: Sequence[bytes]
    zone: tzinfo

    @cached_property
    def events(self) -> list[Wire]:
        return [json.loads(record) for record in self.records]

    @cached_property
    def reports(self) -> list[Wire]:
        return [event for event in self.events if event["type"] == "report.received"]

    @cached_property
    def streams(self) -> dict[str, list[Wire]]:
        """What is on the log of each reporter."""
        found: dict[str, list[Wire]] = defaultdict(list)
        for event in self.events:
            if event["subject"].startswith("reporter/"):
                found[event["subject"]].append(event)
        return found

    @cached_property
    def signs(self) -> dict[str, list[Wire]]:
        return {
            stream: [event for event in events if event["type"] == "reporter.checked_in"]
            for stream, events in self.streams.items()
        }

    @cached_property
    def of_the_day(self) -> dict[str, list[Wire]]:
        """The signs of each day that they are of, in the order of the log."""
        found: dict[str, list[Wire]] = defaultdict(list)
        for event in self.events:
            if event["type"] == "reporter.checked_in":
                found[event["data"]["on"]].append(event)
        return found

    @cached_property
    def moments(self) -> dict[str, datetime]:
        """When each event was recorded, by the local clock."""
        return {event["sequence"]: datetime.fromisoformat(event["time"]).astimezone(self.zone) for event in self.events}

    @cached_property
    def by_day(self) -> dict[tuple[str, str], Wire]:
        return {(sign["subject"], on): sign for on, signs in self.of_the_day.items() for sign in signs}

    @cached_property
    def values(self) -> dict[str, set[str]]:
        """All that stands in each reporter's stream."""
        return {stream: set(_values(events)) for stream, events in self.streams.items()}

    @cached_property
    def said(self) -> dict[str, Counter[str]]:
        """How many signs of each day have each short word."""
        return {on: Counter(word for sign in signs for word in _words(sign)) for on, signs in self.of_the_day.items()}

    @cached_property
    def bearers(self) -> Counter[str]:
        """In how many reporters' streams each value stands."""
        return Counter(value for values in self.values.values() for value in values)

    def day(self, event: Wire) -> str:
        return str(self.moment(event).date())

    def moment(self, event: Wire) -> datetime:
        return self.moments[event["sequence"]]

    def sign_of(self, stream: str, day: str) -> Wire | None:
        return self.by_day.get((stream, day))


def _values(what: Any) -> Iterator[str]:
    """Every value in clear or not, by itself: the name that it stands under tells nothing more."""
    if isinstance(what, Mapping):
        for part in what.values():
            yield from _values(part)
    elif isinstance(what, list):
        for part in what:
            yield from _values(part)
    else:
        yield repr(what)


SHORT = 12
"""What is shorter than this is a word or a number, what is longer an id or a ciphertext."""


def _words(event: Wire) -> set[str]:
    return {value for value in _values(event["data"]) if len(value) <= SHORT} | {""}


def _nearest(log: Log, report: Wire, signs: Iterable[Wire], distance: Callable[[Wire], float]) -> float:
    return -min((distance(sign) for sign in signs), default=float("inf"))


def nearest_place(log: Log, report: Wire, stream: str) -> float:
    """Whose sign stands next to it."""
    return _nearest(log, report, log.signs[stream], lambda sign: abs(int(sign["sequence"]) - int(report["sequence"])))


def next_place(log: Log, report: Wire, stream: str) -> float:
    """Whose sign is the next after it."""
    at = int(report["sequence"])
    return _nearest(
        log,
        report,
        (one for one in log.signs[stream] if int(one["sequence"]) > at),
        lambda one: int(one["sequence"]) - at,
    )


def nearest_time(log: Log, report: Wire, stream: str) -> float:
    """Whose sign was recorded at nearly the same time."""
    at = log.moment(report)
    return _nearest(log, report, log.signs[stream], lambda sign: abs((log.moment(sign) - at).total_seconds()))


def nearest_any(log: Log, report: Wire, stream: str) -> float:
    """Whose stream has anything at nearly the same time, also an enrolment."""
    at = log.moment(report)
    return _nearest(log, report, log.streams[stream], lambda one: abs((log.moment(one) - at).total_seconds()))


def gave_one(log: Log, report: Wire, stream: str) -> float:
    """Who gave a sign on its day."""
    return float(log.sign_of(stream, log.day(report)) is not None)


def gave_none(log: Log, report: Wire, stream: str) -> float:
    """Who gave none on its day."""
    return -gave_one(log, report, stream)


def something_else(log: Log, report: Wire, stream: str) -> float:
    """Whose sign of its day says what fewer others say that day, in any short word."""
    mine = log.sign_of(stream, log.day(report))
    return 0.0 if mine is None else max(1 / log.said[log.day(report)][word] for word in _words(mine))


def had_to_report(log: Log, report: Wire, stream: str) -> float:
    """Whose sign of its day has a word `false`: who had nothing to report did not send it."""
    mine = log.sign_of(stream, log.day(report))
    return (
        0.0 if mine is None else 1.0 if "False" in set(_values(mine)) else -1.0 if "True" in set(_values(mine)) else 0.0
    )


def same_values(log: Log, report: Wire, stream: str) -> float:
    """In whose stream the values of the report stand, the rarer the more."""
    return sum(1 / log.bearers[value] for value in set(_values(report)) & log.values[stream])


def same_values_that_day(log: Log, report: Wire, stream: str) -> float:
    """The same of the sign of its day alone."""
    mine = log.sign_of(stream, log.day(report))
    return 0.0 if mine is None else float(len(set(_values(report)) & set(_values(mine))))


def rank_of_the_day(log: Log, report: Wire, stream: str) -> float:
    """Whose sign has the place among the day's that the report's hour has in the day."""
    day, at = log.of_the_day[log.day(report)], log.moment(report)
    if (mine := log.sign_of(stream, log.day(report))) is None:
        return -float("inf")
    return -abs((at.hour * 60 + at.minute) / 1440 * (len(day) - 1) - day.index(mine))


def rank_from_behind(log: Log, report: Wire, stream: str) -> float:
    """The same in the other order."""
    day, at = log.of_the_day[log.day(report)], log.moment(report)
    if (mine := log.sign_of(stream, log.day(report))) is None:
        return -float("inf")
    return -abs((1 - (at.hour * 60 + at.minute) / 1440) * (len(day) - 1) - day.index(mine))


def longest(log: Log, report: Wire, stream: str) -> float:
    """Whose sign of its day has more bytes."""
    mine = log.sign_of(stream, log.day(report))
    return 0.0 if mine is None else float(len(json.dumps(mine)))


def shortest(log: Log, report: Wire, stream: str) -> float:
    mine = log.sign_of(stream, log.day(report))
    return -float("inf") if mine is None else -float(len(json.dumps(mine)))


def _late_signs(log: Log, report: Wire, stream: str) -> list[Wire]:
    """Those that came onto the log later than on the morning after their day, after a report that came late itself."""
    received = datetime.fromisoformat(report["data"]["received_at"]).astimezone(log.zone).date()
    if received == log.moment(report).date():
        return []
    return [
        sign
        for sign in log.signs[stream]
        if (log.moment(sign).date() - date.fromisoformat(sign["data"]["on"])).days > 1
        and log.moment(sign) > log.moment(report)
    ]


def late_of_its_day(log: Log, report: Wire, stream: str) -> float:
    """Who gave a late sign of the day on which a late report had reached the door: one letter brought both."""
    day = datetime.fromisoformat(report["data"]["received_at"]).astimezone(log.zone).date()
    return float(any(sign["data"]["on"] == str(day) for sign in _late_signs(log, report, stream)))


def late_the_next_morning(log: Log, report: Wire, stream: str) -> float:
    """Whose late sign is the first that came onto the log after a late report."""
    at = log.moment(report)
    return _nearest(log, report, _late_signs(log, report, stream), lambda one: (log.moment(one) - at).total_seconds())


def late_of_its_time(log: Log, report: Wire, stream: str) -> float:
    """Who gave a late sign of nearly that day, which came onto the log next."""
    day = datetime.fromisoformat(report["data"]["received_at"]).astimezone(log.zone).date()
    return _nearest(
        log,
        report,
        _late_signs(log, report, stream),
        lambda one: (
            (log.moment(one) - log.moment(report)).days + abs((date.fromisoformat(one["data"]["on"]) - day).days)
        ),
    )


def near_id(attribute: str) -> Trick:
    """Whose ids are nearest to the report's own, as those made of a clock or a counter would be."""

    def trick(log: Log, report: Wire, stream: str) -> float:
        mine = sorted(UUID(one[attribute]).int for one in log.signs[stream] if attribute in one)
        wanted = UUID(report[attribute]).int if attribute in report else 0
        place = bisect_left(mine, wanted)
        return -float(min((abs(one - wanted) for one in mine[max(0, place - 1) : place + 1]), default=2**128))

    trick.__name__ = f"near_{attribute}"
    return trick


TRICKS: tuple[Trick, ...] = (
    nearest_place,
    next_place,
    nearest_time,
    nearest_any,
    gave_one,
    gave_none,
    something_else,
    had_to_report,
    same_values,
    same_values_that_day,
    rank_of_the_day,
    rank_from_behind,
    longest,
    shortest,
    late_of_its_day,
    late_the_next_morning,
    late_of_its_time,
    near_id("id"),
    near_id("commandid"),
    near_id("correlationid"),
    near_id("actorref"),
)


def guessed_right(log: Log, truth: Mapping[str, str], trick: Trick) -> float:
    """How many reports a trick gives to their reporter; among equal streams it would draw, so each counts in part.

    `truth` is the stream of each report's reporter, by the report's.
    """
    right = 0.0
    for report in log.reports:
        scores = {stream: trick(log, report, stream) for stream in log.streams}
        best = max(scores.values())
        drawn = [stream for stream, score in scores.items() if score == best]
        right += (truth[report["subject"]] in drawn) / len(drawn)
    return right
