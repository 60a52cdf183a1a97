"""What every vault promises when it takes a report in: all that its append needs, or a clear no for it alone."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from events.sealed import KeyKind, Under
from services.vault.intake import Arrival
from services.vault.keys import Need
from services.vault.refused import KeyGone, SourceDiffers, VaultError
from tests.support.vaults import Vault


def arrival(
    *, source: UUID | None = None, behind: UUID | None = None, speaks_of: frozenset[UUID] = frozenset()
) -> Arrival:
    """A report by somebody new, with a text under its own key and, where it has a source, one under theirs."""
    report, stream = uuid4(), "report/1"
    needs = [Need.of(Under(kind=KeyKind.REPORT, owner=report), stream, speaks_of)]
    if source is not None:
        needs.append(Need.of(Under(kind=KeyKind.PERSON, owner=source), f"report/{report}"))
    writers = [uuid4(), *([behind] if behind else [])]
    return Arrival(report, tuple((person, uuid4()) for person in writers), source, tuple(needs))


async def test_a_report_has_its_source_its_writers_names_and_its_keys(vault: Vault) -> None:
    anna, ben = uuid4(), uuid4()
    one = arrival(source=anna, behind=ben)
    admitted = await vault.intake.admit(one)
    assert admitted.refs == dict(one.writers)
    for person, ref in one.writers:
        assert await vault.persons.pseudonym(person, one.report_id) == ref
    assert await vault.persons.same_person(one.report_id, anna) is True
    held = await vault.keys.keys_for(one.needs)
    assert {need: key.key_id for need, key in admitted.keys.items()} == {need: key.key_id for need, key in held.items()}


async def test_a_report_without_a_source_has_none(vault: Vault) -> None:
    one = arrival()
    await vault.intake.admit(one)
    assert await vault.persons.same_person(one.report_id, uuid4()) is None


async def test_a_repeat_finds_what_the_first_try_made(vault: Vault) -> None:
    first = arrival(source=uuid4())
    again = Arrival(first.report_id, tuple((person, uuid4()) for person, _ in first.writers), first.source, first.needs)
    answers = [await vault.intake.admit(first), *await asyncio.gather(*(vault.intake.admit(again) for _ in range(5)))]
    assert all(answer.refs == dict(first.writers) for answer in answers)
    assert len({answer.keys[first.needs[0]].key_id for answer in answers}) == 1


async def test_of_two_first_tries_at_once_both_get_the_same(vault: Vault) -> None:
    first = arrival(source=uuid4())
    again = Arrival(first.report_id, tuple((person, uuid4()) for person, _ in first.writers), first.source, first.needs)
    one, other = await asyncio.gather(vault.intake.admit(first), vault.intake.admit(again))
    assert one.refs == other.refs
    assert one.keys[first.needs[0]].key_id == other.keys[first.needs[0]].key_id


async def test_another_source_is_refused_and_the_reports_beside_it_are_not(vault: Vault) -> None:
    taken = arrival(source=uuid4())
    await vault.intake.admit(taken)
    stolen = Arrival(taken.report_id, taken.writers, uuid4(), taken.needs)
    beside = [arrival(source=uuid4()) for _ in range(3)]
    refused, *admitted = await asyncio.gather(
        vault.intake.admit(stolen), *map(vault.intake.admit, beside), return_exceptions=True
    )
    assert isinstance(refused, SourceDiffers)
    assert not any(isinstance(one, BaseException) for one in admitted)
    assert await vault.persons.same_person(taken.report_id, taken.source or uuid4()) is True


@pytest.mark.parametrize("who", ["writer", "behind", "source", "spoken_of"])
async def test_nothing_is_taken_in_that_has_to_do_with_somebody_erased(vault: Vault, who: str) -> None:
    erased, other = uuid4(), uuid4()
    await vault.keys.erase(erased)
    one = arrival(
        source=erased if who == "source" else other,
        behind=erased if who == "behind" else None,
        speaks_of=frozenset({erased} if who == "spoken_of" else ()),
    )
    if who == "writer":
        one = Arrival(one.report_id, ((erased, uuid4()),), other, one.needs)
    beside = arrival(source=other)
    refused, admitted = await asyncio.gather(
        vault.intake.admit(one), vault.intake.admit(beside), return_exceptions=True
    )
    assert isinstance(refused, KeyGone)
    assert not isinstance(admitted, VaultError)


async def test_erasing_somebody_takes_along_what_was_taken_in(vault: Vault) -> None:
    anna, ben = uuid4(), uuid4()
    one = arrival(source=anna, behind=anna, speaks_of=frozenset({ben}))
    admitted = await vault.intake.admit(one)
    assert await vault.persons.spoken_of(one.report_id) == {ben}
    assert await vault.keys.erase(anna) == {admitted.keys[one.needs[1]].key_id}
    assert await vault.persons.same_person(one.report_id, anna) is None
    assert await vault.keys.erase(ben) == {admitted.keys[one.needs[0]].key_id}
    with pytest.raises(KeyGone):
        await vault.intake.admit(one)
