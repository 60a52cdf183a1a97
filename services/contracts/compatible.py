"""Whether a description still keeps what the last released one promised: whoever built on that one goes on unharmed.

Tables of contents are rewritten all the time and gain a line with each release, so their bytes promise nothing. What
they describe does: an address, a parameter, a field that could be sent, one that was always answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

_METHODS = ("get", "post", "put", "patch", "delete")
_NOT_LOWER = ("maximum", "maxLength", "maxItems")
_NOT_HIGHER = ("minimum", "minLength", "minItems")


def broken_by_openapi(earlier: Json, later: Json) -> Iterator[str]:
    """What the earlier description of the API promised and the later one does not keep, a sentence each."""
    for address, operations in earlier["paths"].items():
        for method in _METHODS:
            if method not in operations:
                continue
            where = f"{method.upper()} {address}"
            if (now := later.get("paths", {}).get(address, {}).get(method)) is None:
                yield f"{where} is gone"
            else:
                yield from _operation(where, operations[method], now, _Reading(earlier, later))


def broken_by_asyncapi(earlier: Json, later: Json) -> Iterator[str]:
    """The same of the topics: each stays, at its address, with every message that was in it."""
    for name, channel in earlier["channels"].items():
        if (now := later.get("channels", {}).get(name)) is None:
            yield f"the topic {name} is gone"
            continue
        if now.get("address") != channel.get("address"):
            yield f"the topic {name} has another address"
        for message in channel.get("messages", {}).keys() - now.get("messages", {}).keys():
            yield f"the message {message} of {name} is gone"
    for name, message in earlier.get("components", {}).get("messages", {}).items():
        now = later.get("components", {}).get("messages", {}).get(name)
        if now is not None and now.get("payload") != message.get("payload"):
            yield f"the message {name} has another schema"


@dataclass(frozen=True, slots=True)
class _Reading:
    """Two documents and what of them was compared already, since schemas may name themselves."""

    earlier: Json
    later: Json

    def sent(self, where: str, old: Json, new: Json) -> Iterator[str]:
        """What somebody sends: everything that was taken is taken still."""
        yield from self._compare(where, old, new, sent=True, within=frozenset())

    def answered(self, where: str, old: Json, new: Json) -> Iterator[str]:
        """What somebody reads: everything that was always there is there still; words of an enum may be added."""
        yield from self._compare(where, old, new, sent=False, within=frozenset())

    def _compare(self, where: str, old: Json, new: Json, *, sent: bool, within: frozenset[Any]) -> Iterator[str]:
        here = (old.get("$ref"), new.get("$ref"))
        if None not in here and here in within:
            return
        within |= {here}
        old, new = _resolved(self.earlier, old), _resolved(self.later, new)
        if new.get("type") != old.get("type") and ("type" in new or not sent):
            yield f"{where} has another type"
            return
        yield from _limits(where, old, new) if sent else ()
        if sent and "enum" in new:
            gone = [str(one) for one in old.get("enum", ["other words"]) if one not in new["enum"]]
            yield from [f"{where} no longer takes {', '.join(gone)}"] if gone else []
        before, now = old.get("properties", {}), new.get("properties", {})
        for name in before.keys() - now.keys():
            yield f"{where}.{name} is gone"
        if sent:
            for name in set(new.get("required", ())) - set(old.get("required", ())):
                yield f"{where}.{name} must be sent now"
        else:
            for name in set(old.get("required", ())) & now.keys() - set(new.get("required", ())):
                yield f"{where}.{name} may be missing now"
        for name in before.keys() & now.keys():
            yield from self._compare(f"{where}.{name}", before[name], now[name], sent=sent, within=within)
        if isinstance(old.get("items"), dict) and isinstance(new.get("items"), dict):
            yield from self._compare(f"{where}[]", old["items"], new["items"], sent=sent, within=within)
        yield from self._variants(where, old, new, sent=sent, within=within)

    def _variants(self, where: str, old: Json, new: Json, *, sent: bool, within: frozenset[Any]) -> Iterator[str]:
        for word in ("anyOf", "oneOf"):
            then, now = old.get(word, []), new.get(word, [])
            if sent and len(now) < len(then):
                yield f"{where} takes fewer forms"
            elif not sent and len(now) > len(then):
                yield f"{where} may have another form now"
            else:
                for before, after in zip(then, now, strict=False):
                    yield from self._compare(where, before, after, sent=sent, within=within)


def _operation(where: str, old: Json, new: Json, reading: _Reading) -> Iterator[str]:
    before, now = ({(one["in"], one["name"]): one for one in of.get("parameters", ())} for of in (old, new))
    for place, name in before.keys() - now.keys():
        yield f"{where}: the {place} parameter {name} is gone"
    for key, parameter in now.items():
        known = before.get(key)
        if parameter.get("required") and not (known and known.get("required")):
            yield f"{where}: the {key[0]} parameter {key[1]} must be sent now"
        if known:
            yield from reading.sent(f"{where}: {key[1]}", known["schema"], parameter["schema"])
    if "requestBody" in new and new["requestBody"].get("required") and "requestBody" not in old:
        yield f"{where}: a body must be sent now"
    yield from _contents(where, old.get("requestBody", {}), new.get("requestBody", {}), reading.sent)
    for status, answer in old["responses"].items():
        if not status.startswith("2"):
            continue
        if status not in new["responses"]:
            yield f"{where}: it is never answered with {status} any more"
        else:
            yield from _contents(f"{where} {status}", answer, new["responses"][status], reading.answered)


def _contents(where: str, old: Json, new: Json, compare: Any) -> Iterator[str]:
    for media_type, content in old.get("content", {}).items():
        if media_type not in new.get("content", {}):
            yield f"{where}: {media_type} is gone"
        else:
            yield from compare(f"{where}: body", content["schema"], new["content"][media_type]["schema"])


def _limits(where: str, old: Json, new: Json) -> Iterator[str]:
    for word in _NOT_LOWER:
        if word in new and new[word] < old.get(word, float("inf")):
            yield f"{where} has a lower {word}"
    for word in _NOT_HIGHER:
        if word in new and new[word] > old.get(word, float("-inf")):
            yield f"{where} has a higher {word}"


def _resolved(document: Json, schema: Json) -> dict[str, Any]:
    """A schema with what it names put in its place, and what stands beside the name."""
    found = dict(schema)
    while (name := found.pop("$ref", None)) is not None:
        target: Any = document
        for part in str(name).removeprefix("#/").split("/"):
            target = target[part]
        beside = found
        found = dict(target)
        for word, value in beside.items():
            match found.get(word), value:
                case dict() as there, dict():
                    found[word] = {**there, **value}
                case list() as there, list() if word == "required":
                    found[word] = [*there, *value]
                case _:
                    found[word] = value
    return found
