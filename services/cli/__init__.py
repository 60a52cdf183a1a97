"""The command `intabaza`; every failure ends in a sentence and a status that is not 0."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - said here, before an import fails with something stranger
    sys.exit("intabaza needs Python 3.11 or newer: install one and make the virtual environment with it.")


def main() -> None:
    """Run the command line; the imports wait until the Python is known to be new enough."""
    from services.cli.app import run

    run()
