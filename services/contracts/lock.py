"""The lock of the published contract: which files stand in it, and which of them may never change again.

`drafts` may still be rewritten; `published` are promised for ever. A release turns drafts into published ones, all but
tables of contents: those gain a line with every version that comes. As they stood at a release they are kept beside,
and what was promised there is kept too (services/contracts/compatible).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

LOCK = "lock.json"
CONTENTS = frozenset({"asyncapi.json", "openapi.json"})
"""Files that stay drafts for ever."""


@dataclass(frozen=True, slots=True)
class Lock:
    """Path under schemas/ → SHA-256 of the file's bytes."""

    published: Mapping[str, str] = field(default_factory=dict)
    drafts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Lock:
        content = json.loads(text)
        return cls(published=content["published"], drafts=content["drafts"])

    @classmethod
    def of_folder(cls, folder: Path) -> Lock:
        """The lock in a folder; an empty one where none was written yet."""
        path = folder / LOCK
        return cls.read(path.read_text("utf-8")) if path.exists() else cls()

    def text(self) -> str:
        content = {"published": dict(self.published), "drafts": dict(self.drafts)}
        return json.dumps(content, indent=2, sort_keys=True) + "\n"

    def released(self) -> Lock:
        """This lock with every draft published that can be."""
        contents = {path: digest for path, digest in self.drafts.items() if path in CONTENTS}
        released = {path: digest for path, digest in self.drafts.items() if path not in CONTENTS}
        return Lock(published={**released, **self.published}, drafts=contents)


def hash_of(content: bytes) -> str:
    return sha256(content).hexdigest()


def broken(earlier: Lock, later: Lock) -> Iterator[str]:
    """Promises of an earlier lock that a later one does not keep."""
    for path, digest in earlier.published.items():
        if path not in later.published:
            yield f"{path} was published and is in the lock no more: put it back, and write a new version beside it"
        elif later.published[path] != digest:
            yield f"{path} was published and changed: put it back as it was, and write a new version beside it"


def only_more_words(published: Any, generated: Any) -> bool:
    """Whether a schema differs from its published one at most by words that open enums have since gained."""
    match published, generated:
        case {"anyOf": [{"enum": list(old)}, {"type": "string"}]}, {"anyOf": [{"enum": list(new)}, {"type": "string"}]}:
            return set(old) <= set(new) and _all_but(published, "anyOf") == _all_but(generated, "anyOf")
        case dict(), dict():
            return published.keys() == generated.keys() and all(
                only_more_words(part, generated[name]) for name, part in published.items()
            )
        case list(), list():
            return len(published) == len(generated) and all(map(only_more_words, published, generated))
        case _:
            return bool(published == generated)


def _all_but(schema: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != name}
