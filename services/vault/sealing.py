"""Seals the personal texts of events: every `Clear` becomes a `Sealed` before canonical bytes exist.

A ciphertext is bound to its place by its additional data, canonical JSON of the form's version, algorithm, stream,
stream version, field and key id, so it opens only where it was put. A text is padded first, so that its length tells
little: 64 bytes, then doubled up to 65,536, then in steps of 65,536.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from secrets import token_bytes
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args, get_origin
from uuid import UUID

import orjson
from pydantic import BaseModel

from events.event import Event
from events.sealed import Clear, Sealed, Under
from services.vault.keys import DataKey, Keys, Need
from services.vault.master import NONCE_BYTES
from services.vault.refused import AlreadySealed

FORM = 1
ALGORITHM = "A256GCM"
SMALLEST_STEP_BYTES = 64
LARGEST_STEP_BYTES = 65_536
_END = b"\x80"
_SEALED_FIELDS = {"form", "algorithm", "key_id", "nonce", "ciphertext"}

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Unsealed(Generic[E]):
    """Events for one stream with the texts in them, by their paths, and the key that each text needs."""

    stream: str
    events: tuple[E, ...]
    texts: tuple[tuple[tuple[str, Clear], ...], ...]
    needs: Mapping[Under, Need]

    def sealed(self, first_version: int, keys: Mapping[Need, DataKey]) -> tuple[tuple[E, ...], frozenset[UUID]]:
        """The events sealed as versions from this one on, and the ids of their keys."""
        mine = {under: keys[need] for under, need in self.needs.items()}
        sealed = []
        for version, (event, texts) in enumerate(zip(self.events, self.texts, strict=True), first_version):
            by_path = {
                path: seal_text(clear.text.get_secret_value(), mine[clear.under], self.stream, version, path)
                for path, clear in texts
            }
            sealed.append(_replaced(event, "", by_path) if by_path else event)
        return tuple(sealed), frozenset(key.key_id for key in mine.values())


def find_texts(stream: str, events: Sequence[E], speaks_of: Collection[UUID] = ()) -> Unsealed[E]:
    """The texts of events that are to be appended to a stream; `speaks_of` as in Sealer.seal.

    Raises AlreadySealed where an event holds a text sealed for another place.
    """
    people = frozenset(speaks_of)
    found = tuple(tuple(_texts(event, "")) for event in events)
    unders = {clear.under: None for texts in found for _, clear in texts}
    return Unsealed(stream, tuple(events), found, {under: Need.of(under, stream, people) for under in unders})


class Sealer:
    """Seals events with the keys of one vault."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def seal(
        self, stream: str, first_version: int, events: Sequence[E], speaks_of: Collection[UUID] = ()
    ) -> tuple[tuple[E, ...], frozenset[UUID]]:
        """Seal events that will be `first_version`, `first_version + 1`, … of a stream; returns them and their key ids.

        `speaks_of` are people of whom the reports' texts are known to speak: erasing one of them will destroy the
        reports' keys. Name the returned key ids in the submission, so that the append refuses a destroyed one. Raises
        KeyGone where a key is destroyed and AlreadySealed where an event holds a text sealed for another.
        """
        unsealed = find_texts(stream, events, speaks_of)
        return unsealed.sealed(first_version, await self._keys.keys_for(unsealed.needs.values()))


def seal_text(text: str, key: DataKey, stream: str, version: int, path: str, nonce: bytes | None = None) -> Sealed:
    """Seal one text for its place; a nonce is given only by tests that know the answer."""
    nonce = nonce or token_bytes(NONCE_BYTES)
    ciphertext = key.cipher.encrypt(nonce, padded(text), place_of(stream, version, path, key.key_id))
    # made here and nowhere else, so there is nothing to validate
    return Sealed.model_construct(
        _SEALED_FIELDS,
        form=FORM,
        algorithm=ALGORITHM,
        key_id=key.key_id,
        nonce=_text(nonce),
        ciphertext=_text(ciphertext),
    )


def open_text(sealed: Sealed, key: DataKey, stream: str, version: int, path: str) -> str:
    """Open one text where it stands; raises ValueError or InvalidTag when it does not open there."""
    if sealed.form != FORM or sealed.algorithm != ALGORITHM:
        raise ValueError("this form of sealing is not known here")
    nonce, ciphertext = _bytes(sealed.nonce), _bytes(sealed.ciphertext)
    return unpadded(key.cipher.decrypt(nonce, ciphertext, place_of(stream, version, path, key.key_id)))


def place_of(stream: str, version: int, path: str, key_id: UUID) -> bytes:
    """The additional data that binds a ciphertext to its place.

    Canonical JSON as it stands: the names are in their order, and nothing in it can be a float.
    """
    return orjson.dumps(
        {"alg": ALGORITHM, "field": path, "kid": str(key_id), "stream": stream, "v": FORM, "version": version}
    )


def padded(text: str) -> bytes:
    """UTF-8, one byte 0x80, then zeros up to the next step."""
    plain = text.encode() + _END
    step = SMALLEST_STEP_BYTES
    while step < len(plain) and step < LARGEST_STEP_BYTES:
        step *= 2
    return plain.ljust(-(-len(plain) // step) * step, b"\0")


def unpadded(plain: bytes) -> str:
    text, end, rest = plain.rpartition(_END)
    if not end or rest.strip(b"\0"):
        raise ValueError("the padding is not ours")
    return text.decode()


def step_into(path: str, name: str) -> str:
    """The path of a part: names joined by dots; inside a name a dot is ~1 and a tilde ~0, so that no two paths meet."""
    name = name.replace("~", "~0").replace(".", "~1")
    return f"{path}.{name}" if path else name


_LEAVES = (str, int, UUID, datetime, date, Enum, type(None))


def _texts(value: Any, path: str) -> Iterator[tuple[str, Clear]]:
    """Every `Clear` in a value with its path; raises AlreadySealed on what was sealed for another place."""
    if isinstance(value, Clear):
        yield path, value
    elif isinstance(value, Sealed):
        raise AlreadySealed(path)
    else:
        for _, wire_name, part in _inner(value):
            if not isinstance(part, _LEAVES):  # most parts: neither a path nor a call for them
                yield from _texts(part, step_into(path, wire_name))


def _replaced(value: Any, path: str, by_path: Mapping[str, Sealed]) -> Any:
    """The value with the texts at these paths replaced; the same object where there is none in it."""
    if isinstance(value, _LEAVES):
        return value
    if (sealed := by_path.get(path)) is not None:
        return sealed
    changed = {}
    for name, wire_name, part in _inner(value):
        if not isinstance(part, _LEAVES):
            new = _replaced(part, step_into(path, wire_name), by_path)
            if new is not part:
                changed[name] = new
    if not changed:
        return value
    if isinstance(value, BaseModel):
        return value.model_copy(update=changed)
    if isinstance(value, dict):
        return value | changed
    return type(value)(changed.get(place, part) for place, part in enumerate(value))


def _inner(value: Any) -> Iterable[tuple[Any, str, Any]]:
    """The parts of a value: the name or place of each, the name on its path, and itself."""
    if isinstance(value, BaseModel):
        return _parts(value)
    if isinstance(value, dict):
        return ((name, str(name), part) for name, part in value.items())
    if isinstance(value, list | tuple):
        return ((place, str(place), part) for place, part in enumerate(value))
    return ()


def _parts(model: BaseModel) -> Iterator[tuple[str, str, Any]]:
    values = model.__dict__
    for name, wire_name in _may_hold(type(model)):
        yield name, wire_name, values[name]
    for name, part in (model.model_extra or {}).items():
        yield name, name, part


@cache
def _may_hold(model: type[BaseModel]) -> tuple[tuple[str, str], ...]:
    """Fields, by name and wire name, in which a text may stand; the others are not walked at each sealing.

    One that is overlooked would stay `Clear`, which nothing can write: it fails, and does not leak.
    """
    return tuple(
        (name, field.serialization_alias or field.alias or name)
        for name, field in model.model_fields.items()
        if _reaches_a_text(field.annotation)
    )


def _reaches_a_text(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation in (Clear, Sealed) or bool(_may_hold(annotation))
    parts = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _reaches_a_text(parts[0])
    if get_origin(annotation) is Literal:
        return False
    return annotation is Any or any(_reaches_a_text(part) for part in parts)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _text(raw) != text:
        raise ValueError("one ciphertext has one spelling, and this is not it")
    return raw
