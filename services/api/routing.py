"""Which route an address has, by looking it up: trying one pattern after the other took a tenth of a read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

R = TypeVar("R")

OPEN = ":path}"

Key = tuple[str, tuple[str, ...]]


class Routes(Generic[R]):
    """Routes by method and address, in which `{name}` stands for one segment and `{name:path}` at the end for all that
    follow; an address without names goes first, one with an end that is open last."""

    def __init__(self) -> None:
        self._whole: dict[tuple[str, str], R] = {}
        self._shapes: dict[int, dict[tuple[int, ...], dict[Key, tuple[R, tuple[str, ...]]]]] = {}
        self._open: list[tuple[str, list[str], R]] = []

    def add(self, method: str, address: str, route: R) -> None:
        """Serve this there."""
        segments = address.split("/")
        if address.endswith(OPEN):
            self._open.append((method, [*segments[:-1], segments[-1].removesuffix(OPEN) + "}"], route))
            return
        named = tuple(at for at, segment in enumerate(segments) if segment.startswith("{"))
        if not named:
            self._whole[method, address] = route
            return
        names = tuple(segments[at][1:-1] for at in named)
        at_shape = self._shapes.setdefault(len(segments), {}).setdefault(named, {})
        at_shape[method, _blank(segments, named)] = route, names

    def find(self, method: str, path: str) -> tuple[R, Mapping[str, str]] | None:
        """The route of an address with what stands for its names; None where nothing is."""
        if (route := self._whole.get((method, path))) is not None:
            return route, {}
        segments = path.split("/")
        for named, routes in self._shapes.get(len(segments), {}).items():
            if (found := routes.get((method, _blank(segments, named)))) is not None:
                values = [segments[at] for at in named]
                return (found[0], dict(zip(found[1], values, strict=True))) if all(values) else None
        for of, parts, route in self._open:
            if of == method and (values_of := _fits(parts, path.split("/", len(parts) - 1))) is not None:
                return route, values_of
        return None


def _fits(parts: list[str], segments: list[str]) -> Mapping[str, str] | None:
    """What stands for the names of an address; None where the path is another."""
    if len(parts) != len(segments) or not all(segments[1:]):
        return None
    found = {part[1:-1]: one for part, one in zip(parts, segments, strict=True) if part.startswith("{")}
    fixed = all(part.startswith("{") or part == one for part, one in zip(parts, segments, strict=True))
    return found if fixed else None


def _blank(segments: list[str], named: tuple[int, ...]) -> tuple[str, ...]:
    blank = segments.copy()
    for at in named:
        blank[at] = ""
    return tuple(blank)
