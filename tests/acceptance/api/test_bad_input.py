"""Whoever sends something wrong is told which field, what was expected and what to do; and nothing is written."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
import orjson
import pytest
from joserfc.jwk import OKPKey

from events.catalogue import read
from events.custody import ViewPurpose
from events.event import Act
from events.vocabulary import Actor, Role
from services import clock
from services.acts.network import Committee, Network
from services.api.examples import EXAMPLES, GIHANGA, GISURU
from services.api.tokens import Bearer, TokenIssuer
from services.gazetteer import read_gazetteer
from services.vault.master import MasterKey
from services.wiring import open_network
from tests.support.doors import ALINE, ANALYST, BEDE, CONSUMER, FABIEN, GLORIA, Caller, Doors
from tests.support.story_by_http import GAZETTEER, Telling

REPORT = EXAMPLES["report.receive"]
FORM = {name: value for name, value in REPORT.items() if name not in ("unit", "place_precision")} | {"channel": "form"}


@pytest.fixture(scope="module")
async def network(doors: Doors) -> AsyncIterator[Network]:
    """The same ledger and vault, to look at what was written."""
    settings, addresses = doors.stack.settings, doors.stack.addresses
    async with open_network(
        addresses.app_dsn,
        addresses.vault_dsn,
        MasterKey.read(settings.master_key_file),
        read_gazetteer(GAZETTEER),
        Committee(frozenset(), 1),
        zone=ZoneInfo("Africa/Bujumbura"),
        source=settings.source,
    ) as network:
        yield network


async def texts_of(network: Network, answer: httpx.Response, *fields: str) -> dict[str, str]:
    """Sealed texts of the first event that an answer names, as a reviewer's screen would open them."""
    event = answer.json()["events"][0]
    row = (await network.desk.ledger.read_stream(event["stream"]))[event["version"] - 1]
    at = clock.now()
    act = Act(at=at, today=at.date(), by=Actor(role=Role.REVIEWER, ref=uuid4()))
    opened = await network.opener.unseal(row, list(fields), act, ViewPurpose.REVIEW)
    return {name: text.get_secret_value() for name, text in opened.items()}


async def refused(
    doors: Doors, network: Network, body: dict[str, Any] | bytes, caller: Caller = ALINE, **more: Any
) -> dict[str, Any]:
    """The problem that a report is answered with; checks that nothing at all came of it."""
    key = str(uuid4())
    answer = await doors.post(caller, "/v1/reports", body, key=key, **more)
    problem: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert problem["status"] == answer.status_code
    command_id = network.desk.id_of(doors.people[caller.name], key)
    assert await network.desk.ledger.read_command(command_id) == []
    assert (await doors.client.get(problem["type"])).json()["number"] == problem["number"]
    return problem


# --- places -----------------------------------------------------------------------------------------------------------


async def test_an_unknown_unit_is_refused_at_a_form_and_a_message_is_unplaced(doors: Doors, network: Network) -> None:
    problem = await refused(doors, network, {**FORM, "unit": "bi:c2015:atlantis"})
    assert (problem["number"], problem["errors"][0]["field"]) == (1001, "unit")
    assert "look the place up" in problem["errors"][0]["mend"]
    message = await doors.post(ALINE, "/v1/reports", {**REPORT, "unit": "bi:c2015:atlantis"})
    assert message.status_code == 201
    assert await placed_in(network, message) == ("unplaced", ("unplaced",))


async def placed_in(network: Network, answer: httpx.Response) -> tuple[str, tuple[str, ...]]:

    (row,) = await network.desk.ledger.read_stream(answer.json()["events"][0]["stream"])
    data: Any = read(row.wire()).data
    return data.place.unit, tuple(data.flags)


async def shown_in(doors: Doors, case_id: str, unit: str) -> None:
    async with asyncio.timeout(60):
        while (shown := await doors.get(BEDE, f"/v1/cases/{case_id}")).status_code != 200:  # noqa: ASYNC110 - the board
            await asyncio.sleep(0.05)
    assert shown.json()["unit"] == unit


async def test_a_case_is_opened_where_a_name_says_and_an_ambiguous_one_is_asked_about(doors: Doors) -> None:
    case = {**EXAMPLES["case.open-case"], "reports": [], "threat_to_life": True, "provisional": True}
    del case["unit"]

    async def opened(**place: str) -> httpx.Response:
        return await doors.post(FABIEN, "/v1/cases", case | place)

    ambiguous, unknown = await opened(place_name="Rumonge"), await opened(place_name="Gihannga")
    assert (ambiguous.status_code, ambiguous.json()["number"]) == (422, 1011)
    assert (unknown.status_code, unknown.json()["number"]) == (422, 1014)
    for answer in (ambiguous, unknown):
        assert answer.json()["errors"][0]["field"] == "place_name"
        chosen = await opened(unit=answer.json()["candidates"][0]["unit"])
        assert chosen.status_code == 201, chosen.text
    made = await opened(place_name="gihanga")
    assert made.status_code == 201, made.text
    await shown_in(doors, made.json()["case_id"], GIHANGA)
    both = await opened(place_name="Rumonge", unit=GISURU)
    assert both.status_code == 201, "a unit that is known comes before a name"
    neither = await opened()
    assert [one["field"] for one in neither.json()["errors"]] == ["unit"]


async def test_an_ambiguous_name_is_asked_about_at_a_form_and_kept_in_a_message(doors: Doors, network: Network) -> None:
    problem = await refused(doors, network, {**FORM, "place_name": "Rumonge"})
    assert (problem["status"], problem["number"]) == (422, 1011)
    units = {one["unit"] for one in problem["candidates"]}
    assert len(units) > 1
    assert {"unit", "unit_name", "kind", "inside", "in_force"} == problem["candidates"][0].keys()
    chosen = await doors.post(ALINE, "/v1/reports", {**FORM, "unit": min(units)})
    assert chosen.status_code == 201
    words = {"place_name": "Rumonge", "place_words": "hafi y'ikiyaga"}
    message = await doors.post(ALINE, "/v1/reports", {**FORM, "channel": "sms", **words})
    assert message.status_code == 201
    assert await placed_in(network, message) == ("unplaced", ("unplaced",))
    assert await texts_of(network, message, "place_words") == {"place_words": "Rumonge\nhafi y'ikiyaga"}


async def test_a_name_that_nobody_knows_is_answered_with_those_that_sound_like_it(
    doors: Doors, network: Network
) -> None:
    problem = await refused(doors, network, {**FORM, "place_name": "Gihannga"})
    assert (problem["status"], problem["number"]) == (422, 1014)
    assert "Gihanga" in {one["unit_name"] for one in problem["candidates"]}
    nothing_like_it = await refused(doors, network, {**FORM, "place_name": "zzzzqqqq"})
    assert nothing_like_it["candidates"] == []
    message = await doors.post(ALINE, "/v1/reports", {**FORM, "channel": "sms", "place_name": "zzzzqqqq"})
    assert await placed_in(network, message) == ("unplaced", ("unplaced",))


# --- fields -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"occurred": {"from": "2025-02-30"}}, "occurred.from", "calendar"),
        ({"occurred": {"from": "30/05/2025"}}, "occurred.from", "2026-05-20"),
        ({"occurred": {"from": 20250530}}, "occurred.from", "no number"),
        ({"kind": "riot"}, "kind", "tension"),
        ({"urgency": "high"}, "urgency", "immediate"),
        ({"text": ""}, "text", "at least 1"),
        ({"text": "x" * 10_001}, "text", "10000"),
        ({"text": 7}, "text", "string"),
        ({"text": "a\x00b"}, "text", "NUL"),
        ({"harm": [{"what": "killed", "min": 3, "max": 1}]}, "harm.0", "min not above max"),
        ({"harm": [{"what": "killed", "min": -1}]}, "harm.0.min", "greater than or equal to 0"),
        ({"harm": [{"what": "killed", "min": True}]}, "harm.0.min", "integer"),
        ({"unit": "Gihanga!"}, "unit", "id of ours"),
        ({"txt": "words"}, "txt", "only known fields"),
        ({"received_at": "2025-05-20T06:30:00Z"}, "received_at", "nothing"),
        ({"mode": "drill"}, "mode", "exercise"),
        ({"on_behalf_of": "aline"}, "on_behalf_of", "UUID"),
        ({"client_id": ""}, "client_id", "at least 1"),
        ({"speaks_of": ["nobody"]}, "speaks_of.0", "UUID"),
        ({"place_name": "x" * 201}, "place_name", "200"),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else "",
)
async def test_a_field_that_cannot_be_is_named_with_what_was_expected(
    doors: Doors, network: Network, changes: dict[str, Any], field: str, said: str
) -> None:
    problem = await refused(doors, network, {**REPORT, **changes})
    assert (problem["status"], problem["number"]) == (422, 1001)
    (error,) = problem["errors"]
    assert error["field"] == field
    assert said in error["expected"] + error["mend"]
    assert error["mend"]


async def test_a_field_that_is_missing_is_named(doors: Doors, network: Network) -> None:
    problem = await refused(doors, network, {"channel": "sms", "text": "ijambo"})
    assert {error["field"] for error in problem["errors"]} == {"language", "kind"}


async def test_dates_that_cannot_be_are_refused_at_a_form_and_flagged_in_a_message(
    doors: Doors, network: Network
) -> None:
    turned = {"occurred": {"from": "2025-05-20", "to": "2025-05-19"}}
    problem = await refused(doors, network, {**FORM, "unit": GISURU, **turned})
    assert problem["errors"][0]["field"] == "occurred.to"
    message = await doors.post(ALINE, "/v1/reports", {**REPORT, **turned})
    assert await placed_in(network, message) == (REPORT["unit"], ("clock_doubtful",))


async def test_every_script_is_taken_and_read_back_as_it_was(doors: Doors, network: Network) -> None:
    words = {
        "text": "🕊️ Amahoro 👨‍👩‍👧 \u202eعاجل: خطر\u202c שלום е́ \u200f\u0301 \u2028 𝔊\U0010fffd",
        "place_words": "السوق 🏪",
    }
    answer = await doors.post(FABIEN, "/v1/reports", {**REPORT, **words})
    assert answer.status_code == 201
    assert await texts_of(network, answer, *words) == words


# --- bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "number"),
    [
        (b"", 400, 1002),
        (b"{", 400, 1002),
        (b'{"channel": "sms",}', 400, 1002),
        (b"[]", 400, 1002),
        (b"null", 400, 1002),
        (b'{"text": "\xff\xfe"}', 400, 1002),
        (b'{"text": "\\ud800"}', 400, 1002),
        (b'{"text": NaN}', 400, 1002),
        (b'{"text": "a\x00b"}', 400, 1002),
        (b"[" * 100_000, 400, 1002),
        (b'{"text":' * 40 + b"1" + b"}" * 40, 422, 1001),
        (b'{"text":' * 900 + b"1" + b"}" * 900, 422, 1001),
        (b'{"text": "' + b"x" * 1_000_000 + b'"}', 413, 1003),
    ],
    ids=lambda one: repr(one[:12]) if isinstance(one, bytes) else "",
)
async def test_a_body_that_is_no_command(doors: Doors, network: Network, body: bytes, status: int, number: int) -> None:
    problem = await refused(doors, network, body)
    assert (problem["status"], problem["number"]) == (status, number)


async def test_a_body_without_an_end_is_cut_off_where_it_is_too_large(doors: Doors) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 50_000

    headers = doors.authorization(ALINE) | {"Content-Type": "application/json", "Idempotency-Key": "endless"}
    answer = await doors.client.post("/v1/reports", content=pieces(), headers=headers)
    assert (answer.status_code, answer.json()["number"]) == (413, 1003)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_another_content_type(doors: Doors, network: Network, media_type: str) -> None:
    problem = await refused(doors, network, dict(REPORT), headers={"Content-Type": media_type})
    assert (problem["status"], problem["number"]) == (415, 1010)


async def test_json_of_another_name_is_json(doors: Doors) -> None:
    headers = {"Content-Type": "application/vnd.intabaza+json; charset=utf-8"}
    assert (await doors.post(ALINE, "/v1/reports", REPORT, headers=headers)).status_code == 201


# --- headers, parameters, addresses -----------------------------------------------------------------------------------


async def test_a_command_without_an_id_of_its_own(doors: Doors) -> None:
    none = await doors.post(ALINE, "/v1/reports", REPORT, key=None)
    two = await doors.post(ALINE, "/v1/reports", {**REPORT, "client_id": "another"}, key="one")
    long = await doors.post(ALINE, "/v1/reports", REPORT, key="x" * 201)
    assert [(one.status_code, one.json()["number"]) for one in (none, two, long)] == [(400, 1004)] * 3


async def test_a_known_id_with_another_body(doors: Doors) -> None:
    key = str(uuid4())
    assert (await doors.post(ALINE, "/v1/reports", REPORT, key=key)).status_code == 201
    for other in ({"text": "andi majambo"}, {"kind": "tension"}, {"place_name": "Gihanga"}, {"mode": "exercise"}):
        answer = await doors.post(ALINE, "/v1/reports", {**REPORT, **other}, key=key)
        assert (answer.status_code, answer.json()["number"]) == (422, 3004)


@pytest.mark.parametrize("etag", ["1", "abc", '"abc"', '"1", "2"', '"-1"', '"9999999999999999999999"', ""])
async def test_an_if_match_that_is_no_etag_of_ours(doors: Doors, etag: str) -> None:
    path = f"/v1/reports/{uuid4()}/withdraw"
    answer = await doors.post(FABIEN, path, {"reason": "false"}, headers={"If-Match": etag})
    assert (answer.status_code, answer.json()["number"]) == (400, 1009)


@pytest.mark.parametrize(
    "params",
    [
        {"wait": "accepted"},
        {"wait": "published", "wait_seconds": "soon"},
        {"wait": "published", "wait_seconds": "-1"},
        {"wait": "published", "wait_seconds": "31"},
        {"wait": "published", "wait_seconds": "nan"},
        {"wati": "published"},
    ],
    ids=lambda params: "&".join(f"{name}={value}" for name, value in params.items()),
)
async def test_a_parameter_that_cannot_be(doors: Doors, network: Network, params: dict[str, Any]) -> None:
    problem = await refused(doors, network, dict(REPORT), **params)
    assert (problem["status"], problem["number"]) == (400, 1005)


async def test_a_cursor_from_elsewhere(doors: Doors) -> None:
    report_id = (await Telling(doors).do(ALINE, "report.receive"))["report_id"]
    path, other = f"/v1/reports/{report_id}/timeline", "/v1/cases"
    grade = EXAMPLES["report.grade"]
    graded = await doors.post(BEDE, f"/v1/reports/{report_id}/grade", grade, wait="projected", wait_seconds=30)
    assert graded.json()["projected"]
    first = await doors.get(BEDE, path, limit=1)
    assert first.status_code == 200
    cursor = dict(httpx.URL(first.links["next"]["url"]).params)["cursor"]
    assert (await doors.get(BEDE, path, limit=1, cursor=cursor)).status_code == 200
    made_up = base64.urlsafe_b64encode(orjson.dumps([path, 1])).decode().rstrip("=")
    for where, sent in ((other, cursor), (path, "x"), (path, "é"), (path, made_up), (path, "")):
        answer = await doors.get(BEDE, where, cursor=sent)
        assert (answer.status_code, answer.json()["number"]) == (400, 1006), sent


@pytest.mark.parametrize(
    "path", ["/", "/v1/", "/v1/reports/", "/v1/nothing", "/v2/reports", "/v1/reports//grade", "/é"]
)
async def test_an_address_where_nothing_is(doors: Doors, path: str) -> None:
    answer = await doors.get(ALINE, path)
    assert (answer.status_code, answer.json()["number"]) == (404, 1007)


async def test_a_method_that_an_address_does_not_take(doors: Doors) -> None:
    for method, path, allowed in (
        ("DELETE", "/v1/cases", "GET, POST"),
        ("PUT", "/v1/reports", "POST"),
        ("POST", f"/v1/cases/{uuid4()}", "GET"),
        ("GET", "/v1/reference/adopt-rules", "POST"),
    ):
        answer = await doors.client.request(method, path, headers=doors.authorization(BEDE))
        assert (answer.status_code, answer.json()["number"]) == (405, 1008), path
        assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("about", ["7", "%00", "0e1f7a52-6c1d-8b1e-9d57", "..%2f..", "é"])
async def test_an_id_in_the_address_that_is_none(doors: Doors, about: str) -> None:
    answer = await doors.post(BEDE, f"/v1/reports/{about}/grade", EXAMPLES["report.grade"])
    assert (answer.status_code, answer.json()["number"]) in ((400, 1005), (404, 1007))


async def test_what_is_not_there(doors: Doors) -> None:
    report = await doors.post(BEDE, f"/v1/reports/{uuid4()}/grade", EXAMPLES["report.grade"])
    assert (report.status_code, report.json()["number"]) == (404, 3101)
    case = await doors.post(FABIEN, f"/v1/cases/{uuid4()}/classify", EXAMPLES["case.classify"])
    assert (case.status_code, case.json()["number"]) == (404, 3201)


# --- who asks ---------------------------------------------------------------------------------------------------------


async def test_a_role_that_may_not(doors: Doors, network: Network) -> None:
    for caller in (ANALYST, CONSUMER):
        problem = await refused(doors, network, dict(REPORT), caller)
        assert (problem["status"], problem["number"]) == (403, 2002)


async def test_what_a_retired_key_signed_is_refused_without_a_restart(doors: Doors) -> None:
    before = doors.authorization(BEDE)
    added = await asyncio.to_thread(doors.stack.command, "token-keys", "add")
    assert added.returncode == 0, added.stderr
    kid = added.stdout.split()[0]
    by_it = {"Authorization": f"Bearer {doors.token(BEDE)}"}

    async def until(status: int) -> None:
        async with asyncio.timeout(30):
            while (await doors.get(None, "/v1/committee", headers=by_it)).status_code != status:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    await until(200)
    assert (await doors.get(None, "/v1/committee", headers=before)).status_code == 200
    retired = await asyncio.to_thread(doors.stack.command, "token-keys", "retire", kid)
    assert retired.returncode == 0, retired.stderr
    await until(401)
    assert (await doors.get(None, "/v1/committee", headers=before)).status_code == 200
    last = await asyncio.to_thread(doors.stack.command, "token-keys", "list")
    (held,) = last.stdout.splitlines()
    refused = await asyncio.to_thread(doors.stack.command, "token-keys", "retire", held.split()[0])
    assert refused.returncode == 1
    assert "only key" in refused.stderr


async def test_an_area_that_does_not_reach(doors: Doors) -> None:
    report_id = (await Telling(doors).do(ALINE, "report.receive"))["report_id"]
    path, grade = f"/v1/reports/{report_id}/grade", EXAMPLES["report.grade"]
    answer = await doors.post(Caller("bede", Role.REVIEWER, (GISURU,)), path, grade)
    assert (answer.status_code, answer.json()["number"]) == (404, 3101)
    province = Caller("bede", Role.REVIEWER, ("bi:p2015:bubanza",))
    assert (await doors.post(province, path, grade)).status_code == 200


def _part(document: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(document)).decode().rstrip("=")


def forged(doors: Doors) -> dict[str, str]:
    """Tokens that say what a good one says, and are none."""
    good = doors.token(GLORIA)
    header, claims, signature = good.split(".")
    key = orjson.loads(doors.stack.settings.token_keys.read_bytes())["keys"][-1]
    raw_public = base64.urlsafe_b64decode(key["x"] + "=")
    public = OKPKey.import_key({name: value for name, value in key.items() if name != "d"})
    now, bearer = clock.now(), Bearer(doors.people["gloria"], Role.REPORTER)

    def hs256(secret: bytes) -> str:
        signed = f"{_part({'alg': 'HS256', 'kid': key['kid']})}.{claims}"
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

    def other(kid: str) -> str:
        return TokenIssuer(OKPKey.generate_key("Ed25519", {"kid": kid})).issue(bearer, now, timedelta(hours=1))

    more = orjson.loads(base64.urlsafe_b64decode(claims + "==")) | {"role": "admin"}
    return {
        "no token": "",
        "none": f"{_part({'alg': 'none', 'kid': key['kid']})}.{claims}.",
        "none, signed": f"{_part({'alg': 'none', 'kid': key['kid']})}.{claims}.{signature}",
        "HS256 with the public key": hs256(raw_public),
        "HS256 with the public key as PEM": hs256(public.as_pem(private=False)),
        "another key": other(key["kid"]),
        "another key of another name": other("another"),
        "other claims": f"{header}.{_part(more)}.{signature}",
        "no signature": f"{header}.{claims}.",
        "a key of its own": f"{_part({'alg': 'Ed25519', 'jwk': public.as_dict(private=False)})}.{claims}.{signature}",
        "ended": TokenIssuer.find_or_make(doors.stack.settings.token_keys).issue(
            bearer, now - timedelta(hours=2), timedelta(hours=1)
        ),
        "not begun": TokenIssuer.find_or_make(doors.stack.settings.token_keys).issue(
            bearer, now + timedelta(hours=1), timedelta(hours=1)
        ),
        "no words": "a.b.c",
        "too long": "x" * 5_000,
    }


async def test_tokens_that_are_wrong_ended_or_forged(doors: Doors) -> None:
    assert (await doors.post(GLORIA, "/v1/reports", REPORT)).status_code == 201
    for name, token in forged(doors).items():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = await doors.post(None, "/v1/reports", REPORT, headers=headers)
        assert (answer.status_code, answer.json()["number"]) == (401, 2001), name
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert not token or token not in answer.text


async def test_another_scheme_than_bearer(doors: Doors) -> None:
    token = doors.authorization(GLORIA)["Authorization"].removeprefix("Bearer ")
    for value in (f"Basic {token}", token, "Bearer", ""):
        answer = await doors.post(None, "/v1/reports", REPORT, headers={"Authorization": value})
        assert (answer.status_code, answer.json()["number"]) == (401, 2001)
