"""Burundi's gazetteer as it stands in deploy/, read once, and Vela's, written anew for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.places.gazetteer import Gazetteer
from services.gazetteer import read_gazetteer
from tests.contract.gazetteer.invented import write

BURUNDI = Path(__file__).parents[3] / "deploy" / "gazetteer" / "burundi"


@pytest.fixture(scope="session")
def burundi() -> Gazetteer:
    return read_gazetteer(BURUNDI)


@pytest.fixture
def vela(tmp_path: Path) -> Gazetteer:
    return read_gazetteer(write(tmp_path))
