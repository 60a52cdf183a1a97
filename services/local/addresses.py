"""Where a running stack's servers listen and how each role logs in: the settings where they say so, else the state."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

from pydantic import SecretStr

from services.local.database import DATABASE
from services.local.folder import PASSWORDS_FOR, DataFolder
from services.local_problem import LocalProblem
from services.settings import Settings

SERVICES = ("app_dsn", "vault_dsn", "projector_dsn", "notifier_dsn", "notary_dsn")
"""Settings that say how each role of ours logs in beside an existing PostgreSQL."""

NAMES = ("owner_dsn", *SERVICES)


@dataclass(frozen=True, slots=True)
class Addresses:
    """One DSN a role, with its password (kept out of `repr`), and where Kafka clients begin."""

    owner_dsn: str = field(repr=False)
    app_dsn: str = field(repr=False)
    vault_dsn: str = field(repr=False)
    projector_dsn: str = field(repr=False)
    notifier_dsn: str = field(repr=False)
    notary_dsn: str = field(repr=False)
    bootstrap: str


def find_addresses(settings: Settings) -> Addresses:
    """Raises LocalProblem when a server is neither set nor running here."""
    bootstrap = find_bootstrap(settings)
    state = DataFolder(settings.folder).state() or {}
    dsns = _dsns(settings, state.get("ports", {}).get("postgres"))
    return Addresses(**dsns, bootstrap=bootstrap)


def find_bootstrap(settings: Settings) -> str:
    """Where Kafka clients begin, for who needs nothing else; raises LocalProblem as above."""
    bootstrap = settings.kafka_bootstrap or (DataFolder(settings.folder).state() or {}).get("bootstrap")
    if not bootstrap:
        raise _not_running(settings)
    return str(bootstrap)


def _dsns(settings: Settings, port: int | None) -> dict[str, str]:
    """By whose they are: the owner's first, then the services' in their order."""
    if settings.postgres_dsn is not None:
        missing = [name for name in SERVICES if getattr(settings, name) is None]
        if missing:
            raise LocalProblem(
                f"With INTABAZA_POSTGRES_DSN also set {' and '.join(f'INTABAZA_{name.upper()}' for name in missing)}: "
                "the services, the vault, the processors, the notifier and the notary log in as roles of their own."
            )
        secrets = (settings.postgres_dsn, *(getattr(settings, name) for name in SERVICES))
        found = [one.get_secret_value() for one in secrets if isinstance(one, SecretStr)]
        return dict(zip(NAMES, found, strict=True))
    if port is None:
        raise _not_running(settings)
    passwords = DataFolder(settings.folder).passwords()
    found = [
        f"postgresql://{role}:{quote(passwords[role], safe='')}@127.0.0.1:{port}/{DATABASE}" for role in PASSWORDS_FOR
    ]
    return dict(zip(NAMES, found, strict=True))


def _not_running(settings: Settings) -> LocalProblem:
    return LocalProblem(
        f"No stack runs in {settings.folder}: start it with `intabaza up`, "
        "or choose its folder in INTABAZA_DATA_FOLDER."
    )
