"""What every store of held signs promises; both adapters are bound by these tests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from events.reporter import recorded_from
from events.sealed import KeyKind
from services.vault.held import HeldSigns
from services.vault.keys import Need
from services.vault.signs import Gathering, NewSign, Overdue, SignStore, Taken, Words
from tests.support.vaults import PostgresVault, Vault

ZONE = ZoneInfo("Africa/Bujumbura")
KEEP = 31
NOON = datetime(2026, 5, 20, 10, tzinfo=UTC)
TODAY = date(2026, 5, 20)
LATE_AT_HOME = datetime(2026, 5, 20, 22, 30, tzinfo=UTC)
"""Past midnight in Bujumbura, and not yet in UTC."""
TOMORROW = NOON + timedelta(days=1)


@pytest.fixture
def store(vault: Vault) -> SignStore:
    return HeldSigns(vault.pool) if isinstance(vault, PostgresVault) else vault.keys  # type: ignore[return-value]


async def a_sign(vault: Vault, *, streams: int = 1, person: UUID | None = None, on: date = TODAY) -> NewSign:
    """A check-in of a day by somebody who covers places in so many homes."""
    person, reporters = person or uuid4(), [uuid4() for _ in range(streams)]
    needs = {one: Need(KeyKind.PERSON, f"{person}/reporter/{one}", person_id=person) for one in reporters}
    keys = await vault.keys.keys_for(needs.values())
    words = tuple(Words(one, keys[needs[one]].key_id, b"words of " + one.bytes) for one in reporters)
    return NewSign(uuid4(), b"\1" * 32, person, on, "sms", words)


async def held(store: SignStore, moment: datetime = TOMORROW) -> Mapping[tuple[UUID, str], bytes]:
    """What is gathered at this moment: the words by stream and channel."""
    gathered = await store.gather(moment, ZONE, KEEP)
    return {(sign.reporter_id, sign.channel): sign.sealed for one in gathered.gatherings for sign in one.signs}


async def test_a_sign_is_gathered_when_its_local_day_is_over_and_not_before(vault: Vault, store: SignStore) -> None:
    sign = await a_sign(vault)
    taking = await store.hold(sign, NOON, ZONE)
    assert (taking.outcome, taking.taken_on) == (Taken.HELD, TODAY)
    assert await held(store, NOON + timedelta(hours=11)) == {}
    gathered = await store.gather(LATE_AT_HOME, ZONE, KEEP)
    assert gathered.today == TODAY + timedelta(days=1)
    (gathering,) = gathered.gatherings
    (one,) = gathering.signs
    (words,) = sign.words
    assert (one.reporter_id, one.person_id, one.key_id) == (words.reporter_id, sign.person_id, words.key_id)
    assert (one.on, one.channel, one.sealed) == (sign.on, sign.channel, words.sealed)


async def test_what_was_gathered_is_offered_again_under_the_same_id_until_it_is_let_go(
    vault: Vault, store: SignStore
) -> None:
    await store.hold(await a_sign(vault), NOON, ZONE)
    (first,) = (await store.gather(TOMORROW, ZONE, KEEP)).gatherings
    later = TOMORROW + timedelta(days=1)
    await store.hold(await a_sign(vault, on=TOMORROW.date()), TOMORROW, ZONE)
    second, third = (await store.gather(later, ZONE, KEEP)).gatherings
    assert second == first
    assert third.batch_id != first.batch_id
    await store.let_go(first.batch_id)
    assert (await store.gather(later, ZONE, KEEP)).gatherings == (third,)


async def test_a_day_is_gathered_once_and_what_comes_with_an_older_clock_waits_for_the_next(
    vault: Vault, store: SignStore
) -> None:
    await store.hold(await a_sign(vault), NOON, ZONE)
    assert len(await held(store, TOMORROW)) == 1
    behind = await store.hold(await a_sign(vault), NOON, ZONE)
    assert behind.taken_on == TODAY
    assert len(await held(store, TOMORROW)) == 1
    assert len(await held(store, TOMORROW + timedelta(days=1))) == 2


async def test_a_day_without_signs_is_no_day(vault: Vault, store: SignStore) -> None:
    """A network that is begun as a simulated one was looked at before, by the clock of its machine."""
    assert await held(store, NOON + timedelta(days=200)) == {}
    assert (await store.hold(await a_sign(vault), NOON, ZONE)).taken_on == TODAY
    assert len(await held(store, TOMORROW)) == 1


async def test_a_clock_that_was_a_year_ahead_for_an_hour_holds_nothing_back(vault: Vault, store: SignStore) -> None:
    ahead = NOON + timedelta(days=365)
    await store.hold(await a_sign(vault), NOON - timedelta(days=1), ZONE)
    assert len(await held(store, ahead)) == 1
    await store.hold(await a_sign(vault), ahead, ZONE)
    await store.hold(await a_sign(vault), NOON, ZONE)
    assert len(await held(store, TOMORROW)) == 3
    await store.hold(await a_sign(vault, on=TOMORROW.date()), TOMORROW, ZONE)
    assert len(await held(store, TOMORROW)) == 3
    assert len(await held(store, TOMORROW + timedelta(days=1))) == 4


async def test_a_sign_of_two_homes_is_one_in_each_stream(vault: Vault, store: SignStore) -> None:
    sign = await a_sign(vault, streams=2)
    await store.hold(sign, NOON, ZONE)
    assert await held(store) == {(words.reporter_id, "sms"): words.sealed for words in sign.words}


async def test_a_day_and_channel_has_one_sign_and_what_was_said_last_stands(vault: Vault, store: SignStore) -> None:
    sign = await a_sign(vault)
    (words,) = sign.words
    for number, channel in enumerate(("sms", "voice", "sms")):
        said = replace(words, sealed=b"%d" % number)
        await store.hold(replace(sign, command_id=uuid4(), channel=channel, words=(said,)), NOON, ZONE)
    assert await held(store) == {(words.reporter_id, "sms"): b"2", (words.reporter_id, "voice"): b"1"}


async def test_a_repeat_is_known_and_changes_nothing_and_another_body_is_refused(
    vault: Vault, store: SignStore
) -> None:
    sign = await a_sign(vault)
    assert await store.taken(sign.command_id, sign.mac) is None
    await store.hold(sign, NOON, ZONE)
    (words,) = sign.words
    other = replace(sign, words=(replace(words, sealed=b"other"),))
    again = await store.hold(other, TOMORROW, ZONE)
    assert (again.outcome, again.taken_on) == (Taken.REPEATED, TODAY)
    assert await store.taken(sign.command_id, sign.mac) == again
    assert (await store.hold(replace(other, mac=b"\2" * 32), NOON, ZONE)).outcome is Taken.REUSED
    assert list((await held(store)).values()) == [words.sealed]


async def test_a_repeat_is_known_after_its_sign_went_until_it_would_be_too_late(vault: Vault, store: SignStore) -> None:
    sign = await a_sign(vault)
    await store.hold(sign, NOON, ZONE)
    (gathering,) = (await store.gather(TOMORROW, ZONE, KEEP)).gatherings
    await store.let_go(gathering.batch_id)
    assert (await store.hold(sign, TOMORROW, ZONE)).outcome is Taken.REPEATED
    for day, known in ((KEEP, True), (KEEP + 1, False)):
        await store.gather(NOON + timedelta(days=day), ZONE, KEEP)  # also where nobody gave a sign any more
        assert (await store.taken(sign.command_id, sign.mac) is not None) == known


@pytest.mark.parametrize("gathered", [False, True])
@pytest.mark.parametrize("how", ["erase", "destroy"])
async def test_signs_go_with_their_person_and_with_their_key(
    vault: Vault, store: SignStore, how: str, gathered: bool
) -> None:
    doomed, other = await a_sign(vault), await a_sign(vault)
    for sign in (doomed, other):
        await store.hold(sign, NOON, ZONE)
    if gathered:
        await store.gather(TOMORROW, ZONE, KEEP)
    if how == "erase":
        await vault.keys.erase(doomed.person_id)
    else:
        await vault.keys.destroy([words.key_id for words in doomed.words])
    assert {stream for stream, _ in await held(store)} == {words.reporter_id for words in other.words}
    gone = await store.hold(replace(doomed, command_id=uuid4()), TOMORROW, ZONE)
    assert gone.outcome is Taken.GONE
    assert (await store.overdue(TOMORROW, ZONE)).signs == 1


async def test_what_should_be_on_the_log_is_counted_and_nothing_of_a_day_that_runs(
    vault: Vault, store: SignStore
) -> None:
    await store.hold(await a_sign(vault, streams=2), NOON, ZONE)
    assert await store.overdue(NOON + timedelta(hours=11), ZONE) == Overdue()
    assert await store.overdue(TOMORROW, ZONE) == Overdue(signs=2, seconds=12 * 3600)
    await store.hold(await a_sign(vault, on=TOMORROW.date()), TOMORROW, ZONE)
    assert await store.overdue(TOMORROW, ZONE) == Overdue(signs=2, seconds=12 * 3600)
    assert await store.overdue(TOMORROW + timedelta(days=1), ZONE) == Overdue(signs=3, seconds=36 * 3600)


@pytest.mark.parametrize(
    ("late_by", "taken", "due"),
    [
        (1, date(2026, 5, 20), date(2026, 5, 25)),
        (31, date(2026, 5, 18), date(2026, 5, 25)),
        (1, date(2026, 5, 24), date(2026, 5, 25)),
        (0, date(2026, 5, 24), date(2026, 5, 25)),
        (0, date(2026, 5, 20), date(2026, 5, 21)),
    ],
)
async def test_a_late_sign_waits_for_the_end_of_the_week_in_which_it_came(
    vault: Vault, store: SignStore, late_by: int, taken: date, due: date
) -> None:
    def at(day: date) -> datetime:
        return datetime.combine(day, NOON.timetz())

    assert due == recorded_from(taken - timedelta(days=late_by), taken)
    sign = replace(await a_sign(vault), on=taken - timedelta(days=late_by))
    await store.hold(sign, at(taken), ZONE)
    day = taken
    while day < due:
        assert await held(store, at(day)) == {}
        assert (await store.overdue(at(day), ZONE)).signs == 0
        day += timedelta(days=1)
    assert await store.overdue(at(due), ZONE) == Overdue(signs=1, seconds=12 * 3600)
    (gathering,) = (await store.gather(at(due), ZONE, KEEP)).gatherings
    assert [(one.on, one.taken_on) for one in gathering.signs] == [(sign.on, taken)]


async def test_many_at_once_and_two_who_gather_at_once_lose_and_double_nothing(vault: Vault, store: SignStore) -> None:
    signs = [await a_sign(vault) for _ in range(20)]
    found: dict[UUID, Gathering] = {}

    async def gather() -> None:
        for one in (await store.gather(TOMORROW, ZONE, KEEP)).gatherings:
            found[one.batch_id] = one

    await asyncio.gather(*(store.hold(sign, NOON, ZONE) for sign in signs), gather(), gather())
    gathered = [sign.reporter_id for one in found.values() for sign in one.signs]
    late = [stream for stream, _ in await held(store, TOMORROW + timedelta(days=1)) if stream not in gathered]
    assert sorted([*gathered, *late]) == sorted(words.reporter_id for sign in signs for words in sign.words)
