"""`python -m services.cli` is `intabaza`."""

from services.cli import main

main()
