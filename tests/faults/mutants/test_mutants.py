"""The checker is itself tested: of every seeded bug it finds the broken promise that it was written for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.mutants.trial import Mutant, every, strike

EACH_TIME = "derived_id_not_deterministic relay_skips_the_lowest idempotency_not_stored"
ASKED = os.getenv("INTABAZA_MUTANTS", EACH_TIME)  # noqa: TID251 - a test's own size
"""Names of seeded bugs, or `all`: each takes a stack of its own for one to four minutes."""


def asked() -> list[Mutant]:
    known = {one.name: one for one in every()}
    return list(known.values()) if ASKED == "all" else [known[name] for name in ASKED.split()]


@pytest.mark.parametrize("mutant", asked(), ids=lambda one: one.name)
def test_the_checker_finds(mutant: Mutant, tmp_path: Path) -> None:
    found, said = strike(mutant, tmp_path)
    assert found & mutant.found_as, f"{mutant.what}\nThe checker found {sorted(found)} instead.\n{said}"
