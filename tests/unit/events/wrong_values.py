"""Right and wrong JSON values of any field of any command, by its type alone, so that a new field is tried unasked."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import annotated_types as at
from pydantic import AwareDatetime, SecretStr
from pydantic.fields import FieldInfo

from events.command import Command

CANARY = "Nzeyimana Jeanne"
"""Stands for what somebody typed: it may be a name, so no refusal repeats it."""

JUST_A_SURROGATE = "\ud800"


@dataclass(frozen=True)
class Wrong:
    """A wrong value and where in the field it stands (empty: the field itself)."""

    label: str
    value: Any
    inside: str = ""


@dataclass(frozen=True)
class Kind:
    """What a field may hold: a plain type with its limits."""

    type: Any
    optional: bool = False
    least: int | None = None
    most: int | None = None
    shortest: int = 0
    longest: int | None = None
    pattern: str | None = None
    arguments: tuple[Any, ...] = field(default=())


def fields_of(command: type[Command]) -> Iterator[tuple[str, Kind, FieldInfo]]:
    """Each field by the name it has in JSON."""
    hints = get_type_hints(command, include_extras=True)
    for name, info in command.model_fields.items():
        yield info.alias or name, kind_of(hints[name]), info


def kind_of(annotation: Any) -> Kind:
    found: dict[str, Any] = {}
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *notes = get_args(annotation)
            for note in notes:
                found |= dict(_limits(note))
        elif get_origin(annotation) in (Union, types.UnionType):
            choices = [choice for choice in get_args(annotation) if choice is not type(None)]
            assert len(choices) == 1, f"no rule here for the union {annotation}"
            annotation, found["optional"] = choices[0], True
        else:
            origin = datetime if annotation is AwareDatetime else get_origin(annotation) or annotation
            return Kind(type=origin, arguments=get_args(annotation), **found)


def _limits(note: Any) -> Iterator[tuple[str, Any]]:
    match note:
        case FieldInfo():
            for part in note.metadata:
                yield from _limits(part)
        case at.Ge():
            yield "least", note.ge
        case at.Le():
            yield "most", note.le
        case at.MinLen():
            yield "shortest", note.min_length
        case at.MaxLen():
            yield "longest", note.max_length
        case _ if getattr(note, "pattern", None):
            yield "pattern", note.pattern


def right(kind: Kind, number: int = 0) -> Any:
    """A right value; another one for another number, where a type has more than one."""
    match kind.type:
        case type() as enum if issubclass(enum, Enum):
            members = list(enum)
            return members[number % len(members)].value
        case type() as command if issubclass(command, Command):
            return body_of(command)
    if kind.type in (tuple, frozenset):
        return [right(kind_of(kind.arguments[0]), place) for place in range(max(kind.shortest, 1))]
    if kind.type is str:
        return "a" * 64 if kind.pattern else "a" * max(kind.shortest, 1)
    plain = {
        SecretStr: "seen at the market",
        UUID: str(UUID(int=number + 1)),
        datetime: "2026-05-20T06:30:00+02:00",
        date: "2026-05-20",
        bool: True,
        int: kind.least or 0,
        dict: {"units": []},
    }
    assert kind.type in plain, f"no rule here for the type {kind.type}"
    return plain[kind.type]


def body_of(command: type[Command]) -> dict[str, Any]:
    """A body whose every field is right by itself."""
    return {name: right(kind) for name, kind, _ in fields_of(command)}


def wrong(kind: Kind) -> Iterator[Wrong]:
    """Every way we know in which a value of this kind can be wrong."""
    yield from _of_another_type(kind)
    if kind.type is SecretStr or kind.type is str:
        yield Wrong("lone surrogate", CANARY + JUST_A_SURROGATE)
        if kind.shortest or kind.pattern:
            yield Wrong("empty", "")
        if kind.longest or kind.pattern:
            yield Wrong("too long", CANARY.ljust((kind.longest or 64) + 1, "x"))
        if kind.pattern:
            yield Wrong("other letters", CANARY)
            yield Wrong("NUL", "a\0")
            yield Wrong("line end", "a" * 64 + "\n")
    elif kind.type is UUID:
        yield Wrong("no uuid", CANARY)
        yield Wrong("cut", str(UUID(int=1))[:-1])
    elif kind.type is datetime:
        yield from (Wrong("naive", "2026-05-20T06:30:00"), Wrong("words", CANARY), Wrong("seconds", "1779251400"))
        yield from (Wrong("no such day", "2026-02-30T06:30:00Z"), Wrong("date only", "2026-05-20"))
        yield from (Wrong("far", "9999-12-31T23:59:59-14:00"), Wrong("long ago", "0001-01-01T00:00:00+14:00"))
    elif kind.type is date:
        yield from (Wrong("words", CANARY), Wrong("no dashes", "20260520"), Wrong("no such day", "2026-02-30"))
    elif kind.type is int:
        yield from (Wrong("fraction", 1.5), Wrong("digits", "1"), Wrong("huge", 2**70))
        if kind.least is not None:
            yield Wrong("too small", kind.least - 1)
        if kind.most is not None:
            yield Wrong("too large", kind.most + 1)
    elif kind.type in (tuple, frozenset):
        inner = kind_of(kind.arguments[0])
        if kind.shortest:
            yield Wrong("too few", [])
        if kind.longest:
            yield Wrong("too many", [right(inner, number) for number in range(kind.longest + 1)])
        for one in (*wrong(inner), Wrong("null", None)):
            yield Wrong(f"entry: {one.label}", [one.value], f"0.{one.inside}".rstrip("."))
    elif kind.type is dict:
        yield from (Wrong("fraction", {CANARY: 1.5}), Wrong("lone surrogate", {"name": CANARY + JUST_A_SURROGATE}))
    elif issubclass(kind.type, Enum):
        yield from (Wrong("unknown word", CANARY), Wrong("empty", ""), Wrong("other case", "UnKnOwN"))
    elif issubclass(kind.type, Command):
        for name, part, info in fields_of(kind.type):
            for one in wrong_of_field(part, info):
                yield Wrong(
                    f"{name}: {one.label}", {**body_of(kind.type), name: one.value}, f"{name}.{one.inside}".rstrip(".")
                )
        yield Wrong("unknown field", {**body_of(kind.type), "surname": CANARY}, "surname")


def wrong_of_field(kind: Kind, info: FieldInfo) -> Iterator[Wrong]:
    yield from wrong(kind)
    if not kind.optional:
        yield Wrong("null", None)


def _of_another_type(kind: Kind) -> Iterator[Wrong]:
    takes = {
        SecretStr: str, str: str, UUID: str, datetime: str, date: str, bool: bool, int: int, dict: dict, tuple: list,
        frozenset: list,
    }.get(kind.type, dict if issubclass(kind.type, Command) else str)  # fmt: skip
    for label, value in (
        ("text", CANARY), ("number", 5), ("truth", True), ("list", [CANARY]), ("object", {CANARY: CANARY}),
    ):  # fmt: skip
        if type(value) is not takes:
            yield Wrong(label, value)
