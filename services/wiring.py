"""The one place where parts are put together; nothing is connected at import."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import asyncpg
import structlog

from events.places.gazetteer import Gazetteer
from services import clock
from services.acts.in_force import InForce
from services.acts.network import Committee, Network
from services.database.lost import ANSWER_SECONDS, LOST
from services.database.pools import as_it_was
from services.desk.desk import Desk
from services.erasing import Erasures
from services.ledger.ledger import LedgerUnavailable, unavailable
from services.ledger.postgres import PostgresLedger
from services.ledger.published import Published
from services.local.addresses import find_addresses
from services.notary.proving import Proving
from services.settings import Settings, SettingsRefused, child_environment
from services.signs import Signs
from services.silence import Silence
from services.subscribers.addresses import Reachable
from services.subscribers.register import Register
from services.vault.admissions import Admissions
from services.vault.approvals import Approvals
from services.vault.commands import CommandIds
from services.vault.connection import connect_vault
from services.vault.held import HeldSigns
from services.vault.keyring import KeyRing
from services.vault.master import MasterKey
from services.vault.opening import Opener
from services.vault.receipts import Receipts
from services.vault.register import PersonRegister
from services.vault.sealing import Sealer
from services.vault.used import UsedApprovals

if TYPE_CHECKING:
    from services.api.office import Office
    from services.evidence.gathering import Fetch
    from services.evidence.taking import Taking
    from services.notary.notary import Notary
    from services.notifier.notifier import Notifier
    from services.relay.relay import Relay

AGAIN_SECONDS = 0.5

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_network(
    app_dsn: str,
    vault_dsn: str,
    master: MasterKey,
    gazetteer: Gazetteer,
    committee: Committee,
    *,
    zone: tzinfo,
    source: str,
) -> AsyncIterator[Network]:
    """Everything an act needs, on a migrated database: ledger and vault each under their own role."""
    async with _desk(app_dsn, vault_dsn, master, zone, source) as (desk, opener, _, _):
        yield Network(desk, opener, gazetteer, committee)


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[Desk]:
    """What an operator's own act needs, on the servers of the settings or of the stack that runs."""
    addresses, zone = find_addresses(settings), ZoneInfo(settings.zone)
    master = master_key(settings)
    async with _desk(addresses.app_dsn, addresses.vault_dsn, master, zone, settings.source) as (desk, _, _, _):
        yield desk


@asynccontextmanager
async def open_erasures(settings: Settings) -> AsyncIterator[Erasures]:
    """What erases people, on the servers of the settings or of the stack that runs."""
    addresses, zone = find_addresses(settings), ZoneInfo(settings.zone)
    master = master_key(settings)
    async with _desk(addresses.app_dsn, addresses.vault_dsn, master, zone, settings.source) as (desk, _, _, keys):
        yield Erasures(desk.ledger, desk.persons, keys, master)


@asynccontextmanager
async def open_taking(settings: Settings) -> AsyncIterator[tuple[Desk, Taking, Approvals]]:
    """What takes a case away, a desk, and what approves, on the servers of the settings or of the stack that runs."""
    from services.evidence.taking import Taking

    addresses, zone = find_addresses(settings), ZoneInfo(settings.zone)
    master = master_key(settings)
    async with (
        _desk(addresses.app_dsn, addresses.vault_dsn, master, zone, settings.source) as (desk, opener, _, _),
        asyncpg.create_pool(addresses.app_dsn, min_size=0, max_size=1, reset=as_it_was) as pool,
    ):
        proving = await Proving.connect(addresses.app_dsn, desk.ledger)
        try:
            yield desk, Taking(_fetching(pool), proving, opener), Approvals(master)
        finally:
            await proving.close()


@asynccontextmanager
async def open_office(settings: Settings) -> AsyncIterator[Office]:
    """Everything the API stands on, on the servers of the settings or of the stack that runs."""
    from projections.live import LIVE
    from services.api.feed import AlertFeed
    from services.api.limits import Limits
    from services.api.metrics import Metrics
    from services.api.office import Office
    from services.api.projections import Projections
    from services.api.tokens import Parties, TokenIssuer, TokenKeys
    from services.bulletins.issuer import boundaries_of, issuer_of
    from services.evidence.taking import Taking
    from services.past.asking import Bounds, Past

    addresses, zone, issuer = find_addresses(settings), ZoneInfo(settings.zone), issuer_of(settings)
    boundaries = boundaries_of(settings)
    if settings.token_keys_file is None:
        TokenIssuer.of(settings)
    tokens = TokenKeys.read(settings.token_keys, parties=Parties(settings.token_issuer, settings.token_audience))
    master = master_key(settings)
    async with _desk(addresses.app_dsn, addresses.vault_dsn, master, zone, settings.source) as parts:
        desk, opener, in_force, keys = parts
        published = Published(addresses.app_dsn)
        projections = await Projections.connect(addresses.app_dsn, LIVE)
        bounds = Bounds(
            settings.api_as_of_waiting,
            settings.api_as_of_waiting_per_person,
            settings.api_as_of_seconds,
            settings.api_as_of_fold_seconds,
        )
        past = Past(projections.look, child_environment(settings), bounds)
        register = await Register.connect(addresses.app_dsn, master, _overlap(settings))
        proving = await Proving.connect(addresses.app_dsn, desk.ledger)
        gathering = await asyncpg.create_pool(
            addresses.app_dsn, min_size=0, max_size=settings.api_packs, reset=as_it_was
        )
        await in_force.look()
        feed = AlertFeed(desk.ledger, published)
        await feed.begin()
        tasks = [asyncio.create_task(one) for one in (in_force.keep_looking(), feed.run(), desk.signs.keep_looking())]
        try:
            yield Office(
                ledger=desk.ledger,
                desk=desk,
                opener=opener,
                approvals=Approvals(master),
                erasures=Erasures(desk.ledger, desk.persons, keys, master),
                receipts=Receipts(master),
                in_force=in_force,
                tokens=tokens,
                published=published,
                projections=projections,
                past=past,
                proving=proving,
                taking=Taking(_fetching(gathering), proving, opener),
                log_public_keys=settings.log_public_keys,
                feed=feed,
                silence=Silence(desk.ledger, desk.persons, desk.signs.store, zone),
                limits=Limits(settings.api_requests_per_second, settings.api_streams_per_person, settings.api_packs),
                metrics=Metrics(lambda: feed.listeners, lambda: desk.signs.overdue),
                register=register,
                reachable=reachable(settings),
                issuer=issuer,
                boundaries=boundaries,
                partitions=settings.partitions,
                request_seconds=settings.api_request_seconds,
                heartbeat_seconds=settings.api_heartbeat_seconds,
            )
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await past.close()
            await published.close()
            await projections.close()
            await register.close()
            await proving.close()
            gathering.terminate()


def _fetching(pool: asyncpg.Pool) -> Fetch:
    """Reads through a pool; raises LedgerUnavailable where the database is away."""

    async def fetch(query: str, *arguments: object) -> list[asyncpg.Record]:
        try:
            return await pool.fetch(query, *arguments)
        except LOST as error:
            raise unavailable(error) from error

    return fetch


def master_key(settings: Settings) -> MasterKey:
    """The key over all keys of the vault; raises MasterKeyRefused."""
    key = settings.vault_master_key
    return MasterKey.parse(key.get_secret_value()) if key else MasterKey.read(settings.master_key_file)


@asynccontextmanager
async def _desk(
    app_dsn: str, vault_dsn: str, master: MasterKey, zone: tzinfo, source: str
) -> AsyncIterator[tuple[Desk, Opener, InForce, KeyRing]]:
    ledger = await PostgresLedger.connect(app_dsn, clock.now)
    try:
        pool = await connect_vault(vault_dsn)
        keys, intake = KeyRing(pool, master, source), Admissions(pool, master)
        try:
            ids, persons = CommandIds(master), PersonRegister(pool, master)
            in_force = InForce(ledger, persons)
            signs = Signs(HeldSigns(pool), ledger, keys, ids, zone=zone, source=source)
            desk = Desk(ledger, Sealer(keys), persons, intake, ids, signs, clock=in_force.now, zone=zone, source=source)
            yield desk, Opener(keys, ledger, ids, source, UsedApprovals(pool)), in_force, keys
        finally:
            await intake.close()
            await keys.close()
            await pool.close()
    finally:
        await ledger.close()


@asynccontextmanager
async def open_relay(settings: Settings) -> AsyncIterator[Relay]:
    """One relay, on the servers of the settings or of the stack that runs; it waits for them where they are away."""
    # here, so that no other process that is wired in this module brings a Kafka client along
    from services.relay.due import ProjectionsDue
    from services.relay.metrics import Metrics
    from services.relay.relay import Relay
    from services.relay.ticker import Ticker

    addresses = find_addresses(settings)
    metrics = Metrics()
    port = metrics.serve(settings.relay_metrics_port)
    _log.info("relay_answers_prometheus", address=f"http://127.0.0.1:{port}/metrics")
    ledger = await _ledger_when_there(addresses.app_dsn)
    due = ProjectionsDue(addresses.app_dsn)
    try:
        yield Relay(
            ledger,
            addresses.app_dsn,
            addresses.bootstrap,
            partitions=settings.partitions,
            replication=settings.kafka_replication,
            metrics=metrics,
            beside=[Ticker(ledger, ZoneInfo(settings.zone), settings.source, due)],
        )
    finally:
        due.close()
        await ledger.close()


@asynccontextmanager
async def open_notifier(settings: Settings) -> AsyncIterator[Notifier]:
    """One notifier, on the servers of the settings or of the stack that runs; it waits for them where they are away."""
    from services.notifier.metrics import Metrics
    from services.notifier.notifier import Notifier
    from services.notifier.retrying import Schedule
    from services.notifier.sender import Sender

    dsn, master = find_addresses(settings).notifier_dsn, master_key(settings)
    metrics = Metrics()
    port = metrics.serve(settings.notifier_metrics_port)
    _log.info("notifier_answers_prometheus", address=f"http://127.0.0.1:{port}/metrics")
    try:
        sender = Sender.open(
            reachable(settings),
            connect_seconds=settings.notifier_connect_seconds,
            total_seconds=settings.notifier_answer_seconds,
            authorities=settings.notifier_authorities_file,
        )
    except OSError as error:  # an error of TLS is one too
        because = error.strerror or "it is none"
        raise SettingsRefused(
            f"INTABAZA_NOTIFIER_AUTHORITIES_FILE: expected a file of certificates in PEM at "
            f"{settings.notifier_authorities_file} ({because}); correct it and try again."
        ) from None
    published = Published(dsn)
    pool = await asyncpg.create_pool(dsn, min_size=0, max_size=4, command_timeout=ANSWER_SECONDS, reset=as_it_was)
    try:
        yield Notifier(
            dsn,
            pool,
            published,
            sender,
            master,
            schedule=Schedule(settings.notifier_retry_seconds, settings.notifier_longest_retry_seconds),
            give_up=timedelta(hours=settings.notifier_give_up_hours),
            at_once=settings.notifier_at_once,
            metrics=metrics,
        )
    finally:
        await sender.close()
        await published.close()
        pool.terminate()


@asynccontextmanager
async def open_notary(settings: Settings) -> AsyncIterator[Notary]:
    """One notary, on the servers of the settings or of the stack that runs; it waits for them where they are away."""
    from services.notary.keys import LogKeys
    from services.notary.metrics import Metrics
    from services.notary.notary import Means, Notary, Rhythm
    from services.notary.posting import Posting
    from services.notary.tree import Tree
    from services.notary.witnesses import Named

    dsn = find_addresses(settings).notary_dsn
    LogKeys.find_or_make(settings.log_keys)
    file = settings.notary_witnesses_file
    witnesses = Named.read(file.expanduser().absolute() if file is not None else None)
    metrics = Metrics()
    port = metrics.serve(settings.notary_metrics_port)
    _log.info("notary_answers_prometheus", address=f"http://127.0.0.1:{port}/metrics")
    ledger = await _ledger_when_there(dsn)
    pool = await asyncpg.create_pool(dsn, min_size=0, max_size=4, command_timeout=ANSWER_SECONDS, reset=as_it_was)
    published = Published(dsn)
    try:
        async with Posting.opened(settings.notary_witness_seconds) as posting:
            means = Means(
                ledger,
                published,
                Tree(pool),
                settings.log_keys,
                settings.log_origin,
                settings.source,
                Rhythm(settings.notary_seconds, settings.notary_events),
                metrics,
                witnesses,
                posting.post,
            )
            yield Notary(dsn, means)
    finally:
        await published.close()
        pool.terminate()
        await ledger.close()


def _overlap(settings: Settings) -> timedelta:
    return timedelta(hours=settings.notifier_rotation_hours)


def reachable(settings: Settings) -> Reachable:
    """Where webhooks may be sent."""
    return Reachable(settings.reachable_networks, settings.reachable_ports, settings.notifier_http)


@asynccontextmanager
async def open_register(settings: Settings) -> AsyncIterator[Register]:
    """The register of subscribers, on the servers of the settings or of the stack that runs."""
    register = await Register.connect(find_addresses(settings).app_dsn, master_key(settings), _overlap(settings))
    try:
        yield register
    finally:
        await register.close()


async def _ledger_when_there(dsn: str) -> PostgresLedger:
    """The ledger, as soon as its database takes connections."""
    told = False
    while True:
        try:
            return await PostgresLedger.connect(dsn, clock.now)
        except LedgerUnavailable as error:
            if not told:
                _log.warning("waits_for_the_database", because=str(error))
            told = True
            await asyncio.sleep(AGAIN_SECONDS)
