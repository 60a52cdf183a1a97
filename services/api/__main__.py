"""`python -m services.api`: one API process, until SIGTERM."""

from __future__ import annotations

import sys

import uvicorn

from services.api.app import make_app
from services.api.tokens import TokenKeysRefused
from services.local.addresses import find_addresses
from services.local.problems import LocalProblem
from services.settings import SettingsRefused, read_settings
from services.telemetry import log_as_json
from services.wiring import open_office

END_SECONDS = 3
"""How long requests on their way may take when it ends; streams are ended at once."""


def main() -> None:
    """Serve until SIGTERM."""
    try:
        settings = read_settings()
        find_addresses(settings)
    except (LocalProblem, SettingsRefused, TokenKeysRefused) as problem:
        sys.exit(str(problem))
    log_as_json()
    app = make_app(lambda: open_office(settings))
    uvicorn.run(
        app,
        host=settings.api_host,
        port=settings.api_port,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=END_SECONDS,
    )


if __name__ == "__main__":
    main()
