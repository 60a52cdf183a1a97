"""Writing the contract into its folder, checking it, and releasing it.

Nothing is ever written over a published file: a change of what the code generates is refused with the sentence that
says what to do instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import schemas
from events.catalogue import EVENTS
from services.api import openapi
from services.contracts import asyncapi
from services.contracts.compatible import Json, broken_by_asyncapi, broken_by_openapi
from services.contracts.examples import EXAMPLES
from services.contracts.lock import CONTENTS, LOCK, Lock, broken, hash_of, only_more_words
from services.contracts.schema import schema_of

FOLDER = Path(schemas.__file__).parent

Files = Mapping[str, bytes]

KEPT = "released/"
"""Where each release keeps the tables of contents as they stood then, under its number."""

_VERSION = re.compile(r"^events/([a-z_.]+)/([0-9]+)\.")

COMPARED: Mapping[str, Callable[[Json, Json], Iterator[str]]] = {
    openapi.PATH: broken_by_openapi,
    asyncapi.PATH: broken_by_asyncapi,
}


class ContractBroken(Exception):
    """What the code generates would change what strangers were promised; nothing was written."""


def generated() -> Files:
    """Every file that the code makes: path under schemas/ → bytes."""
    files = {
        f"events/{name}/{event.schema_version}.schema.json": _text(schema_of(event)) for name, event in EVENTS.items()
    }
    for example in EXAMPLES:
        if example.path in files:
            raise ContractBroken(f"two examples are called {example.path}: give one of them another case")
        files[example.path] = example.wire()
    kept = Lock.of_folder(FOLDER).published.keys() | superseded(FOLDER)
    described = {asyncapi.PATH: asyncapi.text(files.keys() | kept)}
    return files | described | {openapi.PATH: openapi.text()}


def superseded(folder: Path) -> set[str]:
    """Files of versions older than what the code writes: logs hold their events for ever, so they are no drafts."""
    return {path for path in _present(folder) if (found := _VERSION.match(path)) and _is_older(found[1], int(found[2]))}


def _is_older(name: str, version: int) -> bool:
    return name in EVENTS and version < EVENTS[name].schema_version


def faults(folder: Path, files: Files) -> Iterator[str]:
    """What is wrong with a folder, a sentence each: stale, missing, unknown to the lock, or a promise broken."""
    lock = Lock.of_folder(folder)
    yield from _broken_promises(folder, lock, files)
    yield from _broken_contents(folder, lock, files)
    for path in sorted(files.keys() - lock.published.keys()):
        if not (folder / path).exists():
            yield f"{path} is missing: run `make schemas`"
        elif (folder / path).read_bytes() != files[path]:
            yield f"{path} is not what the code says: run `make schemas`"
        elif lock.drafts.get(path) != hash_of(files[path]):
            yield f"{path} is not in {LOCK} as it stands: run `make schemas`"
    for path in sorted(superseded(folder) - lock.published.keys()):
        yield f"{path} has a newer version beside it and is not published yet: run `make schemas`"
    for path in sorted(_present(folder) - files.keys() - lock.published.keys() - superseded(folder)):
        yield f"{path} is made by no code and was never published: run `make schemas`, which removes it"
    for path in sorted(lock.drafts.keys() - files.keys()):
        yield f"{path} stands in {LOCK} and is made no more: run `make schemas`"


def write(folder: Path, files: Files) -> list[str]:
    """Write what is new or a draft; returns the paths that changed. Raises ContractBroken, having written nothing.

    A version that another one has followed is published by that.
    """
    lock = Lock.of_folder(folder)
    if sentences := [*_broken_promises(folder, lock, files), *_broken_contents(folder, lock, files)]:
        raise ContractBroken("\n".join(sentences))
    old = {path: hash_of((folder / path).read_bytes()) for path in superseded(folder) - lock.published.keys()}
    lock = Lock(published={**lock.published, **old}, drafts=lock.drafts)
    drafts = {path: content for path, content in files.items() if path not in lock.published}
    changed = []
    for path, content in drafts.items():
        place = folder / path
        if not place.exists() or place.read_bytes() != content:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            changed.append(path)
    for path in _present(folder) - files.keys() - lock.published.keys():
        (folder / path).unlink()
        changed.append(path)
    _lock(folder, Lock(published=lock.published, drafts={path: hash_of(content) for path, content in drafts.items()}))
    return sorted(changed)


def release(folder: Path, files: Files) -> list[str]:
    """Promise every draft for ever; returns the paths. Raises ContractBroken where the folder is not in order.

    A table of contents goes on being rewritten; as it stands now it is kept, and later ones must keep what it says.
    """
    if sentences := list(faults(folder, files)):
        raise ContractBroken("\n".join(sentences))
    lock = Lock.of_folder(folder)
    number = 1 + max((_number(path) for path in lock.published if path.startswith(KEPT)), default=0)
    kept = {f"{KEPT}{number}.{path}": files[path] for path in sorted(CONTENTS & files.keys())}
    for path, content in kept.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    released = lock.released()
    hashes = {path: hash_of(content) for path, content in kept.items()}
    _lock(folder, Lock(published={**released.published, **hashes}, drafts=released.drafts))
    return sorted([*(lock.drafts.keys() - CONTENTS), *kept])


def _broken_promises(folder: Path, lock: Lock, files: Files) -> Iterator[str]:
    present = {path: (folder / path).read_bytes() for path in lock.published if (folder / path).exists()}
    yield from broken(lock, Lock(published={path: hash_of(content) for path, content in present.items()}))
    for path, content in present.items():
        if path in files and not _still_says(path, content, files[path]):
            yield f"the code would change {path}, which was published: give the event a new version instead"


def _broken_contents(folder: Path, lock: Lock, files: Files) -> Iterator[str]:
    """What a table of contents no longer promises that the last released one did."""
    for path, broken_by in COMPARED.items():
        released = [kept for kept in lock.published if kept.startswith(KEPT) and kept.endswith(f".{path}")]
        if not released or path not in files:
            continue
        last = folder / max(released, key=_number)
        if last.exists():
            for sentence in broken_by(json.loads(last.read_bytes()), json.loads(files[path])):
                yield f"{path} breaks what was released as {last.name}: {sentence}"


def _number(kept: str) -> int:
    return int(kept.removeprefix(KEPT).partition(".")[0])


def _still_says(path: str, published: bytes, now: bytes) -> bool:
    if path.endswith(".schema.json"):
        return only_more_words(json.loads(published), json.loads(now))
    return published == now


def _present(folder: Path) -> set[str]:
    events = {path.relative_to(folder).as_posix() for path in (folder / "events").rglob("*.json")}
    return events | {path for path in CONTENTS if (folder / path).exists()}


def _lock(folder: Path, lock: Lock) -> None:
    (folder / LOCK).write_text(lock.text(), "utf-8")


def _text(schema: object) -> bytes:
    return (json.dumps(schema, indent=2, ensure_ascii=False) + "\n").encode()
