"""Alerts as a table: CSV (RFC 4180), and the datapackage.json that says what its columns are (Frictionless)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from events.alert import AlertChange, KindGroup
from services.bulletins.issuer import Issuer
from services.bulletins.told import Told

MEDIA_TYPE = "text/csv"
PATH = "alerts.csv"
VERSION = 2
"""Another one where the same alerts are written otherwise: what was remembered of the file is not it any more. A test
knows each version by what it writes."""

_SCHEMES = ("pcode", "national_code", "iso_3166")
_MODES = "Only `actual` happened."
_OPEN = "Open: keep a word that you do not know and show it as `other`."

COLUMNS: Mapping[str, Mapping[str, Any]] = {
    "alert_id": {
        "type": "string", "format": "uuid", "constraints": {"required": True, "unique": True},
        "description": "The event's id, as on alerts.v1, in webhooks and in CAP. Lines are in the order of the alerts.",
    },
    "mode": {"type": "string", "constraints": {"required": True}, "description": f"{_MODES} {_OPEN}"},
    "unit": {"type": "string", "constraints": {"required": True}, "description": "The unit's permanent id."},
    "unit_name": {
        "type": "string", "constraints": {"required": True},
        "description": "A text that a spreadsheet would take for a formula has a ' before it, in any column.",
    },
    "pcode": {"type": "string", "description": "OCHA's code; communes of Burundi since June 2025 have none."},
    "national_code": {"type": "string"},
    "iso_3166": {"type": "string"},
    "other_codes": {"type": "string", "description": "Codes of other schemes, as scheme=code with ; between."},
    "from": {"type": "integer", "constraints": {"required": True, "minimum": 0, "maximum": 4}},
    "to": {
        "type": "integer", "constraints": {"required": True, "minimum": 0, "maximum": 4},
        "description": "The level: 0 calm, 1 watch, 2 tension, 3 alert, 4 crisis.",
    },
    "on": {"type": "date", "constraints": {"required": True}, "description": "The local day."},
    "warns": {
        "type": "boolean", "trueValues": ["true"], "falseValues": ["false"], "constraints": {"required": True},
        "description": "Whether there is an alert from here on. false does not say that it is calm.",
    },
    "change": {
        "type": "string", "constraints": {"required": True},
        "description": f"{', '.join(AlertChange)}. {_OPEN}",
    },
    "kinds": {"type": "string", "description": f"Of {', '.join(KindGroup)}, with ; between. {_OPEN}"},
    "updates": {"type": "string", "format": "uuid", "description": "The alert whose place it takes."},
    "cancels": {"type": "string", "format": "uuid", "description": "The alert that should not have been told."},
    "rules_hash": {"type": "string", "description": "The rule set by which the level is."},
}  # fmt: skip


def head() -> bytes:
    """The line of the columns' names."""
    return _written([COLUMNS])


def lines(page: Iterable[Told]) -> bytes:
    """A line for each alert."""
    return _written(map(_row, page))


def data_package(issuer: Issuer, **more: object) -> dict[str, Any]:
    """What the table is, for programs that read a Data Package; `more` is said of it beside."""
    return {
        "profile": "tabular-data-package",
        "name": "alerts",
        "title": f"Alerts: {issuer.sender_name}",
        "description": "Every alert that strangers were told, the oldest first. Times of day, sources and counts are "
        "in none of it.",
        "resources": [
            {
                "profile": "tabular-data-resource",
                "name": "alerts",
                "path": PATH,
                "format": "csv",
                "mediatype": MEDIA_TYPE,
                "encoding": "utf-8",
                "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True},
                "schema": {
                    "fields": [{"name": name, **said} for name, said in COLUMNS.items()],
                    "primaryKey": "alert_id",
                    "missingValues": [""],
                },
            }
        ],
        **more,
    }


def _row(told: Told) -> list[str]:
    alert = told.alert
    codes = {one.scheme: one.code for one in alert.codes}
    others = ";".join(f"{scheme}={code}" for scheme, code in codes.items() if scheme not in _SCHEMES)
    values = {
        "alert_id": told.alert_id,
        "mode": told.mode,
        "unit": alert.unit,
        "unit_name": alert.unit_name,
        **{scheme: codes.get(scheme) for scheme in _SCHEMES},
        "other_codes": others,
        "from": alert.before,
        "to": alert.after,
        "on": alert.on.isoformat(),
        "warns": "true" if told.stands else "false",
        "change": alert.change,
        "kinds": ";".join(alert.kinds),
        "updates": alert.updates,
        "cancels": alert.cancels,
        "rules_hash": alert.rules_hash,
    }
    return [_cell(values[name]) for name in COLUMNS]


def _cell(value: object) -> str:
    """A text; one that a spreadsheet would take for a formula is told apart by a quotation mark before it."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _written(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
