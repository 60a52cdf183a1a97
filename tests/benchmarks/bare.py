"""What the API is measured against: an application whose handlers do nothing, or the least that a report can cost."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_bytes
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from services.settings import read_settings
from tests.benchmarks.floor import DEFINITION, Floor

KEYS, TEXTS = 2, 5
_MASTER = token_bytes(32)


@asynccontextmanager
async def _connected(app: FastAPI) -> AsyncIterator[None]:
    dsn = read_settings().postgres_dsn
    assert dsn is not None
    connection = await asyncpg.connect(dsn.get_secret_value())
    await connection.execute(DEFINITION)
    app.state.floor = Floor(connection)
    yield
    await connection.close()


app = FastAPI(lifespan=_connected)


async def nothing(request: Request) -> Response:
    return Response(b"{}", media_type="application/json")


async def least(request: Request) -> Response:
    """Read it, name it, seal it under new keys, have it synced beside whoever comes at that moment, say where it is.

    No token, no limit, no rule, no schema, no check of what was there: what is left is what nobody can leave out.
    """
    said: dict[str, Any] = orjson.loads(await request.body())
    named = [hmac.digest(_MASTER, request.headers["idempotency-key"].encode(), "sha256") for _ in range(2)]
    secrets = [token_bytes(32) for _ in range(KEYS)]
    wrapped = [AESGCM(_MASTER).encrypt(token_bytes(12), one, None) for one in secrets]
    cipher, text = AESGCM(secrets[0]), said["text"].encode()
    sealed = [cipher.encrypt(token_bytes(12), text, named[0]).hex() for _ in range(TEXTS)]
    event = {"id": uuid4(), "mac": named[1].hex(), "sealed": sealed, "kind": said["kind"], "unit": said["unit"]}
    position = await request.app.state.floor.command(orjson.dumps(event) + b"".join(wrapped))
    return Response(orjson.dumps({"position": position, "id": event["id"]}), 201, media_type="application/json")


app.add_api_route("/bare", nothing, methods=["GET", "POST"])
app.add_api_route("/least", least, methods=["POST"])
