"""What events are made of, walked to the last field."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

import events
from events.sealed import Clear, Sealed

M = TypeVar("M")


def all_modules() -> list[str]:
    """Import every module of the domain, so that no class hides."""
    names = [module.name for module in pkgutil.walk_packages(events.__path__, "events.")]
    for name in names:
        importlib.import_module(name)
    return names


def subclasses(base: type[M]) -> set[type[M]]:
    """Every class of the domain below a base, however deep; classes of tests are not ours to judge here."""
    all_modules()
    found: set[type[M]] = set()
    waiting = list(base.__subclasses__())
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if one.__module__.partition(".")[0] == "events":
            found.add(one)
    return found


@dataclass(frozen=True)
class Leaf:
    """One field that holds no other fields: its path, its type and the notes that limit it."""

    path: str
    type: Any
    notes: tuple[Any, ...]

    @property
    def pattern(self) -> str | None:
        return next((note.pattern for note in self.notes if getattr(note, "pattern", None)), None)

    @property
    def longest(self) -> int | None:
        return next((note.max_length for note in self.notes if hasattr(note, "max_length")), None)


def leaves(model: type[BaseModel], path: str = "") -> Iterator[Leaf]:
    hints = get_type_hints(model, include_extras=True)
    for name in model.model_fields:
        yield from _leaves_of(hints[name], f"{path}{name}", ())


def _leaves_of(annotation: Any, path: str, notes: tuple[Any, ...]) -> Iterator[Leaf]:
    if get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        inner = [part for note in more for part in (note.metadata if isinstance(note, FieldInfo) else (note,))]
        yield from _leaves_of(annotation, path, (*notes, *inner))
    elif annotation in (Sealed, Clear):
        yield Leaf(path, annotation, notes)
    elif isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, BaseModel):
        yield from leaves(annotation, f"{path}.")
    elif parts := [part for part in get_args(annotation) if part not in (type(None), Ellipsis)]:
        for part in parts:
            yield from _leaves_of(part, path, () if get_origin(annotation) is tuple else notes)
    else:
        yield Leaf(path, annotation, notes)
