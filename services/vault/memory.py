"""A vault in memory, for tests of pure code: it keeps the promises that the contract tests bind both vaults to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import groupby
from secrets import token_bytes
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from events.reporter import recorded_from
from events.sealed import KeyKind
from services import clock
from services.vault.intake import Admitted, Arrival
from services.vault.keys import DataKey, Need
from services.vault.persons import phone_number
from services.vault.refused import KeyGone, NoSuchKey, SourceDiffers
from services.vault.signs import Gathered, Gathering, HeldSign, NewSign, Overdue, Taken, Taking


class MemoryVault:
    """Keys, Persons, Intake and SignStore of one process. Its keys end with it, so it never seals what must last."""

    def __init__(self) -> None:
        self._keys: dict[UUID, DataKey | None] = {}
        self._subjects: dict[tuple[str, str], UUID] = {}
        self._speaks_of: dict[UUID, set[UUID]] = {}
        self._phones: dict[str, UUID] = {}
        self._erased: set[UUID] = set()
        self._sources: dict[UUID, UUID] = {}
        self._pseudonyms: dict[tuple[UUID, UUID], UUID] = {}
        self._reporters: dict[tuple[UUID, str], UUID] = {}
        self._committee: set[UUID] = set()
        self._signs = _MemorySigns()

    def lives(self, key_id: UUID) -> bool:
        """Whether an append may name this key."""
        return self._keys.get(key_id) is not None

    def has_heard_of(self, report_id: UUID) -> bool:
        """Whether anybody has a pseudonym about this report, or it has a source or a key."""
        named = any(about == report_id for _, about in self._pseudonyms)
        return named or report_id in self._sources or (KeyKind.REPORT.value, str(report_id)) in self._subjects

    async def keys_for(self, needs: Collection[Need]) -> Mapping[Need, DataKey]:
        return {need: self._key_for(need) for need in needs}

    def _key_for(self, need: Need) -> DataKey:
        people = set(need.speaks_of) | ({need.person_id} if need.person_id else set())
        if people & self._erased:
            raise KeyGone
        subject = (need.kind.value, need.subject)
        if subject not in self._subjects:
            key_id = self._subjects[subject] = uuid4()
            self._keys[key_id] = DataKey(key_id, need.kind, AESGCM(token_bytes(32)))
        key = self._keys[self._subjects[subject]]
        if key is None:
            raise KeyGone
        self._speaks_of.setdefault(key.key_id, set()).update(people)
        return key

    async def open_keys(self, key_ids: Collection[UUID]) -> Mapping[UUID, DataKey]:
        opened: dict[UUID, DataKey] = {}
        for key_id in key_ids:
            if key_id not in self._keys:
                raise NoSuchKey(key_id)
            key = self._keys[key_id]
            if key is None:
                raise KeyGone
            opened[key_id] = key
        return opened

    async def destroy(self, key_ids: Collection[UUID]) -> frozenset[UUID]:
        doomed = frozenset(key_id for key_id in key_ids if self.lives(key_id))
        self._keys.update(dict.fromkeys(doomed))
        self._signs.forget(doomed)
        return doomed

    async def erase(self, person_id: UUID) -> frozenset[UUID]:
        self._erased.add(person_id)
        self._committee.discard(person_id)
        self._phones = {phone: person for phone, person in self._phones.items() if person != person_id}
        self._sources = {report: person for report, person in self._sources.items() if person != person_id}
        self._pseudonyms = {key: ref for key, ref in self._pseudonyms.items() if key[0] != person_id}
        self._reporters = {key: ref for key, ref in self._reporters.items() if key[0] != person_id}
        return await self.destroy([key for key, people in self._speaks_of.items() if person_id in people])

    async def admit(self, arrival: Arrival) -> Admitted:
        for person, _ in arrival.writers:
            self._refuse_erased(person)
        if arrival.source is not None:
            await self.record_source(arrival.report_id, arrival.source)
        keys = await self.keys_for(arrival.needs)
        about = arrival.report_id
        return Admitted(
            {person: self._pseudonyms.setdefault((person, about), ref) for person, ref in arrival.writers}, keys
        )

    async def find_person(self, phone: str) -> UUID | None:
        return self._phones.get(phone_number(phone))

    async def person_by_phone(self, phone: str) -> UUID:
        return self._phones.setdefault(phone_number(phone), uuid4())

    async def introduce(self, phone: str, person_id: UUID) -> UUID:
        return self._phones.setdefault(phone_number(phone), person_id)

    async def record_source(self, report_id: UUID, person_id: UUID) -> None:
        self._refuse_erased(person_id)
        if self._sources.setdefault(report_id, person_id) != person_id:
            raise SourceDiffers(report_id)

    async def same_person(self, report_id: UUID, person_id: UUID) -> bool | None:
        source = self._sources.get(report_id)
        return None if source is None else source == person_id

    async def same_source(self, report_id: UUID, other_report_id: UUID) -> bool | None:
        sources = (self._sources.get(report_id), self._sources.get(other_report_id))
        return None if None in sources else sources[0] == sources[1]

    async def spoken_of(self, report_id: UUID) -> frozenset[UUID]:
        key_id = self._subjects.get((KeyKind.REPORT.value, str(report_id)))
        return frozenset(self._speaks_of[key_id] - self._erased if key_id else ())

    async def pseudonym(self, person_id: UUID, about: UUID) -> UUID:
        self._refuse_erased(person_id)
        return self._pseudonyms.setdefault((person_id, about), uuid4())

    async def reporter_id(self, person_id: UUID, home: str) -> UUID:
        self._refuse_erased(person_id)
        return self._reporters.setdefault((person_id, home), uuid4())

    async def find_reporter_id(self, person_id: UUID, home: str) -> UUID | None:
        return self._reporters.get((person_id, home))

    async def reporter_streams(self, person_id: UUID) -> Mapping[str, UUID]:
        return {home: reporter_id for (person, home), reporter_id in self._reporters.items() if person == person_id}

    async def reporters_in(self, homes: Collection[str] | None) -> Sequence[tuple[UUID, UUID]]:
        found = self._reporters.items()
        return [(person, reporter_id) for (person, home), reporter_id in found if homes is None or home in homes]

    async def reports_of(self, people: Collection[UUID]) -> Mapping[UUID, Collection[UUID]]:
        found: dict[UUID, set[UUID]] = {}
        for report_id, person in self._sources.items():
            if person in people:
                found.setdefault(person, set()).add(report_id)
        return found

    async def last_held(self, reporter_ids: Collection[UUID], today: date) -> Mapping[UUID, date]:
        days: dict[UUID, date] = {}
        for (reporter_id, _, on), sign in self._signs.held.items():
            if reporter_id in reporter_ids and sign.taken_on < today:
                days[reporter_id] = max(on, days.get(reporter_id, on))
        return days

    async def hold(self, sign: NewSign, moment: datetime | None, zone: tzinfo) -> Taking:
        living = sign.person_id not in self._erased and all(self.lives(words.key_id) for words in sign.words)
        return self._signs.hold(sign, _day(moment, zone), living=living)

    async def taken(self, command_id: UUID, mac: bytes) -> Taking | None:
        return self._signs.taken(command_id, mac)

    async def gather(self, moment: datetime | None, zone: tzinfo, keep_days: int) -> Gathered:
        return self._signs.gather(_day(moment, zone), timedelta(days=keep_days))

    async def let_go(self, batch_id: UUID) -> None:
        self._signs.let_go(batch_id)

    async def overdue(self, moment: datetime | None, zone: tzinfo) -> Overdue:
        return self._signs.overdue(moment or clock.now(), zone)

    def _refuse_erased(self, person_id: UUID) -> None:
        if person_id in self._erased:
            raise KeyGone

    async def known(self, person_id: UUID) -> bool:
        people = {person for person, _ in (*self._pseudonyms, *self._reporters)}
        return person_id in people | {*self._phones.values()} | self._committee | self._erased

    async def committee(self) -> frozenset[UUID]:
        return frozenset(self._committee)

    async def seat(self, person_id: UUID, *, sits: bool) -> bool:
        before = len(self._committee)
        if sits and person_id not in self._erased:
            self._committee.add(person_id)
        elif not sits:
            self._committee.discard(person_id)
        return len(self._committee) != before


def _day(moment: datetime | None, zone: tzinfo) -> date:
    return (moment or clock.now()).astimezone(zone).date()


def _due(sign: HeldSign) -> date:
    return recorded_from(sign.on, sign.taken_on)


@dataclass(slots=True)
class _MemorySigns:
    """The held signs of one process; days come in, as the database knows them."""

    commands: dict[UUID, tuple[bytes, date, date]] = field(default_factory=dict)
    held: dict[tuple[UUID, str, date], HeldSign] = field(default_factory=dict)
    batch_of: dict[tuple[UUID, str, date], UUID] = field(default_factory=dict)
    gathered: set[date] = field(default_factory=set)

    def hold(self, sign: NewSign, today: date, *, living: bool) -> Taking:
        if (before := self.taken(sign.command_id, sign.mac)) is not None:
            return before
        if not living:
            return Taking(Taken.GONE, today)
        self.commands[sign.command_id] = (sign.mac, today, sign.on)
        for words in sign.words:
            key = (words.reporter_id, sign.channel, sign.on)
            if key not in self.batch_of:
                one = HeldSign(
                    words.reporter_id, sign.person_id, words.key_id, sign.on, sign.channel, words.sealed, today
                )
                first = self.held.get(key, one).taken_on
                self.held[key] = replace(one, taken_on=first)
        return Taking(Taken.HELD, today)

    def taken(self, command_id: UUID, mac: bytes) -> Taking | None:
        if (known := self.commands.get(command_id)) is None:
            return None
        return Taking(Taken.REPEATED if known[0] == mac else Taken.REUSED, known[1])

    def gather(self, today: date, keep: timedelta) -> Gathered:
        tomorrow = today + timedelta(days=1)
        over = {
            key
            for key, one in self.held.items()
            if key not in self.batch_of and (_due(one) <= today or one.taken_on > tomorrow)
        }
        if over and today not in self.gathered:
            self.gathered.add(today)
            self.batch_of |= dict.fromkeys(over, uuid4())
        self.commands = {one: known for one, known in self.commands.items() if known[2] >= today - keep}
        found = groupby(self.batch_of, lambda key: self.batch_of[key])
        return Gathered(
            today, tuple(Gathering(batch_id, tuple(self.held[key] for key in keys)) for batch_id, keys in found)
        )

    def let_go(self, batch_id: UUID) -> None:
        self._drop({key for key, batch in self.batch_of.items() if batch == batch_id})

    def forget(self, keys: Collection[UUID]) -> None:
        self._drop({key for key, sign in self.held.items() if sign.key_id in keys})

    def overdue(self, now: datetime, zone: tzinfo) -> Overdue:
        over = [due for one in self.held.values() if (due := _due(one)) <= now.astimezone(zone).date()]
        if not over:
            return Overdue()
        return Overdue(len(over), (now - datetime.combine(min(over), time(), zone)).total_seconds())

    def _drop(self, keys: Collection[tuple[UUID, str, date]]) -> None:
        self.held = {key: one for key, one in self.held.items() if key not in keys}
        self.batch_of = {key: batch for key, batch in self.batch_of.items() if key not in keys}
