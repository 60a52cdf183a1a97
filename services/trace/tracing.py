"""A trace: what an event rested on, what rested on it, and what it led to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg

from events.alert import AlertChange
from events.level import LevelCause
from events.vocabulary import EVERY_HOME
from services.trace.corrected_later import came_with_a_sign, corrected_later
from services.trace.events import ALERT, BY_NO_ACT, ESCALATED, LEVEL, OVERDUE, RECEIVED, REFERRED, VIEWED, Told
from services.trace.origins import Origin, earlier_lives, origins
from services.trace.reading import Reader, spelt
from services.trace.sources import LEVELS, LINKS, Sources, of_messages, of_projection
from services.trace.support import CITED_AS, JUDGED, NOTHING, follow
from services.trace.told_for import alerts_in, told_for

ACKNOWLEDGED = "alert.acknowledged"
CORRECTIONS = frozenset({AlertChange.CORRECTED.value, AlertChange.CANCELLED.value})
"""Alerts that say that what was told before was not so."""

READ_BY: Mapping[str, tuple[str, ...]] = {
    LINKS: ("report", "case"),
    LEVELS: ("report", "case", "reference", "alert"),
}
"""Categories of streams from which the links of reports follow, and the levels."""

PLACED = frozenset({"report", "case"})
"""Categories of streams that lie where their first event says."""

TRACED = frozenset({"report", "case", "level", "alert", "reference", "custody"})
"""Categories of streams whose events are followed; who watches is not. Nothing rests on what was only opened."""

BEHIND_ALL = frozenset({"reference.rules_adopted", "reference.gazetteer_adopted", "reference.engine_adopted"})
NOT_LISTED = (
    "Every level that was computed while it was in force stands on it, and none is listed for that: `intabaza what-if` "
    "says what other rules would have said."
)

GROUPS: Mapping[str, str] = {
    **dict.fromkeys((*sorted(JUDGED), "case.classified", "case.harm_recorded"), "judgements"),
    **dict.fromkeys(
        ("case.decided", "case.action_recorded", "case.resolved", "case.closed", "case.reopened", ACKNOWLEDGED),
        "decisions",
    ),
    **dict.fromkeys((REFERRED, *CITED_AS), "referrals"),
    OVERDUE: "overdue",
    ESCALATED: "overdue",
    LEVEL: "level_changes",
    ALERT: "alerts",
}
"""Type → in which list of an answer it stands; steps of a referral are with the referrals, and the harm checks and
consents that they cite."""

LISTS = ("judgements", "decisions", "referrals", "overdue", "level_changes", "alerts")
STEP = "case.referral_"
LONGEST_POSITION = 18


@dataclass(frozen=True, slots=True)
class Resting:
    """An event, and through what it is in the answer: cases by their streams, other events by their ids.

    `on` are the ids of those on which it rested: of the event that is traced, or of what that one takes back.
    """

    told: Told
    through: tuple[str, ...] = ()
    on: tuple[str, ...] = ()

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
    """`resting` rested on the event, on one of those that it `takes_back`, or on what it was received as before.

    `units` are those of the cases and reports in it, by their streams; `up_to` is the position up to which it speaks.
    """

    event: Told
    takes_back: Sequence[Told]
    rests_on: Sequence[Resting]
    resting: Lists
    led_to: Lists
    sources: Sources
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
    """There is no such event, or none that is traced: then `type` is what it is."""

    def __init__(self, type_: str | None = None) -> None:
        super().__init__(type_)
        self.type = type_


class Tracing:
    """One question, answered from what one transaction sees; topics have so many partitions."""

    def __init__(self, reader: Reader, partitions: int) -> None:
        self._reader = reader
        self._partitions = partitions
        self._streams: dict[str, list[Told]] = {}
        self._shared: Set[datetime] = frozenset()
        self._rests: Mapping[str, tuple[Told, frozenset[str]]] = {}

    async def trace(self, which: UUID | int) -> Trace:
        """Trace an event, by its id or its position.

        Raises Untraced; TooMuch where one answer could not hold it.
        """
        event = await self._reader.event(which)
        if event is None or event.row.position > self._reader.up_to:
            raise Untraced
        if _category(event) not in TRACED:
            raise Untraced(event.row.type)
        await self._read_around(event)
        self._shared = await self._shared_moments()
        self._rests = follow(self._everything(), self._shared)
        itself, others = origins(event, self._streams)
        takes_back = [one.told for one in others if one.told.row.stream == event.row.stream]
        led_to = self._with_alerts([*self._led_to(event), *await self._led_to_later(event)])
        resting = self._with_alerts(self._resting([itself, *others]), [itself, *others])
        if takes_back:
            resting = self._with_what_was_corrected(resting, led_to)
        rests_on = await self._rests_on(event)
        together = [one for one in await self._reader.together_with(event.row.command_id) if not _same(one, event)]
        resting = self._with_acknowledgements(resting)
        found = [event, *takes_back, *(one.told for one in (*resting, *led_to))]
        return Trace(
            event,
            takes_back,
            rests_on,
            await self._lists(resting, [event, *takes_back]),
            await self._lists(led_to),
            await self._sources(event, [one for one in found if one.row.type == ALERT]),
            together,
            await self._units([*together, *(one.told for one in rests_on)]),
            self._reader.up_to,
        )

    # --- what is read -------------------------------------------------------------------------------------------------

    async def _load(self, names: Iterable[str]) -> None:
        """Read streams that were not read yet."""
        wanted = {name for name in names if name not in self._streams}
        self._streams.update({name: [] for name in wanted})
        for told in await self._reader.streams(wanted):
            self._streams[told.row.stream].append(told)
        self._reader.refuse_more(sum(map(len, self._streams.values())))

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
            await self._read_reports_lives()
        named = (event, *self._for(event)) if category in ("level", "alert") else ()
        await self._load(f"case/{case_id}" for one in named for case_id in one.cases)
        await self._read_ties(with_reports=category != "report")
        homes = {one.row.home for one in self._everything()}
        cases = self._read_of("case")
        since = min((self._streams[name][0].row.position for name in cases), default=event.row.position)
        words = {name.removeprefix("case/") for name in cases}
        if category not in ("level", "alert", "custody"):
            words.add(spelt(event.row.recorded_at))
        levels = await self._reader.levels_naming(homes, words, min(since, event.row.position)) if words else []
        await self._load([*levels, *(name.replace("level/", "alert/", 1) for name in levels)])

    async def _read_reports_lives(self) -> None:
        """A report with what it was received as before and later, and the cases that any of it was ever linked to."""
        known: set[str] = set()
        while (reports := self._read_of("report")) != known:
            known = reports
            earlier = [name for report in reports for one in self._streams[report] for name in earlier_lives(one)]
            await self._load([*earlier, *await self._reader.tied_to(reports)])

    async def _read_ties(self, *, with_reports: bool) -> None:
        """The cases that these were merged with, and their reports."""
        known: set[str] = set()
        while self._streams.keys() != known:
            known = set(self._streams)
            ties = {name for one in self._everything() for name in _ties(one)}
            await self._load(name for name in ties if with_reports or name.startswith("case/"))

    async def _shared_moments(self) -> Set[datetime]:
        """Moments at which both a level changed and several commands of its home were recorded."""
        facts = {one.row.recorded_at for one in self._everything() if _category(one) in ("case", "report")}
        changed = {
            (one.moment, one.row.home)
            for one in self._everything()
            if one.row.type == LEVEL and one.order[1] > 0 and one.moment in facts
        }
        commands: dict[datetime, set[UUID]] = {}
        for one in await self._reader.at(changed):
            commands.setdefault(one.row.recorded_at, set()).add(one.row.command_id)
        return {moment for moment, ids in commands.items() if len(ids) > 1}

    async def _units(self, beside: Iterable[Told]) -> Mapping[str, str]:
        """Where the reports and cases lie that were read, and those of events beside them."""
        unread = {one.row.stream for one in beside if _category(one) in PLACED} - self._streams.keys()
        placed = {}
        for one in (*self._everything(), *await self._reader.streams(unread)):
            if isinstance(place := one.data.get("place"), dict):
                placed[one.row.stream] = str(place["unit"])
        return placed

    async def _sources(self, event: Told, alerts: Iterable[Told]) -> Sources:
        """How far what was read speaks of the homes of all that was read."""
        homes = {one.row.home for one in self._everything()}
        marks = await self._reader.marks(self._partitions)
        links, levels = [
            of_projection(marks, place, homes, await self._reader.waits(marks.up_to(place, homes), categories, homes))
            for place, categories in READ_BY.items()
        ]
        if event.row.type in BEHIND_ALL:
            levels = replace(levels, because=(*levels.because, NOT_LISTED))
        untold = await self._reader.untold({one.row.event_id: one.row.position for one in alerts})
        return Sources(links, levels, of_messages(marks, *untold))

    # --- what follows from what ---------------------------------------------------------------------------------------

    def _for(self, event: Told) -> tuple[Told, ...]:
        """For what strangers were told this, if it is an alert."""
        unit = event.record_id
        streams = self._streams.get(f"alert/{unit}", ()), self._streams.get(f"level/{unit}", ())
        return told_for(event, *streams) if event.row.type == ALERT else ()

    def _on(self, told: Told) -> frozenset[str]:
        return self._rests.get(str(told.row.event_id), (told, NOTHING))[1]

    def _resting(self, began: Sequence[Origin]) -> list[Resting]:
        """Events that rested on one of these, which themselves are not among them."""
        found: dict[str, Resting] = {}
        for origin in began:
            for one in self._resting_on(origin):
                known = found.get(one.key)
                found[one.key] = one if known is None else replace(known, on=(*known.on, *one.on))
        for origin in began:
            found.pop(origin.event_id, None)
        return list(found.values())

    def _resting_on(self, origin: Origin) -> Iterable[Resting]:
        token, told, own = origin.told.token, origin.told, (origin.event_id,)
        on = [one for one, tokens in self._rests.values() if token in tokens and self._may_rest(one, told)]
        if origin.until is not None:
            on = self._until(on, origin.until)
        for one in on:
            yield Resting(one, self._through(one, token), own)
        keys = {str(one.row.event_id) for one in on}
        for one in self._everything():
            named = origin.event_id in _named_alerts(one) or one.causation == told.row.event_id
            if named and str(one.row.event_id) not in keys:
                yield Resting(one, own, own)

    @staticmethod
    def _may_rest(later: Told, earlier: Told) -> bool:
        """Whether it came later, where a message is what both are about; else only what came later names an event."""
        by_its_stream = earlier.token == earlier.row.stream and earlier.row.type != RECEIVED
        return later.moment >= earlier.moment or not by_its_stream

    def _until(self, resting: Sequence[Told], event: Told) -> list[Told]:
        """Those of them that held before an event, with what came later of the referrals among them."""
        before = [one for one in resting if one.order < event.order or self._at_once(one, event)]
        referred = {one.token for one in before if one.row.type == REFERRED}
        known = {one.row.event_id for one in before}
        later = [one for one in resting if one.row.event_id not in known and referred & self._on(one)]
        return [*before, *later]

    def _at_once(self, change: Told, event: Told) -> bool:
        """Whether nobody can tell any more which of the two came first."""
        return change.row.type == LEVEL and change.moment == event.moment and event.moment in self._shared

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

    async def _led_to_later(self, event: Told) -> list[Resting]:
        """Changes of levels that were held while nobody watched, of units that were told of these cases before."""
        found = []
        for name in sorted(self._read_of("level")):
            levels = [one for one in self._streams[name] if one.row.type == LEVEL]
            before = [one for one in levels if one.row.position < event.row.position]
            cases = before[-1].cases if before else ()
            later = corrected_later(event, levels)
            if later is None or not any(f"case/{case_id}" in self._streams for case_id in cases):
                continue
            if came_with_a_sign(await self._reader.at([(later.moment, later.row.home)])):
                found.append(Resting(later, (str(event.row.event_id),)))
        return found

    # --- what strangers were told of it -------------------------------------------------------------------------------

    def _with_alerts(self, found: Sequence[Resting], began: Sequence[Origin] = ()) -> list[Resting]:
        """What was found, with the alerts that were told for any of it or for what it began from."""
        on = {one.key: one.on for one in found} | {one.event_id: (one.event_id,) for one in began}
        alerts = {}
        for alert in (one for name in self._read_of("alert") for one in alerts_in(self._streams[name])):
            if through := [str(one.row.event_id) for one in self._for(alert) if str(one.row.event_id) in on]:
                rested = tuple(dict.fromkeys(id_ for one in through for id_ in on[one]))
                alerts[str(alert.row.event_id)] = Resting(alert, tuple(through), rested)
        for origin in began:
            alerts.pop(origin.event_id, None)
        for one in found:
            if (as_told := alerts.get(one.key)) is not None:
                alerts[one.key] = replace(as_told, on=tuple(dict.fromkeys((*one.on, *as_told.on))))
        return [*(one for one in found if one.key not in alerts), *alerts.values()]

    def _with_what_was_corrected(self, resting: Sequence[Resting], led_to: Sequence[Resting]) -> list[Resting]:
        """With the alerts in whose place corrections came, back to where their telling began, and what they told."""
        found = {one.key: one for one in resting}
        alerts = {key: one for one in self._everything() if one.row.type == ALERT for key in [str(one.row.event_id)]}
        for correction in (one.told for one in led_to if one.told.data.get("change") in CORRECTIONS):
            later = correction
            while (earlier := next((alerts[key] for key in _named_alerts(later) if key in alerts), None)) is not None:
                through = str(later.row.event_id)
                later = earlier
                key = str(earlier.row.event_id)
                found.setdefault(key, Resting(earlier, (through,)))
                for change in (one for one in self._for(earlier) if one.row.type == LEVEL):
                    found.setdefault(str(change.row.event_id), Resting(change, (key,)))
        return list(found.values())

    def _with_acknowledgements(self, resting: Sequence[Resting]) -> list[Resting]:
        """With who acknowledged an alert that is among them."""
        alerts = {one.key: one for one in resting if one.told.row.type == ALERT}
        known = {one.key for one in resting}
        return [
            *resting,
            *(
                Resting(one, (alert_id,), alerts[alert_id].on)
                for one in self._everything()
                if one.row.type == ACKNOWLEDGED
                for alert_id in [one.data["alert_id"]]
                if alert_id in alerts and str(one.row.event_id) not in known
            ),
        ]

    async def _lists(self, found: Sequence[Resting], began: Sequence[Told] = ()) -> Lists:
        """What was found, by what it is, with the messages of its alerts and of those that it began from."""
        events: dict[str, list[Resting]] = {name: [] for name in LISTS}
        for one in found:
            type_ = one.told.row.type
            group = GROUPS.get(type_) or ("referrals" if type_.startswith(STEP) else None)
            if group is not None:
                events[group].append(one)
        for listed in events.values():
            listed.sort(key=lambda one: one.told.row.position)
        alerts = [one.row.event_id for one in (*began, *(one.told for one in found)) if one.row.type == ALERT]
        return Lists(events, await self._reader.messages(set(alerts)))

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
            if str(one.row.event_id) in tokens or (one.row.type == RECEIVED and one.row.stream in tokens)
        )

    async def _led_by(self, below: Told) -> Sequence[Told]:
        """What led to an event of another stream; what was opened; what changed a level, by its moment."""
        if below.causation is not None:
            cause = await self._reader.event(below.causation)
            return [cause] if cause is not None else []
        if below.row.type == VIEWED:
            viewed = await self._reader.version(below.data["viewed"], below.data["viewed_version"])
            return [viewed] if viewed is not None else []
        if below.row.type != LEVEL or below.data["cause"] in BY_NO_ACT:
            return []
        at = await self._reader.at([(below.moment, below.row.home)])
        if below.data["cause"] == LevelCause.RETRACTION and came_with_a_sign(at):
            return []  # a sign of life, which is not followed, let a correction come that was held
        return [one for one in at if _category(one) in ("report", "case", "reference")]


def _named_alerts(told: Told) -> tuple[str | None, ...]:
    """The alerts that an event of a unit's alerts names."""
    if told.row.type == ALERT:
        return told.data.get("updates"), told.data.get("cancels")
    return (told.data["alert_id"],) if told.row.type == ACKNOWLEDGED else ()


def _category(told: Told) -> str:
    return told.row.stream.partition("/")[0]


def _same(one: Told, other: Told) -> bool:
    return one.row.event_id == other.row.event_id


def _ties(told: Told) -> set[str]:
    """Streams that an event ties its own to."""
    ties = {f"case/{told.data[name]}" for name in ("into", "absorbed") if told.data.get(name)}
    if told.row.type == "case.report_linked":
        ties.add(f"report/{told.data['report_id']}")
    return ties | set(earlier_lives(told))
