"""What somebody without the key can make of the files of a bundle: bytes, values in JSON, and members."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.support.hostile import Files, summed


class Members(list[tuple[str, bytes]]):
    """The files of a zip, in which a name can stand twice; shown by how they begin."""

    def __repr__(self) -> str:
        return "\n".join(f"{name!r} {len(content)} {content[:300]!r}" for name, content in self)


DEEP = "[" * 50_000 + "]" * 50_000
VALUES = [
    "null", "true", "-1", "0", "1", "1.0", "1e400", "NaN", "-Infinity", "9" * 400, "9" * 5_000, "[]", "{}", DEEP, '""',
    '"\\u001b[2J"', '"\\ud800"', '"\\u202e"', '"*"', '"evidence"', '"custody.log_checkpointed"', '"alert.issued"',
    '"case/x"', '{"note":"\\ud800"}', '{"note":null}', '["keys.txt"]', '"' + "x" * 3_000 + '"',
]  # fmt: skip
"""Texts of JSON, or what passes for it, to stand where another value stood."""

NAMES = [
    "../up", "/etc/passwd", "events/../x", "events/000000.jsonl", "events/", "events", "\x1b[2J",
    "chains/events.v1/0/9", "chains/x/0/1", "leaves/000000.bin", "proofs/000000.txt", "manifest.json", "keys.txt",
    "Keys.txt", "\u202etxt.syek", "checkpoints.txt", "texts/1", "x" * 400, "verify.py",
]  # fmt: skip

PLACE = "\x00place\x00"


@st.composite
def spoilt(draw: st.DrawFn, good: Callable[[], Files]) -> Members:
    """The members of a zip, of which a few were changed; the sums fit, mostly."""
    files = good()
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(sorted(files)))
        match draw(st.sampled_from(["bytes", "json", "json", "lines", "member"])):
            case "bytes":
                files[name] = _cut(draw, files[name])
            case "json":
                files[name] = _revalued(draw, name, files[name])
            case "lines":
                files[name] = _reordered(draw, files[name])
            case _:
                _moved(draw, files, name)
    if draw(st.integers(0, 3)):
        files = _summed(files)
    members = Members(sorted(files.items()))
    if draw(st.integers(0, 9)) == 0:
        members.append((draw(st.sampled_from([*files, *NAMES])), draw(st.binary(max_size=20))))
    return members


def write(path: Path, members: Members) -> Path:
    """As a zip."""
    with zipfile.ZipFile(path, "w") as bundle:
        for name, content in members:
            bundle.writestr(zipfile.ZipInfo(name), content)
    return path


def _cut(draw: st.DrawFn, content: bytes) -> bytes:
    at = draw(st.integers(0, len(content)))
    return content[:at] + draw(st.binary(max_size=8)) + content[at + draw(st.integers(0, 8)) :]


def _reordered(draw: st.DrawFn, content: bytes) -> bytes:
    lines = content.split(b"\n")
    one, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    match draw(st.integers(0, 2)):
        case 0:
            lines[one], lines[other] = lines[other], lines[one]
        case 1:
            del lines[one]
        case _:
            lines.insert(one, lines[other])
    return b"\n".join(lines)


def _revalued(draw: st.DrawFn, name: str, content: bytes) -> bytes:
    """One value of the manifest, or of a line, is another; or a name stands there twice."""
    lines = [content] if name == "manifest.json" else content.split(b"\n")
    at = draw(st.integers(0, len(lines) - 1))
    try:
        found = json.loads(lines[at])
    except (ValueError, RecursionError):
        return content
    places = list(_places(found, ()))
    if not places:
        return content
    *within, last = draw(st.sampled_from(places))
    holder = found
    for one in within:
        holder = holder[one]
    twice = isinstance(last, str) and draw(st.booleans())
    holder[f"{last}{PLACE}" if twice else last] = PLACE
    said = json.dumps(found, ensure_ascii=False, separators=(",", ":")).replace("\\u0000", "\x00")
    value = draw(st.sampled_from(VALUES))
    lines[at] = (
        said.replace(f'{PLACE}":"{PLACE}"', f'":{value}').replace(f'"{PLACE}"', value).encode(errors="surrogatepass")
    )
    return b"\n".join(lines)


def _places(value: Any, here: tuple[Any, ...]) -> Any:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield (*here, name)
        yield from _places(part, (*here, name))


def _moved(draw: st.DrawFn, files: Files, name: str) -> None:
    content = files.pop(name)
    match draw(st.integers(0, 3)):
        case 0:
            pass
        case 1:
            files[draw(st.sampled_from(NAMES))] = content
        case 2:
            files[name] = files[draw(st.sampled_from(sorted(files)))] if files else b""
        case _:
            files[name] = b""


def _summed(files: Files) -> Files:
    """With sums that fit, as far as the manifest can be read still."""
    try:
        return summed(files)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return files


def lines_of(members: Members, folder: str = "events/") -> Sequence[bytes]:
    """Every line of the files of a folder, in order."""
    content = [content for name, content in sorted(members) if name.startswith(folder) and not name.endswith("/")]
    return [line for one in content for line in one.split(b"\n") if line]
