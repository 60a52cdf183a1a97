"""The notary: one leads, follows the ledger, and signs it; others stand by for it.

It signs what is on Kafka and nothing beyond, since a ledger that is restored from there may have nothing else. Before
it signs, the tree leads to every checkpoint that was recorded: where it does not, nothing is signed any more.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from events.custody import LogCheckpointed
from events.envelope import NotAnEvent
from services.database.lead import TRY_SECONDS, LeadLost
from services.ledger.ledger import Ledger, LedgerError, Recorded
from services.ledger.published import Published
from services.notary.asking import Asking, Newest, Post, nobody
from services.notary.checkpoint import Checkpoint
from services.notary.halts import Differs, Halt, Shortened
from services.notary.keys import LogKeys, LogKeysRefused
from services.notary.lead import Last, Lead
from services.notary.metrics import Metrics
from services.notary.tree import BeyondTree, Tree, TreeDamaged, TreeMoved
from services.notary.witnesses import Named, WitnessesRefused
from services.tlog.merkle import hash_leaf
from services.tlog.offline.verify import Tree as Roots

AGAIN_SECONDS = 1.0
"""How soon what failed is tried again: the database away, a door that is shut, a clock in doubt."""

HALTED_SECONDS = 600.0
"""How soon whoever halted looks again by itself; a restart looks at once."""

LOOK_SECONDS = 5.0
"""How often the file is looked at that names witnesses."""

AT_ONCE = 1_000
"""Events that are read at a time."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a checkpoint is due, where anything is new: so many seconds after the last, or so many events."""

    seconds: float
    events: int


@dataclass(frozen=True, slots=True)
class Means:
    """What a notary works with; `keys` is a file, and `origin` what the log is called, where that is not left to its
    first event; `post` is how its witnesses are asked."""

    ledger: Ledger
    published: Published
    tree: Tree
    keys: Path
    origin: str | None
    source: str
    rhythm: Rhythm
    metrics: Metrics = field(default_factory=Metrics)
    witnesses: Named = field(default_factory=Named)
    post: Post = nobody


class Notary:
    """Signs for one deployment, for as long as `run` does; it belongs to one event loop."""

    def __init__(self, dsn: str, means: Means) -> None:
        self._dsn = dsn
        self._means = means

    async def run(self) -> None:
        """Lead, or stand by to lead, until it is cancelled."""
        told = ""
        while True:
            try:
                lead = await Lead.connect(self._dsn)
                try:
                    await _until_it_leads(lead)
                    self._means.metrics.leader.set(1)
                    _log.info("notary_leads")
                    told = ""
                    await self._lead_on(lead)
                finally:
                    self._means.metrics.leader.set(0)
                    lead.end()
            except LeadLost as error:
                if told != (told := str(error)):
                    _log.warning("notary_does_not_lead", because=told)
                await asyncio.sleep(TRY_SECONDS)

    async def _lead_on(self, lead: Lead) -> None:
        means, newest = self._means, Newest()
        witnesses = means.witnesses.now
        await lead.name_witnesses(witnesses)
        means.metrics.begin_asking()
        asking = [Asking(one, lead, means.tree, newest, means.post, means.metrics).run() for one in witnesses]
        others = self._until_others_are_named()
        parts = [asyncio.create_task(one) for one in (lead.beat(), self._sign_on(lead, newest), others, *asking)]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                part.result()
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    async def _until_others_are_named(self) -> None:
        """Return when other witnesses are to be asked: whoever leads begins anew then, as after a lost session."""
        told = ""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                changed = await asyncio.to_thread(self._means.witnesses.look)
            except WitnessesRefused as refused:
                if told != (told := str(refused)):
                    _log.warning("witnesses_are_asked_as_before", because=told)
                continue
            told = ""
            if changed:
                _log.info("other_witnesses_are_named", witnesses=len(self._means.witnesses.now))
                return

    async def _sign_on(self, lead: Lead, newest: Newest) -> None:
        """Sign for ever; raises LeadLost. Whatever else happens is begun anew, since all that counts is recorded."""
        told = ""
        while True:
            try:
                await Signing(self._means, lead, newest).run()
            except TreeDamaged as damage:  # it follows from the ledger, which then has to lead to what was signed
                _log.warning("notary_makes_the_tree_anew", because=str(damage))
                await lead.begin_anew()
            except (Halt, LogKeysRefused) as halt:
                if told != (told := str(halt)):
                    _log.error("notary_halts", because=told)
                self._means.metrics.halted.set(1)
                await lead.note_halt(told)
                await asyncio.sleep(HALTED_SECONDS)
            except (LedgerError, NotAnEvent, TreeMoved, BeyondTree, NotRecorded) as error:
                if told != (told := str(error)):
                    _log.warning("notary_signs_nothing_now", because=told)
                await asyncio.sleep(AGAIN_SECONDS)


class NotRecorded(Exception):
    """A checkpoint was not taken by the ledger; the message says why."""


class Signing:
    """What one lead knows: how far it has read the ledger, what was signed last, and how much is new.

    It keeps the root of what it read itself, from the last checkpoint on, and signs no other: a signature stays, and a
    tree in a database can be damaged.
    """

    def __init__(self, means: Means, lead: Lead, newest: Newest | None = None) -> None:
        self._means = means
        self._lead = lead
        self._newest = newest or Newest()
        self._size = 0
        self._tree_size = 0
        self._roots = Roots()
        self._last: Last | None = None
        self._fresh = 0
        self._signed_at = float("-inf")

    async def run(self) -> None:
        """Follow and sign for ever.

        Raises Halt, LogKeysRefused, LeadLost, LedgerError, TreeDamaged, TreeMoved, NotRecorded.
        """
        rhythm, loop = self._means.rhythm, asyncio.get_running_loop()
        await self._begin()
        while self._last is not None and self._size < self._last.position:
            await self._follow(None)  # what was signed is being added again, or being sent to Kafka again
        await self._lead.note_halt(None)
        self._means.metrics.halted.set(0)
        if self._last is not None:
            self._newest.put(self._last.checkpoint)
        while True:
            waits = self._signed_at + rhythm.seconds - loop.time()
            if self._fresh and (self._fresh >= rhythm.events or waits <= 0):
                await self._sign()
                self._signed_at = loop.time()
            else:
                await self._follow(waits if self._fresh else None)

    async def _begin(self) -> None:
        """Know what was signed last, and that the tree leads to it; raises TreeDamaged, NoCheckpoint."""
        self._last, self._tree_size = await self._lead.last(), await self._means.tree.size()
        signed = self._last.checkpoint.size if self._last else 0
        self._size = min(signed, self._tree_size)
        self._roots.size, self._roots.peaks = self._size, await self._means.tree.peaks(self._size)
        if self._last and self._size == signed and self._roots.root() != self._last.checkpoint.root:
            raise TreeDamaged(f"the tree does not lead to the checkpoint of size {signed}")
        self._show()

    async def _follow(self, seconds: float | None) -> None:
        """Wait until more is on Kafka than was read, and read that; or until the time is over."""
        published = self._size
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                published = await self._means.published.beyond(self._size)
        while self._size < published:
            await self._extend(published)

    async def _extend(self, published: int) -> None:
        """Read what is on Kafka, add what the tree lacks of it, and look at each checkpoint that is among it."""
        rows = await self._means.ledger.read(self._size, AT_ONCE)
        rows = [row for row in rows if row.position <= published]
        if not rows or [row.position for row in rows] != list(range(self._size + 1, self._size + len(rows) + 1)):
            raise Shortened(self._size, published)
        leaves = [hash_leaf(row.wire()) for row in rows]
        if lacking := leaves[max(0, self._tree_size - self._size) :]:
            self._tree_size = await self._means.tree.extend(self._tree_size, lacking)
        for leaf in leaves:
            self._roots.add(leaf)
        self._size = rows[-1].position
        recorded = [row for row in rows if row.type == LogCheckpointed.name]
        for row in recorded:
            await self._check(row)
        signed = self._last.checkpoint.size if self._last else 0
        self._fresh += sum(row.position > signed for row in rows) - sum(row.position > signed for row in recorded)
        self._show()

    async def _check(self, row: Recorded) -> None:
        checkpoint = Checkpoint.recorded(row.body, row.position)
        if checkpoint.size >= row.position or await self._means.tree.root(checkpoint.size) != checkpoint.root:
            raise Differs(checkpoint.size, row.position)

    async def _sign(self) -> None:
        """Sign what was read, and have that recorded; raises TreeDamaged where the tree does not lead there."""
        keys, origin = LogKeys.read(self._means.keys), await self._origin()
        signers = keys.signers(origin, self._last.checkpoint.note if self._last else None)
        root = self._roots.root()
        if root != await self._means.tree.root(self._size):
            raise TreeDamaged(f"the tree does not lead to what the ledger's first {self._size} events lead to")
        checkpoint = Checkpoint.sign(origin, self._size, root, signers)
        became = await self._lead.record(
            checkpoint.draft(self._means.source, (self._last.version if self._last else 0) + 1)
        )
        if became not in ("accepted", "repeated"):
            raise NotRecorded(f"the checkpoint of size {self._size} is not recorded ({became})")
        self._last, self._fresh = await self._lead.last(), 0
        if self._last is not None:
            self._newest.put(self._last.checkpoint)
        self._means.metrics.checkpoints.inc()
        _log.info("log_signed", size=self._size, signatures=len(signers))
        self._show()

    async def _origin(self) -> str:
        if self._means.origin is not None:
            return self._means.origin
        first = await self._lead.first()
        assert first is not None, "what is signed has a first event"
        return default_origin(first)

    def _show(self) -> None:
        self._means.metrics.stand(self._tree_size, self._last.checkpoint.size if self._last else 0)


def default_origin(first: object) -> str:
    """What a log is called by the id of its first event, where nobody gave it a name."""
    return f"intabaza.invalid/{first}"


async def _until_it_leads(lead: Lead) -> None:
    told = False
    while not await lead.try_to_lead():
        if not told:
            _log.info("notary_stands_by")
        told = True
        await asyncio.sleep(TRY_SECONDS)
