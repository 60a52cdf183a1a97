"""`python -m tests.faults.up KAFKA POSTGRES` is `intabaza up` with wires of a nemesis put between.

The relays reach Kafka through the first port and the processors reach PostgreSQL through the second; everybody else
goes straight. It is done where a deployment does it, in the environment of each process.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from urllib.parse import quote

from services.cli import main
from services.local import supervisor
from services.local.children import Child, children_of
from services.local.database import DATABASE
from services.local.folder import DataFolder
from services.settings import PREFIX, Settings

ROLES = {
    "POSTGRES_DSN": "postgres",
    "APP_DSN": "intabaza_app",
    "VAULT_DSN": "intabaza_vault",
    "PROJECTOR_DSN": "intabaza_projector",
    "NOTIFIER_DSN": "intabaza_notifier",
    "NOTARY_DSN": "intabaza_notary",
}


def behind_wires(child: Child, settings: Settings, kafka: int, postgres: int) -> Child:
    """The child with the addresses that it is to use."""
    match child.module:
        case "services.relay":
            put = {f"{PREFIX}KAFKA_BOOTSTRAP": f"127.0.0.1:{kafka}"}
        case "services.processors":
            passwords = DataFolder(settings.folder).passwords()
            put = {
                f"{PREFIX}{name}": f"postgresql://{role}:{quote(passwords[role], safe='')}@127.0.0.1:{postgres}"
                f"/{DATABASE}?sslmode=disable"
                for name, role in ROLES.items()
            }
        case _:
            put = {}
    return replace(child, environment={**child.environment, **put})


if __name__ == "__main__":
    KAFKA, POSTGRES = int(sys.argv[1]), int(sys.argv[2])

    def ours(settings: Settings) -> tuple[Child, ...]:
        return tuple(behind_wires(child, settings, KAFKA, POSTGRES) for child in children_of(settings))

    supervisor.children_of = ours  # type: ignore[attr-defined]  # what it is told to run, it imports from elsewhere
    sys.argv[1:] = ["up"]
    main()
