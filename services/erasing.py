"""A person is erased for ever: by a custodian, with two approvals, said on the log by the transaction that does it.

Whoever asks about a phone that nobody has is answered alike until two others have agreed: who is known to the vault is
told to nobody on their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from events.custody import SubjectKeyDestroyed, refuse_erasure
from events.envelope import canonical
from events.refusals import BadInput
from events.vocabulary import Actor, Role
from services.ledger.ledger import CommandReused, Ledger, Placed
from services.vault.approvals import Approvals, Erasure
from services.vault.commands import CommandIds
from services.vault.destruction import Decided
from services.vault.keyring import KeyRing
from services.vault.master import MasterKey
from services.vault.persons import Persons, phone_number


@dataclass(frozen=True, slots=True)
class Doomed:
    """Who is meant, by their id in the vault or by their phone; `person_id` is None where the vault knows nobody, and
    `by_id` the id that they were named by, known or not."""

    person_id: UUID | None = field(repr=False)
    named: bytes = field(repr=False)
    by_id: UUID | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Erased:
    """That somebody is erased; `placed` where it is said on the log, None where another command had said it before."""

    placed: Placed | None
    repeated: bool


class Erasures:
    """Erases people on the vault and the ledger of one deployment."""

    def __init__(self, ledger: Ledger, persons: Persons, keys: KeyRing, master: MasterKey) -> None:
        self._ledger = ledger
        self._persons = persons
        self._keys = keys
        self._master = master
        self._ids = CommandIds(master)
        self._approvals = Approvals(master)

    async def who(self, person_id: UUID | None, phone: str | None) -> Doomed:
        """Who is named by one of the two; raises BadInput."""
        if (person_id is None) == (phone is None):
            raise BadInput.field("who", "a person, by either person_id or phone", "send one of the two")
        if phone is not None:
            return Doomed(await self._persons.find_person(phone), b"phone:" + phone_number(phone).encode())
        assert person_id is not None
        known = await self._persons.known(person_id)
        return Doomed(person_id if known else None, b"person:" + person_id.bytes, person_id)

    async def approve(self, doomed: Doomed, eraser: UUID, approver: UUID, now: datetime) -> str:
        """An approval of this erasure by this custodian, good once and for a quarter of an hour; raises BadInput."""
        if approver == eraser:
            raise BadInput.field("eraser", "somebody else than yourself", "ask another to approve it")
        _refuse_oneself(doomed, approver)
        erasure = Erasure(self._shown(doomed), await self._pseudonym(eraser, doomed))
        return self._approvals.grant_erasure(erasure, await self._pseudonym(approver, doomed), now)

    async def erase(self, doomed: Doomed, by: UUID, client_id: str, approvals: Sequence[str], now: datetime) -> Erased:
        """Erase them, once: a repeat answers as the first time, whatever has become of its approvals.

        Raises BadInput, ErasureNeedsApprovers, ApprovalUsed, NotDestroyed, CommandReused or what vault and ledger say.
        """
        command_id = self._ids.command_id(by, client_id)
        if (erased := await self._erased_before(command_id, doomed)) is not None:
            return erased
        _refuse_oneself(doomed, by)
        actor = Actor(role=Role.CUSTODIAN, ref=await self._pseudonym(by, doomed))
        erasure = Erasure(self._shown(doomed), actor.ref)
        # One of another erasure counts as none, and is told as none: else it would say whose a phone is.
        given = {one for text in approvals if (one := self._approvals.approved_erasure(text, erasure, now)) is not None}
        approved_by = tuple({one.approver: None for one in sorted(given, key=lambda one: one.approval_id)})
        refuse_erasure(actor, approved_by)
        if doomed.person_id is None:
            raise BadInput.field("who", "somebody whom the vault knows", "check the number or the id")
        used = tuple(one.approval_id for one in given)
        decided = Decided(command_id, self._mac(doomed.person_id), actor, approved_by, used)
        placed = await self._keys.erase_as_decided(doomed.person_id, decided)
        if placed is not None:
            return Erased(placed, repeated=False)
        return await self._erased_before(command_id, doomed) or Erased(None, repeated=True)

    async def _erased_before(self, command_id: UUID, doomed: Doomed) -> Erased | None:
        """The first time's answer. A phone went with whom it named, so none can be compared any more; and the answer
        does not say which of others are known, or one custodian could ask for any, alone and without a trace."""
        rows = await self._ledger.read_command(command_id)
        if not rows:
            return None
        first = rows[0]
        another = doomed.by_id is not None and self._mac(doomed.by_id) != first.command_mac
        if another or first.type != SubjectKeyDestroyed.name:
            raise CommandReused()
        return Erased(Placed(first.position, first.stream, first.version, first.event_id, first.recorded_at), True)

    async def _pseudonym(self, person: UUID, doomed: Doomed) -> UUID:
        """As whom somebody stands beside the erasure; beside nobody's it is made up, each time the same, not kept."""
        if doomed.person_id is not None:
            return await self._persons.pseudonym(person, doomed.person_id)
        return UUID(bytes=self._master.approval_mac(b"beside:" + person.bytes + doomed.named)[:16], version=4)

    def _shown(self, doomed: Doomed) -> str:
        named = doomed.named if doomed.person_id is None else b"person:" + doomed.person_id.bytes
        return self._master.approval_mac(b"erased:" + named).hex()

    def _mac(self, person_id: UUID) -> bytes:
        """Of the id alone: whatever is on the log must not lead to a number once it is erased."""
        return self._ids.command_mac(canonical({"command": "Erase", "person": str(person_id)}))


def _refuse_oneself(doomed: Doomed, person: UUID) -> None:
    if doomed.person_id == person:
        raise BadInput.field("who", "somebody else than yourself", "ask another to do it")
