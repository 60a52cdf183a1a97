"""What was decided as what the ledger appends: sealed, in the wire form, with every stream that was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from uuid import UUID

from events.command import Command
from events.envelope import Draft, event_id
from events.event import Event
from services.desk.change import Change
from services.desk.order import Order
from services.desk.reading import Reading
from services.ledger.ledger import Append, Entry, Submission
from services.vault.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Writing:
    """How events are written here; `source` names the deployment."""

    sealer: Sealer
    source: str

    async def submission(
        self, order: Order[Command], reading: Reading, changes: Sequence[Change], mac: bytes
    ) -> Submission:
        """All that one command appends; `mac` is that of the order. Raises KeyGone."""
        command_id = reading.command_id
        appends: list[Append] = []
        key_ids = set(reading.key_ids)
        indexes = count()
        for change in changes:
            version = reading.versions[change.stream]
            events, keys = await self._sealed(change, version + 1)
            key_ids |= keys
            entries: list[Entry] = []
            for number, data in enumerate(events, version + 1):
                draft = Draft(
                    event_id=event_id(command_id, next(indexes)),
                    source=self.source,
                    stream=change.stream,
                    version=number,
                    home=change.home,
                    data=data,
                    command_id=command_id,
                    command_mac=mac,
                    actor=change.by,
                    mode=order.mode,
                    correlation_id=order.correlation_id or command_id,
                    causation_id=event_id(command_id, 0) if change.follows else order.causation_id,
                )
                entries.append(Entry(event_id=draft.event_id, type=data.name, body=draft.body()))
            appends.append(
                Append(stream=change.stream, expected_version=version, home=change.home, entries=tuple(entries))
            )
        appends.extend(reading.assertions(change.stream for change in changes))
        return Submission(command_id, mac, tuple(appends), frozenset(key_ids))

    async def _sealed(self, change: Change, first_version: int) -> tuple[Sequence[Event], frozenset[UUID]]:
        if (keyed := change.keyed) is not None:
            return keyed.unsealed.sealed(first_version, keyed.keys)
        return await self.sealer.seal(change.stream, first_version, change.events, change.speaks_of)
