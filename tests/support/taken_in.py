"""Reports taken in by a vault and appended to a ledger, and whether what an accepted one rests on is there."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from events.sealed import KeyKind, Sealed
from services.ledger.postgres import PostgresLedger
from services.vault.intake import Arrival
from services.vault.sealing import find_texts, open_text
from tests.support.vaults import Told, Vault, clear, submission_of

WORDS = "words"


@dataclass(frozen=True)
class TakenIn:
    """One report that the ledger accepted."""

    report: UUID
    person: UUID
    ref: UUID
    text: Sealed
    key_ids: frozenset[UUID]
    position: int
    event_id: UUID


async def take_one_in(vault: Vault, ledger: PostgresLedger) -> TakenIn:
    """A report of somebody new, accepted; raises what vault and ledger raise."""
    report, person = uuid4(), uuid4()
    stream = f"report/{report}"
    unsealed = find_texts(stream, [Told(text=clear(WORDS, KeyKind.REPORT, report))])
    admitted = await vault.intake.admit(Arrival(report, ((person, uuid4()),), person, tuple(unsealed.needs.values())))
    sealed, key_ids = unsealed.sealed(1, admitted.keys)
    (placed,) = (await ledger.append(submission_of(stream, sealed, key_ids))).placed
    text = sealed[0].text
    assert isinstance(text, Sealed)
    return TakenIn(report, person, admitted.refs[person], text, key_ids, placed.position, placed.event_id)


async def assert_opens(vault: Vault, one: TakenIn) -> None:
    """Its source and its writer's name are known, and its text opens."""
    assert await vault.persons.same_person(one.report, one.person) is True, one
    assert await vault.persons.pseudonym(one.person, one.report) == one.ref, one
    (key,) = (await vault.keys.open_keys(one.key_ids)).values()
    assert open_text(one.text, key, f"report/{one.report}", 1, "text") == WORDS
