"""What every act rests on as it stands now: the gazetteer and rules in force, who may vote, and what time it is.

A gazetteer is followed within a second. A report that came in between names the one that it was placed by, and a home
never changes, so nothing is lost by that second.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from events.catalogue import read
from events.places.gazetteer import Gazetteer
from events.reference import GazetteerAdopted, RulesAdopted
from projections.rule_set import RuleSet, read_rule_set
from services import clock
from services.acts.network import Committee, Network
from services.desk.desk import Desk
from services.ledger.ledger import Ledger, LedgerError
from services.vault.opening import Opener
from services.vault.persons import Persons
from services.vault.refused import VaultError

LOOK_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class NotBegun(Exception):
    """Nothing can be done before a gazetteer and a rule set are adopted; the message says what is missing."""


class InForce:
    """Reads what is in force from the ledger and the vault; `now` is the desk's clock."""

    def __init__(self, ledger: Ledger, persons: Persons) -> None:
        self._ledger = ledger
        self._persons = persons
        self._versions = {"gazetteer": 0, "rules": 0}
        self._simulated: datetime | None = None
        self.gazetteer: Gazetteer | None = None
        self.rules: RuleSet | None = None
        self.members: frozenset[UUID] = frozenset()

    def now(self) -> datetime:
        """What the desk calls now: where a simulated ledger's clock was seen last, else this machine's."""
        return self._simulated or clock.now()

    @property
    def simulated(self) -> bool:
        return self._simulated is not None

    def network(self, desk: Desk, opener: Opener) -> Network:
        """The collaborators of an act that begins now; raises NotBegun."""
        if self.gazetteer is None or self.rules is None:
            missing = [name for name, one in (("gazetteer", self.gazetteer), ("rule set", self.rules)) if one is None]
            raise NotBegun(f"no {' and no '.join(missing)} is adopted yet: an admin adopts one, or `intabaza begin`")
        rule = self.rules.committee
        committee = Committee(self.members, rule.required, timedelta(hours=rule.ratify_within_hours))
        return Network(desk, opener, self.gazetteer, committee)

    async def look(self) -> None:
        """Read what changed since the last look."""
        await self.look_at_the_clock()
        self.members = await self._persons.committee()
        for register, version in self._versions.items():
            # What was adopted last is in force; what it replaced need not be read.
            for row in (await self._ledger.read_stream(f"reference/{register}", version))[-1:]:
                match read(row.wire()).data:
                    case GazetteerAdopted(content=content):
                        self.gazetteer = Gazetteer.from_content(content)
                    case RulesAdopted(content=text):
                        self.rules = read_rule_set(text)
                self._versions[register] = row.version

    async def look_at_the_clock(self) -> None:
        """Only a simulated ledger's clock is asked for: somebody sets it on between two commands."""
        self._simulated = await self._ledger.simulated_clock()

    async def keep_looking(self) -> None:
        """Look again every second, for ever; while a server is away what was read last stands."""
        told = False
        while True:
            try:
                await self.look()
                told = False
            except (LedgerError, VaultError) as error:
                if not told:
                    _log.warning("what_is_in_force_cannot_be_read", error=type(error).__name__)
                told = True
            await asyncio.sleep(LOOK_SECONDS)
