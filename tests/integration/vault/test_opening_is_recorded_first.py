"""Nobody reads a sealed text before the ledger holds who opened it, and nothing that goes wrong gives text."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from events.catalogue import read
from events.custody import MayNotOpen, NeedsApprovers, RecordViewed, ViewPurpose
from events.envelope import Envelope
from events.sealed import KeyKind, Sealed
from events.vocabulary import Role
from services.ledger.ledger import (
    Accepted,
    Conflict,
    DoorShut,
    KeyDestroyed,
    Ledger,
    NotAccepted,
    Recorded,
    Submission,
    Unknown,
)
from services.ledger.postgres import PostgresLedger
from services.vault.commands import CommandIds
from services.vault.opening import Opener, sealed_fields
from services.vault.refused import CannotOpen, KeyGone, NoSuchKey, NotSealed
from services.vault.sealing import Sealer
from services.vault.used import UsedInMemory
from tests.support.vaults import SOURCE, PostgresVault, Told, act_of, clear, submission_of


@dataclass
class Desk:
    """Somebody's desk: a vault, a ledger, and one report recorded with text and contact."""

    vault: PostgresVault
    ledger: PostgresLedger
    opener: Opener
    report: UUID
    recorded: Recorded

    async def views(self) -> list[RecordViewed]:
        rows = await self.ledger.read_stream(f"custody/{self.report}")
        events = [read(row.wire()).data for row in rows]
        assert all(isinstance(event, RecordViewed) for event in events)
        return [event for event in events if isinstance(event, RecordViewed)]

    def opener_on(self, ledger: Ledger) -> Opener:
        return Opener(self.vault.keys, ledger, CommandIds(self.vault.master), SOURCE, UsedInMemory())


@pytest.fixture
async def desk(vault: PostgresVault, ledger: PostgresLedger) -> Desk:
    report = uuid4()
    stream = f"report/{report}"
    told = Told(text=clear("CANARY words", KeyKind.REPORT, report), contact=clear("+257", KeyKind.PERSON, uuid4()))
    sealed, key_ids = await Sealer(vault.keys).seal(stream, 1, [told])
    await ledger.append(submission_of(stream, sealed, key_ids))
    (recorded,) = await ledger.read_stream(stream)
    opener = Opener(vault.keys, ledger, CommandIds(vault.master), SOURCE, UsedInMemory())
    return Desk(vault, ledger, opener, report, recorded)


class Breaking:
    """A ledger that does what it is told instead of appending, then passes the rest on."""

    def __init__(self, ledger: Ledger, *errors: Exception, first_append: bool = False) -> None:
        self.ledger, self.errors, self.first_append = ledger, list(errors), first_append
        self.tried: list[Submission] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.ledger, name)

    async def append(self, submission: Submission) -> Accepted:
        self.tried.append(submission)
        if not self.errors:
            return await self.ledger.append(submission)
        if self.first_append:
            await self.ledger.append(submission)
        raise self.errors.pop(0)


async def test_a_view_is_in_the_ledger_when_the_text_is_given(desk: Desk) -> None:
    act = act_of(Role.REVIEWER)
    texts = await desk.opener.unseal(desk.recorded, ["text"], act, ViewPurpose.REVIEW)
    assert texts["text"].get_secret_value() == "CANARY words"
    (view,) = await desk.views()
    assert view == RecordViewed(
        viewed=f"report/{desk.report}",
        viewed_version=1,
        viewed_type="test.told",
        fields=("text",),
        purpose=ViewPurpose.REVIEW,
    )
    (row,) = await desk.ledger.read_stream(f"custody/{desk.report}")
    envelope = read(row.wire())
    assert (envelope.actorref, envelope.actorrole) == (act.by.ref, Role.REVIEWER)
    assert envelope.partitionkey == desk.recorded.home


async def test_an_event_read_from_the_log_opens_like_its_row(desk: Desk) -> None:
    envelope = Envelope[Told].model_validate_json(desk.recorded.wire())
    texts = await desk.opener.unseal(envelope, ["text"], act_of(Role.REVIEWER), ViewPurpose.REVIEW)
    assert texts["text"].get_secret_value() == "CANARY words"
    assert set(sealed_fields(envelope)) == {"text", "contact"}
    (row,) = await desk.ledger.read_stream(f"custody/{desk.report}")
    assert row.home == desk.recorded.home


async def test_the_texts_given_do_not_show_themselves(desk: Desk) -> None:
    texts = await desk.opener.unseal(desk.recorded, ["text"], act_of(Role.REVIEWER), ViewPurpose.REVIEW)
    assert "CANARY" not in f"{texts} {texts!r}"


async def test_an_event_names_its_sealed_fields(desk: Desk) -> None:
    assert sealed_fields(desk.recorded) == ("contact", "text")


async def test_each_view_is_an_event_of_its_own(desk: Desk) -> None:
    await asyncio.gather(
        *(desk.opener.unseal(desk.recorded, ["text"], act_of(Role.REVIEWER), ViewPurpose.REVIEW) for _ in range(5))
    )
    fresh = desk.opener_on(desk.ledger)
    await fresh.unseal(desk.recorded, ["text", "text"], act_of(Role.REVIEWER), ViewPurpose.REVIEW)
    assert [view.fields for view in await desk.views()] == [("text",)] * 6


async def test_who_may_not_open_gets_nothing_and_nothing_is_recorded(desk: Desk) -> None:
    for role, field, error in (
        (Role.ADMIN, "text", MayNotOpen),
        (Role.REVIEWER, "contact", MayNotOpen),
        (Role.CUSTODIAN, "contact", NeedsApprovers),
    ):
        with pytest.raises(error):
            await desk.opener.unseal(desk.recorded, [field], act_of(role), ViewPurpose.DISCLOSURE)
    assert await desk.views() == []


async def test_a_contact_is_opened_with_two_approvers_who_stand_in_the_record(desk: Desk) -> None:
    anna, ben = uuid4(), uuid4()
    texts = await desk.opener.unseal(
        desk.recorded, ["contact"], act_of(Role.CUSTODIAN), ViewPurpose.DISCLOSURE, (anna, ben)
    )
    assert texts["contact"].get_secret_value() == "+257"
    (view,) = await desk.views()
    assert view.approved_by == (anna, ben)


async def test_without_the_record_there_is_no_text(desk: Desk) -> None:
    await desk.ledger.shut_door("being restored")
    with pytest.raises(DoorShut):
        await desk.opener.unseal(desk.recorded, ["text"], act_of(Role.REVIEWER), ViewPurpose.REVIEW)


async def test_a_lost_answer_is_asked_for_again_and_recorded_once(desk: Desk) -> None:
    breaking = Breaking(desk.ledger, Unknown("the connection broke"), first_append=True)
    texts = await desk.opener_on(breaking).unseal(  # type: ignore[arg-type]
        desk.recorded, ["text"], act_of(Role.REVIEWER), ViewPurpose.REVIEW
    )
    assert texts["text"].get_secret_value() == "CANARY words"
    assert len({submission.command_id for submission in breaking.tried}) == 1
    assert len(await desk.views()) == 1


@pytest.mark.parametrize(
    "error", [Unknown("the connection broke"), NotAccepted("down"), Conflict("custody/other", 0, 1)]
)
async def test_a_ledger_that_never_answers_gives_no_text(desk: Desk, error: Exception) -> None:
    breaking = Breaking(desk.ledger, *[error] * 100)
    with pytest.raises(type(error)):
        await desk.opener_on(breaking).unseal(  # type: ignore[arg-type]
            desk.recorded, ["text"], act_of(Role.REVIEWER), ViewPurpose.REVIEW
        )
    assert await desk.views() == []


async def test_a_destroyed_key_gives_no_text(desk: Desk) -> None:
    sealed = Sealed.model_validate(orjson.loads(desk.recorded.body)["data"]["text"])
    await desk.vault.keys.destroy([sealed.key_id])
    with pytest.raises(KeyGone):
        await desk.opener.unseal(desk.recorded, ["text"], act_of(Role.REVIEWER), ViewPurpose.REVIEW)
    assert await desk.views() == []


async def test_a_key_destroyed_while_its_text_is_being_opened_gives_no_text(desk: Desk) -> None:
    sealed = Sealed.model_validate(orjson.loads(desk.recorded.body)["data"]["text"])

    class DestroyedMeanwhile(Breaking):
        async def append(self, submission: Submission) -> Accepted:
            await desk.vault.keys.destroy([sealed.key_id])
            return await self.ledger.append(submission)

    with pytest.raises(KeyDestroyed):
        await desk.opener_on(DestroyedMeanwhile(desk.ledger)).unseal(  # type: ignore[arg-type]
            desk.recorded, ["text"], act_of(Role.REVIEWER), ViewPurpose.REVIEW
        )
    assert await desk.views() == []


async def test_a_ciphertext_put_into_another_event_gives_no_text(desk: Desk) -> None:
    moved = Recorded(
        position=9,
        stream=f"report/{uuid4()}",
        version=1,
        event_id=uuid4(),
        type="test.told",
        home=desk.recorded.home,
        recorded_at=desk.recorded.recorded_at,
        command_id=uuid4(),
        command_mac=b"",
        body=desk.recorded.body,
    )
    with pytest.raises(CannotOpen, match="moved, swapped, cut or altered") as refused:
        await desk.opener.unseal(moved, ["text"], act_of(Role.REVIEWER), ViewPurpose.REVIEW)
    assert refused.value.__cause__ is None
    assert await desk.ledger.read_stream(moved.stream.replace("report", "custody")) == []


async def test_a_field_that_is_not_sealed_is_named(desk: Desk) -> None:
    with pytest.raises(NotSealed, match="no sealed field note; it has contact, text"):
        await desk.opener.unseal(desk.recorded, ["note"], act_of(Role.REVIEWER), ViewPurpose.REVIEW)


async def test_texts_are_carried_into_another_stream_and_sealed_anew(desk: Desk) -> None:
    data = orjson.loads(desk.recorded.body)["data"]
    words = {name: (1, Sealed.model_validate(data[name])) for name in ("text", "contact")}
    carried = await desk.opener.carry(f"report/{desk.report}", words)
    again = uuid4()
    assert (carried.texts.keys(), carried.erased) == (words.keys(), frozenset())
    assert carried.key_ids == {sealed.key_id for _, sealed in words.values()}
    told = Told(text=clear(carried.texts["text"].get_secret_value(), KeyKind.REPORT, again))
    (sealed,), _ = await Sealer(desk.vault.keys).seal(f"report/{again}", 1, [told])
    assert isinstance(sealed.text, Sealed)
    assert sealed.text.key_id != words["text"][1].key_id
    reopened = await desk.opener.carry(f"report/{again}", {"text": (1, sealed.text)})
    assert reopened.texts["text"].get_secret_value() == "CANARY words"
    with pytest.raises(CannotOpen):
        await desk.opener.carry(f"report/{again}", {"text": (2, sealed.text)})


async def test_what_was_erased_is_named_and_the_rest_is_carried(desk: Desk) -> None:
    data = orjson.loads(desk.recorded.body)["data"]
    words = {name: (1, Sealed.model_validate(data[name])) for name in ("text", "contact")}
    text_key, contact_key = (words[name][1].key_id for name in ("text", "contact"))
    await desk.vault.keys.destroy([contact_key])
    carried = await desk.opener.carry(f"report/{desk.report}", words)
    assert set(carried.texts) == {"text"}
    assert (carried.erased, carried.key_ids) == (frozenset({"contact"}), frozenset({text_key}))
    await desk.vault.keys.destroy([text_key])
    carried = await desk.opener.carry(f"report/{desk.report}", words)
    assert not carried.texts
    assert (carried.erased, carried.key_ids) == (frozenset(words), frozenset())


async def test_what_was_lost_with_an_older_vault_is_carried_no_more_and_says_so_when_it_is_opened(
    desk: Desk, superuser: asyncpg.Connection
) -> None:
    data = orjson.loads(desk.recorded.body)["data"]
    words = {name: (1, Sealed.model_validate(data[name])) for name in ("text", "contact")}
    await superuser.execute("set session_replication_role = replica")
    await superuser.execute("delete from vault.key where key_id = $1", words["text"][1].key_id)
    carried = await desk.opener.carry(f"report/{desk.report}", words)
    assert (set(carried.texts), carried.erased) == ({"contact"}, frozenset({"text"}))
    with pytest.raises(NoSuchKey, match="an old copy from before that key was made"):
        await desk.opener.unseal(desk.recorded, ["text"], act_of(Role.REVIEWER), ViewPurpose.REVIEW)
    assert await desk.views() == []
