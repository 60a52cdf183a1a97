"""What every vault promises about keys and persons; both adapters are bound by these tests."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from events.refusals import BadInput
from events.sealed import KeyKind, Sealed, Under
from services.vault.keys import Need
from services.vault.refused import KeyGone, NoSuchKey, SourceDiffers
from services.vault.sealing import Sealer, open_text
from tests.support.vaults import Told, Vault, clear


def need(kind: KeyKind = KeyKind.REPORT) -> Need:
    return Need.of(Under(kind=kind, owner=uuid4()), "report/1")


async def test_a_key_is_made_once_and_found_again(vault: Vault) -> None:
    wanted = need()
    first = (await vault.keys.keys_for([wanted]))[wanted]
    again = (await vault.keys.keys_for([wanted]))[wanted]
    assert first.key_id == again.key_id
    opened = await vault.keys.open_keys([first.key_id])
    assert opened[first.key_id].kind is KeyKind.REPORT
    nonce = bytes(12)
    sealed = first.cipher.encrypt(nonce, b"text", None)
    assert again.cipher.decrypt(nonce, sealed, None) == b"text"
    assert opened[first.key_id].cipher.decrypt(nonce, sealed, None) == b"text"


async def test_every_need_has_a_key_of_its_own(vault: Vault) -> None:
    person = Under(kind=KeyKind.PERSON, owner=uuid4())
    wanted = [need(), need(KeyKind.CASE), Need.of(person, "report/1"), Need.of(person, "report/2")]
    keys = await vault.keys.keys_for(wanted)
    assert len({key.key_id for key in keys.values()}) == len(wanted)


async def test_no_need_at_all_makes_no_key(vault: Vault) -> None:
    assert await vault.keys.keys_for([]) == {}


async def test_callers_that_race_for_one_key_get_the_same(vault: Vault) -> None:
    wanted = need()
    answers = await asyncio.gather(*(vault.keys.keys_for([wanted]) for _ in range(20)))
    assert len({answer[wanted].key_id for answer in answers}) == 1


async def test_a_destroyed_key_neither_opens_nor_seals_and_is_never_made_again(vault: Vault) -> None:
    doomed, other = need(), need()
    keys = await vault.keys.keys_for([doomed, other])
    key_id = keys[doomed].key_id
    assert await vault.keys.destroy([key_id]) == {key_id}
    with pytest.raises(KeyGone):
        await vault.keys.open_keys([key_id])
    with pytest.raises(KeyGone):
        await vault.keys.keys_for([doomed])
    assert (await vault.keys.keys_for([other]))[other].key_id == keys[other].key_id
    assert await vault.keys.destroy([key_id]) == frozenset()


async def test_a_key_of_another_vault_is_not_known(vault: Vault) -> None:
    with pytest.raises(NoSuchKey, match="or an old copy"):
        await vault.keys.open_keys([uuid4()])


async def test_one_caller_with_a_destroyed_key_does_not_fail_the_others(vault: Vault) -> None:
    doomed = need()
    keys = await vault.keys.keys_for([doomed])
    await vault.keys.destroy([keys[doomed].key_id])
    answers = await asyncio.gather(
        *(vault.keys.keys_for([need()]) for _ in range(5)),
        vault.keys.keys_for([need(), doomed]),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [dict] * 5 + [KeyGone]


async def test_erasing_a_person_destroys_their_keys_and_those_that_speak_of_them(vault: Vault) -> None:
    erased = await vault.persons.person_by_phone("+25779000001")
    kept = await vault.persons.person_by_phone("+25779000002")
    report, other_report = uuid4(), uuid4()
    wanted = {
        "hers": Need.of(Under(kind=KeyKind.PERSON, owner=erased), "report/1"),
        "hers elsewhere": Need.of(Under(kind=KeyKind.PERSON, owner=erased), "reporter/1"),
        "his": Need.of(Under(kind=KeyKind.PERSON, owner=kept), "report/1"),
        "of her": Need.of(Under(kind=KeyKind.REPORT, owner=report), "report/1", frozenset({erased, kept})),
        "of him": Need.of(Under(kind=KeyKind.REPORT, owner=other_report), "report/2", frozenset({kept})),
    }
    keys = await vault.keys.keys_for(wanted.values())
    gone = {keys[wanted[name]].key_id for name in ("hers", "hers elsewhere", "of her")}
    assert await vault.keys.erase(erased) == gone
    for name in ("his", "of him"):
        key = keys[wanted[name]]
        assert set(await vault.keys.open_keys([key.key_id])) == {key.key_id}


async def test_people_told_of_later_count_too(vault: Vault) -> None:
    report, named_later = uuid4(), uuid4()
    under = Under(kind=KeyKind.REPORT, owner=report)
    first = Need.of(under, "report/1")
    key_id = (await vault.keys.keys_for([first]))[first].key_id
    later = Need.of(under, "report/1", frozenset({named_later}))
    assert (await vault.keys.keys_for([later]))[later].key_id == key_id
    assert await vault.keys.erase(named_later) == {key_id}


async def test_the_vault_says_of_whom_a_reports_texts_speak(vault: Vault) -> None:
    anna, ben, named_later, report, other, silent = (uuid4() for _ in range(6))
    under, other_under = (Under(kind=KeyKind.REPORT, owner=owner) for owner in (report, other))
    await vault.keys.keys_for(
        [
            Need.of(under, "report/1", frozenset({anna, ben})),
            Need.of(other_under, "report/2", frozenset({ben})),
            Need.of(Under(kind=KeyKind.REPORT, owner=silent), "report/3"),
            Need.of(Under(kind=KeyKind.CASE, owner=report), "case/1"),
            Need.of(Under(kind=KeyKind.PERSON, owner=uuid4()), f"report/{report}"),
        ]
    )
    await vault.keys.keys_for([Need.of(under, "report/1", frozenset({named_later}))])
    assert await vault.persons.spoken_of(report) == {anna, ben, named_later}
    assert await vault.persons.spoken_of(other) == {ben}
    assert await vault.persons.spoken_of(silent) == frozenset()
    assert await vault.persons.spoken_of(uuid4()) == frozenset()
    await vault.keys.erase(ben)
    assert await vault.persons.spoken_of(report) == {anna, named_later}
    assert await vault.persons.spoken_of(other) == frozenset()


async def test_nothing_is_sealed_under_or_speaks_of_an_erased_person(vault: Vault) -> None:
    never_seen, person = uuid4(), await vault.persons.person_by_phone("+25779000003")
    for erased in (never_seen, person):
        await vault.keys.erase(erased)
        for refused in (
            Need.of(Under(kind=KeyKind.PERSON, owner=erased), "report/9"),
            Need.of(Under(kind=KeyKind.REPORT, owner=uuid4()), "report/9", frozenset({erased})),
        ):
            with pytest.raises(KeyGone):
                await vault.keys.keys_for([refused])


async def test_a_sealed_text_opens_until_its_key_is_destroyed(vault: Vault) -> None:
    report = uuid4()
    stream = f"report/{report}"
    told = Told(text=clear("words", KeyKind.REPORT, report), contact=clear("+257", KeyKind.PERSON, uuid4()))
    (sealed,), key_ids = await Sealer(vault.keys).seal(stream, 1, [told])
    assert isinstance(sealed.text, Sealed)
    assert isinstance(sealed.contact, Sealed)
    assert key_ids == {sealed.text.key_id, sealed.contact.key_id}
    keys = await vault.keys.open_keys(key_ids)
    assert open_text(sealed.text, keys[sealed.text.key_id], stream, 1, "text") == "words"
    assert open_text(sealed.contact, keys[sealed.contact.key_id], stream, 1, "contact") == "+257"
    await vault.keys.destroy([sealed.text.key_id])
    with pytest.raises(KeyGone):
        await vault.keys.open_keys(key_ids)
    with pytest.raises(KeyGone):
        await Sealer(vault.keys).seal(stream, 2, [told])


async def test_one_phone_is_one_person_however_it_is_written(vault: Vault) -> None:
    assert await vault.persons.find_person("+25779000000") is None
    person = await vault.persons.person_by_phone("+257 79 000 000")
    assert await vault.persons.person_by_phone("0025779000000") == person
    assert await vault.persons.find_person("+25779000000") == person
    assert await vault.persons.person_by_phone("+25779000001") != person
    with pytest.raises(BadInput):
        await vault.persons.person_by_phone("79000000")


async def test_first_calls_of_one_phone_at_once_make_one_person(vault: Vault) -> None:
    people = await asyncio.gather(*(vault.persons.person_by_phone("+25779000000") for _ in range(20)))
    assert len(set(people)) == 1


async def test_who_is_introduced_has_the_id_drawn_for_them_unless_somebody_was_faster(vault: Vault) -> None:
    drawn, later = uuid4(), uuid4()
    assert await vault.persons.introduce("+25779000009", drawn) == drawn
    assert await vault.persons.introduce("00257 79 000 009", later) == drawn
    assert await vault.persons.find_person("+25779000009") == drawn
    assert not await vault.persons.known(later)


async def test_whoever_is_asked_about_has_no_reporter_id_by_that(vault: Vault) -> None:
    anna = uuid4()
    assert await vault.persons.find_reporter_id(anna, "bi:home:1") is None
    assert not await vault.persons.known(anna)
    here = await vault.persons.reporter_id(anna, "bi:home:1")
    assert await vault.persons.find_reporter_id(anna, "bi:home:1") == here
    assert await vault.persons.find_reporter_id(anna, "bi:home:2") is None


async def test_an_erased_persons_phone_calls_again_as_somebody_new(vault: Vault) -> None:
    person = await vault.persons.person_by_phone("+25779000000")
    await vault.keys.erase(person)
    assert await vault.persons.find_person("+25779000000") is None
    assert await vault.persons.person_by_phone("+25779000000") != person


async def test_the_vault_says_whose_report_it_is_and_which_share_a_source(vault: Vault) -> None:
    anna, ben = uuid4(), uuid4()
    hers, hers_too, his, unknown = uuid4(), uuid4(), uuid4(), uuid4()
    for report, person in ((hers, anna), (hers_too, anna), (his, ben), (his, ben)):
        await vault.persons.record_source(report, person)
    assert await vault.persons.same_person(hers, anna) is True
    assert await vault.persons.same_person(hers, ben) is False
    assert await vault.persons.same_person(unknown, anna) is None
    assert await vault.persons.same_source(hers, hers_too) is True
    assert await vault.persons.same_source(hers, his) is False
    assert await vault.persons.same_source(hers, hers) is True
    assert await vault.persons.same_source(hers, unknown) is None
    assert await vault.persons.same_source(unknown, unknown) is None


async def test_a_reports_source_stays_who_it_was(vault: Vault) -> None:
    report = uuid4()
    await vault.persons.record_source(report, uuid4())
    with pytest.raises(SourceDiffers, match="already has another source"):
        await vault.persons.record_source(report, uuid4())


async def test_pseudonyms_stay_in_a_case_and_differ_between_cases_and_people(vault: Vault) -> None:
    anna, ben, case, other_case = uuid4(), uuid4(), uuid4(), uuid4()
    name = await vault.persons.pseudonym(anna, case)
    assert await vault.persons.pseudonym(anna, case) == name
    names = {name, await vault.persons.pseudonym(anna, other_case), await vault.persons.pseudonym(ben, case)}
    assert len(names) == 3
    assert not names & {anna, ben, case, other_case}


async def test_first_acts_at_once_make_one_pseudonym(vault: Vault) -> None:
    anna, case = uuid4(), uuid4()
    assert len(set(await asyncio.gather(*(vault.persons.pseudonym(anna, case) for _ in range(20))))) == 1


async def test_reporter_ids_of_two_homes_do_not_match(vault: Vault) -> None:
    anna = uuid4()
    here = await vault.persons.reporter_id(anna, "bi:home:1")
    assert await vault.persons.reporter_id(anna, "bi:home:1") == here
    assert len({here, await vault.persons.reporter_id(anna, "bi:home:2"), anna}) == 3


async def test_every_link_to_an_erased_person_is_gone(vault: Vault) -> None:
    person, report, case = await vault.persons.person_by_phone("+25779000000"), uuid4(), uuid4()
    await vault.persons.record_source(report, person)
    await vault.persons.pseudonym(person, case)
    await vault.persons.reporter_id(person, "bi:home:1")
    await vault.keys.erase(person)
    assert await vault.persons.same_person(report, person) is None
    for again in (
        vault.persons.record_source(report, person),
        vault.persons.record_source(uuid4(), person),
        vault.persons.pseudonym(person, case),
        vault.persons.reporter_id(person, "bi:home:1"),
    ):
        with pytest.raises(KeyGone):
            await again
