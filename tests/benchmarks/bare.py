"""What the API is measured against: a FastAPI application whose handlers do nothing."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

app = FastAPI()


async def nothing(request: Request) -> Response:
    return Response(b"{}", media_type="application/json")


app.add_api_route("/bare", nothing, methods=["GET", "POST"])
