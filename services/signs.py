"""Signs of life on their way: held in the vault when they are given, on the log all at once when their day is over.

A sign that came onto the log when it was given would stand beside the report that its reporter sent, and tell by the
minute who reports. So nothing of the moment goes along: one command, one actor and one time for all signs that were
held, in the order of their streams' ids, which are random. One that is typed in after its day came with a letter or a
call, as a report may have: it waits for the end of the week, and on the log is of no day of its own
(events/reporter.recorded_as_of).
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from itertools import count
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidTag

from events.catalogue import read
from events.command import clear
from events.envelope import Draft, canonical, event_id, named_id
from events.reporter import LATE_DAYS, Reporter, ReporterCheckedIn, record_signs, recorded_as_of, recorded_from
from events.reporter import evolve as evolve_reporter
from events.sealed import Clear, KeyKind, Sealed
from events.vocabulary import Actor, Channel, Mode, Role
from services import clock
from services.ledger.ledger import (
    Append,
    CommandReused,
    Conflict,
    Entry,
    KeyDestroyed,
    Ledger,
    LedgerError,
    Submission,
)
from services.vault.commands import CommandIds
from services.vault.keys import DataKey, Keys, Need
from services.vault.refused import KeyGone, VaultError
from services.vault.sealing import Sealer, open_text, seal_text
from services.vault.signs import Gathering, HeldSign, NewSign, Overdue, SignStore, Taken, Taking, Words

LOOK_SECONDS = 1.0
MOST_TRIES = 8
AT_ONCE = 16
"""How many streams are read at a time."""
NOBODY = UUID("0b7c1d52-93a4-8e6f-8c21-6e0f4d9a5b17")
"""The actor of every sign on the log: who gave it, or typed it in, is sealed in it."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """A check-in was accepted: synced in the vault, and on the log with all others of its day from `until` on."""

    until: datetime
    repeated: bool = False


class Signs:
    """Takes signs of life and records them when their day is over; `zone` says when that is."""

    def __init__(
        self, store: SignStore, ledger: Ledger, keys: Keys, ids: CommandIds, *, zone: tzinfo, source: str
    ) -> None:
        self.store = store
        self._ledger = ledger
        self._keys = keys
        self._sealer = Sealer(keys)
        self._ids = ids
        self._zone = zone
        self._source = source
        self._turn = asyncio.Lock()
        self._done: date | None = None
        self.overdue = Overdue()
        """What should be on the log already, as it was seen last."""

    async def taken_before(self, command_id: UUID, mac: bytes, on: date) -> Held | None:
        """The first time's answer to a repeat of `on`; raises CommandReused for another body under a known id."""
        taking = await self.store.taken(command_id, mac)
        return None if taking is None else self._held(taking, on)

    async def hold(self, command_id: UUID, mac: bytes, person: UUID, given: Mapping[UUID, ReporterCheckedIn]) -> Held:
        """Keep one sign for each stream of the person; raises KeyGone and CommandReused. Synced when it returns."""
        needs = {one: Need(KeyKind.PERSON, f"{person}/{_stream(one)}", person_id=person) for one in given}
        keys = await self._keys.keys_for(needs.values())
        sign = next(iter(given.values()))
        words = tuple(_sealed(one, event, keys[needs[one]]) for one, event in given.items())
        new = NewSign(command_id, mac, person, sign.on, sign.channel.value, words)
        return self._held(await self.store.hold(new, await self._ledger.simulated_clock(), self._zone), sign.on)

    def _held(self, taking: Taking, on: date) -> Held:
        match taking.outcome:
            case Taken.REUSED:
                raise CommandReused
            case Taken.GONE:
                raise KeyGone
            case outcome:
                until = datetime.combine(recorded_from(on, taking.taken_on), time(), self._zone)
                return Held(until, repeated=outcome is Taken.REPEATED)

    async def keep_looking(self) -> None:
        """Record what is held when a day is over, for ever; while a server is away it waits in the vault."""
        told: dict[str, str] = {}
        while True:
            for ask in (self.look, self._count):
                because = ""
                try:
                    await ask()
                except Exception as error:
                    # Whatever it is: who checks in goes on being told that it is held, so this must not end unseen.
                    because = type(error).__name__
                    if told.get(ask.__name__) != because:
                        foreseen = isinstance(error, LedgerError | VaultError)
                        _log.log(
                            logging.WARNING if foreseen else logging.ERROR,
                            "signs_of_life_wait",
                            because=str(error) if foreseen else because,
                            exc_info=None if foreseen else error,
                        )
                told[ask.__name__] = because
            await asyncio.sleep(LOOK_SECONDS)

    async def _count(self) -> None:
        self.overdue = await self.store.overdue(await self._ledger.simulated_clock(), self._zone)

    async def look(self) -> None:
        """Record what was held before today, if that was not done yet; whoever else does it too changes nothing."""
        async with self._turn:
            moment = await self._ledger.simulated_clock()
            if (moment or clock.now()).astimezone(self._zone).date() != self._done:
                await self.record(moment)

    async def record(self, moment: datetime | None) -> None:
        """Record what was held before the day of this moment (None: before the database's own today), all at once."""
        for tries_left in reversed(range(MOST_TRIES)):
            gathered = await self.store.gather(moment, self._zone, LATE_DAYS)
            try:
                for gathering in gathered.gatherings:
                    await self._record(gathering)
            except (Conflict, KeyDestroyed, KeyGone):
                # A stream moved, or somebody was erased, whose signs the next look finds no more.
                if not tries_left:
                    raise
            else:
                self._done = gathered.today
                return

    async def _record(self, gathering: Gathering) -> None:
        for number in count():
            submission = await self._submission(gathering, number)
            if not any(append.entries for append in submission.appends):
                break
            if not (await self._ledger.append(submission)).repeated:
                break
            # A repeat, and all of it may be there. Not where the ledger was restored and ends in the midst of them.
        await self.store.let_go(gathering.batch_id)
        _log.info("signs_of_life_are_recorded")

    async def _submission(self, gathering: Gathering, number: int) -> Submission:
        """What is not recorded yet. The same command at every try, whatever is left of its signs, so that to the ledger
        all but the first are repeats; another one, the same for everybody, for what a repeat turns out to have lost."""
        batch_id = named_id(gathering.batch_id, f"rest {number}") if number else gathering.batch_id
        mac = self._ids.command_mac(canonical({"signs": str(batch_id)}))
        keys = await self._living({sign.key_id for sign in gathering.signs})
        by_stream: dict[UUID, list[ReporterCheckedIn]] = defaultdict(list)
        for sign in gathering.signs:
            if (key := keys.get(sign.key_id)) is not None:
                by_stream[sign.reporter_id].append(_opened(sign, key))
        recording = [
            part
            for some in _some(sorted(by_stream.items()))
            for part in await asyncio.gather(*(self._recording(*one) for one in some))
        ]
        appends: list[Append] = []
        index = 0
        for one in recording:
            entries: list[Entry] = []
            for version, event in enumerate(one.events, one.version + 1):
                draft = Draft(
                    event_id=event_id(batch_id, index),
                    source=self._source,
                    stream=one.stream,
                    version=version,
                    home=one.home,
                    data=event,
                    command_id=batch_id,
                    command_mac=mac,
                    actor=Actor(role=Role.SYSTEM, ref=NOBODY),
                    mode=one.mode,
                    correlation_id=batch_id,
                )
                entries.append(Entry(draft.event_id, event.name, draft.body()))
                index += 1
            appends.append(Append(one.stream, one.version, one.home, tuple(entries)))
        return Submission(batch_id, mac, tuple(appends), frozenset().union(*(one.key_ids for one in recording)))

    async def _living(self, key_ids: set[UUID]) -> Mapping[UUID, DataKey]:
        """Those of the keys that are not destroyed; nobody waits for the signs of who was erased."""
        try:
            return await self._keys.open_keys(key_ids)
        except KeyGone:
            if len(key_ids) == 1:
                return {}
        living: dict[UUID, DataKey] = {}
        for key_id in key_ids:
            living.update(await self._living({key_id}))
        return living

    async def _recording(self, reporter_id: UUID, held: Sequence[ReporterCheckedIn]) -> _Recording:
        """What is to be appended to one stream."""
        reporter, stream = Reporter(reporter_id), _stream(reporter_id)
        rows = await self._ledger.read_stream(stream)
        mode = Mode.ACTUAL
        for place, row in enumerate(rows):
            envelope = read(row.wire())
            mode = envelope.mode if place == 0 else mode
            reporter = evolve_reporter(reporter, envelope.data)  # type: ignore[arg-type] # a stream holds its noun's
        events, key_ids = await self._sealer.seal(stream, reporter.version + 1, record_signs(reporter, held))
        return _Recording(stream, reporter.version, rows[-1].home, mode, events, key_ids)


@dataclass(frozen=True, slots=True)
class _Recording:
    """Events for one stream, sealed as those after its version."""

    stream: str
    version: int
    home: str
    mode: Mode
    events: tuple[ReporterCheckedIn, ...]
    key_ids: frozenset[UUID]


def _some(
    streams: Sequence[tuple[UUID, list[ReporterCheckedIn]]],
) -> Iterator[Sequence[tuple[UUID, list[ReporterCheckedIn]]]]:
    for first in range(0, len(streams), AT_ONCE):
        yield streams[first : first + AT_ONCE]


def _stream(reporter_id: UUID) -> str:
    return f"reporter/{reporter_id}"


HELD_VERSION = 0
"""No event is of this version, so what is sealed to be held opens in no event, nor what an event holds here."""


def _place(on: date, channel: str) -> str:
    return f"held {on} {channel}"


def _sealed(reporter_id: UUID, sign: ReporterCheckedIn, key: DataKey) -> Words:
    assert isinstance(sign.said, Clear)
    place = _place(sign.on, sign.channel.value)
    sealed = seal_text(sign.said.text.get_secret_value(), key, _stream(reporter_id), HELD_VERSION, place)
    return Words(reporter_id, key.key_id, canonical(sealed.model_dump(mode="json", by_alias=True)))


def _opened(sign: HeldSign, key: DataKey) -> ReporterCheckedIn:
    """The sign as it was given; without its words where those do not open: it is a sign of life all the same."""
    said = None
    try:
        sealed = Sealed.model_validate_json(sign.sealed)
        text = open_text(sealed, key, _stream(sign.reporter_id), HELD_VERSION, _place(sign.on, sign.channel))
        said = clear(text, KeyKind.PERSON, sign.person_id)
    except (InvalidTag, ValueError):
        _log.error("the_words_of_a_held_sign_do_not_open", day=str(sign.on))
    return ReporterCheckedIn(on=recorded_as_of(sign.on, sign.taken_on), channel=Channel.read(sign.channel), said=said)
