"""Opens sealed texts for a role and a purpose, and writes down who opened what before anybody sees it.

The order is what protects: decide, read the keys, open in memory, append `custody.record_viewed` under those keys, and
only then hand the texts over. The append refuses a key that was destroyed meanwhile, and without the append there is no
text.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import orjson
from cryptography.exceptions import InvalidTag
from pydantic import SecretStr, ValidationError

from events import custody
from events.custody import SealedField, ViewPurpose
from events.envelope import Draft, Envelope, canonical, event_id
from events.event import Act
from events.sealed import KeyKind, Sealed
from services.ledger.ledger import Append, Conflict, Entry, Ledger, Recorded, Submission, Unknown
from services.vault.commands import CommandIds
from services.vault.keys import DataKey, Keys
from services.vault.refused import CannotOpen, KeyGone, NoSuchKey, NotSealed
from services.vault.sealing import open_text, step_into
from services.vault.used import UsedOnce

MOST_TRIES = 8
"""Each try that meets a conflict learns the stream's version; eight viewers at once are more than one record has."""

MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Event:
    """A recorded event as it was written, and its sealed fields by path."""

    stream: str
    version: int
    type: str
    home: str
    sealed: Mapping[str, Sealed]

    @classmethod
    def of(cls, recorded: Recorded | Envelope[Any]) -> _Event:
        if isinstance(recorded, Recorded):
            data = orjson.loads(recorded.body)["data"]
            return cls(recorded.stream, recorded.version, recorded.type, recorded.home, dict(_sealed(data, "")))
        data = recorded.data.wire_data()
        return cls(
            recorded.subject, recorded.streamversion, recorded.type, recorded.partitionkey, dict(_sealed(data, ""))
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """What a decision may read of a stream: the texts that still open, the fields erased for ever, the keys used.

    The append names the keys, so that nothing is carried on from under one that was destroyed meanwhile.
    """

    texts: Mapping[str, SecretStr] = field(default_factory=dict, repr=False)
    erased: frozenset[str] = frozenset()
    key_ids: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class InClear:
    """What of one event leaves in clear: the texts, the fields erased for ever, and the keys of those texts."""

    texts: Mapping[str, SecretStr] = field(default_factory=dict, repr=False)
    erased: tuple[str, ...] = ()
    key_ids: frozenset[UUID] = frozenset()


def sealed_fields(recorded: Recorded | Envelope[Any]) -> tuple[str, ...]:
    """The paths of an event's sealed fields, as `unseal` takes them."""
    return tuple(_Event.of(recorded).sealed)


class Opener:
    """Opens what the sealer sealed. `source` is this deployment's, as in every event."""

    def __init__(self, keys: Keys, ledger: Ledger, commands: CommandIds, source: str, used: UsedOnce) -> None:
        self._used = used
        self._keys = keys
        self._ledger = ledger
        self._commands = commands
        self._source = source
        self._versions: OrderedDict[str, int] = OrderedDict()

    async def unseal(
        self,
        recorded: Recorded | Envelope[Any],
        fields: Collection[str],
        act: Act,
        purpose: ViewPurpose,
        approved_by: Sequence[UUID] = (),
        approvals: Collection[UUID] = (),
    ) -> Mapping[str, SecretStr]:
        """Open these fields of a recorded event for the one who acts, and record it first.

        `approvals` are used up by it, once nothing refuses it any more but the append: what is lost then is asked for
        anew, and nothing was opened.

        Raises ApprovalUsed, MayNotOpen or NeedsApprovers (events/custody), NotSealed, KeyGone, NoSuchKey, CannotOpen,
        or what the ledger says; whatever goes wrong, no text is given.
        """
        event, fields = _Event.of(recorded), tuple(dict.fromkeys(fields))
        keys = await self._keys_of(event, fields)
        viewed = custody.view(
            act,
            viewed=event.stream,
            viewed_version=event.version,
            viewed_type=event.type,
            fields=[SealedField(path, keys[event.sealed[path].key_id].kind) for path in fields],
            purpose=purpose,
            approved_by=approved_by,
        )
        texts = {path: _open_one(event.sealed[path], keys, event.stream, event.version, path) for path in fields}
        if approvals:
            await self._used.use_up(approvals)
        await self.record(event.stream, event.home, viewed, act, frozenset(keys))
        return texts

    async def leave_in_clear(
        self, recorded: Recorded, act: Act, purpose: ViewPurpose, approved_by: Sequence[UUID]
    ) -> InClear:
        """Open every text of an event that says of nobody who they are, to be taken away, and record it first.

        What says who somebody is stays shut whoever approved it, and what was erased is told by its field. Raises
        MayNotOpen or ClearNeedsApprovers (events/custody), CannotOpen, or what the ledger says; no text is given then.
        """
        event = _Event.of(recorded)
        keys = await self._living({sealed.key_id for sealed in event.sealed.values()})
        told, erased = _leaving(event, keys)
        if not told:
            return InClear(erased=erased)
        paths = [one.path for one in told]
        custody.leave_in_clear(act, viewed_type=event.type, fields=paths, approved_by=approved_by)
        viewed = custody.view(
            act,
            viewed=event.stream,
            viewed_version=event.version,
            viewed_type=event.type,
            fields=told,
            purpose=purpose,
            approved_by=approved_by,
        )
        texts = {path: _open_one(event.sealed[path], keys, event.stream, event.version, path) for path in paths}
        used = frozenset(event.sealed[path].key_id for path in paths)
        await self.record(event.stream, event.home, viewed, act, used)
        return InClear(texts, erased, used)

    async def use_up(self, approvals: Collection[UUID]) -> None:
        """Let these approvals be good for nothing more; raises ApprovalUsed where one was used before."""
        await self._used.use_up(approvals)

    async def carry(self, stream: str, words: Mapping[str, tuple[int, Sealed]]) -> Opened:
        """Open a stream's texts for a new event that seals them anew, as when a report is received again elsewhere.

        `words` are top-level fields with the version that each was sealed at. Nobody sees them, so no view is recorded:
        give the result to a decision and to nothing else.
        """
        keys = await self._living({sealed.key_id for _, sealed in words.values()})
        texts = {
            name: _open_one(sealed, keys, stream, version, name)
            for name, (version, sealed) in words.items()
            if sealed.key_id in keys
        }
        return Opened(texts, frozenset(words) - texts.keys(), frozenset(keys))

    async def _living(self, key_ids: Collection[UUID]) -> Mapping[UUID, DataKey]:
        """Those of the keys that were not destroyed, and not lost with a vault that had no newer backup."""
        try:
            return await self._keys.open_keys(key_ids)
        except (KeyGone, NoSuchKey):
            if len(key_ids) == 1:
                return {}
        living: dict[UUID, DataKey] = {}
        for key_id in key_ids:
            living.update(await self._living([key_id]))
        return living

    async def _keys_of(self, event: _Event, fields: Collection[str]) -> Mapping[UUID, DataKey]:
        for path in fields:
            if path not in event.sealed:
                raise NotSealed(event.stream, event.version, path, list(event.sealed))
        return await self._keys.open_keys({event.sealed[path].key_id for path in fields})

    async def record(
        self,
        about: str,
        home: str,
        happened: custody.RecordViewed | custody.ExportMade,
        act: Act,
        key_ids: frozenset[UUID] = frozenset(),
    ) -> None:
        """Append what happened to the record of custody of a stream, which lives in this home.

        A lost answer is asked for again under the same id, a moved stream is followed. Raises what the ledger says.
        """
        stream = f"custody/{about.partition('/')[2]}"
        command_id = uuid4()
        mac = self._commands.command_mac(canonical(happened.wire_data()))
        version = self._versions.get(stream, 0)
        for tries_left in reversed(range(MOST_TRIES)):
            draft = Draft(
                event_id=event_id(command_id, 0),
                source=self._source,
                stream=stream,
                version=version + 1,
                home=home,
                data=happened,
                command_id=command_id,
                command_mac=mac,
                actor=act.by,
                mode=act.mode,
            )
            entry = Entry(event_id=draft.event_id, type=happened.name, body=draft.body())
            append = Append(stream=stream, expected_version=version, home=home, entries=(entry,))
            try:
                accepted = await self._ledger.append(Submission(command_id, mac, (append,), key_ids))
            except Conflict as conflict:
                if not tries_left or conflict.stream != stream:
                    raise
                version = conflict.actual
            except Unknown:
                if not tries_left:
                    raise
            else:
                self._remember(stream, accepted.placed[0].version)
                return

    def _remember(self, stream: str, version: int) -> None:
        """Only saves a round trip: a wrong version meets a conflict that tells the right one."""
        self._versions[stream] = version
        self._versions.move_to_end(stream)
        while len(self._versions) > MOST_REMEMBERED:
            self._versions.popitem(last=False)


def _leaving(event: _Event, keys: Mapping[UUID, DataKey]) -> tuple[list[SealedField], tuple[str, ...]]:
    """The fields of an event that may leave in clear, under keys that live, and those that were erased."""
    told, erased = list[SealedField](), list[str]()
    for path, sealed in event.sealed.items():
        key = keys.get(sealed.key_id)
        one = SealedField(path, key.kind if key else KeyKind.REPORT)
        if key is None and not one.says_who:
            erased.append(path)
        elif not one.says_who:
            told.append(one)
    return told, tuple(erased)


def _open_one(sealed: Sealed, keys: Mapping[UUID, DataKey], stream: str, version: int, path: str) -> SecretStr:
    try:
        return SecretStr(open_text(sealed, keys[sealed.key_id], stream, version, path))
    except (InvalidTag, ValueError):
        raise CannotOpen(stream, version, path) from None


def _sealed(value: Any, path: str) -> Iterator[tuple[str, Sealed]]:
    if isinstance(value, dict):
        if {"kid", "nonce", "ct"} <= value.keys():
            try:
                yield path, Sealed.model_validate(value)
            except ValidationError:
                return  # not ours after all: it is listed nowhere and opens nowhere
        else:
            for name, part in value.items():
                yield from _sealed(part, step_into(path, name))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _sealed(part, step_into(path, str(place)))
