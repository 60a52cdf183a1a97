"""Any event of the catalogue with any content its types allow, unknown words and attributes of later versions too."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin
from uuid import UUID

from annotated_types import Ge, Le, MaxLen, MinLen
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, SecretStr
from pydantic.fields import FieldInfo

from events.event import Event
from events.sealed import Clear, KeyKind, Sealed, Under
from events.vocabulary import Word
from tests.support.domain import CASE, NOW, OTHER_CASE, REPORT, one

E = TypeVar("E", bound=Event)

IDS = (REPORT, CASE, OTHER_CASE, *(one(f"thing {number}") for number in range(4)))
"""Few ids, so that events speak of the same things."""

CLEAR = Clear(text=SecretStr("a text"), under=Under(kind=KeyKind.CASE, owner=CASE))
SEALED = Sealed(key_id=CASE, nonce="AAAA", ciphertext="BBBB")
LATER_VERSION: Mapping[str, Any] = {"a_field_of_a_later_version": {"deep": [1, "x"]}}


@cache
def any_event(event: type[E]) -> st.SearchStrategy[E]:
    return _model(event)


def _model(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    known = {name: _value(field.annotation, tuple(field.metadata)) for name, field in model.model_fields.items()}
    required = {name: how for name, how in known.items() if model.model_fields[name].is_required()}
    optional = {name: how for name, how in known.items() if name not in required}
    extra = st.sampled_from([{}, LATER_VERSION])
    fields = st.fixed_dictionaries(required, optional=optional)
    return st.builds(lambda given, more: model(**{**given, **more}), fields, extra)


def _value(annotation: Any, metadata: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _value(args[0], (*metadata, *_flat(args[1:])))
    if origin in (Union, UnionType):
        return st.one_of(*(_value(part, metadata) for part in args))
    if origin is tuple:
        return st.lists(_value(args[0]), min_size=_limit(metadata, MinLen, "min_length", 0), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=2)
    return _plain(annotation, metadata)


def _plain(annotation: type, metadata: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    moments = st.integers(-10, 10).map(lambda hours: (NOW + timedelta(hours=hours)).astimezone(UTC))
    simple: Mapping[Any, st.SearchStrategy[Any]] = {
        NoneType: st.none(),
        Clear: st.just(CLEAR),
        Sealed: st.just(SEALED),
        UUID: st.sampled_from(IDS),
        bool: st.booleans(),
        date: st.dates(),
        AwareDatetime: moments,
        datetime: moments,
    }
    if annotation in simple:
        return simple[annotation]
    if issubclass(annotation, Word):
        return st.sampled_from([*annotation, *map(annotation.read, ("a word of a later version", "", "rules"))])
    if issubclass(annotation, BaseModel):
        return _model(annotation)
    if annotation is int:
        return st.integers(_limit(metadata, Ge, "ge", -5), min(_limit(metadata, Le, "le", 1_200), 1_200))
    if annotation is str:
        pattern = next((part.pattern for part in metadata if getattr(part, "pattern", None)), None)
        if pattern is not None:
            return st.from_regex(pattern, fullmatch=True).map(lambda text: text.rstrip("\n"))
        shortest = _limit(metadata, MinLen, "min_length", 0)
        return st.text(min_size=shortest, max_size=min(_limit(metadata, MaxLen, "max_length", 10), 10))
    raise TypeError(f"how is a {annotation!r} made?")


def _flat(metadata: tuple[Any, ...]) -> list[Any]:
    nested = (part.metadata if isinstance(part, FieldInfo) else [part] for part in metadata)
    return [part for parts in nested for part in parts]


def _limit(metadata: tuple[Any, ...], kind: type, name: str, otherwise: int) -> int:
    return next((getattr(part, name) for part in metadata if isinstance(part, kind)), otherwise)
