"""`intabaza audit`: what an auditor asks of the log: bundles to take away, and whether history was altered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import proving
from services.cli.drawing import Drawn
from services.local.addresses import find_addresses, find_bootstrap
from services.settings import Settings, read_settings

if TYPE_CHECKING:
    from services.audit.bundle import Leaves, Packed, Progress
    from services.ledger.ledger import Ledger

app = typer.Typer(help="Whether history was altered.", no_args_is_help=True)
app.command()(proving.prove)
app.command()(proving.prove_consistency)
app.command()(proving.check_proof)
app.command()(proving.tiles)


class Source(StrEnum):
    """Where a bundle is written from."""

    LEDGER = "ledger"
    KAFKA = "kafka"


Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        help="A key of the log, or a file of keys; the oldest first. This stack's own where none.",
        metavar="KEY",
    ),
]


@app.command()
def verify(
    key: Keys = None,
    kept: Annotated[
        list[str] | None, typer.Option("--kept", help="A file with a checkpoint that you kept.", metavar="FILE")
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option(
            "--witness", help="A key of a witness that must have cosigned it, or a file of keys.", metavar="KEY"
        ),
    ] = None,
    kafka_only: Annotated[
        bool, typer.Option("--kafka-only", help="Without the ledger: read access to Kafka is enough.")
    ] = False,
) -> None:
    """Say whether history was altered: ledger and Kafka against each other, both against signed checkpoints.

    The exit status is 0 where it was not; 3 where it was (the sentence names the first bad position), 5 where a
    checkpoint is signed by no key that is known, 6 where one is of another log, 8 where nothing says what was signed,
    or a witness that is demanded cosigned none of it; 2 for what is no key and no checkpoint, 1 where Kafka or the
    ledger could not be read. Cosignatures stand beside the ledger: give them by --kept where Kafka alone is read. It
    keeps up to 160 bytes an event in a temporary folder (TMPDIR).
    """
    from services.audit.verifying import Asked, cores
    from services.audit.verifying import verify as verify_it
    from services.tlog.offline.verify import Verdict, kept_said, keys_said, printable, witnesses_said

    settings = read_settings()
    try:
        checkpoints, witnesses = kept_said(kept or []), witnesses_said(witness or [])
        if kafka_only:
            bootstrap, dsn = find_bootstrap(settings), None
        else:
            addresses = find_addresses(settings)
            bootstrap, dsn = addresses.bootstrap, addresses.app_dsn
        keys = keys_said(key or own_keys_of(settings, dsn))
        with Drawn() as drawn:
            asked = Asked(bootstrap, dsn, keys, checkpoints, cores(), witnesses)
            verified = asyncio.run(verify_it(asked, drawn.advance))
    except Verdict as verdict:
        typer.echo(str(verdict), err=True)
        raise typer.Exit(verdict.status) from None
    typer.echo(printable(verified.sentence(with_ledger=dsn is not None)))
    rate = verified.to / max(verified.seconds, 0.001)
    typer.echo(f"{verified.seconds:.1f} s, {rate:,.0f} positions a second.", err=True)


@app.command()
def bundle(
    file: Annotated[Path, typer.Argument(help="The zip to write.")],
    to: Annotated[int | None, typer.Option(help="The last position in it; all there are where it is left out.")] = None,
    source: Annotated[Source, typer.Option("--from", help="What it is written from.")] = Source.LEDGER,
    key: Keys = None,
) -> None:
    """Write what an auditor verifies alone: events, signed checkpoints, and the one file that verifies them.

    It ends with status 7 where --to lies beyond the log, with 3 where it is not whole, with 8 where it is empty:
    nothing is written then.
    """
    from services.tlog.offline.verify import Verdict, keys_said

    settings = read_settings()
    dsn = find_addresses(settings).app_dsn if source is Source.LEDGER else None
    try:
        keys = [one.text for one in keys_said(key or own_keys_of(settings, dsn))]
        with Drawn() as drawn:
            packed = _pack(file, source, to, keys, lambda done, of: drawn.advance("packing the log", done, of))
    except Verdict as verdict:
        typer.echo(str(verdict), err=True)
        raise typer.Exit(verdict.status) from None
    covered = f"{packed.checkpoints} checkpoints" if packed.checkpoints else "no checkpoint, so that nothing is proven"
    typer.echo(
        f"{file} holds positions 1 to {packed.size}, with {covered}: unpack verify.py from it, and read README.txt."
    )


def own_keys_of(settings: Settings, dsn: str | None) -> list[str]:
    """The keys of this stack's own log, which are believed where nobody names others; none where it has none.

    Nor where the ledger is empty, and with it the log's name gone: that is for the verdict to say, as it may have been
    emptied.
    """
    from services.notary.keys import Unnamed
    from services.notary.operator import believed_keys

    if dsn is None or not settings.log_keys.exists():
        return []
    try:
        return [str(one) for one in asyncio.run(believed_keys(settings, dsn))]
    except Unnamed:
        return []


def _pack(file: Path, source: Source, to: int | None, keys: list[str], progress: Progress) -> Packed:
    from services.audit.bundle import from_kafka, from_ledger
    from services.ledger.ledger import LedgerUnavailable

    addresses = find_addresses(read_settings())
    if source is Source.KAFKA:
        try:
            cosigned, witnesses = _cosigned(addresses.app_dsn, to)
            tree = partial(_tree, addresses.app_dsn)
        except LedgerUnavailable as error:  # Kafka is to be enough
            typer.echo(f"Without the cosignatures of witnesses, and leaves, which are in no event: {error}.", err=True)
            return from_kafka(addresses.bootstrap, file, keys, to, progress)
        return from_kafka(addresses.bootstrap, file, [*keys, *witnesses], to, progress, cosigned, tree)
    cosigned, witnesses = _cosigned(addresses.app_dsn, to)

    async def pack() -> Packed:
        async with _log(addresses.app_dsn) as (ledger, leaves):
            return await from_ledger(ledger, file, [*keys, *witnesses], to, progress, cosigned, leaves)

    return asyncio.run(pack())


@asynccontextmanager
async def _log(dsn: str) -> AsyncIterator[tuple[Ledger, Leaves]]:
    """The ledger, and the leaves of what was signed, as the notary keeps them; raises LedgerUnavailable."""
    from services import clock
    from services.ledger.postgres import PostgresLedger
    from services.notary.proving import Proving, TreeBehind
    from services.notary.tree import TreeDamaged
    from services.tlog.tiles import Place

    ledger = await PostgresLedger.connect(dsn, clock.now, readers=1)
    proving = await Proving.connect(dsn, ledger)

    async def leaves(number: int, width: int) -> bytes | None:
        try:
            return await proving.tile(Place(0, number), width)
        except (TreeBehind, TreeDamaged):
            return None

    try:
        yield ledger, leaves
    finally:
        await proving.close()
        await ledger.close()


@asynccontextmanager
async def _tree(dsn: str) -> AsyncIterator[Leaves]:
    """The leaves alone, for whoever has the events from elsewhere; raises LedgerUnavailable."""
    async with _log(dsn) as (_, leaves):
        yield leaves


def _cosigned(dsn: str, to: int | None) -> tuple[dict[int, str], list[str]]:
    """The lines by which witnesses cosigned the checkpoints up to a position, by size, and the witnesses' keys.

    Raises LedgerUnavailable: no event holds them.
    """
    from services.notary.operator import cosignatures

    found = [one for one in asyncio.run(cosignatures(dsn)) if to is None or one.size <= to]
    lines: dict[int, str] = {}
    for one in found:
        lines[one.size] = lines.get(one.size, "") + one.line
    return lines, list(dict.fromkeys(one.key for one in found))
