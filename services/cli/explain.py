"""`intabaza explain UNIT`: why a level is what it is, or was, read aloud from the log."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from services import clock
from services.local.addresses import find_addresses
from services.local_problem import LocalProblem
from services.moments import Moment, Named, read_moment, refuse_outside
from services.settings import read_settings
from services.words.languages import Code, language

if TYPE_CHECKING:
    from events.places.gazetteer import Gazetteer
    from services.ledger.ledger import Ledger


def explain(
    unit: Annotated[str, typer.Argument(help="A unit's id, code or name, such as bi:c2015:gihanga or Gihanga.")],
    as_of: Annotated[
        str | None,
        typer.Option(help="What was said last until this position, or instant with its offset; left out, until now."),
    ] = None,
    to: Annotated[Code, typer.Option("--language", help="In which language.")] = Code.ENGLISH,
) -> None:
    """Say why a unit's level is what the log said of it last, sentence by sentence.

    Exit statuses of --as-of: 2 no moment, 3 before the log, 4 beyond it.
    """
    named = None if as_of is None else read_moment(as_of)
    said = asyncio.run(_explained(find_addresses(read_settings()).app_dsn, unit, named, to))
    for sentence in said:
        typer.echo(sentence)
    if not language(to).read_by_a_native:
        typer.echo("(Nobody who was born to this language has read these sentences yet.)", err=True)


async def _explained(dsn: str, words: str, as_of: Named | None, code: str) -> tuple[str, ...]:
    from services.ledger.postgres import PostgresLedger
    from services.words.level import explain_calm, explain_change
    from services.words.said import rules_by_hash, said_of, watched_then

    to = language(code)
    ledger = await PostgresLedger.connect(dsn, clock.now)
    try:
        unit, name = meant(await adopted_gazetteer(ledger), words)
        if as_of is not None:
            first, head = await ledger.read(0, 1), await ledger.head()
            last = None if head.recorded_at is None else Moment(head.position, head.recorded_at)
            refuse_outside(as_of, Moment(first[0].position, first[0].recorded_at) if first else None, last, clock.now())
        if (said := await said_of(ledger, unit, as_of)) is None:
            return explain_calm(name, await watched_then(ledger, unit, as_of, None), to)
        row, change = said
        then = await watched_then(ledger, unit, as_of, change)
        rules = await rules_by_hash(ledger, change.rules_hash, {})
        if rules is None:
            raise LocalProblem(f"The rule set {change.rules_hash} is not on the log: the level cannot be explained.")
        return (
            *explain_change(change.model_copy(update={"confidence_reason": then}), rules, name, to),
            f"({row.stream}, {row.position})",
        )
    finally:
        await ledger.close()


async def adopted_gazetteer(ledger: Ledger) -> Gazetteer:
    """The gazetteer that was adopted last; raises LocalProblem where there is none."""
    from events.catalogue import read
    from events.places.gazetteer import Gazetteer
    from events.reference import GazetteerAdopted

    rows = await ledger.read_stream("reference/gazetteer")
    adopted = read(rows[-1].wire()).data if rows else None
    if not isinstance(adopted, GazetteerAdopted):
        raise LocalProblem("No gazetteer is adopted yet: `intabaza begin`.")
    return Gazetteer.from_content(adopted.content)


def meant(gazetteer: Gazetteer, words: str) -> tuple[str, str]:
    """The unit that is meant and its name; where that is not certain, a sentence with those that it may be."""
    from events.places.lookup import Candidates, Directory, Found

    answer = Directory(gazetteer).look_up(words)
    if isinstance(answer, Found):
        return answer.unit.unit_id, answer.unit.name
    several = isinstance(answer, Candidates)
    units = answer.units if isinstance(answer, Candidates) else answer.near
    near = "; ".join(f"{one.unit_id} ({', '.join((one.name, *one.inside))})" for one in units)
    why = f"{words}: {answer.why}" if isinstance(answer, Candidates) else f"No unit is called {words!r}"
    raise LocalProblem(f"{why}{'. Choose one' if several else '. Near it'}: {near or 'nothing'}.")
