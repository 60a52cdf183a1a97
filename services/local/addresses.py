"""Where a running stack's servers listen and how each role logs in: the settings where they say so, else the state."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

from pydantic import SecretStr

from services.local.database import DATABASE
from services.local.folder import PASSWORDS_FOR, DataFolder
from services.local.problems import LocalProblem
from services.settings import Settings

SERVICES = ("app_dsn", "vault_dsn", "projector_dsn", "notifier_dsn")
"""Settings that say how each role of ours logs in beside an existing PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """One DSN a role, with its password (kept out of `repr`), and where Kafka clients begin."""

    owner_dsn: str = field(repr=False)
    app_dsn: str = field(repr=False)
    vault_dsn: str = field(repr=False)
    projector_dsn: str = field(repr=False)
    notifier_dsn: str = field(repr=False)
    bootstrap: str


def find_addresses(settings: Settings) -> Addresses:
    """Raises LocalProblem when a server is neither set nor running here."""
    state = DataFolder(settings.folder).state() or {}
    bootstrap = settings.kafka_bootstrap or state.get("bootstrap")
    if not bootstrap:
        raise _not_running(settings)
    dsns = _dsns(settings, state.get("ports", {}).get("postgres"))
    return Addresses(*dsns, bootstrap=bootstrap)


def _dsns(settings: Settings, port: int | None) -> tuple[str, str, str, str, str]:
    """The owner's first, then the services' in their order."""
    if settings.postgres_dsn is not None:
        missing = [name for name in SERVICES if getattr(settings, name) is None]
        if missing:
            raise LocalProblem(
                f"With INTABAZA_POSTGRES_DSN also set {' and '.join(f'INTABAZA_{name.upper()}' for name in missing)}: "
                "the services, the vault, the processors and the notifier log in as roles of their own."
            )
        secrets = (settings.postgres_dsn, *(getattr(settings, name) for name in SERVICES))
        owner, app, vault, projector, notifier = (
            one.get_secret_value() for one in secrets if isinstance(one, SecretStr)
        )
        return owner, app, vault, projector, notifier
    if port is None:
        raise _not_running(settings)
    passwords = DataFolder(settings.folder).passwords()
    owner, app, vault, projector, notifier = (
        f"postgresql://{role}:{quote(passwords[role], safe='')}@127.0.0.1:{port}/{DATABASE}" for role in PASSWORDS_FOR
    )
    return owner, app, vault, projector, notifier


def _not_running(settings: Settings) -> LocalProblem:
    return LocalProblem(
        f"No stack runs in {settings.folder}: start it with `intabaza up`, "
        "or choose its folder in INTABAZA_DATA_FOLDER."
    )
