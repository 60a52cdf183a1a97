"""Changing the keys of tokens: which there are, one more, one less. Every API follows the file without a restart.

The last key in the file signs; all of them are believed. So: add one, wait until the last token of the old one has
ended, retire that; or retire it at once where it is no secret any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from services.api.tokens import TokenKeysRefused, drafted, new_key, read_keys
from services.local.folder import alone_in


@dataclass(frozen=True, slots=True)
class KeyInUse:
    """A key of the file, by its `kid`."""

    kid: str
    signs: bool


def keys_in_use(file: Path) -> Sequence[KeyInUse]:
    """What the file holds, the oldest first; raises TokenKeysRefused."""
    kids = [one["kid"] for one in _held(file)]
    return [KeyInUse(kid, signs=kid == kids[-1]) for kid in kids]


def add(file: Path) -> str:
    """Make a key that signs from now on, beside those that are there; returns its `kid`. Raises TokenKeysRefused."""
    made = new_key()
    with _changing(file):
        _replace(file, [*_held(file), dict(made.as_dict(private=True))])
    return str(made.kid)


def retire(file: Path, kid: str) -> None:
    """Take a key away: what it signed ends at once. Raises TokenKeysRefused where it is not there, or the last."""
    with _changing(file):
        held = _held(file)
        left = [one for one in held if one["kid"] != kid]
        if len(left) == len(held):
            known = ", ".join(one["kid"] for one in held)
            raise TokenKeysRefused(f"There is no key {kid} in {file}: it holds {known}.")
        if not left:
            raise TokenKeysRefused(f"{kid} is the only key in {file}: add another one first, or nobody could come in.")
        _replace(file, left)


@contextmanager
def _changing(file: Path) -> Iterator[None]:
    """Of two who change a file at once the second changes what the first left; raises TokenKeysRefused."""
    try:
        with alone_in(file.parent):
            yield
    except OSError as error:
        raise TokenKeysRefused(f"{file} cannot be written ({error.strerror}).") from None


def _held(file: Path) -> list[dict[str, Any]]:
    """The keys as they stand in a file that can be used; raises TokenKeysRefused."""
    read_keys(file)
    keys: list[dict[str, Any]] = orjson.loads(file.read_bytes())["keys"]
    return keys


def _replace(file: Path, keys: Sequence[dict[str, Any]]) -> None:
    """Put the whole file there at once."""
    with drafted(file, keys) as draft:
        draft.replace(file)
