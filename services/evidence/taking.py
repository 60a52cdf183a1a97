"""A case is taken away: the pack is written, what it is goes onto the log, and then it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from events import custody
from events.command import Command
from events.custody import ViewPurpose
from events.event import Act
from events.vocabulary import Role
from services import clock
from services.audit.zipping import PartsBeside, Zip, manifest_of
from services.desk.desk import Desk
from services.desk.order import Order
from services.evidence.clear import MOST_IN_CLEAR, Cleared, ClearTexts, cleared
from services.evidence.gathering import MOST_EVENTS, SQL, Fetch, Gathered, Sees, end_of, gather
from services.evidence.page import write_page
from services.evidence.writing import Written, write_events
from services.moments import Named
from services.notary.proving import Proving
from services.notary.signed import NothingSigned, Signed
from services.trace.reading import TooMuch
from services.vault.approvals import Approvals
from services.vault.opening import Opener

SHIPPED = {"verify.py": "verify.py", "README.txt": "EVIDENCE.txt"}


class Take(Command):
    """Take a case away as evidence."""

    @classmethod
    def order(cls, person_id: UUID, role: Role, case: Gathered) -> Order[Command]:
        """Who does it; no repeat is known of it, since each pack is another."""
        return Order(person_id, role, "", cls(), f"case/{case.case_id}", mode=case.mode)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to take away, up to which moment (None: now), and of how many events at most; by which
    `approvals` with the texts in clear, None: nothing in clear."""

    case_id: UUID
    person_id: UUID = field(repr=False)
    role: Role
    purpose: ViewPurpose
    as_of: Named | None = None
    most: int = MOST_EVENTS
    approvals: Sequence[str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """A pack that is there, what of it is proven, and how many texts it shows in clear."""

    events: int
    signed: int
    hidden: int
    up_to: int
    texts: int
    manifest_hash: str


@dataclass(frozen=True, slots=True)
class Taking:
    """What takes a case away; `keys` are the log's, the oldest first, as the pack claims them."""

    fetch: Fetch
    proving: Proving
    opener: Opener
    keys: Sequence[str] = ()

    async def take_away(
        self, wanted: Wanted, sees: Sees, desk: Desk, approvals: Approvals, file: Path | None
    ) -> tuple[Taken, IO[bytes]]:
        """Find the case as it is seen, decide what leaves in clear, and write the pack: into a file that is there once
        it is whole, or into one without a name.

        Raises what `end_of`, `gather`, `cleared` and `take` do, and FolderUnusable.
        """
        up_to = await end_of(self.fetch, wanted.as_of)
        found = await gather(self.fetch, wanted.case_id, up_to, sees, wanted.most)
        act = await desk.act(Take.order(wanted.person_id, wanted.role, found), wanted.case_id)
        agreed = None
        if wanted.approvals is not None:
            agreed = cleared(approvals, wanted.approvals, wanted.case_id, act, wanted.purpose, clock.now())
        with Zip(file) as zipped:
            return await self.take(zipped, found, act, wanted.purpose, agreed), zipped.whole

    async def take(
        self, zipped: Zip, case: Gathered, act: Act, purpose: ViewPurpose, cleared: Cleared | None = None
    ) -> Taken:
        """Write the pack, with what leaves in clear where that is approved, which uses up the approvals.

        Raises BadInput for a purpose that is none, TooMuch, ApprovalUsed, what vault and ledger say. Whatever goes
        wrong, the zip is not finished; so also where a text that it shows is erased meanwhile (KeyDestroyed).
        """
        custody.refuse_other_purposes(purpose)
        signed, clear = await self._newest(), None
        if cleared is not None:
            await self._refuse_too_many(case)
            await self.opener.use_up(cleared.approval_ids)
            clear = ClearTexts(self.opener, act, purpose, cleared, PartsBeside(zipped.unnamed, "texts", "jsonl"))
        written = await write_events(self.fetch, self.proving, zipped, case, signed, clear)
        manifest = await asyncio.to_thread(self._fill, zipped, case, signed, written, purpose, clear)
        made = custody.export(
            exported=f"case/{case.case_id}",
            up_to=case.up_to,
            events=len(case.positions),
            manifest_hash=sha256(manifest).hexdigest(),
            purpose=purpose,
            in_clear=clear.opened if clear else (),
        )
        shown = frozenset(clear.key_ids) if clear else frozenset[UUID]()
        await self.opener.record(f"case/{case.case_id}", case.home, made, act, shown)
        await asyncio.to_thread(zipped.finish, manifest)
        texts = clear.texts if clear else 0
        return Taken(len(case.positions), written.signed, case.hidden, case.up_to, texts, made.manifest_hash)

    async def _newest(self) -> Signed | None:
        try:
            return await self.proving.signed.newest()
        except NothingSigned:
            return None

    async def _refuse_too_many(self, case: Gathered) -> None:
        """Raises TooMuch before anything is opened."""
        ((sealed,),) = await self.fetch(SQL["sealed"], case.positions.tolist(), ["case", "report"])
        if sealed > MOST_IN_CLEAR:
            raise TooMuch(MOST_IN_CLEAR, "events with texts")

    def _fill(
        self,
        zipped: Zip,
        case: Gathered,
        signed: Signed | None,
        written: Written,
        purpose: ViewPurpose,
        clear: ClearTexts | None,
    ) -> bytes:
        """Everything beside the events; the manifest, which makes the pack whole."""
        if clear is not None:
            clear.parts.close()
        zipped.add("checkpoints.txt", signed.note.encode() if signed else b"")
        keys = (*self.keys, *(signed.witnesses if signed else ()))
        zipped.add("keys.txt", "".join(f"{key}\n" for key in keys).encode())
        for name in sorted(written.schemas):
            zipped.add(f"schemas/{name}", files("schemas").joinpath("events", name).read_bytes())
        texts = clear.texts if clear else None
        write_page(zipped, case, signed, written.types, purpose, texts)
        zipped.add_beside()
        zipped.ship(SHIPPED)
        return manifest_of(zipped.sums, _stated(case, signed, purpose, texts))


def _stated(case: Gathered, signed: Signed | None, purpose: ViewPurpose, texts: int | None) -> dict[str, Any]:
    return {
        "kind": "evidence",
        "case": str(case.case_id),
        "cases": sorted(one.removeprefix("case/") for one in case.cases),
        "origin": signed.stated.origin if signed else "",
        "size": signed.size if signed else 0,
        "up_to": case.up_to,
        "purpose": purpose.value,
        "not_shown": case.hidden,
        "positions": case.positions.tolist(),
    } | ({} if texts is None else {"texts_in_clear": texts})
