"""Sealed texts as answers show them: that there is one, never what it is."""

from __future__ import annotations

from typing import Any

from services.vault.sealing import step_into

SEALED = {"sealed": True}
_PARTS = {"kid", "nonce", "ct"}


def veiled(data: Any, fields: list[str], path: str = "") -> Any:
    """An event's data without its ciphertexts; the path of each goes into `fields`, as opening it asks for it."""
    if isinstance(data, dict):
        if data.keys() >= _PARTS:
            fields.append(path)
            return SEALED
        return {name: veiled(part, fields, step_into(path, name)) for name, part in data.items()}
    if isinstance(data, list):
        return [veiled(part, fields, step_into(path, str(place))) for place, part in enumerate(data)]
    return data
