"""A trace: what an event rested on, what rested on it, and what it led to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from events.vocabulary import EVERY_HOME
from services.trace.events import ALERT, BY_NO_ACT, ESCALATED, LEVEL, OVERDUE, Told
from services.trace.reading import MOST_EVENTS, Reader, TooMuch, spelt
from services.trace.support import JUDGED, NOTHING, follow
from services.trace.taken_back import taken_back
from services.trace.told_for import alerts_in, told_for

ACKNOWLEDGED = "alert.acknowledged"
TRACED = frozenset({"report", "case", "level", "alert", "reference"})
"""Categories of streams whose events are followed; who watches, and who opened what was sealed, is not."""

GROUPS: Mapping[str, str] = {
    **dict.fromkeys((*sorted(JUDGED), "case.classified", "case.harm_recorded"), "judgements"),
    **dict.fromkeys(
        ("case.decided", "case.action_recorded", "case.resolved", "case.closed", "case.reopened", ACKNOWLEDGED),
        "decisions",
    ),
    "case.referred": "referrals",
    OVERDUE: "overdue",
    ESCALATED: "overdue",
    LEVEL: "level_changes",
    ALERT: "alerts",
}
"""Type → in which list of an answer it stands; steps of a referral are with the referrals."""

LISTS = ("judgements", "decisions", "referrals", "overdue", "level_changes", "alerts")
STEP = "case.referral_"
LONGEST_POSITION = 18


@dataclass(frozen=True, slots=True)
class Resting:
    """An event, and through what it is in the answer: cases by their streams, other events by their ids."""

    told: Told
    through: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return str(self.told.row.event_id)


@dataclass(frozen=True, slots=True)
class Lists:
    """What rests on something, by what it is; `messages` are those by which subscribers were told of the alerts."""

    events: Mapping[str, Sequence[Resting]]
    messages: Sequence[asyncpg.Record]


@dataclass(frozen=True, slots=True)
class Trace:
    """`takes_back` is what the event takes back: where there is such, `resting` rested on that.

    `units` are those of the cases and reports in it, by their streams; `up_to` is the position up to which it speaks.
    """

    event: Told
    takes_back: Told | None
    rests_on: Sequence[Resting]
    resting: Lists
    led_to: Lists
    together: Sequence[Told]
    units: Mapping[str, str]
    up_to: int


def event_named(words: str) -> UUID | int | None:
    """An event's id, or its position on the ledger; None for what is neither."""
    if words.isascii() and words.isdigit() and len(words) <= LONGEST_POSITION:
        return int(words)
    try:
        return UUID(words)
    except ValueError:
        return None


class Untraced(Exception):
    """There is no such event, or none that is traced."""


class Tracing:
    """One question, answered from what one transaction sees."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._streams: dict[str, list[Told]] = {}
        self._rests: Mapping[str, tuple[Told, frozenset[str]]] = {}

    async def trace(self, which: UUID | int) -> Trace:
        """Trace an event, by its id or its position.

        Raises Untraced; TooMuch where one answer could not hold it.
        """
        event = await self._reader.event(which)
        if event is None or event.row.position > self._reader.up_to or _category(event) not in TRACED:
            raise Untraced
        await self._read_around(event)
        self._rests = follow(self._everything(), await self._shared())
        takes_back = taken_back(event, self._streams[event.row.stream])
        resting, led_to = self._resting(takes_back or event), self._led_to(event)
        return Trace(
            event,
            takes_back,
            await self._rests_on(event),
            await self._lists(resting, takes_back or event),
            await self._lists(led_to),
            [
                one
                for one in await self._reader.together_with(event.row.command_id)
                if one.row.event_id != event.row.event_id
            ],
            self._units(),
            self._reader.up_to,
        )

    # --- what is read -------------------------------------------------------------------------------------------------

    async def _load(self, names: Iterable[str]) -> None:
        """Read streams that were not read yet."""
        wanted = {name for name in names if name not in self._streams}
        self._streams.update({name: [] for name in wanted})
        for told in await self._reader.streams(wanted):
            self._streams[told.row.stream].append(told)
        if sum(map(len, self._streams.values())) > MOST_EVENTS:
            raise TooMuch

    def _everything(self) -> Iterable[Told]:
        return (one for stream in self._streams.values() for one in stream)

    def _read_of(self, category: str) -> set[str]:
        return {name for name in self._streams if name.startswith(f"{category}/")}

    async def _read_around(self, event: Told) -> None:
        category, unit = _category(event), event.record_id
        await self._load([event.row.stream])
        if category in ("level", "alert"):
            await self._load([f"level/{unit}", f"alert/{unit}"])
        if category == "report":
            await self._read_reports_life()
        named = (event, *self._for(event)) if category in ("level", "alert") else ()
        await self._load(f"case/{case_id}" for one in named for case_id in one.cases)
        await self._read_ties(with_reports=category != "report")
        homes = {one.row.home for one in self._everything()}
        words = {name.removeprefix("case/") for name in self._read_of("case")}
        if category not in ("level", "alert"):
            words.add(spelt(event.row.recorded_at))
        levels = await self._reader.levels_naming(homes, words) if words else []
        await self._load([*levels, *(name.replace("level/", "alert/", 1) for name in levels)])

    async def _read_reports_life(self) -> None:
        """A report with what it was received as later, and the cases that any of it was ever linked to."""
        known: set[str] = set()
        while (reports := self._read_of("report")) != known:
            known = reports
            await self._load(await self._reader.tied_to(reports))

    async def _read_ties(self, *, with_reports: bool) -> None:
        """The cases that these were merged with, and their reports."""
        known: set[str] = set()
        while self._streams.keys() != known:
            known = set(self._streams)
            ties = {name for one in self._everything() for name in _ties(one)}
            await self._load(name for name in ties if with_reports or name.startswith("case/"))

    async def _shared(self) -> set[datetime]:
        """Moments at which both a level changed and several commands of its home were recorded."""
        facts = {one.row.recorded_at for one in self._everything() if _category(one) in ("case", "report")}
        changed = {
            (one.moment, one.row.home)
            for one in self._everything()
            if one.row.type == LEVEL and one.order[1] > 0 and one.moment in facts
        }
        at = {moment: await self._reader.at(moment, home) for moment, home in sorted(changed)}
        return {moment for moment, events in at.items() if len({one.row.command_id for one in events}) > 1}

    def _units(self) -> Mapping[str, str]:
        placed = {}
        for one in self._everything():
            if isinstance(place := one.data.get("place"), dict):
                placed[one.row.stream] = str(place["unit"])
        return placed

    # --- what follows from what ---------------------------------------------------------------------------------------

    def _for(self, event: Told) -> tuple[Told, ...]:
        """For what strangers were told this, if it is an alert."""
        unit = event.record_id
        streams = self._streams.get(f"alert/{unit}", ()), self._streams.get(f"level/{unit}", ())
        return told_for(event, *streams) if event.row.type == ALERT else ()

    def _on(self, told: Told) -> frozenset[str]:
        return self._rests.get(str(told.row.event_id), (told, NOTHING))[1]

    def _resting(self, event: Told) -> list[Resting]:
        """Events that rested on this one."""
        token, own = event.token, str(event.row.event_id)
        found = {
            key: Resting(told, self._through(told, token))
            for key, (told, on) in self._rests.items()
            if token in on and told.moment >= event.moment
        }
        for one in self._everything():
            if own in _named_alerts(one) or one.causation == event.row.event_id:
                found.setdefault(str(one.row.event_id), Resting(one, (own,)))
        found.pop(own, None)
        return list(found.values())

    def _through(self, told: Told, token: str) -> tuple[str, ...]:
        """Through which of the cases that it names a derived event rests on this; else its own case."""
        if not told.cases:
            return (told.row.stream,) if _category(told) == "case" else ()
        named = [f"case/{case_id}" for case_id in told.cases if self._streams.get(f"case/{case_id}")]
        stood = [
            name
            for name in named
            if any(token == str(one.row.event_id) or token in self._on(one) for one in self._streams[name])
        ]
        return tuple(stood or named)

    def _led_to(self, event: Told) -> list[Resting]:
        """Changes of levels that this event made, by its very moment."""
        if _category(event) in ("level", "alert"):
            return []
        return [
            Resting(one, (str(event.row.event_id),))
            for one in self._everything()
            if one.row.type == LEVEL
            and one.moment == event.row.recorded_at
            and one.data["cause"] not in BY_NO_ACT
            and one.row.position > event.row.position
            and event.row.home in (one.row.home, EVERY_HOME)
        ]

    async def _lists(self, found: Sequence[Resting], event: Told | None = None) -> Lists:
        """What was found with the alerts that were told for it, and their messages; also those of the event itself."""
        keys = {one.key for one in found} | ({str(event.row.event_id)} if event else set())
        alerts = {one.key: one for one in found if one.told.row.type == ALERT}
        for alert in (one for name in self._read_of("alert") for one in alerts_in(self._streams[name])):
            if through := tuple(str(one.row.event_id) for one in self._for(alert) if str(one.row.event_id) in keys):
                alerts[str(alert.row.event_id)] = Resting(alert, through)
        events: dict[str, list[Resting]] = {name: [] for name in LISTS}
        for one in (*(one for one in found if one.told.row.type != ALERT), *alerts.values()):
            type_ = one.told.row.type
            group = GROUPS.get(type_) or ("referrals" if type_.startswith(STEP) else None)
            if group is not None:
                events[group].append(one)
        for listed in events.values():
            listed.sort(key=lambda one: one.told.row.position)
        sent = {one.told.row.event_id for one in alerts.values()}
        if event is not None and event.row.type == ALERT:
            sent.add(event.row.event_id)
        return Lists(events, await self._reader.messages(sent))

    # --- what it rested on --------------------------------------------------------------------------------------------

    async def _rests_on(self, event: Told) -> list[Resting]:
        """Each with the events through which this one rests on it."""
        own, bases = str(event.row.event_id), self._for(event)
        found = {str(one.row.event_id): Resting(one, (own,)) for one in bases}
        for below in (event, *bases):
            through = (str(below.row.event_id),)
            for told in (*self._named(self._on(below)), *await self._led_by(below)):
                found.setdefault(str(told.row.event_id), Resting(told, through))
        found.pop(own, None)
        return sorted(found.values(), key=lambda one: one.told.row.position)

    def _named(self, tokens: frozenset[str]) -> Iterable[Told]:
        """The events of tokens; of a report, the message itself."""
        return (
            one
            for one in self._everything()
            if str(one.row.event_id) in tokens or (one.row.type == "report.received" and one.row.stream in tokens)
        )

    async def _led_by(self, below: Told) -> Sequence[Told]:
        """What led to an event of another stream; what changed a level, by its moment."""
        if below.causation is not None:
            cause = await self._reader.event(below.causation)
            return [cause] if cause is not None else []
        if below.row.type != LEVEL or below.data["cause"] in BY_NO_ACT:
            return []
        at = await self._reader.at(below.moment, below.row.home)
        return [one for one in at if _category(one) in ("report", "case", "reference")]


def _named_alerts(told: Told) -> tuple[str | None, ...]:
    """The alerts that an event of a unit's alerts names."""
    if told.row.type == ALERT:
        return told.data.get("updates"), told.data.get("cancels")
    return (told.data["alert_id"],) if told.row.type == ACKNOWLEDGED else ()


def _category(told: Told) -> str:
    return told.row.stream.partition("/")[0]


def _ties(told: Told) -> set[str]:
    """Streams that an event ties its own to."""
    ties = {f"case/{told.data[name]}" for name in ("into", "absorbed") if told.data.get(name)}
    if told.row.type == "case.report_linked":
        ties.add(f"report/{told.data['report_id']}")
    if carried := told.data.get("carried"):
        ties.add(f"report/{carried['supersedes']}")
    return ties
