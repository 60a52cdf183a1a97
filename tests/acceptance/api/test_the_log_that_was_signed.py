"""The signed log over HTTP on a real stack: a stranger's reader reads its tiles and takes its proofs; few may."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services import clock
from services.ledger.postgres import PostgresLedger
from services.notary.tree import Tree
from services.tlog.merkle import continues, hash_leaf, includes
from tests.support.checkpoints import checkpoint, cosign, wires_of
from tests.support.doors import ADMIN, ANALYST, AUDITOR, CONSUMER, CUSTODIAN, Doors, open_doors
from tests.support.foreign_reader import Fetch, ForeignReader
from tests.support.signed_ledgers import KEY
from tests.support.signed_logs import LogKey

WITNESS = LogKey("witness", "witness.example/w1", 4)
BEYOND = 10**9


@pytest.fixture(scope="module")
async def doors() -> AsyncIterator[Doors]:
    """A network that has begun, of which nothing is signed yet."""
    async with open_doors() as doors:
        yield doors


async def sign(doors: Doors) -> list[bytes]:
    """Sign what the ledger holds; the bytes of it."""
    ledger = await PostgresLedger.connect(doors.stack.addresses.app_dsn, clock.now, readers=1)
    async with asyncpg.create_pool(doors.stack.addresses.owner_dsn, min_size=1, max_size=1) as pool:
        wires, tree = await wires_of(ledger), Tree(pool)
        size = await tree.size()
        await tree.extend(size, [hash_leaf(one) for one in wires[size:]])
    note = await checkpoint(ledger, KEY)
    await ledger.close()
    return wires[: int(note.split("\n")[1])]


def over_http(doors: Doors) -> Fetch:
    async def fetch(path: str) -> bytes | None:
        answer = await doors.get(AUDITOR, f"/v1/log/{path}")
        assert answer.status_code in (200, 404), answer.text
        return answer.content if answer.status_code == 200 else None

    return fetch


async def number(doors: Doors, path: str, **params: str) -> tuple[int, int]:
    answer = await doors.get(AUDITOR, path, **params)
    return answer.status_code, answer.json()["number"]


async def test_a_stranger_reads_the_log_where_the_specification_says(doors: Doors) -> None:
    assert await number(doors, "/v1/log/checkpoint") == (404, 4010)
    assert await number(doors, "/v1/log/tile/0/000.p/1") == (404, 4010)
    first = await sign(doors)
    wires = await sign(doors)
    stranger = ForeignReader(over_http(doors), KEY.vkey)
    size, root = await stranger.checkpoint()
    assert size == len(wires)
    leaves = await stranger.leaves(size)
    assert leaves == [hash_leaf(one) for one in wires]

    proven = (await doors.get(AUDITOR, "/v1/log/proofs/inclusion", position=str(size))).json()
    hashes = [b64decode(one) for one in proven["hashes"]]
    assert includes(leaves[-1], size - 1, size, hashes, root)
    assert (proven["index"], b64decode(proven["leaf"]), b64decode(proven["root"])) == (size - 1, leaves[-1], root)
    entry = await doors.get(AUDITOR, f"/v1/log/entries/{size}")
    text = f"c2sp.org/tlog-proof@v1\nindex {proven['index']}\n" + "".join(f"{one}\n" for one in proven["hashes"])
    assert stranger.prove(f"{text}\n{proven['checkpoint']}", entry.content) == size - 1

    old = str(len(first))
    goes_on = (await doors.get(AUDITOR, "/v1/log/proofs/consistency", **{"from": old})).json()
    hashes = [b64decode(one) for one in goes_on["hashes"]]
    assert continues(int(old), size, hashes, b64decode(goes_on["from_root"]), root)
    older = (await doors.get(AUDITOR, "/v1/log/proofs/inclusion", position="1", size="2")).json()
    assert (older["size"], older["checkpoint"]) == (2, None)

    # the gazetteer is longer than a bundle's entry can be: whoever tails the log reads that one alone
    assert await number(doors, f"/v1/log/tile/entries/000.p/{min(size, 255)}") == (404, 4012)
    assert (await doors.get(AUDITOR, "/v1/log/entries/1")).content == wires[0]


async def test_what_witnesses_cosigned_stands_behind_what_is_signed(doors: Doors) -> None:
    await sign(doors)
    checkpoint = (await doors.get(AUDITOR, "/v1/log/checkpoint")).text
    assert await number(doors, "/v1/log/checkpoint", witness=WITNESS.name) == (404, 3706)
    cosigned = await cosign(doors.stack.addresses.owner_dsn, checkpoint, WITNESS)
    assert cosigned.startswith(checkpoint)
    answer = await doors.get(AUDITOR, "/v1/log/checkpoint")
    assert answer.text == cosigned
    again = await doors.get(AUDITOR, "/v1/log/checkpoint", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    await sign(doors)
    assert WITNESS.name not in (await doors.get(AUDITOR, "/v1/log/checkpoint")).text
    assert (await doors.get(AUDITOR, "/v1/log/checkpoint", witness=WITNESS.name)).text == cosigned
    assert await number(doors, "/v1/log/checkpoint", witness="witness.example/w2") == (404, 3706)


async def test_what_was_never_signed_is_not_there_and_what_nobody_can_mean_is_said(doors: Doors) -> None:
    wires = await sign(doors)
    size = len(wires)
    for path, params, answer in (
        ("/v1/log/checkpoint", {"witness": "\0"}, (400, 1005)),
        ("/v1/log/checkpoint", {"witness": ""}, (400, 1005)),
        ("/v1/log/proofs/inclusion", {}, (400, 1005)),
        ("/v1/log/proofs/inclusion", {"position": "0"}, (400, 1005)),
        ("/v1/log/proofs/inclusion", {"position": "-1"}, (400, 1005)),
        ("/v1/log/proofs/inclusion", {"position": "١"}, (400, 1005)),
        ("/v1/log/proofs/inclusion", {"position": str(size + 1)}, (404, 4011)),
        ("/v1/log/proofs/inclusion", {"position": "1", "size": str(BEYOND)}, (404, 4011)),
        ("/v1/log/proofs/inclusion", {"position": "3", "size": "2"}, (404, 4011)),
        ("/v1/log/proofs/inclusion", {"position": "1", "sizes": "2"}, (400, 1005)),
        ("/v1/log/proofs/consistency", {"to": "2"}, (400, 1005)),
        ("/v1/log/proofs/consistency", {"from": "3", "to": "2"}, (404, 4011)),
        ("/v1/log/proofs/consistency", {"from": str(BEYOND)}, (404, 4011)),
        ("/v1/log/tile/0/999", {}, (404, 4011)),
        ("/v1/log/tile/0/x001/000.p/3", {}, (404, 4011)),
        ("/v1/log/tile/63/000.p/1", {}, (404, 4011)),
        ("/v1/log/tile/0/0", {}, (404, 1007)),
        ("/v1/log/tile/64/000", {}, (404, 1007)),
        ("/v1/log/tile/0/000.p/256", {}, (404, 1007)),
        ("/v1/log/tile/entries/999", {}, (404, 4011)),
        ("/v1/log/tile/entries/1", {}, (404, 1007)),
        ("/v1/log/entries/0", {}, (400, 1005)),
        (f"/v1/log/entries/{size + 1}", {}, (404, 4011)),
    ):
        assert await number(doors, path, **params) == answer, (path, params)


async def test_hashes_are_for_auditors_and_admins_and_entries_for_auditors(doors: Doors) -> None:
    await sign(doors)
    hashes = ("/v1/log/checkpoint", "/v1/log/tile/0/000.p/1", "/v1/log/proofs/inclusion", "/v1/log/proofs/consistency")
    for path in (*hashes, "/v1/log/entries/1", "/v1/log/tile/entries/000.p/1"):
        for caller in (ANALYST, CUSTODIAN, None):
            assert (await doors.get(caller, path)).status_code == (401 if caller is None else 403), path
    for path in hashes:
        params = {"inclusion": {"position": "1"}, "consistency": {"from": "1"}}.get(path.rpartition("/")[2], {})
        assert (await doors.get(ADMIN, path, **params)).status_code == 200
    for path in ("/v1/log/entries/1", "/v1/log/tile/entries/000.p/1"):
        assert (await doors.get(ADMIN, path)).status_code == 403


async def test_what_lasts_is_kept_and_what_passes_is_asked_for_again(doors: Doors) -> None:
    await sign(doors)
    for path, kept, media_type in (
        ("/v1/log/checkpoint", "private, no-cache", "text/plain; charset=utf-8"),
        ("/v1/log/tile/0/000.p/1", "private, max-age=31536000, immutable", "application/octet-stream"),
        ("/v1/log/entries/1", "private, max-age=31536000, immutable", "application/octet-stream"),
        ("/v1/log/proofs/inclusion", "private, no-cache", "application/json"),
    ):
        params = {"position": "1"} if path.endswith("inclusion") else {}
        answer = await doors.get(AUDITOR, path, **params)
        assert (answer.headers["cache-control"], answer.headers["content-type"]) == (kept, media_type)
        again = await doors.get(AUDITOR, path, headers={"If-None-Match": answer.headers["etag"]}, **params)
        assert (again.status_code, again.content) == (304, b"")


async def test_the_keys_of_the_log_are_told_to_every_token_from_their_public_halves(doors: Doors) -> None:
    await sign(doors)
    file = doors.stack.settings.log_public_keys
    file.unlink(missing_ok=True)
    assert await number(doors, "/v1/log/keys") == (503, 4019)
    public = b64decode(KEY.vkey.split("+", 2)[2])[1:]
    file.write_text(json.dumps({"keys": [{"public": b64encode(public).decode()}]}))
    for caller in (AUDITOR, ANALYST, CUSTODIAN, CONSUMER):
        answer = await doors.get(caller, "/v1/log/keys")
        assert (answer.status_code, answer.text) == (200, f"{KEY.vkey}\n")


async def test_a_checkpoint_that_was_altered_in_the_ledger_is_told_with_its_position(doors: Doors) -> None:
    size = len(await sign(doors))
    params = {"/v1/log/proofs/inclusion": {"position": "1"}, "/v1/log/proofs/consistency": {"from": "1"}}
    owner = await asyncpg.connect(doors.stack.addresses.owner_dsn)
    await owner.execute("set session_replication_role = replica")
    body = await owner.fetchval("select body from ledger.event where position = $1", size + 1)
    try:
        for old, new in (
            (b'"note":"', b'"note":"\\n'),
            (b'"note":', b'"nota":'),
            (b'"data":{', b'"data":[],"x":{'),
        ):
            altered = body.replace(old, new)
            assert altered != body
            await owner.execute("update ledger.event set body = $2 where position = $1", size + 1, altered)
            for path in ("/v1/log/checkpoint", "/v1/log/keys", *params):
                answer = await doors.get(AUDITOR, path, **params.get(path, {}))
                assert (answer.status_code, answer.json()["number"]) == (503, 4020), path
                assert f"Position {size + 1} records as a checkpoint what is none" in answer.json()["detail"]
    finally:
        await owner.execute("update ledger.event set body = $2 where position = $1", size + 1, body)
        await owner.close()
    assert (await doors.get(AUDITOR, "/v1/log/checkpoint")).status_code == 200
