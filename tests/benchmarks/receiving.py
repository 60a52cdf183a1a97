"""`python -m tests.benchmarks.receiving PORT`: a receiver of webhooks that counts them; GET tells how many came."""

from __future__ import annotations

import sys

import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

_came = 0


async def receive(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Read it all and say that it was taken."""
    global _came
    if scope["type"] != "http":
        return
    while True:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            break
    told = b""
    if scope["method"] == "POST":
        _came += 1
    else:
        told = str(_came).encode()
    headers = [(b"content-length", str(len(told)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers, "trailers": False})
    await send({"type": "http.response.body", "body": told, "more_body": False})


if __name__ == "__main__":
    uvicorn.run(receive, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
