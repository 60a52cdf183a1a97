"""`intabaza audit prove` and its like: proofs that stand alone, their check, and the tree as files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from services.cli.drawing import Drawn
from services.cli.named_files import FileUnusable, bytes_of
from services.local.addresses import find_addresses
from services.local.folder import write_whole
from services.settings import read_settings

if TYPE_CHECKING:
    from services.notary.proving import Proving
    from services.tlog.offline.verify import Verdict

Answer = TypeVar("Answer")

Out = Annotated[Path | None, typer.Option("--out", help="The file to write; left out, it is printed.", metavar="FILE")]
Size = Annotated[
    int | None, typer.Option("--size", help="The size of the checkpoint it leads to; the last one where left out.")
]


def prove(
    position: Annotated[int, typer.Argument(help="The position of an event.")],
    size: Size = None,
    out: Out = None,
    event: Annotated[
        Path | None,
        typer.Option("--event", help="Also write the event's bytes, as they are proven, here.", metavar="FILE"),
    ] = None,
) -> None:
    """Write the proof that an event was signed: C2SP tlog-proof, which stands alone; `audit check-proof` checks it.

    It ends with status 7 where the position lies outside of the log, 8 where no checkpoint covers it yet or none is of
    this size, 3 where a checkpoint was altered in the ledger, 1 where the ledger or the tree could not be read.
    """
    from services.tlog.offline.verify import UNPROVEN, Verdict
    from services.tlog.proofs import inclusion_text

    async def work(proving: Proving, head: int) -> tuple[str, bytes]:
        _refuse_outside(head, position=position, size=size)
        signed = await (proving.signed.of(size) if size is not None else proving.signed.newest())
        if position > signed.size:
            raise Verdict(UNPROVEN, f"The checkpoint of size {signed.size} does not cover position {position}.")
        found = await proving.inclusion_under(position, signed)
        return inclusion_text(position - 1, found.hashes, signed.note), await proving.entry(position)

    text, entry = _answered(work)
    if event is not None:
        write_whole(event, entry)
    _tell(text, out)


def prove_consistency(
    old: Annotated[int, typer.Argument(help="The size of the older checkpoint.")],
    new: Annotated[int, typer.Argument(help="The size of the newer one.")],
    out: Out = None,
) -> None:
    """Write the proof that one checkpoint's history begins with another's, as a witness is sent it (C2SP tlog-witness).

    The statuses are those of `audit prove`.
    """
    from services.tlog.proofs import consistency_text

    async def work(proving: Proving, head: int) -> str:
        _refuse_outside(head, size=new, old=old)
        signed = await proving.signed.of(new)
        return consistency_text(old, (await proving.consistency(old, new)).hashes, signed.note)

    _tell(_answered(work), out)


def check_proof(
    proof: Annotated[Path, typer.Argument(help="A proof.", metavar="PROOF")],
    of: Annotated[
        Path, typer.Argument(help="The event's bytes; for a proof of consistency the older checkpoint.", metavar="FILE")
    ],
    key: Annotated[
        list[str], typer.Option("--key", help="A key of the log, or a file of keys; the oldest first.", metavar="KEY")
    ],
    witness: Annotated[
        list[str] | None,
        typer.Option("--witness", help="A key of a witness that must have cosigned it, or a file.", metavar="KEY"),
    ] = None,
) -> None:
    """Check a proof, with nothing but the log's key, and those of witnesses that are demanded.

    The exit status is 0 where it holds; 3 where the event, the history or the proof was altered, 5 where the checkpoint
    is signed by no key that is known, 6 where it is of another log, 8 where a witness that is demanded did not cosign
    it, 2 for what is no proof and no key, or was cut.
    """
    from services.tlog.offline.verify import USAGE, Verdict, kept_said, keys_said, text_of, witnessed, witnesses_said
    from services.tlog.proofs import check_continued, check_included, read_proof

    try:
        keys, witnesses = keys_said(key), witnesses_said(witness or [])
        read = read_proof(text_of(str(proof)), str(proof))
        if read.of_inclusion:
            said = check_included(read, _bytes_of(of), keys)
        else:
            older = kept_said([str(of)])
            if len(older) != 1:
                raise Verdict(USAGE, f"{of} holds {len(older)} checkpoints: a proof of consistency needs one.")
            said = check_continued(read, older[0], keys)
        cosigned = witnessed([read.checkpoint], keys, witnesses, None)
    except Verdict as verdict:
        raise _ended(verdict) from None
    typer.echo("; ".join([said.removesuffix("."), *cosigned]) + ".")


def tiles(folder: Annotated[Path, typer.Argument(help="Where they are written, or gone on with.")]) -> None:
    """Write the log's tree as files that any web server can serve: C2SP tlog-tiles, up to the last checkpoint.

    Run again it goes on where it stopped; two at once wait for each other. Entries are not in it. It ends with status
    3 where this log does not continue what the folder holds, 6 where that is of another log, 2 where it holds something
    else, 1 where it cannot be written.
    """
    from services.audit.tile_folder import Written, write_tiles

    async def work(proving: Proving, head: int) -> Written:
        with Drawn() as drawn:
            return await write_tiles(folder, proving, lambda done, of: drawn.advance("writing tiles", done, of))

    written = _answered(work)
    if written.before == written.size:
        typer.echo(f"{folder} is at the last checkpoint, of size {written.size}: nothing was to be written.")
    else:
        typer.echo(
            f"{folder} goes from size {written.before} to {written.size} now: {written.tiles} tiles were written."
        )


def _refuse_outside(head: int, *, position: int | None = None, size: int | None = None, old: int | None = None) -> None:
    """Raises Verdict for what no log has, or this one has not yet."""
    from services.tlog.offline.verify import BEYOND, USAGE, Verdict

    for name, value in (("Position", position), ("Size", size), ("Size", old)):
        if value is not None and not 1 <= value <= head:
            holds = f"has positions 1 to {head}" if head else "is empty"
            raise Verdict(BEYOND, f"{name} {value} lies outside of the log, which {holds}.")
    if old is not None and size is not None and old > size:
        raise Verdict(USAGE, f"The older size, {old}, is larger than the newer one, {size}: name the older one first.")


def _answered(work: Callable[[Proving, int], Coroutine[None, None, Answer]]) -> Answer:
    """What the stack's log answers; what it does not is told with its exit status."""
    from services.notary.halts import NoCheckpoint
    from services.notary.proving import BeyondSigned, TreeBehind
    from services.notary.signed import NothingSigned, NotSigned
    from services.notary.tree import TreeDamaged
    from services.tlog.offline.verify import ALTERED, UNPROVEN, UNREAD, Verdict

    async def run() -> Answer:
        async with _opened() as (proving, head):
            return await work(proving, head)

    try:
        return asyncio.run(run())
    except Verdict as verdict:
        raise _ended(verdict) from None
    except (NothingSigned, NotSigned, BeyondSigned, TreeBehind, TreeDamaged, NoCheckpoint) as error:
        status = UNREAD if isinstance(error, TreeBehind | TreeDamaged) else UNPROVEN
        status = ALTERED if isinstance(error, NoCheckpoint) else status
        raise _ended(Verdict(status, f"{str(error)[:1].upper()}{str(error)[1:]}.")) from None


@asynccontextmanager
async def _opened() -> AsyncIterator[tuple[Proving, int]]:
    """The log of the stack, and how far it goes."""
    from services import clock
    from services.ledger.postgres import PostgresLedger
    from services.notary.proving import Proving

    dsn = find_addresses(read_settings()).app_dsn
    ledger = await PostgresLedger.connect(dsn, clock.now, readers=1)
    proving = await Proving.connect(dsn, ledger)
    try:
        yield proving, (await ledger.head()).position
    finally:
        await proving.close()
        await ledger.close()


def _ended(verdict: Verdict) -> typer.Exit:
    typer.echo(str(verdict), err=True)
    return typer.Exit(verdict.status)


def _tell(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_whole(out, text.encode())


def _bytes_of(path: Path) -> bytes:
    from services.tlog.offline.verify import USAGE, Verdict

    try:
        return bytes_of(path)
    except FileUnusable as unusable:
        raise Verdict(USAGE, str(unusable)) from None
