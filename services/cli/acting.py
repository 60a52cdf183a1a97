"""What commands share that act at a desk of the local stack: who acts, and the desk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar
from uuid import UUID, uuid5

import typer

from events.refusals import Refusal
from services.desk.desk import Desk
from services.local_problem import LocalProblem
from services.settings import Settings
from services.wiring import open_desk

_NAMES = UUID("5b2f3c52-34a5-4c3e-9f4e-6d1a1a7c8e10")
"""Names the space of ids for people of the local stack who have no phone, such as `admin`."""

T = TypeVar("T")

Person = Annotated[str, typer.Option(help="Who: a person's id, or any name you give them on this machine.")]


def person_id_of(person: str) -> UUID:
    """The id of a person who is named by it, or by a name of this machine."""
    try:
        return UUID(person)
    except ValueError:
        return uuid5(_NAMES, person)


def with_desk(settings: Settings, do: Callable[[Desk], Coroutine[Any, Any, T]]) -> T:
    """Do something at a desk of the local stack; what the domain refuses is told as a sentence."""

    async def run() -> T:
        async with open_desk(settings) as desk:
            return await do(desk)

    try:
        return asyncio.run(run())
    except Refusal as refused:
        raise LocalProblem(f"{refused}.") from None
