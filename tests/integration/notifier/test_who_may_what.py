"""The notifier's role sees what strangers may see and no more; nobody reads another's subscribers, or a secret."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import TypeAlias
from uuid import uuid4

import asyncpg
import pytest

from services.subscribers.filters import Filters
from services.subscribers.refused import NoSuchSubscriber, OwnerErased, SubscribedAlready, TooManySubscribers
from services.subscribers.register import MOST
from tests.support.ledgers import note
from tests.support.notifying import OPERATOR, NotifyTrial
from tests.support.receivers import a_receiver

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

URL = "https://example.org/hooks"


@pytest.fixture
async def notifier(trial: NotifyTrial) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(trial.dsns["intabaza_notifier"])
    yield connection
    await connection.close()


async def test_it_reads_alerts_and_the_gazetteer_and_nothing_else_of_the_ledger(
    trial: NotifyTrial, notifier: Connection
) -> None:
    await trial.ledger.append(note(text="confidential"))
    [row] = await trial.tell()
    assert [each["position"] for each in await notifier.fetch("select * from notifier.alerts(0, 100, 100)")] == [
        row.position
    ]
    for statement in (
        "select * from ledger.event",
        "select * from ledger.state",
        "select ledger.hold()",
        "select * from vault.key",
        "select * from relay.progress",
        "select * from projections.watermark",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await notifier.fetch(statement)


NOTHING = "'{}', "
PASS_BY = "select notifier.pass_by(gen_random_uuid(), 1, 1, '{}', '{}', '{}', '{}', '{}', '{}', '{}')"


async def test_who_does_not_lead_records_nothing_and_nobody_writes_past_the_functions(
    trial: NotifyTrial, notifier: Connection
) -> None:
    await trial.subscribe(URL)
    for statement in (
        f"select notifier.record({NOTHING * 17} interval '1 day')",
        PASS_BY,
        "insert into notifier.believed select * from notifier.believed",
        "delete from notifier.held",
        "select * from notifier.let_go",
        "delete from notifier.let_go",
        "update notifier.subscriber set position = 0",
        "delete from notifier.delivery",
        "select notifier.enable(gen_random_uuid(), null)",
        "insert into notifier.secret select * from notifier.secret",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await notifier.fetch(statement)
    assert await notifier.fetchval("select notifier.try_to_lead()")
    await notifier.fetch(PASS_BY)


async def test_the_api_reads_no_secret_and_without_a_word_no_subscriber(trial: NotifyTrial) -> None:
    await trial.subscribe(URL)
    app = await asyncpg.connect(trial.dsns["intabaza_app"])
    try:
        assert await app.fetch("select * from notifier.subscriber") == []
        assert await app.fetch("select * from notifier.delivery") == []
        for statement in ("select sealed from notifier.secret", "update notifier.subscriber set url = 'x'"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.fetch(statement)
    finally:
        await app.close()


async def test_a_secret_is_sealed_where_it_is_kept(trial: NotifyTrial) -> None:
    _, secret = await trial.subscribe(URL)
    kept = await trial.owner.fetchval("select string_agg(s::text, ' ') from notifier.secret s")
    assert secret.removeprefix("whsec_") not in kept
    assert len(await trial.owner.fetchval("select sealed from notifier.secret")) == 12 + 32 + 16


async def test_everybody_manages_their_own_and_others_are_not_there(trial: NotifyTrial) -> None:
    mine, other = uuid4(), uuid4()
    register = trial.register
    subscriber_id, _ = await register.add(mine, URL, Filters())
    await register.add(other, URL, Filters())
    assert [one.subscriber_id for one in await register.list(mine)] == [subscriber_id]
    assert len(await register.list(OPERATOR)) == 2
    for act in (
        register.find(other, subscriber_id),
        register.deliveries(other, subscriber_id),
        register.change(other, subscriber_id, URL, Filters()),
        register.rotate(other, subscriber_id),
        register.disable(other, subscriber_id, "no"),
        register.enable(other, subscriber_id),
        register.resend(other, subscriber_id, 1),
        register.remove(other, subscriber_id),
    ):
        with pytest.raises(NoSuchSubscriber):
            await act
    await register.disable(mine, subscriber_id, "not wanted")
    assert (await register.find(mine, subscriber_id)).disabled_because == "not wanted"


async def test_what_is_sent_again_after_a_lost_answer_names_the_first(trial: NotifyTrial) -> None:
    mine = uuid4()
    subscriber_id, _ = await trial.register.add(mine, URL, Filters())
    with pytest.raises(SubscribedAlready, match=str(subscriber_id)):
        await trial.register.add(mine, URL, Filters(minimum_level=3))
    second, _ = await trial.register.add(mine, f"{URL}/2", Filters())
    with pytest.raises(SubscribedAlready):
        await trial.register.change(mine, second, URL, Filters())


async def test_one_person_has_fifty_at_most_and_an_operator_as_many_as_it_takes(trial: NotifyTrial) -> None:
    mine = uuid4()
    for number in range(MOST):
        await trial.register.add(mine, f"{URL}/{number}", Filters())
    with pytest.raises(TooManySubscribers, match="50"):
        await trial.register.add(mine, URL, Filters())
    await trial.register.add(uuid4(), URL, Filters())
    for number in range(MOST + 1):
        await trial.register.add(OPERATOR, f"{URL}/{number}", Filters())
    # who asks again for what they have is told of it, and who removes one may have another
    with pytest.raises(SubscribedAlready):
        await trial.register.add(mine, f"{URL}/0", Filters())
    await trial.register.remove(mine, (await trial.register.list(mine))[0].subscriber_id)
    await trial.register.add(mine, URL, Filters())


async def test_fifty_are_fifty_also_where_they_are_added_at_one_moment(trial: NotifyTrial) -> None:
    mine = uuid4()
    connections = [await asyncpg.connect(trial.dsns["intabaza_app"]) for _ in range(8)]

    async def add(connection: Connection, numbers: range) -> list[str]:
        return [
            await connection.fetchval(
                ADD,
                uuid4(),
                f"{URL}/{number}",
                mine,
                uuid4(),
            )
            for number in numbers
        ]

    try:
        said = await asyncio.gather(*(add(each, range(at, 80, 8)) for at, each in enumerate(connections)))
    finally:
        for each in connections:
            await each.close()
    told = Counter(outcome for outcomes in said for outcome in outcomes)
    assert told == {"added": MOST, "too_many": 80 - MOST}
    assert len(await trial.register.list(mine)) == MOST


async def test_nothing_is_left_of_the_subscribers_of_somebody_who_is_erased(trial: NotifyTrial) -> None:
    mine, other = uuid4(), uuid4()
    async with a_receiver() as receiver, trial.notifying():
        gone, _ = await trial.register.add(mine, f"{receiver.url}/mine", Filters())
        stays, _ = await trial.register.add(other, f"{receiver.url}/other", Filters())
        await trial.tell()
        await receiver.until(lambda: len(receiver.taken) == 2)
        await trial.owner.execute("select vault.erase_person($1)", mine)
        await trial.tell()
        await trial.stands(stays, "position = 2")
    for table in ("subscriber", "secret", "delivery"):
        rows = await trial.owner.fetch(f"select * from notifier.{table}")
        assert {row["subscriber_id"] for row in rows} == {stays}, table
        assert str(mine) not in str(rows)
    with pytest.raises(OwnerErased):
        await trial.register.add(mine, URL, Filters())
    assert gone not in [one.subscriber_id for one in await trial.register.list(OPERATOR)]


ADD = (
    "select outcome from notifier.add("
    "$1, $2, null, null, null, '{actual}', false, 0, false, $3, null, $4, '', 1::smallint)"
)
ERASE = "select vault.erase_person($1)"


@pytest.mark.parametrize("first", ["adds", "erases"])
async def test_who_is_erased_while_they_subscribe_has_no_subscriber(trial: NotifyTrial, first: str) -> None:
    mine = uuid4()
    adding, erasing = [await asyncpg.connect(trial.dsns["postgres"]) for _ in range(2)]
    try:
        acts = [(adding, ADD, (uuid4(), URL, mine, uuid4())), (erasing, ERASE, (mine,))]
        (one, statement, values), (other, waits, its) = acts if first == "adds" else reversed(acts)
        async with one.transaction():
            await one.fetch(statement, *values)
            second = asyncio.create_task(other.fetch(waits, *its))
            while not await trial.owner.fetchval(  # noqa: ASYNC110 - nobody tells
                "select exists (select from pg_locks where not granted and pid = $1)", other.get_server_pid()
            ):
                await asyncio.sleep(0.01)
        [*rows] = await second
        assert first == "adds" or rows[0]["outcome"] == "erased"
    finally:
        for each in (adding, erasing):
            await each.close()
    assert await trial.register.list(OPERATOR) == []
