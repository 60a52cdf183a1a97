"""An example of each bulletin, for the description of the API: of the alert that schemas/ shows as raised."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from events.alert import AlertChange, AlertIssued, Code, KindGroup
from services.bulletins import table
from services.bulletins.atom import atom
from services.bulletins.cap import cap
from services.bulletins.issuer import Issuer
from services.bulletins.told import Told
from services.words.languages import language

_ISSUER = Issuer(
    sender="alerts.example.org",
    sender_name="A peace network",
    zone=ZoneInfo("Africa/Bujumbura"),
    restriction="For partners of the network.",
    public_url="https://alerts.example.org",
)


def told() -> Told:
    """A commune on alert."""
    alert = {
        "unit": "bi:c2015:gihanga",
        "unit_name": "Gihanga",
        "codes": (Code(scheme="pcode", code="BDI001002"),),
        "from": 1,
        "to": 3,
        "on": date(2026, 5, 20),
        "kinds": (KindGroup.VIOLENCE_AND_WEAPONS,),
        "rules_hash": "0" * 64,
        "change": AlertChange.RAISED,
    }
    return Told(
        alert_id=UUID("aa32026b-a06d-8e0a-87ba-be45ec48fbf0"),
        position=1234,
        mode="actual",
        sent=datetime(2026, 5, 20, 6, 0, 1, tzinfo=UTC),
        stands=True,
        alert=AlertIssued.model_validate(alert),
    )


def cap_document() -> str:
    """In one language; documents have one block for each."""
    return cap(told(), (), _ISSUER, languages=("en",)).decode()


def atom_feed() -> str:
    """One page with one alert."""
    address = "https://alerts.example.org/v1/alerts/feed.atom"
    return atom([told()], {"self": address, "first": address}, _ISSUER, language("en")).decode()


def csv_table() -> str:
    """A table with one alert."""
    return (table.head() + table.lines([told()])).decode()


def package() -> dict[str, Any]:
    """What its columns are."""
    return table.data_package(_ISSUER)
