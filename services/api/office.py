"""What every endpoint may ask, in one place, and who is asking."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request

from events.vocabulary import Role
from projections.alert_level.rules import Rules
from services import clock
from services.acts.in_force import InForce, NotBegun
from services.acts.network import Network
from services.api.access import Reach, reach
from services.api.country import Country
from services.api.feed import AlertFeed
from services.api.limits import Limits
from services.api.metrics import Metrics
from services.api.problems import NO_TOKEN, NOT_THIS_ROLE, Refused
from services.api.projections import Projections
from services.api.tokens import Bearer, TokenKeys, TokenRefused
from services.area import EVERYWHERE, Area
from services.bulletins.issuer import Issuer
from services.bulletins.shapes import Boundaries
from services.desk.desk import Desk
from services.erasing import Erasures
from services.evidence.taking import Taking
from services.ledger.ledger import Ledger, LedgerError
from services.ledger.published import Published
from services.notary.proving import Proving
from services.past.asking import Past
from services.silence import Silence
from services.subscribers.addresses import Reachable
from services.subscribers.register import Register
from services.vault.approvals import Approvals
from services.vault.opening import Opener
from services.vault.receipts import Receipts
from services.vault.refused import VaultError


@dataclass(slots=True)
class Office:
    """The collaborators of the API; it belongs to one event loop."""

    ledger: Ledger
    desk: Desk
    opener: Opener
    approvals: Approvals
    erasures: Erasures
    receipts: Receipts
    in_force: InForce
    tokens: TokenKeys
    published: Published
    projections: Projections
    past: Past
    proving: Proving
    taking: Taking
    log_public_keys: Path
    feed: AlertFeed
    limits: Limits
    silence: Silence
    metrics: Metrics
    register: Register
    reachable: Reachable
    issuer: Issuer
    boundaries: Boundaries
    partitions: int
    request_seconds: float
    heartbeat_seconds: float
    rules: dict[str, Rules] = field(default_factory=dict, init=False)
    """Rule sets that somebody asked about, by their hash: texts never change under it."""
    _country: Country | None = field(default=None, init=False)

    def country(self) -> Country:
        """The gazetteer in force, as reads ask about it; raises NotBegun."""
        gazetteer = self.in_force.gazetteer
        if gazetteer is None:
            raise NotBegun("no gazetteer is adopted yet: an admin adopts one, or `intabaza begin`")
        if self._country is None or self._country.gazetteer is not gazetteer:
            self._country = Country(gazetteer)
        return self._country

    async def catch_up(self) -> None:
        """Learn what time it is where a scenario sets the clock, before anything is done by it."""
        if self.in_force.simulated:
            await self.in_force.look_at_the_clock()
            with suppress(LedgerError, VaultError):  # who looks every second tells of it
                await self.desk.signs.look()

    def network(self) -> Network:
        """What an act that begins now rests on; raises NotBegun."""
        return self.in_force.network(self.desk, self.opener)


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody who may do what they ask for, and how far."""

    bearer: Bearer
    reach: Reach

    @property
    def area(self) -> Area:
        """The units in which they may do it."""
        return self.bearer.area if self.reach is Reach.AREA else EVERYWHERE

    @property
    def recipient(self) -> str | None:
        """Whose referrals they may touch, where only their own."""
        return self.bearer.recipient if self.reach is Reach.OWN and self.bearer.role == Role.RECIPIENT else None


def who_asks(office: Office, request: Request, operation: str) -> Asking:
    """Who sent this, if they may do it, and not too often; raises Refused."""
    try:
        bearer = _bearer(office, request)
    except TokenRefused as why:
        office.limits.unknown(request.client and request.client.host)
        raise Refused(NO_TOKEN, f"The token is not taken: {why}.") from None
    request.state.role = bearer.role.value
    office.limits.known(bearer.person_id)
    return _granted(bearer, operation)


def still_asks(office: Office, request: Request, operation: str) -> Asking:
    """The same while an answer goes on, which counts as no further request; raises Refused."""
    try:
        return _granted(_bearer(office, request), operation)
    except TokenRefused as why:
        raise Refused(NO_TOKEN, f"The token is not taken: {why}.") from None


def _bearer(office: Office, request: Request) -> Bearer:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(NO_TOKEN, "Send a token in the header Authorization, as: Bearer <token>.")
    return office.tokens.verify(token.strip(), clock.now())


def _granted(bearer: Bearer, operation: str) -> Asking:
    granted = reach(operation, bearer.role)
    if granted is None:
        raise Refused(
            NOT_THIS_ROLE, f"The role {bearer.role.value} may not do {operation}: ask somebody whose work it is."
        )
    return Asking(bearer, granted)
