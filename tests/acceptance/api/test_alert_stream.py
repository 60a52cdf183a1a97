"""The stream of alerts on a real stack: in order, from any position, up to what is on Kafka, and through what fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import uuid4

import httpx
import orjson
import psutil
import pytest
from joserfc.jwk import OKPKey

from services import clock
from services.api.tokens import Bearer, TokenIssuer
from services.ledger.postgres import PostgresLedger
from services.ledger.published import Published
from tests.support.doors import ANALYST, CONSUMER, Doors, open_doors
from tests.support.following import PATH, Following, follow, sit, tell
from tests.support.stack import wait_for
from tests.support.topics import read_topic


@pytest.fixture(scope="module")
async def doors() -> AsyncIterator[Doors]:
    """Two APIs under the supervisor and one of the test's own, with a sign of life twice a second."""
    async with open_doors(INTABAZA_APIS="2", INTABAZA_API_HEARTBEAT_SECONDS="0.5") as doors:
        yield doors


@pytest.fixture
async def ledger(doors: Doors) -> AsyncIterator[PostgresLedger]:
    made = await PostgresLedger.connect(doors.stack.addresses.app_dsn, clock.now)
    yield made
    await made.close()


@pytest.fixture
async def everything(doors: Doors, ledger: PostgresLedger) -> list[int]:
    """The positions of every alert there is, eight of which are new, all of them on Kafka and seen there by the API."""
    for _ in range(4):
        await tell(ledger, 2, f"bi:test:{uuid4()}")
    told = await alerts(doors, ledger)
    async with follow(doors.client, consumer(doors), after=0) as stream:
        await stream.until(told[-1])
    return told


async def alerts(doors: Doors, ledger: PostgresLedger) -> list[int]:
    """The positions of every alert in the ledger, once all of it is on Kafka."""
    head = (await ledger.head()).position
    published = Published(doors.stack.addresses.app_dsn)
    try:
        assert await published.wait_for(head, 60)
    finally:
        await published.close()
    return [row.position for row in await ledger.read_alerts(0, head, 100_000)]


def consumer(doors: Doors) -> dict[str, str]:
    return doors.authorization(CONSUMER)


def client_of(doors: Doors, name: str) -> httpx.AsyncClient:
    """A client of one of the supervisor's own APIs."""
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{doors.stack.state['ports'][name]}", timeout=60)


async def listening(client: httpx.AsyncClient) -> int:
    said = (await client.get("/metrics")).text
    return int(float(said.rpartition("intabaza_api_listeners ")[2].split()[0]))


async def until_listening(client: httpx.AsyncClient, count: int, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while await listening(client) != count:  # noqa: ASYNC110 - another process counts
            await asyncio.sleep(0.05)


async def test_alerts_come_from_the_beginning_in_order_and_then_as_they_are_told(
    doors: Doors, ledger: PostgresLedger, everything: list[int]
) -> None:
    async with follow(doors.client, consumer(doors), after=0) as stream:
        assert await stream.until(everything[-1]) == everything
        new = await tell(ledger, 3, f"bi:test:{uuid4()}")
        assert await stream.until(new[-1]) == new


async def test_an_alert_is_the_event_as_it_is_on_kafka(doors: Doors, everything: list[int]) -> None:
    on_kafka = read_topic(doors.stack.addresses.bootstrap, "alerts.v1").values
    heard: dict[int, bytes] = {}
    async with doors.client.stream("GET", PATH, params={"after": 0}, headers=consumer(doors)) as answer:
        position = 0
        async for line in answer.aiter_lines():
            if line.startswith("id: "):
                position = int(line[4:])
            elif line.startswith("event: "):
                assert line == "event: alert.issued"
            elif line.startswith("data: "):
                heard[position] = line[6:].encode()
                if position == everything[-1]:
                    break
    assert heard == on_kafka


async def test_who_was_cut_off_before_the_first_alert_comes_back_to_where_they_began(
    doors: Doors, ledger: PostgresLedger, everything: list[int]
) -> None:
    async with follow(doors.client, consumer(doors)) as stream:
        await stream.signs(1)
        began = stream.last_id
    assert began is not None
    new = await tell(ledger, 2, f"bi:test:{uuid4()}")
    async with follow(doors.client, consumer(doors), last=began) as stream:
        assert await stream.until(new[-1]) == new


async def test_who_names_no_position_hears_only_what_comes(
    doors: Doors, ledger: PostgresLedger, everything: list[int]
) -> None:
    async with follow(doors.client, consumer(doors)) as stream:
        await stream.signs(1)
        new = await tell(ledger, 2, f"bi:test:{uuid4()}")
        assert await stream.until(new[-1]) == new


async def test_a_stream_goes_on_from_any_position_without_gap_or_repeat(doors: Doors, everything: list[int]) -> None:
    places = [0, *everything[-8:-1], *(one - 1 for one in everything[-8:])]
    for place in places:
        expected = [one for one in everything if one > place]
        async with follow(doors.client, consumer(doors), last=place) as stream:
            assert await stream.until(everything[-1]) == expected, place


async def test_the_last_id_goes_before_the_parameter_with_which_a_browser_began(
    doors: Doors, everything: list[int]
) -> None:
    async with follow(doors.client, consumer(doors), after=0, last=everything[-3]) as stream:
        assert await stream.until(everything[-1]) == everything[-2:]


@pytest.mark.parametrize("sent", ["-1", "x", "1.5", "", " ", "١", "9" * 19, "999999999999"])
async def test_a_position_that_cannot_be_is_refused(doors: Doors, sent: str) -> None:
    answer = await doors.client.get(PATH, params={"after": sent}, headers=consumer(doors), timeout=20)
    assert (answer.status_code, answer.json()["number"]) == (400, 1005)
    assert len(sent) < 3 or sent not in answer.text


async def test_signs_of_life_come_while_nothing_happens_and_are_no_requests(doors: Doors) -> None:
    async with follow(doors.client, consumer(doors)) as stream:
        await stream.signs(3)


async def test_who_may_not_follow_is_told(doors: Doors) -> None:
    assert (await doors.client.get(PATH)).status_code == 401
    answer = await doors.client.get(PATH, headers={"Authorization": "Bearer a.b.c"})
    assert (answer.status_code, answer.json()["number"]) == (401, 2001)


async def test_a_stream_ends_with_its_token_and_goes_on_with_another(doors: Doors, ledger: PostgresLedger) -> None:
    issuer = TokenIssuer.find_or_make(doors.stack.settings.token_keys)
    bearer = Bearer(doors.people[CONSUMER.name], CONSUMER.role)
    life = timedelta(minutes=10)
    ends = issuer.issue(bearer, clock.now() - life - timedelta(seconds=25), life)  # five of its thirty seconds are left
    async with follow(doors.client, {"Authorization": f"Bearer {ends}"}, after=0) as stream:
        heard = await stream.rest()
        new = await tell(ledger, 2, f"bi:test:{uuid4()}")
        assert heard + new == await alerts(doors, ledger)
    async with follow(doors.client, consumer(doors), last=heard[-1]) as stream:
        assert await stream.until(new[-1]) == new


async def test_a_stream_ends_when_the_key_of_its_token_is_taken_away_and_another_goes_on(
    doors: Doors, ledger: PostgresLedger
) -> None:
    file = doors.stack.settings.token_keys
    old, old_keys = consumer(doors), orjson.loads(file.read_bytes())["keys"]
    new_key = OKPKey.generate_key("Ed25519", {"kid": uuid4().hex[:12], "use": "sig"})
    file.write_bytes(orjson.dumps({"keys": [*old_keys, new_key.as_dict(private=True)]}))
    new = {"Authorization": f"Bearer {doors.token(ANALYST)}"}
    async with follow(doors.client, old) as ends, AsyncExitStack() as others:
        async with asyncio.timeout(30):
            while (answer := await doors.client.get("/v1/alerts", headers=new)).status_code == 401:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert answer.status_code == 200
        goes_on = await others.enter_async_context(follow(doors.client, new))
        file.write_bytes(orjson.dumps({"keys": [new_key.as_dict(private=True)]}))
        doors._tokens.clear()
        assert await ends.rest() == []
        told = await tell(ledger, 2, f"bi:test:{uuid4()}")
        assert await goes_on.until(told[-1]) == told


async def test_who_takes_nothing_is_cut_off_and_nobody_else_is_disturbed(doors: Doors, ledger: PostgresLedger) -> None:
    """Every buffer of a slow one is full long before eight megabytes; the API holds little for each, not for long."""
    for _ in range(20):
        await tell(ledger, 400, f"bi:test:{uuid4()}")
    told = await alerts(doors, ledger)
    process = psutil.Process(doors.process.pid)
    async with follow(doors.client, consumer(doors), after=0) as quick:
        assert await quick.until(told[-1], 120) == told  # what the process needs at all is there now
        before = process.memory_info().rss
        slow = [sit(doors.client.base_url.port or 0, consumer(doors)) for _ in range(20)]
        try:
            await until_listening(doors.client, 21)
            new = await tell(ledger, 5, f"bi:test:{uuid4()}")
            assert await quick.until(new[-1]) == new
            grown = process.memory_info().rss - before
            assert grown < 60_000_000, "all that they did not take would be more than twice as much"
            await until_listening(doors.client, 1)
            ports = {one.getsockname()[1] for one in slow}
            held = [one for one in process.net_connections("tcp") if one.raddr and one.raddr.port in ports]
            assert held == [], "what waited for them is let go of"
            newer = await tell(ledger, 5, f"bi:test:{uuid4()}")
            assert await quick.until(newer[-1]) == newer
        finally:
            for one in slow:
                one.close()
    assert '"alert_stream_cut_off"' in doors.log


async def test_an_api_ends_soon_with_streams_open_and_the_clients_go_on_at_the_other(
    doors: Doors, ledger: PostgresLedger, everything: list[int]
) -> None:
    # the last few alone: all that other tests told twenty times over takes a busy machine so long to read, one stream
    # after the other, that the API rightly cuts off those whose turn has not come
    recent = everything[-8:]
    async with client_of(doors, "api") as first, client_of(doors, "api-2") as second, AsyncExitStack() as open_streams:
        streams = [
            await open_streams.enter_async_context(follow(first, consumer(doors), after=recent[0] - 1))
            for _ in range(20)
        ]
        heard = [await one.until(everything[-1]) for one in streams]
        slow = [sit(doors.stack.state["ports"]["api"], consumer(doors)) for _ in range(3)]
        await until_listening(first, 23)
        process = psutil.Process(doors.stack.pid("api"))
        process.terminate()
        ended = [asyncio.create_task(one.rest()) for one in streams]
        await asyncio.to_thread(process.wait, 30)  # whoever waited for the streams would wait for hours
        heard = [one + await rest for one, rest in zip(heard, ended, strict=True)]
        for one in slow:
            one.close()
        new = await tell(ledger, 3, f"bi:test:{uuid4()}")
        for before in heard[:5]:
            async with follow(second, consumer(doors), last=before[-1]) as resumed:
                assert before + await resumed.until(new[-1]) == recent + new
    wait_for(lambda: doors.stack.state["servers"]["api"]["pid"] != process.pid, 60)


async def test_no_alert_comes_before_it_is_on_kafka(
    doors: Doors, ledger: PostgresLedger, everything: list[int]
) -> None:
    relay = psutil.Process(doors.stack.pid("relay"))
    async with follow(doors.client, consumer(doors)) as stream:
        relay.suspend()
        try:
            new = await tell(ledger, 3, f"bi:test:{uuid4()}")
            await stream.signs(3)
            async with follow(doors.client, consumer(doors), after=everything[-1]) as late:
                await late.signs(3)
        finally:
            relay.resume()
        assert await stream.until(new[-1]) == new
    assert set(new) <= read_topic(doors.stack.addresses.bootstrap, "alerts.v1").values.keys()


async def test_nothing_is_lost_where_postgres_restarts_under_a_stream(
    doors: Doors, ledger: PostgresLedger, everything: list[int]
) -> None:
    async with follow(doors.client, consumer(doors), after=everything[-1]) as stream:
        await stream.signs(1)
        before = doors.stack.state["servers"]["postgres"]
        psutil.Process(doors.stack.pid("postgres")).kill()
        wait_for(lambda: doors.stack.state["servers"]["postgres"] != before, 60)
        again = await PostgresLedger.connect(doors.stack.addresses.app_dsn, clock.now)
        try:
            new = await tell(again, 3, f"bi:test:{uuid4()}")
            expected = [one for one in await alerts(doors, again) if one > everything[-1]]
        finally:
            await again.close()
        heard = await _wherever(doors, stream, everything[-1], new[-1])
    assert heard == expected


async def _wherever(doors: Doors, stream: Following, last: int, until: int) -> list[int]:
    """What is heard up to a position, taken up again where the stream ends before."""
    heard: list[int] = []
    while not heard or heard[-1] < until:
        one = await stream.next()
        if one is None:
            async with follow(doors.client, consumer(doors), last=([last, *heard])[-1]) as resumed:
                return heard + await resumed.until(until)
        heard.append(one)
    return heard
